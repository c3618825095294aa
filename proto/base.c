// SPDX-License-Identifier: MIT
/* base.c — see base.h. */
#include "proto/base.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void check_failed(const char *file, int line, const char *condition)
{
	fprintf(stderr, "level=error what=check at=%s:%d failed=\"%s\"\n", file, line, condition);
	abort();
}

int str_compare(struct str a, struct str b)
{
	size_t shorter = a.len < b.len ? a.len : b.len;
	int order = shorter ? memcmp(a.ptr, b.ptr, shorter) : 0;
	if (order != 0 || a.len == b.len)
		return order;
	return a.len < b.len ? -1 : 1;
}

bool str_equal_secret(struct str a, struct str b)
{
	if (a.len != b.len)
		return false;
	unsigned char difference = 0;
	for (size_t i = 0; i < a.len; i++)
		difference |= (unsigned char)((unsigned char)a.ptr[i] ^ (unsigned char)b.ptr[i]);
	return difference == 0;
}

void *mem_alloc(size_t bytes)
{
	void *ptr = calloc(1, bytes ? bytes : 1);
	CHECK(ptr != NULL);
	return ptr;
}

void *mem_resize(void *old, size_t bytes)
{
	void *ptr = realloc(old, bytes ? bytes : 1);
	CHECK(ptr != NULL);
	return ptr;
}

void mem_free(void *ptr)
{
	free(ptr);
}

struct str str_copy(struct str s)
{
	char *copy = mem_alloc(s.len + 1);
	if (s.len)
		memcpy(copy, s.ptr, s.len);
	return str_of(copy, s.len);
}

struct str str_put(char *at, struct str s)
{
	if (s.len)
		memcpy(at, s.ptr, s.len);
	return str_of(at, s.len);
}

void str_free(struct str *copy)
{
	mem_free((void *)(uintptr_t)copy->ptr);
	*copy = (struct str){0};
}

char *buf_space(struct buf *b, size_t len)
{
	if (b->overflow || (b->max && len > b->max - b->len)) {
		b->overflow = true;
		return NULL;
	}
	if (len > b->cap - b->len) {
		size_t cap = b->cap ? b->cap : 256;
		while (cap - b->len < len)
			cap *= 2;
		if (b->max && cap > b->max)
			cap = b->max;
		b->ptr = mem_resize(b->ptr, cap);
		b->cap = cap;
	}
	return b->ptr + b->len;
}

void buf_append_slowly(struct buf *b, const void *bytes, size_t len)
{
	char *space = buf_space(b, len);
	if (!space)
		return;
	memcpy(space, bytes, len);
	b->len += len;
}

void buf_printf(struct buf *b, const char *fmt, ...)
{
	va_list args;
	va_start(args, fmt);
	va_list again;
	va_copy(again, args);
	int len = vsnprintf(NULL, 0, fmt, args);
	va_end(args);
	CHECK(len >= 0);
	char *space = buf_space(b, (size_t)len + 1);
	if (space) {
		vsnprintf(space, (size_t)len + 1, fmt, again);
		b->len += (size_t)len;
	}
	va_end(again);
}

/* Two digits at a time: divisions are what it costs. */
void buf_u64(struct buf *b, uint64_t n)
{
	static const char pairs[] = "00010203040506070809101112131415161718192021222324"
				    "25262728293031323334353637383940414243444546474849"
				    "50515253545556575859606162636465666768697071727374"
				    "75767778798081828384858687888990919293949596979899";
	char digits[20];
	size_t at = sizeof digits;
	while (n >= 10) {
		at -= 2;
		memcpy(digits + at, pairs + n % 100 * 2, 2);
		n /= 100;
	}
	/* What is left may be a number of one digit, or nothing at all. */
	if (n || at == sizeof digits)
		digits[--at] = (char)('0' + n);
	buf_append(b, digits + at, sizeof digits - at);
}

void buf_free(struct buf *b)
{
	mem_free(b->ptr);
	*b = (struct buf){.max = b->max};
}
