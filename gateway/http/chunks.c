// SPDX-License-Identifier: MIT
/* chunks.c — see http/chunks.h. */
#include "gateway/http/chunks.h"

enum { DIGITS_MAX = 15, OVERHEAD_MAX = 8 * 1024 };

enum state {
	SIZE, /* its digits */
	EXTENSION,
	SIZE_LF,
	DATA,
	DATA_CR,
	DATA_LF,
	LINE, /* the beginning of a trailer, or of the last, empty line */
	TRAILER,
	TRAILER_LF,
	LAST_LF,
	END,
};

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Whether it may stand in an extension or a trailer, of which there are not too many. */
static bool skip(struct http_chunks *c, char byte)
{
	unsigned char u = (unsigned char)byte;
	return ++c->overhead <= OVERHEAD_MAX && (u >= ' ' || u == '\t') && u != 0x7f;
}

static bool read_size(struct http_chunks *c, char byte)
{
	int value = digit(byte);
	if (value >= 0) {
		c->remaining = c->remaining * 16 + (uint64_t)value;
		return ++c->digits <= DIGITS_MAX;
	}
	c->state = byte == '\r' ? SIZE_LF : EXTENSION;
	return c->digits > 0 && (byte == '\r' || byte == ';');
}

/* One byte that is none of the data. False: it may not stand there. */
static bool step(struct http_chunks *c, char byte)
{
	switch ((enum state)c->state) {
	case SIZE:
		return read_size(c, byte);
	case EXTENSION:
		if (byte == '\r')
			c->state = SIZE_LF;
		return byte == '\r' || skip(c, byte);
	case SIZE_LF:
		c->state = c->remaining ? DATA : LINE;
		c->digits = 0;
		return byte == '\n';
	case DATA_CR:
		c->state = DATA_LF;
		return byte == '\r';
	case DATA_LF:
		c->state = SIZE;
		return byte == '\n';
	case LINE:
		c->state = byte == '\r' ? LAST_LF : TRAILER;
		return byte == '\r' || skip(c, byte);
	case TRAILER:
		if (byte == '\r')
			c->state = TRAILER_LF;
		return byte == '\r' || skip(c, byte);
	case TRAILER_LF:
		c->state = LINE;
		return byte == '\n';
	case LAST_LF:
		c->state = END;
		return byte == '\n';
	case DATA:
	case END:
		break;
	}
	return false;
}

enum http_progress http_chunks_take(struct http_chunks *c, struct str bytes, struct buf *body)
{
	for (size_t i = 0; i < bytes.len && c->state != END && !body->overflow;) {
		if (c->state != DATA) {
			if (!step(c, bytes.ptr[i++]))
				return HTTP_BAD;
			continue;
		}
		size_t len = bytes.len - i < c->remaining ? bytes.len - i : (size_t)c->remaining;
		buf_append(body, bytes.ptr + i, len);
		i += len;
		c->remaining -= len;
		if (c->remaining == 0)
			c->state = DATA_CR;
	}
	return c->state == END ? HTTP_WHOLE : HTTP_MORE;
}
