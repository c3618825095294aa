// SPDX-License-Identifier: MIT
/* keep.c — says the bytes that a release is remembered by: an envelope with every event, and what
 * stands in its data directories, as the encoders of the tree have it in which this is built.
 * tests/compat/keep builds it in a release's own tree; it is built here so that it stays buildable.
 */
#include "historyd/store/keys.h"
#include "historyd/store/values.h"
#include "proto/shard.h"
#include "tests/compat/telling.h"

/* One line: what they are, and the bytes. */
static void say(const char *what, struct str bytes)
{
	printf("%s ", what);
	for (size_t i = 0; i < bytes.len; i++)
		printf("%02x", (unsigned char)bytes.ptr[i]);
	printf("\n");
}

static void say_bus(struct arena *a)
{
	size_t count;
	const struct bus_row *rows = bus_rows(&count);
	struct buf header = {0};
	struct batch batch = {0};
	bus_put_header(&header, &telling_self);
	say("header", buf_view(&header));
	for (size_t i = 0; i < count; i++) {
		batch_reset(&batch);
		telling_put(&batch, a, rows[i].type);
		say(rows[i].name, buf_view(&batch.bytes));
	}
	buf_free(&header);
	batch_free(&batch);
}

static void say_shards(void)
{
	static const uint32_t counts[] = {2, 3, 7, SHARDS_MAX};
	static const char *const names[] = {"main", "lobby", "grüße", "a", "日本"};
	for (size_t n = 0; n < ARRAY_LEN(names); n++)
		for (size_t c = 0; c < ARRAY_LEN(counts); c++) {
			char owner = (char)shard_of(str_from(names[n]), counts[c]);
			say("shard", str_of(&owner, 1));
		}
}

static void say_key(const char *what, const struct key *key)
{
	say(what, key_view(key));
}

static void say_keys(void)
{
	struct key key;
	key_room(&key, STR("main"));
	say_key("room-key", &key);
	key_chat(&key, STR("main"), 0x0102030405060708);
	say_key("chat-key", &key);
	key_cid(&key, STR("main"), STR("ann"), STR("c-1"));
	say_key("cid-key", &key);
	key_inbox(&key, STR("ann"));
	say_key("inbox-key", &key);
	key_invite(&key, STR("ann"), STR("den"));
	say_key("invite-key", &key);
}

static void say_value(const char *what, struct buf *b)
{
	say(what, buf_view(b));
	buf_reset(b);
}

static void say_values(struct arena *a)
{
	struct buf b = {0};
	const struct rec_chat chat = telling_rec_chat(a, TELLING_RECORD);
	const struct rec_invitation invitation = telling_rec_invitation(a, TELLING_RECORD);
	const struct store_room room = {
		.owner = STR("ann"),
		.guest = STR("ben"),
		.authors = {STR("ben"), telling_text(a, "room", 1, "user", USER_MAX)},
		.has_more_authors = true,
	};
	const struct store_format format = {
		.version = STORE_FORMAT, .shard = 3, .shards = SHARDS_MAX, .losses = 300};
	bus_pack_chat(&b, &chat);
	say_value("chat", &b);
	bus_pack_invitation(&b, &invitation);
	say_value("invitation", &b);
	value_pack_cid(&b, 0x0102030405060708, 1700000000000);
	say_value("cid", &b);
	value_pack_room(&b, &room);
	say_value("room", &b);
	value_pack_format(&b, &format);
	say_value("format", &b);
	buf_free(&b);
}

int main(int argc, char **argv)
{
	struct arena a = {0};
	bool is_bus = argc == 2 && strcmp(argv[1], "bus") == 0;
	bool is_store = argc == 2 && strcmp(argv[1], "store") == 0;
	if (!is_bus && !is_store) {
		fprintf(stderr, "usage: compat-keep bus|store\n");
		return 2;
	}
	if (is_bus) {
		say_bus(&a);
	} else {
		say_shards();
		say_keys();
		say_values(&a);
	}
	arena_free(&a);
	return 0;
}
