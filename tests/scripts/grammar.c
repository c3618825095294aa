// SPDX-License-Identifier: MIT
/* grammar.c — see grammar.h: grammar.txt, and one sentence against one pattern of it. */
#include "tests/scripts/grammar.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

enum { WORD_LEN_MAX = 100, GRAMMAR_LINES_MAX = 200 };

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
	struct str copy = ferror(file) ? (struct str){0} : str_copy(buf_view(&bytes));
	fclose(file);
	buf_free(&bytes);
	return copy;
}

/* ---- words ---- */

static bool is_sign(char c)
{
	return c == ',' || c == ':' || c == '[' || c == ']';
}

static bool is_quote(char c)
{
	return c == '"' || c == '\'';
}

static size_t word_end(struct str line, size_t at)
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

static bool is_word(const struct words *words, size_t at, const char *literal)
{
	return at < words->count && words->list[at].kind != TOKEN_QUOTED &&
	       str_equal(words->list[at].text, str_from(literal));
}

static bool is_quoted(const struct words *words, size_t at)
{
	return at < words->count && words->list[at].kind == TOKEN_QUOTED;
}

/* ---- TEXTS, USERS, FOUND ---- */

static void texts_add(struct arena *arena, struct texts *texts, struct str text)
{
	struct str *list = arena_alloc(arena, (texts->count + 1) * sizeof *list);
	if (texts->count)
		memcpy(list, texts->list, texts->count * sizeof *list);
	list[texts->count++] = text;
	texts->list = list;
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
	while (is_quoted(w, at)) {
		if (is_word(w, at + 1, "to") && is_quoted(w, at + 2)) {
			if (!texts_add_range(arena, texts, w->list[at].text, w->list[at + 2].text))
				return 0;
			at += 3;
		} else {
			texts_add(arena, texts, w->list[at].text);
			at++;
		}
		if (!is_word(w, at, "and") || !is_quoted(w, at + 1))
			return at;
		at++;
	}
	return 0;
}

static size_t match_found(const struct words *w, size_t at, struct arena *arena,
			  struct texts *texts)
{
	if (is_word(w, at, "anew")) {
		texts->is_anew = true;
		at++;
	}
	if (is_word(w, at, "nothing"))
		return at + 1;
	if (is_word(w, at, "whatever")) {
		texts->is_any = true;
		return at + 1;
	}
	at = match_texts(w, at, arena, texts);
	if (at && is_word(w, at, "and") && is_word(w, at + 1, "more")) {
		texts->has_more = true;
		at += 2;
	}
	return at;
}

/* ---- patterns ---- */

struct match {
	const struct grammar *grammar;
	const struct words *words;
	struct arena *arena;
	struct sentence *sentence;
	size_t furthest;
};

static bool is_capture(const struct token *t)
{
	return t->kind == TOKEN_WORD && isupper((unsigned char)t->text.ptr[0]);
}

static bool fits(const struct match *m, struct str name, size_t at)
{
	char text[WORD_LEN_MAX];
	const struct token *token = &m->words->list[at];
	if (at >= m->words->count || token->kind != TOKEN_WORD || token->text.len >= sizeof text)
		return false;
	memcpy(text, token->text.ptr, token->text.len);
	text[token->text.len] = '\0';
	for (size_t i = 0; i < m->grammar->word_count; i++)
		if (str_equal(m->grammar->words[i].name, name))
			return regexec(&m->grammar->words[i].pattern, text, 0, NULL, 0) == 0;
	return false;
}

static size_t match_users(struct match *m, size_t at)
{
	while (fits(m, STR("USER"), at)) {
		texts_add(m->arena, &m->sentence->texts, m->words->list[at].text);
		if (!is_word(m->words, at + 1, "and"))
			return at + 1;
		at += 2;
	}
	return 0;
}

static size_t match_capture(struct match *m, struct str name, size_t at)
{
	struct texts *texts = &m->sentence->texts;
	if (str_equal(name, STR("TEXTS")))
		return match_texts(m->words, at, m->arena, texts);
	if (str_equal(name, STR("FOUND")))
		return match_found(m->words, at, m->arena, texts);
	if (str_equal(name, STR("USERS")))
		return match_users(m, at);
	if (str_equal(name, STR("TEXT")))
		return is_quoted(m->words, at) ? at + 1 : 0;
	return fits(m, name, at) ? at + 1 : 0;
}

/* The grammar is forgotten before the sentence. */
static void add_field(struct match *m, struct str name, struct str text)
{
	struct sentence *s = m->sentence;
	CHECK(s->field_count < FIELDS_MAX);
	s->fields[s->field_count++] = (struct field){arena_copy(m->arena, name), text};
}

/* Elements from `from` to `to`, without brackets among them, against the words from `at`. Returns
 * the first word behind, or 0. */
static size_t match_run(struct match *m, const struct words *pattern, size_t from, size_t to,
			size_t at, bool is_optional)
{
	struct str name = {0};
	for (size_t i = from; i < to; i++) {
		const struct token *element = &pattern->list[i];
		if (at > m->furthest)
			m->furthest = at;
		if (is_capture(element)) {
			size_t end = match_capture(m, element->text, at);
			if (!end)
				return 0;
			if (!is_optional)
				name = element->text;
			add_field(m, name, m->words->list[at].text);
			at = end;
		} else {
			if (at >= m->words->count || m->words->list[at].kind == TOKEN_QUOTED ||
			    !str_equal(m->words->list[at].text, element->text))
				return 0;
			name = element->text;
			at++;
		}
	}
	if (is_optional && !is_capture(&pattern->list[to - 1]))
		add_field(m, name, (struct str){0});
	return at;
}

static size_t bracket(const struct words *pattern, size_t at, const char *sign)
{
	while (at < pattern->count && !is_word(pattern, at, sign))
		at++;
	return at;
}

static bool match_pattern(struct match *m, const struct words *pattern)
{
	size_t at = 0;
	for (size_t i = 0; i < pattern->count;) {
		size_t open = bracket(pattern, i, "[");
		if (open > i) {
			at = match_run(m, pattern, i, open, at, false);
			if (!at)
				return false;
			i = open;
			continue;
		}
		size_t close = bracket(pattern, open, "]");
		struct sentence before = *m->sentence;
		size_t end = match_run(m, pattern, open + 1, close, at, true);
		if (end)
			at = end;
		else
			*m->sentence = before;
		i = close + 1;
	}
	if (at > m->furthest)
		m->furthest = at;
	return at == m->words->count;
}

bool grammar_match(const struct grammar *g, const struct words *words, struct arena *arena,
		   struct sentence *s, size_t *furthest)
{
	struct match m = {.grammar = g, .words = words, .arena = arena, .sentence = s};
	const struct sentence blank = *s;
	for (int kind = 0; kind < SENTENCE_KINDS; kind++) {
		*s = blank;
		s->kind = (enum sentence_kind)kind;
		if (match_pattern(&m, &g->sentences[kind]))
			return true;
	}
	*furthest = m.furthest;
	return false;
}

/* ---- grammar.txt ---- */

static int kind_named(struct str name)
{
	static const char *const names[] = {
#define S(sentence) #sentence,
		SENTENCES(S)
#undef S
	};
	for (int i = 0; i < SENTENCE_KINDS; i++)
		if (str_equal(name, str_from(names[i])))
			return i;
	return -1;
}

/* `NAME expression`: what a word may look like. */
static bool read_word(struct grammar *g, struct str name, struct str expression)
{
	char pattern[WORD_LEN_MAX];
	while (expression.len && isspace((unsigned char)expression.ptr[0]))
		expression = str_of(expression.ptr + 1, expression.len - 1);
	if (g->word_count == WORDS_MAX)
		return false;
	snprintf(pattern, sizeof pattern, "^(" STR_FMT ")$", STR_ARG(expression));
	struct word *word = &g->words[g->word_count];
	word->name = name;
	if (regcomp(&word->pattern, pattern, REG_EXTENDED | REG_NOSUB) != 0)
		return false;
	g->word_count++;
	return true;
}

static bool read_line(struct grammar *g, struct str line)
{
	struct str name = str_of(line.ptr, word_end(line, 0));
	struct str rest = str_of(line.ptr + name.len, line.len - name.len);
	if (!line.len || line.ptr[0] == '#')
		return true;
	if (isupper((unsigned char)line.ptr[0]))
		return read_word(g, name, rest);
	int kind = kind_named(name);
	return kind >= 0 && words_split(&g->sentences[kind], rest) && g->sentences[kind].count;
}

bool grammar_read(struct grammar *g, const char *path, char *error, size_t error_size)
{
	*g = (struct grammar){.bytes = file_read(path)};
	size_t line = 0;
	for (size_t at = 0; at < g->bytes.len;) {
		const char *from = g->bytes.ptr + at;
		const char *end = memchr(from, '\n', g->bytes.len - at);
		size_t len = end ? (size_t)(end - from) : g->bytes.len - at;
		line++;
		if (!read_line(g, str_of(from, len))) {
			snprintf(error, error_size, "%s:%zu: not known here", path, line);
			return false;
		}
		at += len + 1;
	}
	for (int kind = 0; kind < SENTENCE_KINDS; kind++)
		if (!g->sentences[kind].count) {
			snprintf(error, error_size, "%s lacks sentence %d", path, kind);
			return false;
		}
	return true;
}

void grammar_free(struct grammar *g)
{
	for (size_t i = 0; i < g->word_count; i++)
		regfree(&g->words[i].pattern);
	str_free(&g->bytes);
}
