// SPDX-License-Identifier: MIT
/* shell_conn.h — one WebSocket connection of a client: whole messages in, finished frames out.
 *
 * Frames leave by send() on the socket itself, which costs a third of libwebsockets' way. What the
 * socket does not take is kept in two places, so that libwebsockets' own pongs and close frames
 * never fall into the middle of a frame: the rest of what was begun in libwebsockets' backlog,
 * everything behind it in `unsent`. Not here: upgrading and HTTP (shell_lws.c, shell_http.c), what
 * frames say (the core). */
#ifndef PARLOR_GATEWAY_SHELL_CONN_H
#define PARLOR_GATEWAY_SHELL_CONN_H

#include "gateway/gateway.h"

#include <libwebsockets.h>
#include <sys/queue.h>

TAILQ_HEAD(conn_list, conn);

struct conn {
	struct conns *all;
	struct lws *wsi;         /* NULL: closed, and only waits to be freed */
	struct session *session; /* NULL: the core has forgotten it */
	TAILQ_ENTRY(conn) entry; /* in all->open or all->gone */
	TAILQ_ENTRY(conn) by_close;
	TAILQ_ENTRY(conn) touched;
	size_t first_op, last_op; /* while the ops of a turn are carried out */
	bool is_touched;
	int fd;              /* -1: must go through libwebsockets (TLS) */
	uint16_t close_code; /* not 0: to be closed with this once all is out */
	bool is_closing;     /* in all->closing */
	bool is_blocked;     /* as the core was told */
	bool is_dead;        /* nothing more can be sent */
	uint64_t kill_ms;    /* while closing */
	struct buf received; /* of a message that comes in pieces */
	struct buf unsent;
};

/* All of them. */
struct conns {
	struct gateway *core;
	struct gateway_out *out;
	uint64_t message_max; /* bytes of one message from a client */
	struct conn_list open;
	struct conn_list closing; /* the longest first */
	struct conn_list gone;    /* ops may still name them */
	uint64_t count;
	size_t *next_op; /* of the same connection, for each op of the turn */
	size_t next_cap;
	struct buf scratch;
	uint64_t unsent_overflows; /* closed because they let too much pile up */
};

void conns_init(struct conns *all, struct gateway *core, struct gateway_out *out,
		uint64_t message_max);

/* The connection is established, and known to the core. */
struct conn *conn_open(struct conns *all, struct lws *wsi, bool is_batched);

/* libwebsockets has closed it. */
void conn_closed(struct conn *c);

/* The client takes no more and sends no more: the core may forget it, the close goes on. */
void conn_left(struct conn *c);

/* A piece of a message. False when the message is longer than allowed. */
NODISCARD
bool conn_receive(struct conn *c, struct str piece, bool is_last, bool is_text);

/* The socket takes data again and libwebsockets' backlog is empty. */
void conn_writable(struct conn *c);

/* Carries out what the core wants: the ops of `out`. */
void conns_carry_out(struct conns *all, uint64_t now_ms);

/* Asks for an orderly close with this code. */
void conn_close(struct conn *c, uint16_t code, uint64_t now_ms);

/* Ends connections whose close has waited too long; frees those that are gone. At the end of each
 * turn. */
void conns_tidy(struct conns *all, uint64_t now_ms);

/* The next time that conns_tidy has something to end; UINT64_MAX: never. */
uint64_t conns_next_due(const struct conns *all);

/* Closes up to `count` connections that are not closing yet, the oldest first. */
void conns_close_some(struct conns *all, uint64_t count, uint16_t code, uint64_t now_ms);

/* When libwebsockets has closed all of them. */
void conns_free(struct conns *all);

/* Makes the core forget all of them, when no more can be waited for. */
void conns_leave(struct conns *all);

#endif
