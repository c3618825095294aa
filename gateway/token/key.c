// SPDX-License-Identifier: MIT
/* key.c — see key.h. */
#include "gateway/token/key.h"
#include "gateway/token/token.h"

#include <nettle/base64.h>
#include <nettle/hmac.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>

enum { P256_SCALAR_BYTES = 32, P256_BITS = 256 };

static const struct str names[TOKEN_ALGORITHMS] = {
	[TOKEN_HS256] = {"HS256", 5},
	[TOKEN_RS256] = {"RS256", 5},
	[TOKEN_ES256] = {"ES256", 5},
	[TOKEN_EDDSA] = {"EdDSA", 5},
};

bool token_algorithm_named(struct str name, enum token_algorithm *algorithm)
{
	for (size_t i = 0; i < TOKEN_ALGORITHMS; i++) {
		if (str_equal(names[i], name)) {
			*algorithm = (enum token_algorithm)i;
			return true;
		}
	}
	return false;
}

const char *token_algorithm_name(enum token_algorithm algorithm)
{
	return names[algorithm].ptr;
}

static bool is_p256(const EVP_PKEY *public)
{
	char group[32];
	size_t len;
	return EVP_PKEY_get_group_name(public, group, sizeof group, &len) == 1 &&
	       str_equal(str_of(group, len), STR("prime256v1"));
}

const char *token_key_init_public(struct token_key *key, EVP_PKEY *public)
{
	key->public = public;
	switch (EVP_PKEY_get_base_id(public)) {
	case EVP_PKEY_RSA:
		key->algorithm = TOKEN_RS256;
		return EVP_PKEY_get_bits(public) < TOKEN_RSA_BITS_MIN
			       ? "an RSA key must have 2048 bits or more"
			       : NULL;
	case EVP_PKEY_EC:
		key->algorithm = TOKEN_ES256;
		return is_p256(public) ? NULL : "of elliptic curves, P-256 and Ed25519 serve";
	case EVP_PKEY_ED25519:
		key->algorithm = TOKEN_EDDSA;
		return NULL;
	default:
		return "keys are RSA, P-256, Ed25519 or a secret";
	}
}

const char *token_key_init_secret(struct token_key *key, struct str secret)
{
	key->algorithm = TOKEN_HS256;
	if (secret.len < TOKEN_SECRET_BYTES_MIN)
		return "a secret must have 32 bytes or more";
	key->secret = str_copy(secret);
	return NULL;
}

void token_key_free(struct token_key *key)
{
	str_free(&key->kid);
	if (key->secret.ptr)
		OPENSSL_cleanse((void *)(uintptr_t)key->secret.ptr, key->secret.len);
	str_free(&key->secret);
	EVP_PKEY_free(key->public);
	key->public = NULL;
}

static bool verify_secret(const struct token_key *key, struct str text, struct str signature)
{
	struct hmac_sha256_ctx ctx;
	uint8_t digest[SHA256_DIGEST_SIZE];
	hmac_sha256_set_key(&ctx, key->secret.len, (const uint8_t *)key->secret.ptr);
	hmac_sha256_update(&ctx, text.len, (const uint8_t *)text.ptr);
	hmac_sha256_digest(&ctx, sizeof digest, digest);
	return str_equal_secret(signature, str_of((const char *)digest, sizeof digest));
}

static bool verify_public(const struct token_key *key, const EVP_MD *digest, struct str text,
			  const unsigned char *signature, size_t len)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	CHECK(ctx != NULL);
	bool is_good = EVP_DigestVerifyInit(ctx, NULL, digest, NULL, key->public) == 1 &&
		       EVP_DigestVerify(ctx, signature, len, (const unsigned char *)text.ptr,
					text.len) == 1;
	EVP_MD_CTX_free(ctx);
	ERR_clear_error();
	return is_good;
}

/* A token has the two numbers side by side (RFC 7518, 3.4), OpenSSL wants them in DER. */
static bool verify_p256(const struct token_key *key, struct str text, struct str signature)
{
	if (signature.len != (size_t)2 * P256_SCALAR_BYTES)
		return false;
	const unsigned char *bytes = (const unsigned char *)signature.ptr;
	ECDSA_SIG *pair = ECDSA_SIG_new();
	BIGNUM *r = BN_bin2bn(bytes, P256_SCALAR_BYTES, NULL);
	BIGNUM *s = BN_bin2bn(bytes + P256_SCALAR_BYTES, P256_SCALAR_BYTES, NULL);
	CHECK(pair && r && s);
	CHECK(ECDSA_SIG_set0(pair, r, s) == 1); /* which owns them now */
	unsigned char *der = NULL;
	int len = i2d_ECDSA_SIG(pair, &der);
	CHECK(len > 0);
	bool is_good = verify_public(key, EVP_sha256(), text, der, (size_t)len);
	OPENSSL_free(der);
	ECDSA_SIG_free(pair);
	return is_good;
}

bool token_key_verifies(const struct token_key *key, struct str text, struct str signature)
{
	const unsigned char *bytes = (const unsigned char *)signature.ptr;
	switch (key->algorithm) {
	case TOKEN_HS256:
		return verify_secret(key, text, signature);
	case TOKEN_RS256:
		return verify_public(key, EVP_sha256(), text, bytes, signature.len);
	case TOKEN_ES256:
		return verify_p256(key, text, signature);
	case TOKEN_EDDSA:
		return verify_public(key, NULL, text, bytes, signature.len);
	case TOKEN_ALGORITHMS:
		break;
	}
	return false;
}

bool token_base64url(struct arena *arena, struct str text, struct str *bytes)
{
	for (size_t i = 0; i < text.len; i++)
		if (!memchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_",
			    text.ptr[i], 64))
			return false; /* the decoder would pass over spaces */
	struct base64_decode_ctx ctx;
	size_t len = BASE64_DECODE_LENGTH(text.len) + 1, rest;
	uint8_t *out = arena_alloc(arena, len);
	base64url_decode_init(&ctx);
	if (!base64_decode_update(&ctx, &len, out, text.len, text.ptr))
		return false;
	*bytes = str_of((const char *)out, len);
	/* The padding that is left out: with it the decoder sees whether the last bits are zero. */
	static const char padding[] = "==";
	size_t missing = (4 - text.len % 4) % 4;
	rest = 0;
	uint8_t none[BASE64_DECODE_LENGTH(2) + 1];
	return missing < 3 && base64_decode_update(&ctx, &rest, none, missing, padding) &&
	       base64_decode_final(&ctx) && rest == 0;
}
