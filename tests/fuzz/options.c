// SPDX-License-Identifier: MIT
/* options.c — fuzz target: what people write as flags, environment and file. Each line of the input
 * is one piece, by its first byte: f a flag's word, e a variable, else a line of the file.
 *
 * The end of the process comes back here by the linker's --wrap, and so do the texts that would
 * live as long as the process. */
#include "proto/shell/options.h"

#include "proto/shell/busio.h"

#include <ini.h>
#include <setjmp.h>
#include <stdlib.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
_Noreturn void __real_exit(int status);
_Noreturn void __wrap_exit(int status);
void *__real_mem_alloc(size_t bytes);
void *__wrap_mem_alloc(size_t bytes);
void __real_mem_free(void *ptr);
void __wrap_mem_free(void *ptr);
struct str __real_str_copy(struct str s);
struct str __wrap_str_copy(struct str s);
int __wrap_ini_parse(const char *filename, ini_handler handler, void *user);

enum { WORDS_MAX = 32, KEPT_MAX = 4096, NUMBER_MIN = 2, NUMBER_MAX = 99 };

struct target {
	const char *text, *must, *address;
	struct address_list list;
	uint64_t number, port;
	unsigned level;
	bool is_on;
};

#define OPTION(option, kind, member) OPTION_ROW(option, kind, struct target, member)

static const struct option_row rows[] = {
	{OPTION("text", TEXT, text), .fallback = "words", .help = "any text"},
	{OPTION("must", TEXT, must), .help = "what must be given"},
	{OPTION("bind", ADDRESS, address), .is_own = true, .fallback = "", .help = "an address"},
	{OPTION("list", ADDRESSES, list), .fallback = "ipc:///a", .help = "addresses"},
	{OPTION("the-number", NUMBER, number), .fallback = "5", .min = NUMBER_MIN,
	 .max = NUMBER_MAX, .is_limit = true, .help = "a number"},
	{OPTION("port", NUMBER, port), .fallback = "0", .max = UINT64_MAX, .help = "another"},
	{OPTION("level", CHOICE, level), .fallback = "low", .choices = "low|middle|high",
	 .former = "down|amid|up", .help = "a word"},
	{OPTION("switch", SWITCH, is_on), .fallback = "no", .help = "on or off"},
};

static const struct program program = {"parlor-test", "is tested", rows, ARRAY_LEN(rows), NULL};

/* ---- what the linker gives us instead ---- */

static jmp_buf at_exit;
static bool is_loading;
static void *kept[KEPT_MAX];
static size_t kept_count;
static struct buf file;

void __wrap_exit(int status)
{
	if (!is_loading)
		__real_exit(status);
	CHECK(status == 0 || status == 2);
	longjmp(at_exit, 1);
}

static void *keep(void *ptr)
{
	CHECK(kept_count < KEPT_MAX);
	kept[kept_count++] = ptr;
	return ptr;
}

void *__wrap_mem_alloc(size_t bytes)
{
	void *ptr = __real_mem_alloc(bytes);
	return is_loading ? keep(ptr) : ptr;
}

struct str __wrap_str_copy(struct str s)
{
	struct str copy = __real_str_copy(s);
	if (is_loading)
		keep((void *)(uintptr_t)copy.ptr);
	return copy;
}

void __wrap_mem_free(void *ptr)
{
	for (size_t i = 0; i < kept_count; i++)
		if (ptr && kept[i] == ptr)
			kept[i] = kept[--kept_count];
	__real_mem_free(ptr);
}

/* One file is there, and one cannot be read. */
int __wrap_ini_parse(const char *filename, ini_handler handler, void *user)
{
	return strcmp(filename, "none") == 0 ? -1 : ini_parse_string(file.ptr, handler, user);
}

/* ---- the input ---- */

struct words {
	char *flags[WORDS_MAX + 2], *variables[WORDS_MAX + 1];
	int flag_count;
	size_t variable_count;
};

static void take_line(struct words *w, char *line)
{
	if (*line == 'f' && w->flag_count <= WORDS_MAX) {
		w->flags[w->flag_count++] = line + 1;
	} else if (*line == 'e' && w->variable_count < WORDS_MAX && strchr(line, '=')) {
		w->variables[w->variable_count++] = line + 1;
	} else {
		buf_str(&file, str_from(line));
		BUF_LIT(&file, "\n");
	}
}

static void check(const struct target *t)
{
	char url[512];
	CHECK(t->text && t->must && t->address);
	CHECK(t->number >= NUMBER_MIN && t->number <= NUMBER_MAX && t->level < 3);
	CHECK(t->list.count > 0 && t->list.count <= ARRAY_LEN(t->list.at));
	CHECK(!*t->address || endpoint_url(t->address, ENDPOINT_DOWN, url, sizeof url));
	for (uint32_t i = 0; i < t->list.count; i++)
		CHECK(endpoint_url(t->list.at[i], ENDPOINT_READ, url, sizeof url));
}

static void load(struct words *w)
{
	struct target target = {0};
	char **before = environ;
	environ = w->variables;
	is_loading = true;
	if (setjmp(at_exit) == 0) {
		options_load(&program, w->flag_count, w->flags, &target);
		check(&target);
	}
	is_loading = false;
	environ = before;
	while (kept_count)
		__real_mem_free(kept[--kept_count]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char name[] = "parlor-test";
	struct words w = {.flags = {name}, .flag_count = 1};
	struct buf text = {0};
	buf_append(&text, data, size);
	buf_append(&text, "", 1);
	char *rest = NULL;
	for (char *line = strtok_r(text.ptr, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
		take_line(&w, line);
	buf_append(&file, "", 1);
	load(&w);
	buf_free(&file);
	buf_free(&text);
	return 0;
}
