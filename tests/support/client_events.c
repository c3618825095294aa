// SPDX-License-Identifier: MIT
/* client_events.c — client-events --docs events|fields, --dictionary: prints what follows from the
 * rows of gateway/core/events.def, the tables of PROTOCOL.md or a dictionary for libFuzzer. */
#include "gateway/core/events.h"

#include <stdio.h>

static const char *yes_or_no(unsigned flags, unsigned flag)
{
	return flags & flag ? "yes" : "no";
}

static void print_data(const struct client_event_row *event)
{
	for (size_t i = 0; i < event->field_count; i++)
		printf("%s%s%s", i ? ", " : "", event->fields[i].name,
		       event->fields[i].flags & FIELD_OPTIONAL ? "?" : "");
}

static void print_number(const struct client_field_row *row)
{
	printf("a whole number ");
	if (row->max == WHOLE_MAX)
		printf("from %" PRIu64 " on", row->min);
	else
		printf("from %" PRIu64 " to %" PRIu64, row->min, row->max);
	if (row->otherwise)
		printf(", else %" PRIu64, row->otherwise);
	if (row->flags & FIELD_OR_NEXT)
		printf(", not together with `%s`", row[1].name);
}

static void print_limits(const struct client_field_row *row)
{
	switch (row->kind) {
	case FIELD_USER:
		printf("a username (section 5)");
		return;
	case FIELD_ROOM:
		printf("a room (section 5)");
		return;
	case FIELD_BODY:
		printf("a body (section 5)");
		return;
	case FIELD_TEXT:
		printf("text of %" PRIu64 " to %" PRIu64 " bytes", row->min, row->max);
		if (row->flags & FIELD_CLEAN)
			printf(" without control characters");
		return;
	case FIELD_NUMBER:
		print_number(row);
		return;
	}
}

static void print_events(void)
{
	puts("| event | data | from members only | may be sent again | ack | meaning |\n"
	     "| --- | --- | --- | --- | --- | --- |");
	for (int type = 0; type < CLIENT_EVENT_COUNT; type++) {
		const struct client_event_row *event =
			client_event_row((enum client_event_type)type);
		printf("| `%s` | `{", event->name);
		print_data(event);
		printf("}` | %s | %s | `%s` | %s |\n", yes_or_no(event->flags, EVENT_MEMBER),
		       yes_or_no(event->flags, EVENT_RETRY), event->ack, event->meaning);
	}
}

static void print_fields(void)
{
	puts("| event | field | what | limits |\n| --- | --- | --- | --- |");
	for (int type = 0; type < CLIENT_EVENT_COUNT; type++) {
		const struct client_event_row *event =
			client_event_row((enum client_event_type)type);
		for (size_t i = 0; i < event->field_count; i++) {
			const struct client_field_row *row = &event->fields[i];
			printf("| `%s` | `%s` | %s | ", event->name, row->name, row->meaning);
			print_limits(row);
			puts(" |");
		}
	}
}

/* Words that the parsers look for, so that the fuzzer need not guess them. */
static void print_dictionary(void)
{
	puts("# Made by client-events --dictionary from gateway/core/events.def.\n"
	     "\"\\\"event\\\":\"\n\"\\\"data\\\":{\"\n\"\\\"id\\\":\"");
	for (int type = 0; type < CLIENT_EVENT_COUNT; type++) {
		const struct client_event_row *event =
			client_event_row((enum client_event_type)type);
		printf("\"\\\"%s\\\"\"\n", event->name);
		for (size_t i = 0; i < event->field_count; i++)
			printf("\"\\\"%s\\\":%s\"\n", event->fields[i].name,
			       event->fields[i].kind == FIELD_NUMBER ? "1" : "\\\"x\\\"");
	}
}

int main(int argc, char **argv)
{
	bool is_docs = argc == 3 && strcmp(argv[1], "--docs") == 0;
	if (is_docs && strcmp(argv[2], "events") == 0) {
		print_events();
	} else if (is_docs && strcmp(argv[2], "fields") == 0) {
		print_fields();
	} else if (argc == 2 && strcmp(argv[1], "--dictionary") == 0) {
		print_dictionary();
	} else {
		fputs("usage: client-events --docs events|fields, or --dictionary\n", stderr);
		return 2;
	}
	return ferror(stdout) || fflush(stdout) ? 1 : 0;
}
