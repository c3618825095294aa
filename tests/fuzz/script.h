// SPDX-License-Identifier: MIT
/* script.h — reads a fuzzer's bytes as a script: numbers, names and events of the bus out of few
 * bytes each, so that what it makes is mostly understood, and some of it fits what was said before.
 */
#ifndef PARLOR_TESTS_FUZZ_SCRIPT_H
#define PARLOR_TESTS_FUZZ_SCRIPT_H

#include "proto/bus.h"

enum { SCRIPT_NUMBERS = 64, SCRIPT_LISTS = 2 };

struct script {
	const uint8_t *at;
	size_t left;
	uint64_t heard[SCRIPT_NUMBERS]; /* numbers of others, to be said back; a ring */
	size_t heard_count;
	struct buf lists[SCRIPT_LISTS]; /* of the event that was made last */
};

uint8_t script_byte(struct script *s); /* 0 at the end */

/* A small number, one that was heard, or a power of two. */
uint64_t script_number(struct script *s);

/* One of a few names, or bytes of the script. */
struct str script_name(struct script *s, size_t max);
struct str script_bytes(struct script *s); /* as many as its next two bytes say */

/* Puts an event for `to` into the batch, of a kind that `from` says, or any. */
void script_event(struct script *s, enum service from, enum service to, struct batch *batch);

/* Keeps the numbers in what a service has said. */
void script_hear(struct script *s, const struct batch *batch);

void script_free(struct script *s);

#endif
