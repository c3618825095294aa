// SPDX-License-Identifier: MIT
/* backlog.h — what a client has sent and may not be worked on yet, in order: the rest of a frame of
 * thousands of events, what stands behind a join under way, and what arrives while replies wait to
 * be read. Also its `history` requests whose pages it could not take.
 *
 * Bounded: while something is in it, nothing is read from the client (CLIENT_PAUSE), so it holds
 * what one or two frames brought. Not here: working it off (client.c). */
#ifndef PARLOR_GATEWAY_CORE_BACKLOG_H
#define PARLOR_GATEWAY_CORE_BACKLOG_H

#include "gateway/core/request.h"

/* One event as it came. */
struct input {
	bool is_packet; /* ["event",data], and its id beside it */
	bool has_id;
	uint64_t id;
	struct str text;
};

static inline bool backlog_has_input(const struct session *s)
{
	return s->backlog && s->backlog->input.len;
}

/* Keeps a copy; false when there are more than two frames already. */
NODISCARD
bool backlog_put(struct gateway *g, struct session *s, const struct input *in);

/* The first event, whose text lasts until backlog_pop. There must be one. */
void backlog_first(const struct session *s, struct input *in);
void backlog_pop(struct gateway *g, struct session *s);

/* The first event waits for a join under way, until one is settled. */
void backlog_wait(struct gateway *g, struct session *s);
void backlog_settled(struct gateway *g, struct session *s);

/* Whether it is to be read no further. What only waits for a join is short, and read on for a
 * while. */
bool backlog_is_long(const struct session *s);

/* A newRoom of it has begun, or is over or goes on as a join. */
void backlog_private(struct gateway *g, struct session *s, struct request *r);
void backlog_private_over(struct gateway *g, struct session *s, struct request *r);

/* Asks for a page for the client, behind those asked before: one at a time, when the client takes
 * it. That one waits for another is no reason to answer it late; that the client takes nothing is.
 * backlog_park: it has come and cannot be given now. backlog_give_up: nobody answers, so all that
 * wait behind it are told. */
void backlog_ask(struct gateway *g, struct session *s, const struct request_params *params);
void backlog_park(struct gateway *g, struct session *s, struct request *r);
void backlog_ask_parked(struct gateway *g, struct session *s);
void backlog_give_up(struct gateway *g, struct session *s);

/* A post into the room was given up. What its connection sent there later and is not worked on yet
 * is given up with it, through however many leaves and joins that stands. */
void backlog_note_given_up(struct gateway *g, struct session *s, struct str room);

/* Whether what is worked on now was here then, or came while something of that time still was. */
bool backlog_was_given_up(const struct session *s, struct str room);

void backlog_free(struct gateway *g, struct session *s);

/* Walks it all, for gateway_check; returns how many requests are parked in it. */
uint64_t backlog_check(struct gateway *g, const struct session *s);

/* A join of it has begun or ended (+1, -1). */
void backlog_joins(struct gateway *g, struct session *s, int change);

#endif
