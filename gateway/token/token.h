// SPDX-License-Identifier: MIT
/* token.h — JSON Web Tokens: whether one was signed by a key that the operator trusts, and what it
 * says about its bearer.
 *
 * Pure: keys come in as the bytes of a file, the time as a number. A key has one algorithm, settled
 * by what kind of key it is and never by what a token says of itself: RSA is RS256, P-256 is ES256,
 * Ed25519 is EdDSA, a secret is HS256. So "none" is no algorithm here, and a public key is never
 * taken for a secret (RFC 8725, 3.1 and 3.2).
 *
 * Not here: what its bearer may do (gateway/core), files and the clock (gateway/shell).
 */
#ifndef PARLOR_GATEWAY_TOKEN_TOKEN_H
#define PARLOR_GATEWAY_TOKEN_TOKEN_H

#include "gateway/core/claims.h"

enum {
	TOKEN_BYTES_MAX = 8192,
	TOKEN_KEYS_MAX = 64,
	TOKEN_AUDIENCES_MAX = 16,
	TOKEN_SECRET_BYTES_MIN = 32, /* RFC 7518, 3.2 */
	TOKEN_RSA_BITS_MIN = 2048,   /* RFC 7518, 3.3 */
	TOKEN_WHY_MAX = 120,
};

struct token_keys;

/* Reads a JSON Web Key Set (or one JSON Web Key), or public keys and certificates in PEM. NULL when
 * it is none of these or holds a key that cannot be used; `why` then says so in one line and holds
 * no key material. Keys for encryption in a set are left out. The caller owns the result. */
NODISCARD
struct token_keys *token_keys_read(struct str file, char why[TOKEN_WHY_MAX]);

/* Likewise the one secret of HS256: the bytes, less spaces and line ends behind them. A function of
 * its own, so that a public key in a spelling that is not known is never taken for a secret. */
NODISCARD
struct token_keys *token_keys_read_secret(struct str file, char why[TOKEN_WHY_MAX]);
void token_keys_free(struct token_keys *keys); /* NULL is fine */
size_t token_keys_count(const struct token_keys *keys);

/* What the operator asks of every token, besides its signature and its end. */
struct token_rules {
	struct str issuer;                         /* `iss` must be this; empty: any, or none */
	struct str audiences[TOKEN_AUDIENCES_MAX]; /* `aud` must name one of these */
	size_t audience_count; /* 0: a token that names an audience is meant for somebody else */
	uint64_t leeway_s;     /* clocks may differ by so much */
};

enum token_result {
	TOKEN_OK,
	TOKEN_MALFORMED, /* no JWS in compact form, or its JSON is none */
	TOKEN_ALGORITHM, /* none, unknown, or not that of the key it names */
	TOKEN_UNKNOWN_KEY,
	TOKEN_SIGNATURE,
	TOKEN_EXPIRED,
	TOKEN_EARLY, /* `nbf` is yet to come */
	TOKEN_AUDIENCE,
	TOKEN_ISSUER,
	TOKEN_CLAIMS, /* `exp` or `sub` is missing, or a claim is not what it should be */
};

/* Checks a token at this time (seconds since 1970). The claims, filled in for TOKEN_OK only, live
 * in the arena. What is wrong is found in the order of the list above, so nothing is told about the
 * claims of a token whose signature is not good. */
NODISCARD
enum token_result token_check(const struct token_keys *keys, const struct token_rules *rules,
			      uint64_t now_s, struct str token, struct arena *arena,
			      struct claims *claims);

/* For people, without a full stop. */
const char *token_result_text(enum token_result result);

#endif
