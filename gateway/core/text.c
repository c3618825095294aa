// SPDX-License-Identifier: MIT
/* text.c — see text.h. The tables are utf8proc's. */
#include "gateway/core/text.h"

#include <utf8proc.h>

static bool is_space(utf8proc_int32_t c)
{
	return utf8proc_category(c) == UTF8PROC_CATEGORY_ZS;
}

static bool is_control(utf8proc_int32_t c)
{
	utf8proc_category_t category = utf8proc_category(c);
	return category == UTF8PROC_CATEGORY_CC || category == UTF8PROC_CATEGORY_ZL ||
	       category == UTF8PROC_CATEGORY_ZP;
}

bool text_is_clean(struct str s)
{
	size_t at = 0;
	bool ends_in_space = false;
	while (at < s.len) {
		utf8proc_int32_t c;
		utf8proc_ssize_t bytes = utf8proc_iterate((const utf8proc_uint8_t *)s.ptr + at,
							  (utf8proc_ssize_t)(s.len - at), &c);
		if (bytes <= 0 || is_control(c) || (at == 0 && is_space(c)))
			return false;
		ends_in_space = is_space(c);
		at += (size_t)bytes;
	}
	return !ends_in_space;
}

static bool is_ascii(struct str s)
{
	for (size_t i = 0; i < s.len; i++)
		if ((unsigned char)s.ptr[i] >= 0x80)
			return false;
	return true;
}

bool text_normalize(struct arena *a, struct str s, struct str *normal)
{
	*normal = s;
	if (is_ascii(s))
		return true;
	utf8proc_uint8_t *mapped;
	utf8proc_ssize_t len =
		utf8proc_map((const utf8proc_uint8_t *)s.ptr, (utf8proc_ssize_t)s.len, &mapped,
			     UTF8PROC_STABLE | UTF8PROC_COMPOSE);
	if (len < 0)
		return false;
	*normal = arena_copy(a, str_of((const char *)mapped, (size_t)len));
	mem_free(mapped);
	return true;
}
