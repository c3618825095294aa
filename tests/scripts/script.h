// SPDX-License-Identifier: MIT
/* script.h — a chat script, read: its sentences with what they say. The language stands in
 * grammar.txt, which both runners read. */
#ifndef PARLOR_TESTS_SCRIPTS_SCRIPT_H
#define PARLOR_TESTS_SCRIPTS_SCRIPT_H

#include "proto/arena.h"

/* The names of grammar.txt. */
#define SENTENCES(S)   \
	S(story)       \
	S(with)        \
	S(arrive)      \
	S(arrive_io)   \
	S(join)        \
	S(leave)       \
	S(say)         \
	S(type)        \
	S(invite)      \
	S(read)        \
	S(ask)         \
	S(send)        \
	S(go)          \
	S(lose)        \
	S(away)        \
	S(again)       \
	S(hear_say)    \
	S(hear_join)   \
	S(hear_leave)  \
	S(hear_type)   \
	S(hear_stop)   \
	S(hear_invite) \
	S(hear_error)  \
	S(hear_none)   \
	S(see)         \
	S(closed)      \
	S(kill)        \
	S(still)       \
	S(wake)        \
	S(pass)

enum sentence_kind {
#define S(name) SENTENCE_##name,
	SENTENCES(S)
#undef S
		SENTENCE_KINDS
};

/* TEXTS, USERS or FOUND. */
struct texts {
	struct str *list;
	size_t count;
	bool has_more, is_anew, is_any; /* of FOUND */
};

enum { FIELDS_MAX = 8 };

struct sentence {
	struct sentence *next;
	enum sentence_kind kind;
	uint32_t line;
	bool is_with_next; /* a comma follows: the next goes out with it, unanswered */
	struct field {
		struct str name; /* the word before it, or its own when it is the first */
		struct str text;
	} fields[FIELDS_MAX];
	size_t field_count;
	struct texts texts;
};

/* What stands there, as `ROOM`; for a part in brackets by the word before it, as `since`. Empty
 * where it was left out. */
struct str sentence_text(const struct sentence *s, const char *name);
bool sentence_has(const struct sentence *s, const char *name);
uint64_t sentence_number(const struct sentence *s, const char *name);

struct script {
	struct sentence *first;
	struct arena arena; /* holds all of it */
	char error[256];    /* "line: what is wrong", when it cannot be read */
};

/* False: it cannot be read, see `error`. */
NODISCARD
bool script_read(struct script *script, const char *grammar_path, const char *path);
void script_free(struct script *script);

#endif
