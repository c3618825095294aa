// SPDX-License-Identifier: MIT
/* word.c — see head.h: words of HTTP, in which capitals mean nothing. */
#include "gateway/http/head.h"

char http_lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

bool http_equal(struct str a, struct str b)
{
	if (a.len != b.len)
		return false;
	for (size_t i = 0; i < a.len; i++)
		if (http_lower(a.ptr[i]) != http_lower(b.ptr[i]))
			return false;
	return true;
}
