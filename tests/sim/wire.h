// SPDX-License-Identifier: MIT
/* wire.h — what a gateway says to a client, whatever the wire. What it means is not here. */
#ifndef PARLOR_TESTS_SIM_WIRE_H
#define PARLOR_TESTS_SIM_WIRE_H

#include "gateway/core/gateway.h"

struct json_t;

/* One thing that the gateway said. */
struct heard {
	struct json_t *root;
	const struct json_t *data;
	struct str event, room;
	uint64_t id;
	bool has_more, is_reset;
	uint64_t epoch;
};
/* False: it is not what a gateway may say. */
bool wire_read(enum wire wire, struct str text, struct heard *h);
struct str text_of(const struct json_t *object, const char *name);
uint64_t number_of(const struct json_t *object, const char *name);

#endif
