// SPDX-License-Identifier: MIT
/* keys.h — the keys of one file; see token.h for what a file may hold. */
#ifndef PARLOR_GATEWAY_TOKEN_KEYS_H
#define PARLOR_GATEWAY_TOKEN_KEYS_H

#include "gateway/token/key.h"
#include "gateway/token/token.h"

struct token_keys {
	size_t count;
	struct token_key keys[TOKEN_KEYS_MAX];
};

#endif
