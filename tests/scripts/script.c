// SPDX-License-Identifier: MIT
/* script.c — see script.h: a file, line by line. */
#include "tests/scripts/grammar.h"

#include <stdio.h>

static const struct field *find(const struct sentence *s, const char *name)
{
	for (size_t i = 0; i < s->field_count; i++)
		if (str_equal(s->fields[i].name, str_from(name)))
			return &s->fields[i];
	return NULL;
}

struct str sentence_text(const struct sentence *s, const char *name)
{
	const struct field *f = find(s, name);
	return f ? f->text : (struct str){0};
}

bool sentence_has(const struct sentence *s, const char *name)
{
	return find(s, name) != NULL;
}

uint64_t sentence_number(const struct sentence *s, const char *name)
{
	struct str digits = sentence_text(s, name);
	uint64_t number = 0;
	for (size_t i = 0; i < digits.len; i++)
		number = number * 10 + (uint64_t)(digits.ptr[i] - '0');
	return number;
}

struct reading {
	struct script *script;
	struct grammar grammar;
	struct sentence *last;
	uint32_t line;
};

static bool complain(struct reading *r, const char *what, struct str about)
{
	snprintf(r->script->error, sizeof r->script->error, "%u: %s" STR_FMT, r->line, what,
		 STR_ARG(about));
	return false;
}

static bool is_deed(enum sentence_kind kind)
{
	return kind >= SENTENCE_arrive && kind <= SENTENCE_again;
}

/* The title first, then how many services, then the rest. */
static bool is_in_place(const struct reading *r, const struct sentence *s)
{
	if (s->kind == SENTENCE_story)
		return !r->last;
	if (s->kind == SENTENCE_with)
		return r->last &&
		       (r->last->kind == SENTENCE_story || r->last->kind == SENTENCE_with);
	return r->last;
}

static bool read_sentence(struct reading *r, const struct words *words, bool is_with_next)
{
	struct sentence *s = arena_alloc(&r->script->arena, sizeof *s);
	size_t furthest = 0;
	*s = (struct sentence){.line = r->line, .is_with_next = is_with_next};
	if (!grammar_match(&r->grammar, words, &r->script->arena, s, &furthest))
		return furthest < words->count
			       ? complain(r,
					  "no sentence goes on with: ", words->list[furthest].text)
			       : complain(r, "the sentence is not complete", (struct str){0});
	if (!is_in_place(r, s))
		return complain(r, "a script begins with its story, then what it is played with",
				(struct str){0});
	bool is_joined = is_with_next || (r->last && r->last->is_with_next);
	if (is_joined && !is_deed(s->kind))
		return complain(r, "only what people do stands between commas", (struct str){0});
	*(r->last ? &r->last->next : &r->script->first) = s;
	r->last = s;
	return true;
}

/* `ann joins hall, says "hi" in hall` is two sentences of ann. */
static bool read_line(struct reading *r, struct str text)
{
	static struct words all, one;
	if (!words_split(&all, text))
		return complain(r, "a quote has no end, or the line is too long", (struct str){0});
	for (size_t at = 0; at < all.count;) {
		one.count = 0;
		if (at > 0)
			one.list[one.count++] = all.list[0];
		for (; at < all.count && one.count < TOKENS_MAX; at++) {
			if (all.list[at].kind == TOKEN_SIGN && all.list[at].text.ptr[0] == ',')
				break;
			one.list[one.count++] = all.list[at];
		}
		bool is_comma = at < all.count;
		if (!read_sentence(r, &one, is_comma))
			return false;
		at += is_comma;
		if (is_comma && at == all.count)
			return complain(r, "nothing stands behind the comma", (struct str){0});
	}
	return true;
}

bool script_read(struct script *script, const char *grammar_path, const char *path)
{
	struct reading r = {.script = script, .line = 1};
	struct str bytes = file_read(path);
	*script = (struct script){0};
	bool is_good = grammar_read(&r.grammar, grammar_path, script->error, sizeof script->error);
	struct str text = arena_copy(&script->arena, bytes);
	for (size_t at = 0; is_good && at < text.len; r.line++) {
		const char *from = text.ptr + at;
		const char *end = memchr(from, '\n', text.len - at);
		size_t len = end ? (size_t)(end - from) : text.len - at;
		is_good = read_line(&r, str_of(from, len));
		at += len + 1;
	}
	if (is_good && !script->first)
		is_good = complain(&r, "it is empty, or cannot be read", (struct str){0});
	grammar_free(&r.grammar);
	str_free(&bytes);
	return is_good;
}

void script_free(struct script *script)
{
	arena_free(&script->arena);
}
