// SPDX-License-Identifier: MIT
/* promises.c — see promises.h. Those about one connection (order, nothing twice on it) are checked
 * where the frames are read, in people.c. */
#include "tests/sim/promises.h"
#include "proto/shard.h"

#include <stdarg.h>
#include <stdio.h>

/* One message as somebody was told of it. */
struct fact {
	struct str place; /* room, 0, seq: what `by_place` goes by */
	struct str mark;  /* room, 0, cid */
	struct str room, cid;
	uint64_t seq;
	bool is_acked;
};

static struct str place_of(const void *item)
{
	return ((const struct fact *)item)->place;
}

static struct str mark_of(const void *item)
{
	return ((const struct fact *)item)->mark;
}

void promises_open(struct promises *p, struct world *w)
{
	*p = (struct promises){.world = w};
	table_init(&p->by_place, place_of, 1);
	table_init(&p->by_cid, mark_of, 2);
}

void promises_close(struct promises *p)
{
	struct fact *f;
	TABLE_EACH (&p->by_place, i, f) {
		str_free(&f->place);
		str_free(&f->mark);
		str_free(&f->room);
		str_free(&f->cid);
		mem_free(f);
	}
	table_free(&p->by_place);
	table_free(&p->by_cid);
}

void promise_broken(struct promises *p, const char *fmt, ...)
{
	if (*p->failure)
		return;
	va_list args;
	va_start(args, fmt);
	vsnprintf(p->failure, sizeof p->failure, fmt, args);
	va_end(args);
	world_tell(p->world, "BROKEN: %s", p->failure);
}

static struct str joined(struct str room, const void *tail, size_t len)
{
	struct buf b = {0};
	buf_str(&b, room);
	buf_append(&b, "", 1);
	buf_append(&b, tail, len);
	return buf_view(&b);
}

static struct store *disk_of(struct promises *p, struct str room)
{
	uint32_t shard = shard_of(room, p->world->historyds);
	return store_memory_store(p->world->historyd[shard].disk);
}

struct lookup {
	struct str cid;
	bool is_there;
};

static bool compare(void *ctx, const struct rec_chat *chat)
{
	struct lookup *l = ctx;
	l->is_there = str_equal(chat->cid, l->cid);
	return false;
}

/* "An ack means stored. The message is on disk before its ack or its delivery leaves." */
static void check_stored(struct promises *p, struct str room, uint64_t seq, struct str cid)
{
	struct store *store = disk_of(p, room);
	struct lookup l = {.cid = cid};
	enum err e = store->chats(store->impl, room, seq - 1, seq + 1, false, compare, &l);
	if (e == ERR_OK && !l.is_there)
		promise_broken(
			p, "ack means stored: " STR_FMT " %" PRIu64 " (" STR_FMT ") is not on disk",
			STR_ARG(room), seq, STR_ARG(cid));
}

/* "All members see a room's messages in seq order": one message has one place; "a retry with the
 * same cid is stored once": and one place only. */
void promise_told(struct promises *p, struct str room, uint64_t seq, struct str cid, bool is_ack)
{
	struct str place = joined(room, &seq, sizeof seq);
	struct str mark = joined(room, cid.ptr, cid.len);
	struct fact *f = table_find(&p->by_place, place);
	const struct fact *same = table_find(&p->by_cid, mark);
	p->acked += is_ack;
	p->delivered += !is_ack;
	if (f && !str_equal(f->cid, cid))
		promise_broken(
			p, "one order: " STR_FMT " %" PRIu64 " is both " STR_FMT " and " STR_FMT,
			STR_ARG(room), seq, STR_ARG(f->cid), STR_ARG(cid));
	if (same && same->seq != seq)
		promise_broken(p,
			       "stored once: " STR_FMT " in " STR_FMT " stands at %" PRIu64
			       " and at %" PRIu64,
			       STR_ARG(cid), STR_ARG(room), same->seq, seq);
	if (!f) {
		check_stored(p, room, seq, cid);
		f = mem_alloc(sizeof *f);
		*f = (struct fact){.place = place,
				   .mark = mark,
				   .room = str_copy(room),
				   .cid = str_copy(cid),
				   .seq = seq};
		table_add(&p->by_place, f);
		if (!same)
			table_add(&p->by_cid, f);
	} else {
		str_free(&place);
		str_free(&mark);
	}
	f->is_acked |= is_ack;
}

static bool last_seq(void *ctx, const struct rec_chat *chat)
{
	*(uint64_t *)ctx = chat->seq;
	return false;
}

uint64_t promises_head(struct promises *p, struct str room)
{
	struct store *store = disk_of(p, room);
	uint64_t head = 0;
	CHECK(store->chats(store->impl, room, 0, 0, true, last_seq, &head) == ERR_OK);
	return head;
}

/* "Every stored message can be had": nothing that anybody was told of has gone from the disk. */
void promises_check_disks(struct promises *p)
{
	struct fact *f;
	TABLE_EACH (&p->by_place, i, f)
		check_stored(p, f->room, f->seq, f->cid);
}
