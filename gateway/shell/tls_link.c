// SPDX-License-Identifier: MIT
/* tls_link.c — see shell/tls_link.h: the handshake, and the end. Not here: the bytes of whoever
 * has shaken hands (shell/tls_pump.c). */
#include "gateway/shell/tls_pump.h"
#include "gateway/shell/tls_thread.h"

#include <errno.h>
#include <openssl/err.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	/* Between the loop and here: little, so that the loop soon notices who does not read. The
	 * system doubles it, and counts what it needs itself for each piece. */
	PAIR_OUT_BYTES = 64 * 1024,
	PAIR_IN_BYTES = 32 * 1024,
	/* The end of our side and TLS's goodbye before it, which a client that knows the length
	 * need not have seen when it closes. Any record of an answer is longer than that. */
	END_SLACK = 1 + 31,
};

/* ---- the end ---- */

static void on_closed(uv_handle_t *handle)
{
	struct tls_link *l = handle->data;
	if (--l->handles)
		return;
	TAILQ_REMOVE(l->list, l, entry);
	mem_free(l);
}

bool tls_link_has_all(const struct tls_link *l)
{
	int untaken = 0;
	return l->out.len == 0 && ioctl(l->loop.fd, FIONREAD, &untaken) == 0 && untaken == 0 &&
	       tcp_has_all(l->client.fd, l->is_reset, END_SLACK);
}

static void unwatch(struct tls_side *side)
{
	uv_close((uv_handle_t *)&side->poll, on_closed);
}

void tls_link_end(struct tls_link *l)
{
	struct tls_thread *t = l->thread;
	if (l->list == &t->gone)
		return;
	tls_thread_list(l, &t->gone);
	unwatch(&l->client);
	/* The loop may still look at the TCP socket, whose descriptor is closed by whoever needs it
	 * last. */
	if (l->peer) {
		atomic_store(&l->peer->has_all, tls_link_has_all(l));
		unwatch(&l->loop);
		close(l->loop.fd);
		(void)shutdown(l->client.fd, SHUT_RDWR);
		peer_drop(l->peer);
	} else {
		close(l->client.fd);
	}
	SSL_free(l->ssl);
	mem_free(l->in.held);
	mem_free(l->out.held);
	l->in.held = l->out.held = NULL;
	atomic_fetch_sub(l->peer ? t->options.connections : &t->shaking, 1);
}

/* ---- the handshake ---- */

static void watch_client(struct tls_link *l)
{
	tls_link_watch(&l->client, UV_READABLE | (l->wants_out ? UV_WRITABLE : 0));
}

/* OpenSSL has sent an alert, if one is due. Whoever speaks plain HTTP is told in his language. */
static void reject(struct tls_link *l, int error)
{
	static const char response[] =
		"HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Type: text/plain\r\n"
		"Content-Length: 41\r\n\r\nThis port speaks TLS only: use https://.\n";
	bool is_plain = ERR_GET_REASON(ERR_peek_error()) == SSL_R_HTTP_REQUEST;
	atomic_fetch_add(&l->thread->failed_total, 1);
	if (is_plain)
		(void)send(l->client.fd, response, sizeof response - 1,
			   MSG_DONTWAIT | MSG_NOSIGNAL);
	if (error != SSL_ERROR_SSL || shutdown(l->client.fd, SHUT_WR) != 0) {
		tls_link_end(l);
		return;
	}
	/* Closing at once would throw away what was said, as there is more that we have not read.
	 */
	tls_thread_list(l, &l->thread->refused);
	l->wants_out = false;
	watch_client(l);
}

static void discard(struct tls_link *l)
{
	ssize_t got = recv(l->client.fd, l->thread->piece, sizeof l->thread->piece, MSG_DONTWAIT);
	if (got == 0 || (got < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR))
		tls_link_end(l);
}

static void set_send_buffer(int fd, int bytes)
{
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes);
}

/* The loop gets one of the pair, with what the client has said already in it. */
static void greet(struct tls_link *l)
{
	struct tls_thread *t = l->thread;
	int pair[2];
	if (atomic_load(t->options.connections) >= t->options.connections_max ||
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) != 0) {
		atomic_fetch_add(&t->failed_total, 1);
		tls_link_end(l);
		return;
	}
	set_send_buffer(pair[0], PAIR_OUT_BYTES);
	set_send_buffer(pair[1], PAIR_IN_BYTES);
	struct peer *peer = peer_new(l->client.fd);
	l->peer = peer;
	l->loop.fd = pair[1];
	CHECK(uv_poll_init(&t->loop, &l->loop.poll, l->loop.fd) == 0);
	l->loop.poll.data = l;
	l->handles++;
	atomic_fetch_sub(&t->shaking, 1);
	atomic_fetch_add(t->options.connections, 1);
	atomic_fetch_add(&t->handshakes_total, 1);
	tls_thread_list(l, &t->open);
	tls_pump_start(l);
	t->options.hand_over(t->options.ctx, (struct tls_handed){.fd = pair[0], .peer = peer});
}

static void shake(struct tls_link *l)
{
	ERR_clear_error();
	int rc = SSL_accept(l->ssl);
	int error = rc == 1 ? SSL_ERROR_NONE : SSL_get_error(l->ssl, rc);
	l->wants_out = error == SSL_ERROR_WANT_WRITE;
	if (error == SSL_ERROR_NONE)
		greet(l);
	else if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE)
		watch_client(l);
	else
		reject(l, error);
}

static void on_client(uv_poll_t *poll, int status, int events)
{
	struct tls_link *l = poll->data;
	if (l->list == &l->thread->gone)
		return;
	if (l->peer)
		tls_pump_client(l, status, events);
	else if (status < 0)
		tls_link_end(l);
	else if (l->list == &l->thread->refused)
		discard(l);
	else
		shake(l);
}

static void on_loop(uv_poll_t *poll, int status, int events)
{
	struct tls_link *l = poll->data;
	if (l->list != &l->thread->gone)
		tls_pump_loop(l, status, events);
}

void tls_link_watch(struct tls_side *side, int events)
{
	const struct tls_link *l = side->poll.data;
	if (side->watched == events)
		return;
	side->watched = events;
	if (events)
		CHECK(uv_poll_start(&side->poll, events,
				    side == &l->client ? on_client : on_loop) == 0);
	else
		CHECK(uv_poll_stop(&side->poll) == 0);
}

void tls_link_open(struct tls_thread *t, SSL_CTX *ctx, int fd)
{
	struct tls_link *l = mem_alloc(sizeof *l);
	l->thread = t;
	l->client.fd = fd;
	l->client.poll.data = l;
	l->ssl = SSL_new(ctx);
	CHECK(l->ssl != NULL && SSL_set_fd(l->ssl, fd) == 1);
	CHECK(uv_poll_init(&t->loop, &l->client.poll, fd) == 0);
	l->handles = 1;
	tls_thread_list(l, &t->handshakes);
	shake(l); /* most have begun it when they are accepted */
}
