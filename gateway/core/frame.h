// SPDX-License-Identifier: MIT
/* frame.h — what clients are sent: events, acks and errors as JSON in a finished WebSocket frame.
 * There are two wire formats over the same data: the native one, and Socket.IO's packets.
 *
 * The JSON goes into g->json; frame_send turns it into an op. One encoded frame may go to many
 * sessions of the same wire format. Not here: when something is sent (deliver.h, announce.h). */
#ifndef PARLOR_GATEWAY_CORE_FRAME_H
#define PARLOR_GATEWAY_CORE_FRAME_H

#include "gateway/wire/ws_frame.h"
#include "gateway/core/gateway.h"

/* Events are written for one wire format, into g->json: frame_begin_event, the data, and one of the
 * ends. `room` may be empty. */
struct buf *frame_begin_event(struct gateway *g, enum wire wire, const char *event,
			      struct str room);
void frame_end_event(struct gateway *g, enum wire wire);
void frame_end_users(struct gateway *g, enum wire wire, struct str room,
		     uint64_t total); /* 0: all were named */

/* What stands beside the messages of msgHistory. */
struct history_end {
	bool has_more, is_reset;
	uint64_t epoch; /* of the newest of them; 0: not known */
};
void frame_end_history(struct gateway *g, enum wire wire, struct str room, struct history_end end);

/* Appends a whole updateChat; returns the offset in b of the message's own JSON object, behind
 * which one byte follows. `epoch`: the one that begins with it, or 0. */
size_t frame_put_chat(struct buf *b, enum wire wire, struct str room, const struct rec_chat *chat,
		      uint64_t epoch);

/* Appends what stands before and behind that object, when the object is there already. */
void frame_put_chat_object(struct buf *b, enum wire wire, struct str room, struct str object);

/* Appends the message's JSON object alone, as in msgHistory. */
void frame_put_message(struct buf *b, struct str room, const struct rec_chat *chat, uint64_t epoch);

/* Appends {"username":"<user>","room":"<room>"}, the data of most events. */
void frame_put_user(struct buf *b, struct str room, struct str user);

/* The JSON in `payload` as a finished frame that lasts until the end of the turn. */
struct str frame_finish(struct arena *a, struct str payload);

/* Sends a finished frame, or several side by side. The bytes must last until the end of the turn.
 */
void frame_send(struct gateway *g, struct session *s, struct str frames);

/* Sends what g->json holds. */
void frame_send_json(struct gateway *g, struct session *s);

/* The reply to the client's event `id`. The data is appended to the returned buffer between these
 * two calls. */
struct buf *frame_begin_ack(struct gateway *g, const struct session *s, uint64_t id);
void frame_end_ack(struct gateway *g, struct session *s);

/* An error reply; `detail` names what was wrong, or is NULL for the error's own text. */
void frame_send_error(struct gateway *g, struct session *s, bool has_id, uint64_t id,
		      enum err error, const char *detail);
/* An error without id that names the room it is about: the session was put out of it. */
void frame_send_expelled(struct gateway *g, struct session *s, struct str room);
void frame_send_rate_limited(struct gateway *g, struct session *s, bool has_id, uint64_t id,
			     uint64_t retry_after_ms);

#endif
