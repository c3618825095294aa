// SPDX-License-Identifier: MIT
/* json_in.c — see json_in.h. */
#include "gateway/core/json_in.h"
#include "gateway/core/json_text.h"
#include "gateway/core/name.h"
#include "gateway/core/text.h"

#include <stdarg.h>
#include <stdio.h>

/* Where a text that had to be cut behind `len` bytes may end: not within a character. */
static size_t whole_until(const char *text, size_t len)
{
	while (len && ((unsigned char)text[len - 1] & 0xc0) == 0x80)
		len--;
	return len && (unsigned char)text[len - 1] >= 0xc0 ? len - 1 : len;
}

void client_event_fail(struct client_event *e, enum err error, const char *fmt, ...)
{
	if (e->error != ERR_OK)
		return;
	e->error = error;
	va_list args;
	va_start(args, fmt);
	int len = vsnprintf(e->why, sizeof e->why, fmt, args);
	va_end(args);
	if (len >= (int)sizeof e->why)
		e->why[whole_until(e->why, sizeof e->why - 1)] = '\0';
}

static void read_id(struct client_event *e)
{
	const json_t *id = json_object_get(e->root, "id");
	if (!id)
		return;
	e->has_id = json_is_number(id) && json_whole(json_number_value(id), &e->id);
	if (!e->has_id)
		client_event_fail(e, ERR_BAD_FIELD, "id: must be a whole number from 0 to 2^53-1");
}

/* NULL: not JSON, or too deep. */
static json_t *load(struct client_event *e, struct str text, struct json_outline *outline)
{
	struct str mended = json_text_mend(e->arena, text, outline);
	if (outline->is_too_deep) {
		client_event_fail(e, ERR_BAD_JSON, "nested deeper than %d", JSON_DEPTH_MAX);
		return NULL;
	}
	return json_loadb(mended.ptr, mended.len, JSON_ALLOW_NUL | JSON_DECODE_INT_AS_REAL, NULL);
}

/* Jansson keeps the last of several; it would also look into members that nobody reads. */
static void reject_twice(struct client_event *e, const json_t *object, size_t members)
{
	if (members > json_object_size(object))
		client_event_fail(e, ERR_BAD_JSON, "a member is given twice");
}

static void read_event(struct client_event *e, const json_t *event, const json_t *data,
		       const struct json_outline *outline)
{
	if (!json_is_string(event) ||
	    !client_event_named(str_of(json_string_value(event), json_string_length(event)),
				&e->type)) {
		client_event_fail(e, ERR_BAD_EVENT, "%s", err_text(ERR_BAD_EVENT));
		return;
	}
	e->data = data;
	if (json_is_object(data))
		reject_twice(e, data, outline->data_members);
	else
		client_event_fail(e, ERR_BAD_FIELD, "data: must be an object");
}

void client_event_read(struct client_event *e, struct str text,
		       const struct gateway_options *limits, struct arena *arena)
{
	struct json_outline outline;
	*e = (struct client_event){.limits = limits, .arena = arena};
	e->root = load(e, text, &outline);
	if (!json_is_object(e->root)) {
		client_event_fail(e, ERR_BAD_JSON, "%s", err_text(ERR_BAD_JSON));
		e->has_id = json_text_find_id(text, &e->id);
		return;
	}
	read_id(e);
	reject_twice(e, e->root, outline.members);
	read_event(e, json_object_get(e->root, "event"), json_object_get(e->root, "data"),
		   &outline);
}

void client_event_read_array(struct client_event *e, struct str array,
			     const struct gateway_options *limits, struct arena *arena)
{
	struct json_outline outline;
	*e = (struct client_event){.limits = limits, .arena = arena};
	e->root = load(e, array, &outline);
	if (json_is_array(e->root))
		read_event(e, json_array_get(e->root, 0), json_array_get(e->root, 1), &outline);
	else
		client_event_fail(e, ERR_BAD_JSON, "%s", err_text(ERR_BAD_JSON));
}

void client_event_free(struct client_event *e)
{
	json_decref(e->root);
	e->root = NULL;
}

/* ---- fields, by their rows ---- */

static struct str *text_in(union client_in *in, const struct client_field_row *row)
{
	return (struct str *)(void *)((char *)in + row->offset);
}

static uint64_t *number_in(union client_in *in, const struct client_field_row *row)
{
	return (uint64_t *)(void *)((char *)in + row->offset);
}

static bool *has_number_in(union client_in *in, const struct client_field_row *row)
{
	return (bool *)((char *)in + row->has_offset);
}

/* The most bytes that a text may have. */
static size_t limit_of(const struct client_event *e, const struct client_field_row *row)
{
	switch (row->kind) {
	case FIELD_USER:
		return e->limits->name_bytes_max;
	case FIELD_ROOM:
		return e->limits->room_bytes_max;
	case FIELD_BODY:
		return e->limits->body_bytes_max;
	case FIELD_TEXT:
	case FIELD_NUMBER:
		break;
	}
	return row->max;
}

/* Text of 1 to max bytes; too many are `too_long`. A missing one is empty when it is optional. */
static struct str read_text(struct client_event *e, const struct client_field_row *row, size_t max,
			    enum err too_long)
{
	const struct str none = {0};
	const json_t *field = json_object_get(e->data, row->name);
	if ((row->flags & FIELD_OPTIONAL) && (!field || json_is_null(field)))
		return none;
	if (!json_is_string(field)) {
		client_event_fail(e, ERR_BAD_FIELD, "%s: must be a string", row->name);
		return none;
	}
	size_t len = json_string_length(field);
	if (memchr(json_string_value(field), '\0', len)) {
		client_event_fail(e, ERR_BAD_FIELD, "%s: must not contain U+0000", row->name);
		return none;
	}
	if (len == 0 || len > max) {
		client_event_fail(e, len ? too_long : ERR_BAD_FIELD, "%s: must have 1 to %zu bytes",
				  row->name, limit_of(e, row));
		return none;
	}
	return str_of(json_string_value(field), len);
}

/* A username or room: normalized, clean, within its limit then. */
static struct str read_name(struct client_event *e, const struct client_field_row *row)
{
	enum {
		BEFORE_NORMALIZING = 4
	}; /* a composed character may be a fraction of what it was made of */
	struct str normal = {0};
	size_t max = limit_of(e, row);
	struct str text = read_text(e, row, max * BEFORE_NORMALIZING, ERR_BAD_FIELD);
	if (e->error != ERR_OK)
		return normal;
	if (!text_normalize(e->arena, text, &normal) || !name_is_readable(e->arena, normal))
		client_event_fail(e, ERR_BAD_FIELD,
				  "%s: must have no control characters, nothing that cannot be "
				  "seen, and no space at either end",
				  row->name);
	else if (normal.len > max)
		client_event_fail(e, ERR_BAD_FIELD, "%s: must have 1 to %zu bytes", row->name, max);
	return normal;
}

/* False when it is not given, or wrong. */
static bool read_number(struct client_event *e, const struct client_field_row *row, uint64_t *n)
{
	const json_t *field = json_object_get(e->data, row->name);
	*n = row->otherwise;
	if ((row->flags & FIELD_OPTIONAL) && (!field || json_is_null(field)))
		return false;
	if (json_is_number(field) && json_whole(json_number_value(field), n))
		return true;
	client_event_fail(e, ERR_BAD_FIELD, "%s: must be a whole number from 0 to 2^53-1",
			  row->name);
	return false;
}

static void read_field(struct client_event *e, const struct client_field_row *row,
		       union client_in *in)
{
	switch (row->kind) {
	case FIELD_USER:
		*text_in(in, row) = read_name(e, row);
		return;
	case FIELD_ROOM:
		e->room = read_name(e, row);
		*text_in(in, row) = e->room;
		return;
	case FIELD_BODY:
		*text_in(in, row) = read_text(e, row, limit_of(e, row), ERR_TOO_LARGE);
		return;
	case FIELD_TEXT:
		*text_in(in, row) = read_text(e, row, limit_of(e, row), ERR_BAD_FIELD);
		return;
	case FIELD_NUMBER:
		*has_number_in(in, row) = read_number(e, row, number_in(in, row));
		return;
	}
}

static void check_text(struct client_event *e, const struct client_field_row *row, struct str text)
{
	if (text.len && text.len < row->min)
		client_event_fail(e, ERR_BAD_FIELD,
				  "%s: must have %" PRIu64 " to %" PRIu64 " bytes", row->name,
				  row->min, row->max);
	if ((row->flags & FIELD_CLEAN) && !text_is_clean(text))
		client_event_fail(e, ERR_BAD_FIELD, "%s: must have no control characters",
				  row->name);
}

static void check_number(struct client_event *e, const struct client_field_row *row, uint64_t n)
{
	if (n >= row->min && n <= row->max)
		return;
	if (row->max == WHOLE_MAX)
		client_event_fail(e, ERR_BAD_FIELD, "%s: must be at least %" PRIu64, row->name,
				  row->min);
	else
		client_event_fail(e, ERR_BAD_FIELD, "%s: must be from %" PRIu64 " to %" PRIu64,
				  row->name, row->min, row->max);
}

/* What a row says beyond the kind. */
static void check_field(struct client_event *e, const struct client_field_row *row,
			union client_in *in)
{
	if (row->kind == FIELD_TEXT)
		check_text(e, row, *text_in(in, row));
	if (row->kind != FIELD_NUMBER || !*has_number_in(in, row))
		return;
	if ((row->flags & FIELD_OR_NEXT) && *has_number_in(in, row + 1))
		client_event_fail(e, ERR_BAD_FIELD, "%s: not together with %s", row->name,
				  row[1].name);
	check_number(e, row, *number_in(in, row));
}

/* First what each of them is, then the bounds, which clients are told of from the last one on. */
bool client_fields_read(struct client_event *e, union client_in *in)
{
	const struct client_event_row *event = client_event_row(e->type);
	for (size_t i = 0; i < event->field_count && e->error == ERR_OK; i++)
		read_field(e, &event->fields[i], in);
	for (size_t i = event->field_count; i > 0 && e->error == ERR_OK; i--)
		check_field(e, &event->fields[i - 1], in);
	return e->error == ERR_OK;
}

struct str client_fields_room(const struct client_event *e)
{
	const struct client_event_row *event = client_event_row(e->type);
	struct client_event alone = *e;
	struct str room = {0};
	for (size_t i = 0; i < event->field_count; i++)
		if (event->fields[i].kind == FIELD_ROOM)
			room = read_name(&alone, &event->fields[i]);
	return alone.error == ERR_OK ? room : (struct str){0};
}
