// SPDX-License-Identifier: MIT
/* state_request.h — what is under way or has to wait: requests to the other services, and what a
 * session keeps for later. Part of state.h, which includes it; what is done with them is said in
 * request.h and backlog.h. */
#ifndef PARLOR_GATEWAY_CORE_STATE_REQUEST_H
#define PARLOR_GATEWAY_CORE_STATE_REQUEST_H

#include "proto/base.h"

#include <sys/queue.h>

TAILQ_HEAD(request_list, request);

/* What is asked, a row a kind: R(KIND, outbox, who, repair, count, event, fields…)
 *   outbox   the member of struct gateway_out that it goes into: roomd's, or those of historyd
 *   who      CLIENT: waits for it, and is told `unavailable` when nobody answers in GIVE_UP_MS;
 *            GATEWAY: asks as long as it needs to
 *   repair   whose window it counts in, of requests about whole rooms; NONE
 *   count    the statistic that counts how often it was asked; NONE
 *   event, fields   what is published: a row of bus.def, out of the request `r` */
/* clang-format off */
#define REQUEST_PAGE_FIELDS .req = r->number, .room = r->room, .after = r->after,                  \
	.before = r->before, .limit = r->limit, .newest = r->is_newest, .epoch = r->epoch,         \
	.may_reset = r->may_reset
#define REQUESTS(R)                                                                                \
	R(CLAIM, roomd, GATEWAY, NONE, NONE, claim, .user = r->user, .key = r->cid)                \
	R(JOIN, roomd, GATEWAY, NONE, NONE, join, .room = r->room, .user = r->user)                \
	R(PRESENCE, roomd, GATEWAY, PRESENCE, lists_asked_total, presence_ask, .room = r->room)    \
	R(POST, historyd, CLIENT, NONE, NONE, chat_post, .req = r->number, .room = r->room,        \
	  .user = r->user, .cid = r->cid, .body = r->body)                                         \
	R(PRIVATE, roomd, CLIENT, NONE, NONE, private_ask, .req = r->number, .room = r->room,      \
	  .user = r->user, .user2 = r->user2)                                                      \
	R(INVITE, roomd, CLIENT, NONE, NONE, invite_ask, .req = r->number, .room = r->room,        \
	  .user = r->user, .user2 = r->user2)                                                      \
	/* the room's log; a reader behind it, or a join with `since`; the client's `history` */   \
	R(PAGE_VIEW, read, GATEWAY, LOG, pages_total, page_ask, REQUEST_PAGE_FIELDS)               \
	R(PAGE_READER, read, GATEWAY, NONE, pages_total, page_ask, REQUEST_PAGE_FIELDS)            \
	R(PAGE_CLIENT, read, CLIENT, NONE, pages_total, page_ask, REQUEST_PAGE_FIELDS)
/* clang-format on */

enum request_kind {
#define R(kind, ...) REQUEST_##kind,
	REQUESTS(R)
#undef R
};

/* Something asked of roomd or historyd, repeated until it is answered. */
struct request {
	TAILQ_ENTRY(request) entry;      /* in gateway.requests, by retry_ms */
	TAILQ_ENTRY(request) by_age;     /* in gateway.promised, if a client waits for the answer */
	TAILQ_ENTRY(request) of_session; /* in its backlog's privates, if it is one */
	struct request *next, *prev;     /* a post: the ring of those into its room, in order */
	uint64_t number;
	enum request_kind kind;
	uint32_t shard;
	uint64_t asked_ms, retry_ms;
	uint64_t session; /* its number, or 0 */
	bool has_id;
	uint64_t id; /* the client's */
	uint64_t after, before, limit;
	uint64_t epoch; /* in which `after` stood; 0: not known */
	bool is_newest;
	bool may_reset;
	bool is_parked; /* in its session's backlog, not in gateway.requests: asked again later */
	struct str room, user, user2, cid, body; /* all in `text` */
	char *text;
};

/* A room of which a post was given up while others waited behind it. */
struct given_up {
	STAILQ_ENTRY(given_up) entry;
	uint64_t ms; /* when */
	struct str room;
	char text[]; /* room */
};
STAILQ_HEAD(given_up_list, given_up);

/* What of a session has to wait; there only while something does. */
struct backlog {
	struct buf input;  /* events as they came, see backlog.c; counted in stats.owed_bytes */
	size_t at;         /* of the first one */
	uint64_t begun_ms; /* since when there are any */
	struct request_list parked;   /* `history` that is still to be asked, or once more */
	uint64_t asked;               /* the one that is, or 0 */
	uint64_t taken_ms;            /* until then the client took nothing, if it was blocked */
	struct request_list privates; /* newRooms under way whose join has not begun */
	bool is_charged;              /* the first event has been counted against the rate … */
	bool is_waiting;              /* … and waits for a join under way … */
	uint64_t waiting_ms; /* … since then; all events have waited late_ms for such before */
	uint64_t late_ms;
	struct given_up_list given_up; /* until the input is empty */
};

#endif
