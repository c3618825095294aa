// SPDX-License-Identifier: MIT
/* bearer.h — a session that has shown a token: who it is, what it may do, and until when. Not here:
 * showing another one (on_token.c). */
#ifndef PARLOR_GATEWAY_CORE_BEARER_H
#define PARLOR_GATEWAY_CORE_BEARER_H

#include "gateway/core/json_in.h"
#include "gateway/core/state.h"

struct bearer {
	TAILQ_ENTRY(bearer) entry; /* in a slot of gateway.bearers */
	struct session *session;
	uint64_t ends_ms;
	uint64_t due_ms; /* of the warning, then of the end; UINT64_MAX: over */
	struct claims claims;
	struct str lists[]; /* of `claims`, then its texts */
};

/* The session bears these from now on; they are copied. */
void bearer_set(struct gateway *g, struct session *s, const struct claims *claims);
void bearer_drop(struct gateway *g, struct session *s); /* if it bears any */

/* Whether it may enter the room under this name; write in the room that the event names. False: it
 * may not, and the event has failed. */
NODISCARD
bool bearer_may_join(const struct gateway *g, const struct session *s, struct client_event *e,
		     struct str user, struct str room);
NODISCARD
bool bearer_may_write(const struct session *s, struct client_event *e);

void bearers_check(const struct gateway *g); /* ends the process where an invariant is broken */
void bearer_tick(struct gateway *g);
uint64_t bearer_next_due(const struct gateway *g);

#endif
