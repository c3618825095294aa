// SPDX-License-Identifier: MIT
/* http_conn.c — see shell/http_conn.h: one connection, its bytes in and out. Not here: all of
 * them, and their time (shell/http_conns.c). */
#include "gateway/shell/http_conn.h"
#include "proto/shell/clock.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

enum {
	READ_BYTES = 16 * 1024,
	/* Of requests that are not whole yet, all together. */
	BYTES_MAX = 64 * 1024 * 1024,
};

static void watch(struct http_conn *c, int events);

/* ---- its life ---- */

static void wait_in(struct http_conn *c, struct http_conn_list *list, uint64_t now_ms)
{
	if (list != &c->all->heads && list != &c->all->bodies) {
		c->all->bytes -= c->bytes;
		c->bytes = 0;
	}
	if (c->list)
		TAILQ_REMOVE(c->list, c, entry);
	TAILQ_INSERT_TAIL(list, c, entry);
	c->list = list;
	c->since_ms = now_ms;
}

static void on_unwatched(uv_handle_t *handle)
{
	struct http_conn *c = handle->data;
	c->is_watched = false; /* http_conns_tidy may free it now */
}

/* The socket is somebody else's when `fd` is -1. */
void http_conn_end(struct http_conn *c)
{
	struct http_conns *all = c->all;
	if (c->list == &all->gone)
		return;
	bool is_delivered = c->list == &all->leavers &&
			    (c->has_lingered || peer_has_all(c->peer, c->fd, c->is_reset));
	wait_in(c, &all->gone, 0);
	--*all->sockets;
	if (c->ended)
		c->ended(c, is_delivered);
	c->ended = NULL;
	if (c->is_watched)
		uv_close((uv_handle_t *)&c->poll, on_unwatched);
	if (c->fd >= 0)
		close(c->fd);
	c->fd = -1;
	peer_drop(c->peer);
	c->peer = NULL;
}

int http_conn_take(struct http_conn *c, struct peer **peer)
{
	int fd = c->fd;
	c->fd = -1;
	*peer = c->peer;
	c->peer = NULL;
	http_conn_end(c);
	return fd;
}

struct str http_conn_behind(const struct http_conn *c)
{
	return str_of(c->in.ptr + c->scan.at, c->in.len - c->scan.at);
}

/* ---- out ---- */

/* Everything is out: the client is told so, and has a while to read it. Closing at once would throw
 * its answer away when there is something of it that we have not read. */
static void leave(struct http_conn *c)
{
	wait_in(c, &c->all->leavers, clock_steady_ms());
	if (shutdown(c->fd, SHUT_WR) != 0) {
		c->is_reset = true;
		http_conn_end(c);
		return;
	}
	watch(c, UV_READABLE);
}

static void send_more(struct http_conn *c)
{
	size_t from_rest = c->sent > c->out.len ? c->sent - c->out.len : 0;
	size_t from_out = c->sent - from_rest;
	struct iovec parts[] = {
		{c->out.ptr + from_out, c->out.len - from_out},
		{(char *)(uintptr_t)c->rest.ptr + from_rest, c->rest.len - from_rest},
	};
	struct msghdr m = {.msg_iov = parts, .msg_iovlen = c->rest.len ? 2 : 1};
	ssize_t sent = sendmsg(c->fd, &m, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (sent < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR) {
		http_conn_end(c);
		return;
	}
	if (sent > 0) {
		c->sent += (size_t)sent;
		wait_in(c, &c->all->writers, clock_steady_ms());
	}
	if (c->sent == c->out.len + c->rest.len)
		leave(c);
	else
		watch(c, UV_WRITABLE);
}

void http_conn_respond(struct http_conn *c, struct buf *out, struct str rest)
{
	c->out = *out;
	c->rest = rest;
	*out = (struct buf){0};
	wait_in(c, &c->all->writers, clock_steady_ms());
	send_more(c);
}

/* What is wrong with it is nobody else's business. */
static void reject(struct http_conn *c, unsigned status)
{
	struct buf out = {0};
	http_put_status(&out, status, &c->all->self);
	BUF_LIT(&out, "Content-Length: 0\r\n\r\n");
	http_conn_respond(c, &out, (struct str){0});
}

/* ---- in ---- */

/* When that is too much in all, the oldest go, which may be this one. */
static void count(struct http_conn *c, size_t bytes)
{
	struct http_conns *all = c->all;
	if (c->list != &all->heads && c->list != &all->bodies)
		return;
	c->bytes += bytes;
	all->bytes += bytes;
	while (all->bytes > BYTES_MAX) {
		struct http_conn *oldest = TAILQ_FIRST(&all->bodies);
		http_conn_end(oldest ? oldest : TAILQ_FIRST(&all->heads));
		all->evicted++;
	}
}

static void finish_body(struct http_conn *c)
{
	wait_in(c, &c->all->responses, clock_steady_ms());
	c->all->whole(c->all->ctx, c);
	/* Nothing more is read; but a hang-up is noticed. */
	if (c->list == &c->all->responses)
		watch(c, UV_DISCONNECT);
}

static void take_body(struct http_conn *c, struct str bytes)
{
	enum http_progress progress;
	if (c->head.is_chunked) {
		progress = http_chunks_take(&c->chunks, bytes, &c->body);
	} else {
		uint64_t remaining = c->head.length - c->body.len;
		buf_append(&c->body, bytes.ptr,
			   bytes.len < remaining ? bytes.len : (size_t)remaining);
		progress = c->body.len == c->head.length ? HTTP_WHOLE : HTTP_MORE;
	}
	c->is_too_large = c->body.overflow;
	if (progress == HTTP_BAD)
		reject(c, 400);
	else if (progress == HTTP_WHOLE || c->is_too_large)
		finish_body(c);
}

static void begin_body(struct http_conn *c)
{
	struct http_conns *all = c->all;
	struct str behind = http_conn_behind(c);
	c->body.max = all->body_max;
	c->is_too_large = !c->head.is_chunked && c->head.length > all->body_max;
	if (c->is_too_large || (!c->head.is_chunked && c->head.length == 0)) {
		finish_body(c);
		return;
	}
	wait_in(c, &all->bodies, clock_steady_ms());
	count(c, c->in.len);
	if (c->list != &all->bodies)
		return;
	if (c->head.is_expecting && behind.len == 0) {
		static const char go_on[] = "HTTP/1.1 100 Continue\r\n\r\n";
		(void)send(c->fd, go_on, sizeof go_on - 1, MSG_DONTWAIT | MSG_NOSIGNAL);
	}
	take_body(c, behind);
}

static void begin_request(struct http_conn *c)
{
	size_t start = c->scan.start;
	unsigned status =
		c->scan.at > HTTP_HEAD_MAX
			? 431
			: http_head_read(&c->head, str_of(c->in.ptr + start, c->scan.at - start));
	if (status) {
		reject(c, status);
		return;
	}
	wait_in(c, &c->all->responses, clock_steady_ms());
	if (c->all->head(c->all->ctx, c))
		begin_body(c);
	else if (c->list == &c->all->responses)
		watch(c, UV_DISCONNECT);
}

static void take_head(struct http_conn *c, struct str bytes)
{
	buf_str(&c->in, bytes);
	enum http_progress progress = http_scan(&c->scan, buf_view(&c->in));
	if (progress == HTTP_WHOLE)
		begin_request(c);
	else if (progress == HTTP_BAD)
		reject(c, 400);
	else if (c->in.len >= HTTP_HEAD_MAX)
		reject(c, 431);
}

/* False when there is nothing to be had now. */
static bool read_some(struct http_conn *c)
{
	static char bytes[READ_BYTES]; /* what it holds is used at once */
	ssize_t got = recv(c->fd, bytes, sizeof bytes, MSG_DONTWAIT);
	if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
		return false;
	if (got <= 0) {
		c->is_reset = got < 0;
		http_conn_end(c); /* in the middle of its request, or after its answer */
		return true;
	}
	struct str piece = str_of(bytes, (size_t)got);
	count(c, piece.len);
	if (c->list == &c->all->heads)
		take_head(c, piece);
	else if (c->list == &c->all->bodies)
		take_body(c, piece);
	return true;
}

static void on_event(uv_poll_t *poll, int status, int events)
{
	struct http_conn *c = poll->data;
	c->is_reset = status < 0;
	if (status < 0 || c->list == &c->all->responses)
		http_conn_end(c);
	else if (c->list == &c->all->writers)
		send_more(c);
	else if (c->list != &c->all->gone)
		(void)read_some(c);
	(void)events;
}

static void watch(struct http_conn *c, int events)
{
	if (!c->is_watched) {
		if (uv_poll_init(c->all->loop, &c->poll, c->fd) != 0) {
			http_conn_end(c);
			return;
		}
		c->poll.data = c;
		c->is_watched = true;
	}
	CHECK(uv_poll_start(&c->poll, events, on_event) == 0);
}

void http_conn_open(struct http_conns *all, int fd, struct peer *peer, uint64_t now_ms)
{
	struct http_conn *c = mem_alloc(sizeof *c);
	c->all = all;
	c->fd = fd;
	c->peer = peer;
	++*all->sockets;
	wait_in(c, &all->heads, now_ms);
	/* Most have said everything when they are accepted. */
	(void)read_some(c);
	if (c->list == &all->heads || c->list == &all->bodies)
		watch(c, UV_READABLE);
}
