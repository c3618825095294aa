// SPDX-License-Identifier: MIT
/* http_conn.h — one connection that has not become a WebSocket: one request in, one answer
 * out, and then the end. Nothing behind the request is looked at.
 *
 * Ours and not libwebsockets', which feeds a second request to itself as the first one's body,
 * decodes targets, and drops large heads unanswered. Every state ends: see the lists. Not here:
 * what is answered (shell/server.c and whom it asks). */
#ifndef PARLOR_GATEWAY_SHELL_HTTP_CONN_H
#define PARLOR_GATEWAY_SHELL_HTTP_CONN_H

#include "gateway/http/chunks.h"
#include "gateway/http/head.h"
#include "gateway/http/status.h"
#include "gateway/shell/peer.h"

#include <sys/queue.h>
#include <uv.h>

struct http_conn;
struct http_conns;
TAILQ_HEAD(http_conn_list, http_conn);

struct http_conn {
	TAILQ_ENTRY(http_conn) entry;
	struct http_conn_list *list; /* of http_conns, by what it waits for */
	uint64_t since_ms;           /* when that began */
	struct http_conns *all;
	uv_poll_t poll;
	int fd;
	struct peer *peer; /* of a client that came by TLS, or NULL */
	bool is_watched;   /* `poll` is a handle of the loop */
	bool is_too_large; /* the body: only its beginning was read */
	size_t bytes;      /* of `all->bytes` */
	bool has_lingered; /* all is sent, and the system goes on with what is not confirmed */
	bool is_reset;     /* by the client */
	struct buf in;     /* the head, and what came with it */
	struct http_scan scan;
	struct http_head head; /* views into `in` */
	struct buf body;
	struct http_chunks chunks;
	struct buf out;  /* of the answer, sent as far as `sent` … */
	struct str rest; /* … and then this */
	size_t sent;

	/* Whoever answers it, told once when it is over: whether the client has all of the answer,
	 * or has hung up before it, or in the middle. */
	void (*ended)(struct http_conn *c, bool is_delivered);
	void *user;
};

struct http_conns { /* set by the caller: */
	uv_loop_t *loop;
	uint64_t body_max;
	uint64_t stall_ms; /* without progress of an answer */
	struct http_self self;
	uint64_t *sockets; /* counted here */
	/* The head is there. True: its body is wanted, and `whole` is called when all of it has
	 * come. False: it has been answered, or will be, or was taken. */
	bool (*head)(void *ctx, struct http_conn *c);
	void (*whole)(void *ctx, struct http_conn *c);
	void *ctx;

	/* Waits, each in the order of its beginning. Those for an answer end with the answer. */
	struct http_conn_list heads, bodies, responses, writers, leavers;
	struct http_conn_list gone; /* freed when nobody can be inside any more */
	uint64_t bytes;             /* of requests that are not whole yet */
	uint64_t timeouts, evicted;
};

void http_conns_init(struct http_conns *all);

/* Takes an accepted socket, with its peer. */
void http_conn_open(struct http_conns *all, int fd, struct peer *peer, uint64_t now_ms);

/* Ends the request with these bytes, whose memory is the connection's from now on, and with `rest`,
 * which must last for ever. */
void http_conn_respond(struct http_conn *c, struct buf *out, struct str rest);

/* Gives the socket away, and its peer; what came behind the head remains to be read from
 * http_conn_behind, until the end of the turn. */
int http_conn_take(struct http_conn *c, struct peer **peer);
struct str http_conn_behind(const struct http_conn *c);

/* Ends it at once; whoever waits for its request is told. For shell/http_conns.c only. */
void http_conn_end(struct http_conn *c);

/* Makes room: ends the connection that has kept us waiting the longest, if there is one. */
NODISCARD
bool http_conns_evict(struct http_conns *all, uint64_t now_ms);

/* Ends those that took too long; frees those that are gone. At the end of each turn. */
void http_conns_tidy(struct http_conns *all, uint64_t now_ms);
uint64_t http_conns_next_due(const struct http_conns *all); /* UINT64_MAX: never */

/* Ends all of them; their handles are closed by the loop. */
void http_conns_close(struct http_conns *all);

#endif
