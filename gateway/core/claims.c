// SPDX-License-Identifier: MIT
/* claims.c — see claims.h. */
#include "gateway/core/claims.h"

/* Goes back to the last star when a byte does not fit, so its time is bounded by the product of the
 * lengths. */
static bool matches(struct str pattern, struct str room)
{
	size_t p = 0, r = 0, star = SIZE_MAX, resume = 0;
	while (r < room.len) {
		if (p < pattern.len && pattern.ptr[p] == '*') {
			star = p++;
			resume = r;
		} else if (p < pattern.len && pattern.ptr[p] == room.ptr[r]) {
			p++;
			r++;
		} else if (star != SIZE_MAX) {
			p = star + 1;
			r = ++resume;
		} else {
			return false;
		}
	}
	while (p < pattern.len && pattern.ptr[p] == '*')
		p++;
	return p == pattern.len;
}

bool room_patterns_allow(const struct room_patterns *patterns, struct str room)
{
	if (patterns->is_any)
		return true;
	for (size_t i = 0; i < patterns->count; i++)
		if (matches(patterns->list[i], room))
			return true;
	return false;
}
