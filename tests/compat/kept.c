// SPDX-License-Identifier: MIT
/* kept.c — see kept.h. The strict reader is msgpack-c's, which shares nothing with ours. */
#include "tests/compat/kept.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>
#include <msgpack.h>
#include <stdio.h>

/* ---- tables ---- */

const struct row_shape *shape_event(const struct shape *s, unsigned number)
{
	for (size_t i = 0; i < s->event_count; i++)
		if (s->events[i].number == number)
			return &s->events[i];
	return NULL;
}

const struct row_shape *shape_record(const struct shape *s, const char *name)
{
	for (size_t i = 0; i < s->record_count; i++)
		if (strcmp(s->records[i].name, name) == 0)
			return &s->records[i];
	return NULL;
}

/* ---- files ---- */

static struct str from_hex(const char *hex)
{
	struct buf b = {0};
	for (unsigned byte; sscanf(hex, "%2x", &byte) == 1; hex += 2) {
		char c = (char)(unsigned char)byte;
		buf_append(&b, &c, 1);
	}
	struct str bytes = str_copy(buf_view(&b));
	buf_free(&b);
	return bytes;
}

struct kept kept_read(const char *path)
{
	static char line[16384];
	struct kept k = {0};
	FILE *file = fopen(path, "r");
	if (!file)
		fail_msg("%s cannot be read", path);
	while (fgets(line, sizeof line, file)) {
		struct kept_line *at;
		char *space = strchr(line, ' ');
		assert_non_null(space);
		k.lines = mem_resize(k.lines, (k.count + 1) * sizeof *k.lines);
		at = &k.lines[k.count++];
		snprintf(at->what, sizeof at->what, "%.*s", (int)(space - line), line);
		at->bytes = from_hex(space + 1);
	}
	fclose(file);
	return k;
}

void kept_free(struct kept *k)
{
	for (size_t i = 0; i < k->count; i++)
		str_free(&k->lines[i].bytes);
	mem_free(k->lines);
	*k = (struct kept){0};
}

struct str kept_bytes(const struct kept *k, const char *what, size_t n)
{
	for (size_t i = 0; i < k->count; i++)
		if (strcmp(k->lines[i].what, what) == 0 && n-- == 0)
			return k->lines[i].bytes;
	fail_msg("no line %s is kept", what);
	return (struct str){0};
}

/* ---- the strict reader ---- */

static void expect_skippable(const msgpack_object *o)
{
	switch (o->type) {
	case MSGPACK_OBJECT_NIL:
	case MSGPACK_OBJECT_BOOLEAN:
	case MSGPACK_OBJECT_POSITIVE_INTEGER:
	case MSGPACK_OBJECT_NEGATIVE_INTEGER:
	case MSGPACK_OBJECT_STR:
		return;
	case MSGPACK_OBJECT_ARRAY:
		for (uint32_t i = 0; i < o->via.array.size; i++)
			expect_skippable(&o->via.array.ptr[i]);
		return;
	case MSGPACK_OBJECT_FLOAT32:
	case MSGPACK_OBJECT_FLOAT64:
	case MSGPACK_OBJECT_MAP:
	case MSGPACK_OBJECT_BIN:
	case MSGPACK_OBJECT_EXT:
	default:
		fail_msg("an item of type %d cannot be passed over", o->type);
	}
}

static void expect_fields(const struct shape *s, const struct row_shape *row,
			  const msgpack_object *fields, uint32_t count);

static void expect_list(const struct shape *s, const struct field_shape *f, const msgpack_object *o)
{
	const struct row_shape *record = shape_record(s, f->record);
	assert_int_equal(o->type, MSGPACK_OBJECT_ARRAY);
	assert_in_range(o->via.array.size, 0, f->max);
	for (uint32_t i = 0; i < o->via.array.size; i++) {
		const msgpack_object *r = &o->via.array.ptr[i];
		assert_int_equal(r->type, MSGPACK_OBJECT_ARRAY);
		expect_fields(s, record, r->via.array.ptr, r->via.array.size);
	}
}

static void expect_fields(const struct shape *s, const struct row_shape *row,
			  const msgpack_object *fields, uint32_t count)
{
	if (count < row->count)
		fail_msg("%s has %u fields, not %zu", row->name, count, row->count);
	for (size_t i = 0; i < row->count; i++) {
		const struct field_shape *f = &row->fields[i];
		if (f->kind == 'L')
			expect_list(s, f, &fields[i]);
		else
			assert_int_equal(fields[i].type, f->kind == 'U'
								 ? MSGPACK_OBJECT_POSITIVE_INTEGER
								 : MSGPACK_OBJECT_STR);
		if (f->kind == 'S' && fields[i].via.str.size > f->max)
			fail_msg("%s.%s is too long", row->name, f->name);
	}
	for (size_t i = row->count; i < count; i++)
		expect_skippable(&fields[i]);
}

static void expect_header(const msgpack_object *o)
{
	assert_int_equal(o->type, MSGPACK_OBJECT_ARRAY);
	assert_true(o->via.array.size >= 6);
	for (uint32_t i = 0; i < 6; i++)
		assert_int_equal(o->via.array.ptr[i].type, MSGPACK_OBJECT_POSITIVE_INTEGER);
	assert_int_equal(o->via.array.ptr[0].via.u64, 1);
	assert_in_range(o->via.array.ptr[2].via.u64, 1, 3);
	expect_skippable(o);
}

/* Whether it is one that the release knows. */
static bool expect_event(const struct shape *s, const msgpack_object *o)
{
	assert_int_equal(o->type, MSGPACK_OBJECT_ARRAY);
	assert_true(o->via.array.size >= 1);
	assert_int_equal(o->via.array.ptr[0].type, MSGPACK_OBJECT_POSITIVE_INTEGER);
	const struct row_shape *row = shape_event(s, (unsigned)o->via.array.ptr[0].via.u64);
	if (row)
		expect_fields(s, row, o->via.array.ptr + 1, o->via.array.size - 1);
	else
		expect_skippable(o);
	return row != NULL;
}

size_t kept_strict_read(const struct shape *shape, struct str message, size_t *unknown)
{
	msgpack_unpacked item;
	size_t at = 0;
	size_t known = 0;
	*unknown = 0;
	msgpack_unpacked_init(&item);
	for (bool is_first = true; at < message.len; is_first = false) {
		msgpack_unpack_return rc =
			msgpack_unpack_next(&item, message.ptr, message.len, &at);
		assert_true(rc == MSGPACK_UNPACK_SUCCESS || rc == MSGPACK_UNPACK_EXTRA_BYTES);
		if (is_first)
			expect_header(&item.data);
		else if (expect_event(shape, &item.data))
			known++;
		else
			(*unknown)++;
	}
	msgpack_unpacked_destroy(&item);
	return known;
}

void kept_strict_value(struct str value, const char *kinds)
{
	msgpack_unpacked item;
	size_t at = 0;
	assert_int_equal(value.ptr[0] & 0xf0, 0x90); /* the only arrays that 0.1.0 reads there */
	msgpack_unpacked_init(&item);
	assert_int_equal(msgpack_unpack_next(&item, value.ptr, value.len, &at),
			 MSGPACK_UNPACK_SUCCESS);
	assert_int_equal(at, value.len);
	assert_true(item.data.via.array.size >= strlen(kinds));
	for (size_t i = 0; i < strlen(kinds); i++)
		assert_int_equal(item.data.via.array.ptr[i].type,
				 kinds[i] == 'U' ? MSGPACK_OBJECT_POSITIVE_INTEGER
						 : MSGPACK_OBJECT_STR);
	msgpack_unpacked_destroy(&item);
}
