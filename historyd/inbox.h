// SPDX-License-Identifier: MIT
/* inbox.h — the invitations kept for a user, as one turn sees them: those of the store and what the
 * turn changed.
 *
 * At most INVITES_MAX are kept for one user, and INVITES_FROM_ONE_MAX of them from one sender, so
 * that no stranger fills the box for everybody. One more is refused with ERR_RATE_LIMITED instead
 * of silently pushing out another that was already promised. Read from the store anew in each turn:
 * invitations are rare. Next: gateways.h. */
#ifndef PARLOR_HISTORYD_INBOX_H
#define PARLOR_HISTORYD_INBOX_H

#include "historyd/turn.h"
#include "proto/table.h"

enum { INVITES_FROM_ONE_MAX = 20 };

struct inbox;

struct inboxes {
	struct turn *turn;
	struct table table;
};

void inboxes_init(struct inboxes *all, struct turn *turn, uint64_t seed);

/* Forgets all of them: after each turn, and at the end. */
void inboxes_forget(struct inboxes *all);

/* The user's inbox; lasts until inboxes_forget. ERR_UNAVAILABLE when the store cannot be read. */
NODISCARD
enum err inboxes_find(struct inboxes *all, struct str user2, struct inbox **out);

/* Keeps the invitation; a second one to the same room takes the place of the first.
 * ERR_RATE_LIMITED when full. */
NODISCARD
enum err inbox_put(struct inboxes *all, struct inbox *inbox,
		   const struct rec_invitation *invitation);

/* Forgets the invitation to this room, if there is one. */
void inbox_drop(struct inboxes *all, struct inbox *inbox, struct str room);

/* All of them, in no order that means anything. The list points into `packed`. */
struct list inbox_list(const struct inbox *inbox, struct buf *packed);

#endif
