// SPDX-License-Identifier: MIT
/* grammar.h — sentences matched against grammar.txt. Inside of script.c. */
#ifndef PARLOR_TESTS_SCRIPTS_GRAMMAR_H
#define PARLOR_TESTS_SCRIPTS_GRAMMAR_H

#include "tests/scripts/script.h"

#include <regex.h>

enum token_kind { TOKEN_WORD, TOKEN_QUOTED, TOKEN_SIGN };

struct token {
	enum token_kind kind;
	struct str text; /* without the quotes */
};

enum { TOKENS_MAX = 128, WORDS_MAX = 16 };

/* A sentence as words of a line. */
struct words {
	struct token list[TOKENS_MAX];
	size_t count;
};

/* Splits a line; false when it has an open quote or too many words. A comment ends it. */
NODISCARD
bool words_split(struct words *words, struct str line);

struct grammar {
	struct word {
		struct str name;
		regex_t pattern;
	} words[WORDS_MAX];
	size_t word_count;
	struct words sentences[SENTENCE_KINDS]; /* empty: not there */
	struct str bytes;                       /* owned */
};

/* False with `error` set when it is not what this program knows. */
NODISCARD
bool grammar_read(struct grammar *g, const char *path, char *error, size_t error_size);
void grammar_free(struct grammar *g);

/* Fills in the kind, fields and texts of `s`. False: it is no sentence, and *furthest is the first
 * word that fits none. */
NODISCARD
bool grammar_match(const struct grammar *g, const struct words *words, struct arena *arena,
		   struct sentence *s, size_t *furthest);

/* A whole file, owned by the caller; its ptr is NULL when it cannot be read. */
struct str file_read(const char *path);

#endif
