// SPDX-License-Identifier: MIT
/* test_name.c — names that people have, and names that are meant to be taken for another's. */
#include "gateway/core/name.h"
#include "gateway/core/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
// cmocka wants the three above first
#include <cmocka.h>

static struct arena arena;

static int forget(void **state)
{
	(void)state;
	arena_free(&arena);
	return 0;
}

static const char *const people[] = {
	"ann",
	"Zoë",
	"Ян Ковальский",
	"محمد",
	"نمی‌خواهم", /* Persian: ZWNJ between letters that would join */
	"क्‍ष",
	"क्‌ष", /* Devanagari: joiners behind a virama */
	"山田 太郎",
	"かがみ",
	"김철수",
	"สมชาย",
	"Nguyễn Văn A",
	"👨‍👩‍👧‍👦", /* a family */
	"👩🏽‍🚀",           /* an astronaut, with a colour of skin */
	"❤️‍🔥",
	"❤‍🔥", /* with and without the style */
	"❤️ ann",
	"1️⃣",
	"🇺🇳",
	"☎︎",
	"ann (away)",
	"a-b_c.d",
};

static const char *const tricks[] = {
	"ann\u200b",       /* ZERO WIDTH SPACE */
	"\u2066ann\u2069", /* isolates */
	"\u202eann\u202c", /* RIGHT-TO-LEFT OVERRIDE */
	"a\u00adnn",       /* SOFT HYPHEN */
	"ann\u2060",       /* WORD JOINER */
	"an\u200cn",
	"an\u200dn", /* joiners between letters that join nothing */
	"ann\u200d",
	"\u200dann", /* and at the ends */
	"\U0001f468\u200d",
	"\u200d\U0001f468",
	"\U0001f468\u200dann",
	"ann\ufe0f",
	"\ufe0fann", /* a style of nothing */
	"ann\u034f", /* COMBINING GRAPHEME JOINER */
	"\u3164",
	"\u115f",
	"\uffa0", /* fillers */
	"\u2800",
	"ann\u2800", /* BRAILLE PATTERN BLANK */
	"\ue000",
	"\U000f0000", /* private use */
	"\ufdd0",
	"\uffff",
	"\U0010ffff",                      /* never characters */
	"\u0378",                          /* unassigned */
	"\ufeffann",                       /* BYTE ORDER MARK */
	"\U000e0061ann",                   /* a tag */
	"\ufff9ann",                       /* interlinear annotation */
	"\u0301ann",                       /* a mark on nothing */
	"q\u0323\u0324\u0325\u0326\u0327", /* marks on marks */
	"ann ",
	" ann",
	"ann\u3000",
	"\u00a0ann",
	"ann\n",
	"a\tnn",
	"a\u2028nn",
	"a\xc2\x85nn",
	"\xff",
	"\xed\xa0\x80",
	"\xc0\x80",
};

static void test_people(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(people); i++) {
		struct str normal;
		assert_true(text_normalize(&arena, str_from(people[i]), &normal));
		if (!name_is_readable(&arena, normal))
			fail_msg("refused: %s", people[i]);
	}
}

static void test_tricks(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(tricks); i++) {
		struct str normal;
		if (text_normalize(&arena, str_from(tricks[i]), &normal) &&
		    name_is_readable(&arena, normal))
			fail_msg("taken: row %zu, %s", i, tricks[i]);
	}
}

static void test_normal_form(void **state)
{
	(void)state;
	static const char *const rows[][2] = {
		{"ann", "ann"},
		{"Zoe\u0308", "Zo\u00eb"},
		{"\u212b", "\u00c5"},                             /* ANGSTROM SIGN */
		{"\u1112\u1161\u11ab", "\ud55c"},                 /* Hangul */
		{"\U0001d160", "\U0001d158\U0001d165\U0001d16e"}, /* what NFC makes longest */
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct str normal;
		assert_true(text_normalize(&arena, str_from(rows[i][0]), &normal));
		assert_int_equal(normal.len, strlen(rows[i][1]));
		assert_memory_equal(normal.ptr, rows[i][1], normal.len);
	}
	struct str normal;
	assert_false(text_normalize(&arena, STR("\xc3"), &normal));
}

static void test_looks(void **state)
{
	(void)state;
	static const struct {
		const char *one, *other;
		bool is_same;
	} rows[] = {
		{"ann", "ann", true},
		{"ann", "AnN", true},
		{"ann", "\u0430nn", true}, /* Cyrillic a */
		{"ann", "\u0410NN", true},
		{"System", "\u0405ystem", true},
		{"System", "Sy\u0455tem", true},
		{"You", "\u03a5ou", false}, /* upsilon in small letters is no y */
		{"you", "\u0443ou", true},
		{"ann lee", "ann\u00a0lee", true},
		{"\u2764", "\u2764\ufe0f", true},
		{"stra\u00dfe", "STRASSE", true},
		{"modern", "rnodern", false}, /* plain ASCII */
		{"Iann", "lann", false},
		{"ann", "anna", false},
		{"ann", "\u00e4nn", false},
		{"\u5c71", "\u5ddd", false},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (name_looks_like(&arena, str_from(rows[i].one), str_from(rows[i].other)) !=
			    rows[i].is_same ||
		    name_looks_like(&arena, str_from(rows[i].other), str_from(rows[i].one)) !=
			    rows[i].is_same)
			fail_msg("%s, %s", rows[i].one, rows[i].other);
}

/* Whatever one character becomes, there is space for it. */
static void test_each_character(void **state)
{
	(void)state;
	for (uint32_t c = 0x80; c < 0x110000; c++) {
		char text[8];
		size_t len = 0;
		if (c >= 0xd800 && c < 0xe000)
			continue;
		if (c >= 0x10000)
			text[len++] = (char)(0xf0 | c >> 18);
		if (c >= 0x800)
			text[len] = (char)((c >= 0x10000 ? 0x80 : 0xe0) |
					   (c >> 12 & (c >= 0x10000 ? 0x3f : 0x0f))),
			len++;
		text[len] = (char)((len ? 0x80 : 0xc0) | (c >> 6 & (len ? 0x3f : 0x1f)));
		len++;
		text[len++] = (char)(0x80 | (c & 0x3f));
		struct str normal;
		assert_true(text_normalize(&arena, str_of(text, len), &normal));
		if (name_is_readable(&arena, normal))
			assert_true(name_looks_like(&arena, normal, str_of(text, len)));
		arena_reset(&arena);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_people, forget),
		cmocka_unit_test_teardown(test_tricks, forget),
		cmocka_unit_test_teardown(test_normal_form, forget),
		cmocka_unit_test_teardown(test_looks, forget),
		cmocka_unit_test_teardown(test_each_character, forget),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
