// SPDX-License-Identifier: MIT
/* relay.h — requests of long-polling that reach another gateway than the one that has their
 * session.
 *
 * Whoever gets such a request asks the session's owner and gives the client the owner's answer, so
 * no load balancer need know what a sid is. Between the two only messages that may be lost,
 * repeated and late: a request has a number, is repeated until it is answered, is executed once,
 * and its answer is kept until the client has it, which is repeated too until the owner has heard
 * it. Both sides notice when the other one is silent, also while a slow client takes its answer; an
 * answer of which nobody says any more that it arrived ends the session, as it may be lost. A pure
 * state machine; not here: sockets (shell/relay.c), who is where (directory.h), what a request does
 * (eio.h). */
#ifndef PARLOR_GATEWAY_RELAY_RELAY_H
#define PARLOR_GATEWAY_RELAY_RELAY_H

#include "gateway/engineio/eio.h"
#include "proto/bus.h"

enum {
	RELAY_REPEAT_MS = 1000,  /* a request is asked again, as a sign of life … */
	RELAY_SILENCE_MS = 7000, /* … and nobody is waited for who is silent for so long */
	RELAY_LOOK_MS = 100, /* so often is looked whether an unknown owner has become known, … */
	RELAY_UNKNOWN_MS = 3000,  /* … for so long: it may just have started, or we may */
	RELAY_UNKNOWN_MAX = 1024, /* of these at once: anybody can invent owners */
	RELAY_KEEP_MS = 15000,    /* what is over, for late repetitions: far longer than that */
	RELAY_CALLS_MAX = 8192,   /* under way, either way */
	RELAY_BYTES_MAX = 64 * 1024 * 1024, /* of answers kept */
	RELAY_OVER_MAX = 100000, /* remembered, so that a late repetition is not executed again */
};

enum relay_kind {
	RELAY_GET = 1,
	RELAY_POST,
	RELAY_GONE, /* the client of an earlier one has hung up … */
	RELAY_LOST, /* … before it had all of the answer */
	RELAY_HELD, /* a sign of life: the client still takes this one's answer */
	RELAY_DONE, /* it has it; told as relay_done */
};

struct relay_request {
	enum relay_kind kind;
	struct str query; /* as it stood in the target */
	bool is_octets;
	struct str body;
};

struct relay_call; /* a request of one of our clients, under way to its owner */
struct relay_task; /* a request of another gateway's client, executed here */

TAILQ_HEAD(relay_calls, relay_call);
TAILQ_HEAD(relay_tasks, relay_task);

/* What the shell does for it. Nothing here is called from within another of these, but `run`, which
 * may answer at once. */
struct relay_app {
	/* To the gateway with this number, false when nobody knows where that is; and back along a
	 * route that relay_receive was given. */
	bool (*ask)(void *ctx, uint64_t gateway, const struct batch *events);
	void (*response)(void *ctx, struct str route, const struct batch *events);
	/* The answer to a call, NULL when the owner is out of reach. Then relay_delivered or
	 * relay_hang_up. */
	void (*answered)(void *ctx, void *caller, const struct eio_response *response);
	/* Execute this; ends with relay_finish, or with `gone`. */
	void (*run)(void *ctx, struct relay_task *t, const struct relay_request *q);
	void (*gone)(void *ctx, struct relay_task *t);
	/* The answer to this one has reached its client. */
	void (*arrived)(void *ctx, struct relay_task *t);
	/* It has not, or nobody knows: the session with it. */
	void (*lost)(void *ctx, struct str query);
};

struct relay {
	uint64_t id, epoch; /* this gateway */
	struct relay_app app;
	void *ctx;
	struct bus_reader reader;
	struct table calls_by_number, tasks_by_key;
	/* Equal waits, each in order. */
	struct relay_calls calls, answered, unknown;
	struct relay_tasks running, kept, over;
	uint64_t last_number, unknown_count, kept_bytes, over_count;
	struct batch scratch;
	uint64_t asked_total, executed_total, repeated_total, unreachable_total, refused_total;
	uint64_t unconfirmed_total;
};

/* `id`, `epoch`, `app` and `ctx` are set by the caller. */
void relay_open(struct relay *r, uint64_t seed);
void relay_close(struct relay *r);

/* Asks the owner. NULL when too many are under way. The request is copied. */
struct relay_call *relay_ask(struct relay *r, uint64_t now_ms, uint64_t owner,
			     const struct relay_request *q, void *caller);

/* The client has hung up, before the answer or in the middle of it. Ends the call for its waiter.
 */
void relay_hang_up(struct relay *r, uint64_t now_ms, struct relay_call *c);

/* The client has all of the answer. Ends the call for its waiter. */
void relay_delivered(struct relay *r, uint64_t now_ms, struct relay_call *c);

/* The result of a task, which is freed when it has arrived. */
void relay_finish(struct relay *r, uint64_t now_ms, struct relay_task *t,
		  const struct eio_response *response);

/* What the shell remembers with a task, zeroed at first. */
struct eio_request *relay_request_of(struct relay_task *t);
struct relay_task *relay_task_of(struct eio_request *request);

/* A message of another gateway; `route` is where its answers go, empty when it is an answer itself.
 * Bytes that are not ours are dropped. */
void relay_receive(struct relay *r, uint64_t now_ms, struct str message, struct str route);

/* What is due: repetitions, and the end of patience. */
void relay_tick(struct relay *r, uint64_t now_ms);
uint64_t relay_next_due(const struct relay *r); /* UINT64_MAX: never */

#endif
