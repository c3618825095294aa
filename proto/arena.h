// SPDX-License-Identifier: MIT
/* arena.h — memory of one turn: allocate freely, free everything at once. */
#ifndef PARLOR_PROTO_ARENA_H
#define PARLOR_PROTO_ARENA_H

#include "proto/base.h"

struct arena_chunk;

/* Zeroed is a ready arena. */
struct arena {
	struct arena_chunk *chunks; /* the newest first */
};

/* Bytes that stay where they are until arena_reset; not zeroed, aligned for any type. */
void *arena_alloc(struct arena *a, size_t bytes);
struct str arena_copy(struct arena *a, struct str s);

/* Forgets everything; keeps one ordinary chunk for the next turn. */
void arena_reset(struct arena *a);
void arena_free(struct arena *a);

#endif
