// SPDX-License-Identifier: MIT
/* test_historyd_threads.c — historyd's two threads at once, over RocksDB and the bus as in service:
 * this one stores, fails and opens again as main.c does, while reader.c answers a gateway's pages.
 *
 * Meant for ThreadSanitizer (tests/tsan/run). With the argument `race` the writing thread changes
 * what the reading one reads, so that one can see whether such a thing is noticed. */
#include "tests/unit/test_store_dir.h"
#include "historyd/reader.h"
#include "tests/support/bus_peer.h"

#include <poll.h>

enum {
	TURNS = 300,
	TURN_POSTS = 4,
	TURN_REQUESTS = 4,
	PENDING_MAX = 64,  /* requests under way; far from what a queue of the bus holds */
	REOPEN_EACH = 60,  /* turns from one opening of the store to the next … */
	BREAK_EACH = 100,  /* … and from one to the next that does not succeed at once */
	CLOSED_TURNS = 10, /* how long it does not */
	PAGE_LIMIT = 50,
	PATIENCE_MS = 10000,
};

static bool is_racing;

struct running {
	struct dir *dir;
	struct store_rocks *rocks;
	struct historyd *core;
	struct historyd_out out;
	struct port *read;
	struct reader *reader;
	struct bus_peer gateway; /* who posts … */
	struct port *pages;      /* … and asks for pages */
	char address[192];
	uint64_t acked; /* the seq of the newest message that was */
	uint64_t asked, answered, unavailable;
};

static struct port *open_port(struct running *s, enum port_kind kind, const struct envelope *self)
{
	char error[256] = "";
	struct port *p = port_open(&(struct port_options){.kind = kind,
							  .listens = kind == PORT_RESPONSE,
							  .address = s->address,
							  .endpoint = ENDPOINT_READ,
							  .label = "read",
							  .self = *self,
							  .whole = historyd_topology(s->core)},
				   error, sizeof error);
	assert_string_equal(error, "");
	return p;
}

static void start(struct running *s)
{
	const struct historyd_options options = {
		.shards = 1, .seed = 1, .epoch = 1, .rooms_max = 10};
	const struct envelope self = {.from = SERVICE_HISTORYD, .epoch = 1};
	s->dir = dir_new();
	s->rocks = dir_must_open(s->dir);
	s->core = historyd_open(&options, store_rocks_store(s->rocks));
	historyd_set_writable(s->core, true);
	snprintf(s->address, sizeof s->address, "ipc://%s/historyd-0", s->dir->path);
	s->gateway.self = (struct envelope){.from = SERVICE_GATEWAY, .id = 1, .epoch = 1};
	s->read = open_port(s, PORT_RESPONSE, &self);
	s->pages = open_port(s, PORT_REQUEST, &s->gateway.self);
	s->reader = reader_start(store_rocks_store(s->rocks), historyd_topology(s->core), s->read);
}

/* The ports are left to the system: see port_close. */
static void stop(struct running *s)
{
	char path[256];
	reader_stop(s->reader);
	historyd_out_free(&s->out);
	historyd_close(s->core);
	store_rocks_close(s->rocks);
	bus_peer_free(&s->gateway);
	assert_true(endpoint_url(s->address, ENDPOINT_READ, path, sizeof path));
	assert_int_equal(unlink(path + strlen("ipc://")), 0);
	dir_free(s->dir);
}

/* ---- the writing thread's turn ---- */

static void post(struct running *s)
{
	const struct bus_source source = {.kind = SERVICE_ANY};
	bus_put_posts_begin(&s->gateway.batch, &(struct ev_posts_begin){0});
	for (uint64_t n = 1; n <= TURN_POSTS; n++) {
		char cid[32];
		snprintf(cid, sizeof cid, "cid-%" PRIu64, s->acked + n);
		bus_put_chat_post(&s->gateway.batch, &(struct ev_chat_post){.req = n,
									    .room = STR("main"),
									    .user = STR("ann"),
									    .cid = str_from(cid),
									    .body = STR("hello")});
	}
	historyd_step(s->core, 1000, 1000, &source, bus_peer_message(&s->gateway));
	historyd_out_reset(&s->out);
	if (historyd_flush(s->core, 1000, &s->out) == ERR_OK)
		s->acked += bus_count(&s->out.down, EV_chat_stored);
}

/* From one that knows another topology: it is noted where the reading thread looks. */
static void post_from_elsewhere(struct running *s)
{
	const struct bus_source source = {.kind = SERVICE_ANY};
	struct bus_peer other = {.self = {.from = SERVICE_GATEWAY, .id = 2, .epoch = 1, .to = 8}};
	bus_put_posts_begin(&other.batch, &(struct ev_posts_begin){0});
	historyd_step(s->core, 1000, 1000, &source, bus_peer_message(&other));
	bus_peer_free(&other);
}

static void look(struct running *s)
{
	struct store_rocks_stats store_stats;
	char error_message[256];
	assert_true(reader_stats(s->reader).pages <= s->asked);
	assert_int_equal(reader_stats(s->reader).bad, 0);
	store_rocks_stats(s->rocks, &store_stats);
	store_rocks_last_error(s->rocks, error_message, sizeof error_message);
	(void)store_rocks_unread(s->rocks);
	assert_true(store_rocks_has_capacity(s->rocks));
	historyd_tick(s->core, 1000);
	if (is_racing)
		store_rocks_store(s->rocks)->epoch++;
}

static enum err reopen(struct running *s)
{
	enum err e = store_rocks_reopen(s->rocks, s->dir->error, sizeof s->dir->error);
	historyd_set_writable(s->core, false);
	historyd_set_writable(s->core, e == ERR_OK);
	return e;
}

/* ---- the gateway that asks for pages ---- */

/* The number of a request is what was acked when it was asked: no answer may show less. */
static void ask(struct running *s)
{
	struct batch question = {0};
	for (unsigned n = 0; n < TURN_REQUESTS && s->asked - s->answered < PENDING_MAX; n++) {
		bus_put_page_ask(&question, &(struct ev_page_ask){.req = s->acked,
								  .room = STR("main"),
								  .after = s->acked / 2,
								  .newest = n % 2,
								  .limit = PAGE_LIMIT});
		assert_true(port_send(s->pages, &question));
		batch_reset(&question);
		s->asked++;
	}
	batch_free(&question);
}

static void check_page(struct running *s, const struct ev_page *page)
{
	if (page->status != ERR_OK) {
		assert_int_equal(err_from_wire(page->status), ERR_UNAVAILABLE);
		s->unavailable++;
		return;
	}
	assert_true(page->head >= page->req);
	for (uint32_t i = 1; i < page->messages.count; i++)
		assert_true(bus_chat_at(&page->messages, i).seq ==
			    bus_chat_at(&page->messages, i - 1).seq + 1);
}

static void take_responses(struct running *s)
{
	struct bus_reader reader;
	struct envelope env;
	struct bus_event ev;
	struct port_message m;
	bus_reader_init(&reader, SERVICE_ANY);
	while (port_receive(s->pages, &m)) {
		assert_true(bus_open(&reader, m.bytes, &env));
		assert_true(bus_next(&reader, &ev) && ev.type == EV_page);
		check_page(s, &ev.as.page);
		s->answered++;
		port_message_free(&m);
	}
	bus_reader_free(&reader);
}

static void take_all_responses(struct running *s)
{
	struct pollfd fd = {.fd = port_fd(s->pages), .events = POLLIN};
	while (s->answered < s->asked) {
		assert_int_equal(poll(&fd, 1, PATIENCE_MS), 1);
		take_responses(s);
	}
}

/* ---- both ---- */

static void turn(struct running *s)
{
	ask(s);
	post(s);
	post_from_elsewhere(s);
	look(s);
	take_responses(s);
}

/* A file stands where the data should: reads fail, and nothing can be stored. */
static void turns_without_a_store(struct running *s)
{
	uint64_t acked = s->acked;
	char aside[256];
	snprintf(aside, sizeof aside, "%s/aside", s->dir->path);
	assert_int_equal(rename(s->dir->data, aside), 0);
	fclose(fopen(s->dir->data, "w"));
	assert_int_equal(reopen(s), ERR_UNAVAILABLE);
	for (unsigned n = 0; n < CLOSED_TURNS; n++)
		turn(s);
	take_all_responses(s);
	assert_true(s->acked == acked);
	assert_int_equal(unlink(s->dir->data), 0);
	assert_int_equal(rename(aside, s->dir->data), 0);
	assert_int_equal(reopen(s), ERR_OK);
}

static void test_pages_beside_posts(void **state)
{
	static struct running s;
	(void)state;
	start(&s);
	for (unsigned n = 1; n <= TURNS; n++) {
		turn(&s);
		if (n % REOPEN_EACH == 0)
			assert_int_equal(reopen(&s), ERR_OK);
		if (n % BREAK_EACH == 0)
			turns_without_a_store(&s);
	}
	take_all_responses(&s);
	assert_true(s.acked == TURNS * TURN_POSTS);
	assert_true(s.unavailable > 0 && s.unavailable < s.asked);
	assert_true(reader_stats(s.reader).pages == s.asked);
	stop(&s);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_pages_beside_posts)};
	is_racing = argc > 1 && strcmp(argv[1], "race") == 0;
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	(void)fflush(NULL);
	_exit(failed); /* as services end: sockets of nng are not closed while others go down */
}
