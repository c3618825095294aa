// SPDX-License-Identifier: MIT
/* stamp.c — see stamp.h. */
#include "tests/bench/load/stamp.h"

static char *put_hex(char *to, uint64_t value, unsigned digits)
{
	for (unsigned i = digits; i-- > 0; value >>= 4)
		to[i] = "0123456789abcdef"[value & 15];
	return to + digits;
}

static const char *take_hex(const char *from, unsigned digits, uint64_t *value)
{
	*value = 0;
	for (unsigned i = 0; i < digits; i++) {
		unsigned c = (unsigned char)from[i];
		*value = *value << 4 | (c <= '9' ? c - '0' : c - 'a' + 10);
	}
	return from + digits;
}

void stamp_put(char *body, size_t len, const struct stamp *s)
{
	CHECK(len >= STAMP_BYTES);
	char *at = body;
	*at++ = STAMP_MARK;
	at = put_hex(at, s->due_ns, 14);
	at = put_hex(at, s->seat, 4);
	at = put_hex(at, s->number, 8);
	memset(at, 'x', len - STAMP_BYTES);
}

bool stamp_find(struct str bytes, struct stamp *s)
{
	const char *at = memchr(bytes.ptr, STAMP_MARK, bytes.len);
	uint64_t seat, number;
	if (!at || bytes.len - (size_t)(at - bytes.ptr) < STAMP_BYTES)
		return false;
	at = take_hex(at + 1, 14, &s->due_ns);
	at = take_hex(at, 4, &seat);
	take_hex(at, 8, &number);
	s->seat = (uint32_t)seat;
	s->number = (uint32_t)number;
	return true;
}

enum track_result track_take(struct track *t, uint32_t number)
{
	if (number >= t->next) {
		uint32_t step = number - t->next + 1;
		t->seen = (step < 64 ? t->seen << step : 0) | 1;
		t->next = number + 1;
		return TRACK_NEW;
	}
	uint32_t age = t->next - 1 - number;
	if (age >= 64 || (t->seen >> age & 1))
		return TRACK_AGAIN;
	t->seen |= (uint64_t)1 << age;
	return TRACK_LATE;
}
