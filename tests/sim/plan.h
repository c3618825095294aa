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
#define FAULTS(F)                                                                \
	F(drop)       /* a message of the bus is lost */                         \
	F(repeat)     /* … comes twice */                                      \
	F(slow)       /* … comes late, after those of other senders */         \
	F(crash)      /* a process dies, with what it had not synced */          \
	F(pause)      /* a process stands still, as by SIGSTOP */                \
	F(cut)        /* nothing passes between some nodes */                    \
	F(disk)       /* a commit fails, and may be on disk all the same */      \
	F(full)       /* the disk is full for a while */                         \
	F(unreadable) /* reads fail for a while */                               \
	F(clock)      /* UTC jumps, by an hour or by days */                     \
	F(stall)      /* a client stops reading for a while */                   \
	F(vanish)     /* a client is gone, and comes back later or much later */ \
	F(nonsense)   /* a client sends what is not allowed */

struct faults {
#define F(name) uint64_t name;
	FAULTS(F)
#undef F
};

struct plan {
	uint32_t gateways, roomds, historyds;
	uint32_t people, rooms;
	uint64_t post_interval_ms;
	uint64_t storm_ms; /* how long faults last */
	/* The bus loses a little and nothing else goes wrong; nobody says anything twice. What
	 * arrives, arrives because the gateway repeats. */
	bool is_patient;
	struct faults faults;
};

struct plan plan_of(uint64_t seed);

/* Takes a fault away by its name; false when there is none of that name. */
bool plan_without(struct plan *p, const char *fault, size_t len);

/* Prints the options that make `p` out of the seed's own plan. */
void plan_print_options(uint64_t seed, const struct plan *p);

#endif
