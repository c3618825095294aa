// SPDX-License-Identifier: MIT
/* test_store.c — neighbouring versions on disk: keys, values and a data directory of 0.1.0 are
 * read, and what is stored today can be read by 0.1.0. That its programs do so is shown by
 * main.mjs. */
#include "historyd/store/keys.h"
#include "historyd/store/values.h"
#include "proto/shard.h"
#include "tests/compat/kept.h"
#include "tests/compat/telling.h"
#include "tests/unit/test_store_dir.h"

#include <sys/wait.h>

/* 0.1.0 refuses a room's record that is longer. */
enum { KEPT_ROOM_RECORD_MAX = 8 + 4 * (3 + USER_MAX) };

static struct kept kept;

static int read_kept(void **state)
{
	(void)state;
	kept = kept_read(KEPT "/store.hex");
	return 0;
}

static int free_kept(void **state)
{
	(void)state;
	kept_free(&kept);
	return 0;
}

static void expect_key(const char *what, const struct key *key)
{
	assert_true(str_equal(key_view(key), kept_bytes(&kept, what, 0)));
}

static void test_keys_are_the_same(void **state)
{
	(void)state;
	struct key key;
	key_room(&key, STR("main"));
	expect_key("room-key", &key);
	key_chat(&key, STR("main"), 0x0102030405060708);
	expect_key("chat-key", &key);
	key_cid(&key, STR("main"), STR("ann"), STR("c-1"));
	expect_key("cid-key", &key);
	key_inbox(&key, STR("ann"));
	expect_key("inbox-key", &key);
	key_invite(&key, STR("ann"), STR("den"));
	expect_key("invite-key", &key);
}

/* Otherwise gateways of one version send rooms to other shards than those of another. */
static void test_rooms_stay_in_their_shards(void **state)
{
	(void)state;
	static const uint32_t counts[] = {2, 3, 7, 64};
	static const char *const names[] = {"main", "lobby", "grüße", "a", "日本"};
	size_t line = 0;
	for (size_t n = 0; n < ARRAY_LEN(names); n++)
		for (size_t c = 0; c < ARRAY_LEN(counts); c++)
			assert_int_equal(shard_of(str_from(names[n]), counts[c]),
					 kept_bytes(&kept, "shard", line++).ptr[0]);
}

static void test_kept_values_are_read(void **state)
{
	(void)state;
	struct arena texts = {0};
	struct rec_chat chat;
	struct rec_invitation invitation;
	struct store_room room;
	struct store_format format;
	uint64_t seq;
	uint64_t time_ms;
	bool is_packed;
	const struct rec_chat expected = telling_rec_chat(&texts, TELLING_RECORD);
	assert_true(value_read_chat(kept_bytes(&kept, "chat", 0), &chat, &is_packed));
	assert_true(is_packed && chat.seq == expected.seq && chat.time == expected.time);
	assert_true(str_equal(chat.user, expected.user) && str_equal(chat.cid, expected.cid));
	assert_true(str_equal(chat.body, expected.body));
	const struct rec_invitation invited = telling_rec_invitation(&texts, TELLING_RECORD);
	assert_true(value_read_invitation(kept_bytes(&kept, "invitation", 0), &invitation));
	assert_true(str_equal(invitation.room, invited.room));
	assert_true(str_equal(invitation.user, invited.user));
	assert_true(value_read_cid(kept_bytes(&kept, "cid", 0), &seq, &time_ms));
	assert_true(seq == 0x0102030405060708 && time_ms == 1700000000000);
	assert_true(value_read_room(kept_bytes(&kept, "room", 0), &room));
	assert_true(str_equal(room.owner, STR("ann")) && str_equal(room.guest, STR("ben")));
	assert_true(str_equal(room.authors[0], STR("ben")));
	assert_true(str_equal(room.authors[1], telling_text(&texts, "room", 1, "user", USER_MAX)));
	assert_true(room.has_more_authors && room.epoch_count == 0 && room.restores == 0);
	assert_true(value_read_format(kept_bytes(&kept, "format", 0), &format));
	assert_true(format.version == STORE_FORMAT && format.shard == 3);
	assert_true(format.shards == SHARDS_MAX && format.losses == 300);
	assert_true(!format.has_mark && format.restores == 0);
	arena_free(&texts);
}

/* ---- what 0.1.0 can read ---- */

static void pack_full_room(struct buf *b, size_t name_bytes)
{
	static char name[USER_MAX];
	memset(name, 'x', sizeof name);
	const struct str n = str_of(name, name_bytes);
	struct store_room room = {.owner = n,
				  .guest = n,
				  .authors = {n, n},
				  .has_more_authors = true,
				  .restores = UINT32_MAX,
				  .epoch_count = EPOCHS_MAX};
	for (uint64_t i = 0; i < EPOCHS_MAX; i++)
		room.epochs[i] = (struct rec_epoch){.epoch = UINT64_MAX, .first = UINT64_MAX};
	buf_reset(b);
	value_pack_room(b, &room);
}

static void test_todays_values_can_be_read(void **state)
{
	(void)state;
	struct arena texts = {0};
	struct buf b = {0};
	const struct rec_chat chat = telling_rec_chat(&texts, TELLING_RECORD);
	bus_pack_chat(&b, &chat);
	kept_strict_value(buf_view(&b), "UUSSS");
	const struct rec_invitation invitation = telling_rec_invitation(&texts, TELLING_RECORD);
	buf_reset(&b);
	bus_pack_invitation(&b, &invitation);
	kept_strict_value(buf_view(&b), "SS");
	buf_reset(&b);
	value_pack_cid(&b, UINT64_MAX, UINT64_MAX);
	kept_strict_value(buf_view(&b), "UU");
	buf_reset(&b);
	value_pack_format(&b, &(struct store_format){.version = STORE_FORMAT, .has_mark = true});
	kept_strict_value(buf_view(&b), "UUUU");
	assert_int_equal(b.ptr[1], 1); /* the only format that 0.1.0 opens */
	/* The one thing that it may refuse, as CHANGELOG.md says: a room whose four names have more
	 * than 500 bytes together, once 32 starts have written in it. */
	pack_full_room(&b, 125);
	kept_strict_value(buf_view(&b), "SSSSU");
	assert_in_range(b.len, 1, KEPT_ROOM_RECORD_MAX);
	pack_full_room(&b, USER_MAX);
	kept_strict_value(buf_view(&b), "SSSSU");
	arena_free(&texts);
	buf_free(&b);
}

/* ---- a data directory ---- */

static void unpack(struct dir *d)
{
	char unpacked[192];
	int status;
	pid_t pid = fork();
	if (pid == 0) {
		execlp("tar", "tar", "-C", d->path, "-xzf", KEPT "/historyd.tar.gz", (char *)NULL);
		_exit(127);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	snprintf(unpacked, sizeof unpacked, "%s/historyd-0", d->path);
	assert_int_equal(rename(unpacked, d->data), 0);
}

struct expected {
	uint64_t next;
	uint64_t time_ms;
};

static bool expect_chat(void *ctx, const struct rec_chat *chat, struct str packed)
{
	struct expected *e = ctx;
	char text[64];
	uint64_t n = e->next++;
	bool is_bens = n == 21 || n == 22;
	assert_int_equal(chat->seq, n);
	assert_true(chat->time >= e->time_ms && packed.len > 0);
	e->time_ms = chat->time;
	assert_true(str_equal(chat->user, is_bens ? STR("ben") : STR("ann")));
	snprintf(text, sizeof text, "c-%" PRIu64, n);
	assert_true(str_equal(chat->cid, str_from(text)));
	snprintf(text, sizeof text, "message %" PRIu64 " ", n);
	assert_true(chat->body.len >= strlen(text));
	assert_memory_equal(chat->body.ptr, text, strlen(text));
	return true;
}

static bool expect_invitation(void *ctx, const struct rec_invitation *invitation)
{
	(*(size_t *)ctx)++;
	assert_true(str_equal(invitation->room, STR("three")));
	assert_true(str_equal(invitation->user, STR("ann")));
	return true;
}

static void expect_all(struct store_rocks *rocks, uint64_t last)
{
	struct store *s = store_rocks_store(rocks);
	struct expected e = {.next = 1};
	struct store_room room;
	size_t invitations = 0;
	uint64_t seq;
	uint64_t time_ms;
	assert_int_equal(s->chats(s->impl, STR("main"), 0, 0, false, expect_chat, &e), ERR_OK);
	assert_int_equal(e.next, last + 1);
	assert_int_equal(s->room(s->impl, STR("main"), &room), ERR_OK);
	assert_true(room.seq == last && room.owner.len == 0);
	assert_true(str_equal(room.authors[0], STR("ann")));
	assert_true(str_equal(room.authors[1], STR("ben")) && !room.has_more_authors);
	assert_int_equal(s->cid(s->impl, STR("main"), STR("ben"), STR("c-22"), &seq, &time_ms),
			 ERR_OK);
	assert_int_equal(seq, 22);
	assert_int_equal(s->room(s->impl, STR("two"), &room), ERR_OK);
	assert_true(str_equal(room.owner, STR("ann")) && str_equal(room.guest, STR("ben")));
	assert_int_equal(s->invites(s->impl, STR("den"), expect_invitation, &invitations), ERR_OK);
	assert_int_equal(invitations, 1);
}

/* NULL: not to be made, and of whichever cluster it is. */
static struct store_rocks *open_for(struct dir *d, const char *cluster)
{
	struct store_rocks_options o = dir_options(d);
	o.create = cluster;
	struct store_rocks *rocks = dir_open(d, &o);
	assert_string_equal(d->error, "");
	return rocks;
}

/* Refused while others may read it; then it is read and written, and opened again for
 * a cluster. */
static void test_kept_directory(void **state)
{
	(void)state;
	struct dir *d = dir_new();
	unpack(d);
	assert_int_equal(chmod(d->data, 0755), 0);
	const struct store_rocks_options o = dir_options(d);
	assert_null(dir_open(d, &o));
	assert_non_null(strstr(d->error, "chmod -R go="));
	assert_int_equal(chmod(d->data, 0700), 0);
	struct store_rocks *rocks = open_for(d, NULL);
	expect_all(rocks, 24);
	struct store *s = store_rocks_store(rocks);
	const struct rec_chat chat = {25, UINT64_MAX, STR("ann"), STR("c-25"), STR("message 25 ")};
	s->put_chat(s->impl, STR("main"), &chat);
	assert_int_equal(s->commit(s->impl), ERR_OK);
	assert_string_equal(store_rocks_cluster(rocks), "");
	store_rocks_close(rocks);
	rocks = open_for(d, "chat");
	assert_string_equal(store_rocks_cluster(rocks), "chat");
	expect_all(rocks, 25);
	store_rocks_close(rocks);
	dir_free(d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_keys_are_the_same),
		cmocka_unit_test(test_rooms_stay_in_their_shards),
		cmocka_unit_test(test_kept_values_are_read),
		cmocka_unit_test(test_todays_values_can_be_read),
		cmocka_unit_test(test_kept_directory),
	};
	return cmocka_run_group_tests(tests, read_kept, free_kept);
}
