// SPDX-License-Identifier: MIT
/* announce.h — sends the members of a room who came, who went, who types, and who is there. Not
 * here: collecting these changes (changes.h). */
#ifndef PARLOR_GATEWAY_CORE_ANNOUNCE_H
#define PARLOR_GATEWAY_CORE_ANNOUNCE_H

#include "gateway/core/view.h"

/* Tells the changes that are not told yet, if there are any: whatever a user does is seen after the
 * user has come. At the end of a turn. */
void announce_changes(struct gateway *g, struct view *v);

/* The list, to this member now; it holds the changes that are not told yet. */
void announce_list(struct gateway *g, struct membership *m);

/* What is due: at the end of each turn. */
void announce_flush(struct gateway *g);
uint64_t announce_next_due(const struct gateway *g); /* UINT64_MAX: never */

#endif
