// SPDX-License-Identifier: MIT
/* announce.h — telling the members of a room who came, who went, who types, and who is there. Not
 * here: how the gateway knows (presence.c). */
#ifndef PARLOR_GATEWAY_ANNOUNCE_H
#define PARLOR_GATEWAY_ANNOUNCE_H

#include "gateway/view.h"

/* p->is_listed has just changed. */
void announce_change(struct gateway *g, struct view *v, struct present *p);

/* p->is_typing has just changed. */
void announce_typing(struct gateway *g, struct view *v, const struct present *p);

/* Tells the changes that are not told yet, if there are any: whatever a user does is seen after the
 * user has come. */
void announce_news(struct gateway *g, struct view *v);

/* The list, to this member now; it holds the changes that are not told yet. */
void announce_list(struct gateway *g, struct membership *m);

/* What is due: at the end of each turn. */
void announce_flush(struct gateway *g);
uint64_t announce_next_due(const struct gateway *g); /* UINT64_MAX: never */

/* The view ends, with what was not told. */
void announce_forget(struct gateway *g, struct view *v);

#endif
