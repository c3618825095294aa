// SPDX-License-Identifier: MIT
/* grammar.h — sentences matched against grammar.txt. Inside of script.c. */
#ifndef PARLOR_TESTS_SCRIPTS_GRAMMAR_H
#define PARLOR_TESTS_SCRIPTS_GRAMMAR_H

#include "tests/scripts/words.h"

#include <regex.h>

enum { WORDS_MAX = 16 };

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

#endif
