// SPDX-License-Identifier: MIT
/* key.h — one key that tokens may be signed with, and checking a signature with it. */
#ifndef PARLOR_GATEWAY_TOKEN_KEY_H
#define PARLOR_GATEWAY_TOKEN_KEY_H

#include "proto/arena.h"

#include <openssl/evp.h>

enum token_algorithm {
	TOKEN_HS256,
	TOKEN_RS256,
	TOKEN_ES256,
	TOKEN_EDDSA,
	TOKEN_ALGORITHMS,
};

struct token_key {
	enum token_algorithm algorithm;
	struct str kid;    /* owned; empty: none */
	struct str secret; /* owned; of HS256 */
	EVP_PKEY *public;  /* owned; of the others */
};

/* False: no algorithm that is known here; "none" is none. */
NODISCARD
bool token_algorithm_named(struct str name, enum token_algorithm *algorithm);
const char *token_algorithm_name(enum token_algorithm algorithm);

/* Takes the public key over, whatever comes of it; NULL when it fits and the reason when not. */
const char *token_key_init_public(struct token_key *key, EVP_PKEY *public);
const char *token_key_init_secret(struct token_key *key, struct str secret); /* copied */
void token_key_free(struct token_key *key);

NODISCARD
bool token_key_verifies(const struct token_key *key, struct str text, struct str signature);

/* Base64 for URLs, without padding and in its only spelling (RFC 7515, 2). */
NODISCARD
bool token_base64url(struct arena *arena, struct str text, struct str *bytes);

#endif
