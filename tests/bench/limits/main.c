// SPDX-License-Identifier: MIT
/* main.c — see limits.h. */
#include "tests/bench/limits/limits.h"

#include <arpa/inet.h>
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>

#define OPTION(option, kind, member) OPTION_ROW(option, kind, struct limit_options, member)

enum { BACKLOG = 4096 };

#define LIMITS "send|connect|fsync|commit"
enum { ON_DISK = 2 }; /* from the third on */
static void (*const limits[])(const struct limit_options *o) = {limit_send, limit_connect,
								limit_fsync, limit_commit};

static const struct option_row option_rows[] = {
	{OPTION("what", CHOICE, what), .choices = LIMITS, .help = "which limit"},
	{OPTION("window", NUMBER, window_ms), .fallback = "3000", .min = 100, .max = 600000,
	 .help = "ms that are measured"},
	{OPTION("sockets", NUMBER, sockets), .fallback = "1000", .min = 1, .max = 100000,
	 .help = "send: to how many; connect: how many come"},
	{OPTION("frame", NUMBER, frame_bytes), .fallback = "160", .min = 1, .max = 65536,
	 .help = "send: bytes"},
	{OPTION("reader-core", NUMBER, reader_core), .fallback = "1", .max = 1023,
	 .help = "send, connect: where the other end runs"},
	{OPTION("connecting", NUMBER, connecting), .fallback = "64", .min = 1, .max = 4096,
	 .help = "connect: how many at the same time"},
	{OPTION("data", TEXT, data), .fallback = "",
	 .help = "fsync, commit: a directory to write in, that does not exist"},
	{OPTION("batch", NUMBER, batch), .fallback = "256", .min = 1, .max = 100000,
	 .help = "commit: records with one fsync"},
	{OPTION("record", NUMBER, record_bytes), .fallback = "200", .min = 8, .max = 65536,
	 .help = "fsync, commit: bytes of a record"},
	{OPTION("pace", NUMBER, pace_us), .fallback = "0", .max = 10000000,
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

double cpu_s(void)
{
	struct rusage u;
	getrusage(RUSAGE_SELF, &u);
	return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
	       (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

void become_child(uint64_t core)
{
	cpu_set_t cores;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	CPU_ZERO(&cores);
	CPU_SET((size_t)core, &cores);
	sched_setaffinity(0, sizeof cores, &cores);
}

int listen_somewhere(struct sockaddr_in *address, int flags)
{
	socklen_t len = sizeof *address;
	*address = (struct sockaddr_in){.sin_family = AF_INET};
	address->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	int listener = socket(AF_INET, SOCK_STREAM | flags, 0);
	if (listener < 0 || bind(listener, (struct sockaddr *)address, len) != 0 ||
	    listen(listener, BACKLOG) != 0 ||
	    getsockname(listener, (struct sockaddr *)address, &len) != 0)
		fail_system(PROGRAM, "listen: %s", strerror(errno));
	return listener;
}

int main(int argc, char **argv)
{
	static const struct program program = {PROGRAM, "what the machine itself can do",
					       option_rows, ARRAY_LEN(option_rows), NULL};
	struct limit_options o;
	options_load(&program, argc, argv, &o);
	if (o.what >= ON_DISK && !*o.data)
		fail_usage(PROGRAM, "--data must be given");
	limits[o.what](&o);
	return 0;
}
