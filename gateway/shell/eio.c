// SPDX-License-Identifier: MIT
/* eio.c — see shell/eio.h. */
#include "gateway/shell/eio.h"
#include "gateway/shell/relay.h"
#include "proto/shell/clock.h"

/* Everything of one request that matters to Engine.IO. Lasts until its answer, or until its client
 * has gone. */
struct poll {
	struct eio_request request;
	struct eio_shell *shell;
	struct http_conn *conn;
	enum http_method method;
	struct str query; /* as it stood in the target */
	struct eio_query q;
	bool is_octets;
	struct str body;
	enum origin_rule rule;
	struct relay_call *call; /* under way to the gateway that has the session */
	bool is_answered;
};

struct eio_conn {
	struct conn conn; /* first */
	struct eio_shell *shell;
	struct eio_socket socket;
};

uint64_t eio_shell_now(const struct eio_shell *shell)
{
	uint64_t now_ms = clock_steady_ms();
	shell->now(shell->now_ctx, now_ms);
	return now_ms;
}

/* ---- answers ---- */

static void put_origin(struct buf *b, enum origin_rule rule, struct str origin)
{
	if (rule == ORIGIN_ANY)
		BUF_LIT(b, "Access-Control-Allow-Origin: *\r\n");
	else if (rule == ORIGIN_LISTED)
		buf_printf(b,
			   "Access-Control-Allow-Origin: " STR_FMT "\r\n"
			   "Access-Control-Allow-Credentials: true\r\nVary: Origin\r\n",
			   STR_ARG(origin));
}

static void put_header(struct buf *b, const struct eio_shell *shell, const struct eio_response *a)
{
	http_put_status(b, a->status, &shell->self);
	if (a->type)
		buf_printf(b, "Content-Type: %s\r\n", a->type);
	if (a->status != 204)
		buf_printf(b, "Content-Length: %zu\r\n", a->body.len);
	BUF_LIT(b, "Cache-Control: no-store\r\n");
}

/* `extra` are further fields. */
static void respond(struct eio_shell *shell, struct http_conn *c, enum origin_rule rule,
		    const struct eio_response *a, struct str extra)
{
	struct buf out = {0};
	put_header(&out, shell, a);
	put_origin(&out, rule, c->head.origin);
	buf_str(&out, extra);
	BUF_LIT(&out, "\r\n");
	if (c->head.method != HTTP_HEAD)
		buf_str(&out, a->body);
	http_conn_respond(c, &out, (struct str){0});
}

void poll_respond(struct poll *p, const struct eio_response *a)
{
	p->is_answered = true;
	respond(p->shell, p->conn, p->rule, a, (struct str){0});
}

static void on_respond(void *ctx, struct eio_request *r, const struct eio_response *a)
{
	struct eio_shell *shell = ctx;
	if (r->is_relayed)
		relay_finish(&shell->relay->relay, eio_shell_now(shell), relay_task_of(r), a);
	else
		poll_respond(CONTAINER_OF(r, struct poll, request), a);
}

void poll_relayed(struct poll *p, const struct eio_response *a)
{
	if (a)
		poll_respond(p, a);
	else
		eio_reject(p->shell->eio, &p->request, 1);
}

/* Over, one way or another. What an answer brought that did not arrive is lost for good, and the
 * session with it. */
static void poll_ended(struct http_conn *c, bool is_delivered)
{
	struct poll *p = c->user;
	struct eio *e = p->shell->eio;
	if (p->call && is_delivered)
		relay_delivered(&p->shell->relay->relay, eio_shell_now(p->shell), p->call);
	else if (p->call)
		relay_hang_up(&p->shell->relay->relay, eio_shell_now(p->shell), p->call);
	else if (!p->is_answered)
		eio_request_gone(e, eio_shell_now(p->shell), &p->request);
	else if (!is_delivered)
		eio_response_lost(e, eio_shell_now(p->shell), &p->q);
	mem_free(p);
}

/* ---- requests ---- */

/* What a browser asks before it sends what is not its own page's. */
static void respond_preflight(struct eio_shell *shell, struct http_conn *c, enum origin_rule rule)
{
	struct buf extra = {0};
	BUF_LIT(&extra, "Access-Control-Allow-Methods: GET, POST\r\n");
	if (c->head.cors_headers.len)
		buf_printf(&extra, "Access-Control-Allow-Headers: " STR_FMT "\r\n",
			   STR_ARG(c->head.cors_headers));
	respond(shell, c, rule, &(struct eio_response){.status = 204}, buf_view(&extra));
	buf_free(&extra);
}

static void post(struct poll *p)
{
	struct eio *e = p->shell->eio;
	uint64_t now_ms = eio_shell_now(p->shell);
	bool is_too_large = p->conn->is_too_large;
	if (!eio_post_begin(e, now_ms, &p->q, &p->request))
		return; /* answered */
	if (is_too_large)
		eio_post_too_large(e, now_ms, &p->request);
	else
		eio_post(e, now_ms, &p->request, p->is_octets, p->body);
}

/* The session is another gateway's. */
static bool is_foreign(const struct poll *p)
{
	uint64_t owner;
	return p->shell->relay && p->q.has_sid && eio_owner(p->q.sid, &owner) &&
	       owner != p->shell->self.id && !p->conn->is_too_large &&
	       (p->method == HTTP_GET || p->method == HTTP_POST);
}

static void relay(struct poll *p)
{
	uint64_t owner;
	const struct relay_request q = {.kind = p->method == HTTP_POST ? RELAY_POST : RELAY_GET,
					.query = p->query,
					.is_octets = p->is_octets,
					.body = p->body};
	CHECK(eio_owner(p->q.sid, &owner));
	p->call = relay_ask(&p->shell->relay->relay, eio_shell_now(p->shell), owner, &q, p);
	if (!p->call)
		poll_relayed(p, NULL);
}

/* The whole request goes to whoever has its session. It may be answered within. */
static void dispatch(struct poll *p)
{
	struct eio *e = p->shell->eio;
	if (is_foreign(p))
		relay(p);
	else if (p->method == HTTP_POST)
		post(p);
	else if (p->method == HTTP_GET)
		eio_get(e, eio_shell_now(p->shell), &p->q, &p->request);
	else
		eio_reject(e, &p->request, p->q.transport == EIO_NO_TRANSPORT ? 0 : 2);
}

static bool is_octets(const struct http_head *head)
{
	struct str wanted = STR("application/octet-stream");
	return head->content_type.len >= wanted.len &&
	       http_equal(str_of(head->content_type.ptr, wanted.len), wanted);
}

void poll_request(struct eio_shell *shell, struct http_conn *c, enum origin_rule rule)
{
	if (rule != ORIGIN_REFUSED && c->head.method == HTTP_OPTIONS) {
		respond_preflight(shell, c, rule);
		return;
	}
	struct poll *p = mem_alloc(sizeof *p);
	*p = (struct poll){.shell = shell,
			   .conn = c,
			   .method = c->head.method,
			   .query = c->head.query,
			   .is_octets = is_octets(&c->head),
			   .body = buf_view(&c->body),
			   .rule = rule};
	c->user = p;
	c->ended = poll_ended;
	eio_query_read(&p->q, p->query);
	p->q.token = http_bearer_token(&c->head);
	eio_tick(shell->eio, eio_shell_now(shell)); /* whose time is up is gone, whatever woke us */
	if (rule == ORIGIN_REFUSED)
		eio_reject(shell->eio, &p->request, 4);
	else
		dispatch(p);
}

/* ---- sockets ---- */

static struct eio_conn *of(struct conn *c)
{
	return CONTAINER_OF(c, struct eio_conn, conn);
}

static void on_message(struct conn *c, struct str message, bool is_text)
{
	eio_socket_receive(of(c)->shell->eio, eio_shell_now(of(c)->shell), &of(c)->socket, message,
			   !is_text);
}

static void on_activity(struct conn *c)
{
	(void)c; /* pongs of WebSocket are not those of Engine.IO */
}

static void on_blocked(struct conn *c)
{
	eio_shell_now(of(c)->shell);
	eio_socket_blocked(of(c)->shell->eio, &of(c)->socket);
}

static void on_writable(struct conn *c)
{
	eio_shell_now(of(c)->shell);
	eio_socket_writable(of(c)->shell->eio, &of(c)->socket);
}

static void on_detached(struct conn *c)
{
	eio_socket_closed(of(c)->shell->eio, eio_shell_now(of(c)->shell), &of(c)->socket);
}

static const struct conn_handler user = {
	.size = sizeof(struct eio_conn),
	.message = on_message,
	.on_activity = on_activity,
	.blocked = on_blocked,
	.writable = on_writable,
	.on_detached = on_detached,
};

static void on_send(void *ctx, struct eio_socket *ws, struct str frames)
{
	struct conn *c = &CONTAINER_OF(ws, struct eio_conn, socket)->conn;
	(void)ctx;
	if (conn_is_open(c))
		conn_send(c, frames);
}

static void on_pause(void *ctx, struct eio_socket *ws, bool is_paused)
{
	struct conn *c = &CONTAINER_OF(ws, struct eio_conn, socket)->conn;
	(void)ctx;
	if (conn_is_open(c))
		conn_pause(c, is_paused);
}

static bool has_taken(void *ctx, struct eio_socket *ws)
{
	struct conn *c = &CONTAINER_OF(ws, struct eio_conn, socket)->conn;
	(void)ctx;
	return conn_is_open(c) && conn_has_taken(c);
}

static void on_close(void *ctx, struct eio_socket *ws)
{
	struct conn *c = &CONTAINER_OF(ws, struct eio_conn, socket)->conn;
	(void)ctx;
	conn_close(c, LWS_CLOSE_STATUS_NORMAL, clock_steady_ms());
}

bool eio_shell_upgrade(struct eio_shell *shell, struct http_conn *c)
{
	struct eio_query q;
	struct eio_response a;
	eio_query_read(&q, c->head.query);
	if (eio_socket_allowed(shell->eio, &q, &a))
		return true;
	respond(shell, c, ORIGIN_NONE, &a, (struct str){0});
	return false;
}

struct conn *eio_shell_socket(struct eio_shell *shell, struct lws *wsi, struct str query,
			      struct str token)
{
	struct eio_query q;
	struct conn *c = conn_open(shell->conns, wsi, &user);
	of(c)->shell = shell;
	eio_query_read(&q, query);
	q.token = token;
	eio_socket_open(shell->eio, eio_shell_now(shell), &q, &of(c)->socket);
	return c;
}

void eio_shell_init(struct eio_shell *shell)
{
	shell->eio->transport = (struct eio_transport){.respond = on_respond,
						       .send = on_send,
						       .pause = on_pause,
						       .has_taken = has_taken,
						       .close = on_close};
	shell->eio->transport_ctx = shell;
}
