// SPDX-License-Identifier: MIT
/* epochs.h — the starts of historyd in which a room's messages were stored.
 *
 * Each start has a random number, its epoch. A seq means one message only together with the epoch
 * in which it was given: after an older backup was restored, the seqs behind it are given again.
 * historyd keeps the list and decides by it; a gateway learns it from pages, so that it can say in
 * which epoch a seq stands. Next: view.h. */
#ifndef PARLOR_GATEWAY_CORE_EPOCHS_H
#define PARLOR_GATEWAY_CORE_EPOCHS_H

#include "proto/bus.h"

struct epochs {
	struct rec_epoch *list; /* oldest first, each with its first seq */
	uint32_t count;
	bool was_other; /* another one was told for the room's first message */
};

void epochs_free(struct epochs *e);

/* Whether a page says them oldest first. One that does not contradicts itself. */
NODISCARD
bool epochs_are_ordered(const struct list *of_page);

/* Becomes what a page says, whose epochs are ordered. */
void epochs_set(struct epochs *e, const struct list *of_page);

uint64_t epochs_newest(const struct epochs *e); /* 0: none is known */
bool epochs_know(const struct epochs *e, uint64_t epoch);

/* The epoch in which this seq stands; for 0 the one in which a first message would. 0: not known.
 */
uint64_t epochs_at(const struct epochs *e, uint64_t seq);

/* The epoch whose first message has this seq, to be told with it; 0: none. That of the room's first
 * message is known before: who joined while there was none was told it, or one that has ended
 * since. */
uint64_t epochs_begin(const struct epochs *e, uint64_t seq);

/* For gateway_check. */
void epochs_check(const struct epochs *e);

#endif
