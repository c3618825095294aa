// SPDX-License-Identifier: MIT
/* dialect.c — which dialects there are. */
#include "tests/bench/load/dialect.h"

const struct dialect *dialect_at(size_t index)
{
	static const struct dialect *const all[] = {&dialect_parlor, &dialect_bun,
						    &dialect_socketio, &dialect_nats};
	CHECK(index < ARRAY_LEN(all));
	return all[index];
}
