// SPDX-License-Identifier: MIT
/* options.h — options as flags, as PARLOR_… environment, or in a file of `key = value`; the flag
 * wins, then the environment, then the file. A program states its options once, as rows; --help,
 * the checks and the docs' tables come from them.
 *
 * Services may share one environment: PARLOR_NAME is for all that have the option, and means the
 * same to each; PARLOR_ROOMD_NAME is for roomd and wins. What differs by service is read as the
 * second alone. */
#ifndef PARLOR_PROTO_SHELL_OPTIONS_H
#define PARLOR_PROTO_SHELL_OPTIONS_H

#include "proto/bus.h"
#include "proto/shell/metrics.h"

struct address_list {
	const char *at[SHARDS_MAX];
	uint32_t count; /* 1 at least */
};

/* What a row fills in the program's struct. */
enum option_kind {
	OPTION_TEXT,
	OPTION_ADDRESS,   /* of the bus; may be empty where the fallback is */
	OPTION_ADDRESSES, /* of the bus, with commas between */
	OPTION_NUMBER,    /* within min and max */
	OPTION_CHOICE,    /* the place of the word in `choices` */
	OPTION_SWITCH,    /* --name, or name = yes|no */
};
#define OPTION_TYPE_TEXT const char *
#define OPTION_TYPE_ADDRESS const char *
#define OPTION_TYPE_ADDRESSES struct address_list
#define OPTION_TYPE_NUMBER uint64_t
#define OPTION_TYPE_CHOICE unsigned
#define OPTION_TYPE_SWITCH bool

struct option_row {
	const char *name; /* "guest-keys": --guest-keys, PARLOR_GUEST_KEYS, guest-keys = … */
	enum option_kind kind;
	size_t offset;        /* in the program's struct */
	const char *fallback; /* as one would write it; NULL: must be given */
	uint64_t min, max;
	const char *choices; /* "optional|required" */
	const char *former;  /* the words of an earlier release, in the same places; still read */
	const char *help;
	bool is_limit; /* of clients: see --docs limits */
	bool is_own;   /* differs by service: PARLOR_ROOMD_NAME, never PARLOR_NAME */
};

/* Begins a row. A field of another type than the kind's does not compile. */
#define OPTION_ROW(option, option_kind, type, member) \
	.name = option, .kind = OPTION_##option_kind, \
	.offset = offsetof(type, member) +            \
		  0 * sizeof(_Generic(&((type *)0)->member, OPTION_TYPE_##option_kind * : 0))

struct program {
	const char *name;    /* "parlor-roomd" */
	const char *summary; /* one line for --help */
	const struct option_row *rows;
	size_t row_count;
	const struct metric_table *metrics; /* NULL: it has none */
};

/* "parlor-roomd", "log-level" → PARLOR_ROOMD_LOG_LEVEL; "parlor" → PARLOR_LOG_LEVEL. */
void option_variable(struct buf *b, const char *owner, const char *option);

/* Fills `target`, whose texts live as long as the process. An option that is wrong is one line on
 * stderr and exit 2; --help, --docs and --version answer on stdout and exit 0. */
void options_load(const struct program *p, int argc, char **argv, void *target);

/* "a,b,c" → at most max parts that live as long as the process; returns how many, or 0 when it is
 * empty or has too many. */
size_t options_split(const char *list, const char **parts, size_t max);

/* One line on stderr, exit 2 (wrong use) or 1 (the system refuses). */
_Noreturn void fail_usage(const char *program, const char *fmt, ...) PRINTF_LIKE(2, 3);
_Noreturn void fail_system(const char *program, const char *fmt, ...) PRINTF_LIKE(2, 3);

#endif
