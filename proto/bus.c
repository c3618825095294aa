// SPDX-License-Identifier: MIT
/* bus.c — what the compiler makes of bus.def for people: names, rows, JSON. The codec is in
 * bus_write.c and bus_read.c. */
#include "proto/bus.h"
#include "proto/json_out.h"

static const char *const codes[] = {
#define E(symbol, code, text, when) code,
	PARLOR_ERRORS(E)
#undef E
};
static const char *const texts[] = {
#define E(symbol, code, text, when) text,
	PARLOR_ERRORS(E)
#undef E
};

static const char *const whens[] = {
#define E(symbol, code, text, when) (when), /* of several literals, and not a comma forgotten */
	PARLOR_ERRORS(E)
#undef E
};

const char *err_code(enum err e)
{
	return codes[e];
}

const char *err_text(enum err e)
{
	return texts[e];
}

const char *err_when(enum err e)
{
	return whens[e];
}

enum err err_from_wire(uint64_t number)
{
	return number < ARRAY_LEN(codes) ? (enum err)number : ERR_INTERNAL;
}

const char *service_name(enum service s)
{
	static const char *const names[] = {"any", "gateway", "roomd", "historyd"};
	return names[s];
}

#define NAME_U(field) ", " #field
#define NAME_S(field, max) ", " #field
#define NAME_L(field, record, max) ", " #field "[]"

static const struct bus_row rows[] = {
#define E(number, name, from, to, meaning)      \
	{EV_##name,    #name,   SERVICE_##from, \
	 SERVICE_##to, meaning, &("" FIELDS_##name(NAME_U, NAME_S, NAME_L))[2]},
	BUS_EVENTS(E)
#undef E
};

const struct bus_row *bus_rows(size_t *count)
{
	*count = ARRAY_LEN(rows);
	return rows;
}

const struct bus_row *bus_row(enum ev_type type)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (rows[i].type == type)
			return &rows[i];
	return NULL;
}

#define JSON_U(field)                   \
	BUF_LIT(b, ",\"" #field "\":"); \
	buf_u64(b, v->field);
#define JSON_S(field, max)              \
	BUF_LIT(b, ",\"" #field "\":"); \
	json_out_str(b, v->field);
#define JSON_L(field, record, max)                                         \
	BUF_LIT(b, ",\"" #field "\":[");                                   \
	for (uint32_t i = 0; i < v->field.count; i++) {                    \
		struct rec_##record rec = bus_##record##_at(&v->field, i); \
		buf_append(b, ",", i ? 1 : 0);                             \
		json_rec_##record(b, &rec);                                \
	}                                                                  \
	BUF_LIT(b, "]");

#define R(name)                                                                \
	static void json_rec_##name(struct buf *b, const struct rec_##name *v) \
	{                                                                      \
		BUF_LIT(b, "{\"record\":\"" #name "\"");                       \
		RECORD_##name(JSON_U, JSON_S, JSON_L) BUF_LIT(b, "}");         \
	}
BUS_RECORDS(R)
#undef R

void bus_json(struct buf *b, const struct bus_event *ev)
{
	switch (ev->type) {
#define E(number, name, from, to, meaning)                   \
	case EV_##name: {                                    \
		const struct ev_##name *v = &ev->as.name;    \
		BUF_LIT(b, "\"event\":\"" #name "\"");       \
		FIELDS_##name(JSON_U, JSON_S, JSON_L) break; \
	}
		BUS_EVENTS(E)
#undef E
	}
}

#define FIND_U(field)
#define FIND_S(field, max)             \
	if (strcmp(name, #field) == 0) \
		return v->field;
#define FIND_L(field, record, max)

struct str bus_field(const struct bus_event *ev, const char *name)
{
	switch (ev->type) {
#define E(number, event, from, to, meaning)                   \
	case EV_##event: {                                    \
		const struct ev_##event *v = &ev->as.event;   \
		(void)v;                                      \
		FIELDS_##event(FIND_U, FIND_S, FIND_L) break; \
	}
		BUS_EVENTS(E)
#undef E
	}
	return (struct str){0};
}
