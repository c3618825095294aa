// SPDX-License-Identifier: MIT
/* utf8.c — see utf8.h. */
#include "proto/utf8.h"

#include <unicode/utf8.h>

bool utf8_is_valid(struct str text)
{
	const uint8_t *bytes = (const uint8_t *)text.ptr;
	size_t at = 0;
	while (at < text.len) {
		UChar32 c;
		U8_NEXT(bytes, at, text.len, c);
		if (c < 0)
			return false;
	}
	return true;
}
