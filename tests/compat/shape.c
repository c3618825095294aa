// SPDX-License-Identifier: MIT
/* shape.c — see shape.h. Compiled once for each table: SHAPE is its name, BUS_DEF and ERRORS_DEF
 * are where it stands. */
#include "tests/compat/shape.h"

#include BUS_DEF
#include ERRORS_DEF

#define SHAPE_U(field) {'U', #field, NULL, 0},
#define SHAPE_S(field, max) {'S', #field, NULL, (max)},
#define SHAPE_L(field, record, max) {'L', #field, #record, (max)},
#define COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))

#define R(name)                                             \
	static const struct field_shape record_##name[] = { \
		RECORD_##name(SHAPE_U, SHAPE_S, SHAPE_L)};
BUS_RECORDS(R)
#undef R

#define E(number, name, from, to, meaning) \
	static const struct field_shape event_##name[] = {FIELDS_##name(SHAPE_U, SHAPE_S, SHAPE_L)};
BUS_EVENTS(E)
#undef E

#define R(name) {0, #name, "", "", record_##name, COUNT_OF(record_##name)},
static const struct row_shape records[] = {BUS_RECORDS(R)};
#undef R

#define E(number, name, from, to, meaning) \
	{(number), #name, #from, #to, event_##name, COUNT_OF(event_##name)},
static const struct row_shape events[] = {BUS_EVENTS(E)};
#undef E

#define E(symbol, code, ...) code,
static const char *const errors[] = {PARLOR_ERRORS(E)};
#undef E

const struct shape SHAPE = {
	.events = events,
	.records = records,
	.event_count = COUNT_OF(events),
	.record_count = COUNT_OF(records),
	.errors = errors,
	.error_count = COUNT_OF(errors),
};
