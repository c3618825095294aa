// SPDX-License-Identifier: MIT
/* test_log.c — levels and their priorities in the journal; and what others wrote stands in a line
 * as one value, and makes no line, pair or member of its own. */
#include "proto/shell/log.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
// cmocka wants the three above first
#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LINE_MAX_LEN = 2048 };

/* stderr while it is read by the test. */
struct capture {
	int ends[2], stderr_fd;
};

static void capture_start(struct capture *c)
{
	assert_int_equal(pipe2(c->ends, O_NONBLOCK), 0);
	c->stderr_fd = dup(STDERR_FILENO);
	assert_true(dup2(c->ends[1], STDERR_FILENO) >= 0);
}

/* What was written meanwhile, "" for nothing. */
static void capture_end(struct capture *c, char line[LINE_MAX_LEN])
{
	assert_true(dup2(c->stderr_fd, STDERR_FILENO) >= 0);
	ssize_t len = read(c->ends[0], line, LINE_MAX_LEN - 1);
	line[len > 0 ? len : 0] = '\0';
	close(c->ends[0]);
	close(c->ends[1]);
	close(c->stderr_fd);
}

/* As systemd does it: the variable names what stderr is. */
static void name_journal(void)
{
	struct stat st;
	char ours[64];
	assert_int_equal(fstat(STDERR_FILENO, &st), 0);
	snprintf(ours, sizeof ours, "%ju:%ju", (uintmax_t)st.st_dev, (uintmax_t)st.st_ino);
	setenv("JOURNAL_STREAM", ours, 1);
}

static const struct {
	enum log_level level;
	const char *text, *json; /* how it stands in a line */
	const char *priority;
} levels[] = {
	{LOG_DEBUG, " level=debug ", "\"level\":\"debug\",", "<7>"},
	{LOG_INFO, " level=info ", "\"level\":\"info\",", "<6>"},
	{LOG_WARN, " level=warn ", "\"level\":\"warn\",", "<4>"},
	{LOG_ERROR, " level=error ", "\"level\":\"error\",", "<3>"},
};

/* The ways in which a line is written. */
static const struct {
	bool as_json, to_journal;
	const char *begin;
} forms[] = {
	{false, false, "time="},
	{false, true, "time="},
	{true, false, "{\"time\":"},
	{true, true, "{\"time\":"},
};

/* What a line of this level looks like where `lowest` is the lowest that is written. */
static void check_level(size_t form, size_t lowest, size_t at)
{
	struct capture c;
	char line[LINE_MAX_LEN];
	const char *level = forms[form].as_json ? levels[at].json : levels[at].text;
	const char *priority = forms[form].to_journal ? levels[at].priority : "";
	capture_start(&c);
	if (forms[form].to_journal)
		name_journal();
	log_open("gateway-0", levels[lowest].level, forms[form].as_json);
	log_line(levels[at].level, "told", "n=1");
	capture_end(&c, line);
	unsetenv("JOURNAL_STREAM");
	if (at < lowest) {
		assert_string_equal(line, "");
		return;
	}
	assert_int_equal(strncmp(line, priority, strlen(priority)), 0);
	assert_int_equal(
		strncmp(line + strlen(priority), forms[form].begin, strlen(forms[form].begin)), 0);
	assert_non_null(strstr(line, level));
}

static void test_levels(void **state)
{
	(void)state;
	unsetenv("JOURNAL_STREAM");
	for (size_t form = 0; form < ARRAY_LEN(forms); form++)
		for (size_t lowest = 0; lowest < ARRAY_LEN(levels); lowest++)
			for (size_t at = 0; at < ARRAY_LEN(levels); at++)
				check_level(form, lowest, at);
}

/* Whoever started us has the journal; our stderr is a file. */
static void test_another_stderr_gets_no_priorities(void **state)
{
	static const char *const streams[] = {"", "1", "0:0"};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(streams); i++) {
		setenv("JOURNAL_STREAM", streams[i], 1);
		assert_string_equal(log_priority(LOG_ERROR), "");
	}
	unsetenv("JOURNAL_STREAM");
}

#define FORGED "x\" level=error\nwhat=\"y\\ \x1b[2J\xe2\x80\xae"

/* `line`: from "what" on. */
static const struct {
	enum { TEXT, SENTENCE } kind;
	bool as_json;
	const char *given, *line;
} strangers[] = {
	{TEXT, false, FORGED, "what=told by=\"x??level=error?what=?y???[2J???\" n=1\n"},
	{TEXT, true, FORGED,
	 "\"what\":\"told\",\"by\":\"x??level=error?what=?y???[2J???\",\"n\":\"1\"}\n"},
	{TEXT, false, "", "what=told by=\"\" n=1\n"},
	{TEXT, true, "", "\"what\":\"told\",\"by\":\"\",\"n\":\"1\"}\n"},
	{SENTENCE, false, "block \"7\"\nat 5", "what=told by=\"block ?7??at 5\" n=1\n"},
	{SENTENCE, true, "block \"7\"\nat 5",
	 "\"what\":\"told\",\"by\":\"block ?7??at 5\",\"n\":\"1\"}\n"},
};

static void test_strangers_write_one_value(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(strangers); i++) {
		struct capture c;
		char line[LINE_MAX_LEN];
		struct str given = str_from(strangers[i].given);
		capture_start(&c);
		log_open("gateway-0", LOG_INFO, strangers[i].as_json);
		if (strangers[i].kind == TEXT)
			log_warn("told", "by=%s n=1", log_text(given).text);
		else
			log_warn("told", "by=\"%s\" n=1", log_sentence(given).text);
		capture_end(&c, line);
		const char *what = strstr(line, strangers[i].as_json ? "\"what\"" : "what=");
		assert_non_null(what);
		assert_string_equal(what, strangers[i].line);
	}
}

static void test_what_is_long_is_cut(void **state)
{
	char many[5000];
	(void)state;
	memset(many, 'a', sizeof many);
	assert_int_equal(strlen(log_text(str_of(many, sizeof many)).text), LOG_TEXT_MAX - 1);
	assert_int_equal(strlen(log_sentence(str_of(many, sizeof many)).text),
			 LOG_SENTENCE_MAX - 1);
}

/* Looks in turn at one thing that is counted. */
static const struct {
	uint64_t now_ms, count, grown;
} looks[] = {
	{0, 0, 0},     {0, 2, 2},     {1, 2, 0},     {9999, 5, 0},  {10000, 5, 3},
	{30000, 5, 0}, {30000, 6, 1}, {39999, 7, 0}, {40000, 7, 1},
};

static void test_what_is_counted_is_logged_at_most_every_ten_seconds(void **state)
{
	struct log_pace pace = {0};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(looks); i++)
		assert_int_equal(log_paced(&pace, looks[i].count, looks[i].now_ms), looks[i].grown);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_levels),
		cmocka_unit_test(test_another_stderr_gets_no_priorities),
		cmocka_unit_test(test_strangers_write_one_value),
		cmocka_unit_test(test_what_is_long_is_cut),
		cmocka_unit_test(test_what_is_counted_is_logged_at_most_every_ten_seconds),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
