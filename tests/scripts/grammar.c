// SPDX-License-Identifier: MIT
/* grammar.c — see grammar.h: grammar.txt, and one sentence against one pattern of it. */
#include "tests/scripts/grammar.h"

#include <ctype.h>
#include <stdio.h>

enum { WORD_LEN_MAX = 100 };

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
		if (!words_have(m->words, at + 1, "and"))
			return at + 1;
		at += 2;
	}
	return 0;
}

static size_t match_capture(struct match *m, struct str name, size_t at)
{
	struct texts *texts = &m->sentence->texts;
	if (str_equal(name, STR("TEXTS")))
		return words_take_texts(m->words, at, m->arena, texts);
	if (str_equal(name, STR("FOUND")))
		return words_take_found(m->words, at, m->arena, texts);
	if (str_equal(name, STR("USERS")))
		return match_users(m, at);
	if (str_equal(name, STR("TEXT")))
		return words_have_quote(m->words, at) ? at + 1 : 0;
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
	while (at < pattern->count && !words_have(pattern, at, sign))
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
