// SPDX-License-Identifier: MIT
/* expelled.c — tells gateways who may not be in a room any more, again and again until the gateway
 * says that the user has left it: a lost event would leave a stranger in a private room. */
#include "roomd/state.h"

struct expelled {
	TAILQ_ENTRY(expelled) entry; /* in roomd.expelled, by announced_ms */
	uint64_t gateway, announced_ms;
	struct str room, user;
	char text[]; /* room and user */
};

static void announce(struct roomd *r, uint64_t gateway, struct str room, struct str user)
{
	bus_put_join_answer(&r->out->down, &(struct ev_join_answer){.gateway = gateway,
								    .room = room,
								    .user = user,
								    .status = ERR_FORBIDDEN});
}

static struct expelled *find(const struct roomd *r, uint64_t gateway, struct str room,
			     struct str user)
{
	struct expelled *x;
	TAILQ_FOREACH (x, &r->expelled, entry)
		if (x->gateway == gateway && str_equal(x->room, room) && str_equal(x->user, user))
			return x;
	return NULL;
}

static void forget(struct roomd *r, struct expelled *x)
{
	CHECK(r->expelled_count > 0);
	TAILQ_REMOVE(&r->expelled, x, entry);
	r->expelled_count--;
	mem_free(x);
}

void expelled_announce(struct roomd *r, uint64_t gateway, struct str room, struct str user)
{
	announce(r, gateway, room, user);
	/* More than that at once are told by their gateways' next members round. */
	if (r->expelled_count == EXPELLED_MAX || find(r, gateway, room, user))
		return;
	struct expelled *x = mem_alloc(offsetof(struct expelled, text) + room.len + user.len);
	x->gateway = gateway;
	x->announced_ms = r->now_ms;
	x->room = str_put(x->text, room);
	x->user = str_put(x->text + room.len, user);
	TAILQ_INSERT_TAIL(&r->expelled, x, entry);
	r->expelled_count++;
}

void expelled_gone(struct roomd *r, uint64_t gateway, struct str room, struct str user)
{
	struct expelled *x = find(r, gateway, room, user);
	if (x)
		forget(r, x);
}

void expelled_forget(struct roomd *r, uint64_t gateway)
{
	struct expelled *x = TAILQ_FIRST(&r->expelled);
	while (x) {
		struct expelled *next = TAILQ_NEXT(x, entry);
		if (x->gateway == gateway)
			forget(r, x);
		x = next;
	}
}

void expelled_tick(struct roomd *r)
{
	struct expelled *x;
	while ((x = TAILQ_FIRST(&r->expelled)) != NULL &&
	       x->announced_ms + EXPELLED_ANNOUNCE_MS <= r->now_ms) {
		x->announced_ms = r->now_ms;
		TAILQ_REMOVE(&r->expelled, x, entry);
		TAILQ_INSERT_TAIL(&r->expelled, x, entry);
		announce(r, x->gateway, x->room, x->user);
	}
}

void expelled_check(const struct roomd *r)
{
	const struct expelled *x;
	uint32_t count = 0;
	uint64_t last_ms = 0;
	TAILQ_FOREACH (x, &r->expelled, entry) {
		CHECK(x->announced_ms >= last_ms && x->announced_ms <= r->now_ms);
		/* Nothing is told to a gateway that is gone. */
		CHECK(table_find(&r->peers, str_of((const char *)&x->gateway, sizeof x->gateway)));
		CHECK(find(r, x->gateway, x->room, x->user) == x);
		last_ms = x->announced_ms;
		count++;
	}
	CHECK(count == r->expelled_count && count <= EXPELLED_MAX);
}
