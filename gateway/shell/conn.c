// SPDX-License-Identifier: MIT
/* conn.c — see shell/conn.h: its life, and what goes out. Not here: what comes in
 * (shell/received.c). */
#include "gateway/shell/conn.h"
#include "proto/shell/clock.h"

#include <errno.h>
#include <sys/socket.h>

enum {
	CLOSE_WAIT_MS = 1500, /* for what is unsent to leave before a close; for its answer */
	CHOKE_BYTES = 128 * 1024,
	UNSENT_MAX = 1024 * 1024, /* far above what the core sends to a reader that is blocked */
};

static void on_sent(void *tag, struct str frames, ssize_t sent);

void conns_init(struct conns *all, uint64_t message_max, uint64_t stall_ms, bool is_gathering)
{
	*all = (struct conns){
		.message_max = message_max,
		.stall_ms = stall_ms,
		.sends = is_gathering ? sends_open(on_sent) : NULL,
	};
	TAILQ_INIT(&all->open);
	TAILQ_INIT(&all->closing);
	TAILQ_INIT(&all->gone);
	TAILQ_INIT(&all->parts);
}

struct conn *conn_open(struct conns *all, struct lws *wsi, const struct conn_handler *handler)
{
	struct conn *c = mem_alloc(handler->size);
	bool is_plain = !lws_is_ssl(wsi) && lws_get_network_wsi(wsi) == wsi;
	*c = (struct conn){
		.handler = handler,
		.all = all,
		.wsi = wsi,
		.is_plain = is_plain,
	};
	TAILQ_INSERT_TAIL(&all->open, c, entry);
	all->count++;
	return c;
}

/* Appends to a buffer that exists only while there is something in it. False: too much. */
static bool keep(struct buf **b, struct str bytes, size_t max)
{
	if (!*b) {
		*b = mem_alloc(sizeof **b);
		(*b)->max = max;
	}
	buf_str(*b, bytes);
	return !(*b)->overflow;
}

static void drop(struct buf **b)
{
	if (*b)
		buf_free(*b);
	mem_free(*b);
	*b = NULL;
}

void conn_detached(struct conn *c)
{
	if (c->is_detached)
		return;
	c->is_detached = true;
	conn_drop_received(c);
	c->handler->on_detached(c);
}

static void update_reading(struct conn *c)
{
	lws_rx_flow_control(c->wsi, conn_is_reading(c));
	if (conn_is_reading(c))
		conn_reads_on(c);
}

void conn_pause(struct conn *c, bool is_paused)
{
	c->is_paused = is_paused;
	update_reading(c);
}

/* For what is answered below its user, which does not know how much of that waits. */
static void choke(struct conn *c, bool is_choked)
{
	if (c->is_choked == is_choked)
		return;
	c->is_choked = is_choked;
	update_reading(c);
}

static void stop_closing(struct conn *c)
{
	if (!c->is_closing)
		return;
	c->is_closing = false;
	TAILQ_REMOVE(&c->all->closing, c, entry);
	TAILQ_INSERT_TAIL(&c->all->open, c, entry);
}

void conn_closed(struct conn *c)
{
	conn_detached(c);
	stop_closing(c);
	c->wsi = NULL;
	TAILQ_REMOVE(&c->all->open, c, entry);
	TAILQ_INSERT_TAIL(&c->all->gone, c, entry);
	c->all->count--;
}

/* Ends it without ceremony, soon: never from within a fan-out, which may hold its neighbours. */
static void conn_kill(struct conn *c)
{
	if (c->is_dead)
		return;
	c->is_dead = true;
	stop_closing(c);
	drop(&c->unsent);
	lws_set_timeout(c->wsi, PENDING_TIMEOUT_USER_OK, LWS_TO_KILL_ASYNC);
	/* Under libuv a time-out is only looked at after some event of libwebsockets' own. */
	lws_cancel_service(lws_get_context(c->wsi));
}

/* ---- out ---- */

/* What the socket takes at once, or a negative errno. */
static ssize_t send_now(const struct conn *c, struct str bytes)
{
	if (!c->is_plain)
		return 0;
	ssize_t sent =
		send(lws_get_socket_fd(c->wsi), bytes.ptr, bytes.len, MSG_DONTWAIT | MSG_NOSIGNAL);
	return sent < 0 ? -errno : sent;
}

/* Gives libwebsockets what the socket did not take. Returns false when that had to wait. */
static bool finish_send(struct conn *c, struct str bytes, ssize_t sent)
{
	if (sent == -EAGAIN || sent == -EWOULDBLOCK || sent == -EINTR)
		sent = 0;
	if (sent < 0) {
		conn_kill(c);
		return true;
	}
	if ((size_t)sent == bytes.len)
		return true;
	/* The raw way adds nothing in front, needs no room there, and only reads the bytes. */
	unsigned char *rest = (unsigned char *)(uintptr_t)(bytes.ptr + sent);
	if (lws_write(c->wsi, rest, bytes.len - (size_t)sent, LWS_WRITE_RAW) < 0)
		conn_kill(c);
	return c->is_dead || !lws_partial_buffered(c->wsi);
}

/* Sends bytes that begin and end with a frame. Only when nothing waits: writing behind
 * libwebsockets' back while it has a backlog corrupts the stream. Returns false when some of them
 * had to be left to libwebsockets. */
static bool send_all(struct conn *c, struct str bytes)
{
	return finish_send(c, bytes, send_now(c, bytes));
}

static bool is_clear(const struct conn *c)
{
	return !c->unsent && !lws_partial_buffered(c->wsi);
}

static uint32_t acked_bytes(const struct conn *c)
{
	return peer_acked(c->peer, lws_get_socket_fd(c->wsi));
}

bool conn_has_taken(struct conn *c)
{
	uint32_t before = c->acked;
	c->acked = acked_bytes(c);
	return c->acked != before;
}

static void block(struct conn *c)
{
	lws_callback_on_writable(c->wsi);
	if (c->is_blocked)
		return;
	c->is_blocked = true;
	c->acked = acked_bytes(c);
	c->handler->blocked(c);
}

static void keep_unsent(struct conn *c, struct str frames)
{
	if (keep(&c->unsent, frames, UNSENT_MAX)) {
		choke(c, c->unsent->len >= CHOKE_BYTES);
		block(c);
		return;
	}
	c->all->unsent_overflows++;
	conn_kill(c);
}

void conn_send(struct conn *c, struct str frames)
{
	if (c->is_posted)
		conns_send_posted(c->all);
	if (c->is_dead)
		return;
	if (!is_clear(c))
		keep_unsent(c, frames);
	else if (!send_all(c, frames))
		block(c);
}

static void on_sent(void *tag, struct str frames, ssize_t sent)
{
	struct conn *c = tag;
	c->is_posted = false;
	if (!finish_send(c, frames, sent))
		block(c);
}

void conn_post(struct conn *c, struct str frames)
{
	if (!c->all->sends || !c->is_plain || c->is_posted || !is_clear(c)) {
		conn_send(c, frames);
		return;
	}
	c->is_posted = true;
	sends_add(c->all->sends, lws_get_socket_fd(c->wsi), frames, c);
}

void conns_send_posted(struct conns *all)
{
	if (all->sends)
		sends_run(all->sends);
}

static void wait_for_close(struct conn *c, uint64_t now_ms)
{
	TAILQ_REMOVE(c->is_closing ? &c->all->closing : &c->all->open, c, entry);
	TAILQ_INSERT_TAIL(&c->all->closing, c, entry);
	c->is_closing = true;
	c->kill_ms = now_ms + CLOSE_WAIT_MS;
}

/* Our own close frame, and then the client's answer or the end of our patience. libwebsockets' way,
 * to fail a callback with a reason set, is no use here: as Debian builds it, it closes a second
 * time at once under libuv, and nothing is sent. */
static void send_close(struct conn *c)
{
	const char frame[] = {(char)0x88, 0x02, (char)(c->close_code >> 8), (char)c->close_code};
	send_all(c, str_of(frame, sizeof frame));
	conn_detached(c);
	if (!c->is_dead)
		wait_for_close(c, clock_steady_ms());
}

void conn_writable(struct conn *c)
{
	if (c->is_dead || c->is_detached)
		return;
	if (c->unsent) {
		bool is_out = send_all(c, buf_view(c->unsent));
		drop(&c->unsent);
		choke(c, false);
		if (!is_out || c->is_dead)
			return;
	}
	if (c->close_code) {
		send_close(c);
		return;
	}
	if (c->is_blocked) {
		c->is_blocked = false;
		c->handler->writable(c);
	}
}

void conn_close(struct conn *c, uint16_t code, uint64_t now_ms)
{
	if (!conn_is_open(c))
		return;
	c->close_code = code;
	conn_drop_received(c);
	wait_for_close(c, now_ms);
	lws_callback_on_writable(c->wsi);
}

/* ---- all of them ---- */

static uint64_t next_kill(const struct conns *all)
{
	const struct conn *c = TAILQ_FIRST(&all->closing);
	return c ? c->kill_ms : UINT64_MAX;
}

uint64_t conns_next_due(const struct conns *all)
{
	uint64_t kill_ms = next_kill(all);
	uint64_t late_ms = conns_next_late(all);
	return kill_ms < late_ms ? kill_ms : late_ms;
}

void conns_tidy(struct conns *all, uint64_t now_ms)
{
	struct conn *c;
	conns_give_up_late(all, now_ms);
	while (next_kill(all) <= now_ms)
		conn_kill(TAILQ_FIRST(&all->closing));
	while ((c = TAILQ_FIRST(&all->gone)) != NULL) {
		TAILQ_REMOVE(&all->gone, c, entry);
		drop(&c->unsent);
		peer_drop(c->peer);
		mem_free(c);
	}
}

void conns_close_some(struct conns *all, uint64_t count, enum close_code code, uint64_t now_ms)
{
	struct conn *c = TAILQ_FIRST(&all->open);
	while (c && count) {
		struct conn *next = TAILQ_NEXT(c, entry); /* conn_close moves it */
		if (conn_is_open(c)) {
			conn_close(c, (uint16_t)code, now_ms);
			conn_count_close(c, code);
			count--;
		}
		c = next;
	}
}

void conns_leave(struct conns *all)
{
	struct conn *c;
	TAILQ_FOREACH (c, &all->open, entry)
		conn_detached(c);
	TAILQ_FOREACH (c, &all->closing, entry)
		conn_detached(c);
}

void conns_free(struct conns *all)
{
	conns_tidy(all, 0);
	sends_close(all->sends);
}
