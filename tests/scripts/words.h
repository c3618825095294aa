// SPDX-License-Identifier: MIT
/* words.h — a line as words, and those parts of a sentence that are made of several. Inside of
 * script.c. */
#ifndef PARLOR_TESTS_SCRIPTS_WORDS_H
#define PARLOR_TESTS_SCRIPTS_WORDS_H

#include "tests/scripts/script.h"

/* A whole file, owned by the caller; its ptr is NULL when it cannot be read. */
struct str file_read(const char *path);

enum token_kind { TOKEN_WORD, TOKEN_QUOTED, TOKEN_SIGN };

struct token {
	enum token_kind kind;
	struct str text; /* without the quotes */
};

enum { TOKENS_MAX = 128 };

/* A sentence as words of a line. */
struct words {
	struct token list[TOKENS_MAX];
	size_t count;
};

/* Splits a line; false when it has an open quote or too many words. A comment ends it. */
NODISCARD
bool words_split(struct words *words, struct str line);

bool words_have(const struct words *words, size_t at, const char *literal);
bool words_have_quote(const struct words *words, size_t at);
size_t word_end(struct str line, size_t at); /* of the word that begins there */

void texts_add(struct arena *arena, struct texts *texts, struct str text);

/* TEXTS and FOUND from `at` on. Each returns the first word behind, or 0 when there is none. */
size_t words_take_texts(const struct words *w, size_t at, struct arena *arena, struct texts *texts);
size_t words_take_found(const struct words *w, size_t at, struct arena *arena, struct texts *texts);

#endif
