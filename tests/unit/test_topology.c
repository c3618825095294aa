// SPDX-License-Identifier: MIT
/* test_topology.c — who is believed: envelopes against what a service knows of the whole, and two
 * processes with one id. What the services then do with it is in test_roomd.c and its like. */
#include "proto/link.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
// cmocka wants the three above first
#include <cmocka.h>

static const struct topology gateway = {.kind = SERVICE_GATEWAY,
					.id = 7,
					.roomds = 2,
					.historyds = 3,
					.cluster_len = 1,
					.cluster = "c"};
static const struct bus_source second_historyd = {.kind = SERVICE_HISTORYD, .shard = 1};

static struct envelope of_historyd_1(void)
{
	return (struct envelope){
		.from = SERVICE_HISTORYD, .id = 1, .historyds = 3, .cluster = STR("c")};
}

static enum topology_fault fault_of(struct envelope env)
{
	return topology_check(&gateway, &second_historyd, &env);
}

static void test_who_knows_the_same_fits(void **state)
{
	(void)state;
	struct envelope env = of_historyd_1();
	assert_int_equal(fault_of(env), TOPOLOGY_FITS);
	env.roomds = 2;
	env.to = 8;
	assert_int_equal(fault_of(env), TOPOLOGY_FITS);
}

static void test_who_does_not_say_fits(void **state)
{
	(void)state;
	assert_int_equal(fault_of((struct envelope){.from = SERVICE_HISTORYD, .id = 1}),
			 TOPOLOGY_FITS);
}

static void test_each_difference_is_noticed(void **state)
{
	(void)state;
	struct envelope env = of_historyd_1();
	env.id = 0; /* lists that were swapped */
	assert_int_equal(fault_of(env), TOPOLOGY_WRONG_PLACE);
	env = of_historyd_1();
	env.from = SERVICE_ROOMD;
	assert_int_equal(fault_of(env), TOPOLOGY_WRONG_PLACE);
	env = of_historyd_1();
	env.to = 7; /* another gateway's relay */
	assert_int_equal(fault_of(env), TOPOLOGY_WRONG_TARGET);
	env = of_historyd_1();
	env.historyds = 2; /* a list that is too short */
	assert_int_equal(fault_of(env), TOPOLOGY_WRONG_COUNT);
	env = of_historyd_1();
	env.roomds = 3;
	assert_int_equal(fault_of(env), TOPOLOGY_WRONG_COUNT);
	env = of_historyd_1();
	env.cluster = STR("d");
	assert_int_equal(fault_of(env), TOPOLOGY_WRONG_CLUSTER);
	env.cluster = STR("cc");
	assert_int_equal(fault_of(env), TOPOLOGY_WRONG_CLUSTER);
}

static void test_what_does_not_fit_is_kept_for_the_log(void **state)
{
	(void)state;
	struct topology t = gateway;
	struct buf line = {0};
	char cluster[] = "d\"\n";
	struct envelope env = of_historyd_1();
	env.cluster = str_from(cluster);
	env.historyds = 4;
	assert_int_equal(topology_admit(&t, &second_historyd, &env), TOPOLOGY_WRONG_COUNT);
	memset(cluster, 'x', sizeof cluster - 1); /* the message is gone */
	assert_int_equal(t.misfits, 1);
	topology_print(&t, &line);
	assert_true(
		str_equal(buf_view(&line),
			  STR("why=\"the two know different numbers of shards\" place=historyd-1 "
			      "us=\"gateway-7 roomds=2 historyds=3 cluster=c\" "
			      "them=\"historyd-1 historyds=4 cluster=d\?\?\"")));
	buf_free(&line);
}

static void test_names_have_one_owner(void **state)
{
	(void)state;
	char name[] = "room 0";
	for (char i = '0'; i <= '9'; i++) {
		int owners = 0;
		name[5] = i;
		for (uint64_t shard = 0; shard < 4; shard++)
			owners += topology_owns(4, shard, str_from(name));
		assert_int_equal(owners, 1);
	}
	assert_true(topology_owns(1, 0, STR("any")));
	assert_true(topology_owns(0, 3, STR("any"))); /* nobody knows how many there are */
}

static void test_who_is_told_that_it_is_refused_knows_that_it_is_meant(void **state)
{
	(void)state;
	struct topology t = gateway;
	struct batch batch = {0};
	struct envelope env = {.from = SERVICE_GATEWAY, .id = 7, .epoch = 4};
	topology_reject(&t, &batch, &env, TOPOLOGY_TWIN, 1000);
	topology_reject(&t, &batch, &env, TOPOLOGY_TWIN, 1001); /* too soon */
	assert_int_equal(batch.count, 1);
	const struct ev_refused ev = {
		.kind = SERVICE_GATEWAY, .id = 7, .epoch = 4, .fault = TOPOLOGY_TWIN};
	assert_true(topology_is_rejected(&t, 4, &ev));
	assert_false(topology_is_rejected(&t, 5, &ev)); /* an earlier life, or the twin */
	batch_free(&batch);
}

/* ---- two processes with one id ---- */

static bool says(struct link *l, uint64_t epoch, uint64_t seq, uint32_t pipe, uint64_t now_ms)
{
	const struct envelope env = {.from = SERVICE_GATEWAY, .id = 7, .epoch = epoch, .seq = seq};
	return link_admits(l, &env, pipe, now_ms) && link_receive(l, &env, now_ms) != LINK_STALE;
}

static void test_who_was_first_stays_while_it_is_heard(void **state)
{
	(void)state;
	struct link l = {0};
	assert_true(says(&l, 1, 1, 10, 1000));
	assert_false(says(&l, 2, 1, 20, 1001));
	assert_true(says(&l, 1, 2, 10, 2000));
	assert_false(says(&l, 2, 2, 20, 6999));
	assert_true(says(&l, 2, 3, 20, 7000)); /* the first one's lease is over */
	assert_false(says(&l, 1, 3, 10, 7001));
}

static void test_who_comes_after_it_died_is_taken_at_once(void **state)
{
	(void)state;
	struct link l = {0};
	assert_true(says(&l, 1, 1, 10, 1000));
	link_pipe_closed(&l, 11); /* somebody else's */
	assert_false(says(&l, 2, 1, 20, 1001));
	link_pipe_closed(&l, 10);
	assert_true(says(&l, 1, 2, 10, 1001)); /* it was on its way */
	assert_true(says(&l, 2, 2, 20, 1002));
	assert_false(says(&l, 1, 3, 10, 1003));
}

static void test_the_same_one_may_connect_anew(void **state)
{
	(void)state;
	struct link l = {0};
	assert_true(says(&l, 1, 1, 10, 1000));
	assert_true(says(&l, 1, 2, 11, 1001));
	link_pipe_closed(&l, 10);
	assert_false(says(&l, 2, 1, 20, 1002));
	link_pipe_closed(&l, 11);
	assert_true(says(&l, 1, 3, 12, 1003));
	assert_false(says(&l, 2, 2, 20, 1004));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_who_knows_the_same_fits),
		cmocka_unit_test(test_who_does_not_say_fits),
		cmocka_unit_test(test_each_difference_is_noticed),
		cmocka_unit_test(test_what_does_not_fit_is_kept_for_the_log),
		cmocka_unit_test(test_names_have_one_owner),
		cmocka_unit_test(test_who_is_told_that_it_is_refused_knows_that_it_is_meant),
		cmocka_unit_test(test_who_was_first_stays_while_it_is_heard),
		cmocka_unit_test(test_who_comes_after_it_died_is_taken_at_once),
		cmocka_unit_test(test_the_same_one_may_connect_anew),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
