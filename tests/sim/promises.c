// SPDX-License-Identifier: MIT
/* promises.c — see promises.h. Above each checker stands the sentence of PROTOCOL.md that it
 * checks. */
#include "tests/sim/promises.h"
#include "proto/shard.h"

#include <stdarg.h>
#include <stdio.h>

enum { UNAVAILABLE_MS = 5000, TYPING_SHOWN_MS = 6500 };

/* One message as somebody was told of it. */
struct fact {
	struct str place; /* room, 0, seq: what `by_place` goes by */
	struct str mark;  /* room, 0, cid */
	struct str room, cid;
	uint64_t seq;
};

static struct str place_of(const void *item)
{
	return ((const struct fact *)item)->place;
}

static struct str mark_of(const void *item)
{
	return ((const struct fact *)item)->mark;
}

void promises_open(struct promises *p, struct world *w)
{
	*p = (struct promises){.world = w};
	table_init(&p->by_place, place_of, 1);
	table_init(&p->by_cid, mark_of, 2);
	promises_open_order(p);
	promises_open_gone(p);
}

static void fact_free(struct fact *f)
{
	str_free(&f->place);
	str_free(&f->mark);
	str_free(&f->room);
	str_free(&f->cid);
	mem_free(f);
}

void promises_close(struct promises *p)
{
	struct fact *f;
	TABLE_EACH (&p->by_place, i, f)
		fact_free(f);
	table_free(&p->by_place);
	table_free(&p->by_cid);
	promises_close_order(p);
	promises_close_gone(p);
}

uint64_t promises_seq(const struct promises *p, struct str mark)
{
	const struct fact *f = table_find(&p->by_cid, mark);
	return f ? f->seq : 0;
}

void promise_broken(struct promises *p, const char *fmt, ...)
{
	if (*p->failure)
		return;
	p->failed_ms = p->world->now_ms;
	va_list args;
	va_start(args, fmt);
	vsnprintf(p->failure, sizeof p->failure, fmt, args);
	va_end(args);
	world_tell(p->world, "BROKEN: %s", p->failure);
}

static struct str joined(struct str room, const void *tail, size_t len)
{
	struct buf b = {0};
	buf_str(&b, room);
	buf_append(&b, "", 1);
	buf_append(&b, tail, len);
	return buf_view(&b);
}

static struct store *disk_of(struct promises *p, struct str room)
{
	uint32_t shard = shard_of(room, p->world->historyds);
	return store_memory_store(p->world->historyd[shard].disk);
}

struct lookup {
	struct str cid;
	bool is_there;
};

static bool compare(void *ctx, const struct rec_chat *chat, struct str packed)
{
	(void)packed;
	struct lookup *l = ctx;
	l->is_there = str_equal(chat->cid, l->cid);
	return false;
}

/* 1. "An ack means stored. The message is on disk (fsync of the write-ahead log) before its ack or
 * its delivery leaves." */
static void check_stored(struct promises *p, struct str room, uint64_t seq, struct str cid)
{
	struct store *store = disk_of(p, room);
	struct lookup l = {.cid = cid};
	if (store->chats(store->impl, room, seq - 1, seq + 1, false, compare, &l) != ERR_OK)
		return; /* the disk cannot be read now; it is looked at again at the end */
	if (!l.is_there)
		promise_broken(p,
			       "1, an ack means stored: " STR_FMT " %" PRIu64 " (" STR_FMT
			       ") is not on disk",
			       STR_ARG(room), seq, STR_ARG(cid));
}

/* 2. "One order. All members see a room's messages in seq order": then one seq is one message, for
 * everybody and for ever. That each sees them in that order is checked with 3, below. */
static void check_one_order(struct promises *p, const struct told *t, const struct fact *f)
{
	if (!str_equal(f->cid, t->cid))
		promise_broken(p,
			       "2, one order: " STR_FMT " %" PRIu64 " was " STR_FMT
			       " and is " STR_FMT " for %s",
			       STR_ARG(t->room), t->seq, STR_ARG(f->cid), STR_ARG(t->cid),
			       t->person);
}

/* 3. "… A retry with the same cid is stored once." */
static void check_once(struct promises *p, const struct told *t, const struct fact *same)
{
	if (same->seq != t->seq)
		promise_broken(p,
			       "3, nothing twice: " STR_FMT " in " STR_FMT " stands at %" PRIu64
			       " and at %" PRIu64,
			       STR_ARG(t->cid), STR_ARG(t->room), same->seq, t->seq);
}

void promise_forgotten(struct promises *p, struct str room, uint64_t seq)
{
	struct str place = joined(room, &seq, sizeof seq);
	struct fact *f = table_remove(&p->by_place, place);
	str_free(&place);
	if (!f)
		return;
	if (table_find(&p->by_cid, f->mark) == f)
		table_remove(&p->by_cid, f->mark);
	fact_free(f);
}

void promise_told(struct promises *p, const struct told *t)
{
	struct str place = joined(t->room, &t->seq, sizeof t->seq);
	struct str mark = joined(t->room, t->cid.ptr, t->cid.len);
	const struct fact *there = table_find(&p->by_place, place);
	const struct fact *same = table_find(&p->by_cid, mark);
	p->acked += t->is_ack;
	p->delivered += !t->is_ack;
	/* A gateway that has not heard of it yet may still tell of what is gone. */
	bool is_gone = (!there || !str_equal(there->cid, t->cid)) && promises_is_gone(p, t);
	if (there && !is_gone)
		check_one_order(p, t, there);
	if (same && !is_gone)
		check_once(p, t, same);
	if (there || is_gone) {
		str_free(&place);
		str_free(&mark);
		return;
	}
	check_stored(p, t->room, t->seq, t->cid);
	struct fact *f = mem_alloc(sizeof *f);
	*f = (struct fact){.place = place,
			   .mark = mark,
			   .room = str_copy(t->room),
			   .cid = str_copy(t->cid),
			   .seq = t->seq};
	table_add(&p->by_place, f);
	if (!same)
		table_add(&p->by_cid, f);
}

void promise_ack_in_place(struct promises *p, const char *person, uint64_t id)
{
	promise_broken(p,
		       "2, one order: %s was shown its message %" PRIu64 ", and waits for the ack",
		       person, id);
}

/* 3. "Nothing twice, nothing missing. While connected, and across a reconnect with `since`, every
 * stored message of the room can be had by every member exactly once": each next thing of a room is
 * the next seq. 2. "… on one connection the ack of the own message stands in that order too." */
void promise_nothing_missing(struct promises *p, const char *person, struct str room, uint64_t last,
			     uint64_t seq, const char *what)
{
	if (!promises_follows(p, room, last, seq))
		promise_broken(p,
			       "3, nothing twice, nothing missing: %s in " STR_FMT
			       " gets %s %" PRIu64 " after %" PRIu64,
			       person, STR_ARG(room), what, seq, last);
}

void promise_all_had(struct promises *p, const char *person, struct str room, uint64_t have)
{
	uint64_t head = promises_head(p, room);
	if (have != head)
		promise_broken(p,
			       "3, nothing missing: %s has %" PRIu64 " of %" PRIu64 " in " STR_FMT,
			       person, have, head, STR_ARG(room));
}

void promise_all_kept(struct promises *p)
{
	const struct fact *f;
	TABLE_EACH (&p->by_place, i, f)
		check_stored(p, f->room, f->seq, f->cid);
}

/* 3, for the gateway: it "keeps each one until historyd's commit comes back, and publishes it
 * again", so where only single messages of the bus are lost, no client has to. */
void promise_carried(struct promises *p, const char *person, struct str code)
{
	promise_broken(p, "3, the gateway repeats: %s gets " STR_FMT " for a message", person,
		       STR_ARG(code));
}

/* 4. "Presence tells the truth. It is right within 250 ms in quiet, and within 10 s of any crash of
 * any service; no ghosts." */
void promise_presence(struct promises *p, const char *person, struct str room, const char *other,
		      bool is_seen, bool is_there)
{
	if (is_seen != is_there)
		promise_broken(p, "4, presence tells the truth: %s in " STR_FMT " %s %s", person,
			       STR_ARG(room), is_seen ? "sees the ghost of" : "misses", other);
}

/* 4, for typing: it "ends by itself after 5 s, or with the user's message". */
void promise_typing_ends(struct promises *p, const char *person, const char *other,
			 uint64_t typing_ms)
{
	if (p->world->now_ms > typing_ms + TYPING_SHOWN_MS)
		promise_broken(p, "4, typing ends by itself: %s still sees %s", person, other);
}

/* 5. "Private means private. Only its two users can join, read or write a private room, also after
 * every service was restarted." */
void promise_private(struct promises *p, const char *person, struct str room, const char *did)
{
	promise_broken(p, "5, private means private: %s %s " STR_FMT, person, did, STR_ARG(room));
}

/* 5, for the two: the room is theirs for good, and "kept until it was shown once" is said of the
 * invitation. */
void promise_invitation(struct promises *p, const char *person, struct str room, const char *what)
{
	promise_broken(p, "5, a private room is for its two: %s %s " STR_FMT, person, what,
		       STR_ARG(room));
}

/* 2. Frames: "A frame with an `id` gets exactly one reply that repeats it". */
void promise_one_reply(struct promises *p, const char *person, const char *what, uint64_t id)
{
	promise_broken(p, "exactly one reply: %s, for %s (%" PRIu64 ")", person, what, id);
}

/* 3. Events: what follows a join that is under way "is taken in order". */
void promise_in_turn(struct promises *p, const char *person, const char *what, uint64_t id,
		     const char *before, uint64_t before_id)
{
	promise_broken(p, "in order: %s has %s %" PRIu64 " answered before %s %" PRIu64, person,
		       what, id, before, before_id);
}

void promise_nothing_after_leave(struct promises *p, const char *person, struct str room,
				 struct str event)
{
	promise_broken(p, "left is left: %s is not in " STR_FMT " and gets " STR_FMT, person,
		       STR_ARG(room), STR_ARG(event));
}

/* 6. "Bad input hurts nobody else. It gets a clear error, and the connection stays open unless it
 * is hostile." */
void promise_clear_error(struct promises *p, const char *person, struct str code,
			 const char *expected)
{
	if (!str_equal(code, str_from(expected)))
		promise_broken(p, "6, bad input gets a clear error: %s gets " STR_FMT ", not %s",
			       person, STR_ARG(code), expected);
}

/* 7. "Overload is said, not hidden. … when history is out of reach, `unavailable` after 5 s at the
 * latest, and the message may be sent again with its cid." */
void promise_answered(struct promises *p, const char *person, const char *what, uint64_t ms)
{
	if (ms > UNAVAILABLE_MS)
		promise_broken(p, "7, overload is said: %s waits %" PRIu64 " ms for %s", person, ms,
			       what);
}

static bool last_seq(void *ctx, const struct rec_chat *chat, struct str packed)
{
	(void)packed;
	*(uint64_t *)ctx = chat->seq;
	return false;
}

bool promises_owners(struct promises *p, struct str room, struct str *owner, struct str *guest)
{
	const struct node *n = &p->world->historyd[shard_of(room, p->world->historyds)];
	struct store *store = store_memory_store(n->disk);
	struct store_room facts;
	store_memory_set_unreadable(n->disk, false); /* for us */
	CHECK(store->room(store->impl, room, &facts) == ERR_OK);
	store_memory_set_unreadable(n->disk, p->world->now_ms < n->disk_unreadable_until);
	*owner = facts.owner;
	*guest = facts.guest;
	return facts.owner.len > 0;
}

bool promises_is_stored(struct promises *p, const char *person, struct str room, struct str cid)
{
	const struct node *n = &p->world->historyd[shard_of(room, p->world->historyds)];
	struct store *store = store_memory_store(n->disk);
	uint64_t seq;
	uint64_t time_ms;
	store_memory_set_unreadable(n->disk, false); /* for us */
	CHECK(store->cid(store->impl, room, str_from(person), cid, &seq, &time_ms) == ERR_OK);
	store_memory_set_unreadable(n->disk, p->world->now_ms < n->disk_unreadable_until);
	return seq != 0;
}

uint64_t promises_head(struct promises *p, struct str room)
{
	const struct node *n = &p->world->historyd[shard_of(room, p->world->historyds)];
	struct store *store = store_memory_store(n->disk);
	uint64_t head = 0;
	store_memory_set_unreadable(n->disk, false); /* for us */
	CHECK(store->chats(store->impl, room, 0, 0, true, last_seq, &head) == ERR_OK);
	store_memory_set_unreadable(n->disk, p->world->now_ms < n->disk_unreadable_until);
	return head;
}
