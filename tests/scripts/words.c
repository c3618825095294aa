// SPDX-License-Identifier: MIT
/* words.c — see words.h. */
#include "tests/scripts/words.h"

#include <ctype.h>
#include <stdio.h>

struct str file_read(const char *path)
{
	struct buf bytes = {0};
	char chunk[4096];
	size_t got;
	FILE *file = fopen(path, "r");
	if (!file)
		return (struct str){0};
	while ((got = fread(chunk, 1, sizeof chunk, file)) > 0)
		buf_append(&bytes, chunk, got);
	struct str copy = !ferror(file) ? str_copy(buf_view(&bytes)) : (struct str){0};
	fclose(file);
	buf_free(&bytes);
	return copy;
}

static bool is_sign(char c)
{
	return c == ',' || c == ':' || c == '[' || c == ']';
}

static bool is_quote(char c)
{
	return c == '"' || c == '\'';
}

size_t word_end(struct str line, size_t at)
{
	while (at < line.len && !isspace((unsigned char)line.ptr[at]) && !is_sign(line.ptr[at]) &&
	       !is_quote(line.ptr[at]))
		at++;
	return at;
}

bool words_split(struct words *words, struct str line)
{
	words->count = 0;
	for (size_t at = 0; at < line.len;) {
		const char *from = line.ptr + at;
		if (isspace((unsigned char)*from)) {
			at++;
			continue;
		}
		if (*from == '#')
			return true;
		if (words->count == TOKENS_MAX)
			return false;
		struct token *token = &words->list[words->count++];
		if (is_sign(*from)) {
			*token = (struct token){TOKEN_SIGN, str_of(from, 1)};
			at++;
		} else if (is_quote(*from)) {
			const char *end = memchr(from + 1, *from, line.len - at - 1);
			if (!end)
				return false;
			*token = (struct token){TOKEN_QUOTED,
						str_of(from + 1, (size_t)(end - from) - 1)};
			at += token->text.len + 2;
		} else {
			size_t end = word_end(line, at);
			*token = (struct token){TOKEN_WORD, str_of(from, end - at)};
			at = end;
		}
	}
	return true;
}

bool words_have(const struct words *words, size_t at, const char *literal)
{
	return at < words->count && words->list[at].kind != TOKEN_QUOTED &&
	       str_equal(words->list[at].text, str_from(literal));
}

bool words_have_quote(const struct words *words, size_t at)
{
	return at < words->count && words->list[at].kind == TOKEN_QUOTED;
}

/* ---- TEXTS, FOUND ---- */

void texts_add(struct arena *arena, struct texts *texts, struct str text)
{
	bool is_full = (texts->count & (texts->count - 1)) == 0; /* at each power of two */
	if (is_full) {
		struct str *list = arena_alloc(arena, (2 * texts->count + 1) * sizeof *list);
		if (texts->count)
			memcpy(list, texts->list, texts->count * sizeof *list);
		texts->list = list;
	}
	texts->list[texts->count++] = text;
}

/* The number at the end of a text, and what stands before it. */
static bool split_number(struct str text, struct str *stem, uint64_t *number)
{
	size_t digits = 0;
	while (digits < text.len && isdigit((unsigned char)text.ptr[text.len - digits - 1]))
		digits++;
	*stem = str_of(text.ptr, text.len - digits);
	*number = 0;
	for (size_t i = stem->len; i < text.len; i++)
		*number = *number * 10 + (uint64_t)(text.ptr[i] - '0');
	return digits > 0 && digits < 7;
}

/* "note 3" to "note 9": each of them. */
static bool texts_add_range(struct arena *arena, struct texts *texts, struct str from,
			    struct str to)
{
	struct str stem, other;
	uint64_t first, last;
	if (!split_number(from, &stem, &first) || !split_number(to, &other, &last) ||
	    !str_equal(stem, other) || first > last)
		return false;
	for (uint64_t n = first; n <= last; n++) {
		struct buf text = {0};
		buf_str(&text, stem);
		buf_u64(&text, n);
		texts_add(arena, texts, arena_copy(arena, buf_view(&text)));
		buf_free(&text);
	}
	return true;
}

/* Each returns the first word behind, or 0 when there is none of the kind. */
static size_t match_texts(const struct words *w, size_t at, struct arena *arena,
			  struct texts *texts)
{
	while (words_have_quote(w, at)) {
		if (words_have(w, at + 1, "to") && words_have_quote(w, at + 2)) {
			if (!texts_add_range(arena, texts, w->list[at].text, w->list[at + 2].text))
				return 0;
			at += 3;
		} else {
			texts_add(arena, texts, w->list[at].text);
			at++;
		}
		if (!words_have(w, at, "and") || !words_have_quote(w, at + 1))
			return at;
		at++;
	}
	return 0;
}

/* `of 600 bytes`: dots make each of them so long. */
static size_t match_length(const struct words *w, size_t at, struct arena *arena,
			   struct texts *texts)
{
	struct str stem, digits;
	uint64_t bytes;
	if (!at || !words_have(w, at, "of") || !words_have(w, at + 2, "bytes"))
		return at;
	digits = w->list[at + 1].text;
	if (!split_number(digits, &stem, &bytes) || stem.len)
		return 0;
	for (size_t i = 0; i < texts->count; i++) {
		struct str text = texts->list[i];
		if (text.len >= bytes)
			continue;
		char *padded = arena_alloc(arena, bytes);
		memcpy(padded, text.ptr, text.len);
		memset(padded + text.len, '.', bytes - text.len);
		texts->list[i] = str_of(padded, bytes);
	}
	return at + 3;
}

size_t words_take_found(const struct words *w, size_t at, struct arena *arena, struct texts *texts)
{
	if (words_have(w, at, "anew")) {
		texts->is_anew = true;
		at++;
	}
	if (words_have(w, at, "nothing"))
		return at + 1;
	if (words_have(w, at, "whatever")) {
		texts->is_any = true;
		return at + 1;
	}
	at = match_texts(w, at, arena, texts);
	if (at && words_have(w, at, "and") && words_have(w, at + 1, "more")) {
		texts->has_more = true;
		at += 2;
	}
	return at;
}

size_t words_take_texts(const struct words *w, size_t at, struct arena *arena, struct texts *texts)
{
	return match_length(w, match_texts(w, at, arena, texts), arena, texts);
}
