// SPDX-License-Identifier: MIT
/* claims.h — what a token says of its bearer, as far as the chat cares. Whether it is to be
 * believed is gateway/token's to find out. */
#ifndef PARLOR_GATEWAY_CORE_CLAIMS_H
#define PARLOR_GATEWAY_CORE_CLAIMS_H

#include "proto/arena.h"

enum {
	CLAIMS_IDENTITY_LEN = 64, /* longer than a digest of any guest's key */
	CLAIMS_PATTERNS_MAX = 64, /* in each list */
};

struct room_patterns {
	bool is_any; /* the token does not say: every room */
	const struct str *list;
	size_t count;
};

struct claims {
	struct str identity; /* who it is: in hexadecimal, the same for all tokens of one subject */
	struct str name;     /* the only username the bearer may have; empty: any */
	struct room_patterns join, write;
	uint64_t ends_in_ms;
};

/* Whether a room is one of those named; `*` in a pattern stands for any number of bytes. */
bool room_patterns_allow(const struct room_patterns *patterns, struct str room);

#endif
