// SPDX-License-Identifier: MIT
/* list_pace.h — how soon the whole presence list of a room may be requested again.
 *
 * A user who is alone of a room at this gateway and joins and leaves all the time, or a link that
 * keeps losing messages, would make roomd send the list each time, and it may have fifty thousand
 * names. So a list that is large, or requested and not there yet, is requested again only with the
 * next repetition of requests. This is remembered by room, since the view may be closed meanwhile.
 * Not here: the lists (presence.c). */
#ifndef PARLOR_GATEWAY_CORE_LIST_PACE_H
#define PARLOR_GATEWAY_CORE_LIST_PACE_H

#include "proto/base.h"
#include "proto/table.h"

#include <sys/queue.h>

TAILQ_HEAD(paced_list, paced);

struct list_pace {
	struct table by_room;
	struct paced_list all; /* by when they end */
};

void list_pace_init(struct list_pace *l, uint64_t seed);
void list_pace_free(struct list_pace *l);

/* The list of this room has come, or may be on its way. */
void list_pace_note(struct list_pace *l, uint64_t now_ms, struct str room);

/* Whether it has to wait. */
NODISCARD
bool list_pace_waits(struct list_pace *l, uint64_t now_ms, struct str room);

/* Walks it all; for gateway_check. */
void list_pace_check(const struct list_pace *l);

#endif
