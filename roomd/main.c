// SPDX-License-Identifier: MIT
/* main.c — roomd's shell: takes messages off the bus, hands them to the core, sends what comes out.
 *
 * One thread. What roomd does is in roomd.c; the sockets are proto/shell/busio.c's. */
#include "proto/shell/clock.h"
#include "proto/shell/listeners.h"
#include "proto/shell/log.h"
#include "proto/shell/service.h"
#include "roomd/roomd.h"

#define PROGRAM "parlor-roomd"

enum {
	TURN_MESSAGES = 512, /* taken from one port before the results go out */
	REPORT_MS = 1000,    /* between looks at the counters */
	DRAIN_MS = 200,      /* for the last messages to leave */
};

struct options {
	struct service_options service;
	struct roomd_options core; /* id and roomd_shards of it */
	const char *bind;
	struct address_list historyds;
};

#define OPTION(option, kind, member) OPTION_ROW(option, kind, struct options, member)

static const struct option_row option_rows[] = {
	{OPTION("bind", ADDRESS, bind), .is_own = true,
	 .help = "address of this shard, such as ipc:///run/parlor/roomd-0 or "
		 "tls+tcp://0.0.0.0:7000"},
	{OPTION("shard", NUMBER, core.id), .is_own = true, .fallback = "0", .max = SHARDS_MAX - 1,
	 .help = "which of the roomd shards this is"},
	{OPTION("roomds", NUMBER, core.roomd_shards), .fallback = "0", .max = SHARDS_MAX,
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
	struct service_main main;
	struct port *up, *down, *ask[SHARDS_MAX];
	struct address_list historyds;

	struct ev_heartbeat said; /* as last logged */
	uint64_t report_ms;
	struct roomd_stats stats;
	uint64_t lapsed; /* of stats, as last logged */
	struct log_pace garbage;
};

/* Of this shard, or of a historyd. */
static struct port *open_port(struct shell *s, enum port_kind kind, enum endpoint endpoint,
			      const char *address, enum service whose, uint64_t shard)
{
	const bool is_ours = whose == SERVICE_ROOMD;
	const struct port_options o = {.kind = kind,
				       .listens = is_ours,
				       .address = address,
				       .endpoint = endpoint,
				       .self.to = is_ours ? 0 : shard + 1,
				       .whole = roomd_topology(s->core)};
	struct port *p = service_open_port(&s->main, &o, whose, shard);
	if (kind != PORT_PUBLISH)
		service_wait_for(&s->main, port_fd(p));
	return p;
}

static void open_ports(struct shell *s, const struct options *o)
{
	service_open_tap(&s->main, o->bind);
	for (size_t i = 0; i < s->historyds.count; i++)
		s->ask[i] = open_port(s, PORT_REQUEST, ENDPOINT_ASK, s->historyds.at[i],
				      SERVICE_HISTORYD, i);
	s->down = open_port(s, PORT_PUBLISH, ENDPOINT_DOWN, o->bind, SERVICE_ROOMD, o->core.id);
	s->up = open_port(s, PORT_SUBSCRIBE, ENDPOINT_UP, o->bind, SERVICE_ROOMD, o->core.id);
}

static void open_all(struct shell *s, const struct options *o)
{
	const void *const sources[] = {&s->stats};
	struct roomd_options core = o->core;
	core.epoch = s->main.self.epoch;
	core.historyd_shards = o->historyds.count;
	core.seed = service_random();
	s->historyds = o->historyds;
	s->core = roomd_open(&core, clock_steady_ms());
	s->said = roomd_heartbeat(s->core, clock_steady_ms());
	open_ports(s, o);
	service_open_metrics(&s->main, &o->service, sources, ARRAY_LEN(sources));
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
	if (log_paced(&s->garbage, s->stats.bus_bad_total + s->stats.bus_unknown_total, now_ms))
		log_warn("bus_garbage", "bad=%" PRIu64 " unknown=%" PRIu64, s->stats.bus_bad_total,
			 s->stats.bus_unknown_total);
	service_look(&s->main, roomd_topology(s->core), now_ms);
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
	metrics_close(&s->main.metrics);
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
	if (o.core.roomd_shards && o.core.id >= o.core.roomd_shards)
		fail_usage(PROGRAM, "--shard must be below --roomds");
	service_start(&s.main, &program, SERVICE_ROOMD, o.core.id, &o.service);
	service_take_signals(&s.main);
	open_all(&s, &o);
	log_info("listening", "bind=%s historyds=%u", o.bind, o.historyds.count);

	while (service_wait(&s.main, roomd_next_due(s.core)))
		turn(&s);
	log_info("stopping", "gateways=%" PRIu64, s.stats.gateways);
	turn(&s);
	close_all(&s);
	return 0;
}
