// SPDX-License-Identifier: MIT
/* tls_pump.c — see shell/tls_pump.h. */
#include "gateway/shell/tls_pump.h"
#include "gateway/shell/tls_thread.h"

#include <errno.h>
#include <openssl/err.h>
#include <sys/socket.h>

enum { ROUNDS_MAX = 4 }; /* pieces of one link in one turn, so that the others are served too */

static bool is_gone(const struct tls_link *l)
{
	return l->list == &l->thread->gone;
}

static bool is_for_later(ssize_t rc)
{
	return rc < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR);
}

/* Of these bytes, `passed` were passed on; holds the rest. */
static void hold(struct tls_half *half, const char *bytes, size_t len, size_t passed)
{
	char *rest = NULL;
	half->len = len - passed;
	if (half->len) {
		rest = mem_alloc(half->len);
		memcpy(rest, bytes + passed, half->len);
	}
	mem_free(half->held);
	half->held = rest;
}

static void drop(struct tls_half *half)
{
	hold(half, NULL, 0, 0);
}

/* ---- to the client ---- */

/* What OpenSSL has taken: of a piece that it did not take now, it wants the same bytes again. */
static size_t encrypt(struct tls_link *l, const char *bytes, size_t len)
{
	ERR_clear_error();
	int sent = SSL_write(l->ssl, bytes, (int)len);
	if (sent > 0)
		return (size_t)sent;
	int error = SSL_get_error(l->ssl, sent);
	if (error != SSL_ERROR_WANT_WRITE && error != SSL_ERROR_WANT_READ) {
		l->is_reset = true;
		tls_link_end(l);
	}
	return 0;
}

/* All is out: TLS's goodbye, and the end of our half. Then the client has a while to end his. */
static void end_out(struct tls_link *l)
{
	ERR_clear_error();
	int rc = SSL_shutdown(l->ssl);
	if (rc < 0 && SSL_get_error(l->ssl, rc) == SSL_ERROR_WANT_WRITE) {
		l->wants_out = true;
		tls_thread_list(l, &l->thread->flushing);
		return;
	}
	l->out.is_passed = true;
	l->wants_out = false;
	drop(&l->in);
	tls_thread_list(l, &l->thread->leaving);
	if (shutdown(l->client.fd, SHUT_WR) != 0 || l->in.has_ended)
		tls_link_end(l);
}

static void send_held(struct tls_link *l)
{
	size_t sent = encrypt(l, l->out.held, l->out.len);
	if (is_gone(l) || sent == 0)
		return;
	hold(&l->out, l->out.held, l->out.len, sent);
	if (l->list == &l->thread->flushing)
		tls_thread_list(l, l->list); /* it waits anew */
}

/* What the loop has sent. False: no more for now. */
static bool send_piece(struct tls_link *l)
{
	char *piece = l->thread->piece;
	/* The client had everything when he ended his half; there may be more now. */
	if (l->in.has_ended)
		atomic_store(&l->peer->has_all, false);
	ssize_t got = recv(l->loop.fd, piece, TLS_PIECE, MSG_DONTWAIT);
	if (is_for_later(got))
		return false;
	if (got <= 0) {
		l->out.has_ended = true;
		return false;
	}
	size_t sent = encrypt(l, piece, (size_t)got);
	if (is_gone(l))
		return false;
	hold(&l->out, piece, (size_t)got, sent);
	return l->out.len == 0 && got == TLS_PIECE;
}

static void send_out(struct tls_link *l)
{
	if (l->out.is_passed)
		return;
	if (l->out.len)
		send_held(l);
	for (int n = 0; n < ROUNDS_MAX && !is_gone(l) && !l->out.len && !l->out.has_ended; n++)
		if (!send_piece(l))
			break;
	if (!is_gone(l) && l->out.has_ended && !l->out.len)
		end_out(l);
}

/* ---- from the client ---- */

/* The loop may have gone, and need no more. */
static void pass_in(struct tls_link *l, const char *bytes, size_t len)
{
	ssize_t sent = 0;
	if (!l->in.is_passed && !l->out.is_passed) {
		sent = send(l->loop.fd, bytes, len, MSG_DONTWAIT | MSG_NOSIGNAL);
		if (sent < 0 && is_for_later(sent))
			sent = 0;
		else if (sent < 0)
			l->in.is_passed = true;
	}
	if (l->in.is_passed || l->out.is_passed)
		drop(&l->in);
	else
		hold(&l->in, bytes, len, (size_t)sent);
}

static void on_nothing_read(struct tls_link *l, int rc)
{
	int error = SSL_get_error(l->ssl, rc);
	if (error == SSL_ERROR_ZERO_RETURN) {
		l->in.has_ended = true;
	} else if (error == SSL_ERROR_WANT_WRITE) {
		l->wants_out = true;
	} else if (error != SSL_ERROR_WANT_READ) {
		l->is_reset = true;
		tls_link_end(l);
	}
}

/* The client's end follows all that he said, and our word whether he has all that was said to him.
 */
static void end_in(struct tls_link *l)
{
	if (is_gone(l) || !l->in.has_ended || l->in.len)
		return;
	send_out(l);
	if (is_gone(l))
		return;
	if (l->out.is_passed) {
		tls_link_end(l);
		return;
	}
	atomic_store(&l->peer->has_all, tls_link_has_all(l));
	if (!l->in.is_passed)
		(void)shutdown(l->loop.fd, SHUT_WR);
	l->in.is_passed = true;
}

static void take_in(struct tls_link *l)
{
	char *piece = l->thread->piece;
	int got = TLS_PIECE;
	for (int n = 0; n < ROUNDS_MAX && got == TLS_PIECE && !l->in.len && !l->in.has_ended; n++) {
		ERR_clear_error();
		got = SSL_read(l->ssl, piece, TLS_PIECE);
		if (got > 0)
			pass_in(l, piece, (size_t)got);
		else
			on_nothing_read(l, got);
		if (is_gone(l))
			return;
	}
	end_in(l);
}

/* ---- both ---- */

/* A side is read only while there is room for what it says. */
static void watch(struct tls_link *l)
{
	int client = 0, loop = 0;
	if (is_gone(l))
		return;
	if (!l->in.has_ended && !l->in.len)
		client |= UV_READABLE;
	if (l->out.len || l->wants_out)
		client |= UV_WRITABLE;
	if (!l->out.has_ended && !l->out.len)
		loop |= UV_READABLE;
	else if (!l->out.has_ended && !l->is_hung_up)
		loop |= UV_DISCONNECT;
	if (l->in.len)
		loop |= UV_WRITABLE;
	tls_link_watch(&l->client, client);
	tls_link_watch(&l->loop, loop);
}

void tls_pump_start(struct tls_link *l)
{
	take_in(l);
	watch(l);
}

void tls_pump_client(struct tls_link *l, int status, int events)
{
	if (status < 0) {
		l->is_reset = true;
		tls_link_end(l);
		return;
	}
	if (events & UV_WRITABLE) {
		l->wants_out = false;
		send_out(l);
	}
	if (!is_gone(l) && (events & UV_READABLE))
		take_in(l);
	watch(l);
}

/* The loop is gone, or has ended its half: what it had sent must still reach the client, who has to
 * take it within a while. */
static void hang_up(struct tls_link *l)
{
	l->is_hung_up = true;
	if (l->list == &l->thread->open)
		tls_thread_list(l, &l->thread->flushing);
}

void tls_pump_loop(struct tls_link *l, int status, int events)
{
	if (status < 0) { /* libuv has stopped watching it */
		l->loop.watched = 0;
		l->in.is_passed = true;
		drop(&l->in);
		hang_up(l);
		events = UV_READABLE;
	}
	if (events & UV_DISCONNECT)
		hang_up(l);
	if ((events & UV_WRITABLE) && l->in.len) {
		pass_in(l, l->in.held, l->in.len);
		end_in(l);
	}
	if (!is_gone(l) && (events & UV_READABLE))
		send_out(l);
	watch(l);
}
