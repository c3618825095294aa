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

static bool type_named(const char *name, size_t len, enum client_event_type *type)
{
	static const struct str names[] = {
#define C(event) {#event, sizeof #event - 1},
		CLIENT_EVENTS(C)
#undef C
	};
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		if (str_equal(names[i], str_of(name, len))) {
			*type = (enum client_event_type)i;
			return true;
		}
	}
	return false;
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
static void refuse_twice(struct client_event *e, const json_t *object, size_t members)
{
	if (members > json_object_size(object))
		client_event_fail(e, ERR_BAD_JSON, "a member is given twice");
}

static void read_event(struct client_event *e, const json_t *event, const json_t *data,
		       const struct json_outline *outline)
{
	if (!json_is_string(event) ||
	    !type_named(json_string_value(event), json_string_length(event), &e->type)) {
		client_event_fail(e, ERR_BAD_EVENT, "%s", err_text(ERR_BAD_EVENT));
		return;
	}
	e->data = data;
	if (json_is_object(data))
		refuse_twice(e, data, outline->data_members);
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
	refuse_twice(e, e->root, outline.members);
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

struct str field_text(struct client_event *e, const char *name, size_t max, bool is_optional)
{
	struct str none = {0};
	if (e->error != ERR_OK)
		return none;
	const json_t *field = json_object_get(e->data, name);
	if (is_optional && (!field || json_is_null(field)))
		return none;
	if (!json_is_string(field)) {
		client_event_fail(e, ERR_BAD_FIELD, "%s: must be a string", name);
		return none;
	}
	size_t len = json_string_length(field);
	if (memchr(json_string_value(field), '\0', len)) {
		client_event_fail(e, ERR_BAD_FIELD, "%s: must not contain U+0000", name);
		return none;
	}
	if (len == 0 || len > max) {
		client_event_fail(e, ERR_BAD_FIELD, "%s: must have 1 to %zu bytes", name, max);
		return none;
	}
	return str_of(json_string_value(field), len);
}

static struct str field_name(struct client_event *e, const char *name, size_t max)
{
	enum {
		BEFORE_NORMALIZING = 4
	}; /* a composed character may be a fraction of what it was made of */
	struct str text = field_text(e, name, max * BEFORE_NORMALIZING, false);
	struct str normal = {0};
	if (e->error != ERR_OK)
		return normal;
	if (!text_normalize(e->arena, text, &normal) || !name_is_readable(e->arena, normal))
		client_event_fail(e, ERR_BAD_FIELD,
				  "%s: must have no control characters, nothing that cannot be "
				  "seen, and no space at either end",
				  name);
	else if (normal.len > max)
		client_event_fail(e, ERR_BAD_FIELD, "%s: must have 1 to %zu bytes", name, max);
	return normal;
}

struct str field_user(struct client_event *e, const char *name)
{
	return field_name(e, name, e->limits->name_bytes_max);
}

struct str field_room(struct client_event *e, const char *name)
{
	return field_name(e, name, e->limits->room_bytes_max);
}

bool field_number(struct client_event *e, const char *name, uint64_t *n)
{
	if (e->error != ERR_OK)
		return false;
	const json_t *field = json_object_get(e->data, name);
	if (!field || json_is_null(field))
		return false;
	if (json_is_number(field) && json_whole(json_number_value(field), n))
		return true;
	client_event_fail(e, ERR_BAD_FIELD, "%s: must be a whole number from 0 to 2^53-1", name);
	return false;
}
