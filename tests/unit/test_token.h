// SPDX-License-Identifier: MIT
/* test_token.h — what the tests of tokens share: an issuer, which signs anything, and a gateway's
 * keys. */
#ifndef PARLOR_TESTS_TEST_TOKEN_H
#define PARLOR_TESTS_TEST_TOKEN_H

#include "gateway/token/token.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
// cmocka wants the three above first
#include <cmocka.h>
#include <nettle/base64.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>

enum { NOW_S = 1800000000, TEXT_MAX = 16384 };
#define GOOD "{\"sub\":\"u1\",\"exp\":1800000060}"
#define SECRET "0123456789abcdef0123456789abcdef"

static struct arena arena;

static inline int forget(void **state)
{
	(void)state;
	arena_free(&arena);
	return 0;
}

/* ---- an issuer ---- */

static inline struct str base64url(struct str bytes)
{
	char *text =
		arena_alloc(&arena, BASE64_ENCODE_LENGTH(bytes.len) + BASE64_ENCODE_FINAL_LENGTH);
	struct base64_encode_ctx ctx;
	base64url_encode_init(&ctx);
	size_t len = base64_encode_update(&ctx, text, bytes.len, (const uint8_t *)bytes.ptr);
	len += base64_encode_final(&ctx, text + len);
	while (len && text[len - 1] == '=')
		len--;
	return str_of(text, len);
}

static inline struct str joined(struct str a, struct str b)
{
	char *text = arena_alloc(&arena, a.len + 1 + b.len);
	memcpy(text, a.ptr, a.len);
	text[a.len] = '.';
	memcpy(text + a.len + 1, b.ptr, b.len);
	return str_of(text, a.len + 1 + b.len);
}

static inline struct str unsigned_token(const char *header, const char *payload)
{
	return joined(base64url(str_from(header)), base64url(str_from(payload)));
}

static inline struct str sign_secret(const char *header, const char *payload, struct str secret)
{
	struct str text = unsigned_token(header, payload);
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned len;
	assert_non_null(HMAC(EVP_sha256(), secret.ptr, (int)secret.len,
			     (const unsigned char *)text.ptr, text.len, digest, &len));
	return joined(text, base64url(str_of((char *)digest, len)));
}

static inline struct str raw_p256(const unsigned char *der, size_t len)
{
	unsigned char *raw = arena_alloc(&arena, 64);
	ECDSA_SIG *pair = d2i_ECDSA_SIG(NULL, &der, (long)len);
	assert_non_null(pair);
	assert_int_equal(BN_bn2binpad(ECDSA_SIG_get0_r(pair), raw, 32), 32);
	assert_int_equal(BN_bn2binpad(ECDSA_SIG_get0_s(pair), raw + 32, 32), 32);
	ECDSA_SIG_free(pair);
	return str_of((char *)raw, 64);
}

static inline struct str sign(EVP_PKEY *key, const char *header, const char *payload)
{
	struct str text = unsigned_token(header, payload);
	const EVP_MD *digest = EVP_PKEY_get_base_id(key) == EVP_PKEY_ED25519 ? NULL : EVP_sha256();
	unsigned char bytes[1024];
	size_t len = sizeof bytes;
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	assert_int_equal(EVP_DigestSignInit(ctx, NULL, digest, NULL, key), 1);
	assert_int_equal(
		EVP_DigestSign(ctx, bytes, &len, (const unsigned char *)text.ptr, text.len), 1);
	EVP_MD_CTX_free(ctx);
	struct str signature = EVP_PKEY_get_base_id(key) == EVP_PKEY_EC
				       ? raw_p256(bytes, len)
				       : str_of((char *)bytes, len);
	return joined(text, base64url(signature));
}

static inline struct str pem_of(EVP_PKEY *key)
{
	BIO *bio = BIO_new(BIO_s_mem());
	assert_int_equal(PEM_write_bio_PUBKEY(bio, key), 1);
	char *text;
	long len = BIO_get_mem_data(bio, &text);
	struct str pem = arena_copy(&arena, str_of(text, (size_t)len));
	BIO_free(bio);
	return pem;
}

/* ---- a gateway ---- */

static inline struct token_keys *keys_of(struct str file)
{
	char why[TOKEN_WHY_MAX] = "";
	struct token_keys *keys = token_keys_read(file, why);
	if (!keys)
		fail_msg("%s", why);
	return keys;
}

static inline struct token_keys *secret_of(struct str file)
{
	char why[TOKEN_WHY_MAX] = "";
	struct token_keys *keys = token_keys_read_secret(file, why);
	if (!keys)
		fail_msg("%s", why);
	return keys;
}

static const struct token_rules no_rules;

static inline enum token_result check(const struct token_keys *keys, struct str token)
{
	struct claims claims;
	return token_check(keys, &no_rules, NOW_S, token, &arena, &claims);
}

static inline void assert_str(struct str found, const char *expected)
{
	assert_int_equal(found.len, strlen(expected));
	assert_memory_equal(found.ptr, expected, found.len);
}

#endif
