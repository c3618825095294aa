// SPDX-License-Identifier: MIT
/* request.h — what was asked of roomd or historyd and is repeated until it is answered.
 *
 * The bus may lose anything, so every request is asked again each RETRY_MS. What a client waits
 * for is given up after GIVE_UP_MS and told `unavailable`; what the gateway itself needs (a claim,
 * a room's log) is asked for as long as it is needed. Repeating is harmless: the services treat a
 * repeated request as the same one.
 *
 * Posts have an order, which is kept: historyd takes none after one that it has missed, until it is
 * told that all which are not answered yet follow (posts_begin). Then they are published again from
 * the oldest on, and new ones wait behind them. A post that is given up takes with it those that
 * its connection sent into its room after it. */
#ifndef PARLOR_GATEWAY_CORE_REQUEST_H
#define PARLOR_GATEWAY_CORE_REQUEST_H

#include "gateway/core/state.h"

/* What to ask; strings are copied. `shard` is that of the service that the kind goes to. */
struct request_params {
	enum request_kind kind;
	uint32_t shard;
	const struct session *session; /* NULL: nobody's in particular */
	bool has_id;
	uint64_t id;
	uint64_t after, before, limit, epoch;
	bool is_newest, may_reset;
	bool is_parked; /* as if by request_park; not asked yet */
	bool is_late;   /* asked only with its first repetition */
	struct str room, user, user2, cid, body;
};

/* Asks, and keeps asking. The request lives until request_end. */
struct request *request_start(struct gateway *g, const struct request_params *params);
void request_end(struct gateway *g, struct request *r);

/* It is neither repeated nor given up until it is asked anew; whoever parks it keeps it in a list,
 * by `entry`, and takes it out before request_unpark or request_end. Its client has waited all the
 * same, since it asked or since `waits_ms`, if that is later. */
void request_park(struct gateway *g, struct request *r);
void request_unpark(struct gateway *g, struct request *r, uint64_t waits_ms);

/* NULL when it was answered or given up before. */
struct request *request_find(struct gateway *g, uint64_t number);

/* The oldest post under way into the room, and what came after a post; NULL: no more. */
struct request *request_first_post(const struct gateway *g, struct str room);
struct request *request_next_post(const struct gateway *g, const struct request *r);

/* Asks everything that is under way with this shard of the service once more, as soon as may be: it
 * restarted, or lost something. */
void request_repeat_all(struct gateway *g, enum service service, uint32_t shard);

/* Repeats what is due. What nobody will answer is given up by giveup.h. */
void request_tick(struct gateway *g);
uint64_t request_next_due(const struct gateway *g); /* UINT64_MAX: never, or the past */

#endif
