// SPDX-License-Identifier: MIT
/* json_text.c — see json_text.h. One pass over the bytes; what is replaced has the length of what
 * stood there. */
#include "gateway/core/json_text.h"

#include <stdlib.h>

enum { ESCAPE_BYTES = 6, NO_UNIT = 0x10000, HUGE_DIGITS = 300, EXPONENT_MAX = 1000000 };
enum { ID_TEXT_MAX = 31 };

struct scan {
	struct arena *arena; /* NULL: nothing is replaced */
	struct str text;
	char *copy; /* NULL: nothing was replaced yet */
	size_t at;
	size_t depth;
	bool is_object[JSON_DEPTH_MAX];
	bool is_name_next; /* the next string names a member */
	bool is_data;      /* what opens next, or is open at depth 2, is "data" */
	size_t commas;     /* at depth 1 */
};

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static void replace(struct scan *s, size_t at, const char *with, size_t len)
{
	if (!s->arena)
		return;
	if (!s->copy) {
		s->copy = arena_alloc(s->arena, s->text.len);
		memcpy(s->copy, s->text.ptr, s->text.len);
	}
	memcpy(s->copy + at, with, len);
}

/* The UTF-16 unit of the \uXXXX that stands at `at`. */
static uint32_t unit_at(struct str text, size_t at)
{
	uint32_t unit = 0;
	if (at + ESCAPE_BYTES > text.len || text.ptr[at] != '\\' || text.ptr[at + 1] != 'u')
		return NO_UNIT;
	for (size_t i = at + 2; i < at + ESCAPE_BYTES; i++) {
		char c = text.ptr[i];
		char lower = (char)(c | 0x20);
		if (is_digit(c))
			unit = unit * 16 + (uint32_t)(c - '0');
		else if (lower >= 'a' && lower <= 'f')
			unit = unit * 16 + (uint32_t)(lower - 'a' + 10);
		else
			return NO_UNIT;
	}
	return unit;
}

static bool is_first_half(uint32_t unit)
{
	return unit >= 0xd800 && unit < 0xdc00;
}

static bool is_second_half(uint32_t unit)
{
	return unit >= 0xdc00 && unit < 0xe000;
}

/* An escape in a string; what follows the backslash is skipped with it. */
static void scan_escape(struct scan *s, bool is_name)
{
	uint32_t unit = unit_at(s->text, s->at);
	if (unit == NO_UNIT) {
		s->at += 2;
	} else if (is_first_half(unit) && is_second_half(unit_at(s->text, s->at + ESCAPE_BYTES))) {
		s->at += 2 * (size_t)ESCAPE_BYTES;
	} else {
		if (is_first_half(unit) || is_second_half(unit) || (unit == 0 && is_name))
			replace(s, s->at, "\\ufffd", ESCAPE_BYTES);
		s->at += ESCAPE_BYTES;
	}
}

/* From behind the opening quote to behind the closing one; what is between them. */
static struct str scan_string(struct scan *s, bool is_name)
{
	size_t begin = s->at;
	while (s->at < s->text.len && s->text.ptr[s->at] != '"') {
		if (s->text.ptr[s->at] == '\\')
			scan_escape(s, is_name);
		else
			s->at++;
	}
	size_t end = s->at < s->text.len ? s->at : s->text.len;
	s->at = end + 1;
	return str_of(s->text.ptr + begin, end - begin);
}

/* Whether a number is 10^HUGE_DIGITS or more, by the place of its first digit that is not 0. */
static bool is_huge(struct str number)
{
	int64_t digits = 0, exponent = 0;
	bool is_zero = true, is_fraction = false, is_negative = false;
	size_t i = 0;
	for (; i < number.len && (number.ptr[i] | 0x20) != 'e'; i++) {
		char c = number.ptr[i];
		is_fraction = is_fraction || c == '.';
		if (!is_digit(c))
			continue;
		is_zero = is_zero && c == '0';
		if (!is_zero && !is_fraction)
			digits++;
		else if (is_zero && is_fraction)
			digits--;
	}
	for (; i < number.len; i++) {
		is_negative = is_negative || number.ptr[i] == '-';
		if (is_digit(number.ptr[i]) && exponent < EXPONENT_MAX)
			exponent = exponent * 10 + (number.ptr[i] - '0');
	}
	return !is_zero && digits + (is_negative ? -exponent : exponent) > HUGE_DIGITS;
}

static void skip_digits(struct scan *s)
{
	while (s->at < s->text.len && is_digit(s->text.ptr[s->at]))
		s->at++;
}

/* Whether one of these stands here; it is skipped. */
static bool skip_one(struct scan *s, char a, char b)
{
	bool is_there = s->at < s->text.len && (s->text.ptr[s->at] == a || s->text.ptr[s->at] == b);
	s->at += is_there;
	return is_there;
}

/* No further than the grammar goes, so that what is no number does not become one. */
static struct str scan_number(struct scan *s)
{
	size_t begin = s->at;
	(void)skip_one(s, '-', '-');
	if (!skip_one(s, '0', '0'))
		skip_digits(s);
	size_t end = s->at;
	if (skip_one(s, '.', '.')) {
		size_t fraction = s->at;
		skip_digits(s);
		if (s->at == fraction)
			s->at = end;
		end = s->at;
	}
	if (skip_one(s, 'e', 'E')) {
		(void)skip_one(s, '+', '-');
		size_t exponent = s->at;
		skip_digits(s);
		if (s->at == exponent)
			s->at = end;
	}
	return str_of(s->text.ptr + begin, s->at - begin);
}

static void mend_number(struct scan *s)
{
	size_t begin = s->at;
	if (!is_huge(scan_number(s)))
		return;
	replace(s, begin, "-1", 2);
	for (size_t i = begin + 2; i < s->at; i++)
		replace(s, i, " ", 1);
}

static void scan_name(struct scan *s, struct json_outline *outline)
{
	struct str name = scan_string(s, true);
	s->is_name_next = false;
	if (s->depth == 1) {
		outline->members++;
		s->is_data = str_equal(name, STR("data"));
	} else if (s->depth == 2 && s->is_data) {
		outline->data_members++;
	}
}

static void scan_comma(struct scan *s)
{
	s->is_name_next = s->depth > 0 && s->is_object[s->depth - 1];
	if (s->depth == 1) {
		s->commas++;
		s->is_data = !s->is_object[0] && s->commas == 1;
	}
}

struct str json_text_mend(struct arena *a, struct str text, struct json_outline *outline)
{
	struct scan s = {.arena = a, .text = text};
	*outline = (struct json_outline){0};
	while (s.at < text.len) {
		char c = text.ptr[s.at];
		if (is_digit(c) || c == '-') {
			mend_number(&s);
			continue;
		}
		s.at++;
		if (c == '"' && s.is_name_next) {
			scan_name(&s, outline);
		} else if (c == '"') {
			(void)scan_string(&s, false);
		} else if (c == ',') {
			scan_comma(&s);
		} else if (c == '{' || c == '[') {
			if (s.depth == JSON_DEPTH_MAX) {
				outline->is_too_deep = true;
				return text;
			}
			s.is_object[s.depth++] = s.is_name_next = c == '{';
		} else if ((c == '}' || c == ']') && s.depth) {
			s.depth--;
			s.is_name_next = false;
		}
	}
	return s.copy ? str_of(s.copy, text.len) : text;
}

bool json_whole(double number, uint64_t *n)
{
	bool is_whole = number >= 0 && number < (double)JSON_WHOLE_END &&
			(double)(uint64_t)number == number;
	if (is_whole)
		*n = (uint64_t)number;
	return is_whole;
}

static void skip_space(struct scan *s)
{
	while (s->at < s->text.len && is_space(s->text.ptr[s->at]))
		s->at++;
}

/* The whole number behind a colon. */
static bool read_id(struct scan *s, uint64_t *id)
{
	char terminated[ID_TEXT_MAX + 1] = "";
	skip_space(s);
	if (!skip_one(s, ':', ':'))
		return false;
	skip_space(s);
	struct str number = scan_number(s);
	if (number.len == 0 || number.len > ID_TEXT_MAX || !is_digit(number.ptr[number.len - 1]))
		return false;
	memcpy(terminated, number.ptr, number.len);
	skip_space(s);
	return skip_one(s, ',', '}') && json_whole(strtod(terminated, NULL), id);
}

bool json_text_find_id(struct str text, uint64_t *id)
{
	struct scan s = {.text = text};
	size_t depth = 0;
	while (s.at < text.len) {
		char c = text.ptr[s.at++];
		if (c == '{' || c == '[') {
			depth++;
		} else if (c == '}' || c == ']') {
			depth -= depth > 0;
		} else if (c == '"') {
			struct str string = scan_string(&s, false);
			if (depth == 1 && str_equal(string, STR("id")) && read_id(&s, id))
				return true;
		}
	}
	return false;
}
