// SPDX-License-Identifier: MIT
/* test_options.c — a row a case: what flags, environment and file say, and what the program's
 * struct holds then, or with which line and status the process ends. Each case is a process. */
#include "proto/shell/options.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
// cmocka wants the three above first
#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SAID_MAX = 8192, WORDS_MAX = 16, NUMBER_MAX = 99 };

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
	{OPTION("the-number", NUMBER, number), .fallback = "5", .min = 2, .max = NUMBER_MAX,
	 .is_limit = true, .help = "a number"},
	{OPTION("port", NUMBER, port), .fallback = "0", .max = UINT64_MAX, .help = "another"},
	{OPTION("level", CHOICE, level), .fallback = "low", .choices = "low|middle|high",
	 .former = "down|amid|up", .help = "a word"},
	{OPTION("switch", SWITCH, is_on), .fallback = "no", .help = "on or off"},
};

static const struct program program = {"parlor-test", "is tested", rows, ARRAY_LEN(rows), NULL};

#define DEFAULTS "text=words must=x bind= list=ipc:///a number=5 port=0 level=0 on=0\n"

/* Words with a blank between; `file`: what --config names. `said`: all of stdout and stderr, or
 * what stands in it when `is_part`. */
static const struct option_case {
	const char *flags, *environment, *file;
	int status;
	const char *said;
	bool is_part;
} cases[] = {
	/* defaults, and each kind by each source */
	{"--must x", "", NULL, 0, DEFAULTS, false},
	{"--must=x", "", NULL, 0, DEFAULTS, false},
	{"", "PARLOR_MUST=x", NULL, 0, DEFAULTS, false},
	{"", "PARLOR_TEST_MUST=x", NULL, 0, DEFAULTS, false},
	{"", "", "must = x\n", 0, DEFAULTS, false},
	{"", "", "; a remark\n\nmust=x\n", 0, DEFAULTS, false},
	{"--must x --text= --the-number=99", "", NULL, 0,
	 "text= must=x bind= list=ipc:///a number=99", true},
	{"--must x", "PARLOR_THE_NUMBER=2", NULL, 0, "number=2 ", true},
	{"--must x --switch", "", NULL, 0, "on=1", true},
	{"--must x --switch=yes", "", NULL, 0, "on=1", true},
	{"--must x --switch=no", "PARLOR_SWITCH=yes", NULL, 0, "on=0", true},
	{"--must x", "PARLOR_SWITCH=yes", NULL, 0, "on=1", true},
	{"--must x --level high", "", NULL, 0, "level=2", true},
	{"--must x --port 18446744073709551615", "", NULL, 0, "port=18446744073709551615", true},
	{"--must x --list tcp://h:1,ipc:///b", "", NULL, 0, "list=tcp://h:1+ipc:///b ", true},
	{"--must x --bind ipc:///c", "", NULL, 0, "bind=ipc:///c ", true},
	/* the flag wins, then the program's variable, the shared one, the file */
	{"--must f --must g", "PARLOR_TEST_MUST=p PARLOR_MUST=s", "must = c\n", 0, "must=f ", true},
	{"", "PARLOR_TEST_MUST=p PARLOR_MUST=s", "must = c\n", 0, "must=p ", true},
	{"", "PARLOR_MUST=s", "must = c\n", 0, "must=s ", true},
	/* what differs by service is read by the service's name alone */
	{"--must x", "PARLOR_TEST_BIND=ipc:///c", NULL, 0, "bind=ipc:///c ", true},
	{"--must x", "PARLOR_BIND=ipc:///c", NULL, 0,
	 "parlor-test: PARLOR_BIND is ignored, as it differs by service: give "
	 "PARLOR_TEST_BIND\n" DEFAULTS,
	 false},
	/* Kubernetes' variables of a Service */
	{"--must x", "PARLOR_PORT=tcp://10.0.0.1:80", NULL, 0, DEFAULTS, true},
	{"--must x", "PARLOR_PORT=tcp://10.0.0.1:80", NULL, 0, "Kubernetes sets it", true},
	{"--must x", "PARLOR_TEST_PORT=tcp:80", NULL, 2, "parlor-test: --port: 'tcp:80' is not",
	 true},
	/* words of an earlier release */
	{"--must x --level up", "", NULL, 0, "parlor-test: --level: 'up' is called 'high' now\n",
	 true},
	{"--must x --level up", "", NULL, 0, "level=2", true},
	{"--must x --level down", "", NULL, 0, "'down' is called 'low' now\n" DEFAULTS, true},
	/* what is wrong */
	{"", "", NULL, 2, "parlor-test: --must must be given, see --help\n", false},
	{"--the-number 1", "", NULL, 2,
	 "parlor-test: --the-number: '1' is not a number from 2 to 99\n", false},
	{"--the-number 100", "", NULL, 2, "'100' is not a number", true},
	{"--the-number -3", "", NULL, 2, "'-3' is not a number", true},
	{"--the-number +3", "", NULL, 2, "'+3' is not a number", true},
	{"--the-number 3x", "", NULL, 2, "'3x' is not a number", true},
	{"--the-number=", "", NULL, 2, "'' is not a number", true},
	{"--port 18446744073709551616", "", NULL, 2, "is not a number from 0", true},
	{"--level lo", "", NULL, 2, "parlor-test: --level: 'lo' is not one of low|middle|high\n",
	 false},
	{"--level lower", "", NULL, 2, "'lower' is not one of", true},
	{"--level low|middle", "", NULL, 2, "'low|middle' is not one of", true},
	{"--level=", "", NULL, 2, "'' is not one of", true},
	{"--switch=true", "", NULL, 2, "--switch: 'true' is neither yes nor no\n", true},
	{"--bind nonsense", "", NULL, 2, "--bind: 'nonsense' is not an address: ", true},
	{"--list ipc:///a,nonsense", "", NULL, 2, "--list: 'nonsense' is not an address: ", true},
	{"--list=", "", NULL, 2, "parlor-test: --list: give 1 to 64 addresses\n", false},
	{"--the-numbe 3", "", NULL, 2, "parlor-test: no option --the-numbe, see --help\n", false},
	{"--the-number", "", NULL, 2, "parlor-test: --the-number needs a value\n", false},
	{"stray", "", NULL, 2, "parlor-test: 'stray' is not an option, see --help\n", false},
	{"", "", "mustn't = x\n", 2, "no option is called 'mustn't'\n", true},
	{"", "", "[part]\nmust = x\n", 2, "no option is called 'must'\n", true},
	{"", "", "must\n", 2, "line 1 is not 'name = value'\n", true},
	{"--config /nowhere/at/all", "", NULL, 2, "--config: cannot read /nowhere/at/all\n", true},
	/* what is asked */
	{"--help", "", NULL, 0, "--the-number ", true},
	{"--help", "", NULL, 0, " a number (2 to 99) [5]\n", true},
	{"--help", "", NULL, 0, " another (0 or more) [0]\n", true},
	{"--help", "", NULL, 0, " a word (low|middle|high) [low]\n", true},
	{"--help", "", NULL, 0, " what must be given (required)\n", true},
	{"--help", "", NULL, 0, " an address (only as PARLOR_TEST_…)\n", true},
	{"--docs options", "", NULL, 0,
	 "| `--the-number` | `PARLOR_THE_NUMBER` | `5` | 2 to 99 | a number |\n", true},
	{"--docs options", "", NULL, 0,
	 "| `--must` | `PARLOR_MUST` | must be given | text | what must be given |\n", true},
	{"--docs options", "", NULL, 0, "| `PARLOR_TEST_BIND` |  | an address of the bus |", true},
	{"--docs options", "", NULL, 0, "| `low` | `low`, `middle`, `high` | a word |\n", true},
	{"--docs options", "", NULL, 0, "| `PARLOR_PORT` | `0` | 0 or more |", true},
	{"--docs limits", "", NULL, 0,
	 "| limit | default | option |\n| --- | --- | --- |\n| a number | 5 | `--the-number` |\n",
	 false},
	{"--docs metrics", "", NULL, 0, "| metric | kind | what it counts |\n| --- | --- | --- |\n",
	 false},
	{"--docs errors", "", NULL, 0, "| `bad_event` | `event` is missing or unknown |\n", true},
	{"--docs all", "", NULL, 2,
	 "parlor-test: --docs: give one of options|limits|metrics|errors\n", false},
	{"--docs", "", NULL, 2, "parlor-test: --docs: give one of options|limits|metrics|errors\n",
	 false},
	{"--version", "", NULL, 0, "parlor-test ", true},
};

/* Cuts `text` into words; returns how many. */
static int split(char *text, char **words)
{
	int count = 0;
	for (char *word = strtok_r(text, " ", &text); word; word = strtok_r(NULL, " ", &text)) {
		assert_true(count < WORDS_MAX);
		words[count++] = word;
	}
	return count;
}

static void make_file(char *path, const char *content)
{
	int fd = mkstemp(path);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, content, strlen(content)), (ssize_t)strlen(content));
	close(fd);
}

/* In a process of its own: ends it. */
static _Noreturn void load(const struct option_case *c, const char *file)
{
	static struct target t;
	static char flags[512], environment[512], config[64];
	static char name[] = "parlor-test";
	char *argv[WORDS_MAX + 3] = {name};
	char *words[WORDS_MAX];
	snprintf(flags, sizeof flags, "%s", c->flags);
	snprintf(environment, sizeof environment, "%s", c->environment);
	int argc = 1 + split(flags, argv + 1);
	if (c->file) {
		snprintf(config, sizeof config, "--config=%s", file);
		argv[argc++] = config;
	}
	for (int i = split(environment, words); i > 0; i--)
		putenv(words[i - 1]);
	options_load(&program, argc, argv, &t);
	printf("text=%s must=%s bind=%s list=", t.text, t.must, t.address);
	for (size_t i = 0; i < t.list.count; i++)
		printf("%s%s", i ? "+" : "", t.list.at[i]);
	printf(" number=%" PRIu64 " port=%" PRIu64 " level=%u on=%d\n", t.number, t.port, t.level,
	       t.is_on);
	exit(0);
}

static int run(const struct option_case *c, char said[SAID_MAX])
{
	char file[] = "/tmp/parlor-options-XXXXXX";
	int ends[2];
	int status;
	if (c->file)
		make_file(file, c->file);
	assert_int_equal(pipe(ends), 0);
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		if (dup2(ends[1], STDOUT_FILENO) < 0 || dup2(ends[1], STDERR_FILENO) < 0)
			_exit(99);
		close(ends[0]);
		load(c, file);
	}
	close(ends[1]);
	size_t len = 0;
	ssize_t got;
	while ((got = read(ends[0], said + len, SAID_MAX - 1 - len)) > 0)
		len += (size_t)got;
	said[len] = '\0';
	close(ends[0]);
	assert_int_equal(waitpid(child, &status, 0), child);
	if (c->file)
		unlink(file);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void test_cases(void **state)
{
	char said[SAID_MAX];
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const struct option_case *c = &cases[i];
		int status = run(c, said);
		if (status != c->status ||
		    (c->is_part ? !strstr(said, c->said) : strcmp(said, c->said) != 0))
			fail_msg("case %zu, '%s' '%s': status %d, said:\n%s", i, c->flags,
				 c->environment, status, said);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_cases)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
