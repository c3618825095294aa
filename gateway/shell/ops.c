// SPDX-License-Identifier: MIT
/* ops.c — see shell/ops.h. */
#include "gateway/shell/ops.h"

enum { SCRATCH_KEPT = 1024 * 1024 };

#define NO_OP UINT32_MAX

static void send_posted(struct ops *ops)
{
	if (ops->send_posted)
		ops->send_posted(ops->ctx);
	ops->scratch_len = 0;
}

/* Room for the frames of one client, which stay where they are until send_posted. */
static char *reserve(struct ops *ops, size_t len)
{
	if (len > ops->scratch_cap - ops->scratch_len)
		send_posted(ops);
	if (len > ops->scratch_cap) {
		ops->scratch_cap = len > SCRATCH_KEPT ? len : SCRATCH_KEPT;
		mem_free(ops->scratch);
		ops->scratch = mem_resize(NULL, ops->scratch_cap);
	}
	char *space = ops->scratch + ops->scratch_len;
	ops->scratch_len += len;
	return space;
}

static struct str frames_of(const struct client_end *end, const struct client_op *op)
{
	if (op->kind == CLIENT_PING)
		return end->class->ping;
	return op->kind == CLIENT_SEND ? str_of(op->ptr, op->len) : (struct str){0};
}

/* The frames of all its ops behind each other: those of one op alone stay where they are. */
static struct str join_frames(struct ops *ops, const struct client_end *end,
			      const struct client_op *all)
{
	struct str first = {0};
	size_t len = 0;
	for (uint32_t i = end->first_op; i != NO_OP; i = ops->next_op[i]) {
		struct str frames = frames_of(end, &all[i]);
		if (len == 0)
			first = frames;
		len += frames.len;
	}
	if (len == first.len)
		return first;
	char *at = reserve(ops, len);
	const struct str joined = str_of(at, len);
	for (uint32_t i = end->first_op; i != NO_OP; i = ops->next_op[i]) {
		struct str frames = frames_of(end, &all[i]);
		if (frames.len)
			memcpy(at, frames.ptr, frames.len);
		at += frames.len;
	}
	return joined;
}

/* The core says nothing more to a client that it has closed. */
static void carry_out(struct ops *ops, struct client_end *end, const struct client_op *all,
		      uint64_t now_ms)
{
	struct str frames = join_frames(ops, end, all);
	uint16_t close_code = 0;
	for (uint32_t i = end->first_op; i != NO_OP; i = ops->next_op[i]) {
		if (all[i].kind == CLIENT_SEND) /* nearly always */
			continue;
		if (all[i].kind == CLIENT_PAUSE || all[i].kind == CLIENT_RESUME)
			end->class->pause(end, all[i].kind == CLIENT_PAUSE);
		else if (all[i].kind == CLIENT_LOOK)
			end->class->look(end, now_ms);
		else if (all[i].kind == CLIENT_CLOSE)
			close_code = all[i].code;
	}
	if (frames.len)
		end->class->send(end, frames, now_ms);
	if (close_code && end->class->is_open(end))
		end->class->close(end, close_code, now_ms);
}

/* Chains the ops of each client, so that it is written to once: a send() costs far more than its
 * bytes. */
static void chain(struct ops *ops, const struct gateway_out *out, struct client_end_list *touched)
{
	if (ops->next_cap < out->op_count) {
		ops->next_cap = out->op_cap;
		ops->next_op = mem_resize(ops->next_op, ops->next_cap * sizeof *ops->next_op);
	}
	CHECK(out->op_count < NO_OP); /* they would take 200 GB */
	for (uint32_t i = 0; i < out->op_count; i++) {
		struct client_end *end = out->ops[i].conn;
		if (!end->class->is_open(end))
			continue;
		if (end->is_touched) {
			ops->next_op[end->last_op] = i;
		} else {
			end->is_touched = true;
			end->first_op = i;
			STAILQ_INSERT_TAIL(touched, end, touched);
		}
		end->last_op = i;
		ops->next_op[i] = NO_OP;
	}
}

void ops_carry_out(struct ops *ops, const struct gateway_out *out, uint64_t now_ms)
{
	struct client_end_list touched = STAILQ_HEAD_INITIALIZER(touched);
	struct client_end *end;
	chain(ops, out, &touched);
	while ((end = STAILQ_FIRST(&touched)) != NULL) {
		STAILQ_REMOVE_HEAD(&touched, touched);
		end->is_touched = false;
		carry_out(ops, end, out->ops, now_ms);
	}
	send_posted(ops);
	if (ops->scratch_cap > SCRATCH_KEPT) {
		mem_free(ops->scratch);
		ops->scratch = NULL;
		ops->scratch_cap = 0;
	}
}

void ops_free(struct ops *ops)
{
	mem_free(ops->scratch);
	mem_free(ops->next_op);
}
