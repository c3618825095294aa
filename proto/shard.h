// SPDX-License-Identifier: MIT
/* shard.h — which shard owns a room or a user: rendezvous hashing, the same answer everywhere. */
#ifndef PARLOR_PROTO_SHARD_H
#define PARLOR_PROTO_SHARD_H

#include "proto/base.h"

/* The index, 0 to shards-1, of the shard that owns this name. When a shard is added, only the names
 * that move to it move at all. Rooms go by their name, users by theirs, both with this function. */
uint32_t shard_of(struct str name, uint32_t shards);

#endif
