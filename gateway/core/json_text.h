// SPDX-License-Identifier: MIT
/* json_text.h — the text of a client's JSON before jansson reads it: how deep it is, how many
 * members it has, its id when nothing else can be read; and what is legal JSON and jansson refuses,
 * written so that it does not.
 *
 * Not here: whether it is JSON (jansson says so), and what it means (json_in.h). */
#ifndef PARLOR_GATEWAY_CORE_JSON_TEXT_H
#define PARLOR_GATEWAY_CORE_JSON_TEXT_H

#include "proto/arena.h"

enum { JSON_DEPTH_MAX = 8 };
#define JSON_WHOLE_END ((uint64_t)1 << 53)

struct json_outline {
	bool is_too_deep;
	size_t members;      /* of the outermost object, as they are written */
	size_t data_members; /* of the object that is its "data", or the second in an array */
};

/* The text as jansson can read it: the text itself, or a copy in the arena in which
 * - half a surrogate pair (\ud83d) is \ufffd,
 * - \u0000 in a member's name is \ufffd (it is no name that we know),
 * - a number that fits no double is -1 (which is as much out of every range).
 * What is no JSON stays that. Nothing is changed in what is too deep. */
struct str json_text_mend(struct arena *a, struct str text, struct json_outline *outline);

/* Whether the number is a whole one below JSON_WHOLE_END, however it was written (5.0, 5e1). */
NODISCARD
bool json_whole(double number, uint64_t *n);

/* The "id" of the outermost object of a text that need not be JSON. */
NODISCARD
bool json_text_find_id(struct str text, uint64_t *id);

#endif
