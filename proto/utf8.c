// SPDX-License-Identifier: MIT
/* utf8.c — see utf8.h. */
#include "proto/utf8.h"

#include <utf8proc.h>

bool utf8_is_valid(struct str text)
{
	size_t at = 0;
	while (at < text.len) {
		utf8proc_int32_t c;
		utf8proc_ssize_t len = utf8proc_iterate((const utf8proc_uint8_t *)text.ptr + at,
							(utf8proc_ssize_t)(text.len - at), &c);
		if (len <= 0)
			return false;
		at += (size_t)len;
	}
	return true;
}
