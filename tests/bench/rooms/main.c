// SPDX-License-Identifier: MIT
/* main.c — bench-rooms: whether historyd minds how many rooms there are. Its core and its store on
 * disk, as historyd's shell drives them (a turn: up to 256 posts, one commit with fsync), without
 * the bus: fills so many rooms, then writes into random rooms and reads pages of random rooms.
 *
 * To be run twice, with the same number of messages in many rooms and in few. */
#include "historyd/historyd.h"
#include "historyd/store/rocks.h"
#include "proto/shell/options.h"
#include "tests/support/bus_peer.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

#define PROGRAM "bench-rooms"

enum { TURN = 256, BODY = 128, NAME_MAX_BYTES = 32 };

struct options {
	const char *data;
	uint64_t rooms, messages, writes, reads, page, rooms_max;
};

#define OPTION(option, kind, member) OPTION_ROW(option, kind, struct options, member)

static const struct option_row option_rows[] = {
	{OPTION("data", TEXT, data), .help = "a directory that does not exist"},
	{OPTION("rooms", NUMBER, rooms), .fallback = "1000", .min = 1, .max = 100000000,
	 .help = "rooms"},
	{OPTION("messages", NUMBER, messages), .fallback = "1000000", .min = 1, .max = 1000000000,
	 .help = "in all rooms together, before the measurement"},
	{OPTION("writes", NUMBER, writes), .fallback = "100000", .min = TURN, .max = 100000000,
	 .help = "messages to measure"},
	{OPTION("reads", NUMBER, reads), .fallback = "20000", .min = 1, .max = 100000000,
	 .help = "pages to measure"},
	{OPTION("page", NUMBER, page), .fallback = "5", .min = 1, .max = 200,
	 .help = "messages in a page"},
	{OPTION("rooms-max", NUMBER, rooms_max), .fallback = "1000000", .min = 1, .max = UINT32_MAX,
	 .help = "rooms kept in memory, as historyd has it"},
};

struct bench {
	struct options o;
	struct store_rocks *store;
	struct historyd *core;
	struct historyd_out out;
	struct bus_peer gateway;
	uint64_t posted;
};

struct times {
	uint64_t wall_ns;
	double cpu_s;
};

static struct times now(void)
{
	struct timespec t;
	struct rusage u;
	clock_gettime(CLOCK_MONOTONIC, &t);
	getrusage(RUSAGE_SELF, &u);
	return (struct times){(uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec,
			      (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
				      (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6};
}

static struct str room_name(char *name, uint64_t number)
{
	return str_of(name, (size_t)snprintf(name, NAME_MAX_BYTES, "room-%" PRIu64, number));
}

static void post(struct bench *b, uint64_t room)
{
	static char body[BODY];
	char name[NAME_MAX_BYTES], cid[NAME_MAX_BYTES];
	memset(body, 'x', sizeof body);
	snprintf(body, sizeof body, "message %" PRIu64 " of a conversation: %ld", b->posted,
		 mrand48());
	const struct ev_chat_post ev = {
		.req = ++b->posted,
		.room = room_name(name, room),
		.user = STR("someone"),
		.cid = str_of(cid, (size_t)snprintf(cid, sizeof cid, "cid-%" PRIu64, b->posted)),
		.body = str_of(body, sizeof body),
	};
	bus_put_chat_post(&b->gateway.batch, &ev);
}

/* A turn of historyd. */
static void commit(struct bench *b)
{
	historyd_step(b->core, b->posted, b->posted, &(struct bus_source){.kind = SERVICE_ANY},
		      bus_peer_message(&b->gateway));
	CHECK(historyd_flush(b->core, b->posted, &b->out) == ERR_OK);
	historyd_out_reset(&b->out);
}

/* Room after room once, then again: as far apart on disk as chat puts them. */
static void fill(struct bench *b)
{
	for (uint64_t i = 0; i < b->o.messages; i++) {
		post(b, i % b->o.rooms);
		if (b->gateway.batch.bytes.len > 1 << 19 || i + 1 == b->o.messages)
			commit(b);
	}
}

static void write_random(struct bench *b)
{
	for (uint64_t i = 0; i < b->o.writes; i++) {
		post(b, (uint64_t)lrand48() % b->o.rooms);
		if (i % TURN == TURN - 1 || i + 1 == b->o.writes)
			commit(b);
	}
}

static void read_random(struct bench *b)
{
	static struct bus_reader reader;
	static struct batch responses;
	struct bus_peer requester = {.self = {.from = SERVICE_GATEWAY, .epoch = 1},
				     .is_answering = true};
	char name[NAME_MAX_BYTES];
	bus_reader_init(&reader, SERVICE_ANY);
	for (uint64_t i = 0; i < b->o.reads; i++) {
		const struct ev_page_ask ask = {
			.req = i,
			.room = room_name(name, (uint64_t)lrand48() % b->o.rooms),
			.limit = b->o.page,
			.newest = 1};
		bus_put_page_ask(&requester.batch, &ask);
		CHECK(historyd_read(store_rocks_store(b->store), historyd_topology(b->core),
				    &reader, bus_peer_message(&requester), &responses));
		CHECK(responses.bytes.len > b->o.page * BODY); /* every page is full */
		batch_reset(&responses);
	}
	bus_peer_free(&requester);
	batch_free(&responses);
	bus_reader_free(&reader);
}

/* Runs a part and prints what one of its `count` things took. */
static void measure(const char *what, struct bench *b, void (*part)(struct bench *), uint64_t count)
{
	struct times from = now();
	part(b);
	struct times to = now();
	printf(",\"%s_us\":%.3f,\"%s_cpu_us\":%.3f", what,
	       (double)(to.wall_ns - from.wall_ns) / 1e3 / (double)count, what,
	       (to.cpu_s - from.cpu_s) * 1e6 / (double)count);
	fflush(stdout);
}

int main(int argc, char **argv)
{
	static const struct program program = {PROGRAM, "historyd with many rooms or few",
					       option_rows, ARRAY_LEN(option_rows), NULL};
	static struct bench b = {.gateway = {.self = {.from = SERVICE_GATEWAY, .epoch = 1}}};
	char error[512];
	options_load(&program, argc, argv, &b.o);
	if (b.o.messages / b.o.rooms < b.o.page)
		fail_usage(PROGRAM,
			   "a room must hold a page: --messages / --rooms is less than --page");
	const struct store_rocks_options so = {.data_dir = b.o.data, .shards = 1};
	b.store = store_rocks_open(&so, error, sizeof error);
	if (!b.store)
		fail_system(PROGRAM, "%s", error);
	const struct historyd_options ho = {.seed = 1, .rooms_max = (uint32_t)b.o.rooms_max};
	b.core = historyd_open(&ho, store_rocks_store(b.store));
	historyd_set_writable(b.core, true);
	bus_put_posts_begin(&b.gateway.batch, &(struct ev_posts_begin){0});

	printf("{\"rooms\":%" PRIu64 ",\"messages\":%" PRIu64 ",\"page\":%" PRIu64, b.o.rooms,
	       b.o.messages, b.o.page);
	measure("fill", &b, fill, b.o.messages);
	measure("write", &b, write_random, b.o.writes);
	measure("read", &b, read_random, b.o.reads);
	struct historyd_stats stats;
	historyd_stats(b.core, &stats);
	CHECK(stats.messages_stored_total == b.posted);
	printf(",\"stored\":%" PRIu64 "}\n", stats.messages_stored_total);

	historyd_out_free(&b.out);
	historyd_close(b.core);
	store_rocks_close(b.store);
	bus_peer_free(&b.gateway);
	return 0;
}
