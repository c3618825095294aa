// SPDX-License-Identifier: MIT
/* frame.c — see frame.h. */
#include "gateway/core/session.h"
#include "gateway/core/frame.h"
#include "gateway/core/state.h"
#include "proto/json_out.h"

static void put_epoch(struct buf *b, uint64_t epoch)
{
	if (epoch == 0)
		return;
	BUF_LIT(b, ",\"epoch\":");
	buf_u64(b, epoch);
}

void frame_put_message(struct buf *b, struct str room, const struct rec_chat *chat, uint64_t epoch)
{
	BUF_LIT(b, "{\"username\":");
	json_out_str(b, chat->user);
	BUF_LIT(b, ",\"body\":");
	json_out_str(b, chat->body);
	BUF_LIT(b, ",\"time\":");
	buf_u64(b, chat->time);
	BUF_LIT(b, ",\"room\":");
	json_out_str(b, room);
	BUF_LIT(b, ",\"seq\":");
	buf_u64(b, chat->seq);
	if (chat->cid.len && chat->cid.ptr[0] != INTERNAL_CID_MARK) {
		BUF_LIT(b, ",\"cid\":");
		json_out_str(b, chat->cid);
	}
	put_epoch(b, epoch);
	BUF_LIT(b, "}");
}

/* Socket.IO's `42["event",`: a message of Engine.IO that is an EVENT, in the default namespace. */
static void put_event(struct buf *b, enum wire wire, const char *event, struct str room)
{
	struct str name = str_from(event);
	if (wire == WIRE_SOCKETIO) {
		BUF_LIT(b, "42[\"");
		buf_str(b, name);
		BUF_LIT(b, "\",");
		return;
	}
	BUF_LIT(b, "{\"event\":\"");
	buf_str(b, name);
	BUF_LIT(b, "\",");
	if (room.len) {
		BUF_LIT(b, "\"room\":");
		json_out_str(b, room);
		BUF_LIT(b, ",");
	}
	BUF_LIT(b, "\"data\":");
}

static void put_end(struct buf *b, enum wire wire)
{
	buf_append(b, wire == WIRE_SOCKETIO ? "]" : "}", 1);
}

struct buf *frame_begin_event(struct gateway *g, enum wire wire, const char *event, struct str room)
{
	buf_reset(&g->json);
	put_event(&g->json, wire, event, room);
	return &g->json;
}

void frame_end_event(struct gateway *g, enum wire wire)
{
	put_end(&g->json, wire);
}

void frame_end_users(struct gateway *g, enum wire wire, struct str room, uint64_t total)
{
	struct buf *b = &g->json;
	if (wire == WIRE_SOCKETIO) {
		BUF_LIT(b, ",");
		json_out_str(b, room);
	}
	if (total) {
		if (wire == WIRE_SOCKETIO)
			BUF_LIT(b, ",");
		else
			BUF_LIT(b, ",\"total\":");
		buf_u64(b, total);
	}
	put_end(b, wire);
}

void frame_end_history(struct gateway *g, enum wire wire, struct str room, struct history_end end)
{
	struct buf *b = &g->json;
	if (wire == WIRE_SOCKETIO) {
		BUF_LIT(b, ",{\"room\":");
		json_out_str(b, room);
	}
	buf_printf(b, ",\"more\":%s", end.has_more ? "true" : "false");
	put_epoch(b, end.epoch);
	if (end.is_reset)
		BUF_LIT(b, ",\"reset\":true");
	if (wire == WIRE_SOCKETIO)
		BUF_LIT(b, "}");
	put_end(b, wire);
}

size_t frame_put_chat(struct buf *b, enum wire wire, struct str room, const struct rec_chat *chat,
		      uint64_t epoch)
{
	put_event(b, wire, "updateChat", room);
	size_t object_offset = b->len;
	frame_put_message(b, room, chat, epoch);
	put_end(b, wire);
	return object_offset;
}

void frame_put_chat_object(struct buf *b, enum wire wire, struct str room, struct str object)
{
	put_event(b, wire, "updateChat", room);
	buf_str(b, object);
	put_end(b, wire);
}

void frame_put_user(struct buf *b, struct str room, struct str user)
{
	BUF_LIT(b, "{\"username\":");
	json_out_str(b, user);
	BUF_LIT(b, ",\"room\":");
	json_out_str(b, room);
	BUF_LIT(b, "}");
}

struct str frame_finish(struct arena *a, struct str payload)
{
	char *bytes = arena_alloc(a, FRAME_HEADER_MAX + payload.len);
	size_t header_bytes = frame_header(bytes, FRAME_TEXT, payload.len);
	memcpy(bytes + header_bytes, payload.ptr, payload.len);
	return str_of(bytes, header_bytes + payload.len);
}

void frame_send(struct gateway *g, struct session *s, struct str frames)
{
	CHECK(frames.len <= UINT32_MAX);
	if (s->is_closing)
		return;
	session_owe(g, s, frames.len);
	struct gateway_out *out = g->out;
	if (out->op_count == out->op_cap) {
		out->op_cap = out->op_cap ? out->op_cap * 2 : 256;
		out->ops = mem_resize(out->ops, out->op_cap * sizeof *out->ops);
	}
	out->ops[out->op_count++] = (struct client_op){
		.kind = CLIENT_SEND,
		.len = (uint32_t)frames.len,
		.ptr = frames.ptr,
		.conn = s->conn,
	};
}

void frame_send_json(struct gateway *g, struct session *s)
{
	frame_send(g, s, frame_finish(&g->out->arena, buf_view(&g->json)));
}

struct buf *frame_begin_ack(struct gateway *g, const struct session *s, uint64_t id)
{
	struct buf *b = &g->json;
	buf_reset(b);
	if (s->wire == WIRE_SOCKETIO) {
		BUF_LIT(b, "43");
		buf_u64(b, id);
		BUF_LIT(b, "[");
		return b;
	}
	BUF_LIT(b, "{\"event\":\"ack\",\"id\":");
	buf_u64(b, id);
	BUF_LIT(b, ",\"data\":");
	return b;
}

void frame_end_ack(struct gateway *g, struct session *s)
{
	put_end(&g->json, s->wire);
	frame_send_json(g, s);
}

/* Native: an event `error` that bears the id. Socket.IO: the ack is {error: …}, and an event only
 * where no ack is wanted. */
static void begin_error(struct gateway *g, const struct session *s, bool has_id, uint64_t id,
			enum err error, const char *detail)
{
	struct buf *b = &g->json;
	g->stats.errors_total++;
	g->stats.errors_by_code[error]++;
	if (s->wire == WIRE_SOCKETIO && has_id) {
		frame_begin_ack(g, s, id);
		BUF_LIT(b, "{\"error\":");
	} else if (has_id) {
		buf_reset(b);
		BUF_LIT(b, "{\"event\":\"error\",\"id\":");
		buf_u64(b, id);
		BUF_LIT(b, ",\"data\":");
	} else {
		frame_begin_event(g, s->wire, "error", (struct str){0});
	}
	buf_printf(b, "{\"code\":\"%s\",\"message\":", err_code(error));
	json_out_str(b, str_from(detail ? detail : err_text(error)));
}

static void end_error(struct gateway *g, struct session *s, bool has_id)
{
	BUF_LIT(&g->json, "}");
	if (s->wire == WIRE_SOCKETIO && has_id)
		BUF_LIT(&g->json, "}");
	put_end(&g->json, s->wire);
	frame_send_json(g, s);
}

void frame_send_error(struct gateway *g, struct session *s, bool has_id, uint64_t id,
		      enum err error, const char *detail)
{
	begin_error(g, s, has_id, id, error, detail);
	end_error(g, s, has_id);
}

void frame_send_expelled(struct gateway *g, struct session *s, struct str room)
{
	begin_error(g, s, false, 0, ERR_FORBIDDEN, NULL);
	BUF_LIT(&g->json, ",\"room\":");
	json_out_str(&g->json, room);
	end_error(g, s, false);
}

void frame_send_rate_limited(struct gateway *g, struct session *s, bool has_id, uint64_t id,
			     uint64_t retry_after_ms)
{
	begin_error(g, s, has_id, id, ERR_RATE_LIMITED, NULL);
	BUF_LIT(&g->json, ",\"retryAfterMs\":");
	buf_u64(&g->json, retry_after_ms);
	end_error(g, s, has_id);
	g->stats.rate_limited_total++;
}
