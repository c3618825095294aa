// SPDX-License-Identifier: MIT
/* service.h — what every service's main() shares: its identity on the bus, signals, and waiting for
 * the next thing to do. The gateway waits in libuv's loop instead, and takes only identity and
 * options from here. */
#ifndef PARLOR_PROTO_SHELL_SERVICE_H
#define PARLOR_PROTO_SHELL_SERVICE_H

#include "proto/shell/bus_tls.h"
#include "proto/shell/busio.h"
#include "proto/shell/log.h"
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

/* Sets the log up and returns who this process is on the bus. */
struct envelope service_start(enum service kind, uint64_t id, const struct service_options *o);

/* Which messages that know another topology were logged. Zeroed at first. */
struct misfit_log {
	uint64_t count, due_ms;
};

/* One line about the last of them, not too often. */
void service_log_misfits(struct misfit_log *l, const struct topology *t, uint64_t now_ms);

/* Bytes that nobody can guess. */
void service_random_bytes(void *bytes, size_t len);

/* Random bits, for the seeds of hash tables that strangers fill. */
uint64_t service_random(void);

/* Which signals have come; SIGTERM and SIGINT stop a service, SIGPIPE and SIGHUP are ignored. */
int service_signal_fd(void);
bool service_should_stop(int signal_fd);

enum { WAIT_FDS_MAX = SHARDS_MAX + 4 };

/* Waits until one of the descriptors is readable or `due_ms` (steady clock, UINT64_MAX: never) has
 * come, at most one heartbeat long; the watchdog hears of it. */
void service_wait(const int *fds, size_t count, uint64_t due_ms);

#endif
