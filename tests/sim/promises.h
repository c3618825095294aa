// SPDX-License-Identifier: MIT
/* promises.h — what PROTOCOL.md promises (section 4): each promise is one checker, or two where one
 * part can be seen at once and the other only at the end. They stand outside the cores and know
 * nothing of how these work.
 *
 * People report what they were told; the checkers compare it with what is on disk and with what was
 * said before. */
#ifndef PARLOR_TESTS_SIM_PROMISES_H
#define PARLOR_TESTS_SIM_PROMISES_H

#include "proto/table.h"
#include "tests/sim/world.h"

struct promises {
	struct world *world;
	struct table by_place, by_cid; /* struct fact: what was acked or delivered */
	struct table lanes, messages;  /* what was sent: order.c */
	struct table gone;             /* what an older copy has not got: gone.c */
	char failure[512];             /* the first one; empty: all kept */
	uint64_t failed_ms;
	uint64_t acked, delivered, refused;
};

void promises_open(struct promises *p, struct world *w);
void promises_close(struct promises *p);

/* A promise was broken; only the first one is kept. */
void promise_broken(struct promises *p, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* One message as somebody was told of it: by an ack, live, or in a page. */
struct told {
	const char *person;
	struct str room, cid;
	uint64_t seq, epoch; /* 0: none was named */
	bool is_ack;
};

/* Runs the checkers of the promises 1, 2 and 3 that look at single messages. */
void promise_told(struct promises *p, const struct told *t);

/* 3, on one connection: `last` is what it was told of the room before. */
void promise_nothing_missing(struct promises *p, const char *person, struct str room, uint64_t last,
			     uint64_t seq, const char *what);

/* 3, after the quiet: the person has read the room up to `have`. */
void promise_all_had(struct promises *p, const char *person, struct str room, uint64_t have);

/* 3, after the quiet: the disks hold all that anybody was told of. */
void promise_all_kept(struct promises *p);

/* 3, in a patient run: an error came to a message that was sent once. */
void promise_carried(struct promises *p, const char *person, struct str code);

/* 4, after the quiet: what one person believes of another. */
void promise_presence(struct promises *p, const char *person, struct str room, const char *other,
		      bool is_seen, bool is_there);
void promise_typing_ends(struct promises *p, const char *person, const char *other,
			 uint64_t typing_ms);

/* 5: somebody read or joined a room that is private to others. */
void promise_private(struct promises *p, const char *person, struct str room, const char *did);

/* 5: somebody is kept from a room that is theirs, or told of one that is not. */
void promise_invitation(struct promises *p, const char *person, struct str room, const char *what);

/* "A frame with an id gets exactly one reply": none came, or one too many. */
void promise_one_reply(struct promises *p, const char *person, const char *what, uint64_t id);

/* 2: the message was shown, so the ack, whose place was before it, must be there. */
void promise_ack_in_place(struct promises *p, const char *person, uint64_t id);

/* What follows a join or a leave is taken after it. */
void promise_in_turn(struct promises *p, const char *person, const char *what, uint64_t id,
		     const char *before, uint64_t before_id);

/* Nothing of a room reaches who has left it. */
void promise_nothing_after_leave(struct promises *p, const char *person, struct str room,
				 struct str event);

/* 6: the answer to what was not allowed; `code` is the error's. */
void promise_clear_error(struct promises *p, const char *person, struct str code,
			 const char *expected);

/* 7: how long the gateway has taken, or takes, for an answer. */
void promise_answered(struct promises *p, const char *person, const char *what, uint64_t ms);

/* Whether the room is private, as the disk says; the names last until the next call. */
bool promises_owners(struct promises *p, struct str room, struct str *owner, struct str *guest);

/* 8: one message as somebody sends it. `connection` is another number for each connection. */
struct sent {
	const char *person;
	uint64_t connection, id;
	uint64_t text; /* the nth of its connection */
	struct str room, cid;
};
void promise_sent(struct promises *p, const struct sent *s);

/* 8: that sending was answered with an error, or acked. `is_given_up`: with `unavailable`, and no
 * later than it should be; `text` is the newest that the gateway had read. */
void promise_sent_in_vain(struct promises *p, const struct sent *s, bool is_given_up);
void promise_sent_well(struct promises *p, const struct sent *s);

/* 8, after the quiet: whether all that was sent stands in its order. */
void promise_order(struct promises *p);
void promises_open_order(struct promises *p);
void promises_close_order(struct promises *p);

/* Epochs: the copy takes the place of the disk; what only that has of the room is gone. */
void promise_gone(struct promises *p, struct str room, struct store_memory *disk,
		  struct store_memory *copy);
bool promises_is_gone(struct promises *p, const struct told *t);
void promise_forgotten(struct promises *p, struct str room, uint64_t seq); /* of by_place, by_cid */
void promises_open_gone(struct promises *p);
void promises_close_gone(struct promises *p);

/* Epochs: something else stands where the person was shown a message, it has some that are gone, or
 * it is told to begin anew. */
void promise_shown_otherwise(struct promises *p, const struct told *t);
void promise_has_what_stands(struct promises *p, const char *person, struct str room, size_t count);
void promise_reset(struct promises *p, const char *person, struct str room);

/* When an older copy took the place of the disk that keeps this room or user; 0: never. */
uint64_t promises_put_back_ms(const struct promises *p, struct str name);

/* Whether nothing stands between the two. */
bool promises_follows(struct promises *p, struct str room, uint64_t last, uint64_t seq);

/* The room's messages on disk behind that seq. */
void promises_read(struct promises *p, struct str room, uint64_t after, store_chat_fn *fn,
		   void *ctx);

/* Whether the disk has it now. */
bool promises_is_stored(struct promises *p, const char *person, struct str room, struct str cid);

/* Where the message of this mark (room, 0, cid) stands; 0: nobody was told of it. */
uint64_t promises_seq(const struct promises *p, struct str mark);

/* The newest seq of the room on disk. */
uint64_t promises_head(struct promises *p, struct str room);

#endif
