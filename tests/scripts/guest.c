// SPDX-License-Identifier: MIT
/* guest.c — see guest.h. What every client may rely on is judged here, whatever the story says: one
 * reply to each request, the messages of a room one after another, the order of a greeting. */
#include "tests/scripts/guest.h"
#include "tests/sim/wire.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

static void fault(struct guest *g, const char *what, struct str room)
{
	if (!g->fault[0])
		snprintf(g->fault, sizeof g->fault, STR_FMT " %s" STR_FMT, STR_ARG(g->who), what,
			 STR_ARG(room));
}

struct seat *guest_seat(struct guest *g, struct str room)
{
	for (size_t i = 0; i < g->seat_count; i++)
		if (str_equal(g->seats[i].room, room))
			return &g->seats[i];
	CHECK(g->seat_count < SEATS_MAX);
	struct seat *seat = &g->seats[g->seat_count++];
	*seat = (struct seat){.room = arena_copy(g->arena, room)};
	return seat;
}

static void seat_clear(struct seat *seat)
{
	seat->has_list = false;
	seat->greeting = (struct history){0};
}

static struct thing *add_thing(struct guest *g, enum thing_kind kind, struct str room)
{
	struct thing *thing = arena_alloc(g->arena, sizeof *thing);
	*thing = (struct thing){.kind = kind, .room = arena_copy(g->arena, room)};
	*g->things_end = thing;
	g->things_end = &thing->next;
	return thing;
}

/* ---- what it is told ---- */

static struct texts texts_of(struct guest *g, const json_t *array, const char *member)
{
	size_t count = json_array_size(array);
	struct texts texts = {.list = arena_alloc(g->arena, (count + 1) * sizeof *texts.list)};
	for (; texts.count < count; texts.count++) {
		const json_t *item = json_array_get(array, texts.count);
		if (member)
			item = json_object_get(item, member);
		struct str text = {json_string_value(item), json_string_length(item)};
		texts.list[texts.count] = arena_copy(g->arena, text);
	}
	return texts;
}

static struct history history_of(struct guest *g, const json_t *messages, bool has_more)
{
	size_t count = json_array_size(messages);
	struct history h = {.has_come = true, .has_more = has_more};
	h.texts = texts_of(g, messages, "body");
	h.first_seq = number_of(json_array_get(messages, 0), "seq");
	h.last_seq = count ? number_of(json_array_get(messages, count - 1), "seq") : 0;
	if (count && h.last_seq - h.first_seq != count - 1)
		fault(g, "gets a history with gaps", STR(""));
	return h;
}

static void on_history(struct guest *g, const struct heard *h)
{
	struct seat *seat = guest_seat(g, h->room);
	if (!seat->has_list)
		fault(g, "gets the history before the list of ", h->room);
	seat->greeting = history_of(g, h->data, h->has_more);
	seat->greeting.is_reset = h->is_reset;
	if (seat->greeting.last_seq)
		seat->last_seq = seat->greeting.last_seq;
	else if (h->is_reset)
		seat->last_seq = 0;
	else if (seat->since > seat->last_seq)
		seat->last_seq = seat->since;
}

static void on_message(struct guest *g, const struct heard *h)
{
	struct seat *seat = guest_seat(g, h->room);
	struct thing *thing = add_thing(g, THING_SAY, h->room);
	thing->user = arena_copy(g->arena, text_of(h->data, "username"));
	thing->text = arena_copy(g->arena, text_of(h->data, "body"));
	if (number_of(h->data, "seq") != seat->last_seq + 1)
		fault(g, "gets messages that do not follow one another in ", h->room);
	seat->last_seq = number_of(h->data, "seq");
}

static enum thing_kind kind_of(struct str event)
{
	static const struct {
		const char *event;
		enum thing_kind kind;
	} kinds[] = {
		{"userJoin", THING_JOIN},   {"userLeave", THING_LEAVE},
		{"userTyping", THING_TYPE}, {"userStoppedTyping", THING_STOP},
		{"newRoom", THING_INVITE},
	};
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (str_equal(event, str_from(kinds[i].event)))
			return kinds[i].kind;
	return THING_OTHER;
}

static struct reply *reply_for(struct guest *g, uint64_t id)
{
	struct reply *reply = &g->replies[id % REPLIES_MAX];
	if (id == 0 || id > g->last_id || id + REPLIES_MAX <= g->last_id || reply->has_come)
		fault(g, "gets a reply that nothing waits for", STR(""));
	reply->has_come = true;
	return reply;
}

static void on_ack(struct guest *g, const struct heard *h)
{
	struct reply *reply = reply_for(g, h->id);
	const json_t *messages = json_object_get(h->data, "messages");
	if (reply->joined)
		seat_clear(reply->joined);
	reply->seq = number_of(h->data, "seq");
	reply->status = arena_copy(g->arena, text_of(h->data, "status"));
	if (messages)
		reply->page =
			history_of(g, messages, json_is_true(json_object_get(h->data, "more")));
	if (!reply->seq)
		return;
	struct seat *seat = guest_seat(g, text_of(h->data, "room"));
	if (reply->seq > seat->last_seq + 1)
		fault(g, "gets an ack before earlier messages of ", seat->room);
	if (reply->seq > seat->last_seq)
		seat->last_seq = reply->seq;
}

static void on_error(struct guest *g, const struct heard *h)
{
	struct str code = arena_copy(g->arena, text_of(h->data, "code"));
	if (h->id)
		reply_for(g, h->id)->code = code;
	else
		add_thing(g, THING_ERROR, text_of(h->data, "room"))->text = code;
}

static void on_heard(struct guest *g, const struct heard *h)
{
	if (str_equal(h->event, STR("ack")))
		on_ack(g, h);
	else if (str_equal(h->event, STR("error")))
		on_error(g, h);
	else if (str_equal(h->event, STR("updateChat")))
		on_message(g, h);
	else if (str_equal(h->event, STR("msgHistory")))
		on_history(g, h);
	else if (str_equal(h->event, STR("activeUsers"))) {
		guest_seat(g, h->room)->users = texts_of(g, h->data, NULL);
		guest_seat(g, h->room)->has_list = true;
	} else {
		struct thing *thing = add_thing(g, kind_of(h->event), h->room);
		thing->user = arena_copy(g->arena, text_of(h->data, "username"));
	}
}

static void on_text(void *client, struct str payload)
{
	struct guest *g = client;
	world_tell(g->world, STR_FMT " < " STR_FMT, STR_ARG(g->who), STR_ARG(payload));
	while (payload.len) {
		const char *end = memchr(payload.ptr, '\n', payload.len);
		size_t len = end ? (size_t)(end - payload.ptr) : payload.len;
		struct heard h;
		if (wire_read(g->wire, str_of(payload.ptr, len), &h))
			on_heard(g, &h);
		else
			fault(g, "gets what is no event: ", str_of(payload.ptr, len));
		json_decref(h.root);
		payload = str_of(payload.ptr + len + (end != NULL),
				 payload.len - len - (end != NULL));
	}
}

static void on_closed(void *client, uint16_t code)
{
	struct guest *g = client;
	g->conn = NULL;
	g->close_code = code;
}

/* ---- what it does ---- */

void guest_init(struct guest *g, struct world *world, struct arena *arena, struct str who)
{
	const char *at = memchr(who.ptr, '@', who.len);
	*g = (struct guest){.world = world, .arena = arena, .who = who, .user = who};
	if (at)
		g->user.len = (size_t)(at - who.ptr);
	g->things_end = &g->things;
}

void guest_flush(struct guest *g)
{
	struct str frame = buf_view(&g->frame);
	if (g->conn && frame.len) {
		world_tell(g->world, STR_FMT " > " STR_FMT, STR_ARG(g->who), STR_ARG(frame));
		conn_send(g->world, g->conn, frame);
	}
	buf_reset(&g->frame);
}

bool guest_arrive(struct guest *g, uint32_t gateway, enum wire wire, bool is_batched)
{
	static const struct conn_events events = {.text = on_text, .closed = on_closed};
	g->wire = wire;
	g->is_batched = is_batched;
	g->seat_count = 0;
	g->conn = conn_open(g->world, gateway, wire, is_batched, g, &events);
	return g->conn != NULL;
}

void guest_go(struct guest *g)
{
	guest_flush(g);
	conn_close(g->world, g->conn);
	g->conn = NULL;
}

void guest_send(struct guest *g, struct str text)
{
	if (!g->is_batched)
		guest_flush(g);
	else if (g->frame.len)
		BUF_LIT(&g->frame, "\n");
	buf_str(&g->frame, text);
}

uint64_t guest_ask(struct guest *g, struct str event, struct json_t *data)
{
	uint64_t id = ++g->last_id;
	struct buf frame = {0};
	char *text = json_dumps(data, JSON_COMPACT | JSON_ENCODE_ANY);
	g->replies[id % REPLIES_MAX] = (struct reply){0};
	if (g->wire == WIRE_SOCKETIO)
		buf_printf(&frame, "2%" PRIu64 "[\"" STR_FMT "\",%s]", id, STR_ARG(event), text);
	else
		buf_printf(&frame, "{\"event\":\"" STR_FMT "\",\"id\":%" PRIu64 ",\"data\":%s}",
			   STR_ARG(event), id, text);
	guest_send(g, buf_view(&frame));
	buf_free(&frame);
	json_decref(data);
	free(text);
	return id;
}

uint64_t guest_ask_join(struct guest *g, struct str room, uint64_t since, struct json_t *data)
{
	struct seat *seat = guest_seat(g, room);
	uint64_t id = guest_ask(g, STR("userJoin"), data);
	seat->since = since;
	g->replies[id % REPLIES_MAX].joined = seat;
	return id;
}

void guest_free(struct guest *g)
{
	buf_free(&g->frame);
}
