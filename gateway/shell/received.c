// SPDX-License-Identifier: MIT
/* received.c — see shell/conn.h: what comes in. A message that comes in pieces is kept until it is
 * whole, within bounds of bytes and of time. Not here: what goes out, and closing (shell/conn.c).
 */
#include "gateway/shell/conn.h"
#include "proto/shell/clock.h"

enum {
	BYTES_MAX = 64 * 1024 * 1024, /* of messages that are not whole yet, all together */
};

/* What has come of a message. Exists only while it is not whole, so that a connection at rest pays
 * for a pointer. */
struct part {
	TAILQ_ENTRY(part) entry; /* in all->parts */
	struct conn *conn;
	uint64_t since_ms; /* begun, or read on after a pause */
	struct buf bytes;
};

static void begin(struct conn *c)
{
	struct part *part = mem_alloc(sizeof *part);
	*part = (struct part){
		.conn = c,
		.since_ms = clock_steady_ms(),
		.bytes.max = c->all->message_max,
	};
	TAILQ_INSERT_TAIL(&c->all->parts, part, entry);
	c->received = part;
}

/* The connection has none any more; it is for `release`. */
static struct part *detach(struct conn *c)
{
	struct part *part = c->received;
	TAILQ_REMOVE(&c->all->parts, part, entry);
	c->all->received_bytes -= part->bytes.len;
	c->received = NULL;
	return part;
}

static void release(struct part *part)
{
	buf_free(&part->bytes);
	mem_free(part);
}

void conn_drop_received(struct conn *c)
{
	if (c->received)
		release(detach(c));
}

static void give_up(struct conn *c, uint64_t now_ms)
{
	conn_drop_received(c);
	if (!conn_is_open(c))
		return;
	conn_close(c, CLOSE_STALLED, now_ms);
	conn_count_close(c, CLOSE_STALLED);
}

/* When that is too much in all, the oldest go, which may be this one. */
static bool keep(struct conn *c, struct str piece)
{
	struct conns *all = c->all;
	if (!c->received)
		begin(c);
	struct buf *bytes = &c->received->bytes;
	size_t before = bytes->len;
	buf_str(bytes, piece);
	all->received_bytes += bytes->len - before;
	if (bytes->overflow)
		return false;
	while (all->received_bytes > BYTES_MAX)
		give_up(TAILQ_FIRST(&all->parts)->conn, clock_steady_ms());
	return true;
}

bool conn_receive(struct conn *c, struct str piece, bool is_last, bool is_text)
{
	if (c->is_detached || c->close_code)
		return true;
	if (!c->received && is_last) {
		if (piece.len > c->all->message_max)
			return false;
		c->handler->message(c, piece, is_text);
		return true;
	}
	if (!keep(c, piece))
		return false;
	if (c->received && is_last) {
		struct part *part = detach(c); /* the handler may close the connection */
		c->handler->message(c, buf_view(&part->bytes), is_text);
		release(part);
	}
	return true;
}

/* ---- its time ---- */

static void wait_anew(struct part *part, uint64_t now_ms)
{
	TAILQ_REMOVE(&part->conn->all->parts, part, entry);
	TAILQ_INSERT_TAIL(&part->conn->all->parts, part, entry);
	part->since_ms = now_ms;
}

/* While nothing is read, nobody can finish a message. */
void conn_reads_on(struct conn *c)
{
	if (c->received)
		wait_anew(c->received, clock_steady_ms());
}

uint64_t conns_next_late(const struct conns *all)
{
	const struct part *part = TAILQ_FIRST(&all->parts);
	return part ? part->since_ms + all->stall_ms : UINT64_MAX;
}

void conns_give_up_late(struct conns *all, uint64_t now_ms)
{
	while (conns_next_late(all) <= now_ms) {
		struct part *part = TAILQ_FIRST(&all->parts);
		if (conn_is_reading(part->conn))
			give_up(part->conn, now_ms);
		else
			wait_anew(part, now_ms);
	}
}
