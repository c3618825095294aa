// SPDX-License-Identifier: MIT
/* main.c — the conformance server: the gateway's own transports and wire formats with an echo on
 * top instead of the chat. `conformance engine|socket PORT`. */
#include "gateway/shell/listen.h"
#include "gateway/shell/server.h"
#include "proto/shell/clock.h"
#include "proto/shell/service.h"
#include "tests/conformance/echo.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

enum {
	PING_INTERVAL_MS = 300,
	PING_TIMEOUT_MS = 200,
	PAYLOAD_MAX = 1000000,
	STALL_MS = 30000,
};

struct shell {
	uv_loop_t loop;
	uv_prepare_t turn;
	uv_timer_t timer;
	uv_signal_t term;
	bool has_sio;
	struct conns conns;
	struct eio eio;
	struct sio sio;
	struct eio_shell eio_shell;
	struct http http;
	struct native native;
	struct server server;
	struct listener listener;
};

static void on_time(void *ctx, uint64_t now_ms)
{
	struct shell *s = ctx;
	if (s->has_sio)
		sio_now(&s->sio, now_ms);
}

static void on_alarm(uv_timer_t *timer)
{
	(void)timer; /* the turn follows */
}

static void on_turn(uv_prepare_t *turn)
{
	struct shell *s = turn->data;
	uint64_t now_ms = clock_steady_ms();
	if (s->has_sio)
		sio_tick(&s->sio, now_ms);
	eio_tick(&s->eio, now_ms);
	conns_tidy(&s->conns, now_ms);
	server_tidy(&s->server, now_ms);
	uint64_t due_ms = eio_next_due(&s->eio);
	if (s->has_sio && sio_next_due(&s->sio) < due_ms)
		due_ms = sio_next_due(&s->sio);
	if (conns_next_due(&s->conns) < due_ms)
		due_ms = conns_next_due(&s->conns);
	if (server_next_due(&s->server) < due_ms)
		due_ms = server_next_due(&s->server);
	uv_update_time(&s->loop);
	if (due_ms == UINT64_MAX)
		uv_timer_stop(&s->timer);
	else
		uv_timer_start(&s->timer, on_alarm, due_ms > now_ms ? due_ms - now_ms : 0, 0);
}

static void on_term(uv_signal_t *handle, int number)
{
	struct shell *s = handle->data;
	(void)number;
	uv_stop(&s->loop);
}

static void on_accept(void *ctx, int fd)
{
	server_adopt(ctx, fd, NULL);
}

static void open_loop(struct shell *s)
{
	CHECK(uv_loop_init(&s->loop) == 0);
	CHECK(uv_prepare_init(&s->loop, &s->turn) == 0);
	CHECK(uv_timer_init(&s->loop, &s->timer) == 0);
	CHECK(uv_signal_init(&s->loop, &s->term) == 0);
	s->turn.data = s->term.data = s;
	CHECK(uv_prepare_start(&s->turn, on_turn) == 0);
	CHECK(uv_signal_start(&s->term, on_term, SIGTERM) == 0);
	CHECK(signal(SIGPIPE, SIG_IGN) != SIG_ERR);
}

int main(int argc, char **argv)
{
	static struct shell s;
	char error[256];
	s.has_sio = argc == 3 && strcmp(argv[1], "socket") == 0;
	if (argc != 3 || (!s.has_sio && strcmp(argv[1], "engine") != 0)) {
		fputs("usage: conformance engine|socket PORT\n", stderr);
		return 2;
	}
	open_loop(&s);
	conns_init(&s.conns, PAYLOAD_MAX, STALL_MS, false);
	s.conns.native = &s.native;
	eio_open(&s.eio, &(struct eio_options){.ping_interval_ms = PING_INTERVAL_MS,
					       .ping_timeout_ms = PING_TIMEOUT_MS,
					       .payload_max = PAYLOAD_MAX,
					       .sessions_max = 1000,
					       .random = service_random_bytes,
					       .needs_revision = true});
	s.eio_shell = (struct eio_shell){.eio = &s.eio,
					 .conns = &s.conns,
					 .path = s.has_sio ? "/socket.io/" : "/engine.io/",
					 .now = on_time,
					 .now_ctx = &s};
	eio_shell_init(&s.eio_shell);
	if (s.has_sio)
		socket_echo_open(&s.sio, &s.eio);
	else
		engine_echo_open(&s.eio);
	s.server = (struct server){.lws = {.conns = &s.conns, .eio = &s.eio_shell},
				   .http = &s.http,
				   .origins = {.is_any = true},
				   .sockets_max = 1000,
				   .stall_ms = 30000};
	s.listener = (struct listener){.on_accept = on_accept, .ctx = &s.server};
	if (!server_open(&s.server, &s.loop) ||
	    !listener_open(&s.listener, &s.loop, "127.0.0.1", strtoull(argv[2], NULL, 10), error,
			   sizeof error)) {
		fprintf(stderr, "conformance: %s\n", error);
		return 1;
	}
	uv_run(&s.loop, UV_RUN_DEFAULT);
	return 0;
}
