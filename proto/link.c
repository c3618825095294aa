// SPDX-License-Identifier: MIT
/* link.c — see link.h. */
#include "proto/link.h"

bool link_admits(struct link *l, const struct envelope *env, uint32_t pipe, uint64_t now_ms)
{
	bool is_held = l->up && l->pipe && now_ms < l->active_ms + LEASE_MS;
	if (pipe == 0)
		return true;
	if (is_held && pipe != l->pipe && env->epoch != l->epoch)
		return false;
	if (pipe != l->closed)
		l->pipe = pipe;
	return true;
}

void link_pipe_closed(struct link *l, uint32_t pipe)
{
	if (l->pipe != pipe)
		return;
	l->closed = pipe;
	l->pipe = 0;
}

enum link_result link_receive(struct link *l, const struct envelope *env, uint64_t now_ms)
{
	/* A lapsed sender may come back with a smaller epoch: its machine's clock was set back. */
	if (l->up && env->epoch < l->epoch)
		return LINK_STALE;
	bool is_new = env->epoch > l->epoch || !l->up;
	if (!is_new && env->seq <= l->seq)
		return LINK_STALE;
	bool is_next = env->seq == l->seq + 1 && env->epoch == l->epoch;
	l->epoch = env->epoch;
	l->seq = env->seq;
	l->minor = env->minor;
	l->active_ms = now_ms;
	l->up = true;
	if (is_new)
		return LINK_NEW;
	return is_next ? LINK_NEXT : LINK_GAP;
}

bool link_lapsed(struct link *l, uint64_t now_ms)
{
	if (!l->up || now_ms < l->active_ms + LEASE_MS)
		return false;
	l->up = false;
	l->ready = false;
	return true;
}

bool link_resync_due(const struct link_resync *r, uint64_t now_ms)
{
	return r->is_wanted && now_ms >= r->next_ms;
}

void link_resync_begin(struct link_resync *r, uint64_t now_ms)
{
	bool was_quiet = now_ms >= r->next_ms + r->wait_ms;
	uint32_t longer = 2 * r->wait_ms < RESYNC_MS_MAX ? 2 * r->wait_ms : RESYNC_MS_MAX;
	r->is_wanted = false;
	r->wait_ms = was_quiet ? RESYNC_MS : longer;
	r->next_ms = now_ms + r->wait_ms;
}
