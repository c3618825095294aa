// SPDX-License-Identifier: MIT
/* kept.h — the bytes that are kept of the previous release (0.1.0/), and a reader as strict as that
 * release's own. */
#ifndef PARLOR_TESTS_COMPAT_KEPT_H
#define PARLOR_TESTS_COMPAT_KEPT_H

#include "proto/base.h"
#include "tests/compat/shape.h"

struct kept_line {
	char what[64];
	struct str bytes;
};

struct kept {
	size_t count;
	struct kept_line *lines;
};

/* Reads a file of lines "what bytes-in-hex"; ends the test when it cannot be read. */
struct kept kept_read(const char *path);
void kept_free(struct kept *k);

/* The n-th line of that name; none ends the test. */
struct str kept_bytes(const struct kept *k, const char *what, size_t n);

/* Reads an envelope as 0.1.0 does: six numbers in the header at least, each event that `shape` has
 * with all of its fields, of their types, within their limits, and nothing anywhere but numbers,
 * text and arrays; what is appended and what it does not know is passed over. Returns how many
 * events it knew; ends the test where it would refuse. */
size_t kept_strict_read(const struct shape *shape, struct str message, size_t *unknown);

/* One flat value as 0.1.0's store reads it: a short array of these kinds (U or S), and more. */
void kept_strict_value(struct str value, const char *kinds);

#endif
