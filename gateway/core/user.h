// SPDX-License-Identifier: MIT
/* user.h — the users who have a connection here. A user's first connection claims the name with
 * roomd. Not here: other gateways' users (roomd). */
#ifndef PARLOR_GATEWAY_CORE_USER_H
#define PARLOR_GATEWAY_CORE_USER_H

#include "gateway/core/state.h"

struct user *user_find(const struct gateway *g, struct str name); /* the first in its line */

/* The session is the name's from now on, if not yet in roomd's eyes. *refused is one who has to go
 * for it (join_user_rejected), or NULL. */
enum err user_enter(struct gateway *g, struct session *s, struct str name, struct str key,
		    struct user **refused);

void user_leave(struct gateway *g, struct session *s);
void user_show_invitations(struct gateway *g, struct session *s);

/* The user whose claim this answers, or NULL; is_held says how. Its joins are to be told
 * (join_user_answered). */
struct user *user_claim_answered(struct gateway *g, const struct ev_claim_answer *ev);

#endif
