// SPDX-License-Identifier: MIT
/* turn.h — one turn's writes, and its results, held back until the writes are on disk.
 *
 * "An ack means stored" lives here: whatever the core wants to say is encoded into a turn, and
 * turn_end is the only function that moves it out, after the store's commit. When the commit fails,
 * deliveries are thrown away and each answer goes out in its second form, which says
 * ERR_UNAVAILABLE. Next: log.h. */
#ifndef PARLOR_HISTORYD_TURN_H
#define PARLOR_HISTORYD_TURN_H

#include "historyd/historyd.h"

/* The answers to one request message, encoded twice. */
struct turn_response {
	struct response response;
	struct batch unavailable; /* what is said instead when the commit fails */
};

struct turn {
	struct store *store;
	struct batch down;
	struct turn_response *responses;
	size_t response_count, response_cap;
	uint64_t writes;
	bool is_durable; /* everything written is on disk */
};

void turn_init(struct turn *t, struct store *store);
void turn_free(struct turn *t);

/* Begins the answers to one request message; the pointer lasts until the next call. */
struct turn_response *turn_response(struct turn *t, uint64_t requester);

/* Writes go through these, so that the turn knows whether there is anything to commit. */
void turn_put_chat(struct turn *t, struct str room, const struct rec_chat *chat);
void turn_put_room(struct turn *t, struct str room, const struct store_room *facts);
void turn_put_invite(struct turn *t, struct str user2, const struct rec_invitation *invitation);
void turn_drop_invite(struct turn *t, struct str user2, struct str room);

/* Commits if there is anything to commit, moves the results into `out` and begins the next turn.
 * `out` must be empty. Returns the store's word. */
NODISCARD
enum err turn_end(struct turn *t, struct historyd_out *out);

#endif
