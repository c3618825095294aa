// SPDX-License-Identifier: MIT
/* service.h — what every service's main() shares: its identity on the bus, its ports and metrics,
 * signals, the watchdog, and waiting for the next thing to do. The gateway has libuv's loop for the
 * last three, and ports that are polled there. */
#ifndef PARLOR_PROTO_SHELL_SERVICE_H
#define PARLOR_PROTO_SHELL_SERVICE_H

#include "proto/shell/bus_tls.h"
#include "proto/shell/busio.h"
#include "proto/shell/log.h"
#include "proto/shell/metrics_http.h"
#include "proto/shell/options.h"

/* The options of every service, to be put first into its struct and its rows. */
struct service_options {
	const char *metrics;
	unsigned log_level, log_as_json; /* places in their choices */
	struct bus_security bus;
};
#define SERVICE_OPTION_ROWS(type, member)                                                     \
	BUS_SECURITY_ROWS(type, member.bus),                                                  \
		{OPTION_ROW("metrics", TEXT, type, member.metrics), .fallback = "",           \
		 .is_own = true, .help = "host:port to serve Prometheus metrics on"},         \
		{OPTION_ROW("log-level", CHOICE, type, member.log_level), .fallback = "info", \
		 .choices = LOG_LEVELS, .former = "trace|info|odd|broken",                    \
		 .help = "log this and worse"},                                               \
	{                                                                                     \
		OPTION_ROW("log-format", CHOICE, type, member.log_as_json),                   \
			.fallback = "logfmt", .choices = "logfmt|json",                       \
			.help = "how a log line looks"                                        \
	}
/* What the row of an option says that several services have. */
#define HISTORYD_OPTION_HELP "addresses of all historyd shards, in their order, with commas between"

enum { WAIT_FDS_MAX = SHARDS_MAX + 4 };

/* Zeroed at first; lives as long as the process. */
struct service_main {
	const struct program *program;
	struct envelope self;
	void (*on_fail)(void *ctx); /* before a start that fails ends the process; may be NULL */
	void *ctx;
	struct tap *tap;
	struct metrics metrics;
	struct metrics_http *metrics_http;
	struct log_pace misfits;
	int fds[WAIT_FDS_MAX]; /* the first says which signals have come */
	size_t fd_count;
};

/* The log, the watchdog, files for this user alone, SIGHUP and SIGPIPE ignored; who this process is
 * on the bus. */
void service_start(struct service_main *m, const struct program *p, enum service kind, uint64_t id,
		   const struct service_options *o);

/* One line on stderr, exit 1. */
_Noreturn void service_fail(const struct service_main *m, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* The sources are those of the program's rows. */
void service_open_metrics(struct service_main *m, const struct service_options *o,
			  const void *const *sources, size_t source_count);

/* Where this service is on the bus: the ports that are opened after it are mirrored there. */
void service_open_tap(struct service_main *m, const char *address);

/* `o` without self (but for `to`), label and tap; the label names `whose` shard. */
struct port *service_open_port(struct service_main *m, const struct port_options *o,
			       enum service whose, uint64_t shard);

/* Now and then: answers who asks for metrics, and logs who knows another topology. */
void service_look(struct service_main *m, const struct topology *t, uint64_t now_ms);

/* Bytes that nobody can guess. */
void service_random_bytes(void *bytes, size_t len);

/* Random bits, for the seeds of hash tables that strangers fill. */
uint64_t service_random(void);

/* SIGTERM and SIGINT stop the service from here on. Before any thread starts. */
void service_take_signals(struct service_main *m);
NODISCARD
bool service_should_stop(struct service_main *m);

/* service_wait ends when this is readable, too. */
void service_wait_for(struct service_main *m, int fd);

/* Waits until there is something to read or `due_ms` (steady clock, UINT64_MAX: never) has come, at
 * most one heartbeat long; the watchdog hears of it. False when the service is to stop. */
NODISCARD
bool service_wait(struct service_main *m, uint64_t due_ms);

#endif
