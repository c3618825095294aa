// SPDX-License-Identifier: MIT
/* person.h — what a simulated client knows and believes. Inside of people.c (its life), saying.c
 * (what it sends) and hearing.c (what it is told). */
#ifndef PARLOR_TESTS_SIM_PERSON_H
#define PARLOR_TESTS_SIM_PERSON_H

#include "tests/sim/people.h"

enum {
	ROOMS_MAX = 6,
	PEOPLE_MAX = 24,
	POSTS_MAX = 40,
	NAME_LEN = 24,
	SENDINGS_KEPT = 8,
	JOIN_AGAIN_MS = 2000,
	RETRY_AFTER_MS = 6000, /* after an answer was due */
};

struct post {
	uint64_t ids[SENDINGS_KEPT], sendings; /* the frames that carried it */
	uint64_t sent_ms;
	uint32_t room;
	bool is_acked, is_sent;
	char cid[NAME_LEN * 2];
};

/* A person in a room. What it has read without a gap is 1 … have; behind it is the live run of this
 * connection, live_first … live_last, which may still be apart from it. */
struct seat {
	bool is_wanted, is_joined, has_history, is_asking;
	bool has_stalled; /* since the join: it may have missed that somebody stopped typing */
	uint64_t join_id, join_ms, page_id;
	uint64_t since; /* as it was asked with */
	uint64_t have, live_first, live_last;
	uint64_t history_ms; /* when msgHistory came */
	bool people[PEOPLE_MAX];
	uint64_t typing_ms[PEOPLE_MAX];
};

struct person {
	struct people *all;
	uint32_t index;
	char name[NAME_LEN], key[33];
	struct conn *conn;
	uint64_t next_ms, next_id, posts_made;
	uint64_t stalled_until; /* reads nothing until then; 0: reads */
	uint64_t read_ms;       /* when it began to read again */
	struct seat seats[ROOMS_MAX];
	struct post posts[POSTS_MAX];
	size_t post_count;
	uint64_t invite_id;
	bool is_long_away;         /* until the quiet */
	uint64_t nonsense_id;      /* what was not allowed and is not answered yet … */
	const char *nonsense_code; /* … and what must be said about it */
	bool has_unnumbered;       /* likewise without an id */
};

struct people {
	struct world *world;
	struct promises *promises;
	struct person person[PEOPLE_MAX];
	uint32_t count, rooms;
	struct plan plan;
	bool is_settling;
	bool is_private;      /* the last room, between person 0 and 1 … */
	uint64_t private_seq; /* … for what was written after this */
	struct buf line;
};

void room_name(uint32_t room, char name[NAME_LEN]);

/* The last room is made private by person 0, for person 1. */
static inline bool is_private_to_others(const struct person *me, uint32_t room)
{
	return me->all->is_private && room == me->all->rooms - 1 && me->index > 1;
}

/* saying.c */
void say_join(struct person *me, uint32_t room);
void say_post(struct person *me, struct post *post);
void say_typing(struct person *me, uint32_t room);
void say_new_room(struct person *me);
void say_nonsense(struct person *me);
void ask_gap(struct person *me, uint32_t room); /* unless there is none, or it is asked for */

/* hearing.c */
extern const struct conn_events hearing;
void close_gap(struct seat *seat);
void forget_connection(struct person *me);

/* Whether its gateway had no fair chance to answer what was sent then: one of the two stood still.
 */
bool is_excused(const struct person *me, uint64_t sent_ms);

#endif
