// SPDX-License-Identifier: MIT
/* handler.c — what the handlers of client events share; see client.h. Not here: the handlers. */
#include "gateway/core/client.h"
#include "gateway/core/frame.h"
#include "proto/json_out.h"

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
