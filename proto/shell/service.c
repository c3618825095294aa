// SPDX-License-Identifier: MIT
/* service.c — see service.h. */
#include "proto/shell/service.h"
#include "proto/shell/clock.h"
#include "proto/shell/watchdog.h"

#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/random.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

enum { ERROR_MAX = 512 };

static void open_bus(const struct program *p, const struct bus_security *o)
{
	char error[ERROR_MAX];
	if (!bus_tls_open(o, error, sizeof error))
		fail_usage(p->name, "%s", error);
}

void service_start(struct service_main *m, const struct program *p, enum service kind, uint64_t id,
		   const struct service_options *o)
{
	struct buf label = {0};
	umask(S_IRWXG | S_IRWXO); /* files and sockets are this user's alone */
	buf_printf(&label, "%s-%" PRIu64, service_name(kind), id);
	log_open(str_copy(buf_view(&label)).ptr, (enum log_level)o->log_level, o->log_as_json);
	buf_free(&label);
	/* A terminal that was closed, or an operator who would have files opened again. */
	CHECK(signal(SIGHUP, SIG_IGN) != SIG_ERR);
	CHECK(signal(SIGPIPE, SIG_IGN) != SIG_ERR);
	open_bus(p, &o->bus);
	watchdog_open();
	m->program = p;
	m->self = (struct envelope){.from = kind, .id = id, .epoch = clock_utc_us()};
}

void service_fail(const struct service_main *m, const char *fmt, ...)
{
	char text[ERROR_MAX * 2];
	va_list args;
	va_start(args, fmt);
	vsnprintf(text, sizeof text, fmt, args);
	va_end(args);
	if (m->on_fail)
		m->on_fail(m->ctx);
	fail_system(m->program->name, "%s", text);
}

void service_open_metrics(struct service_main *m, const struct service_options *o,
			  const void *const *sources, size_t source_count)
{
	char error[ERROR_MAX];
	metrics_open(&m->metrics, m->program->metrics, service_name(m->self.from), m->self.id,
		     sources, source_count);
	if (!metrics_http_open(&m->metrics_http, o->metrics, error, sizeof error))
		service_fail(m, "%s", error);
}

void service_open_tap(struct service_main *m, const char *address)
{
	char error[ERROR_MAX];
	m->tap = tap_open(address, &m->self, error, sizeof error);
	if (!m->tap)
		service_fail(m, "%s", error);
}

struct port *service_open_port(struct service_main *m, const struct port_options *o,
			       enum service whose, uint64_t shard)
{
	char error[ERROR_MAX];
	struct buf label = {0};
	struct port_options whole = *o;
	buf_printf(&label, "%s-%" PRIu64 ".%s", service_name(whose), shard,
		   endpoint_name(o->endpoint));
	whole.label = str_copy(buf_view(&label)).ptr;
	buf_free(&label);
	whole.self = m->self;
	whole.self.to = o->self.to;
	whole.tap = m->tap;
	struct port *p = port_open(&whole, error, sizeof error);
	if (!p)
		service_fail(m, "%s", error);
	return p;
}

void service_look(struct service_main *m, const struct topology *t, uint64_t now_ms)
{
	struct buf fields = {0};
	uint64_t grown = log_paced(&m->misfits, t->misfits, now_ms);
	if (grown) {
		topology_print(t, &fields);
		log_warn("topology", "messages=%" PRIu64 " " STR_FMT, grown,
			 STR_ARG(buf_view(&fields)));
	}
	buf_free(&fields);
	metrics_http_look(m->metrics_http, &m->metrics);
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

void service_take_signals(struct service_main *m)
{
	sigset_t set;
	CHECK(m->fd_count == 0);
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	CHECK(sigprocmask(SIG_BLOCK, &set, NULL) == 0);
	int fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	CHECK(fd >= 0);
	service_wait_for(m, fd);
}

bool service_should_stop(struct service_main *m)
{
	struct signalfd_siginfo info;
	bool should_stop = read(m->fds[0], &info, sizeof info) == (ssize_t)sizeof info;
	if (should_stop)
		watchdog_stopping();
	return should_stop;
}

void service_wait_for(struct service_main *m, int fd)
{
	CHECK(m->fd_count < WAIT_FDS_MAX);
	m->fds[m->fd_count++] = fd;
}

bool service_wait(struct service_main *m, uint64_t due_ms)
{
	struct pollfd polled[WAIT_FDS_MAX];
	CHECK(m->fd_count > 0);
	for (size_t i = 0; i < m->fd_count; i++)
		polled[i] = (struct pollfd){.fd = m->fds[i], .events = POLLIN};
	uint64_t now_ms = clock_steady_ms();
	watchdog_alive(now_ms);
	uint64_t wait_ms = due_ms <= now_ms ? 0 : due_ms - now_ms;
	if (wait_ms > HEARTBEAT_MS / 2)
		wait_ms = HEARTBEAT_MS / 2;
	/* A signal or a failure looks like nothing being there yet; the caller looks at everything
	 * anyway. */
	(void)poll(polled, m->fd_count, (int)wait_ms);
	return !service_should_stop(m);
}
