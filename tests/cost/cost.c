// SPDX-License-Identifier: MIT
/* cost.c — plays a fixed script of clients against the three cores, so that its instructions can be
 * counted: `cost SCRIPT COUNT`. Prints how many operations that were, and ends with 1 when what was
 * to be measured has not happened exactly. Whatever does not grow with COUNT drops out when `run`
 * subtracts; so all that clients say is written before the first operation. */
#include "tests/cost/speaker.h"

#include <stdio.h>
#include <stdlib.h>

enum {
	CROWD = 1000, /* in the one room of `delivery`, `coalesced` and `socketio` */
	WRITERS = 200,
	READERS = 20,
	ROOMS = 50,
	ROOM_MEMBERS = 10,
	ROOM_HISTORY = 20,
	LONG_HISTORY = 200,
	PAGE = 50,
	AT_ONCE = 10,     /* messages or joins of one turn, where there are several */
	SETTLE_TURNS = 5, /* until all answers have come */
	LIST_MS = 250,    /* between two lists of a room's members */
	COUNT_MAX = 500,  /* so that nobody is silent long enough for a ping */
};

struct cost;
struct script {
	const char *name;
	void (*prepare)(struct cost *c);
	void (*operate)(struct cost *c);
	uint64_t (*check)(struct cost *c); /* returns how many operations it was */
	/* Of those that are about messages. */
	enum wire wire;
	bool is_one_room;        /* or each speaker has one of their own */
	uint64_t speakers, each; /* messages a turn */
};

struct cost {
	const struct script *script;
	struct world world;
	struct speaker *speakers;
	size_t speaker_count;
	uint64_t count; /* of turns, joins or pages */
	uint64_t said;  /* messages in all */
	bool has_failed;
	/* When the operations began. */
	struct gateway_stats before;
	uint64_t sends, frames, bytes;
};

/* ---- who is there ---- */

static void speakers_make(struct cost *c, size_t count)
{
	c->speakers = mem_alloc(count * sizeof *c->speakers);
	c->speaker_count = count;
}

static void speakers_connect(struct cost *c, size_t count, enum wire wire)
{
	speakers_make(c, count);
	for (size_t i = 0; i < count; i++)
		person_connect(&c->world, &c->speakers[i].person, wire);
}

static void speakers_free(struct cost *c)
{
	for (size_t i = 0; i < c->speaker_count; i++)
		buf_free(&c->speakers[i].text);
	mem_free(c->speakers);
}

/* Until everybody has heard all that there is to hear. */
static void settle(struct cost *c)
{
	world_turns(&c->world, SETTLE_TURNS);
	c->world.now_ms += LIST_MS;
	world_turn(&c->world);
}

/* Everybody joins, each a room of their own or all the same one, and has something to write. */
static void speakers_join(struct cost *c, bool is_one_room)
{
	for (size_t i = 0; i < c->speaker_count; i++) {
		speaker_plan_join(&c->speakers[i], i, is_one_room ? 0 : i);
		speaker_say(&c->speakers[i]);
		speaker_plan_message(&c->speakers[i], is_one_room ? 0 : i);
	}
	settle(c);
}

/* Each room gets its history from its first writer, who leaves. */
static void write_histories(struct cost *c, size_t rooms, size_t messages)
{
	speakers_connect(c, rooms, WIRE_NATIVE);
	speakers_join(c, false);
	for (size_t i = 0; i < messages; i++) {
		for (size_t room = 0; room < rooms; room++)
			speaker_say_new(&c->speakers[room], ++c->said);
		world_turn(&c->world);
	}
	settle(c);
	for (size_t room = 0; room < rooms; room++)
		person_leave(&c->speakers[room].person);
	settle(c);
	speakers_free(c);
}

static struct speaker *speaker_at(const struct cost *c, uint64_t step)
{
	return &c->speakers[step % c->speaker_count];
}

/* ---- what has happened ---- */

static void expect(struct cost *c, const char *what, uint64_t is, uint64_t wanted)
{
	if (is == wanted)
		return;
	fprintf(stderr, "cost: %s: %" PRIu64 ", not %" PRIu64 "\n", what, is, wanted);
	c->has_failed = true;
}

static void expect_stats(struct cost *c, uint64_t joins, uint64_t acks, uint64_t deliveries,
			 uint64_t pages)
{
	const struct gateway_stats *now = gateway_stats(c->world.gateway);
	expect(c, "joins", now->joins_total - c->before.joins_total, joins);
	expect(c, "acks", now->acks_total - c->before.acks_total, acks);
	expect(c, "deliveries", now->deliveries_total - c->before.deliveries_total, deliveries);
	expect(c, "pages", now->pages_total - c->before.pages_total, pages);
	expect(c, "errors", now->errors_total + now->bus_bad_total + now->bus_gaps_total, 0);
	expect(c, "retries", now->posts_retried_total, 0);
}

static void expect_sent(struct cost *c, uint64_t sends, uint64_t frames, uint64_t bytes_min)
{
	expect(c, "sends", c->world.sends - c->sends, sends);
	expect(c, "frames", c->world.frames - c->frames, frames);
	expect(c, "has sent bytes enough", c->world.bytes - c->bytes >= bytes_min, true);
}

/* ---- messages: to a crowd, or into the history of a room that has nobody else in it ---- */

static void prepare_messages(struct cost *c)
{
	speakers_connect(c, c->script->speakers, c->script->wire);
	speakers_join(c, c->script->is_one_room);
	for (size_t i = 0; i < (c->script->is_one_room ? 1 : c->speaker_count); i++)
		c->speakers[i].person.is_witness = true;
}

static void operate_messages(struct cost *c)
{
	for (uint64_t turn = 0; turn < c->count; turn++) {
		for (uint64_t i = 0; i < c->script->each; i++)
			speaker_say_new(speaker_at(c, turn * c->script->each + i), ++c->said);
		world_turn(&c->world);
	}
}

static uint64_t check_messages(struct cost *c)
{
	const struct script *s = c->script;
	uint64_t messages = c->count * s->each;
	uint64_t deliveries = s->is_one_room ? messages * (s->speakers - 1) : 0;
	/* What one reader gets in a turn leaves in one piece. */
	uint64_t sends = s->is_one_room ? c->count * s->speakers : messages;
	expect_stats(c, 0, messages, deliveries, 0);
	/* Whoever is in a room gets each message or its ack. */
	expect_sent(c, sends, messages, deliveries * BODY_BYTES);
	return s->is_one_room ? deliveries : messages;
}

/* ---- joins: rooms fill up from nobody to ROOM_MEMBERS, AT_ONCE rooms side by side, so that each
 * join is told to all that are there ---- */

static void prepare_joins(struct cost *c)
{
	write_histories(c, ROOMS, ROOM_HISTORY);
	speakers_make(c, (size_t)ROOMS * ROOM_MEMBERS);
	for (size_t i = 0; i < c->speaker_count; i++)
		speaker_plan_join(&c->speakers[i], i,
				  i / (AT_ONCE * ROOM_MEMBERS) * AT_ONCE + i % AT_ONCE);
}

static void operate_joins(struct cost *c)
{
	for (uint64_t i = 0; i < c->count; i++) {
		struct speaker *s = speaker_at(c, i);
		person_connect(&c->world, &s->person, WIRE_NATIVE);
		s->person.is_witness = true;
		speaker_say(s);
		if (i % AT_ONCE == AT_ONCE - 1)
			settle(c);
	}
}

/* COUNT fills AT_ONCE rooms, or twice as many, and so on. Whoever joins gets ack, list and history;
 * the others userJoin and the list. */
static uint64_t check_joins(struct cost *c)
{
	const uint64_t members = ROOM_MEMBERS;
	uint64_t rooms = c->count / members;
	uint64_t told = members * (members - 1) / 2;
	uint64_t sends = members * (members + 1) / 2;
	expect_stats(c, c->count, 0, 0, rooms);
	expect_sent(c, rooms * sends, rooms * (3 * members + 2 * told),
		    c->count * ROOM_HISTORY * BODY_BYTES);
	return c->count;
}

/* ---- pages of history ---- */

static void prepare_pages(struct cost *c)
{
	write_histories(c, 1, LONG_HISTORY);
	speakers_connect(c, READERS, WIRE_NATIVE);
	speakers_join(c, true);
	for (size_t i = 0; i < c->speaker_count; i++) {
		c->speakers[i].person.is_witness = true;
		speaker_plan_history(&c->speakers[i], 0, LONG_HISTORY / 2, PAGE);
	}
}

static void operate_pages(struct cost *c)
{
	for (uint64_t i = 0; i < c->count; i++) {
		speaker_say(speaker_at(c, i));
		world_turn(&c->world);
	}
}

static uint64_t check_pages(struct cost *c)
{
	expect_stats(c, 0, 0, 0, c->count);
	expect_sent(c, c->count, c->count, c->count * PAGE * BODY_BYTES);
	return c->count;
}

/* ---- all scripts ---- */

#define MESSAGES .prepare = prepare_messages, .operate = operate_messages, .check = check_messages

static const struct script scripts[] = {
	{"delivery", MESSAGES, .is_one_room = true, .speakers = CROWD, .each = 1},
	{"coalesced", MESSAGES, .is_one_room = true, .speakers = CROWD, .each = AT_ONCE},
	{"socketio", MESSAGES, .wire = WIRE_SOCKETIO, .is_one_room = true, .speakers = CROWD,
	 .each = 1},
	{"inbound", MESSAGES, .speakers = WRITERS, .each = AT_ONCE},
	{"join", .prepare = prepare_joins, .operate = operate_joins, .check = check_joins},
	{"history", .prepare = prepare_pages, .operate = operate_pages, .check = check_pages},
};

/* A function of its own, so that `run --where` can have valgrind look at what it calls alone. */
__attribute__((noinline)) static void measure(struct cost *c)
{
	c->before = *gateway_stats(c->world.gateway);
	c->sends = c->world.sends;
	c->frames = c->world.frames;
	c->bytes = c->world.bytes;
	c->script->operate(c);
	settle(c);
}

int main(int argc, char **argv)
{
	static struct cost c;
	for (size_t i = 0; i < ARRAY_LEN(scripts) && argc == 3; i++)
		if (strcmp(argv[1], scripts[i].name) == 0)
			c.script = &scripts[i];
	c.count = argc == 3 ? strtoull(argv[2], NULL, 10) : 0;
	if (!c.script || c.count == 0 || c.count > COUNT_MAX) {
		fprintf(stderr, "usage: cost SCRIPT COUNT (at most %d)\n", COUNT_MAX);
		return 2;
	}
	world_open(&c.world);
	c.script->prepare(&c);
	measure(&c);
	printf("%" PRIu64 "\n", c.script->check(&c));
	world_close(&c.world);
	speakers_free(&c);
	return c.has_failed;
}
