// SPDX-License-Identifier: MIT
/* stored.c — fuzz target: what a disk gives back, as each kind of value and as a key. What can be
 * read must be the same when it is written and read again, and a message that is passed on as it
 * stands must be one for the bus. */
#include "historyd/store/keys.h"
#include "historyd/store/values.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_view(struct str view, struct str whole)
{
	CHECK(view.len == 0 ||
	      (view.ptr >= whole.ptr && view.ptr + view.len <= whole.ptr + whole.len));
}

static void read_room(struct str value)
{
	struct store_room facts = {0}, again = {0};
	struct buf packed = {0}, packed_again = {0};
	if (value_read_room(value, &facts)) {
		check_view(facts.owner, value);
		check_view(facts.authors[1], value);
		value_pack_room(&packed, &facts);
		CHECK(value_read_room(buf_view(&packed), &again));
		value_pack_room(&packed_again, &again);
		CHECK(str_equal(buf_view(&packed), buf_view(&packed_again)));
	}
	buf_free(&packed);
	buf_free(&packed_again);
}

/* The bus reads the record as the store does. */
static void pass_on(struct str value, const struct rec_chat *chat)
{
	struct batch batch = {0};
	struct buf message = {0};
	struct bus_reader reader;
	struct envelope env;
	struct bus_event ev;
	bus_put_page(&batch, &(struct ev_page){.messages = {.count = 1, .packed = value}});
	bus_put_header(&message, &(struct envelope){.from = SERVICE_HISTORYD});
	buf_str(&message, buf_view(&batch.bytes));
	bus_reader_init(&reader, SERVICE_GATEWAY);
	CHECK(bus_open(&reader, buf_view(&message), &env) && bus_next(&reader, &ev));
	CHECK(ev.type == EV_page && ev.as.page.messages.count == 1);
	struct rec_chat heard = bus_chat_at(&ev.as.page.messages, 0);
	CHECK(heard.seq == chat->seq && heard.time == chat->time);
	CHECK(str_equal(heard.user, chat->user) && str_equal(heard.cid, chat->cid));
	CHECK(str_equal(heard.body, chat->body));
	bus_reader_free(&reader);
	buf_free(&message);
	batch_free(&batch);
}

static void read_chat(struct str value)
{
	struct rec_chat chat, again;
	struct buf packed = {0};
	bool is_packed;
	if (!value_read_chat(value, &chat, &is_packed))
		return;
	check_view(chat.user, value);
	check_view(chat.cid, value);
	check_view(chat.body, value);
	if (is_packed)
		pass_on(value, &chat);
	bus_pack_chat(&packed, &chat);
	CHECK(value_read_chat(buf_view(&packed), &again, &is_packed) && is_packed);
	CHECK(again.seq == chat.seq && again.time == chat.time);
	CHECK(str_equal(again.body, chat.body));
	buf_free(&packed);
}

static void read_format(struct str value)
{
	struct store_format format, again;
	struct buf packed = {0};
	if (!value_read_format(value, &format))
		return;
	check_view(format.cluster, value);
	CHECK(format.cluster.len <= CLUSTER_MAX);
	value_pack_format(&packed, &format);
	CHECK(value_read_format(buf_view(&packed), &again));
	CHECK(again.version == format.version && again.has_mark == format.has_mark);
	CHECK(str_equal(again.cluster, format.cluster));
	buf_free(&packed);
}

static void read_small(struct str value)
{
	struct rec_invitation invitation;
	uint64_t seq, time_ms;
	struct buf packed = {0};
	if (value_read_cid(value, &seq, &time_ms)) {
		uint64_t seq_again, time_again;
		value_pack_cid(&packed, seq, time_ms);
		CHECK(value_read_cid(buf_view(&packed), &seq_again, &time_again));
		CHECK(seq_again == seq && time_again == time_ms);
	}
	if (value_read_invitation(value, &invitation)) {
		struct rec_invitation again;
		check_view(invitation.room, value);
		check_view(invitation.user, value);
		buf_reset(&packed);
		bus_pack_invitation(&packed, &invitation);
		CHECK(value_read_invitation(buf_view(&packed), &again));
		CHECK(str_equal(again.room, invitation.room));
	}
	buf_free(&packed);
}

/* A key that is taken for one of a name's, which stands in it, is the one that we would make. */
static void read_key(struct str bytes)
{
	struct key of_name, of_chat;
	uint64_t seq;
	if (bytes.len < STORE_PREFIX_BYTES + 2)
		return;
	const unsigned char *count = (const unsigned char *)bytes.ptr + STORE_PREFIX_BYTES;
	size_t len = (size_t)count[0] << 8 | count[1];
	if (len > bytes.len - STORE_PREFIX_BYTES - 2)
		len = bytes.len - STORE_PREFIX_BYTES - 2;
	struct str name = str_of(bytes.ptr + STORE_PREFIX_BYTES + 2, len);
	if (name.len <= ROOM_MAX) {
		key_room(&of_name, name);
		if (key_chat_seq(bytes, &of_name, &seq)) {
			key_chat(&of_chat, name, seq);
			CHECK(str_equal(key_view(&of_chat), bytes));
		}
		key_chat(&of_chat, name, bytes.len);
		CHECK(key_chat_seq(key_view(&of_chat), &of_name, &seq) && seq == bytes.len);
	}
	if (name.len <= USER_MAX) {
		key_inbox(&of_name, name);
		(void)!key_is_in_inbox(bytes, &of_name);
		key_invite(&of_chat, name, STR("a room"));
		CHECK(key_is_in_inbox(key_view(&of_chat), &of_name));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str bytes = str_of((const char *)data, size);
	read_room(bytes);
	read_chat(bytes);
	read_format(bytes);
	read_small(bytes);
	read_key(bytes);
	return 0;
}
