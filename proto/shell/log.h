// SPDX-License-Identifier: MIT
/* log.h — one line an event, key=value or JSON, to stderr. Never message bodies, keys or tokens.
 *
 * `warn`: somebody else misbehaves; `error`: we do. systemd's journal knows the levels as debug,
 * info, warning and err. Shells only; cores count, and their shells log the counts. */
#ifndef PARLOR_PROTO_SHELL_LOG_H
#define PARLOR_PROTO_SHELL_LOG_H

#include "proto/base.h"

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };
#define LOG_LEVELS "debug|info|warn|error"

/* `service` ("roomd-0") stands in every line and must outlive the process. */
void log_open(const char *service, enum log_level lowest, bool as_json);

/* What begins a line of this level for systemd's journal; empty when stderr goes elsewhere. */
const char *log_priority(enum log_level level);

/* `fmt` makes key=value pairs; a value with spaces stands in double quotes. Control characters come
 * out as '?'. */
void log_line(enum log_level level, const char *what, const char *fmt, ...) PRINTF_LIKE(3, 4);

/* Bytes of others as one value: `log_warn("x", "origin=%s", log_text(origin).text)`. Quoted, cut,
 * and only what is visible in ASCII and neither quote nor backslash; the rest comes out as '?'. */
enum { LOG_TEXT_MAX = 256 };
struct log_text {
	char text[LOG_TEXT_MAX];
};
struct log_text log_text(struct str s);

/* Likewise for a library's sentence, within the quotes of `fmt`: spaces stay. */
enum { LOG_SENTENCE_MAX = 768 };
struct log_sentence {
	char text[LOG_SENTENCE_MAX];
};
struct log_sentence log_sentence(struct str s);

/* A line about something that is counted: how many came since the last line; 0 when none did, or
 * when that was less than 10 s ago. Zeroed at first. */
struct log_pace {
	uint64_t count, due_ms;
};
uint64_t log_paced(struct log_pace *p, uint64_t count, uint64_t now_ms);

#define log_debug(...) log_line(LOG_DEBUG, __VA_ARGS__)
#define log_info(...) log_line(LOG_INFO, __VA_ARGS__)
#define log_warn(...) log_line(LOG_WARN, __VA_ARGS__)
#define log_error(...) log_line(LOG_ERROR, __VA_ARGS__)

#endif
