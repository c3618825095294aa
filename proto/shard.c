// SPDX-License-Identifier: MIT
/* shard.c — see shard.h. The weight of a shard is the name's hash seeded with the shard's index;
 * the heaviest wins. */
#include "proto/shard.h"
#include "proto/table.h"

uint32_t shard_of(struct str name, uint32_t shards)
{
	CHECK(shards > 0);
	uint32_t best = 0;
	uint64_t best_weight = 0;
	for (uint32_t i = 0; shards > 1 && i < shards; i++) {
		uint64_t weight = hash_bytes(name, i + 1);
		if (weight > best_weight) {
			best = i;
			best_weight = weight;
		}
	}
	return best;
}
