// SPDX-License-Identifier: MIT
/* arena.c — see arena.h. */
#include "proto/arena.h"

#include <stdalign.h>

enum { CHUNK_BYTES = 64 * 1024 };

struct arena_chunk {
	struct arena_chunk *older;
	size_t used, cap;
	alignas(max_align_t) char bytes[];
};

void *arena_alloc(struct arena *a, size_t bytes)
{
	size_t align = alignof(max_align_t);
	bytes = (bytes + align - 1) / align * align;
	struct arena_chunk *chunk = a->chunks;
	if (!chunk || bytes > chunk->cap - chunk->used) {
		size_t cap = bytes > CHUNK_BYTES ? bytes : CHUNK_BYTES;
		chunk = mem_resize(NULL, sizeof *chunk + cap);
		*chunk = (struct arena_chunk){.older = a->chunks, .cap = cap};
		a->chunks = chunk;
	}
	void *at = chunk->bytes + chunk->used;
	chunk->used += bytes;
	return at;
}

struct str arena_copy(struct arena *a, struct str s)
{
	char *at = arena_alloc(a, s.len);
	if (s.len)
		memcpy(at, s.ptr, s.len);
	return str_of(at, s.len);
}

void arena_reset(struct arena *a)
{
	struct arena_chunk *kept = NULL;
	while (a->chunks) {
		struct arena_chunk *chunk = a->chunks;
		a->chunks = chunk->older;
		if (!kept && chunk->cap == CHUNK_BYTES) {
			kept = chunk;
			continue;
		}
		mem_free(chunk);
	}
	if (kept) {
		kept->older = NULL;
		kept->used = 0;
	}
	a->chunks = kept;
}

void arena_free(struct arena *a)
{
	while (a->chunks) {
		struct arena_chunk *older = a->chunks->older;
		mem_free(a->chunks);
		a->chunks = older;
	}
}
