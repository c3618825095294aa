// SPDX-License-Identifier: MIT
/* test_gateway_unreadable.c — what historyd cannot read: whoever waits for it is told at once, and
 * who does not need it never notices. */
#include "tests/unit/test_gateway.h"

enum { REPEATED_MS = 1000 }; /* later than a repetition */

static const char join_since[] = "{\"event\":\"userJoin\",\"id\":1,\"data\":{\"username\":\"bob\","
				 "\"room\":\"main\",\"since\":9}}";

/* Answers the newest request about a page. */
static void reject_page(struct fixture *f)
{
	struct bus_event ev;
	size_t last = bus_count(&f->out.read[0], EV_page_ask);
	assert_true(last && bus_find(&f->out.read[0], EV_page_ask, last - 1, &ev));
	bus_put_page(&f->pages.batch, &(struct ev_page){.req = ev.as.page_ask.req,
							.room = STR("main"),
							.status = ERR_UNAVAILABLE});
	send(f, &f->pages);
}

static void test_a_page_that_cannot_be_read_is_told_at_once(void **state)
{
	struct fixture *f = *state;
	join(f, 0, "ann");
	say(f, 0, "{\"event\":\"history\",\"id\":9,\"data\":{\"room\":\"main\",\"before\":2}}");
	reject_page(f);
	assert_string_equal(events(f, 0), "error:unavailable");
	tick(f, REPEATED_MS);
	assert_int_equal(bus_count(&f->out.read[0], EV_page_ask), 0);
	say(f, 0, post);
	store(f, posted(f), 4, STR("ann"));
	assert_string_equal(events(f, 0), "ack");
}

static void test_a_join_of_a_room_that_cannot_be_read_fails_at_once(void **state)
{
	struct fixture *f = *state;
	say(f, 0,
	    "{\"event\":\"userJoin\",\"id\":1,\"data\":{\"username\":\"ann\",\"room\":\"main\"}}");
	reject_page(f);
	assert_string_equal(events(f, 0), "error:unavailable");
	tick(f, REPEATED_MS);
	assert_int_equal(bus_count(&f->out.read[0], EV_page_ask), 0); /* nobody is there */
	join(f, 0, "ann");
}

static void test_a_return_for_what_cannot_be_read_fails_at_once(void **state)
{
	struct fixture *f = *state;
	join(f, 0, "ann");
	say(f, 1, join_since); /* further than the log: historyd knows */
	admit(f, "bob", 0);
	reject_page(f);
	assert_string_equal(events(f, 1), "error:unavailable");
	assert_string_equal(events(f, 0), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST_UNLIMITED(test_a_page_that_cannot_be_read_is_told_at_once),
		TEST_UNLIMITED(test_a_join_of_a_room_that_cannot_be_read_fails_at_once),
		TEST_UNLIMITED(test_a_return_for_what_cannot_be_read_fails_at_once),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
