// SPDX-License-Identifier: MIT
/* test_gateway_epochs.h — a room whose historyd has begun new epochs: what the tests of messages
 * (test_gateway_epochs.c) and of pages (test_gateway_epoch_pages.c) share. */
#ifndef PARLOR_TESTS_TEST_GATEWAY_EPOCHS_H
#define PARLOR_TESTS_TEST_GATEWAY_EPOCHS_H

#include "tests/unit/test_gateway.h"

/* Somebody's message, stored. */
static inline void stored(struct fixture *f, uint64_t seq, uint64_t epoch)
{
	bus_put_chat_stored(&f->historyd.batch, &(struct ev_chat_stored){.gateway = ANOTHER_GATEWAY,
									 .room = STR("main"),
									 .seq = seq,
									 .user = STR("eve"),
									 .cid = STR("x"),
									 .body = STR("hi"),
									 .epoch = epoch});
	send(f, &f->historyd);
}

/* The nth of so many pages that are asked for. */
static inline struct ev_page_ask asked_of(struct fixture *f, size_t count, size_t nth)
{
	struct bus_event ev;
	assert_int_equal(bus_count(&f->out.read[0], EV_page_ask), count);
	assert_true(bus_find(&f->out.read[0], EV_page_ask, nth, &ev));
	return ev.as.page_ask;
}

static inline struct ev_page_ask asked(struct fixture *f)
{
	struct ev_page_ask ask = asked_of(f, 1, 0);
	assert_true(ask.may_reset);
	return ask;
}

/* A page of the messages first … last, in a room with these two epochs. */
static inline void respond(struct fixture *f, uint64_t req, bool is_reset, uint64_t first,
			   uint64_t last, struct rec_epoch old, struct rec_epoch new,
			   struct str user)
{
	struct buf records = {0};
	struct buf epochs = {0};
	for (uint64_t seq = first; seq <= last; seq++)
		bus_pack_chat(&records, &(struct rec_chat){.seq = seq,
							   .time = STORED_MS,
							   .user = user,
							   .cid = STR("k"),
							   .body = STR("hi")});
	bus_pack_epoch(&epochs, &old);
	bus_pack_epoch(&epochs, &new);
	bus_put_page(&f->pages.batch,
		     &(struct ev_page){.req = req,
				       .room = STR("main"),
				       .head = last,
				       .reset = is_reset,
				       .messages = {.count = (uint32_t)(last + 1 - first),
						    .packed = buf_view(&records)},
				       .epochs = {.count = 2, .packed = buf_view(&epochs)}});
	send(f, &f->pages);
	buf_free(&records);
	buf_free(&epochs);
}

static const struct rec_epoch seven = {.epoch = 7, .first = 4};

/* Two in a room of three messages, behind which 4 and 5 are of epoch 7. */
static inline void begin_in_seven(struct fixture *f)
{
	join(f, 0, "ann");
	join(f, 1, "bob");
	stored(f, 4, 7);
	assert_string_equal(events(f, 0), "");
	respond(f, asked(f).req, false, 4, 4, seven, (struct rec_epoch){8, 9}, STR("eve"));
	assert_string_equal(events(f, 0), "updateChat");
	stored(f, 5, 7);
	assert_string_equal(events(f, 1), "updateChat");
	assert_int_equal(bus_count(&f->out.read[0], EV_page_ask), 0);
}

#endif
