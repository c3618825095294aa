// SPDX-License-Identifier: MIT
/* speaker.h — what clients say in a script, as the texts that their libraries would send. They are
 * written beforehand: writing them is not the product's work. */
#ifndef PARLOR_TESTS_COST_SPEAKER_H
#define PARLOR_TESTS_COST_SPEAKER_H

#include "tests/cost/world.h"

enum { BODY_BYTES = 128 };

/* Zeroed, but for a person that is connected or will be a native one. */
struct speaker {
	struct person person;
	struct buf text;  /* what it is going to say; owned */
	size_t number_at; /* in a message: where the digits of its cid begin */
};

void speaker_plan_join(struct speaker *s, size_t user, size_t room);
void speaker_plan_message(struct speaker *s, size_t room);
void speaker_plan_history(struct speaker *s, size_t room, uint64_t before, uint64_t limit);

void speaker_say(struct speaker *s);

/* The message, with a cid that nobody has used yet, as real clients do. */
void speaker_say_new(struct speaker *s, uint64_t number);

#endif
