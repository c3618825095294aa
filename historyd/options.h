// SPDX-License-Identifier: MIT
/* options.h — what historyd can be told by flags, environment and file. Shell only. */
#ifndef PARLOR_HISTORYD_OPTIONS_H
#define PARLOR_HISTORYD_OPTIONS_H

#include "historyd/historyd.h"
#include "proto/shell/service.h"

#define PROGRAM "parlor-historyd"

struct options {
	struct service_options service;
	struct historyd_options core; /* shard, shards and rooms_max of it */
	const char *bind, *data, *log_dir, *create;
	uint64_t min_free, cache_bytes;
	bool allow_data_loss, restored;
};

extern const struct program historyd_program;

/* Ends the process with one line when something is wrong. */
void historyd_options_load(struct options *o, int argc, char **argv);

#endif
