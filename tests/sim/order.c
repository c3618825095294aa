// SPDX-License-Identifier: MIT
/* order.c — the checker of promise 8, which needs to know what people have sent: see promises.h.
 *
 * 8. "A sender's own order. What one connection sends into one room is stored in the order in which
 * it was sent … What is sent again counts as sent then." So each message stands behind all that its
 * connection had sent into the room before it, but for those which got an error, or were sent again
 * later. */
#include "tests/sim/promises.h"

/* One message, wherever it was sent. */
struct message {
	struct str mark;         /* room, 0, cid */
	uint64_t connection, id; /* where it was sent last */
};

struct sending {
	const struct message *message;
	uint64_t id, text, sent_ms;
	bool is_first, is_failed;
	bool is_to_fail; /* one before it was given up */
};

/* What one connection sends into one room. */
struct lane {
	struct str key; /* connection, room */
	uint64_t connection;
	struct sending *sendings;
	size_t count, cap;
};

static struct str key_of(const void *item)
{
	return ((const struct lane *)item)->key;
}

static struct str mark_of(const void *item)
{
	return ((const struct message *)item)->mark;
}

void promises_open_order(struct promises *p)
{
	table_init(&p->lanes, key_of, 3);
	table_init(&p->messages, mark_of, 4);
}

void promises_close_order(struct promises *p)
{
	struct lane *lane;
	struct message *message;
	TABLE_EACH (&p->lanes, i, lane) {
		str_free(&lane->key);
		mem_free(lane->sendings);
		mem_free(lane);
	}
	TABLE_EACH (&p->messages, i, message) {
		str_free(&message->mark);
		mem_free(message);
	}
	table_free(&p->lanes);
	table_free(&p->messages);
}

static struct str joined(struct str a, struct str b)
{
	struct buf both = {0};
	buf_str(&both, a);
	buf_append(&both, "", 1);
	buf_str(&both, b);
	return buf_view(&both);
}

/* The item of this key, which is taken over; `*is_new` when it was made. */
static void *find_or_add(struct table *t, struct str key, size_t bytes, bool *is_new)
{
	void *item = table_find(t, key);
	*is_new = !item;
	if (item) {
		str_free(&key);
		return item;
	}
	item = mem_alloc(bytes);
	*(struct str *)item = key; /* both begin with it */
	table_add(t, item);
	return item;
}

static struct lane *lane_of(struct promises *p, uint64_t connection, struct str room)
{
	bool is_new;
	struct str number = str_of((const char *)&connection, sizeof connection);
	struct lane *lane = find_or_add(&p->lanes, joined(number, room), sizeof *lane, &is_new);
	lane->connection = connection;
	return lane;
}

void promise_sent(struct promises *p, const struct sent *s)
{
	struct lane *lane = lane_of(p, s->connection, s->room);
	struct sending sending = {.id = s->id, .text = s->text, .sent_ms = p->world->now_ms};
	struct message *message = find_or_add(&p->messages, joined(s->room, s->cid),
					      sizeof *message, &sending.is_first);
	message->connection = s->connection;
	message->id = s->id;
	sending.message = message;
	if (lane->count == lane->cap) {
		lane->cap = lane->cap ? lane->cap * 2 : 8;
		lane->sendings = mem_resize(lane->sendings, lane->cap * sizeof *lane->sendings);
	}
	lane->sendings[lane->count++] = sending;
}

static struct str cid_of(const struct message *message)
{
	size_t room_len = strlen(message->mark.ptr);
	return str_of(message->mark.ptr + room_len + 1, message->mark.len - room_len - 1);
}

static struct sending *find_sending(struct lane *lane, uint64_t id)
{
	size_t at = lane->count;
	do
		CHECK(at > 0);
	while (lane->sendings[--at].id != id);
	return &lane->sendings[at];
}

/* "When one is given up, so are those which came from the connection into the room after it
 * and are not stored yet." */
static void expect_given_up(struct promises *p, const struct sent *s, struct lane *lane)
{
	struct sending *end = lane->sendings + lane->count;
	struct sending *given_up = find_sending(lane, s->id);
	/* It may be only the ack that could not be sent. */
	if (promises_is_stored(p, s->person, s->room, cid_of(given_up->message)) ||
	    promises_put_back_ms(p, s->room) >= given_up->sent_ms)
		return;
	for (struct sending *at = given_up + 1; at < end; at++)
		if (at->text <= s->text &&
		    !promises_is_stored(p, s->person, s->room, cid_of(at->message)))
			at->is_to_fail = true;
}

void promise_sent_in_vain(struct promises *p, const struct sent *s, bool is_given_up)
{
	struct lane *lane = lane_of(p, s->connection, s->room);
	find_sending(lane, s->id)->is_failed = true;
	if (is_given_up)
		expect_given_up(p, s, lane);
}

void promise_sent_well(struct promises *p, const struct sent *s)
{
	const struct sending *sending = find_sending(lane_of(p, s->connection, s->room), s->id);
	if (sending->is_to_fail)
		promise_broken(p,
			       "8, a sender's own order: " STR_FMT " of %s in " STR_FMT
			       " is acked, and one before it was given up",
			       STR_ARG(cid_of(sending->message)), s->person, STR_ARG(s->room));
}

static void check_lane(struct promises *p, const struct lane *lane)
{
	const struct message *before = NULL; /* the one that stands last so far … */
	uint64_t last = 0;                   /* … and where */
	for (size_t i = 0; i < lane->count; i++) {
		const struct message *m = lane->sendings[i].message;
		uint64_t seq = promises_seq(p, m->mark);
		if (lane->sendings[i].is_first && seq && seq < last)
			promise_broken(p,
				       "8, a sender's own order: %s has " STR_FMT " at %" PRIu64
				       " and " STR_FMT ", which was sent before it, at %" PRIu64,
				       m->mark.ptr, STR_ARG(cid_of(m)), seq,
				       STR_ARG(cid_of(before)), last);
		bool is_last = m->connection == lane->connection && m->id == lane->sendings[i].id;
		/* What an older copy has lost may be stored once more, later, by a gateway that
		 * had not heard of the first time. */
		bool is_lost =
			lane->sendings[i].sent_ms <= promises_put_back_ms(p, str_from(m->mark.ptr));
		if (lane->sendings[i].is_failed || !is_last || seq <= last || is_lost)
			continue;
		last = seq;
		before = m;
	}
}

void promise_order(struct promises *p)
{
	const struct lane *lane;
	TABLE_EACH (&p->lanes, i, lane)
		check_lane(p, lane);
}
