// SPDX-License-Identifier: MIT
/* inbox.c — see inbox.h. */
#include "historyd/inbox.h"

struct inbox {
	struct str user2;                           /* owned */
	struct rec_invitation pending[INVITES_MAX]; /* the texts are owned */
	size_t count;
};

static struct str inbox_key(const void *item)
{
	const struct inbox *inbox = item;
	return inbox->user2;
}

static void str_drop(struct str s)
{
	mem_free((void *)(uintptr_t)s.ptr);
}

void inboxes_init(struct inboxes *all, struct turn *turn, uint64_t seed)
{
	*all = (struct inboxes){.turn = turn};
	table_init(&all->table, inbox_key, seed);
}

static void drop_at(struct inbox *inbox, size_t at)
{
	CHECK(at < inbox->count && inbox->count <= INVITES_MAX);
	str_drop(inbox->pending[at].room);
	str_drop(inbox->pending[at].user);
	inbox->pending[at] = inbox->pending[--inbox->count];
}

static void inbox_free(struct inbox *inbox)
{
	while (inbox->count)
		drop_at(inbox, inbox->count - 1);
	str_drop(inbox->user2);
	mem_free(inbox);
}

void inboxes_forget(struct inboxes *all)
{
	struct inbox *inbox;
	TABLE_EACH (&all->table, i, inbox)
		inbox_free(inbox);
	table_free(&all->table);
}

static bool add_copy(void *ctx, const struct rec_invitation *invitation)
{
	struct inbox *inbox = ctx;
	if (inbox->count == INVITES_MAX)
		return false;
	inbox->pending[inbox->count++] = (struct rec_invitation){
		.room = str_copy(invitation->room),
		.user = str_copy(invitation->user),
	};
	return true;
}

enum err inboxes_find(struct inboxes *all, struct str user2, struct inbox **out)
{
	*out = table_find(&all->table, user2);
	if (*out)
		return ERR_OK;
	struct inbox *inbox = mem_alloc(sizeof *inbox);
	inbox->user2 = str_copy(user2);
	struct store *store = all->turn->store;
	enum err e = store->invites(store->impl, user2, add_copy, inbox);
	if (e != ERR_OK) {
		inbox_free(inbox);
		return e;
	}
	table_add(&all->table, inbox);
	*out = inbox;
	return ERR_OK;
}

/* Where the invitation to this room stands, or `count`. */
static size_t position(const struct inbox *inbox, struct str room)
{
	size_t at = 0;
	while (at < inbox->count && !str_equal(inbox->pending[at].room, room))
		at++;
	return at;
}

static size_t count_from(const struct inbox *inbox, struct str user)
{
	size_t count = 0;
	for (size_t i = 0; i < inbox->count; i++)
		count += str_equal(inbox->pending[i].user, user);
	return count;
}

enum err inbox_put(struct inboxes *all, struct inbox *inbox,
		   const struct rec_invitation *invitation)
{
	CHECK(invitation->room.len > 0 && invitation->user.len > 0);
	size_t at = position(inbox, invitation->room);
	if (at < inbox->count && str_equal(inbox->pending[at].user, invitation->user))
		return ERR_OK;
	if (count_from(inbox, invitation->user) >= INVITES_FROM_ONE_MAX)
		return ERR_RATE_LIMITED;
	if (at < inbox->count)
		drop_at(inbox, at);
	if (!add_copy(inbox, invitation))
		return ERR_RATE_LIMITED;
	turn_put_invite(all->turn, inbox->user2, invitation);
	return ERR_OK;
}

void inbox_drop(struct inboxes *all, struct inbox *inbox, struct str room)
{
	size_t at = position(inbox, room);
	if (at == inbox->count)
		return;
	turn_drop_invite(all->turn, inbox->user2, room);
	drop_at(inbox, at);
}

struct list inbox_list(const struct inbox *inbox, struct buf *packed)
{
	for (size_t i = 0; i < inbox->count; i++)
		bus_pack_invitation(packed, &inbox->pending[i]);
	return (struct list){.count = (uint32_t)inbox->count, .packed = buf_view(packed)};
}
