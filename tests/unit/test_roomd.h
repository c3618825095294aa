// SPDX-License-Identifier: MIT
/* test_roomd.h — what the tests of roomd's core share: a roomd whose two gateways and historyd are
 * the test. Its invariants are checked after each step. */
#ifndef PARLOR_TESTS_TEST_ROOMD_H
#define PARLOR_TESTS_TEST_ROOMD_H

#include "proto/link.h"
#include "roomd/roomd.h"
#include "tests/support/bus_peer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
// cmocka wants the three above first
#include <cmocka.h>

#define ROOM STR("den")
#define ANN STR("ann")
#define BOB STR("bob")
#define EVE STR("eve")
#define KEY STR("0123456789abcdef")

enum {
	GATEWAYS = 2,
	PEER_EPOCH = 1,
	SEED = 1,
	START_MS = 1000,
	SECOND_MS = 1000,

	/* As roomd/state.h has them. */
	SETTLE_MS = 1500,
	TYPING_MS = 5000,
	QUESTION_MS = 1000,
	ANNOUNCE_AGAIN_MS = 5000,
	RESERVED_MS = 60000,
};

struct fixture {
	struct roomd *roomd;
	struct roomd_out out;
	struct bus_peer gateway[GATEWAYS], historyd;
	uint64_t now_ms;
};

static inline void send(struct fixture *f, struct bus_peer *from)
{
	roomd_out_reset(&f->out);
	struct bus_source source = bus_peer_source(from);
	if (from->self.from == SERVICE_GATEWAY)
		source = (struct bus_source){.kind = SERVICE_ANY};
	roomd_step(f->roomd, f->now_ms, &source, bus_peer_message(from), &f->out);
	roomd_check(f->roomd);
}

static inline void tick(struct fixture *f, uint64_t ms)
{
	roomd_out_reset(&f->out);
	f->now_ms += ms;
	roomd_tick(f->roomd, f->now_ms, &f->out);
	roomd_check(f->roomd);
}

/* The gateway says that nobody is there, or whoever was put into its batch before. */
static inline void say_members(struct fixture *f, struct bus_peer *g)
{
	struct bus_event ask;
	assert_true(bus_find(&f->out.down, EV_members_ask, 0, &ask));
	assert_int_equal(ask.as.members_ask.gateway, g->self.id);
	bus_put_members_end(&g->batch, &(struct ev_members_end){.round = ask.as.members_ask.round});
	send(f, g);
}

static inline int open_roomd(void **state)
{
	struct fixture *f = mem_alloc(sizeof *f);
	f->now_ms = START_MS;
	f->roomd =
		roomd_open(&(struct roomd_options){.historyd_shards = 1, .seed = SEED}, f->now_ms);
	for (uint64_t i = 0; i < GATEWAYS; i++)
		f->gateway[i].self =
			(struct envelope){.from = SERVICE_GATEWAY, .id = i, .epoch = PEER_EPOCH};
	f->historyd.self = (struct envelope){.from = SERVICE_HISTORYD, .epoch = PEER_EPOCH};
	f->historyd.is_answering = true;
	for (size_t i = 0; i < GATEWAYS; i++) {
		send(f, &f->gateway[i]);
		say_members(f, &f->gateway[i]);
	}
	tick(f, SETTLE_MS);
	*state = f;
	return 0;
}

static inline int close_roomd(void **state)
{
	struct fixture *f = *state;
	roomd_close(f->roomd);
	roomd_out_free(&f->out);
	for (size_t i = 0; i < GATEWAYS; i++)
		bus_peer_free(&f->gateway[i]);
	bus_peer_free(&f->historyd);
	mem_free(f);
	return 0;
}

static inline void join(struct fixture *f, size_t g, struct str user)
{
	bus_put_join(&f->gateway[g].batch, &(struct ev_join){.room = ROOM, .user = user});
	send(f, &f->gateway[g]);
}

/* The n-th request of this type to historyd, without those about no room: signs of life. */
static inline bool asked(const struct fixture *f, enum ev_type type, size_t n,
			 struct bus_event *ask)
{
	for (size_t i = 0; bus_find(&f->out.ask[0], type, i, ask); i++)
		if ((type != EV_room_ask || ask->as.room_ask.room.len) && n-- == 0)
			return true;
	return false;
}

static inline size_t count_asked(const struct fixture *f, enum ev_type type)
{
	struct bus_event ask;
	size_t count = 0;
	while (asked(f, type, count, &ask))
		count++;
	return count;
}

/* Answers the room_ask that is in the outbox. */
static inline void give_facts(struct fixture *f, struct str owner, struct str guest)
{
	struct bus_event ask;
	assert_true(asked(f, EV_room_ask, 0, &ask));
	bus_put_room_facts(&f->historyd.batch, &(struct ev_room_facts){.req = ask.as.room_ask.req,
								       .room = ROOM,
								       .owner = owner,
								       .guest = guest});
	send(f, &f->historyd);
}

static inline enum err join_status(const struct fixture *f, size_t n)
{
	struct bus_event ev;
	assert_true(bus_find(&f->out.down, EV_join_answer, n, &ev));
	return (enum err)ev.as.join_answer.status;
}

static inline void join_public(struct fixture *f, size_t g, struct str user)
{
	join(f, g, user);
	if (count_asked(f, EV_room_ask))
		give_facts(f, STR(""), STR(""));
	assert_int_equal(join_status(f, 0), ERR_OK);
}

static inline enum err claim(struct fixture *f, size_t g, struct str user, struct str key)
{
	struct bus_event ev;
	bus_put_claim(&f->gateway[g].batch, &(struct ev_claim){.user = user, .key = key});
	send(f, &f->gateway[g]);
	assert_true(bus_find(&f->out.down, EV_claim_answer, 0, &ev));
	assert_int_equal(ev.as.claim_answer.gateway, g);
	return (enum err)ev.as.claim_answer.status;
}

static inline void release(struct fixture *f, size_t g, struct str user)
{
	bus_put_release(&f->gateway[g].batch, &(struct ev_release){.user = user});
	send(f, &f->gateway[g]);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_roomd, close_roomd)

#endif
