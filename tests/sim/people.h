// SPDX-License-Identifier: MIT
/* people.h — simulated clients: they join rooms, write, retry, stall, vanish and come back with
 * `since`, invite each other, and try what is forbidden; and they notice whatever breaks a promise
 * on their own connection. */
#ifndef PARLOR_TESTS_SIM_PEOPLE_H
#define PARLOR_TESTS_SIM_PEOPLE_H

#include "tests/sim/promises.h"

struct people;

struct people *people_open(struct world *w, struct promises *p, const struct plan *plan);
void people_close(struct people *all);

/* Does whatever they have in mind for this moment. */
void people_act(struct people *all);

/* From now on they stay, read, and write nothing new; what is not acked yet they repeat. */
void people_settle(struct people *all);

/* After the quiet: everybody has everything, everybody is acked, lists are true. */
void people_check(struct people *all);

#endif
