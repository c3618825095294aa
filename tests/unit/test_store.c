// SPDX-License-Identifier: MIT
/* test_store.c — what every store promises (store.h), asked of the one in memory and of RocksDB
 * alike. */
#include "tests/unit/test_store_dir.h"
#include "tests/support/store_memory.h"

/* The store under test; exactly one of the two is there. */
struct subject {
	struct store *store;
	struct store_memory *memory;
	struct store_rocks *rocks;
	struct dir *dir;
	struct buf seen; /* what the last reading gave */
};

static struct subject subject_new(bool is_rocks)
{
	struct subject s = {0};
	if (is_rocks) {
		s.dir = dir_new();
		s.rocks = dir_must_open(s.dir);
		s.store = store_rocks_store(s.rocks);
	} else {
		s.memory = store_memory_open();
		s.store = store_memory_store(s.memory);
	}
	return s;
}

static void subject_free(struct subject *s)
{
	buf_free(&s->seen);
	if (s->memory) {
		store_memory_close(s->memory);
	} else {
		store_rocks_close(s->rocks);
		dir_free(s->dir);
	}
}

static void put(struct subject *s, const char *room, uint64_t seq, const char *cid)
{
	const struct rec_chat chat = {seq, 1000 + seq, STR("ann"), str_from(cid), STR("body")};
	s->store->put_chat(s->store->impl, str_from(room), &chat);
}

static void commit(struct subject *s)
{
	assert_int_equal(s->store->commit(s->store->impl), ERR_OK);
}

static bool see_chat(void *ctx, const struct rec_chat *chat, struct str packed)
{
	(void)packed;
	struct subject *s = ctx;
	assert_true(chat->time == 1000 + chat->seq);
	assert_true(str_equal(chat->user, STR("ann")));
	assert_true(str_equal(chat->body, STR("body")));
	buf_printf(&s->seen, "%u ", (unsigned)chat->seq);
	return chat->seq != 7; /* a reader that has enough */
}

static const char *chats(struct subject *s, const char *room, uint64_t after, uint64_t before,
			 bool newest)
{
	buf_reset(&s->seen);
	assert_int_equal(
		s->store->chats(s->store->impl, str_from(room), after, before, newest, see_chat, s),
		ERR_OK);
	buf_append(&s->seen, "", 1);
	return s->seen.ptr;
}

static bool see_invitation(void *ctx, const struct rec_invitation *invitation)
{
	struct subject *s = ctx;
	buf_printf(&s->seen, STR_FMT "<" STR_FMT " ", STR_ARG(invitation->room),
		   STR_ARG(invitation->user));
	return true;
}

static const char *invites(struct subject *s, const char *user2)
{
	buf_reset(&s->seen);
	assert_int_equal(s->store->invites(s->store->impl, str_from(user2), see_invitation, s),
			 ERR_OK);
	buf_append(&s->seen, "", 1);
	return s->seen.ptr;
}

static uint64_t seq_of(struct subject *s, const char *room, const char *user, const char *cid)
{
	uint64_t seq;
	uint64_t time_ms;
	assert_int_equal(s->store->cid(s->store->impl, str_from(room), str_from(user),
				       str_from(cid), &seq, &time_ms),
			 ERR_OK);
	assert_true(time_ms == (seq ? 1000 + seq : 0));
	return seq;
}

static struct store_room room(struct subject *s, const char *name)
{
	struct store_room facts;
	assert_int_equal(s->store->room(s->store->impl, str_from(name), &facts), ERR_OK);
	return facts;
}

static void check_chats(struct subject *s)
{
	for (uint64_t seq = 1; seq <= 5; seq++)
		put(s, "main", seq, "c");
	put(s, "mai", 1, "c");
	put(s, "main2", 6, "c");
	assert_string_equal(chats(s, "main", 0, 0, false), "");
	commit(s);
	const struct {
		uint64_t after, before;
		const char *up, *down;
	} rows[] = {
		{0, 0, "1 2 3 4 5 ", "5 4 3 2 1 "},
		{2, 0, "3 4 5 ", "5 4 3 "},
		{0, 4, "1 2 3 ", "3 2 1 "},
		{2, 4, "3 ", "3 "},
		{3, 4, "", ""},
		{4, 3, "", ""},
		{5, 0, "", ""},
		{4, 0, "5 ", "5 "},
		{0, 1, "", ""},
		{0, 2, "1 ", "1 "},
		{4, 6, "5 ", "5 "},
		{0, UINT64_MAX, "1 2 3 4 5 ", "5 4 3 2 1 "},
		{UINT64_MAX, 0, "", ""},
		{UINT64_MAX, UINT64_MAX, "", ""},
		{UINT64_MAX - 1, 0, "", ""},
		{900, 1000, "", ""},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_string_equal(chats(s, "main", rows[i].after, rows[i].before, false),
				    rows[i].up);
		assert_string_equal(chats(s, "main", rows[i].after, rows[i].before, true),
				    rows[i].down);
	}
	assert_string_equal(chats(s, "nowhere", 0, 0, true), "");
	for (uint64_t seq = 6; seq <= 9; seq++)
		put(s, "main", seq, "c");
	commit(s);
	assert_string_equal(chats(s, "main", 4, 0, false), "5 6 7 ");
	assert_string_equal(chats(s, "main", 4, 0, true), "9 8 7 ");
}

static void check_cids(struct subject *s)
{
	put(s, "main", 1, "c1");
	put(s, "main", 2, "\x01");
	assert_int_equal(seq_of(s, "main", "ann", "c1"), 0);
	commit(s);
	assert_int_equal(seq_of(s, "main", "ann", "c1"), 1);
	assert_int_equal(seq_of(s, "main", "ann", "\x01"), 2);
	assert_int_equal(seq_of(s, "main", "ann", "c"), 0);
	assert_int_equal(seq_of(s, "main", "annc", "1"), 0);
	assert_int_equal(seq_of(s, "main", "bob", "c1"), 0);
	assert_int_equal(seq_of(s, "mai", "nann", "c1"), 0);
}

static void check_rooms(struct subject *s)
{
	assert_int_equal(room(s, "main").seq, 0);
	put(s, "main", 1, "c1");
	put(s, "main", 2, "c2");
	const struct store_room facts = {
		.owner = STR("ann"), .guest = STR("bob"), .authors = {STR("bob"), {0}}};
	s->store->put_room(s->store->impl, STR("main"), &facts);
	s->store->put_room(s->store->impl, STR("silent"), &facts);
	assert_int_equal(room(s, "main").seq, 0);
	commit(s);
	struct store_room got = room(s, "main");
	assert_true(got.seq == 2 && got.time_ms == 1002);
	assert_true(str_equal(got.owner, STR("ann")) && str_equal(got.guest, STR("bob")));
	assert_true(str_equal(got.authors[0], STR("bob")) && got.authors[1].len == 0);
	assert_false(got.has_more_authors);
	got = room(s, "silent");
	assert_true(got.seq == 0 && got.time_ms == 0);
	assert_true(str_equal(got.owner, STR("ann")));
	got = room(s, "mai");
	assert_true(got.seq == 0 && got.owner.len == 0);
}

static void check_invites(struct subject *s)
{
	const struct rec_invitation den = {STR("den"), STR("ann")};
	const struct rec_invitation den2 = {STR("den"), STR("eve")};
	s->store->put_invite(s->store->impl, STR("bob"), &den);
	s->store->put_invite(s->store->impl, STR("bo"), &den);
	assert_string_equal(invites(s, "bob"), "");
	commit(s);
	assert_string_equal(invites(s, "bob"), "den<ann ");
	s->store->put_invite(s->store->impl, STR("bob"), &den2);
	commit(s);
	assert_string_equal(invites(s, "bob"), "den<eve ");
	s->store->drop_invite(s->store->impl, STR("bob"), STR("den"));
	s->store->drop_invite(s->store->impl, STR("bob"), STR("cave"));
	commit(s);
	assert_string_equal(invites(s, "bob"), "");
	assert_string_equal(invites(s, "bo"), "den<ann ");

	/* The later word of one batch holds. */
	s->store->put_invite(s->store->impl, STR("bob"), &den);
	s->store->drop_invite(s->store->impl, STR("bob"), STR("den"));
	commit(s);
	assert_string_equal(invites(s, "bob"), "");
}

typedef void check_fn(struct subject *s);

static void check_both(check_fn *check)
{
	for (int is_rocks = 0; is_rocks <= 1; is_rocks++) {
		struct subject s = subject_new(is_rocks);
		check(&s);
		subject_free(&s);
	}
}

static void test_chats(void **state)
{
	(void)state;
	check_both(check_chats);
}

static void test_cids(void **state)
{
	(void)state;
	check_both(check_cids);
}

static void test_rooms(void **state)
{
	(void)state;
	check_both(check_rooms);
}

static void test_invites(void **state)
{
	(void)state;
	check_both(check_invites);
}

/* The faults of the one in memory, on which other tests rely. */
static void test_memory_faults(void **state)
{
	(void)state;
	struct subject s = subject_new(false);
	put(&s, "main", 1, "c1");
	store_memory_crash(s.memory);
	commit(&s);
	assert_string_equal(chats(&s, "main", 0, 0, false), "");

	store_memory_fail_commit(s.memory, 2, true);
	put(&s, "main", 1, "c1");
	commit(&s);
	put(&s, "main", 2, "c2");
	assert_int_equal(s.store->commit(s.store->impl), ERR_UNAVAILABLE);
	assert_string_equal(chats(&s, "main", 0, 0, false), "1 2 ");

	store_memory_fail_commit(s.memory, 1, false);
	put(&s, "main", 3, "c3");
	assert_int_equal(store_memory_writes(s.memory), 3);
	assert_int_equal(s.store->commit(s.store->impl), ERR_UNAVAILABLE);
	commit(&s);
	assert_string_equal(chats(&s, "main", 0, 0, false), "1 2 ");

	store_memory_set_full(s.memory, true);
	put(&s, "main", 3, "c3");
	assert_int_equal(s.store->commit(s.store->impl), ERR_UNAVAILABLE);
	store_memory_set_full(s.memory, false);
	commit(&s);
	assert_string_equal(chats(&s, "main", 0, 0, false), "1 2 ");
	subject_free(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_chats),         cmocka_unit_test(test_cids),
		cmocka_unit_test(test_rooms),         cmocka_unit_test(test_invites),
		cmocka_unit_test(test_memory_faults),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
