// SPDX-License-Identifier: MIT
/* tokens.h — the operator's keys for tokens, in a file that is read again on HUP, and checking
 * tokens by the clock. What a token is: gateway/token. */
#ifndef PARLOR_GATEWAY_SHELL_TOKENS_H
#define PARLOR_GATEWAY_SHELL_TOKENS_H

#include "gateway/token/token.h"

struct tokens {                              /* set by the caller: */
	const char *keys_file, *secret_file; /* one of them; both "": no token is taken */
	struct token_rules rules;
	struct token_keys *keys; /* owned */
	uint64_t taken, refused;
};

/* Reads the file. False, with a sentence that names it: it cannot be used, and the keys are those
 * that they were. */
NODISCARD
bool tokens_read(struct tokens *t, char *error, size_t error_len);

/* Reads it again, if there is one, and logs what came of it. Who has shown a token keeps what it
 * said. */
void tokens_reload(struct tokens *t);

/* As gateway_options.check_token wants it; ctx is the tokens. */
const char *tokens_check(void *ctx, struct str token, struct arena *arena, struct claims *claims);

void tokens_close(struct tokens *t);

#endif
