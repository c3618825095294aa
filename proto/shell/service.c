// SPDX-License-Identifier: MIT
/* service.c — see service.h. */
#include "proto/shell/service.h"
#include "proto/shell/clock.h"
#include "proto/shell/watchdog.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/random.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MISFITS_MS = 10000 }; /* between two lines about topology */

static void open_bus(enum service kind, const struct bus_security *o)
{
	char program[32];
	char error[512];
	snprintf(program, sizeof program, "parlor-%s", service_name(kind));
	if (!bus_tls_open(o, error, sizeof error))
		fail_usage(program, "%s", error);
}

struct envelope service_start(enum service kind, uint64_t id, const struct service_options *o)
{
	struct buf label = {0};
	umask(S_IRWXG | S_IRWXO); /* files and sockets are this user's alone */
	buf_printf(&label, "%s-%" PRIu64, service_name(kind), id);
	log_open(str_copy(buf_view(&label)).ptr, (enum log_level)o->log_level, o->log_as_json);
	buf_free(&label);
	/* A terminal that was closed, or an operator who would have files opened again. */
	CHECK(signal(SIGHUP, SIG_IGN) != SIG_ERR);
	open_bus(kind, &o->bus);
	watchdog_open();
	return (struct envelope){.from = kind, .id = id, .epoch = clock_utc_us()};
}

void service_log_misfits(struct misfit_log *l, const struct topology *t, uint64_t now_ms)
{
	struct buf fields = {0};
	if (t->misfits == l->count || now_ms < l->due_ms)
		return;
	topology_print(t, &fields);
	log_warn("topology", "messages=%" PRIu64 " " STR_FMT, t->misfits - l->count,
		 STR_ARG(buf_view(&fields)));
	buf_free(&fields);
	l->count = t->misfits;
	l->due_ms = now_ms + MISFITS_MS;
}

void service_random_bytes(void *bytes, size_t len)
{
	enum { WHOLE_MAX = 256 }; /* more may be interrupted */
	CHECK(len <= WHOLE_MAX);
	CHECK(getrandom(bytes, len, 0) == (ssize_t)len);
}

uint64_t service_random(void)
{
	uint64_t bits;
	service_random_bytes(&bits, sizeof bits);
	return bits;
}

int service_signal_fd(void)
{
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	CHECK(sigprocmask(SIG_BLOCK, &set, NULL) == 0);
	CHECK(signal(SIGPIPE, SIG_IGN) != SIG_ERR);
	int fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	CHECK(fd >= 0);
	return fd;
}

bool service_should_stop(int signal_fd)
{
	struct signalfd_siginfo info;
	bool should_stop = read(signal_fd, &info, sizeof info) == (ssize_t)sizeof info;
	if (should_stop)
		watchdog_stopping();
	return should_stop;
}

void service_wait(const int *fds, size_t count, uint64_t due_ms)
{
	struct pollfd polled[WAIT_FDS_MAX];
	CHECK(count <= WAIT_FDS_MAX);
	for (size_t i = 0; i < count; i++)
		polled[i] = (struct pollfd){.fd = fds[i], .events = POLLIN};
	uint64_t now_ms = clock_steady_ms();
	watchdog_alive(now_ms);
	uint64_t wait_ms = due_ms <= now_ms ? 0 : due_ms - now_ms;
	if (wait_ms > HEARTBEAT_MS / 2)
		wait_ms = HEARTBEAT_MS / 2;
	/* A signal or a failure looks like nothing being there yet; the caller looks at everything
	 * anyway. */
	(void)poll(polled, count, (int)wait_ms);
}
