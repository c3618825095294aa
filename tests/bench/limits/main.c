// SPDX-License-Identifier: MIT
/* main.c — see limits.h. */
#include "tests/bench/limits/limits.h"

#include <time.h>

#define OPTION(flag, type, member) \
	.name = flag, .kind = type, .offset = offsetof(struct limit_options, member)

static const struct option_row option_rows[] = {
	{OPTION("what", OPTION_CHOICE, what), .choices = "send|fsync|commit",
	 .help = "which limit"},
	{OPTION("window", OPTION_NUMBER, window_ms), .fallback = "3000", .min = 100, .max = 600000,
	 .help = "ms that are measured"},
	{OPTION("sockets", OPTION_NUMBER, sockets), .fallback = "1000", .min = 1, .max = 100000,
	 .help = "send: to how many"},
	{OPTION("frame", OPTION_NUMBER, frame_bytes), .fallback = "160", .min = 1, .max = 65536,
	 .help = "send: bytes"},
	{OPTION("reader-core", OPTION_NUMBER, reader_core), .fallback = "1", .max = 1023,
	 .help = "send: where the other end reads"},
	{OPTION("data", OPTION_TEXT, data), .fallback = "",
	 .help = "fsync, commit: a directory to write in, that does not exist"},
	{OPTION("batch", OPTION_NUMBER, batch), .fallback = "256", .min = 1, .max = 100000,
	 .help = "commit: records with one fsync"},
	{OPTION("record", OPTION_NUMBER, record_bytes), .fallback = "200", .min = 8, .max = 65536,
	 .help = "fsync, commit: bytes of a record"},
	{OPTION("pace", OPTION_NUMBER, pace_us), .fallback = "0", .max = 10000000,
	 .help = "fsync: us from one append to the next; 0: at once"},
};

uint64_t now_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

void sleep_until(uint64_t ns)
{
	const struct timespec t = {(time_t)(ns / 1000000000u), (long)(ns % 1000000000u)};
	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL);
}

int main(int argc, char **argv)
{
	static const struct program program = {PROGRAM, "what the machine itself can do",
					       option_rows, ARRAY_LEN(option_rows)};
	struct limit_options o;
	options_load(&program, argc, argv, &o);
	if (strcmp(o.what, "send") == 0)
		limit_send(&o);
	else if (!*o.data)
		fail_usage(PROGRAM, "--data must be given");
	else if (strcmp(o.what, "fsync") == 0)
		limit_fsync(&o);
	else
		limit_commit(&o);
	return 0;
}
