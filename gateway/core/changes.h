// SPDX-License-Identifier: MIT
/* changes.h — who came, went, types or has stopped, recorded for the members of the room, in order.
 * Only recorded: the caller may be walking a list, so nothing is freed or sent before the turn
 * ends. A record holds a reference to its user's entry. Not here: sending them (announce.h). */
#ifndef PARLOR_GATEWAY_CORE_CHANGES_H
#define PARLOR_GATEWAY_CORE_CHANGES_H

#include "gateway/core/state.h"

void change_note(struct gateway *g, struct view *v, struct present *p, enum change_kind kind);

/* Whether it alters the list of who is there. */
bool change_is_of_list(const struct change *c);

/* Takes the oldest out; returns whose it was, which may be dropped now, or NULL. */
struct present *change_take(struct view *v);

/* The view is not in gateway.announcing any more. */
void change_leave_queue(struct gateway *g, struct view *v);

/* The view ends, with what was not told. */
void change_forget_all(struct gateway *g, struct view *v);

#endif
