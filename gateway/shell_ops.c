// SPDX-License-Identifier: MIT
/* shell_ops.c — see shell_ops.h. */
#include "gateway/shell_ops.h"

enum { SCRATCH_KEPT = 1024 * 1024 };

#define NO_OP UINT32_MAX

/* The frames behind each other: those of the first op alone stay where they are. */
static struct str join_frames(struct buf *scratch, struct str frames, struct str more)
{
	if (frames.len == 0)
		return more;
	if (frames.ptr != scratch->ptr) {
		buf_reset(scratch);
		buf_str(scratch, frames);
	}
	buf_str(scratch, more);
	return buf_view(scratch);
}

static void carry_out(struct ops *ops, struct client_end *end, const struct client_op *all,
		      uint64_t now_ms)
{
	struct str frames = {0};
	uint16_t close_code = 0;
	for (uint32_t i = end->first_op; i != NO_OP && close_code == 0; i = ops->next_op[i]) {
		switch (all[i].kind) {
		case CLIENT_SEND:
			frames = join_frames(&ops->scratch, frames, str_of(all[i].ptr, all[i].len));
			break;
		case CLIENT_PING:
			frames = join_frames(&ops->scratch, frames, end->class->ping);
			break;
		case CLIENT_PAUSE:
			end->class->pause(end, true);
			break;
		case CLIENT_RESUME:
			end->class->pause(end, false);
			break;
		case CLIENT_CLOSE:
			close_code = all[i].code;
			break;
		}
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
	if (ops->scratch.cap > SCRATCH_KEPT)
		buf_free(&ops->scratch);
}

void ops_free(struct ops *ops)
{
	buf_free(&ops->scratch);
	mem_free(ops->next_op);
}
