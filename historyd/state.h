// SPDX-License-Identifier: MIT
/* state.h — what historyd's core remembers. Inside the core only; historyd.h is the face. */
#ifndef PARLOR_HISTORYD_STATE_H
#define PARLOR_HISTORYD_STATE_H

#include "historyd/gateways.h"
#include "historyd/inbox.h"
#include "historyd/log.h"

/* What the results of a turn will add to the statistics once they are out. */
struct tally {
	uint64_t stored, repeated, refused;
};

struct historyd {
	struct turn turn;
	struct tally tally;
	struct room_logs logs;
	struct inboxes inboxes;
	struct gateways gateways;
	struct bus_reader reader;
	struct buf scratch;
	bool is_writable;
	bool is_doubtful; /* a commit failed and none has succeeded since */
	uint64_t held_ms; /* since the last tick: see clock_behind_ms */
	struct historyd_stats totals;
};

#endif
