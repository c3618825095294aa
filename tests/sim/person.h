// SPDX-License-Identifier: MIT
/* person.h — what a simulated client knows and believes. Inside of people.c (its life), seats.c
 * (rooms it comes to and leaves), private.c (rooms of two), shutout.c (those who sit in them),
 * saying.c (what it sends), asked.c (what waits for its reply), wire.c, hearing.c and answers.c
 * (what it is told). */
#ifndef PARLOR_TESTS_SIM_PERSON_H
#define PARLOR_TESTS_SIM_PERSON_H

#include "tests/sim/people.h"
#include "tests/sim/wire.h"

enum {
	ROOMS_MAX = 8,
	PEOPLE_MAX = 24,
	POSTS_MAX = 40,
	NAME_LEN = 24,
	ASKED_MAX = 256,
	JOIN_AGAIN_MS = 2000,
	CATCH_UP_MS = 100,
	RETRY_AFTER_MS = 6000, /* after an answer was due */
	UNANSWERED_MS = 16000, /* by then no answer will come any more */
};

#define NO_SINCE UINT64_MAX

/* ---- what waits for its reply ---- */

enum asked_kind {
	ASKED_NOTHING,
	ASKED_JOIN,
	ASKED_LEAVE,
	ASKED_POST,
	ASKED_PAGE,
	ASKED_TYPING,
	ASKED_INVITE, /* newRoom */
	ASKED_NONSENSE,
};

struct asked {
	uint64_t id; /* 0: free */
	uint64_t sent_ms;
	enum asked_kind kind;
	uint32_t room;
	/* The join, leave or newRoom of that room which was sent last before it. */
	uint64_t behind_id;
	enum asked_kind behind_kind;
	uint64_t since;    /* of a join */
	bool has_since;    /* likewise */
	bool has_epoch;    /* likewise */
	uint64_t shown_ms; /* of a post: when its message was shown in a page or msgHistory */
	uint64_t number;   /* of a post: which one */
	uint32_t guest;    /* of newRoom */
};

struct post {
	uint64_t number, sent_id, sendings;
	uint64_t sent_ms;
	uint32_t room;
	bool is_acked, is_sent;
};

/* What a client has been shown of a room since it began with it: see shown.c. */
struct shown {
	struct shown_message {
		uint64_t seq, message, epoch; /* 0: not known */
	} * list;
	size_t count, cap;
	uint64_t epoch; /* of the newest */
	bool is_unsure; /* it went on without telling its epoch */
};

/* A person in a room. What it has read without a gap is 1 … have; behind it is the live run of this
 * connection, live_first … live_last, which may still be apart from it. */
struct seat {
	bool is_silent; /* it only reads there */
	bool is_home;   /* one that it comes back to */
	bool is_wanted;
	bool is_joined;      /* by what was answered */
	bool will_be_joined; /* once all is answered that was sent */
	bool is_inviting;    /* newRoom is under way; nothing else is asked of the room meanwhile */
	bool has_list, has_history, is_asking;
	bool has_stalled;    /* since the join: it may have missed that somebody stopped typing */
	bool was_put_out;    /* on this connection, by no wish of its own */
	uint64_t refused_ms; /* when it was told that the room is private to others; 0: never */
	uint32_t moving;     /* joins and leaves that wait for their reply */
	uint64_t move_id;    /* the newest join, leave or newRoom that was sent … */
	enum asked_kind move_kind;
	uint64_t refused_id; /* … and the newest that was refused */
	uint64_t join_ms, moved_ms;
	struct asked greeting; /* the join that the next msgHistory answers … */
	bool is_again;         /* … of a room that it was in */
	uint64_t have, live_first, live_last;
	uint64_t history_ms; /* when msgHistory came */
	struct shown shown;
	uint64_t reset_id; /* pages that were asked for before are of what is gone */
	bool people[PEOPLE_MAX];
	uint64_t typing_ms[PEOPLE_MAX];
};

enum voice { VOICE_NATIVE, VOICE_BATCHED, VOICE_SOCKETIO };

struct person {
	struct people *all;
	uint32_t index;
	char name[NAME_LEN], key[33];
	struct conn *conn;
	enum voice voice;
	struct buf batch;    /* objects of a frame that is not sent yet */
	uint64_t connection; /* of conn */
	uint64_t next_ms, next_id, posts_made;
	uint64_t stalled_until; /* reads nothing until then; 0: reads */
	uint64_t read_ms;       /* when it began to read again */
	struct seat seats[ROOMS_MAX];
	struct post posts[POSTS_MAX];
	size_t post_count;
	struct asked asked[ASKED_MAX]; /* by id, modulo */
	uint64_t oldest_id;            /* nothing before it waits */
	uint32_t asked_count;
	bool is_epochless;         /* it ignores epochs */
	uint64_t invite_ms;        /* when it may ask newRoom again */
	bool is_long_away;         /* until the quiet */
	uint64_t nonsense_id;      /* what was not allowed and is not answered yet … */
	const char *nonsense_code; /* … and what must be said about it */
	bool has_unnumbered;       /* likewise without an id */
	bool has_invited[ROOMS_MAX], was_invited[ROOMS_MAX];
	bool is_owed[ROOMS_MAX]; /* somebody has the ack of an invitation that is not here yet */
};

/* What shutout.c is at. */
struct shutout {
	struct rng rng; /* its own */
	enum { SHUTOUT_NONE, SHUTOUT_COMING, SHUTOUT_CUT } step;
	uint32_t room, stranger;
	uint32_t fill, secrets; /* messages to write before, and once it is private */
	uint64_t look_ms, until_ms, private_ms, again_ms;
};

/* What is known of a room beside who is in it. Private ones: as the disk says. */
struct room_facts {
	bool is_private;
	bool is_mutual;        /* the guest invites too */
	uint32_t owner, guest; /* who they are, or are meant to be */
	uint64_t from_ms;      /* nobody invites before that */
	uint64_t private_seq;  /* what was written after this only the two may read … */
	uint64_t private_ms;   /* … and who asks after this must be refused */
};

struct people {
	struct world *world;
	struct promises *promises;
	struct person person[PEOPLE_MAX];
	struct room_facts room[ROOMS_MAX];
	uint32_t count, rooms;
	uint64_t connections; /* there have been */
	uint64_t look_ms, surge_ms;
	struct plan plan;
	struct shutout shutout;
	struct rng aside;                     /* older.c's … */
	struct store_memory *copy[NODES_MAX]; /* … backups of the historyds */
	uint64_t copied_ms[NODES_MAX], older_ms;
	uint64_t settled_ms; /* since when all faults are over; 0: not yet */
	struct buf line;
};

static inline struct rng *rng_of(struct person *me)
{
	return &me->all->world->rng;
}

void room_name(uint32_t room, char name[NAME_LEN]);
void cid_name(const struct person *me, uint64_t number, char cid[NAME_LEN * 2]);

/* people.c */
void write_in(struct person *me, uint32_t room);

/* seats.c */
void seats_reconcile(struct person *me); /* joins what is wanted, leaves what is not */
void seats_whim(struct person *me);
void seat_give_up(struct person *me, uint32_t room);
void seats_check(struct person *me); /* after the quiet */
bool seat_is_at_rest(const struct seat *seat);

/* private.c */
void private_open(struct people *all);
void private_look(struct people *all); /* which rooms are private by now */
void private_whim(struct person *me);
bool is_private_to_others(const struct person *me, uint32_t room);
bool is_meant_private(const struct people *all, uint32_t room);
void private_acked(struct person *me, const struct asked *a, struct str status);
void private_shown(struct person *me, uint32_t room, struct str from);
/* Whoever was told that the room is private to others is no member to the gateway. */
void private_answered_well(struct person *me, const struct asked *a);
/* `a` is NULL when it was put out. */
void private_refused(struct person *me, const struct asked *a, uint32_t room, struct str code);
void private_check(struct people *all);

/* older.c */
void older_open(struct people *all);
void older_close(struct people *all);
void older_act(struct people *all);

/* shown.c */
enum shown_by { SHOWN_LIVE, SHOWN_GREETING, SHOWN_PAGE };
void shown_begin(struct person *me, uint32_t room);               /* anew */
void shown_keep(struct person *me, uint32_t room, uint64_t last); /* nothing behind it */
/* `epoch`: in which the one before it stands, and then it. */
void shown_add(struct person *me, uint32_t room, const struct told *t, uint64_t *epoch,
	       enum shown_by by);
void shown_date(struct person *me, uint32_t room, uint64_t last, uint64_t epoch);
uint64_t shown_epoch(const struct seat *seat, uint64_t seq);
void shown_check(struct person *me, uint32_t room); /* after the quiet */
void shown_free(struct person *me);

/* shutout.c */
void shutout_open(struct people *all);
void shutout_act(struct people *all);
bool shutout_holds(const struct people *all, uint32_t room); /* no others are wanted there */

/* asked.c */
bool asked_has_capacity(const struct person *me);
struct asked *asked_add(struct person *me, enum asked_kind kind, uint32_t room);
struct asked *asked_find(struct person *me, uint64_t id);
/* Its reply has come: order and time are judged; *a is a copy, the place is free again. False when
 * nothing of that id waits. */
bool asked_answered(struct person *me, uint64_t id, struct str code, struct asked *a);
void asked_look(struct person *me); /* what waits too long */
void asked_forget(struct person *me);
bool asked_is_join_late(const struct person *me);

/* saying.c */
/* With `since`, or without it when that is NO_SINCE. */
void say_join(struct person *me, uint32_t room, uint64_t since);
void say_leave(struct person *me, uint32_t room);
void say_post(struct person *me, struct post *post);
void say_typing(struct person *me, uint32_t room);
void say_new_room(struct person *me, uint32_t room, uint32_t guest);
void say_nonsense(struct person *me);
void say_all(struct person *me);                /* what a batch still holds */
void ask_gap(struct person *me, uint32_t room); /* unless there is none, or it is asked for */

/* hearing.c */
extern const struct conn_events hearing;
void close_gap(struct seat *seat);
void forget_connection(struct person *me);
uint32_t person_named(const struct people *all, struct str name);
/* A message as the person was told of it, whether it stands (or is gone with an older copy of the
 * disk); the next thing of a room on this connection. */
bool told(struct person *me, uint32_t room, const struct json_t *message, uint64_t *epoch,
	  enum shown_by by);
void live_step(struct person *me, uint32_t room, uint64_t seq, bool does_stand, const char *what);

/* answers.c */
void on_ack(struct person *me, uint64_t id, const struct json_t *data);
void on_error(struct person *me, uint64_t id, const struct json_t *data);

/* Whether it has still to read what came while it did not read. */
static inline bool is_behind(const struct person *me)
{
	return me->stalled_until || me->read_ms + CATCH_UP_MS > me->all->world->now_ms;
}

/* Whether its gateway had no fair chance to answer what was sent then: one of the two stood still.
 */
bool is_excused(const struct person *me, uint64_t sent_ms);

#endif
