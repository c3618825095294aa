// SPDX-License-Identifier: MIT
/* promises.h — what PROTOCOL.md promises, as checkers that stand outside the cores and know nothing
 * of how they work.
 *
 * People report what they were told; the checkers compare it with what is on disk and with what was
 * said before. */
#ifndef PARLOR_TESTS_SIM_PROMISES_H
#define PARLOR_TESTS_SIM_PROMISES_H

#include "proto/table.h"
#include "tests/sim/world.h"

struct promises {
	struct world *world;
	struct fact *facts; /* what was acked or delivered, by room and seq */
	size_t fact_count, fact_cap;
	struct table by_place, by_cid;
	char failure[512]; /* the first one; empty: all kept */
	uint64_t acked, delivered, refused;
};

void promises_open(struct promises *p, struct world *w);
void promises_close(struct promises *p);

/* A promise was broken; only the first one is kept. */
void promise_broken(struct promises *p, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* Somebody was told that this message stands here: by an ack, live, or in a page. */
void promise_told(struct promises *p, struct str room, uint64_t seq, struct str cid, bool is_ack);

/* At the end: the disks hold exactly what was promised. */
void promises_check_disks(struct promises *p);

/* The newest seq of the room on disk. */
uint64_t promises_head(struct promises *p, struct str room);

#endif
