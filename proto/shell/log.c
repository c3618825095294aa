// SPDX-License-Identifier: MIT
/* log.c — see log.h. */
#include "proto/shell/log.h"
#include "proto/json_out.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { LOG_LINE_MAX = 2048, PACE_MS = 10000 };

static const char *service_label = "parlor";
static enum log_level lowest_level = LOG_INFO;
static bool is_json;

/* As lines say them, and as systemd's journal reads them (sd-daemon(3)). */
static const struct {
	const char *name, *priority;
} levels[] = {
	[LOG_DEBUG] = {"debug", "<7>"},
	[LOG_INFO] = {"info", "<6>"},
	[LOG_WARN] = {"warn", "<4>"},
	[LOG_ERROR] = {"error", "<3>"},
};

void log_open(const char *service, enum log_level lowest, bool as_json)
{
	service_label = service;
	lowest_level = lowest;
	is_json = as_json;
}

/* systemd names the socket that it gave us; stderr may have been put elsewhere since. */
static bool is_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	char name[64];
	struct stat st;
	if (!stream || fstat(STDERR_FILENO, &st) != 0)
		return false;
	snprintf(name, sizeof name, "%ju:%ju", (uintmax_t)st.st_dev, (uintmax_t)st.st_ino);
	return strcmp(stream, name) == 0;
}

const char *log_priority(enum log_level level)
{
	return is_journal() ? levels[level].priority : "";
}

static void put_time(struct buf *b)
{
	struct timespec now;
	struct tm utc;
	char text[32] = "";
	clock_gettime(CLOCK_REALTIME, &now);
	if (gmtime_r(&now.tv_sec, &utc))
		strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &utc);
	buf_printf(b, "%s.%03ldZ", text, now.tv_nsec / 1000000);
}

/* "key=value key2="two words"" as the members of a JSON object, all values as strings. */
static void put_pairs_as_json(struct buf *b, struct str pairs)
{
	size_t at = 0;
	while (at < pairs.len) {
		const char *key = pairs.ptr + at;
		const char *equals = memchr(key, '=', pairs.len - at);
		if (!equals)
			break;
		const char *value = equals + 1;
		size_t left = pairs.len - (size_t)(value - pairs.ptr);
		bool is_quoted = left > 0 && *value == '"';
		if (is_quoted) {
			value++;
			left--;
		}
		const char *end = memchr(value, is_quoted ? '"' : ' ', left);
		size_t len = end ? (size_t)(end - value) : left;
		BUF_LIT(b, ",");
		json_out_str(b, str_of(key, (size_t)(equals - key)));
		BUF_LIT(b, ":");
		json_out_str(b, str_of(value, len));
		at = (size_t)(value - pairs.ptr) + len + (is_quoted ? 2 : 1);
	}
}

static size_t put_visible(char *to, size_t max, struct str s, char lowest)
{
	size_t len = s.len < max ? s.len : max;
	for (size_t i = 0; i < len; i++) {
		char c = s.ptr[i];
		to[i] = c >= lowest && c < 0x7f && c != '"' && c != '\\' ? c : '?';
	}
	return len;
}

struct log_text log_text(struct str s)
{
	struct log_text t;
	t.text[0] = '"';
	size_t len = 1 + put_visible(t.text + 1, sizeof t.text - 3, s, '!');
	t.text[len] = '"';
	t.text[len + 1] = '\0';
	return t;
}

struct log_sentence log_sentence(struct str s)
{
	struct log_sentence t;
	t.text[put_visible(t.text, sizeof t.text - 1, s, ' ')] = '\0';
	return t;
}

uint64_t log_paced(struct log_pace *p, uint64_t count, uint64_t now_ms)
{
	uint64_t grown = count - p->count;
	if (grown == 0 || now_ms < p->due_ms)
		return 0;
	*p = (struct log_pace){.count = count, .due_ms = now_ms + PACE_MS};
	return grown;
}

void log_line(enum log_level level, const char *what, const char *fmt, ...)
{
	if (level < lowest_level)
		return;
	char pairs[LOG_LINE_MAX];
	va_list args;
	va_start(args, fmt);
	int wanted = vsnprintf(pairs, sizeof pairs, fmt, args);
	va_end(args);
	size_t len = wanted < 0 ? 0 : (size_t)wanted;
	if (len >= sizeof pairs)
		len = sizeof pairs - 1;
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)pairs[i] < ' ' || pairs[i] == 0x7f)
			pairs[i] = '?';

	struct buf line = {0};
	buf_printf(&line, "%s%s", log_priority(level), is_json ? "{\"time\":\"" : "time=");
	put_time(&line);
	if (is_json) {
		buf_printf(&line, "\",\"level\":\"%s\",\"service\":\"%s\",\"what\":\"%s\"",
			   levels[level].name, service_label, what);
		put_pairs_as_json(&line, str_of(pairs, len));
		BUF_LIT(&line, "}\n");
	} else {
		buf_printf(&line, " level=%s service=%s what=%s ", levels[level].name,
			   service_label, what);
		buf_append(&line, pairs, len);
		BUF_LIT(&line, "\n");
	}
	/* One write a line, so that lines of several processes do not mix. A log that cannot be
	 * written must not stop the service. */
	ssize_t written = write(STDERR_FILENO, line.ptr, line.len);
	(void)written;
	buf_free(&line);
}
