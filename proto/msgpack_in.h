// SPDX-License-Identifier: MIT
/* msgpack_in.h — reading msgpack where it lies, from the first byte to the last: the one cursor of
 * the bus (bus_read.c) and of what is on disk (historyd/store/values.c).
 *
 * It allocates nothing: msgpack-c's unpacker makes a tree of objects first, by the counts that it
 * reads, which for a page of messages costs more than all else that is done with it. After the
 * first fault every further read gives nothing; whoever reads looks at `bad` once, at the end. In a
 * header so that the decoders of bus.def inline it. */
#ifndef PARLOR_PROTO_MSGPACK_IN_H
#define PARLOR_PROTO_MSGPACK_IN_H

#include "proto/base.h"

/* Zeroed but for `bytes` at first. */
struct cursor {
	struct str bytes;
	size_t at; /* of the next one to read */
	bool bad;  /* what stood there was not what was asked for */
};

static inline uint64_t big_endian_2(const unsigned char *at)
{
	return (uint64_t)at[0] << 8 | at[1];
}

static inline uint64_t big_endian_4(const unsigned char *at)
{
	return (uint64_t)at[0] << 24 | (uint64_t)at[1] << 16 | (uint64_t)at[2] << 8 | at[3];
}

/* Of 1, 2, 4 or 8 bytes. */
static inline uint64_t big_endian(const unsigned char *at, size_t len)
{
	if (len == 1)
		return at[0];
	if (len == 2)
		return big_endian_2(at);
	return len == 4 ? big_endian_4(at) : big_endian_4(at) << 32 | big_endian_4(at + 4);
}

static inline size_t cursor_left(const struct cursor *c)
{
	return c->bytes.len - c->at;
}

/* The next `len` bytes: the only way to the memory. NULL when there are not so many. */
static inline const unsigned char *cursor_take(struct cursor *c, uint64_t len)
{
	if (c->bad || len > cursor_left(c)) {
		c->bad = true;
		return NULL;
	}
	const char *at = c->bytes.ptr + c->at;
	c->at += len;
	return (const unsigned char *)at;
}

static inline unsigned cursor_tag(struct cursor *c)
{
	const unsigned char *at = cursor_take(c, 1);
	return at ? *at : 0xc1; /* which no item begins with */
}

static inline uint64_t cursor_big_endian(struct cursor *c, size_t bytes)
{
	const unsigned char *at = cursor_take(c, bytes);
	return at ? big_endian(at, bytes) : 0;
}

static inline uint64_t cursor_u64(struct cursor *c)
{
	unsigned tag = cursor_tag(c);
	if (tag <= 0x7f)
		return tag;
	if (tag >= 0xcc && tag <= 0xcf)
		return cursor_big_endian(c, (size_t)1 << (tag - 0xcc));
	if (tag >= 0xd0 && tag <= 0xd3) { /* signed, as some writers have it, but not negative */
		size_t bytes = (size_t)1 << (tag - 0xd0);
		uint64_t n = cursor_big_endian(c, bytes);
		if (n >> (8 * bytes - 1) == 0)
			return n;
	}
	c->bad = true;
	return 0;
}

static inline struct str cursor_str(struct cursor *c, size_t max)
{
	unsigned tag = cursor_tag(c);
	uint64_t len = tag & 0x1f;
	if (tag >= 0xd9 && tag <= 0xdb)
		len = cursor_big_endian(c, (size_t)1 << (tag - 0xd9));
	else if ((tag & 0xe0) != 0xa0)
		c->bad = true;
	if (len > max)
		c->bad = true;
	const unsigned char *at = cursor_take(c, len);
	return at ? str_of((const char *)at, len) : (struct str){0};
}

/* How many items follow, each of at least one byte. */
static inline uint64_t cursor_array(struct cursor *c)
{
	unsigned tag = cursor_tag(c);
	uint64_t count = tag & 0x0f;
	if (tag == 0xdc || tag == 0xdd)
		count = cursor_big_endian(c, tag == 0xdc ? 2 : 4);
	else if ((tag & 0xf0) != 0x90)
		c->bad = true;
	if (count > cursor_left(c))
		c->bad = true;
	return c->bad ? 0 : count;
}

#endif
