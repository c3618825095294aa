// SPDX-License-Identifier: MIT
/* shell_eio.c — see shell_eio.h. Each poll closes its connection: with several gateways on one port
 * the next one may be another gateway's, which only the start of a connection can decide. */
#include "gateway/shell_eio.h"
#include "proto/clock.h"

#include <stdio.h>
#include <stdlib.h>

enum { QUERY_MAX = 1024, VALUE_MAX = 512, CHUNK_BYTES = 16 * 1024 };

struct poll {
	struct eio_request request;
	struct eio_shell *shell;
	struct lws *wsi;
	enum origin_rule rule;
	char origin[VALUE_MAX];
	bool is_reading; /* a body is still coming */
	bool has_body;   /* until its end was told, which libwebsockets may do twice */
	bool is_octets;
	bool is_answered; /* `out` is the answer, sent as far as `sent` */
	struct buf body;
	struct buf out;
	size_t sent;
};

struct eio_conn {
	struct conn conn; /* first */
	struct eio_shell *shell;
	struct eio_socket socket;
};

static uint64_t tell_now(const struct eio_shell *shell)
{
	uint64_t now_ms = clock_steady_ms();
	shell->now(shell->now_ctx, now_ms);
	return now_ms;
}

/* libwebsockets keeps each `name=value` by itself, decoded. */
static void read_query(struct lws *wsi, struct eio_query *q)
{
	struct buf query = {.max = QUERY_MAX};
	char part[VALUE_MAX];
	int len;
	for (int i = 0;
	     (len = lws_hdr_copy_fragment(wsi, part, sizeof part, WSI_TOKEN_HTTP_URI_ARGS, i)) > 0;
	     i++) {
		buf_append(&query, "&", query.len ? 1 : 0);
		buf_append(&query, part, (size_t)len);
	}
	eio_query_read(q, buf_view(&query));
	buf_free(&query);
}

/* ---- answers ---- */

static const char *reason(unsigned status)
{
	switch (status) {
	case 200:
		return "OK";
	case 204:
		return "No Content";
	case 403:
		return "Forbidden";
	case 411:
		return "Length Required";
	case 413:
		return "Payload Too Large";
	default:
		return "Bad Request";
	}
}

static void put_origin(struct buf *b, enum origin_rule rule, const char *origin)
{
	if (rule == ORIGIN_ANY)
		BUF_LIT(b, "Access-Control-Allow-Origin: *\r\n");
	else if (rule == ORIGIN_LISTED)
		buf_printf(b,
			   "Access-Control-Allow-Origin: %s\r\n"
			   "Access-Control-Allow-Credentials: true\r\nVary: Origin\r\n",
			   origin);
}

static void put_header(struct buf *b, const struct eio_shell *shell, const struct eio_answer *a)
{
	buf_printf(b, "HTTP/1.1 %u %s\r\n", a->status, reason(a->status));
	if (a->type)
		buf_printf(b, "Content-Type: %s\r\n", a->type);
	buf_printf(b,
		   "Content-Length: %zu\r\nCache-Control: no-store\r\nConnection: close\r\n"
		   "X-Content-Type-Options: nosniff\r\nX-Parlor-Gateway: %" PRIu64 "\r\n",
		   a->body.len, shell->id);
}

static void answer(struct poll *p, const struct eio_answer *a)
{
	put_header(&p->out, p->shell, a);
	put_origin(&p->out, p->rule, p->origin);
	BUF_LIT(&p->out, "\r\n");
	buf_str(&p->out, a->body);
	p->is_answered = true;
	if (!p->is_reading) /* else the client might never read it */
		lws_callback_on_writable(p->wsi);
}

static void on_respond(void *ctx, struct eio_request *r, const struct eio_answer *a)
{
	(void)ctx;
	answer(CONTAINER_OF(r, struct poll, request), a);
}

int poll_writable(struct poll *p)
{
	if (!p->is_answered)
		return 0;
	if (p->sent == p->out.len)
		return -1; /* all of it is out */
	size_t len = p->out.len - p->sent;
	if (len > CHUNK_BYTES)
		len = CHUNK_BYTES;
	if (lws_write(p->wsi, (unsigned char *)p->out.ptr + p->sent, len, LWS_WRITE_HTTP) < 0)
		return -1;
	p->sent += len;
	lws_callback_on_writable(p->wsi);
	return 0;
}

/* ---- requests ---- */

/* What a browser asks before it sends what is not its own page's. */
static void answer_preflight(struct poll *p)
{
	char wanted[VALUE_MAX];
	put_header(&p->out, p->shell, &(struct eio_answer){.status = 204});
	put_origin(&p->out, p->rule, p->origin);
	BUF_LIT(&p->out, "Access-Control-Allow-Methods: GET, POST\r\n");
	if (lws_hdr_copy(p->wsi, wanted, sizeof wanted, WSI_TOKEN_HTTP_AC_REQUEST_HEADERS) > 0)
		buf_printf(&p->out, "Access-Control-Allow-Headers: %s\r\n", wanted);
	BUF_LIT(&p->out, "\r\n");
	p->is_answered = true;
	lws_callback_on_writable(p->wsi);
}

static void begin_post(struct poll *p, const struct eio_query *q)
{
	char value[VALUE_MAX];
	struct eio *e = p->shell->eio;
	int len = lws_hdr_copy(p->wsi, value, sizeof value, WSI_TOKEN_HTTP_CONTENT_LENGTH);
	bool has_length = len > 0;
	unsigned long long bytes = has_length ? strtoull(value, NULL, 10) : 0;
	p->has_body = has_length;
	p->is_reading = bytes > 0;
	len = lws_hdr_copy(p->wsi, value, sizeof value, WSI_TOKEN_HTTP_CONTENT_TYPE);
	p->is_octets = len > 0 && strncmp(value, "application/octet-stream", 24) == 0;
	if (!eio_post_begin(e, tell_now(p->shell), q, &p->request))
		return;
	if (!has_length || bytes > e->options.payload_max) {
		p->is_reading = false;
		eio_post_too_large(e, tell_now(p->shell), &p->request);
	} else if (bytes == 0) {
		eio_post(e, tell_now(p->shell), &p->request, p->is_octets, (struct str){0});
	}
}

int poll_begin(struct eio_shell *shell, struct lws *wsi, enum origin_rule rule, const char *origin,
	       struct poll **poll)
{
	struct eio_query q;
	struct poll *p = mem_alloc(sizeof *p);
	*poll = p;
	p->shell = shell;
	p->wsi = wsi;
	p->rule = rule;
	snprintf(p->origin, sizeof p->origin, "%s", origin);
	lws_set_timeout(wsi, NO_PENDING_TIMEOUT, 0); /* a poll may take as long as the ping */
	read_query(wsi, &q);
	if (rule == ORIGIN_REFUSED)
		eio_refuse(shell->eio, &p->request, 4);
	else if (lws_hdr_total_length(wsi, WSI_TOKEN_OPTIONS_URI) > 0)
		answer_preflight(p);
	else if (lws_hdr_total_length(wsi, WSI_TOKEN_POST_URI) > 0)
		begin_post(p, &q);
	else if (lws_hdr_total_length(wsi, WSI_TOKEN_GET_URI) > 0)
		eio_get(shell->eio, tell_now(shell), &q, &p->request);
	else
		eio_refuse(shell->eio, &p->request, q.transport == EIO_NO_TRANSPORT ? 0 : 2);
	return 0;
}

int poll_body(struct poll *p, struct str piece)
{
	if (!p->has_body)
		return -1;
	if (p->body.len + piece.len > p->shell->eio->options.payload_max) {
		p->is_reading = false;
		eio_post_too_large(p->shell->eio, tell_now(p->shell), &p->request);
		return 0;
	}
	if (p->is_reading)
		buf_str(&p->body, piece);
	return 0;
}

int poll_body_end(struct poll *p)
{
	if (!p->has_body)
		return -1;
	p->has_body = false;
	if (!p->is_reading)
		return 0;
	p->is_reading = false;
	if (p->is_answered)
		lws_callback_on_writable(p->wsi);
	else
		eio_post(p->shell->eio, tell_now(p->shell), &p->request, p->is_octets,
			 buf_view(&p->body));
	return 0;
}

void poll_closed(struct poll *p)
{
	if (!p->is_answered)
		eio_request_gone(p->shell->eio, tell_now(p->shell), &p->request);
	buf_free(&p->body);
	buf_free(&p->out);
	mem_free(p);
}

/* ---- sockets ---- */

static struct eio_conn *of(struct conn *c)
{
	return CONTAINER_OF(c, struct eio_conn, conn);
}

static void on_message(struct conn *c, struct str message, bool is_text)
{
	eio_socket_receive(of(c)->shell->eio, tell_now(of(c)->shell), &of(c)->socket, message,
			   !is_text);
}

static void on_heard(struct conn *c)
{
	(void)c; /* pongs of WebSocket are not those of Engine.IO */
}

static void on_blocked(struct conn *c)
{
	tell_now(of(c)->shell);
	eio_socket_blocked(of(c)->shell->eio, &of(c)->socket);
}

static void on_writable(struct conn *c)
{
	tell_now(of(c)->shell);
	eio_socket_writable(of(c)->shell->eio, &of(c)->socket);
}

static void on_left(struct conn *c)
{
	eio_socket_closed(of(c)->shell->eio, tell_now(of(c)->shell), &of(c)->socket);
}

static const struct conn_user user = {
	.size = sizeof(struct eio_conn),
	.message = on_message,
	.heard = on_heard,
	.blocked = on_blocked,
	.writable = on_writable,
	.left = on_left,
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

static void on_close(void *ctx, struct eio_socket *ws)
{
	struct conn *c = &CONTAINER_OF(ws, struct eio_conn, socket)->conn;
	(void)ctx;
	conn_close(c, LWS_CLOSE_STATUS_NORMAL, clock_steady_ms());
}

int eio_shell_upgrade(struct eio_shell *shell, struct lws *wsi)
{
	struct eio_query q;
	struct eio_answer a;
	struct buf out = {0};
	read_query(wsi, &q);
	if (eio_socket_allowed(shell->eio, &q, &a))
		return 0;
	put_header(&out, shell, &a);
	BUF_LIT(&out, "\r\n");
	buf_str(&out, a.body);
	(void)lws_write(wsi, (unsigned char *)out.ptr, out.len, LWS_WRITE_HTTP);
	buf_free(&out);
	return -1;
}

struct conn *eio_shell_socket(struct eio_shell *shell, struct lws *wsi)
{
	struct eio_query q;
	struct conn *c = conn_open(shell->conns, wsi, &user);
	of(c)->shell = shell;
	read_query(wsi, &q);
	eio_socket_open(shell->eio, tell_now(shell), &q, &of(c)->socket);
	return c;
}

void eio_shell_init(struct eio_shell *shell)
{
	shell->eio->transport = (struct eio_transport){
		.respond = on_respond, .send = on_send, .pause = on_pause, .close = on_close};
	shell->eio->transport_ctx = shell;
}
