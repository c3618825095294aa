// SPDX-License-Identifier: MIT
/* turn.c — see turn.h. */
#include "historyd/turn.h"

void historyd_out_reset(struct historyd_out *out)
{
	batch_reset(&out->down);
	for (size_t i = 0; i < out->response_count; i++)
		batch_reset(&out->responses[i].events);
	out->response_count = 0;
}

void historyd_out_free(struct historyd_out *out)
{
	batch_free(&out->down);
	for (size_t i = 0; i < out->response_cap; i++)
		batch_free(&out->responses[i].events);
	mem_free(out->responses);
	*out = (struct historyd_out){0};
}

void turn_init(struct turn *t, struct store *store)
{
	*t = (struct turn){.store = store};
}

void turn_free(struct turn *t)
{
	batch_free(&t->down);
	for (size_t i = 0; i < t->response_cap; i++) {
		batch_free(&t->responses[i].response.events);
		batch_free(&t->responses[i].unavailable);
	}
	mem_free(t->responses);
	*t = (struct turn){0};
}

/* Room for one more item; the new items are zero. */
static void *grown(void *items, size_t *cap, size_t count, size_t item_bytes)
{
	if (count < *cap)
		return items;
	size_t cap_before = *cap;
	*cap = cap_before ? cap_before * 2 : 8;
	char *bytes = mem_resize(items, *cap * item_bytes);
	memset(bytes + cap_before * item_bytes, 0, (*cap - cap_before) * item_bytes);
	return bytes;
}

struct turn_response *turn_response(struct turn *t, uint64_t requester)
{
	t->responses =
		grown(t->responses, &t->response_cap, t->response_count, sizeof *t->responses);
	struct turn_response *a = &t->responses[t->response_count++];
	CHECK(a->response.events.count == 0 && a->unavailable.count == 0);
	a->response.requester = requester;
	return a;
}

void turn_put_chat(struct turn *t, struct str room, const struct rec_chat *chat)
{
	t->writes++;
	t->store->put_chat(t->store->impl, room, chat);
}

void turn_put_room(struct turn *t, struct str room, const struct store_room *facts)
{
	t->writes++;
	t->store->put_room(t->store->impl, room, facts);
}

void turn_put_invite(struct turn *t, struct str user2, const struct rec_invitation *invitation)
{
	t->writes++;
	t->store->put_invite(t->store->impl, user2, invitation);
}

void turn_drop_invite(struct turn *t, struct str user2, struct str room)
{
	t->writes++;
	t->store->drop_invite(t->store->impl, user2, room);
}

static void swap(struct batch *a, struct batch *b)
{
	struct batch was = *a;
	*a = *b;
	*b = was;
}

static void release_deliveries(struct turn *t, struct historyd_out *out)
{
	CHECK(t->is_durable);
	swap(&t->down, &out->down);
}

static void release_responses(struct turn *t, struct historyd_out *out)
{
	for (size_t i = 0; i < t->response_count; i++) {
		struct turn_response *from = &t->responses[i];
		out->responses =
			grown(out->responses, &out->response_cap, i, sizeof *out->responses);
		struct response *to = &out->responses[i];
		CHECK(to->events.count == 0);
		to->requester = from->response.requester;
		swap(&to->events, t->is_durable ? &from->response.events : &from->unavailable);
	}
	out->response_count = t->response_count;
}

static void begin_next(struct turn *t)
{
	batch_reset(&t->down);
	for (size_t i = 0; i < t->response_count; i++) {
		batch_reset(&t->responses[i].response.events);
		batch_reset(&t->responses[i].unavailable);
	}
	t->response_count = 0;
	t->writes = 0;
	t->is_durable = false;
}

enum err turn_end(struct turn *t, struct historyd_out *out)
{
	CHECK(!t->is_durable && out->down.count == 0 && out->response_count == 0);
	enum err result = t->writes ? t->store->commit(t->store->impl) : ERR_OK;
	t->is_durable = result == ERR_OK;
	if (t->is_durable)
		release_deliveries(t, out);
	release_responses(t, out);
	begin_next(t);
	return result;
}
