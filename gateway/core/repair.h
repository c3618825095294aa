// SPDX-License-Identifier: MIT
/* repair.h — brings exact state back after a loss, a little at a time.
 *
 * When a service restarts, or a link to it lost something, each room in use has to be compared with
 * what the service knows, and a roomd has to be sent all users and members again. With fifty
 * thousand people that is much at once, so it is paced: the requests under way to one shard and the
 * members named in one turn are bounded. Not here: how a loss is noticed (proto/link.h), what is
 * done with the answers (presence.c, view.c). */
#ifndef PARLOR_GATEWAY_CORE_REPAIR_H
#define PARLOR_GATEWAY_CORE_REPAIR_H

#include "gateway/core/state.h"

void repair_init(struct gateway *g);

/* This shard of roomd (presence) or historyd (messages) restarted, or something of it was lost:
 * what is asked of it is asked again, and every room compared with what it knows. At once after a
 * restart; losses that go on are made good together. */
void repair_shard(struct gateway *g, enum service service, uint32_t shard, bool has_restarted);

/* The room is closed, or needs no repair any more. */
void repair_forget_room(struct gateway *g, struct view *v);

/* Goes on with what has room to go on. */
void repair_tick(struct gateway *g);

/* When repair_tick has something to do: UINT64_MAX for never, or the past. */
uint64_t repair_next_due(const struct gateway *g);

#endif
