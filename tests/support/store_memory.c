// SPDX-License-Identifier: MIT
/* store_memory.c — see store_memory.h. */
#include "tests/support/store_memory.h"
#include "historyd/store/keys.h"
#include "historyd/store/values.h"
#include "proto/table.h"

enum kind { KIND_CHAT, KIND_HEAD, KIND_CID, KIND_ROOM, KIND_INVITE };
enum { KINDS = 5, SEQS_OF_A_RESTORE = 1 << 13 };

/* One key and its value, behind each other in `bytes`. */
struct item {
	size_t key_len, value_len;
	char bytes[];
};

/* A write that waits for the commit. */
struct write {
	enum kind kind;
	bool is_drop;
	struct item *item; /* for a drop only its key counts */
};

struct store_memory {
	struct store store;
	struct table items[KINDS]; /* what is on disk */
	struct write *writes;
	size_t write_count, write_cap;
	struct buf packed;
	struct buf room_space; /* what the last room() points to */
	uint64_t commits;
	uint64_t fail_in; /* commits until the one that fails, 0: none will */
	bool fail_is_applied, is_full, is_unreadable;
	uint32_t restores; /* that raised the seqs */
};

static struct str item_key(const void *item)
{
	const struct item *it = item;
	return str_of(it->bytes, it->key_len);
}

static struct str item_value(const struct item *it)
{
	return str_of(it->bytes + it->key_len, it->value_len);
}

static struct item *item_new(struct str key, struct str value)
{
	struct item *it = mem_alloc(sizeof *it + key.len + value.len);
	it->key_len = key.len;
	it->value_len = value.len;
	memcpy(it->bytes, key.ptr, key.len);
	if (value.len)
		memcpy(it->bytes + key.len, value.ptr, value.len);
	return it;
}

/* ---- reading ---- */

static const struct item *find(const struct store_memory *m, enum kind kind, const struct key *key)
{
	return table_find(&m->items[kind], key_view(key));
}

static void read_head(const struct store_memory *m, struct str room, uint64_t *seq,
		      uint64_t *time_ms)
{
	struct key key;
	key_room(&key, room);
	const struct item *head = find(m, KIND_HEAD, &key);
	*seq = 0;
	*time_ms = 0;
	if (head)
		CHECK(value_read_cid(item_value(head), seq, time_ms));
}

static enum err read_facts(void *impl, struct str room, struct buf *space, struct store_room *out)
{
	struct store_memory *m = impl;
	struct key key;
	*out = (struct store_room){0};
	if (m->is_unreadable)
		return ERR_UNAVAILABLE;
	key_room(&key, room);
	const struct item *record = find(m, KIND_ROOM, &key);
	buf_reset(space);
	if (record) {
		buf_str(space, item_value(record));
		CHECK(value_read_room(buf_view(space), out));
	}
	return ERR_OK;
}

static enum err read_room(void *impl, struct str room, struct store_room *out)
{
	struct store_memory *m = impl;
	enum err e = read_facts(m, room, &m->room_space, out);
	if (e == ERR_OK)
		read_head(m, room, &out->seq, &out->time_ms);
	if (e == ERR_OK && out->restores < m->restores)
		out->seq += (uint64_t)(m->restores - out->restores) * SEQS_OF_A_RESTORE;
	return e;
}

static enum err read_cid(void *impl, struct str room, struct str user, struct str cid,
			 uint64_t *seq, uint64_t *time_ms)
{
	struct store_memory *m = impl;
	if (m->is_unreadable)
		return ERR_UNAVAILABLE;
	struct key key;
	key_cid(&key, room, user, cid);
	const struct item *it = find(m, KIND_CID, &key);
	*seq = 0;
	*time_ms = 0;
	if (it)
		CHECK(value_read_cid(item_value(it), seq, time_ms));
	return ERR_OK;
}

static bool give_chat(const struct store_memory *m, struct str room, uint64_t seq,
		      store_chat_fn *fn, void *ctx)
{
	struct key key;
	struct rec_chat chat;
	bool is_packed;
	key_chat(&key, room, seq);
	const struct item *it = find(m, KIND_CHAT, &key);
	if (!it)
		return true;
	CHECK(value_read_chat(item_value(it), &chat, &is_packed));
	return fn(ctx, &chat, is_packed ? item_value(it) : (struct str){0});
}

static enum err read_chats(void *impl, struct str room, uint64_t after, uint64_t before,
			   bool newest, store_chat_fn *fn, void *ctx)
{
	const struct store_memory *m = impl;
	if (m->is_unreadable)
		return ERR_UNAVAILABLE;
	uint64_t head;
	uint64_t time_ms;
	read_head(m, room, &head, &time_ms);
	uint64_t last = before == 0 || before > head ? head : before - 1;
	uint64_t count = after < last ? last - after : 0;
	for (uint64_t i = 0; i < count; i++)
		if (!give_chat(m, room, newest ? last - i : after + 1 + i, fn, ctx))
			break;
	return ERR_OK;
}

static enum err read_invites(void *impl, struct str user2, store_invite_fn *fn, void *ctx)
{
	const struct store_memory *m = impl;
	if (m->is_unreadable)
		return ERR_UNAVAILABLE;
	struct key inbox;
	const struct item *it;
	key_inbox(&inbox, user2);
	TABLE_EACH (&m->items[KIND_INVITE], i, it) {
		struct rec_invitation invitation;
		if (!key_is_in_inbox(item_key(it), &inbox))
			continue;
		CHECK(value_read_invitation(item_value(it), &invitation));
		if (!fn(ctx, &invitation))
			break;
	}
	return ERR_OK;
}

/* ---- writing ---- */

static void add_write(struct store_memory *m, enum kind kind, const struct key *key, bool is_drop)
{
	if (m->write_count == m->write_cap) {
		m->write_cap = m->write_cap ? m->write_cap * 2 : 16;
		m->writes = mem_resize(m->writes, m->write_cap * sizeof *m->writes);
	}
	m->writes[m->write_count++] = (struct write){
		.kind = kind,
		.is_drop = is_drop,
		.item = item_new(key_view(key), buf_view(&m->packed)),
	};
	buf_reset(&m->packed);
}

static void put_chat(void *impl, struct str room, const struct rec_chat *chat)
{
	struct store_memory *m = impl;
	struct key key;
	key_chat(&key, room, chat->seq);
	bus_pack_chat(&m->packed, chat);
	add_write(m, KIND_CHAT, &key, false);
	key_room(&key, room);
	value_pack_cid(&m->packed, chat->seq, chat->time);
	add_write(m, KIND_HEAD, &key, false);
	key_cid(&key, room, chat->user, chat->cid);
	value_pack_cid(&m->packed, chat->seq, chat->time);
	add_write(m, KIND_CID, &key, false);
}

static void put_room(void *impl, struct str room, const struct store_room *facts)
{
	struct store_memory *m = impl;
	struct key key;
	key_room(&key, room);
	value_pack_room(&m->packed, facts);
	add_write(m, KIND_ROOM, &key, false);
}

static void put_invite(void *impl, struct str user2, const struct rec_invitation *invitation)
{
	struct store_memory *m = impl;
	struct key key;
	key_invite(&key, user2, invitation->room);
	bus_pack_invitation(&m->packed, invitation);
	add_write(m, KIND_INVITE, &key, false);
}

static void drop_invite(void *impl, struct str user2, struct str room)
{
	struct key key;
	key_invite(&key, user2, room);
	add_write(impl, KIND_INVITE, &key, true);
}

static void apply(struct store_memory *m)
{
	for (size_t i = 0; i < m->write_count; i++) {
		struct write *w = &m->writes[i];
		struct table *items = &m->items[w->kind];
		mem_free(table_remove(items, item_key(w->item)));
		if (w->is_drop)
			mem_free(w->item);
		else
			table_add(items, w->item);
	}
	m->write_count = 0;
}

void store_memory_crash(struct store_memory *m)
{
	for (size_t i = 0; i < m->write_count; i++)
		mem_free(m->writes[i].item);
	m->write_count = 0;
}

static enum err commit(void *impl)
{
	struct store_memory *m = impl;
	bool is_failing = m->fail_in == 1;
	m->fail_in -= m->fail_in > 0;
	if (m->is_full || (is_failing && !m->fail_is_applied))
		store_memory_crash(m);
	apply(m);
	if (m->is_full || is_failing)
		return ERR_UNAVAILABLE;
	m->commits++;
	return ERR_OK;
}

/* ---- the test's side ---- */

struct store_memory *store_memory_open(void)
{
	struct store_memory *m = mem_alloc(sizeof *m);
	for (size_t i = 0; i < KINDS; i++)
		table_init(&m->items[i], item_key, 1);
	m->store = (struct store){
		.impl = m,
		.room = read_room,
		.facts = read_facts,
		.cid = read_cid,
		.chats = read_chats,
		.invites = read_invites,
		.put_chat = put_chat,
		.put_room = put_room,
		.put_invite = put_invite,
		.drop_invite = drop_invite,
		.commit = commit,
	};
	return m;
}

static void free_items(struct store_memory *m)
{
	for (size_t k = 0; k < KINDS; k++) {
		struct item *it;
		TABLE_EACH (&m->items[k], i, it)
			mem_free(it);
		table_free(&m->items[k]);
	}
}

struct store_memory *store_memory_copy(const struct store_memory *m)
{
	struct store_memory *copy = store_memory_open();
	copy->restores = m->restores;
	for (size_t k = 0; k < KINDS; k++) {
		const struct item *it;
		TABLE_EACH (&m->items[k], i, it)
			table_add(&copy->items[k], item_new(item_key(it), item_value(it)));
	}
	return copy;
}

void store_memory_put_back(struct store_memory *m, struct store_memory *copy, bool is_raised)
{
	store_memory_crash(m);
	free_items(m);
	for (size_t k = 0; k < KINDS; k++) {
		m->items[k] = copy->items[k];
		table_init(&copy->items[k], item_key, 1);
	}
	m->restores = copy->restores + is_raised;
	store_memory_close(copy);
}

uint32_t store_memory_restores(const struct store_memory *m)
{
	return m->restores;
}

void store_memory_close(struct store_memory *m)
{
	store_memory_crash(m);
	free_items(m);
	mem_free(m->writes);
	buf_free(&m->packed);
	buf_free(&m->room_space);
	mem_free(m);
}

struct store *store_memory_store(struct store_memory *m)
{
	return &m->store;
}

void store_memory_fail_commit(struct store_memory *m, uint64_t nth, bool is_applied)
{
	m->fail_in = nth;
	m->fail_is_applied = is_applied;
}

void store_memory_set_full(struct store_memory *m, bool is_full)
{
	m->is_full = is_full;
}

void store_memory_set_unreadable(struct store_memory *m, bool is_unreadable)
{
	m->is_unreadable = is_unreadable;
}

uint64_t store_memory_commits(const struct store_memory *m)
{
	return m->commits;
}

uint64_t store_memory_writes(const struct store_memory *m)
{
	return m->write_count;
}
