// SPDX-License-Identifier: MIT
/* shown.c — what a simulated client has of a room: which message it was shown under which seq, and
 * in which epoch that stands, as a client keeps it. An older copy of a disk gives seqs out again:
 * then a client must be told to begin anew before anything else comes under a seq that it has seen,
 * and in the end nobody may have what does not stand any more. */
#include "tests/sim/person.h"

/* Messages are compared by their cids. */
static uint64_t message_of(struct str cid)
{
	uint64_t hash = 0xcbf29ce484222325u;
	for (size_t i = 0; i < cid.len; i++)
		hash = (hash ^ (unsigned char)cid.ptr[i]) * 0x100000001b3u;
	return hash | 1;
}

/* The place of the first one that is not before `seq`. */
static size_t place(const struct shown *s, uint64_t seq)
{
	size_t from = 0;
	size_t to = s->count;
	while (from < to) {
		size_t at = from + (to - from) / 2;
		if (s->list[at].seq < seq)
			from = at + 1;
		else
			to = at;
	}
	return from;
}

static struct shown_message *find(const struct shown *s, uint64_t seq)
{
	size_t at = place(s, seq);
	return at < s->count && s->list[at].seq == seq ? &s->list[at] : NULL;
}

void shown_begin(struct person *me, uint32_t room)
{
	struct shown *s = &me->seats[room].shown;
	s->count = 0;
	s->epoch = 0;
	s->is_unsure = false;
}

void shown_keep(struct person *me, uint32_t room, uint64_t last)
{
	struct shown *s = &me->seats[room].shown;
	s->count = place(s, last + 1);
	s->epoch = shown_epoch(&me->seats[room], last);
}

void shown_free(struct person *me)
{
	for (uint32_t i = 0; i < ROOMS_MAX; i++)
		mem_free(me->seats[i].shown.list);
}

uint64_t shown_epoch(const struct seat *seat, uint64_t seq)
{
	const struct shown_message *m = find(&seat->shown, seq);
	return m ? m->epoch : 0;
}

/* Where it stood open, and somebody says it now: from the last one that named its own. */
void shown_date(struct person *me, uint32_t room, uint64_t last, uint64_t epoch)
{
	struct shown *s = &me->seats[room].shown;
	for (size_t at = place(s, last + 1); at > 0 && !s->list[at - 1].epoch; at--) {
		s->list[at - 1].epoch = epoch;
		if (at > 1 && s->list[at - 2].seq + 1 != s->list[at - 1].seq)
			break;
	}
	s->epoch = epoch;
}

static void insert(struct shown *s, size_t at, struct shown_message m)
{
	if (s->count == s->cap) {
		s->cap = s->cap ? s->cap * 2 : 64;
		s->list = mem_resize(s->list, s->cap * sizeof *s->list);
	}
	memmove(s->list + at + 1, s->list + at, (s->count - at) * sizeof *s->list);
	s->list[at] = m;
	s->count++;
}

void shown_add(struct person *me, uint32_t room, const struct told *t, uint64_t *epoch,
	       enum shown_by by)
{
	struct shown *s = &me->seats[room].shown;
	uint64_t message = message_of(t->cid);
	const struct shown_message *there = find(s, t->seq);
	*epoch = t->epoch ? t->epoch : *epoch;
	if (!there)
		insert(s, place(s, t->seq), (struct shown_message){t->seq, message, *epoch});
	else if (by != SHOWN_PAGE && there->message != message && !s->is_unsure)
		promise_shown_otherwise(me->all->promises, t);
}

struct comparing {
	const struct shown *shown;
	size_t standing;
};

static bool compare(void *ctx, const struct rec_chat *chat, struct str packed)
{
	(void)packed;
	struct comparing *c = ctx;
	const struct shown_message *m = find(c->shown, chat->seq);
	c->standing += m && m->message == message_of(chat->cid);
	return true;
}

void shown_check(struct person *me, uint32_t room)
{
	char name[NAME_LEN];
	room_name(room, name);
	struct comparing c = {.shown = &me->seats[room].shown};
	if (c.shown->is_unsure)
		return;
	promises_read(me->all->promises, str_from(name), 0, compare, &c);
	if (c.standing != c.shown->count)
		promise_has_what_stands(me->all->promises, me->name, str_from(name),
					c.shown->count - c.standing);
}
