// SPDX-License-Identifier: MIT
/* base.h — the words that every other file is written in: a string with its length, a growing
 * buffer with a ceiling, CHECK, and allocation that cannot fail.
 *
 * Not here: anything that knows what a message is. Next: bus.def. */
#ifndef PARLOR_PROTO_BASE_H
#define PARLOR_PROTO_BASE_H

#include <inttypes.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define NODISCARD __attribute__((warn_unused_result))
#define PRINTF_LIKE(fmt, args) __attribute__((format(printf, fmt, args)))
#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))
#define CONTAINER_OF(ptr, type, member) ((type *)(void *)((char *)(ptr)-offsetof(type, member)))

/* Our own mistake, never somebody's input: says where and ends the process. Stays on in release
 * builds; the supervisor restarts the service and the repair of the bus makes that harmless. */
#define CHECK(condition) ((condition) ? (void)0 : check_failed(__FILE__, __LINE__, #condition))
_Noreturn void check_failed(const char *file, int line, const char *condition);

/* Bytes with their length; never terminated. A view: whoever made it says how long it lives. */
struct str {
	const char *ptr;
	size_t len;
};

#define STR(literal) ((struct str){(literal), sizeof(literal) - 1})
#define STR_FMT "%.*s"
#define STR_ARG(s) (int)(s).len, (s).ptr

static inline struct str str_of(const char *ptr, size_t len)
{
	return (struct str){ptr, len};
}

static inline struct str str_from(const char *terminated)
{
	return (struct str){terminated, strlen(terminated)};
}

static inline bool str_equal(struct str a, struct str b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

/* Order of bytes, shorter first when one begins with the other: <0, 0 or >0. */
int str_compare(struct str a, struct str b);

/* Same length, same bytes, in a time that does not tell where they differ. For secrets. */
bool str_equal_secret(struct str a, struct str b);

/* Allocation ends the process instead of failing: a service without memory is better restarted than
 * half alive. Sizes come from our own structs and configured limits, never from a peer's numbers.
 */
void *mem_alloc(size_t bytes); /* zeroed */
void *mem_resize(void *old, size_t bytes);
void mem_free(void *ptr);

/* A copy that the caller owns (mem_free on .ptr). A NUL stands behind it, not counted. */
struct str str_copy(struct str s);
void str_free(struct str *copy); /* leaves it empty */

/* A copy in memory that the caller has, s.len bytes at `at`. */
struct str str_put(char *at, struct str s);

/* A growing buffer. Appending past `max` bytes sets `overflow` and appends nothing more, so that a
 * writer looks once, at the end. max 0 means that the caller bounds what is appended itself. */
struct buf {
	char *ptr;
	size_t len;
	size_t cap; /* never above max */
	size_t max;
	bool overflow;
};

void buf_append_slowly(struct buf *b, const void *bytes, size_t len); /* when it must grow */
void buf_printf(struct buf *b, const char *fmt, ...) PRINTF_LIKE(2, 3);
void buf_u64(struct buf *b, uint64_t n);    /* in decimal */
char *buf_space(struct buf *b, size_t len); /* room for len bytes behind the end, or NULL */
void buf_free(struct buf *b);

/* In the header, because most of what is sent is made of short pieces. */
static inline void buf_append(struct buf *b, const void *bytes, size_t len)
{
	if (len == 0)
		return;
	if (b->overflow || len > b->cap - b->len) {
		buf_append_slowly(b, bytes, len);
		return;
	}
	memcpy(b->ptr + b->len, bytes, len);
	b->len += len;
}

static inline void buf_str(struct buf *b, struct str s)
{
	buf_append(b, s.ptr, s.len);
}

static inline void buf_reset(struct buf *b)
{
	b->len = 0;
	b->overflow = false;
}

static inline struct str buf_view(const struct buf *b)
{
	return (struct str){b->ptr, b->len};
}

#define BUF_LIT(b, literal) buf_append((b), (literal), sizeof(literal) - 1)

#endif
