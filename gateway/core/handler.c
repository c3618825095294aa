// SPDX-License-Identifier: MIT
/* handler.c — what the handlers of client events share; see client.h. */
#include "gateway/core/client.h"
#include "gateway/core/frame.h"
#include "gateway/core/session.h"
#include "proto/json_out.h"

struct membership *client_membership(struct session *s, struct client_event *e, struct str room)
{
	struct membership *m = e->error == ERR_OK ? session_membership(s, room) : NULL;
	if (m && (m->is_live || m->was_live))
		return m;
	client_event_fail(e, ERR_NOT_JOINED, "join \"" STR_FMT "\" first", STR_ARG(room));
	return NULL;
}

void client_ack_room(struct gateway *g, struct session *s, const struct client_event *e,
		     struct str room)
{
	if (!e->has_id)
		return;
	struct buf *b = frame_begin_ack(g, s, e->id);
	BUF_LIT(b, "{\"room\":");
	json_out_str(b, room);
	BUF_LIT(b, "}");
	frame_end_ack(g, s);
}
