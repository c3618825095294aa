// SPDX-License-Identifier: MIT
/* main.c — the gateway's shell: start, the loop with the end of each of its turns, and the drain.
 *
 * One thread, one libuv loop. Whatever wakes it (a client in shell/server.c, a shard in
 * shell/shards.c, a timer) only tells the core; just before the loop would sleep, on_turn lets
 * everything out at once. What the gateway does is in gateway.c. */
#include "gateway/shell/front.h"
#include "gateway/shell/metrics.h"
#include "gateway/shell/options.h"
#include "gateway/shell/relay.h"
#include "gateway/shell/report.h"
#include "gateway/shell/server.h"
#include "gateway/shell/shards.h"
#include "gateway/shell/sio.h"
#include "gateway/shell/tokens.h"
#include "proto/shell/clock.h"
#include "proto/shell/listeners.h"
#include "proto/shell/log.h"
#include "proto/shell/service.h"
#include "proto/shell/watchdog.h"

#include <stdio.h>
#include <unistd.h>

enum {
	LOOK_MS = 250,         /* between looks at heartbeats and readiness */
	DRAIN_STEP_MS = 50,    /* between batches of closed connections */
	DRAIN_LINGER_MS = 500, /* for the last of them to be closed in order */
	BUS_DRAIN_MS = 200,    /* for the last messages to leave */
	CLOSING_TURNS_MAX = 1000,
	ERROR_MAX = 512,
};

struct shell {
	uv_loop_t loop;
	uv_prepare_t turn;
	uv_timer_t timer;
	uv_idle_t more; /* runs while there is something to do, so that the loop does not sleep */
	uv_signal_t term, interrupt, hang_up;
	struct gateway *core;
	struct gateway_out out;
	struct ops ops;
	struct conns conns;
	struct native native;
	struct eio eio;
	struct eio_shell eio_shell;
	struct sio_chat chat;
	struct http http;
	struct server server;
	struct relay_shell relay;
	struct front front;
	struct tokens *tokens;
	struct shards shards;
	struct service_main main;
	struct report report;
	uint64_t look_ms;
	enum readiness readiness; /* as last logged */
	bool is_readiness_known;

	bool is_draining;
	uint64_t drain_ms;                                     /* the option */
	uint64_t drain_from_ms, drain_until_ms, drain_step_ms; /* closing goes from, until; next */
};

/* ---- the end ---- */

static void start_drain(struct shell *s)
{
	uint64_t now_ms = clock_steady_ms();
	log_info("draining", "clients=%" PRIu64 " within_ms=%" PRIu64, s->conns.count, s->drain_ms);
	s->is_draining = true;
	s->http.is_draining = true;
	listener_close(&s->front.listener);
	/* Half of the time is for clients that leave when they are told to; the others are closed
	 * during the second half. */
	gateway_drain(s->core, now_ms, s->drain_ms / 2, &s->out);
	s->drain_from_ms = s->drain_step_ms = now_ms + s->drain_ms / 2;
	s->drain_until_ms = now_ms + s->drain_ms;
}

static void on_signal(uv_signal_t *handle, int number)
{
	struct shell *s = handle->data;
	if (s->is_draining) {
		log_info("stopping_at_once", "signal=%d clients=%" PRIu64, number, s->conns.count);
		_exit(0);
	}
	watchdog_stopping();
	start_drain(s);
}

/* An operator has renewed the certificate, or keys. */
static void on_hang_up(uv_signal_t *handle, int number)
{
	const struct shell *s = handle->data;
	(void)number;
	if (s->front.tls)
		tls_reload(s->front.tls);
	tokens_reload(s->tokens);
}

/* Closes so many now that the last are closed when the time is up. */
static void drain(struct shell *s, uint64_t now_ms)
{
	uint64_t polling = eio_end_polling(&s->eio, 0, now_ms);
	if (s->conns.count + polling == 0 || now_ms >= s->drain_until_ms + DRAIN_LINGER_MS) {
		uv_stop(&s->loop);
		return;
	}
	if (now_ms < s->drain_step_ms)
		return;
	s->drain_step_ms = now_ms + DRAIN_STEP_MS;
	uint64_t remaining_ms = now_ms < s->drain_until_ms ? s->drain_until_ms - now_ms : 0;
	uint64_t steps = remaining_ms / DRAIN_STEP_MS + 1;
	conns_close_some(&s->conns, s->conns.count / steps + 1, CLOSE_GOING_AWAY, now_ms);
	(void)eio_end_polling(&s->eio, polling / steps + 1, now_ms);
}

/* Until every handle is closed; those of a library that forgets one are not waited for. */
static void run_on(struct shell *s)
{
	for (int n = 0; n < CLOSING_TURNS_MAX && uv_run(&s->loop, UV_RUN_NOWAIT); n++)
		continue;
}

static void close_all(struct shell *s)
{
	conns_leave(&s->conns);
	eio_close(&s->eio);
	(void)shards_send(&s->shards, UINT64_MAX);
	report_look(&s->report, gateway_stats(s->core), &s->server, UINT64_MAX); /* the rest */
	log_info("stopped", "left=%" PRIu64, s->conns.count);
	port_drain(BUS_DRAIN_MS);
	uv_close((uv_handle_t *)&s->turn, NULL);
	uv_close((uv_handle_t *)&s->timer, NULL);
	uv_close((uv_handle_t *)&s->more, NULL);
	uv_close((uv_handle_t *)&s->term, NULL);
	uv_close((uv_handle_t *)&s->interrupt, NULL);
	uv_close((uv_handle_t *)&s->hang_up, NULL);
	front_stop(&s->front);
	relay_shell_close(&s->relay);
	shards_stop(&s->shards);
	server_close(&s->server);
	run_on(s);
	front_close(&s->front);
	run_on(s);
	server_tidy(&s->server, 0);
	conns_free(&s->conns);
	sio_chat_close(&s->chat);
	ops_free(&s->ops);
	(void)uv_loop_close(&s->loop);
	front_free(&s->front);
	files_close(&s->http.files);
	metrics_close(&s->main.metrics);
	gateway_out_free(&s->out);
	gateway_close(s->core);
	tokens_close(s->tokens);
}

/* ---- a turn ---- */

static void log_readiness(struct shell *s)
{
	static const char *const names[] = {"ready", "degraded", "waiting"};
	struct buf quoted = {0};
	struct buf missing = {0};
	enum readiness now = gateway_readiness(s->core, &quoted);
	for (size_t i = 0; i < quoted.len; i++)
		if (quoted.ptr[i] != '"')
			buf_append(&missing, &quoted.ptr[i], 1);
	if (!s->is_readiness_known || now != s->readiness)
		log_line(now == GATEWAY_READY ? LOG_INFO : LOG_WARN, names[now],
			 "roomds=%u historyds=%u missing=\"" STR_FMT "\"", s->shards.roomd_count,
			 s->shards.historyd_count, STR_ARG(buf_view(&missing)));
	s->readiness = now;
	s->is_readiness_known = true;
	buf_free(&quoted);
	buf_free(&missing);
}

/* What woke the loop is dealt with at the end of the turn. */
static void on_alarm(uv_timer_t *timer)
{
	(void)timer;
}

static void on_more(uv_idle_t *idle)
{
	(void)idle;
}

/* Sleeps until something happens or is due; not at all when there is more to do. */
static void set_alarm(struct shell *s, uint64_t now_ms, uint64_t send_ms, bool has_more)
{
	uint64_t due_ms = s->look_ms < send_ms ? s->look_ms : send_ms;
	if (gateway_next_due(s->core) < due_ms)
		due_ms = gateway_next_due(s->core);
	if (conns_next_due(&s->conns) < due_ms)
		due_ms = conns_next_due(&s->conns);
	if (eio_next_due(&s->eio) < due_ms)
		due_ms = eio_next_due(&s->eio);
	if (sio_next_due(&s->chat.sio) < due_ms)
		due_ms = sio_next_due(&s->chat.sio);
	if (server_next_due(&s->server) < due_ms)
		due_ms = server_next_due(&s->server);
	if (s->eio_shell.relay && relay_next_due(&s->relay.relay) < due_ms)
		due_ms = relay_next_due(&s->relay.relay);
	if (s->is_draining && s->drain_step_ms < due_ms)
		due_ms = s->drain_step_ms;
	uv_update_time(&s->loop);
	uv_timer_start(&s->timer, on_alarm, due_ms > now_ms ? due_ms - now_ms : 0, 0);
	if (has_more)
		uv_idle_start(&s->more, on_more);
	else
		uv_idle_stop(&s->more);
}

/* Runs before the loop would sleep, so that nothing waits that can go out now. */
static void on_turn(uv_prepare_t *handle)
{
	struct shell *s = handle->data;
	uint64_t now_ms = clock_steady_ms();
	watchdog_alive(now_ms);
	bool is_time_to_look = now_ms >= s->look_ms;
	if (is_time_to_look || gateway_next_due(s->core) <= now_ms)
		gateway_tick(s->core, now_ms, &s->out);
	sio_tick(&s->chat.sio, now_ms);
	eio_tick(&s->eio, now_ms);
	s->eio.has_no_upgrades =
		!directory_is_alone(gateway_directory(s->core), now_ms, s->main.self.id);
	if (s->eio_shell.relay)
		relay_tick(&s->relay.relay, now_ms);
	if (s->is_draining)
		drain(s, now_ms);
	bool has_more = gateway_flush(s->core, now_ms, &s->out);
	uint64_t send_us = shards_send(&s->shards, clock_steady_us());
	ops_carry_out(&s->ops, &s->out, now_ms);
	gateway_out_reset_ops(&s->out);
	conns_tidy(&s->conns, now_ms);
	server_tidy(&s->server, now_ms);
	sio_chat_tidy(&s->chat);
	front_turn(&s->front);
	if (is_time_to_look) {
		s->look_ms = now_ms + LOOK_MS;
		shards_heartbeat(&s->shards, !s->is_draining, now_ms);
		front_look(&s->front);
		listeners_look(now_ms);
		log_readiness(s);
		report_look(&s->report, gateway_stats(s->core), &s->server, now_ms);
		service_look(&s->main, gateway_topology(s->core), now_ms);
	}
	set_alarm(s, now_ms, send_us ? send_us / 1000 + 1 : UINT64_MAX, has_more);
}

/* ---- start ---- */

static void on_send_posted(void *ctx)
{
	conns_send_posted(ctx);
}

/* Without an address of its own this gateway neither relays nor is relayed to. */
static void open_relay(struct shell *s, const struct options *o)
{
	char error[ERROR_MAX];
	if (!o->core.address.len)
		return;
	s->relay = (struct relay_shell){.eio = &s->eio_shell,
					.directory = gateway_directory(s->core),
					.tap = s->main.tap,
					.self = s->main.self,
					.loop = &s->loop};
	if (!relay_shell_open(&s->relay, o->bind, o->core.seed, error, sizeof error))
		service_fail(&s->main, "%s", error);
	s->eio_shell.relay = &s->relay;
}

static void open_loop(struct shell *s)
{
	CHECK(uv_loop_init(&s->loop) == 0);
	CHECK(uv_prepare_init(&s->loop, &s->turn) == 0);
	CHECK(uv_timer_init(&s->loop, &s->timer) == 0);
	CHECK(uv_idle_init(&s->loop, &s->more) == 0);
	CHECK(uv_signal_init(&s->loop, &s->term) == 0);
	CHECK(uv_signal_init(&s->loop, &s->interrupt) == 0);
	CHECK(uv_signal_init(&s->loop, &s->hang_up) == 0);
	s->turn.data = s->term.data = s->interrupt.data = s->hang_up.data = s;
	CHECK(uv_prepare_start(&s->turn, on_turn) == 0);
	CHECK(uv_signal_start(&s->term, on_signal, SIGTERM) == 0);
	CHECK(uv_signal_start(&s->interrupt, on_signal, SIGINT) == 0);
	CHECK(uv_signal_start(&s->hang_up, on_hang_up, SIGHUP) == 0);
}

static void on_eio_time(void *ctx, uint64_t now_ms)
{
	sio_now(ctx, now_ms);
}

static void open_socketio(struct shell *s, const struct options *o, uint64_t id)
{
	s->native = (struct native){.core = s->core, .out = &s->out};
	eio_open(&s->eio, &(struct eio_options){.random = service_random_bytes,
						.ping_interval_ms = o->core.ping_ms,
						.ping_timeout_ms = o->core.pong_ms,
						.payload_max = o->core.frame_bytes_max,
						.owner = id,
						.sessions_max = s->server.sockets_max});
	s->eio_shell = (struct eio_shell){.eio = &s->eio,
					  .conns = &s->conns,
					  .path = "/socket.io/",
					  .now = on_eio_time,
					  .now_ctx = &s->chat.sio};
	eio_shell_init(&s->eio_shell);
	s->chat.core = s->core;
	s->chat.out = &s->out;
	sio_chat_open(&s->chat, &s->eio, o->core.frame_bytes_max);
}

static void open_all(struct shell *s, struct options *o)
{
	char error[ERROR_MAX];
	s->drain_ms = o->drain_ms;
	s->tokens = &o->tokens;
	if (o->core.auth != AUTH_GUESTS && !tokens_read(s->tokens, error, sizeof error))
		fail_system(PROGRAM, "%s", error);
	s->server.sockets_max = front_allow(o->connections_max, *o->tls_cert);
	open_loop(s);
	o->core.epoch = s->main.self.epoch;
	o->core.seed = service_random();
	s->core = gateway_open(&o->core, clock_steady_ms());
	conns_init(&s->conns, o->core.frame_bytes_max, o->core.stall_ms, !o->no_io_uring);
	s->conns.core = s->core;
	s->conns.native = &s->native;
	s->ops.send_posted = on_send_posted;
	s->ops.ctx = &s->conns;
	open_socketio(s, o, s->main.self.id);
	s->http.core = s->core;
	s->http.self =
		(struct http_self){.id = s->main.self.id, .hsts_s = *o->tls_cert ? o->hsts_s : 0};
	s->eio_shell.self = s->http.self;
	const void *const sources[GATEWAY_METRIC_SOURCES] = {[OF_CORE] = gateway_stats(s->core),
							     [OF_SERVER] = &s->server,
							     [OF_RELAY] = &s->relay.relay,
							     [OF_EIO] = &s->eio,
							     [OF_CONNS] = &s->conns,
							     [OF_TLS] = &s->front.tls_stats,
							     [OF_TOKENS] = s->tokens};
	service_open_metrics(&s->main, &o->service, sources, GATEWAY_METRIC_SOURCES);
	if (!files_open(&s->http.files, o->web, error, sizeof error))
		service_fail(&s->main, "%s", error);
	s->server.lws.conns = &s->conns;
	s->server.lws.eio = &s->eio_shell;
	s->server.http = &s->http;
	s->server.is_tls = *o->tls_cert;
	s->server.origins = o->origins;
	s->server.hosts = o->hosts;
	s->server.host_count = o->host_count;
	s->server.stall_ms = o->core.stall_ms;
	if (!server_open(&s->server, &s->loop))
		service_fail(&s->main, "libwebsockets does not start");
	if (!front_open(&s->front, o, &s->loop, &s->server, error, sizeof error))
		service_fail(&s->main, "%s", error);
	s->shards = (struct shards){.core = s->core, .out = &s->out, .main = &s->main};
	if (*o->bind)
		service_open_tap(&s->main, o->bind);
	shards_open(&s->shards, &s->loop, &o->roomds, &o->historyds);
	open_relay(s, o);
}

int main(int argc, char **argv)
{
	static struct options o; /* both live as long as the process */
	static struct shell s;
	gateway_options_load(&o, argc, argv);
	service_start(&s.main, &gateway_program, SERVICE_GATEWAY, o.core.id, &o.service);
	open_all(&s, &o);
	log_info("listening", "address=%s sockets_max=%" PRIu64 " io_uring=%s tls=%s",
		 s.front.listener.address, s.server.sockets_max, s.conns.sends ? "yes" : "no",
		 s.front.tls ? "yes" : "no");
	uv_run(&s.loop, UV_RUN_DEFAULT);
	close_all(&s);
	return 0;
}
