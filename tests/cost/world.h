// SPDX-License-Identifier: MIT
/* world.h — one gateway, one roomd and one historyd in one process, over a bus that is a function
 * call. Each message is still written behind its header, opened and read as on the real one, and
 * what the gateway wants done with its clients is carried out by its own shell/ops.c.
 *
 * Nothing fails, waits or reaches the system, and the time is a number: the same calls cost the
 * same instructions. What fails is the simulator's matter (tests/sim). */
#ifndef PARLOR_TESTS_COST_WORLD_H
#define PARLOR_TESTS_COST_WORLD_H

#include "gateway/shell/ops.h"
#include "historyd/historyd.h"
#include "proto/link.h"
#include "roomd/roomd.h"
#include "tests/support/store_memory.h"

enum { TURN_MS = 10 };

struct world {
	uint64_t now_ms;
	struct gateway *gateway;
	struct gateway_out gateway_out;
	struct ops ops;
	struct link_out up_roomd, up_historyd;
	struct roomd *roomd;
	struct roomd_out roomd_out;
	struct link_out down_roomd;
	struct historyd *historyd;
	struct historyd_out historyd_out;
	struct link_out down_historyd;
	bool has_messages; /* for historyd, in this turn */
	struct store_memory *disk;
	struct bus_reader page_reader;
	struct batch pages; /* answers of the turn to page requests */
	struct buf message; /* the one on its way */

	/* What clients were sent, and how many frames the witnesses. */
	uint64_t sends, bytes, frames;
};

/* A client: what the gateway knows as `conn`. */
struct person {
	struct client_end end; /* first */
	struct world *world;
	struct session *session;
	enum wire wire;
	bool is_witness; /* looks at what it is sent: that costs more than the rest of a delivery */
};

/* Comes back when the gateway finds every shard ready. */
void world_open(struct world *w);
void world_close(struct world *w);

/* The gateway's turn, which takes along what persons said since the last one, then the others'.
 * What these answer reaches the clients in the next. */
void world_turn(struct world *w);
void world_turns(struct world *w, uint64_t turns);

void person_connect(struct world *w, struct person *p, enum wire wire);
void person_leave(struct person *p);

/* A native client's frame, or the array of a Socket.IO client's EVENT packet, which wants an ack.
 */
void person_say(struct person *p, struct str text);

#endif
