// SPDX-License-Identifier: MIT
/* text.c — see text.h. The tables are ICU's. */
#include "gateway/core/text.h"

#include <unicode/uchar.h>
#include <unicode/unorm2.h>
#include <unicode/ustring.h>
#include <unicode/utf8.h>

/* An umlaut is as many bytes either way; what grows most is 3 times as long (UAX #15). */
enum { COMPOSED_MAX = 3, ASCII_END = 0x80 };

static bool is_space(UChar32 c)
{
	return u_charType(c) == U_SPACE_SEPARATOR;
}

static bool is_control(UChar32 c)
{
	int8_t category = u_charType(c);
	return category == U_CONTROL_CHAR || category == U_LINE_SEPARATOR ||
	       category == U_PARAGRAPH_SEPARATOR;
}

bool text_is_clean(struct str s)
{
	const uint8_t *bytes = (const uint8_t *)s.ptr;
	size_t at = 0;
	bool ends_in_space = false;
	while (at < s.len) {
		size_t first = at;
		UChar32 c;
		U8_NEXT(bytes, at, s.len, c);
		if (c < 0 || is_control(c) || (first == 0 && is_space(c)))
			return false;
		ends_in_space = is_space(c);
	}
	return !ends_in_space;
}

bool text_is_ascii(struct str s)
{
	for (size_t i = 0; i < s.len; i++)
		if ((unsigned char)s.ptr[i] >= ASCII_END)
			return false;
	return true;
}

bool text_utf16(struct arena *a, struct str s, struct utf16 *text)
{
	UErrorCode error = U_ZERO_ERROR;
	UChar *units = arena_alloc(a, (s.len + 1) * sizeof *units); /* no byte makes two */
	u_strFromUTF8(units, (int32_t)s.len, &text->len, s.ptr, (int32_t)s.len, &error);
	text->units = units;
	return U_SUCCESS(error);
}

struct str text_utf8(struct arena *a, struct utf16 text)
{
	enum { UNIT_BYTES_MAX = 3 };
	UErrorCode error = U_ZERO_ERROR;
	int32_t len, max = text.len * UNIT_BYTES_MAX;
	char *bytes = arena_alloc(a, (size_t)max + 1);
	u_strToUTF8(bytes, max, &len, text.units, text.len, &error);
	CHECK(U_SUCCESS(error)); /* it came from UTF-8 */
	return str_of(bytes, (size_t)len);
}

bool text_normalize(struct arena *a, struct str s, struct str *normal)
{
	struct utf16 text;
	UErrorCode error = U_ZERO_ERROR;
	*normal = s;
	if (text_is_ascii(s))
		return true;
	if (!text_utf16(a, s, &text))
		return false;
	const UNormalizer2 *nfc = unorm2_getNFCInstance(&error);
	if (unorm2_isNormalized(nfc, text.units, text.len, &error))
		return true;
	int32_t max = text.len * COMPOSED_MAX;
	UChar *composed = arena_alloc(a, (size_t)max * sizeof *composed);
	int32_t len = unorm2_normalize(nfc, text.units, text.len, composed, max, &error);
	CHECK(U_SUCCESS(error));
	*normal = text_utf8(a, (struct utf16){composed, len});
	return true;
}
