// SPDX-License-Identifier: MIT
/* name.c — see name.h. The tables are ICU's. */
#include "gateway/core/name.h"
#include "gateway/core/text.h"

#include <unicode/uchar.h>
#include <unicode/uspoof.h>
#include <unicode/ustring.h>
#include <unicode/utf8.h>

enum {
	ZWNJ = 0x200c,
	ZWJ = 0x200d,
	TEXT_STYLE = 0xfe0e, /* variation selectors, of emoji alone */
	EMOJI_STYLE = 0xfe0f,
	BRAILLE_BLANK = 0x2800, /* a symbol by its category, a space by its looks */
	VIRAMA = 9,             /* a combining class */
	FOLDED_MAX = 3,         /* one letter becomes three at most */
};

/* ---- what can be read ---- */

/* The characters of a name; what stands beyond its ends is U_SENTINEL. */
struct letters {
	UChar32 *all; /* in the arena */
	size_t count;
};

static struct letters decode(struct arena *a, struct str name)
{
	const uint8_t *bytes = (const uint8_t *)name.ptr;
	struct letters l = {.all = arena_alloc(a, (name.len + 1) * sizeof *l.all)};
	for (size_t at = 0; at < name.len; l.count++)
		U8_NEXT(bytes, at, name.len, l.all[l.count]);
	return l;
}

/* `at` may be SIZE_MAX, which stands before the first. */
static UChar32 letter(struct letters l, size_t at)
{
	return at < l.count ? l.all[at] : U_SENTINEL;
}

static int joining(UChar32 c)
{
	return c == U_SENTINEL ? U_JT_NON_JOINING : u_getIntPropertyValue(c, UCHAR_JOINING_TYPE);
}

static bool follows_virama(struct letters l, size_t at)
{
	UChar32 c = letter(l, at - 1);
	return c != U_SENTINEL && u_getCombiningClass(c) == VIRAMA;
}

/* Between letters that would join without it; marks on them do not count. */
static bool parts_joined_letters(struct letters l, size_t at)
{
	size_t left = at - 1, right = at + 1;
	while (joining(letter(l, left)) == U_JT_TRANSPARENT)
		left--;
	while (joining(letter(l, right)) == U_JT_TRANSPARENT)
		right++;
	int before = joining(letter(l, left)), behind = joining(letter(l, right));
	return (before == U_JT_LEFT_JOINING || before == U_JT_DUAL_JOINING) &&
	       (behind == U_JT_RIGHT_JOINING || behind == U_JT_DUAL_JOINING);
}

static bool has(UChar32 c, UProperty property)
{
	return c != U_SENTINEL && u_hasBinaryProperty(c, property);
}

/* Between two pictures, whatever colours the first. */
static bool joins_emoji(struct letters l, size_t at)
{
	size_t left = at - 1;
	while (letter(l, left) == EMOJI_STYLE || has(letter(l, left), UCHAR_EMOJI_MODIFIER))
		left--;
	return has(letter(l, left), UCHAR_EXTENDED_PICTOGRAPHIC) &&
	       has(letter(l, at + 1), UCHAR_EXTENDED_PICTOGRAPHIC);
}

static bool is_seen(UChar32 c)
{
	switch (u_charType(c)) {
	case U_CONTROL_CHAR:
	case U_FORMAT_CHAR:
	case U_LINE_SEPARATOR:
	case U_PARAGRAPH_SEPARATOR:
	case U_PRIVATE_USE_CHAR:
	case U_SURROGATE:
	case U_UNASSIGNED: /* and what will never be assigned */
		return false;
	default:
		return c != BRAILLE_BLANK &&
		       !u_hasBinaryProperty(c, UCHAR_DEFAULT_IGNORABLE_CODE_POINT);
	}
}

static bool is_allowed(struct letters l, size_t at)
{
	switch (l.all[at]) {
	case ZWNJ:
		return follows_virama(l, at) || parts_joined_letters(l, at);
	case ZWJ:
		return follows_virama(l, at) || joins_emoji(l, at);
	case TEXT_STYLE:
	case EMOJI_STYLE:
		return has(letter(l, at - 1), UCHAR_EMOJI);
	default:
		return is_seen(l.all[at]);
	}
}

static bool is_mark(UChar32 c)
{
	int8_t category = u_charType(c);
	return category == U_NON_SPACING_MARK || category == U_ENCLOSING_MARK;
}

bool name_is_readable(struct arena *a, struct str name)
{
	if (!text_is_clean(name))
		return false;
	if (text_is_ascii(name))
		return true;
	struct letters l = decode(a, name);
	int marks = NAME_MARKS_MAX; /* none before the first letter */
	for (size_t i = 0; i < l.count; i++) {
		marks = is_mark(l.all[i]) ? marks + 1 : 0;
		if (marks > NAME_MARKS_MAX || !is_allowed(l, i))
			return false;
	}
	return true;
}

/* ---- what looks the same ---- */

static struct str fold_case(struct arena *a, struct str name)
{
	struct utf16 text;
	bool is_text = text_utf16(a, name, &text);
	CHECK(is_text);
	UErrorCode error = U_ZERO_ERROR;
	int32_t max = text.len * FOLDED_MAX;
	UChar *folded = arena_alloc(a, ((size_t)max + 1) * sizeof *folded);
	int32_t len = u_strFoldCase(folded, max, text.units, text.len, U_FOLD_CASE_DEFAULT, &error);
	CHECK(U_SUCCESS(error));
	return text_utf8(a, (struct utf16){folded, len});
}

/* Without what cannot be seen, and with one space for any. */
static struct str without_unseen(struct arena *a, struct str name)
{
	struct letters l = decode(a, name);
	char *kept = arena_alloc(a, name.len + 1);
	size_t len = 0;
	for (size_t i = 0; i < l.count; i++) {
		UChar32 c = u_charType(l.all[i]) == U_SPACE_SEPARATOR ? ' ' : l.all[i];
		if (has(c, UCHAR_DEFAULT_IGNORABLE_CODE_POINT) ||
		    (c == ' ' && len && kept[len - 1] == ' '))
			continue;
		U8_APPEND_UNSAFE((uint8_t *)kept, len, (uint32_t)c);
	}
	return str_of(kept, len);
}

struct str name_skeleton(struct arena *a, struct str name)
{
	enum { GROWS_MAX = 24 }; /* one character becomes 18 letters at most (U+FDFA) */
	UErrorCode error = U_ZERO_ERROR;
	struct str text = without_unseen(a, fold_case(a, name));
	size_t max = text.len * GROWS_MAX;
	char *skeleton = arena_alloc(a, max + 1);
	USpoofChecker *checker = uspoof_open(&error);
	int32_t len = uspoof_getSkeletonUTF8(checker, 0, text.ptr, (int32_t)text.len, skeleton,
					     (int32_t)max, &error);
	CHECK(U_SUCCESS(error));
	uspoof_close(checker);
	return str_of(skeleton, (size_t)len);
}

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool is_ascii_equal(struct str one, struct str other)
{
	bool is_equal = one.len == other.len;
	for (size_t i = 0; is_equal && i < one.len; i++)
		is_equal = lower(one.ptr[i]) == lower(other.ptr[i]);
	return is_equal;
}

bool name_looks_like(struct arena *a, struct str one, struct str other)
{
	if (text_is_ascii(one) && text_is_ascii(other))
		return is_ascii_equal(one, other);
	return str_equal(name_skeleton(a, one), name_skeleton(a, other));
}
