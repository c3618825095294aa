// SPDX-License-Identifier: MIT
/* stamp.h — what a message's body says about itself: when it was due, who wrote it, its number; and
 * what a reader has seen of one writer, from which lost, repeated and misplaced messages show. */
#ifndef PARLOR_BENCH_STAMP_H
#define PARLOR_BENCH_STAMP_H

#include "proto/base.h"

enum {
	STAMP_MARK = '~', /* stands in no frame before the body */
	STAMP_BYTES = 1 + 14 + 4 + 8,
};

struct stamp {
	uint64_t due_ns; /* since the generator's start */
	uint32_t seat;   /* of the writer in its room */
	uint32_t number; /* of the writer's messages: 0, 1, 2, … */
};

/* Fills `len` bytes (STAMP_BYTES at least). */
void stamp_put(char *body, size_t len, const struct stamp *s);

/* Reads the stamp that begins at the first mark; false when there is none. */
NODISCARD
bool stamp_find(struct str bytes, struct stamp *s);

/* One reader's view of one writer. */
struct track {
	uint64_t seen; /* bit i: number next - 1 - i */
	uint32_t next; /* above the highest number seen */
};

enum track_result {
	TRACK_NEW,
	TRACK_LATE,  /* a higher number came before it */
	TRACK_AGAIN, /* or it is more than 64 behind, which counts as repeated */
};

enum track_result track_take(struct track *t, uint32_t number);

#endif
