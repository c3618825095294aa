// SPDX-License-Identifier: MIT
/* server.c — see shell/server.h. */
#include "gateway/shell/server.h"
#include "proto/shell/clock.h"
#include "proto/shell/log.h"

#include <unistd.h>

enum {
	ERROR_LOG_MS = 10000,
	KEY_BYTES = 24,         /* 16 bytes in base64 */
	SUBPROTOCOL_MAX = 1024, /* that we would repeat */
};

/* ---- who ---- */

static void log_origin(struct server *s, struct str origin)
{
	uint64_t now_ms = clock_steady_ms();
	s->refused_origins++;
	if (now_ms < s->error_log_ms)
		return;
	s->error_log_ms = now_ms + ERROR_LOG_MS;
	log_warn("origin_refused", "origin=%s total=%" PRIu64, log_text(origin).text,
		 s->refused_origins);
}

static enum origin_rule look_up(const struct server *s, const struct http_head *head)
{
	struct http_origin origin;
	if (!head->origin.len) /* no browser */
		return ORIGIN_NONE;
	if (s->origins.is_any)
		return ORIGIN_ANY;
	if (!http_origin_read(&origin, head->origin))
		return ORIGIN_REFUSED;
	for (size_t i = 0; i < s->origins.count; i++)
		if (http_origin_equal(&s->origins.listed[i], &origin))
			return ORIGIN_LISTED;
	bool is_same = s->origins.count == 0 && http_origin_is_of(&origin, head->host, s->is_tls);
	return is_same ? ORIGIN_NONE : ORIGIN_REFUSED;
}

/* Looked up once a request, since a refusal is counted. */
static enum origin_rule rule_for(struct server *s, const struct http_head *head)
{
	enum origin_rule rule = look_up(s, head);
	if (rule == ORIGIN_REFUSED)
		log_origin(s, head->origin);
	return rule;
}

static bool is_served(const struct server *s, struct str host)
{
	struct http_authority a;
	bool is_host = http_authority_read(&a, host);
	for (size_t i = 0; i < s->host_count; i++)
		if (is_host && http_equal(a.name, str_from(s->hosts[i])))
			return true;
	return s->host_count == 0;
}

/* Probes ask by address, and what they learn is no secret. */
static bool is_probe(struct str path)
{
	return str_equal(path, STR("/healthz")) || str_equal(path, STR("/readyz"));
}

/* ---- WebSockets ---- */

static bool is_eio(const struct server *s, struct str path)
{
	return str_equal(path, str_from(s->lws.eio->path));
}

/* The subprotocol that we choose; empty: none was offered. False: none of them is ours. The native
 * protocol knows one; Engine.IO none, so that it takes the first, as the reference does. */
static bool choose_subprotocol(const struct http_head *head, bool is_native, struct str *chosen)
{
	bool has_any = false;
	*chosen = (struct str){0};
	for (size_t i = 0; i < head->ws_protocol_lines; i++) {
		struct str list = head->ws_protocols[i];
		struct str offered;
		while (!chosen->len && http_list_next(&list, &offered)) {
			has_any = true;
			if (!http_is_token(offered))
				return false;
			if (!is_native || str_equal(offered, STR("parlor.v1")))
				*chosen = offered;
		}
	}
	return (!has_any || chosen->len) && chosen->len <= SUBPROTOCOL_MAX;
}

static bool is_key(struct str key)
{
	for (size_t i = 0; i + 2 < key.len; i++)
		if (!strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/",
			    key.ptr[i]))
			return false;
	return key.len == KEY_BYTES && memcmp(key.ptr + KEY_BYTES - 2, "==", 2) == 0;
}

static void upgrade(struct server *s, struct http_conn *c, struct str path)
{
	const struct http_head *head = &c->head;
	bool is_native = str_equal(path, STR("/ws"));
	struct lws_upgrade u = {.is_eio = !is_native,
				.query = head->query,
				.token = http_bearer_token(head),
				.key = head->ws_key};
	if (!is_native && !is_eio(s, path)) {
		http_reject(s->http, c, 404, "not found");
	} else if (!str_equal(head->ws_version, STR("13"))) {
		http_reject(s->http, c, 426, "WebSocket version 13 only");
	} else if (!is_key(head->ws_key)) {
		http_reject(s->http, c, 400, "this Sec-WebSocket-Key is none");
	} else if (rule_for(s, head) == ORIGIN_REFUSED) {
		http_reject(s->http, c, 403, "this origin is not allowed");
	} else if (!choose_subprotocol(head, is_native, &u.subprotocol)) {
		http_reject(s->http, c, 400, "none of these subprotocols is spoken here");
	} else if (is_native && gateway_is_full(s->lws.conns->native->core)) {
		http_reject(s->http, c, 503, "this gateway takes nobody new now");
	} else if (is_native || eio_shell_upgrade(s->lws.eio, c)) {
		u.behind = http_conn_behind(c);
		int fd = http_conn_take(c, &u.peer);
		lws_shell_adopt(&s->lws, fd, &u);
	}
}

/* ---- requests ---- */

/* True: a body is wanted, and `on_whole` follows. */
static bool route(struct server *s, struct http_conn *c, struct str path)
{
	if (!is_probe(path) && !is_served(s, c->head.host)) {
		http_reject(s->http, c, 421, "this host is not served here");
	} else if (c->head.is_websocket) {
		upgrade(s, c, path);
	} else if (!is_eio(s, path)) {
		http_request(s->http, c, path);
	} else {
		bool has_body = c->head.method == HTTP_POST;
		if (!has_body)
			poll_request(s->lws.eio, c, rule_for(s, &c->head));
		return has_body;
	}
	return false;
}

static bool on_head(void *ctx, struct http_conn *c)
{
	struct server *s = ctx;
	struct buf path = {0};
	bool is_path = http_path(c->head.path, &path);
	bool wants_body = is_path && route(s, c, buf_view(&path));
	if (!is_path)
		http_reject(s->http, c, 400, "this path is none");
	buf_free(&path);
	return wants_body;
}

/* Only Engine.IO wants bodies. */
static void on_whole(void *ctx, struct http_conn *c)
{
	struct server *s = ctx;
	poll_request(s->lws.eio, c, rule_for(s, &c->head));
}

/* ---- all of it ---- */

bool server_open(struct server *s, uv_loop_t *loop)
{
	s->conns = (struct http_conns){.loop = loop,
				       .body_max = s->lws.eio->eio->options.payload_max,
				       .stall_ms = s->stall_ms,
				       .self = s->http->self,
				       .sockets = &s->sockets,
				       .head = on_head,
				       .whole = on_whole,
				       .ctx = s};
	http_conns_init(&s->conns);
	s->lws.sockets = &s->sockets;
	s->lws.self = s->http->self;
	return lws_shell_open(&s->lws, loop);
}

void server_adopt(struct server *s, int fd, struct peer *peer)
{
	uint64_t now_ms = clock_steady_ms();
	if (s->sockets >= s->sockets_max && !http_conns_evict(&s->conns, now_ms)) {
		s->refused++;
		close(fd);
		peer_drop(peer);
		return;
	}
	s->accepted++;
	http_conn_open(&s->conns, fd, peer, now_ms);
}

void server_tidy(struct server *s, uint64_t now_ms)
{
	http_conns_tidy(&s->conns, now_ms);
}

uint64_t server_next_due(const struct server *s)
{
	return http_conns_next_due(&s->conns);
}

void server_close(struct server *s)
{
	http_conns_close(&s->conns);
	lws_shell_close(&s->lws);
}
