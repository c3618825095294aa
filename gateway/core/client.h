// SPDX-License-Identifier: MIT
/* client.h — what a client asks for: its backlog, and the handlers of events.def, one a client
 * event. They run when the event has been read and is within its rate; a wrong field is left in
 * e->error, which client.c turns into the reply. Not here: reading fields (json_in.h). */
#ifndef PARLOR_GATEWAY_CORE_CLIENT_H
#define PARLOR_GATEWAY_CORE_CLIENT_H

#include "gateway/core/json_in.h"
#include "gateway/core/state.h"

/* Goes on with what waits in the session's backlog, as far as a turn goes. */
void client_go_on(struct gateway *g, struct session *s);

/* Whether it can in the next turn. */
bool client_may_go_on(const struct gateway *g, const struct session *s);

#define C(name, flags, ack, meaning) \
	void on_##name(struct gateway *g, struct session *s, const struct in_##name *in);
CLIENT_EVENTS(C)
#undef C

/* Acks with {"room":"<room>"} when the client gave an id. */
void client_ack_room(struct gateway *g, struct session *s, const struct client_event *e,
		     struct str room);

#endif
