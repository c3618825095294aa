// SPDX-License-Identifier: MIT
/* dialect.c — which dialects there are. */
#include "tests/bench/load/dialect.h"

const struct dialect *dialect_named(const char *name)
{
	static const struct dialect *const all[] = {&dialect_parlor, &dialect_bun,
						    &dialect_socketio, &dialect_nats};
	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		if (strcmp(all[i]->name, name) == 0)
			return all[i];
	return NULL;
}
