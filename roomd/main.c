// SPDX-License-Identifier: MIT
/* main.c — roomd's shell: takes messages off the bus, hands them to the core, sends what comes out.
 *
 * One thread. What roomd does is in roomd.c; the sockets are proto/shell/busio.c's. */
#include "proto/arena.h"
#include "proto/shell/clock.h"
#include "proto/shell/listeners.h"
#include "proto/shell/log.h"
#include "proto/shell/metrics_http.h"
#include "proto/shell/service.h"
#include "roomd/roomd.h"

#include <stdio.h>

#define PROGRAM "parlor-roomd"

enum {
	TURN_MESSAGES = 512,  /* taken from one port before the results go out */
	REPORT_MS = 1000,     /* between looks at the counters */
	COMPLAINT_MS = 10000, /* between lines about messages that are not ours */
	DRAIN_MS = 200,       /* for the last messages to leave */
	ERROR_MAX = 512,
	LABEL_MAX = 32,
};

struct options {
	struct service_options service;
	const char *bind;
	uint64_t shard, roomds;
	struct address_list historyds;
};

#define OPTION(option, kind, member) OPTION_ROW(option, kind, struct options, member)

static const struct option_row option_rows[] = {
	{OPTION("bind", ADDRESS, bind), .is_own = true,
	 .help = "address of this shard, such as ipc:///run/parlor/roomd-0 or "
		 "tls+tcp://0.0.0.0:7000"},
	{OPTION("shard", NUMBER, shard), .is_own = true, .fallback = "0", .max = SHARDS_MAX - 1,
	 .help = "which of the roomd shards this is"},
	{OPTION("roomds", NUMBER, roomds), .fallback = "0", .max = SHARDS_MAX,
	 .help = "how many roomd shards there are; 0: as many as the first gateway says"},
	{OPTION("historyd", ADDRESSES, historyds), .help = HISTORYD_OPTION_HELP},
	SERVICE_OPTION_ROWS(struct options, service),
};

static const struct metric_row metric_rows[] = {
#define S(name, kind, help) {METRIC_ROW(#name, kind, help, 0, struct roomd_stats, name)},
	ROOMD_STATS(S)
#undef S
};
static const struct metric_table roomd_metrics = {metric_rows, ARRAY_LEN(metric_rows)};

struct shell {
	struct roomd *core;
	struct roomd_out out;
	int signals;
	struct envelope self;
	const char *bind;
	struct tap *tap;
	struct misfit_log misfits;
	struct port *up, *down, *ask[SHARDS_MAX];
	struct address_list historyds;
	struct arena labels;
	int fds[WAIT_FDS_MAX];
	size_t fd_count;

	struct ev_heartbeat said; /* as last logged */
	uint64_t report_ms, complaint_ms;
	struct roomd_stats stats;
	uint64_t complained, lapsed; /* of stats, as last logged */
	struct metrics metrics;
	struct metrics_http *metrics_http;
};

static const char *label(struct shell *s, const char *service, size_t shard, const char *endpoint)
{
	char *text = arena_alloc(&s->labels, LABEL_MAX);
	snprintf(text, LABEL_MAX, "%s-%zu.%s", service, shard, endpoint);
	return text;
}

/* `to`: as in an envelope. */
static struct port *open_port(struct shell *s, enum port_kind kind, const char *address,
			      enum endpoint endpoint, const char *name, uint64_t to)
{
	struct envelope self = s->self;
	self.to = to;
	const struct port_options o = {.kind = kind,
				       .listens = address == s->bind,
				       .address = address,
				       .endpoint = endpoint,
				       .label = name,
				       .self = self,
				       .whole = roomd_topology(s->core),
				       .tap = s->tap};
	char error[ERROR_MAX];
	struct port *p = port_open(&o, error, sizeof error);
	if (!p)
		fail_system(PROGRAM, "%s", error);
	if (kind != PORT_PUBLISH)
		s->fds[s->fd_count++] = port_fd(p);
	return p;
}

static void open_ports(struct shell *s, const struct options *o)
{
	char error[ERROR_MAX];
	s->bind = o->bind;
	s->tap = tap_open(s->bind, &s->self, error, sizeof error);
	if (!s->tap)
		fail_system(PROGRAM, "%s", error);
	for (size_t i = 0; i < s->historyds.count; i++)
		s->ask[i] = open_port(s, PORT_ASK, s->historyds.at[i], ENDPOINT_ASK,
				      label(s, "historyd", i, "ask"), i + 1);
	s->down = open_port(s, PORT_PUBLISH, s->bind, ENDPOINT_DOWN,
			    label(s, "roomd", o->shard, "down"), 0);
	s->up = open_port(s, PORT_SUBSCRIBE, s->bind, ENDPOINT_UP,
			  label(s, "roomd", o->shard, "up"), 0);
}

static void open_metrics(struct shell *s, const struct options *o)
{
	char error[ERROR_MAX];
	const void *const sources[] = {&s->stats};
	metrics_open(&s->metrics, &roomd_metrics, "roomd", o->shard, sources, ARRAY_LEN(sources));
	if (!metrics_http_open(&s->metrics_http, o->service.metrics, error, sizeof error))
		fail_system(PROGRAM, "%s", error);
}

/* What an operator should know, at most once a second. */
static void report(struct shell *s, uint64_t now_ms, const struct ev_heartbeat *state)
{
	if (state->ready != s->said.ready)
		log_info(state->ready ? "ready" : "not_ready", "historyds=%u", s->historyds.count);
	for (size_t i = 0; i < s->historyds.count; i++)
		if ((state->missing ^ s->said.missing) >> i & 1)
			log_line(state->missing >> i & 1 ? LOG_WARN : LOG_INFO,
				 state->missing >> i & 1 ? "not_reached" : "reached",
				 "historyd=%zu address=%s", i, s->historyds.at[i]);
	s->said = *state;
	if (now_ms < s->report_ms)
		return;
	s->report_ms = now_ms + REPORT_MS;
	roomd_stats(s->core, &s->stats);
	if (s->stats.gateways_lapsed_total != s->lapsed)
		log_warn("gateway_lapsed", "total=%" PRIu64 " left=%" PRIu64,
			 s->stats.gateways_lapsed_total, s->stats.gateways);
	s->lapsed = s->stats.gateways_lapsed_total;
	uint64_t bad = s->stats.bus_bad_total + s->stats.bus_unknown_total;
	if (bad != s->complained && now_ms >= s->complaint_ms) {
		log_warn("bus_garbage", "bad=%" PRIu64 " unknown=%" PRIu64, s->stats.bus_bad_total,
			 s->stats.bus_unknown_total);
		s->complained = bad;
		s->complaint_ms = now_ms + COMPLAINT_MS;
	}
	service_log_misfits(&s->misfits, roomd_topology(s->core), now_ms);
	metrics_http_look(s->metrics_http, &s->metrics);
}

static void take(struct shell *s, struct port *p, struct bus_source source, uint64_t now_ms)
{
	struct port_message m;
	for (int n = 0; n < TURN_MESSAGES && port_receive(p, &m); n++) {
		if (source.kind == SERVICE_ANY)
			source.pipe = m.pipe;
		roomd_step(s->core, now_ms, &source, m.bytes, &s->out);
		port_message_free(&m);
	}
}

static void turn(struct shell *s)
{
	uint64_t now_ms = clock_steady_ms();
	uint32_t pipe;
	while (port_pipe_closed(s->up, &pipe))
		roomd_pipe_closed(s->core, pipe);
	take(s, s->up, (struct bus_source){.kind = SERVICE_ANY}, now_ms);
	for (uint32_t i = 0; i < s->historyds.count; i++)
		take(s, s->ask[i], (struct bus_source){.kind = SERVICE_HISTORYD, .shard = i},
		     now_ms);
	if (roomd_next_due(s->core) <= now_ms)
		roomd_tick(s->core, now_ms, &s->out);
	port_send(s->down, &s->out.down);
	for (size_t i = 0; i < s->historyds.count; i++)
		port_send(s->ask[i], &s->out.ask[i]);
	roomd_out_reset(&s->out);
	const struct ev_heartbeat state = roomd_heartbeat(s->core, now_ms);
	port_heartbeat(s->down, &state, now_ms);
	listeners_look(now_ms);
	report(s, now_ms, &state);
}

static void close_all(struct shell *s)
{
	port_drain(DRAIN_MS); /* and the ports are left to the system: see port_close */
	metrics_close(&s->metrics);
	roomd_out_free(&s->out);
	roomd_close(s->core);
}

int main(int argc, char **argv)
{
	static const struct program program = {PROGRAM, "who is in which room of a Parlor",
					       option_rows, ARRAY_LEN(option_rows), &roomd_metrics};
	static struct options o;
	static struct shell s;
	options_load(&program, argc, argv, &o);
	s.self = service_start(SERVICE_ROOMD, o.shard, &o.service);
	s.signals = service_signal_fd();
	s.fds[s.fd_count++] = s.signals;
	s.historyds = o.historyds;
	if (o.roomds && o.shard >= o.roomds)
		fail_usage(PROGRAM, "--shard must be below --roomds");
	const struct roomd_options core = {.id = o.shard,
					   .epoch = s.self.epoch,
					   .roomd_shards = (uint32_t)o.roomds,
					   .historyd_shards = o.historyds.count,
					   .seed = service_random()};
	s.core = roomd_open(&core, clock_steady_ms());
	s.said = roomd_heartbeat(s.core, clock_steady_ms());
	open_ports(&s, &o);
	open_metrics(&s, &o);
	log_info("listening", "bind=%s historyds=%u", o.bind, o.historyds.count);

	while (!service_should_stop(s.signals)) {
		service_wait(s.fds, s.fd_count, roomd_next_due(s.core));
		turn(&s);
	}
	log_info("stopping", "gateways=%" PRIu64, s.stats.gateways);
	turn(&s);
	close_all(&s);
	return 0;
}
