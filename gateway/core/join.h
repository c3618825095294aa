// SPDX-License-Identifier: MIT
/* join.h — entering a room, leaving it, and being put out of it. */
#ifndef PARLOR_GATEWAY_CORE_JOIN_H
#define PARLOR_GATEWAY_CORE_JOIN_H

#include "gateway/core/state.h"

void join_start(struct gateway *g, struct session *s, struct str room,
		const struct join_params *params);
void join_advance(struct gateway *g, struct membership *m);
void join_advance_view(struct gateway *g, struct view *v);
void join_fail(struct gateway *g, struct membership *m, enum err error);
void join_tick(struct gateway *g);
void join_page(struct gateway *g, struct membership *m, const struct ev_page *page);

/* The room's log cannot be read: who waits for it is told. That may end the view. */
void join_unreadable(struct gateway *g, struct view *v);

/* The room is private to these two: whoever else is still in it here, or on the way in, is put out.
 * That may end the view. */
void join_keep_private(struct gateway *g, struct view *v, struct str owner, struct str guest);
void membership_end(struct gateway *g, struct membership *m);
void membership_end_feed(struct gateway *g, struct membership *m);

/* All who wait with this name and key: go on, or are told why not; the user goes with the last of
 * those. */
void join_user_answered(struct gateway *g, struct user *u, enum err status);
void join_user_rejected(struct gateway *g, struct user *u, enum err error);

/* It is in a room of others, or on the way in: it is told so, and leaves. That may end the view. */
void join_put_out(struct gateway *g, struct membership *m);

/* What a client has asked of a room is refused. A room that is forbidden is others', whatever it
 * was asked for: then the user is put out of it as well, on all its connections. The request goes
 * on.
 */
void join_reject(struct gateway *g, const struct request *r, enum err status);

/* The room's history has gone back: what its members have does not stand any more. */
void join_void(struct gateway *g, struct view *v);

/* A page tells of a new epoch, and the history has gone back no further than to the log's end.
 * Whoever waits there for the place of an own message that is gone begins anew. */
void join_void_behind(struct gateway *g, struct view *v, const struct ev_page *page);

#endif
