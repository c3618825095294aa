// SPDX-License-Identifier: MIT
/* frame.c — see frame.h. */
#include "gateway/frame.h"
#include "gateway/state.h"
#include "proto/json_out.h"

size_t frame_header(char *header, unsigned opcode, size_t payload_bytes)
{
	header[0] = (char)(0x80u | opcode);
	if (payload_bytes < 126) {
		header[1] = (char)payload_bytes;
		return 2;
	}
	size_t width = payload_bytes <= UINT16_MAX ? 2 : 8;
	header[1] = width == 2 ? 126 : 127;
	for (size_t i = 0; i < width; i++)
		header[2 + i] = (char)(payload_bytes >> 8 * (width - 1 - i) & 255);
	return 2 + width;
}

void frame_put_message(struct buf *b, struct str room, const struct rec_chat *chat)
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
	BUF_LIT(b, "}");
}

size_t frame_put_chat(struct buf *b, struct str room, const struct rec_chat *chat)
{
	BUF_LIT(b, "{\"event\":\"updateChat\",\"room\":");
	json_out_str(b, room);
	BUF_LIT(b, ",\"data\":");
	size_t object_offset = b->len;
	frame_put_message(b, room, chat);
	BUF_LIT(b, "}");
	return object_offset;
}

void frame_put_user_event(struct buf *b, const char *event, struct str room, struct str user)
{
	buf_printf(b, "{\"event\":\"%s\",\"room\":", event);
	json_out_str(b, room);
	BUF_LIT(b, ",\"data\":{\"username\":");
	json_out_str(b, user);
	BUF_LIT(b, ",\"room\":");
	json_out_str(b, room);
	BUF_LIT(b, "}}");
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

struct buf *frame_begin_ack(struct gateway *g, uint64_t id)
{
	buf_reset(&g->json);
	BUF_LIT(&g->json, "{\"event\":\"ack\",\"id\":");
	buf_u64(&g->json, id);
	BUF_LIT(&g->json, ",\"data\":");
	return &g->json;
}

void frame_end_ack(struct gateway *g, struct session *s)
{
	BUF_LIT(&g->json, "}");
	frame_send_json(g, s);
}

static void begin_error(struct gateway *g, bool has_id, uint64_t id, enum err error,
			const char *detail)
{
	struct buf *b = &g->json;
	g->stats.errors_total++;
	buf_reset(b);
	BUF_LIT(b, "{\"event\":\"error\",");
	if (has_id) {
		BUF_LIT(b, "\"id\":");
		buf_u64(b, id);
		BUF_LIT(b, ",");
	}
	buf_printf(b, "\"data\":{\"code\":\"%s\",\"message\":", err_code(error));
	json_out_str(b, str_from(detail ? detail : err_text(error)));
}

void frame_send_error(struct gateway *g, struct session *s, bool has_id, uint64_t id,
		      enum err error, const char *detail)
{
	begin_error(g, has_id, id, error, detail);
	BUF_LIT(&g->json, "}}");
	frame_send_json(g, s);
}

void frame_send_expelled(struct gateway *g, struct session *s, struct str room)
{
	begin_error(g, false, 0, ERR_FORBIDDEN, NULL);
	BUF_LIT(&g->json, ",\"room\":");
	json_out_str(&g->json, room);
	BUF_LIT(&g->json, "}}");
	frame_send_json(g, s);
}

void frame_send_rate_limited(struct gateway *g, struct session *s, bool has_id, uint64_t id,
			     uint64_t retry_after_ms)
{
	begin_error(g, has_id, id, ERR_RATE_LIMITED, NULL);
	BUF_LIT(&g->json, ",\"retryAfterMs\":");
	buf_u64(&g->json, retry_after_ms);
	BUF_LIT(&g->json, "}}");
	frame_send_json(g, s);
	g->stats.rate_limited_total++;
}
