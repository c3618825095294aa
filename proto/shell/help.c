// SPDX-License-Identifier: MIT
/* help.c — see help.h. */
#include "proto/shell/help.h"

#include "proto/bus.h"

#include <stdio.h>

static void print_values(const struct option_row *row)
{
	switch (row->kind) {
	case OPTION_TEXT:
		printf("text");
		return;
	case OPTION_ADDRESS:
		printf("an address of the bus");
		return;
	case OPTION_ADDRESSES:
		printf("addresses of the bus");
		return;
	case OPTION_NUMBER:
		if (row->max == UINT64_MAX)
			printf("%" PRIu64 " or more", row->min);
		else
			printf("%" PRIu64 " to %" PRIu64, row->min, row->max);
		return;
	case OPTION_SWITCH:
		printf("`yes` or `no`");
		return;
	case OPTION_CHOICE:
		for (const char *at = row->choices; *at; at += strspn(at, "|")) {
			size_t len = strcspn(at, "|");
			printf("%s`%.*s`", at == row->choices ? "" : ", ", (int)len, at);
			at += len;
		}
		return;
	}
}

void help_print(const struct program *p)
{
	struct buf own = {0};
	option_variable(&own, p->name, "");
	printf("%s: %s\n\nOptions (also as PARLOR_NAME or, stronger and for this program "
	       "alone, " STR_FMT "NAME in the environment,\nor name = value in --config FILE):\n",
	       p->name, p->summary, STR_ARG(buf_view(&own)));
	for (size_t i = 0; i < p->row_count; i++) {
		const struct option_row *row = &p->rows[i];
		printf("  --%-22s %s", row->name, row->help);
		if (row->choices)
			printf(" (%s)", row->choices);
		if (row->kind == OPTION_NUMBER) {
			printf(" (");
			print_values(row);
			printf(")");
		}
		if (row->fallback && *row->fallback)
			printf(" [%s]", row->fallback);
		if (row->is_own)
			printf(" (only as " STR_FMT "…)", STR_ARG(buf_view(&own)));
		printf("%s\n", row->fallback ? "" : " (required)");
	}
	buf_free(&own);
	printf("  --%-22s options as name = value, one a line\n", "config FILE");
	printf("  --%-22s a table of the docs, in Markdown: %s\n", "docs WHAT", HELP_DOCS);
	printf("  --%-22s this text\n  --%-22s\n", "help", "version");
}

static void print_default(const struct option_row *row)
{
	if (!row->fallback)
		printf("must be given");
	else if (*row->fallback)
		printf("`%s`", row->fallback);
}

static void print_options(const struct program *p)
{
	puts("| option | variable | default | values | what it is |\n"
	     "| --- | --- | --- | --- | --- |");
	for (size_t i = 0; i < p->row_count; i++) {
		const struct option_row *row = &p->rows[i];
		struct buf variable = {0};
		option_variable(&variable, row->is_own ? p->name : "parlor", row->name);
		printf("| `--%s` | `" STR_FMT "` | ", row->name, STR_ARG(buf_view(&variable)));
		print_default(row);
		printf(" | ");
		print_values(row);
		printf(" | %s |\n", row->help);
		buf_free(&variable);
	}
}

static void print_limits(const struct program *p)
{
	puts("| limit | default | option |\n| --- | --- | --- |");
	for (size_t i = 0; i < p->row_count; i++) {
		const struct option_row *row = &p->rows[i];
		if (row->is_limit)
			printf("| %s | %s | `--%s` |\n", row->help, row->fallback, row->name);
	}
}

static void print_metrics(const struct program *p)
{
	puts("| metric | kind | what it counts |\n| --- | --- | --- |");
	for (size_t i = 0; p->metrics && i < p->metrics->count; i++) {
		const struct metric_row *row = &p->metrics->rows[i];
		printf("| `parlor_%s%s%s%s` | %s | %s |\n", row->name, row->label ? "{" : "",
		       row->label ? row->label : "", row->label ? "}" : "",
		       row->kind == METRIC_COUNTER ? "counter" : "gauge", row->help);
	}
}

static void print_errors(const struct program *p)
{
	enum {
		ERRORS = 0
#define E(...) +1
		PARLOR_ERRORS(E)
#undef E
	};
	(void)p;
	puts("| code | when |\n| --- | --- |");
	for (size_t i = 0; i < ERRORS; i++)
		if (*err_when((enum err)i))
			printf("| `%s` | %s |\n", err_code((enum err)i), err_when((enum err)i));
}

bool help_docs(const struct program *p, const char *what)
{
	static const struct {
		const char *name;
		void (*print)(const struct program *p);
	} tables[] = {{"options", print_options},
		      {"limits", print_limits},
		      {"metrics", print_metrics},
		      {"errors", print_errors}};
	for (size_t i = 0; i < ARRAY_LEN(tables); i++) {
		if (strcmp(tables[i].name, what) == 0) {
			tables[i].print(p);
			return true;
		}
	}
	return false;
}
