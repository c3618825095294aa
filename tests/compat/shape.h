// SPDX-License-Identifier: MIT
/* shape.h — a table of the bus (bus.def) as data: today's and that of the release whose bytes are
 * kept, so that they can be compared and read by. */
#ifndef PARLOR_TESTS_COMPAT_SHAPE_H
#define PARLOR_TESTS_COMPAT_SHAPE_H

#include <stddef.h>

struct field_shape {
	char kind; /* U, S or L, as in bus.def */
	const char *name;
	const char *record; /* of a list */
	size_t max;
};

struct row_shape {
	unsigned number; /* 0: a record */
	const char *name, *from, *to;
	const struct field_shape *fields;
	size_t count;
};

struct shape {
	const struct row_shape *events, *records;
	size_t event_count, record_count;
	const char *const *errors; /* codes, by their numbers */
	size_t error_count;
};

extern const struct shape shape_kept, shape_now;

/* NULL when there is none. */
const struct row_shape *shape_event(const struct shape *s, unsigned number);
const struct row_shape *shape_record(const struct shape *s, const char *name);

#endif
