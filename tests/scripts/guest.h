// SPDX-License-Identifier: MIT
/* guest.h — one connection of a script's people, in the simulated world: what it asks, and what it
 * was told, in order. What a story expects of that is play.c. */
#ifndef PARLOR_TESTS_SCRIPTS_GUEST_H
#define PARLOR_TESTS_SCRIPTS_GUEST_H

#include "tests/scripts/script.h"
#include "tests/sim/world.h"

struct json_t;

enum { REPLIES_MAX = 512, SEATS_MAX = 16 };

/* A room as its messages are: their texts, oldest first. */
struct history {
	bool has_come, has_more, is_reset;
	uint64_t first_seq, last_seq; /* 0: empty */
	struct texts texts;
};

/* What answered one request. */
struct reply {
	bool has_come;
	struct str code;   /* of an error; empty: an ack */
	struct str status; /* of newRoom */
	uint64_t seq;      /* of a message */
	struct history page;
	struct seat *joined; /* by a userJoin; its greeting stands behind the ack */
};

enum thing_kind {
	THING_SAY,
	THING_JOIN,
	THING_LEAVE,
	THING_TYPE,
	THING_STOP,
	THING_INVITE,
	THING_ERROR,
	THING_OTHER, /* nothing that a sentence could mean */
};

/* Something that a guest was told without asking. */
struct thing {
	struct thing *next;
	enum thing_kind kind;
	struct str user, room, text; /* of an error, the text is its code */
	bool is_taken;               /* the story has it */
};

struct seat {
	struct str room;
	uint64_t last_seq;       /* the newest message that it has been told of */
	bool has_list;           /* since the ack of its last join */
	struct texts users;      /* the newest list */
	struct history greeting; /* likewise */
	uint64_t since;          /* of the newest request to join; 0: none */
};

struct guest {
	struct guest *next;
	struct world *world;
	struct arena *arena;
	struct str who, user; /* ann@phone, ann */
	struct conn *conn;    /* NULL: it is not here */
	enum wire wire;
	bool is_batched;
	struct buf frame;    /* not sent yet; with several objects when is_batched */
	uint16_t close_code; /* of a close that was not its own, until the story has it */
	struct thing *things, **things_end;
	uint64_t last_id;
	struct reply replies[REPLIES_MAX]; /* by id */
	struct seat seats[SEATS_MAX];
	size_t seat_count;
	char fault[256]; /* what it was told is against the protocol */
};

void guest_init(struct guest *g, struct world *world, struct arena *arena, struct str who);

/* False: that gateway is down. */
NODISCARD
bool guest_arrive(struct guest *g, uint32_t gateway, enum wire wire, bool is_batched);
void guest_go(struct guest *g);

/* Asks, and returns the id of the reply. `data` is JSON, taken over. */
uint64_t guest_ask(struct guest *g, struct str event, struct json_t *data);
uint64_t guest_ask_join(struct guest *g, struct str room, uint64_t since, struct json_t *data);
void guest_send(struct guest *g,
		struct str text); /* as it is, at the next guest_flush at the latest */
void guest_flush(struct guest *g);
void guest_free(struct guest *g);
struct seat *guest_seat(struct guest *g, struct str room);

#endif
