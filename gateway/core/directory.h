// SPDX-License-Identifier: MIT
/* directory.h — the addresses of the other gateways, as the roomds announce them. An address that
 * no roomd has named for a while is dropped. Not here: what gateways say to each other (relay.h).
 */
#ifndef PARLOR_GATEWAY_CORE_DIRECTORY_H
#define PARLOR_GATEWAY_CORE_DIRECTORY_H

#include "proto/bus.h"
#include "proto/table.h"

enum { PLACE_KEPT_MS = 15000 };

struct directory {           /* inside of directory.c */
	struct table places; /* by gateway */
};

void directory_init(struct directory *d, uint64_t seed);
void directory_free(struct directory *d);
void directory_update(struct directory *d, uint64_t now_ms, const struct ev_gateways *ev);

/* Where the gateway is; empty when nobody knows of it now. Lasts until the next directory_update.
 */
struct str directory_find(const struct directory *d, uint64_t now_ms, uint64_t gateway);

/* Whether no other gateway serves, as far as is known. */
bool directory_is_alone(const struct directory *d, uint64_t now_ms, uint64_t self);

/* Walks it all; for gateway_check. */
void directory_check(const struct directory *d, uint64_t now_ms);

#endif
