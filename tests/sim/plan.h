// SPDX-License-Identifier: MIT
/* plan.h — the shape of one run: how many of everything, which faults, for how long. It follows
 * from the seed; options, or the shrinker, may take something away. A run is a function of its seed
 * and its plan, to the byte. */
#ifndef PARLOR_TESTS_SIM_PLAN_H
#define PARLOR_TESTS_SIM_PLAN_H

#include "tests/sim/rng.h"

#include <stdbool.h>
#include <stddef.h>

/* F(name, unit): so many in a million messages of the bus, or in a million chances of a node (one
 * each second), or of a person (one each time it acts). */
#define FAULTS(F)                                                                   \
	F(drop)       /* a message of the bus is lost */                            \
	F(repeat)     /* … comes twice */                                         \
	F(slow)       /* … comes late, after those of other senders */            \
	F(crash)      /* a process dies, with what it had not synced */             \
	F(pause)      /* a process stands still, as by SIGSTOP */                   \
	F(cut)        /* nothing passes between two nodes */                        \
	F(isolate)    /* nothing reaches a node, and nothing leaves it */           \
	F(disk)       /* a commit fails, and may be on disk all the same */         \
	F(full)       /* the disk is full for a while */                            \
	F(unreadable) /* reads fail for a while */                                  \
	F(clock)      /* a machine's UTC jumps by an hour or days, or back */       \
	F(stall)      /* a client stops reading for a while */                      \
	F(vanish)     /* a client is gone, and comes back later or much later */    \
	F(surge)      /* most clients are gone at once, and back at once */         \
	F(nonsense)   /* a client sends what is not allowed */                      \
	F(leave)      /* … leaves a room, or leaves it and comes straight back */ \
	F(quick)      /* … joins and leaves before the answer */                  \
	F(rejoin)     /* … joins a room that it is in */                          \
	F(pipeline)   /* … posts several times without waiting */                 \
	F(intrude)    /* … tries the private rooms of others */                   \
	F(socketio)   /* … speaks Socket.IO on its next connection */             \
	F(batched)    /* … speaks parlor.v1 on it: several objects a frame */     \
	F(older)      /* an older copy takes the place of a disk */                 \
	F(shutout)    /* a stranger's gateway is cut off while a room becomes private */

struct faults {
#define F(name) uint64_t name;
	FAULTS(F)
#undef F
};

struct plan {
	uint32_t gateways, roomds, historyds;
	uint32_t people, rooms;
	uint32_t privates; /* so many of the rooms, the last ones, become private */
	uint64_t post_interval_ms;
	uint64_t storm_ms; /* how long faults last */
	/* The bus loses a little and nothing else goes wrong; nobody says anything twice. What
	 * arrives, arrives because the gateway repeats. */
	bool is_patient;
	bool is_checking; /* the cores' invariants after each turn */
	struct faults faults;
	struct rng aside; /* for what came later than the rest: other dice do not fall otherwise */
};

struct plan plan_of(uint64_t seed);

/* Takes a fault away by its name; false when there is none of that name. */
bool plan_without(struct plan *p, const char *fault, size_t len);

/* Prints the options that make `p` out of the seed's own plan. */
void plan_print_options(uint64_t seed, const struct plan *p);

#endif
