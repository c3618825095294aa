// SPDX-License-Identifier: MIT
/* gone.c — what an older copy of a disk has not got any more, and what PROTOCOL.md says of that in
 * section 3, "Epochs"; see promises.h. */
#include "tests/sim/promises.h"
#include "proto/shard.h"

/* A message that was stored, and is not after an older copy was put back. */
struct gone {
	struct str key; /* room, 0, seq, cid */
};

static struct str key_of(const void *item)
{
	return ((const struct gone *)item)->key;
}

void promises_open_gone(struct promises *p)
{
	table_init(&p->gone, key_of, 5);
}

void promises_close_gone(struct promises *p)
{
	struct gone *g;
	TABLE_EACH (&p->gone, i, g) {
		str_free(&g->key);
		mem_free(g);
	}
	table_free(&p->gone);
}

static struct str key(struct str room, uint64_t seq, struct str cid)
{
	struct buf b = {0};
	buf_str(&b, room);
	buf_append(&b, "", 1);
	buf_append(&b, (const char *)&seq, sizeof seq);
	buf_str(&b, cid);
	return buf_view(&b);
}

struct losing {
	struct promises *p;
	struct str room;
};

static bool lose(void *ctx, const struct rec_chat *chat, struct str packed)
{
	(void)packed;
	struct losing *l = ctx;
	struct gone *g = mem_alloc(sizeof *g);
	g->key = key(l->room, chat->seq, chat->cid);
	if (table_find(&l->p->gone, g->key)) {
		str_free(&g->key);
		mem_free(g);
	} else {
		table_add(&l->p->gone, g);
	}
	promise_forgotten(l->p, l->room, chat->seq);
	return true;
}

static bool take_seq(void *ctx, const struct rec_chat *chat, struct str packed)
{
	(void)packed;
	*(uint64_t *)ctx = chat->seq;
	return false;
}

void promise_gone(struct promises *p, struct str room, struct store_memory *disk,
		  struct store_memory *copy)
{
	struct store *older = store_memory_store(copy);
	struct store *newer = store_memory_store(disk);
	struct losing l = {p, room};
	uint64_t head = 0;
	CHECK(older->chats(older->impl, room, 0, 0, true, take_seq, &head) == ERR_OK);
	CHECK(newer->chats(newer->impl, room, head, 0, false, lose, &l) == ERR_OK);
}

uint64_t promises_put_back_ms(const struct promises *p, struct str name)
{
	return p->world->historyd[shard_of(name, p->world->historyds)].put_back_ms;
}

void promises_read(struct promises *p, struct str room, uint64_t after, store_chat_fn *fn,
		   void *ctx)
{
	const struct node *n = &p->world->historyd[shard_of(room, p->world->historyds)];
	struct store *store = store_memory_store(n->disk);
	store_memory_set_unreadable(n->disk, false); /* for us */
	CHECK(store->chats(store->impl, room, after, 0, false, fn, ctx) == ERR_OK);
	store_memory_set_unreadable(n->disk, p->world->now_ms < n->disk_unreadable_until);
}

struct looking {
	const struct told *told;
	bool is_there;
};

static bool look(void *ctx, const struct rec_chat *chat, struct str packed)
{
	(void)packed;
	struct looking *l = ctx;
	l->is_there = chat->seq == l->told->seq && str_equal(chat->cid, l->told->cid);
	return false;
}

/* It may stand there again. */
bool promises_is_gone(struct promises *p, const struct told *t)
{
	struct looking l = {.told = t};
	struct str k = key(t->room, t->seq, t->cid);
	bool is_known = p->gone.count && table_find(&p->gone, k);
	str_free(&k);
	if (is_known)
		promises_read(p, t->room, t->seq - 1, look, &l);
	return is_known && !l.is_there;
}

/* "seq counts 1, 2, 3, … in each room, with jumps where historyd has lost data or was restored from
 * a backup." */
bool promises_follows(struct promises *p, struct str room, uint64_t last, uint64_t seq)
{
	uint64_t next = 0;
	if (seq == last + 1)
		return true;
	if (seq <= last || !p->world->put_backs)
		return false;
	promises_read(p, room, last, take_seq, &next);
	return next == 0 || next >= seq;
}

/* "what the client had of the room does not stand any more, and it begins anew with these": before
 * anything else comes under a seq that it has seen. */
void promise_shown_otherwise(struct promises *p, const struct told *t)
{
	promise_broken(p,
		       "2, one order: %s was shown another message in " STR_FMT " at %" PRIu64
		       " than " STR_FMT ", and was not told to begin anew",
		       t->person, STR_ARG(t->room), t->seq, STR_ARG(t->cid));
}

/* Likewise: after the quiet nobody has what is gone. */
void promise_has_what_stands(struct promises *p, const char *person, struct str room, size_t count)
{
	if (count)
		promise_broken(p,
			       "2, one order: %s has %zu messages in " STR_FMT
			       " that do not stand any more",
			       person, count, STR_ARG(room));
}

/* "After an older backup was restored": and only then. */
void promise_reset(struct promises *p, const char *person, struct str room)
{
	if (!promises_put_back_ms(p, room))
		promise_broken(p, "3, nothing twice: %s has to begin anew in " STR_FMT, person,
			       STR_ARG(room));
}
