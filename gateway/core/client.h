// SPDX-License-Identifier: MIT
/* client.h — what a client asks for: its backlog, and the handlers of events.def, one a client
 * event. They run when the event has been read
 * and is within its rate; a field that is wrong is left in e->error, which client.c turns into the
 * reply. */
#ifndef PARLOR_GATEWAY_CORE_CLIENT_H
#define PARLOR_GATEWAY_CORE_CLIENT_H

#include "gateway/core/json_in.h"
#include "gateway/core/state.h"

/* Goes on with what waits in the session's backlog, as far as a turn goes. */
void client_go_on(struct gateway *g, struct session *s);

/* Whether it can in the next turn. */
bool client_may_go_on(const struct gateway *g, const struct session *s);

#define C(name) void on_##name(struct gateway *g, struct session *s, struct client_event *e);
CLIENT_EVENTS(C)
#undef C

/* The session's live membership of the room, or NULL with ERR_NOT_JOINED in e. */
struct membership *client_membership(struct session *s, struct client_event *e, struct str room);

/* Acks with {"room":"<room>"} when the client gave an id. */
void client_ack_room(struct gateway *g, struct session *s, const struct client_event *e,
		     struct str room);

#endif
