// SPDX-License-Identifier: MIT
/* test_log.c — what others wrote stands in a line of the log as one value, and makes no line, pair
 * or member of its own. */
#include "proto/shell/log.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
// cmocka wants the three above first
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* The line that `text` makes, from "what=" or "\"what\"" on. */
static void logged(char line[2048], bool as_json, bool is_ours, struct str text)
{
	int ends[2];
	int stderr_fd = dup(STDERR_FILENO);
	assert_int_equal(pipe(ends), 0);
	dup2(ends[1], STDERR_FILENO);
	log_open("gateway-0", LOG_INFO, as_json);
	if (is_ours)
		log_odd("told", "why=\"%s\" n=1", log_sentence(text).text);
	else
		log_odd("told", "origin=%s n=1", log_text(text).text);
	dup2(stderr_fd, STDERR_FILENO);
	ssize_t len = read(ends[0], line, 2047);
	assert_true(len > 0);
	line[len] = '\0';
	close(ends[0]);
	close(ends[1]);
	close(stderr_fd);
	const char *what = strstr(line, as_json ? "\"what\"" : "what=");
	assert_non_null(what);
	memmove(line, what, strlen(what) + 1);
}

static void test_strangers_write_one_value(void **state)
{
	char line[2048];
	(void)state;
	const struct str forged = STR("x\" level=broken\nwhat=\"y\\ \x1b[2J\xe2\x80\xae");
	logged(line, false, false, forged);
	assert_string_equal(line, "what=told origin=\"x??level=broken?what=?y???[2J???\" n=1\n");
	logged(line, true, false, forged);
	assert_string_equal(line,
			    "\"what\":\"told\",\"origin\":\"x??level=broken?what=?y???[2J???\","
			    "\"n\":\"1\"}\n");
	logged(line, false, false, (struct str){0});
	assert_string_equal(line, "what=told origin=\"\" n=1\n");
}

static void test_what_is_long_is_cut(void **state)
{
	char line[2048];
	char many[5000];
	(void)state;
	memset(many, 'a', sizeof many);
	logged(line, false, false, str_of(many, sizeof many));
	assert_int_equal(strlen(line), strlen("what=told origin=\"\" n=1\n") + LOG_TEXT_MAX - 3);
}

static void test_sentences_keep_their_spaces(void **state)
{
	char line[2048];
	(void)state;
	logged(line, true, true, STR("Corruption: block \"7\"\nat 5"));
	assert_string_equal(line, "\"what\":\"told\",\"why\":\"Corruption: block ?7??at 5\","
				  "\"n\":\"1\"}\n");
}

static void test_the_journal_gets_priorities(void **state)
{
	(void)state;
	struct stat st;
	char ours[64];
	unsetenv("JOURNAL_STREAM");
	assert_string_equal(log_priority(LOG_BROKEN), "");
	assert_int_equal(fstat(STDERR_FILENO, &st), 0);
	snprintf(ours, sizeof ours, "%ju:%ju", (uintmax_t)st.st_dev, (uintmax_t)st.st_ino);
	setenv("JOURNAL_STREAM", ours, 1);
	assert_string_equal(log_priority(LOG_BROKEN), "<3>");
	assert_string_equal(log_priority(LOG_ODD), "<4>");
	assert_string_equal(log_priority(LOG_INFO), "<6>");
	assert_string_equal(log_priority(LOG_TRACE), "<7>");
	/* Whoever started us has the journal; our stderr is a file. */
	for (size_t i = 0; i < 3; i++) {
		setenv("JOURNAL_STREAM", (const char *[]){"", "1", "0:0"}[i], 1);
		assert_string_equal(log_priority(LOG_BROKEN), "");
	}
	unsetenv("JOURNAL_STREAM");
}

static void test_a_line_of_the_journal_begins_with_its_priority(void **state)
{
	(void)state;
	for (int as_json = 0; as_json < 2; as_json++) {
		char line[2048];
		char ours[64];
		int ends[2];
		struct stat st;
		int stderr_fd = dup(STDERR_FILENO);
		assert_int_equal(pipe(ends), 0);
		dup2(ends[1], STDERR_FILENO);
		assert_int_equal(fstat(STDERR_FILENO, &st), 0);
		snprintf(ours, sizeof ours, "%ju:%ju", (uintmax_t)st.st_dev, (uintmax_t)st.st_ino);
		setenv("JOURNAL_STREAM", ours, 1);
		log_open("gateway-0", LOG_INFO, as_json);
		log_odd("told", "n=1");
		dup2(stderr_fd, STDERR_FILENO);
		unsetenv("JOURNAL_STREAM");
		ssize_t len = read(ends[0], line, sizeof line - 1);
		assert_true(len > 0);
		line[len] = '\0';
		assert_int_equal(strncmp(line, as_json ? "<4>{\"time\":" : "<4>time=", 8), 0);
		close(ends[0]);
		close(ends[1]);
		close(stderr_fd);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_strangers_write_one_value),
		cmocka_unit_test(test_what_is_long_is_cut),
		cmocka_unit_test(test_sentences_keep_their_spaces),
		cmocka_unit_test(test_the_journal_gets_priorities),
		cmocka_unit_test(test_a_line_of_the_journal_begins_with_its_priority),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
