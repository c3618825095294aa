// SPDX-License-Identifier: MIT
/* conn.h — one WebSocket of a client: whole messages in, finished frames out.
 *
 * Frames leave by send() on the socket itself, which costs a third of libwebsockets' way. What the
 * socket does not take is kept in two places, so that libwebsockets' own pongs and close frames
 * never fall into the middle of a frame: the rest of what was begun in libwebsockets' backlog,
 * everything behind it in `unsent`. Not here: upgrading and HTTP (shell/lws.c, shell/server.c), who
 * speaks over it (its conn_handler: shell/native.c, shell/eio.c). */
#ifndef PARLOR_GATEWAY_SHELL_CONN_H
#define PARLOR_GATEWAY_SHELL_CONN_H

#include "gateway/shell/ops.h"
#include "gateway/shell/peer.h"
#include "gateway/shell/sends.h"

#include <libwebsockets.h>
#include <sys/queue.h>

TAILQ_HEAD(conn_list, conn);
TAILQ_HEAD(part_list, part);

struct conn;
struct native;

/* Whoever speaks over it. After `left` nothing more is called. */
struct conn_handler {
	size_t size; /* of the struct that begins with struct conn */
	void (*message)(struct conn *c, struct str message, bool is_text);
	void (*on_activity)(struct conn *c); /* a pong */
	void (*blocked)(struct conn *c);
	void (*writable)(struct conn *c);
	void (*on_detached)(struct conn *c);
};

struct conn {
	struct client_end end; /* first: for who makes it a session of the core */
	const struct conn_handler *handler;
	struct conns *all;
	struct peer *peer;       /* of a client that came by TLS, or NULL */
	struct lws *wsi;         /* NULL: closed, and only waits to be freed */
	TAILQ_ENTRY(conn) entry; /* in all->open, all->closing or all->gone */
	uint64_t kill_ms;        /* while closing */
	struct part *received;   /* of a message that is not whole yet, or NULL */
	struct buf *unsent;      /* or NULL */
	uint32_t acked;          /* low bits: bytes that the client had taken when it was blocked,
				  * or looked at last */
	uint16_t close_code;     /* not 0: to be closed with this once all is out */
	bool is_plain : 1;       /* false: must go through libwebsockets */
	bool is_detached : 1;    /* its user has forgotten it */
	bool is_closing : 1;     /* in all->closing */
	bool is_blocked : 1;     /* as its user was told */
	bool is_dead : 1;        /* nothing more can be sent */
	bool is_paused : 1;      /* by its user */
	bool is_choked : 1;      /* so much is unsent that nothing more is read */
	bool is_posted : 1;      /* in all->sends */
};

/* All of them. */
struct conns {
	uint64_t message_max;     /* bytes of one message from a client */
	uint64_t stall_ms;        /* for a message that was begun to be whole */
	struct part_list parts;   /* of messages; the one that is waited for longest first */
	uint64_t received_bytes;  /* of messages that are not whole yet */
	struct conn_list open;    /* and dead ones, until libwebsockets has closed them */
	struct conn_list closing; /* the longest first */
	struct conn_list gone;    /* ops may still name them */
	uint64_t count;
	uint64_t unsent_overflows; /* closed because they let too much pile up */
	struct sends *sends;       /* NULL: one by one */
	struct gateway *core;      /* set by the caller: counts closes; NULL: nobody does */
	struct native *native;     /* set by the caller, for shell/native.c */
};

/* `is_gathering`: sends together what conn_post is given, where the system can. */
void conns_init(struct conns *all, uint64_t message_max, uint64_t stall_ms, bool is_gathering);

/* The connection is established; the rest of its user's struct is zeroed. */
struct conn *conn_open(struct conns *all, struct lws *wsi, const struct conn_handler *handler);

/* Sends finished frames, or keeps what the socket does not take and says `blocked`. */
void conn_send(struct conn *c, struct str frames);

/* Likewise, but at the next conns_send_posted, until which the frames must last. */
void conn_post(struct conn *c, struct str frames);
void conns_send_posted(struct conns *all);

/* Reads no more of it (backpressure). */
void conn_pause(struct conn *c, bool is_paused);

/* Whether the client, which is blocked, has taken anything since then, or since this was asked
 * last. What is with libwebsockets goes out without our seeing it, so it is the kernel that knows.
 */
bool conn_has_taken(struct conn *c);

static inline bool conn_is_open(const struct conn *c)
{
	return !c->is_detached && !c->is_dead && !c->close_code;
}

static inline bool conn_is_reading(const struct conn *c)
{
	return !c->is_paused && !c->is_choked;
}

/* libwebsockets has closed it. */
void conn_closed(struct conn *c);

/* The client takes no more and sends no more: its user may forget it, the close goes on. */
void conn_detached(struct conn *c);

/* A piece of a message. False when the message is longer than allowed. The connection is closed
 * with CLOSE_STALLED when the message is not whole in time, or is too much with those of others. */
NODISCARD
bool conn_receive(struct conn *c, struct str piece, bool is_last, bool is_text);

/* For shell/conn.c only: nobody wants what has come of a message; reading goes on, and the message
 * has all its time again; when the next one is late; closes the connections of those that are. */
void conn_drop_received(struct conn *c);
void conn_reads_on(struct conn *c);
uint64_t conns_next_late(const struct conns *all);
void conns_give_up_late(struct conns *all, uint64_t now_ms);

/* The socket takes data again and libwebsockets' backlog is empty. */
void conn_writable(struct conn *c);

/* Asks for an orderly close with this code. */
void conn_close(struct conn *c, uint16_t code, uint64_t now_ms);

/* It is closed with this code by nobody's order, so it is counted here. */
static inline void conn_count_close(const struct conn *c, enum close_code code)
{
	if (c->all->core)
		gateway_count_close(c->all->core, code);
}

/* Closes connections whose message is not whole in time; ends those whose close has waited too
 * long; frees those that are gone. At the end of each turn. */
void conns_tidy(struct conns *all, uint64_t now_ms);

/* The next time that conns_tidy has something to end; UINT64_MAX: never. */
uint64_t conns_next_due(const struct conns *all);

/* Closes up to `count` connections that are not closing yet, the oldest first. */
void conns_close_some(struct conns *all, uint64_t count, enum close_code code, uint64_t now_ms);

/* When libwebsockets has closed all of them. */
void conns_free(struct conns *all);

/* Makes their users forget all of them, when no more can be waited for. */
void conns_leave(struct conns *all);

#endif
