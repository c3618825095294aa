// SPDX-License-Identifier: MIT
/* options.c — see options.h. The file format is inih's. */
#include "proto/shell/options.h"

#include "proto/shell/busio.h"
#include "proto/shell/help.h"
#include "proto/shell/log.h"
#include "proto/version.h"

#include <ctype.h>
#include <errno.h>
#include <ini.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static PRINTF_LIKE(2, 0) void say(const char *program, const char *fmt, va_list args)
{
	fprintf(stderr, "%s%s: ", log_priority(LOG_ERROR), program);
	vfprintf(stderr, fmt, args);
	fputc('\n', stderr);
}

void fail_usage(const char *program, const char *fmt, ...)
{
	va_list args;
	va_start(args, fmt);
	say(program, fmt, args);
	va_end(args);
	exit(2);
}

void fail_system(const char *program, const char *fmt, ...)
{
	va_list args;
	va_start(args, fmt);
	say(program, fmt, args);
	va_end(args);
	exit(1);
}

enum { NO_CHOICE = -1 };

/* Which of "one|two|…" the value is. */
static int choice_of(const char *choices, const char *value)
{
	size_t len = strlen(value);
	for (int i = 0; choices && len; i++) {
		if (strcspn(choices, "|") == len && strncmp(choices, value, len) == 0)
			return i;
		choices = strchr(choices, '|');
		if (choices)
			choices++;
	}
	return NO_CHOICE;
}

static struct str choice_at(const char *choices, int index)
{
	for (; index > 0; index--)
		choices = strchr(choices, '|') + 1;
	return str_of(choices, strcspn(choices, "|"));
}

static unsigned read_choice(const struct program *p, const struct option_row *row,
			    const char *value)
{
	int choice = choice_of(row->choices, value);
	if (choice != NO_CHOICE)
		return (unsigned)choice;
	choice = choice_of(row->former, value);
	if (choice == NO_CHOICE)
		fail_usage(p->name, "--%s: '%s' is not one of %s", row->name, value, row->choices);
	fprintf(stderr, "%s%s: --%s: '%s' is called '" STR_FMT "' now\n", log_priority(LOG_WARN),
		p->name, row->name, value, STR_ARG(choice_at(row->choices, choice)));
	return (unsigned)choice;
}

static void check_address(const struct program *p, const struct option_row *row,
			  const char *address)
{
	char url[512];
	if (!endpoint_url(address, ENDPOINT_DOWN, url, sizeof url))
		fail_usage(p->name,
			   "--%s: '%s' is not an address: ipc:///path (107 bytes at most with its "
			   "suffix) or tls+tcp://host:port",
			   row->name, address);
}

static void read_addresses(const struct program *p, const struct option_row *row, const char *value,
			   struct address_list *list)
{
	list->count = (uint32_t)options_split(value, list->at, ARRAY_LEN(list->at));
	if (list->count == 0)
		fail_usage(p->name, "--%s: give 1 to %zu addresses", row->name,
			   ARRAY_LEN(list->at));
	for (size_t i = 0; i < list->count; i++)
		check_address(p, row, list->at[i]);
}

static void set(const struct program *p, const struct option_row *row, const char *value,
		void *target)
{
	void *field = (char *)target + row->offset;
	switch (row->kind) {
	case OPTION_NUMBER: {
		char *end = NULL;
		errno = 0;
		unsigned long long n = strtoull(value, &end, 10);
		if (errno || !isdigit((unsigned char)value[0]) || *end || n < row->min ||
		    n > row->max)
			fail_usage(p->name,
				   "--%s: '%s' is not a number from %" PRIu64 " to %" PRIu64,
				   row->name, value, row->min, row->max);
		*(uint64_t *)field = n;
		return;
	}
	case OPTION_CHOICE:
		*(unsigned *)field = read_choice(p, row, value);
		return;
	case OPTION_SWITCH:
		if (choice_of("no|yes", value) == NO_CHOICE)
			fail_usage(p->name, "--%s: '%s' is neither yes nor no", row->name, value);
		*(bool *)field = choice_of("no|yes", value) == 1;
		return;
	case OPTION_ADDRESSES:
		read_addresses(p, row, value, field);
		return;
	case OPTION_ADDRESS:
		if (*value || !row->fallback)
			check_address(p, row, value);
		break;
	case OPTION_TEXT:
		break;
	}
	*(const char **)field = str_copy(str_from(value)).ptr;
}

static const struct option_row *row_named(const struct program *p, const char *name, size_t len)
{
	for (size_t i = 0; i < p->row_count; i++)
		if (strlen(p->rows[i].name) == len && strncmp(p->rows[i].name, name, len) == 0)
			return &p->rows[i];
	return NULL;
}

void option_variable(struct buf *b, const char *owner, const char *option)
{
	buf_printf(b, "%s-%s", owner, option);
	for (size_t i = 0; i < b->len; i++)
		b->ptr[i] = b->ptr[i] == '-' ? '_' : (char)toupper((unsigned char)b->ptr[i]);
}

/* Values by row, so that a later source does not overwrite an earlier, stronger one. */
struct loading {
	const struct program *program;
	const char *file;
	const char **values;
};

static void offer(struct loading *l, const struct option_row *row, const char *value)
{
	size_t index = (size_t)(row - l->program->rows);
	if (!l->values[index])
		l->values[index] = str_copy(str_from(value)).ptr;
}

static int take_file_pair(void *ctx, const char *section, const char *name, const char *value)
{
	struct loading *l = ctx;
	const struct option_row *row = row_named(l->program, name, strlen(name));
	if (*section || !row)
		fail_usage(l->program->name, "%s: no option is called '%s'", l->file, name);
	offer(l, row, value);
	return 1;
}

static void take_file(struct loading *l)
{
	int line = ini_parse(l->file, take_file_pair, l);
	if (line < 0)
		fail_usage(l->program->name, "--config: cannot read %s", l->file);
	if (line > 0)
		fail_usage(l->program->name, "%s: line %d is not 'name = value'", l->file, line);
}

/* Kubernetes tells every pod where a Service is: NAME_PORT=tcp://ADDRESS:PORT, which is an option
 * of ours when the Service is named parlor, or parlor-gateway. */
static bool is_service_link(const struct option_row *row, const char *value)
{
	return strcmp(row->name, "port") == 0 &&
	       (strncmp(value, "tcp://", 6) == 0 || strncmp(value, "udp://", 6) == 0 ||
		strncmp(value, "sctp://", 7) == 0);
}

static void take_variable(struct loading *l, const struct option_row *row, bool is_shared)
{
	const char *program = l->program->name;
	struct buf name = {0};
	struct buf own = {0};
	option_variable(&name, is_shared ? "parlor" : program, row->name);
	option_variable(&own, program, row->name);
	buf_append(&name, "", 1);
	const char *value = getenv(name.ptr);
	if (value && is_service_link(row, value))
		fprintf(stderr, "%s%s: %s=%s is ignored: Kubernetes sets it for a Service\n",
			log_priority(LOG_WARN), program, name.ptr, value);
	else if (value && is_shared && row->is_own)
		fprintf(stderr, "%s%s: %s is ignored, as it differs by service: give " STR_FMT "\n",
			log_priority(LOG_WARN), program, name.ptr, STR_ARG(buf_view(&own)));
	else if (value)
		offer(l, row, value);
	buf_free(&name);
	buf_free(&own);
}

static void take_environment(struct loading *l)
{
	for (size_t i = 0; i < l->program->row_count; i++) {
		take_variable(l, &l->program->rows[i], false);
		take_variable(l, &l->program->rows[i], true);
	}
}

/* What is only asked is answered, and ends the process. */
static void respond(const struct program *p, const char *word, const char *next)
{
	if (strcmp(word, "--help") == 0)
		help_print(p);
	else if (strcmp(word, "--version") == 0)
		printf("%s %s\n", p->name, PARLOR_VERSION);
	else if (strcmp(word, "--docs") != 0)
		return;
	else if (!help_docs(p, next))
		fail_usage(p->name, "--docs: give one of %s", HELP_DOCS);
	exit(0);
}

static void take_flags(struct loading *l, int argc, char **argv)
{
	const char *program = l->program->name;
	for (int i = 1; i < argc; i++) {
		respond(l->program, argv[i], i + 1 < argc ? argv[i + 1] : "");
		if (strncmp(argv[i], "--", 2) != 0)
			fail_usage(program, "'%s' is not an option, see --help", argv[i]);
		const char *name = argv[i] + 2;
		const char *equals = strchr(name, '=');
		size_t len = equals ? (size_t)(equals - name) : strlen(name);
		bool is_config = len == strlen("config") && strncmp(name, "config", len) == 0;
		const struct option_row *row = row_named(l->program, name, len);
		if (!row && !is_config)
			fail_usage(program, "no option --%.*s, see --help", (int)len, name);
		const char *value = equals ? equals + 1 : NULL;
		if (!value && row && row->kind == OPTION_SWITCH)
			value = "yes";
		else if (!value && i + 1 < argc)
			value = argv[++i];
		if (!value)
			fail_usage(program, "--%.*s needs a value", (int)len, name);
		if (is_config)
			l->file = value;
		else
			offer(l, row, value);
	}
}

void options_load(const struct program *p, int argc, char **argv, void *target)
{
	struct loading l = {.program = p, .values = mem_alloc(p->row_count * sizeof *l.values)};
	take_flags(&l, argc, argv);
	take_environment(&l);
	if (l.file)
		take_file(&l);
	/* What was given wrong is told before what is missing. */
	for (size_t i = 0; i < p->row_count; i++)
		if (l.values[i])
			set(p, &p->rows[i], l.values[i], target);
	for (size_t i = 0; i < p->row_count; i++) {
		if (l.values[i])
			continue;
		if (!p->rows[i].fallback)
			fail_usage(p->name, "--%s must be given, see --help", p->rows[i].name);
		set(p, &p->rows[i], p->rows[i].fallback, target);
	}
	for (size_t i = 0; i < p->row_count; i++)
		mem_free((void *)(uintptr_t)l.values[i]);
	mem_free(l.values);
}

size_t options_split(const char *list, const char **parts, size_t max)
{
	size_t count = 0;
	while (*list) {
		size_t len = strcspn(list, ",");
		if (count == max)
			return 0;
		parts[count++] = str_copy(str_of(list, len)).ptr;
		list += len + (list[len] == ',');
	}
	return count;
}
