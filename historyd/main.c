// SPDX-License-Identifier: MIT
/* main.c — historyd's shell: one turn is to take what waits on the bus, commit it at once, and send
 * what the core says.
 *
 * While one commit's fsync runs, the next messages queue up for the next turn: that is the whole
 * group commit. Two threads: this one writes, reader.c's answers pages. The store is opened before
 * anything listens and closed last. What historyd does is in historyd.c; RocksDB is
 * store/rocks.c's. */
#include "historyd/historyd.h"
#include "historyd/metrics.h"
#include "historyd/options.h"
#include "historyd/reader.h"
#include "historyd/store/rocks.h"
#include "proto/shell/clock.h"
#include "proto/shell/listeners.h"
#include "proto/shell/log.h"
#include "proto/shell/service.h"

enum {
	TURN_MESSAGES = 512,  /* taken from one port … */
	TURN_BYTES = 1 << 20, /* … or so many bytes, before they are committed */
	LOOK_MS = 1000,       /* between looks at the disk, the leases and the counters */
	REOPEN_MIN_MS = 1000,
	REOPEN_MAX_MS = 10000,
	CLOCK_BEHIND_MS = 5000,   /* the clock is behind by so much: worth a line … */
	CLOCK_LOG_MS = 60 * 1000, /* … so often */
	DRAIN_MS = 200,           /* for the last messages to leave */
	ERROR_MAX = 512,
};

struct shell {
	struct historyd *core;
	struct historyd_out out;
	struct store_rocks *store;
	struct reader *reader;
	struct service_main main;
	struct port *up, *down, *ask, *read;
	struct port_message requests[TURN_MESSAGES]; /* of this turn; an requester is an index */

	bool is_writable;
	uint64_t reopen_ms, reopen_wait_ms; /* after a commit that failed */
	uint64_t look_ms, clock_log_ms;
	struct log_pace garbage, unread;

	struct historyd_stats stats;
	struct store_rocks_stats store_stats;
	struct reader_stats reader_stats;
};

/* ---- start ---- */

static void close_store(void *ctx)
{
	store_rocks_close(ctx);
}

static void open_store(struct shell *s, const struct options *o)
{
	const struct store_rocks_options so = {
		.data_dir = o->data,
		.log_dir = *o->log_dir ? o->log_dir : NULL,
		.shard = (uint32_t)o->core.shard,
		.shards = (uint32_t)o->core.shards,
		.create = *o->create ? o->create : NULL,
		.cache_bytes = o->cache_bytes,
		.min_free_bytes = o->min_free,
		.allow_data_loss = o->allow_data_loss,
		.is_restored = o->restored,
	};
	char error[ERROR_MAX];
	s->store = store_rocks_open(&so, error, sizeof error);
	if (!s->store)
		service_fail(&s->main, "%s", error);
	s->main.on_fail = close_store;
	s->main.ctx = s->store;
	store_rocks_stats(s->store, &s->store_stats);
	if (s->store_stats.was_cut)
		log_error("data_lost", "data=%s times=%" PRIu64, o->data, s->store_stats.losses);
}

/* Clients carry it about, and count to 2^53. */
static uint64_t random_epoch(void)
{
	return (service_random() & ((UINT64_C(1) << 53) - 1)) | 1;
}

static struct port *open_port(struct shell *s, const struct options *o, enum port_kind kind,
			      enum endpoint endpoint)
{
	const struct port_options po = {.kind = kind,
					.listens = true,
					.address = o->bind,
					.endpoint = endpoint,
					.whole = historyd_topology(s->core)};
	return service_open_port(&s->main, &po, SERVICE_HISTORYD, o->core.shard);
}

static void open_ports(struct shell *s, const struct options *o)
{
	service_open_tap(&s->main, o->bind);
	s->down = open_port(s, o, PORT_PUBLISH, ENDPOINT_DOWN);
	s->read = open_port(s, o, PORT_RESPONSE, ENDPOINT_READ);
	s->ask = open_port(s, o, PORT_RESPONSE, ENDPOINT_ASK);
	s->up = open_port(s, o, PORT_SUBSCRIBE, ENDPOINT_UP);
	service_wait_for(&s->main, port_fd(s->up));
	service_wait_for(&s->main, port_fd(s->ask));
	service_wait_for(&s->main, store_rocks_unread_fd(s->store));
}

static void open_core(struct shell *s, const struct options *o)
{
	struct historyd_options core = o->core;
	core.cluster = str_from(store_rocks_cluster(s->store));
	core.seed = service_random();
	core.epoch = random_epoch();
	core.restores = (uint32_t)s->store_stats.restores;
	s->core = historyd_open(&core, store_rocks_store(s->store));
	s->is_writable = true;
	historyd_set_writable(s->core, true);
}

static void open_all(struct shell *s, const struct options *o)
{
	const void *const sources[HISTORYD_METRIC_SOURCES] = {[OF_CORE] = &s->stats,
							      [OF_STORE] = &s->store_stats,
							      [OF_READER] = &s->reader_stats};
	open_store(s, o);
	open_core(s, o);
	service_open_metrics(&s->main, &o->service, sources, HISTORYD_METRIC_SOURCES);
	open_ports(s, o);
	s->reader = reader_start(store_rocks_store(s->store), historyd_topology(s->core), s->read);
}

/* ---- the disk ---- */

static void set_writable(struct shell *s, bool is_writable, const char *why)
{
	if (s->is_writable == is_writable)
		return;
	s->is_writable = is_writable;
	historyd_set_writable(s->core, is_writable);
	if (is_writable)
		log_info("writable", "why=\"%s\"", log_sentence(str_from(why)).text);
	else
		log_error("not_writable", "why=\"%s\"", log_sentence(str_from(why)).text);
}

static void on_commit_failed(struct shell *s, uint64_t now_ms)
{
	char error_message[ERROR_MAX];
	store_rocks_last_error(s->store, error_message, sizeof error_message);
	set_writable(s, false, error_message);
	s->reopen_wait_ms = REOPEN_MIN_MS;
	s->reopen_ms = now_ms + s->reopen_wait_ms;
}

/* RocksDB refuses all writes after one that failed; only closing and opening cures that. */
static void reopen(struct shell *s, uint64_t now_ms)
{
	char error[ERROR_MAX];
	if (now_ms < s->reopen_ms)
		return;
	if (store_rocks_reopen(s->store, error, sizeof error) == ERR_OK) {
		/* What was written by the failed commit is on disk now or is not, and nobody was
		 * told. */
		port_renew(s->down);
		log_info("reopened", "wait_ms=%" PRIu64, s->reopen_wait_ms);
		return;
	}
	s->reopen_wait_ms *= 2;
	if (s->reopen_wait_ms > REOPEN_MAX_MS)
		s->reopen_wait_ms = REOPEN_MAX_MS;
	s->reopen_ms = clock_steady_ms() + s->reopen_wait_ms;
	log_error("reopen_failed", "why=\"%s\" again_ms=%" PRIu64,
		  log_sentence(str_from(error)).text, s->reopen_wait_ms);
}

static void look_at_disk(struct shell *s, uint64_t now_ms)
{
	if (store_rocks_failed(s->store))
		reopen(s, now_ms);
	if (store_rocks_failed(s->store))
		return;
	if (store_rocks_has_capacity(s->store))
		set_writable(s, true, "the disk has room");
	else
		set_writable(s, false, "the disk has less free than --min-free");
}

static void look_at_counters(struct shell *s, uint64_t now_ms)
{
	historyd_stats(s->core, &s->stats);
	store_rocks_stats(s->store, &s->store_stats);
	s->reader_stats = reader_stats(s->reader);
	uint64_t bad = s->stats.bus_bad_total + s->stats.bus_unknown_total + s->reader_stats.bad;
	if (log_paced(&s->garbage, bad, now_ms))
		log_warn("bus_garbage", "bad=%" PRIu64 " unknown=%" PRIu64 " read_bad=%" PRIu64,
			 s->stats.bus_bad_total, s->stats.bus_unknown_total, s->reader_stats.bad);
	uint64_t unread = log_paced(&s->unread, s->store_stats.read_failures, now_ms);
	if (unread) {
		char error_message[ERROR_MAX];
		store_rocks_last_error(s->store, error_message, sizeof error_message);
		log_error("read_failed", "times=%" PRIu64 " why=\"%s\"", unread,
			  log_sentence(str_from(error_message)).text);
	}
	if (s->stats.clock_behind_ms >= CLOCK_BEHIND_MS && now_ms >= s->clock_log_ms) {
		log_warn("clock_behind", "ms=%" PRIu64 " times=\"held where they were\"",
			 s->stats.clock_behind_ms);
		s->clock_log_ms = now_ms + CLOCK_LOG_MS;
	}
	service_look(&s->main, historyd_topology(s->core), now_ms);
}

/* ---- the loop ---- */

static size_t take_posts(struct shell *s, uint64_t now_ms)
{
	uint64_t utc_ms = clock_utc_ms(); /* stamps the messages */
	struct port_message m;
	size_t bytes = 0;
	size_t n = 0;
	for (; n < TURN_MESSAGES && bytes < TURN_BYTES && port_receive(s->up, &m); n++) {
		bytes += m.bytes.len;
		const struct bus_source source = {.kind = SERVICE_ANY, .pipe = m.pipe};
		historyd_step(s->core, now_ms, utc_ms, &source, m.bytes);
		port_message_free(&m);
	}
	return n;
}

static size_t take_requests(struct shell *s, uint64_t now_ms)
{
	size_t n = 0;
	for (; n < TURN_MESSAGES && port_receive(s->ask, &s->requests[n]); n++) {
		const struct bus_source source = {.kind = SERVICE_ANY, .pipe = s->requests[n].pipe};
		historyd_request(s->core, now_ms, &source, s->requests[n].bytes, n);
	}
	return n;
}

static void turn(struct shell *s)
{
	uint64_t now_ms = clock_steady_ms();
	uint32_t pipe;
	while (port_pipe_closed(s->up, &pipe) || port_pipe_closed(s->ask, &pipe))
		historyd_pipe_closed(s->core, pipe);
	size_t posts = take_posts(s, now_ms);
	size_t requests = take_requests(s, now_ms);
	enum err committed = ERR_OK;
	if (posts + requests > 0)
		committed = historyd_flush(s->core, now_ms, &s->out);
	now_ms = clock_steady_ms();
	port_send(s->down, &s->out.down);
	for (size_t i = 0; i < s->out.response_count; i++) {
		const struct response *a = &s->out.responses[i];
		CHECK(a->requester < requests);
		port_respond(s->ask, &s->requests[a->requester], &a->events);
	}
	for (size_t i = 0; i < requests; i++)
		port_message_free(&s->requests[i]);
	historyd_out_reset(&s->out);
	if (committed != ERR_OK && store_rocks_failed(s->store))
		on_commit_failed(s, now_ms);
	listeners_look(now_ms);
	if (store_rocks_unread(s->store) || now_ms >= s->look_ms) {
		s->look_ms = now_ms + LOOK_MS;
		historyd_tick(s->core, now_ms);
		look_at_disk(s, now_ms);
		look_at_counters(s, now_ms);
	}
	port_heartbeat(s->down, &(struct ev_heartbeat){.ready = s->is_writable}, now_ms);
}

static void close_all(struct shell *s)
{
	reader_stop(s->reader);
	port_drain(DRAIN_MS); /* and the ports are left to the system: see port_close */
	metrics_close(&s->main.metrics);
	historyd_out_free(&s->out);
	historyd_close(s->core);
	store_rocks_close(s->store);
}

int main(int argc, char **argv)
{
	static struct options o;
	static struct shell s;
	historyd_options_load(&o, argc, argv);
	service_start(&s.main, &historyd_program, SERVICE_HISTORYD, o.core.shard, &o.service);
	service_take_signals(&s.main);
	open_all(&s, &o);
	look_at_disk(&s, clock_steady_ms());
	if (*store_rocks_cluster(s.store))
		log_info("listening",
			 "bind=%s data=%s shard=%" PRIu64 " shards=%" PRIu64 " cluster=%s", o.bind,
			 o.data, o.core.shard, o.core.shards, store_rocks_cluster(s.store));
	else
		log_warn("listening",
			 "bind=%s data=%s shard=%" PRIu64 " shards=%" PRIu64
			 " cluster=\"none: give it one by a start with create\"",
			 o.bind, o.data, o.core.shard, o.core.shards);

	while (service_wait(&s.main, s.look_ms))
		turn(&s);
	log_info("stopping", "stored=%" PRIu64, s.stats.messages_stored_total);
	turn(&s);
	close_all(&s);
	return 0;
}
