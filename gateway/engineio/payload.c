// SPDX-License-Identifier: MIT
/* payload.c — see engineio/payload.h. Revision 4 separates packets by U+001E. Revision 3 puts the
 * length before each: in UTF-16 units when the payload is text, digit by digit as bytes when it is
 * not. */
#include "gateway/engineio/payload.h"
#include "gateway/wire/ws_frame.h"
#include "proto/utf8.h"

#include <nettle/base64.h>
#include <stdio.h>

enum { SEPARATOR = 0x1e, LENGTH_DIGITS_MAX = 9, OCTETS_END = 255 };

void eio_payload_read(struct eio_payload *p, unsigned revision, bool is_octets, struct str body)
{
	*p = (struct eio_payload){
		.rest = body, .revision = revision, .is_framed = is_octets && revision == 3};
	p->bad = !p->is_framed && !utf8_is_valid(body);
}

void eio_payload_free(struct eio_payload *p)
{
	buf_free(&p->decoded);
}

static bool reject(struct eio_payload *p)
{
	p->bad = true;
	return false;
}

/* ---- reading ---- */

/* Strict: whole groups of four, padding at the end alone. */
static bool decode_base64(struct eio_payload *p, struct str text, struct str *bytes)
{
	struct base64_decode_ctx ctx;
	buf_reset(&p->decoded);
	*bytes = (struct str){0};
	if (text.len % 4)
		return false;
	size_t len = 0;
	uint8_t *at = (uint8_t *)buf_space(&p->decoded, BASE64_DECODE_LENGTH(text.len) + 1);
	base64_decode_init(&ctx);
	if (!base64_decode_update(&ctx, &len, at, text.len, text.ptr) || !base64_decode_final(&ctx))
		return false;
	*bytes = str_of((const char *)at, len);
	return true;
}

static bool is_type(char c)
{
	return c >= '0' && c <= '6';
}

/* A packet as text: `b…` is a binary message. */
static bool take_text(struct eio_payload *p, struct str text, struct eio_packet *packet)
{
	if (text.len == 0)
		return reject(p);
	*packet = (struct eio_packet){.data = text};
	if (text.ptr[0] != 'b')
		return is_type(text.ptr[0]) || reject(p);
	/* Revision 3 names the type again; it can only be a message. */
	size_t head = p->revision == 3 ? 2 : 1;
	if (text.len < head || (head == 2 && text.ptr[1] != '4'))
		return reject(p);
	packet->is_binary = true;
	struct str base64 = str_of(text.ptr + head, text.len - head);
	return decode_base64(p, base64, &packet->data) || reject(p);
}

static bool next_separated(struct eio_payload *p, struct eio_packet *packet)
{
	if (p->is_begun && p->rest.len == 0)
		return false;
	const char *end = p->rest.len ? memchr(p->rest.ptr, SEPARATOR, p->rest.len) : NULL;
	size_t len = end ? (size_t)(end - p->rest.ptr) : p->rest.len;
	struct str text = str_of(p->rest.ptr, len);
	p->is_begun = true;
	if (end && len + 1 == p->rest.len) /* a separator with nothing behind it */
		return reject(p);
	p->rest = str_of(p->rest.ptr + len + (end ? 1 : 0), p->rest.len - len - (end ? 1 : 0));
	return take_text(p, text, packet);
}

/* Bytes of the UTF-8 text that has so many UTF-16 units; false when there is no such place. */
static bool bytes_of_units(struct str text, size_t units, size_t *bytes)
{
	size_t at = 0;
	while (units) {
		if (at >= text.len)
			return false;
		unsigned char c = (unsigned char)text.ptr[at];
		size_t width = c < 0x80 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
		size_t takes = width == 4 ? 2 : 1;
		if (takes > units || width > text.len - at)
			return false;
		at += width;
		units -= takes;
	}
	*bytes = at;
	return true;
}

static void skip(struct eio_payload *p, size_t len)
{
	p->rest = str_of(p->rest.ptr + len, p->rest.len - len);
}

static bool next_counted(struct eio_payload *p, struct eio_packet *packet)
{
	size_t units = 0;
	size_t at = 0;
	size_t bytes;
	if (p->is_begun && p->rest.len == 0)
		return false;
	p->is_begun = true;
	while (at < p->rest.len && at < LENGTH_DIGITS_MAX && p->rest.ptr[at] >= '0' &&
	       p->rest.ptr[at] <= '9')
		units = units * 10 + (size_t)(p->rest.ptr[at++] - '0');
	if (at == 0 || at >= p->rest.len || p->rest.ptr[at] != ':')
		return reject(p);
	skip(p, at + 1);
	if (!bytes_of_units(p->rest, units, &bytes))
		return reject(p);
	struct str text = str_of(p->rest.ptr, bytes);
	skip(p, bytes);
	return take_text(p, text, packet);
}

static bool next_framed(struct eio_payload *p, struct eio_packet *packet)
{
	size_t len = 0;
	size_t at = 1;
	if (p->is_begun && p->rest.len == 0)
		return false;
	p->is_begun = true;
	while (at < p->rest.len && at <= LENGTH_DIGITS_MAX && (unsigned char)p->rest.ptr[at] <= 9)
		len = len * 10 + (unsigned char)p->rest.ptr[at++];
	if (at == 1 || at >= p->rest.len || (unsigned char)p->rest.ptr[at] != OCTETS_END ||
	    (unsigned char)p->rest.ptr[0] > 1)
		return reject(p);
	bool is_binary = p->rest.ptr[0] == 1;
	skip(p, at + 1);
	if (len == 0 || len > p->rest.len || (is_binary && p->rest.ptr[0] != 4))
		return reject(p);
	*packet = (struct eio_packet){.is_binary = is_binary, .data = str_of(p->rest.ptr, len)};
	if (!is_binary && (!is_type(*packet->data.ptr) || !utf8_is_valid(packet->data)))
		return reject(p);
	if (is_binary) /* behind its type */
		packet->data = str_of(p->rest.ptr + 1, len - 1);
	skip(p, len);
	return true;
}

bool eio_payload_next(struct eio_payload *p, struct eio_packet *packet)
{
	if (p->bad)
		return false;
	if (p->is_framed)
		return next_framed(p, packet);
	return p->revision == 3 ? next_counted(p, packet) : next_separated(p, packet);
}

/* ---- writing ---- */

static size_t units_of(struct str text)
{
	size_t units = 0;
	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.ptr[i];
		units += (c & 0xc0) != 0x80;
		units += c >= 0xf0;
	}
	return units;
}

static void put_base64(struct buf *b, struct str bytes)
{
	size_t len = BASE64_ENCODE_RAW_LENGTH(bytes.len);
	base64_encode_raw(buf_space(b, len), bytes.len, (const uint8_t *)bytes.ptr);
	b->len += len;
}

static void put_octets(struct buf *b, bool is_binary, struct str data)
{
	char digits[24];
	int count = snprintf(digits, sizeof digits, "%zu", data.len);
	buf_append(b, is_binary ? "\1" : "\0", 1);
	for (int i = 0; i < count; i++) {
		char digit = (char)(digits[i] - '0');
		buf_append(b, &digit, 1);
	}
	buf_append(b, "\xff", 1);
	buf_str(b, data);
}

static void put_counted(struct buf *b, const struct frame_view *f)
{
	if (!f->is_binary) {
		buf_printf(b, "%zu:", units_of(f->payload));
		buf_str(b, f->payload);
		return;
	}
	/* A binary frame of revision 3 begins with its type, which the text names. */
	struct str bytes = str_of(f->payload.ptr + 1, f->payload.len - 1);
	buf_printf(b, "%zu:b4", 2 + (bytes.len + 2) / 3 * 4);
	put_base64(b, bytes);
}

static void put_separated(struct buf *b, const struct frame_view *f, bool is_first)
{
	if (!is_first)
		buf_append(b, "\x1e", 1);
	if (!f->is_binary) {
		buf_str(b, f->payload);
		return;
	}
	BUF_LIT(b, "b");
	put_base64(b, f->payload);
}

static bool has_binary(struct str frames)
{
	struct frame_view f;
	while (frame_next(&frames, &f))
		if (f.is_binary)
			return true;
	return false;
}

bool eio_payload_write(struct buf *b, unsigned revision, enum eio_binary binary, struct str frames)
{
	struct frame_view f;
	bool is_octets = revision == 3 && binary == EIO_OCTETS && has_binary(frames);
	bool is_first = true;
	while (frame_next(&frames, &f)) {
		if (is_octets)
			put_octets(b, f.is_binary, f.payload);
		else if (revision == 3)
			put_counted(b, &f);
		else
			put_separated(b, &f, is_first);
		is_first = false;
	}
	return is_octets;
}
