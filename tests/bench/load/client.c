// SPDX-License-Identifier: MIT
/* client.c — see client.h.
 *
 * Receiving is one recv into memory that all clients share; only the tail of a frame that is not
 * complete is kept with the client. */
#include "tests/bench/load/client.h"
#include "proto/shell/options.h"
#include "tests/bench/load/dialect.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	IN_BYTES = 1 << 20,
	CLIENTS_AN_ADDRESS = 4000, /* so that ports last: 127.0.0.2, 127.0.0.3, … */
};

static void watch(struct client *c, int how, bool for_writing)
{
	struct epoll_event e = {.events = EPOLLIN | (for_writing ? EPOLLOUT : 0u), .data.ptr = c};
	if (epoll_ctl(c->load->epoll, how, c->fd, &e) != 0)
		fail_system(PROGRAM, "epoll_ctl: %s", strerror(errno));
	c->is_watched = for_writing;
}

void client_open(struct client *c)
{
	struct load *l = c->load;
	const int on = 1;
	c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (c->fd < 0)
		fail_system(PROGRAM, "socket %u: %s", c->number, strerror(errno));
	setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	setsockopt(c->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
	struct sockaddr_in from = {.sin_family = AF_INET};
	from.sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1 + c->number / CLIENTS_AN_ADDRESS);
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)l->o.port)};
	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (bind(c->fd, (struct sockaddr *)&from, sizeof from) != 0 ||
	    (connect(c->fd, (struct sockaddr *)&to, sizeof to) != 0 && errno != EINPROGRESS))
		fail_system(PROGRAM, "connect %u: %s", c->number, strerror(errno));

	struct buf path = {0};
	l->dialect->path(c, &path);
	ws_request(&c->out, (uint16_t)l->o.port, buf_view(&path));
	buf_free(&path);
	if (l->tls) { /* the first write shakes hands */
		c->ssl = SSL_new(l->tls);
		CHECK(c->ssl && SSL_set_fd(c->ssl, c->fd) == 1);
		SSL_set_connect_state(c->ssl);
	}
	c->state = CLIENT_CONNECTING;
	l->connecting++;
	watch(c, EPOLL_CTL_ADD, true);
}

void client_close(struct client *c)
{
	struct load *l = c->load;
	if (c->state == CLIENT_IDLE)
		return;
	l->joined -= c->state == CLIENT_JOINED;
	l->connecting -= c->state == CLIENT_CONNECTING;
	l->entering -= c->state == CLIENT_ENTERING;
	c->state = CLIENT_IDLE;
	SSL_free(c->ssl);
	c->ssl = NULL;
	close(c->fd);
	buf_free(&c->out);
	buf_free(&c->partial);
	buf_free(&c->rest);
}

/* What TLS made of a read or a write, as though a socket had. */
static ssize_t from_tls(struct client *c, int rc)
{
	if (rc > 0)
		return rc;
	int error = SSL_get_error(c->ssl, rc);
	ERR_clear_error();
	if (error == SSL_ERROR_ZERO_RETURN)
		return 0;
	errno = error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE ? EAGAIN : ECONNRESET;
	return -1;
}

static ssize_t put(struct client *c)
{
	if (!c->ssl)
		return send(c->fd, c->out.ptr, c->out.len, MSG_NOSIGNAL);
	return from_tls(c, SSL_write(c->ssl, c->out.ptr, (int)c->out.len));
}

/* By TLS a record at a time; epoll says whether there is another. */
static ssize_t take(struct client *c, char *at, size_t len)
{
	return c->ssl ? from_tls(c, SSL_read(c->ssl, at, (int)len)) : recv(c->fd, at, len, 0);
}

static void flush(struct client *c)
{
	ssize_t sent = put(c);
	if (sent < 0 && errno != EAGAIN) {
		load_fault(c, "send: %s", strerror(errno));
		client_close(c);
	}
	if (sent < 0)
		return;
	c->out.len -= (size_t)sent;
	memmove(c->out.ptr, c->out.ptr + sent, c->out.len);
	if (c->out.len == 0 && c->is_watched)
		watch(c, EPOLL_CTL_MOD, false);
}

static void send_frame(struct client *c, unsigned opcode, struct str payload)
{
	struct load *l = c->load;
	if (c->state == CLIENT_IDLE)
		return;
	l->mask = l->mask * 1664525u + 1013904223u;
	bool was_empty = c->out.len == 0;
	ws_put(&c->out, opcode, payload, l->mask);
	if (was_empty)
		flush(c);
	if (c->state != CLIENT_IDLE && c->out.len > 0 && !c->is_watched) {
		l->counts.blocked++;
		watch(c, EPOLL_CTL_MOD, true);
	}
}

void client_send(struct client *c, struct str payload)
{
	send_frame(c, c->load->dialect->opcode, payload);
}

static void take_frame(struct client *c, const struct ws_frame *f)
{
	struct load *l = c->load;
	l->counts.frames++;
	if (f->is_odd) {
		load_fault(c, "a frame that was not agreed on");
		client_close(c);
	} else if (f->opcode == WS_TEXT || f->opcode == WS_BINARY) {
		l->dialect->take(c, f->payload);
	} else if (f->opcode == WS_PING) {
		send_frame(c, WS_PONG, f->payload);
	} else if (f->opcode == WS_CLOSE) {
		const unsigned char *code = (const unsigned char *)f->payload.ptr;
		load_fault(c, "closed by the server with %d",
			   f->payload.len < 2 ? 0 : code[0] << 8 | code[1]);
		client_close(c);
	}
}

/* The answer to the handshake; returns what it took. */
static size_t take_response(struct client *c, struct str bytes)
{
	size_t used = ws_response(bytes);
	if (used == SIZE_MAX) {
		load_fault(c, "the handshake was refused: %.*s",
			   (int)(bytes.len < 60 ? bytes.len : 60), bytes.ptr);
		client_close(c);
		return 0;
	}
	if (used > 0)
		load_open(c);
	return used;
}

/* Returns how much of the bytes was whole. */
static size_t take_bytes(struct client *c, struct str bytes)
{
	size_t used = 0;
	if (c->state == CLIENT_CONNECTING) {
		used = take_response(c, bytes);
		if (used == 0)
			return 0;
	}
	struct ws_frame frame;
	size_t len;
	while (c->state != CLIENT_IDLE &&
	       (len = ws_next(str_of(bytes.ptr + used, bytes.len - used), &frame)) > 0) {
		take_frame(c, &frame);
		used += len;
	}
	return used;
}

static void receive(struct client *c)
{
	struct load *l = c->load;
	if (!l->in)
		l->in = mem_alloc(IN_BYTES);
	size_t had = c->partial.len;
	CHECK(had < IN_BYTES); /* no server here sends frames so large */
	if (had)
		memcpy(l->in, c->partial.ptr, had);
	ssize_t got = take(c, l->in + had, IN_BYTES - had);
	if (got < 0 && errno == EAGAIN)
		return;
	if (got <= 0) {
		load_fault(c, "connection lost: %s",
			   got ? strerror(errno) : "closed by the server");
		client_close(c);
		return;
	}
	l->counts.bytes += (uint64_t)got;
	size_t have = had + (size_t)got;
	size_t used = take_bytes(c, str_of(l->in, have));
	if (c->state == CLIENT_IDLE || (had == 0 && used == have))
		return;
	buf_reset(&c->partial);
	buf_append(&c->partial, l->in + used, have - used);
}

void client_ready(struct client *c, uint32_t events)
{
	if (c->state != CLIENT_IDLE && (events & EPOLLOUT))
		flush(c);
	if (c->state != CLIENT_IDLE && (events & (EPOLLIN | EPOLLHUP | EPOLLERR)))
		receive(c);
}
