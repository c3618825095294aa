// SPDX-License-Identifier: MIT
/* keys.c — reading the operator's keys: a JSON Web Key Set (RFC 7517), PEM, a bare secret. */
#include "gateway/token/keys.h"

#include <jansson.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <stdio.h>

enum { P256_POINT_BYTES = 65, P256_COORDINATE_BYTES = 32, ED25519_BYTES = 32 };

/* ---- JSON Web Keys ---- */

static struct str member(const json_t *object, const char *name)
{
	const json_t *value = json_object_get(object, name);
	return json_is_string(value) ? str_of(json_string_value(value), json_string_length(value))
				     : STR("");
}

static bool member_bytes(struct arena *arena, const json_t *jwk, const char *name,
			 struct str *bytes)
{
	return token_base64url(arena, member(jwk, name), bytes) && bytes->len > 0;
}

static EVP_PKEY *public_from(const char *type, OSSL_PARAM_BLD *params)
{
	EVP_PKEY *public = NULL;
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
	OSSL_PARAM *list = OSSL_PARAM_BLD_to_param(params);
	CHECK(ctx && list);
	bool is_made = EVP_PKEY_fromdata_init(ctx) == 1 &&
		       EVP_PKEY_fromdata(ctx, &public, EVP_PKEY_PUBLIC_KEY, list) == 1;
	OSSL_PARAM_free(list);
	EVP_PKEY_CTX_free(ctx);
	return is_made ? public : NULL;
}

static EVP_PKEY *read_rsa(struct arena *arena, const json_t *jwk)
{
	struct str n, e;
	if (!member_bytes(arena, jwk, "n", &n) || !member_bytes(arena, jwk, "e", &e) ||
	    n.len > INT32_MAX || e.len > INT32_MAX)
		return NULL;
	OSSL_PARAM_BLD *params = OSSL_PARAM_BLD_new();
	BIGNUM *modulus = BN_bin2bn((const unsigned char *)n.ptr, (int)n.len, NULL);
	BIGNUM *exponent = BN_bin2bn((const unsigned char *)e.ptr, (int)e.len, NULL);
	CHECK(params && modulus && exponent);
	CHECK(OSSL_PARAM_BLD_push_BN(params, OSSL_PKEY_PARAM_RSA_N, modulus) == 1);
	CHECK(OSSL_PARAM_BLD_push_BN(params, OSSL_PKEY_PARAM_RSA_E, exponent) == 1);
	EVP_PKEY *public = public_from("RSA", params);
	BN_free(modulus);
	BN_free(exponent);
	OSSL_PARAM_BLD_free(params);
	return public;
}

static EVP_PKEY *read_p256(struct arena *arena, const json_t *jwk)
{
	struct str x, y;
	if (!str_equal(member(jwk, "crv"), STR("P-256")) || !member_bytes(arena, jwk, "x", &x) ||
	    !member_bytes(arena, jwk, "y", &y) || x.len != P256_COORDINATE_BYTES ||
	    y.len != P256_COORDINATE_BYTES)
		return NULL;
	unsigned char point[P256_POINT_BYTES] = {POINT_CONVERSION_UNCOMPRESSED};
	memcpy(point + 1, x.ptr, x.len);
	memcpy(point + 1 + x.len, y.ptr, y.len);
	OSSL_PARAM_BLD *params = OSSL_PARAM_BLD_new();
	CHECK(params != NULL);
	CHECK(OSSL_PARAM_BLD_push_utf8_string(params, OSSL_PKEY_PARAM_GROUP_NAME, "prime256v1",
					      0) == 1);
	CHECK(OSSL_PARAM_BLD_push_octet_string(params, OSSL_PKEY_PARAM_PUB_KEY, point,
					       sizeof point) == 1);
	EVP_PKEY *public = public_from("EC", params);
	OSSL_PARAM_BLD_free(params);
	return public;
}

static EVP_PKEY *read_ed25519(struct arena *arena, const json_t *jwk)
{
	struct str x;
	if (!str_equal(member(jwk, "crv"), STR("Ed25519")) || !member_bytes(arena, jwk, "x", &x) ||
	    x.len != ED25519_BYTES)
		return NULL;
	return EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, (const unsigned char *)x.ptr,
					   x.len);
}

/* NULL, or why the key cannot be used. */
static const char *read_jwk(struct token_key *key, struct arena *arena, const json_t *jwk)
{
	struct str type = member(jwk, "kty"), algorithm = member(jwk, "alg");
	const char *why;
	if (str_equal(type, STR("oct"))) {
		struct str secret;
		why = member_bytes(arena, jwk, "k", &secret) ? token_key_init_secret(key, secret)
							     : "a secret without \"k\"";
	} else {
		EVP_PKEY *public = str_equal(type, STR("RSA"))   ? read_rsa(arena, jwk)
				   : str_equal(type, STR("EC"))  ? read_p256(arena, jwk)
				   : str_equal(type, STR("OKP")) ? read_ed25519(arena, jwk)
								 : NULL;
		why = public ? token_key_init_public(key, public)
			     : "no key of a kind that is known: RSA, EC P-256, OKP Ed25519, oct";
	}
	if (!why && algorithm.len &&
	    !str_equal(algorithm, str_from(token_algorithm_name(key->algorithm))))
		why = "its \"alg\" is not that of its kind: RS256, ES256, EdDSA, HS256";
	if (!why)
		key->kid = str_copy(member(jwk, "kid"));
	return why;
}

static bool is_for_signing(const json_t *jwk)
{
	struct str use = member(jwk, "use");
	return use.len == 0 || str_equal(use, STR("sig"));
}

static const char *read_set(struct token_keys *keys, struct arena *arena, const json_t *root)
{
	const json_t *list = json_object_get(root, "keys");
	if (!list) {
		keys->count = 1;
		return read_jwk(&keys->keys[0], arena, root);
	}
	if (!json_is_array(list))
		return "\"keys\" is not a list";
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *jwk = json_array_get(list, i);
		if (!is_for_signing(jwk))
			continue;
		if (keys->count == TOKEN_KEYS_MAX)
			return "more than 64 keys";
		const char *why = read_jwk(&keys->keys[keys->count++], arena, jwk);
		if (why)
			return why;
	}
	return NULL;
}

static const char *read_json(struct token_keys *keys, struct str file)
{
	json_t *root = json_loadb(file.ptr, file.len, JSON_REJECT_DUPLICATES, NULL);
	if (!root)
		return "begins like JSON and is none";
	struct arena arena = {0};
	const char *why = read_set(keys, &arena, root);
	arena_free(&arena);
	json_decref(root);
	return why;
}

/* ---- PEM ---- */

static EVP_PKEY *next_pem(BIO *bio)
{
	char *name = NULL, *header = NULL;
	unsigned char *bytes = NULL;
	long len = 0;
	EVP_PKEY *public = NULL;
	if (PEM_read_bio(bio, &name, &header, &bytes, &len) != 1)
		return NULL;
	const unsigned char *at = bytes;
	if (strcmp(name, PEM_STRING_PUBLIC) == 0) {
		public = d2i_PUBKEY(NULL, &at, len);
	} else if (strcmp(name, PEM_STRING_X509) == 0) {
		X509 *certificate = d2i_X509(NULL, &at, len);
		public = certificate ? X509_get_pubkey(certificate) : NULL;
		X509_free(certificate);
	}
	OPENSSL_free(name);
	OPENSSL_free(header);
	OPENSSL_free(bytes);
	return public;
}

static const char *read_pem(struct token_keys *keys, struct str file)
{
	if (file.len > INT32_MAX)
		return "too large";
	BIO *bio = BIO_new_mem_buf(file.ptr, (int)file.len);
	CHECK(bio != NULL);
	const char *why = NULL;
	while (!why && !BIO_eof(bio)) {
		EVP_PKEY *public = next_pem(bio);
		if (!public && keys->count && BIO_eof(bio))
			break; /* what stands behind the last key is a remark */
		if (!public) {
			why = "PEM of something else than public keys and certificates";
		} else if (keys->count == TOKEN_KEYS_MAX) {
			EVP_PKEY_free(public);
			why = "more than 64 keys";
		} else {
			why = token_key_init_public(&keys->keys[keys->count++], public);
		}
	}
	BIO_free(bio);
	return why;
}

/* ---- a file ---- */

static bool holds(struct str file, struct str text)
{
	return memmem(file.ptr, file.len, text.ptr, text.len) != NULL;
}

static struct str trimmed(struct str file)
{
	static const char blanks[] = " \t\r\n";
	while (file.len && memchr(blanks, file.ptr[file.len - 1], sizeof blanks - 1))
		file.len--;
	while (file.len && memchr(blanks, file.ptr[0], sizeof blanks - 1))
		file = str_of(file.ptr + 1, file.len - 1);
	return file;
}

/* The keys, or NULL when something is wrong with them. */
static struct token_keys *unless(const char *wrong, struct token_keys *keys,
				 char why[TOKEN_WHY_MAX])
{
	ERR_clear_error();
	if (!wrong)
		return keys;
	snprintf(why, TOKEN_WHY_MAX, "%s", wrong);
	token_keys_free(keys);
	return NULL;
}

struct token_keys *token_keys_read(struct str file, char why[TOKEN_WHY_MAX])
{
	struct token_keys *keys = mem_alloc(sizeof *keys);
	file = trimmed(file);
	const char *wrong = file.len && file.ptr[0] == '{'    ? read_json(keys, file)
			    : holds(file, STR("-----BEGIN ")) ? read_pem(keys, file)
							      : "neither JSON nor PEM";
	if (!wrong && keys->count == 0)
		wrong = "holds no key for signatures";
	return unless(wrong, keys, why);
}

struct token_keys *token_keys_read_secret(struct str file, char why[TOKEN_WHY_MAX])
{
	struct token_keys *keys = mem_alloc(sizeof *keys);
	keys->count = 1;
	return unless(token_key_init_secret(&keys->keys[0], trimmed(file)), keys, why);
}

void token_keys_free(struct token_keys *keys)
{
	if (!keys)
		return;
	for (size_t i = 0; i < keys->count; i++)
		token_key_free(&keys->keys[i]);
	mem_free(keys);
}

size_t token_keys_count(const struct token_keys *keys)
{
	return keys->count;
}
