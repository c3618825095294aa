// SPDX-License-Identifier: MIT
/* deeds.c — what people do, and what they are answered. */
#include "tests/scripts/play.h"

#include <jansson.h>

/* A guest's key has at least 16 bytes. */
#define KEY_TAIL "-0123456789abcdef"

static json_t *text(struct str s)
{
	return json_stringn(s.ptr, s.len);
}

static json_t *number(uint64_t n)
{
	return json_integer((json_int_t)n);
}

/* ---- asking ---- */

static void await(struct play *p, const struct sentence *s, struct guest *g, uint64_t id)
{
	CHECK(p->pending_count < PENDING_MAX);
	p->pending[p->pending_count++] = (struct pending){s, g, id};
}

static void ask(struct play *p, const struct sentence *s, struct guest *g, struct str event,
		json_t *data)
{
	await(p, s, g, guest_ask(g, event, data));
}

static void ask_join(struct play *p, const struct sentence *s, struct guest *g)
{
	struct str room = sentence_text(s, "ROOM");
	uint64_t since = sentence_number(s, "since");
	json_t *data = json_pack("{s:o,s:o}", "username", text(g->user), "room", text(room));
	if (sentence_has(s, "since"))
		json_object_set_new(data, "since", number(since));
	if (sentence_has(s, "key")) {
		struct buf key = {0};
		buf_str(&key, sentence_text(s, "key"));
		BUF_LIT(&key, KEY_TAIL);
		json_object_set_new(data, "key", text(buf_view(&key)));
		buf_free(&key);
	}
	await(p, s, g, guest_ask_join(g, room, since, data));
}

static void ask_say(struct play *p, const struct sentence *s, struct guest *g)
{
	for (size_t i = 0; i < s->texts.count; i++) {
		json_t *data = json_pack("{s:o,s:o}", "room", text(sentence_text(s, "ROOM")),
					 "body", text(s->texts.list[i]));
		if (sentence_has(s, "as"))
			json_object_set_new(data, "cid", text(sentence_text(s, "as")));
		ask(p, s, g, STR("updateChat"), data);
	}
}

static void ask_read(struct play *p, const struct sentence *s, struct guest *g)
{
	static const char *const bounds[] = {"before", "after", "limit"};
	json_t *data = json_pack("{s:o}", "room", text(sentence_text(s, "ROOM")));
	for (size_t i = 0; i < ARRAY_LEN(bounds); i++)
		if (sentence_has(s, bounds[i]))
			json_object_set_new(data, bounds[i], number(sentence_number(s, bounds[i])));
	ask(p, s, g, STR("history"), data);
}

static void ask_invite(struct play *p, const struct sentence *s, struct guest *g)
{
	struct str room = sentence_text(s, "ROOM");
	ask(p, s, g, STR("newRoom"),
	    json_pack("{s:o,s:o}", "room", text(room), "username2",
		      text(sentence_text(s, "USER"))));
}

static void ask_in_room(struct play *p, const struct sentence *s, struct guest *g, struct str event)
{
	ask(p, s, g, event, json_pack("{s:o}", "room", text(sentence_text(s, "ROOM"))));
}

static bool ask_any(struct play *p, const struct sentence *s, struct guest *g)
{
	struct str data = sentence_text(s, "TEXT");
	json_t *json = json_loadb(data.ptr, data.len, JSON_DECODE_ANY, NULL);
	if (!json)
		return play_fail(p, s, "that is no JSON");
	ask(p, s, g, sentence_text(s, "EVENT"), json);
	return true;
}

/* ---- being here ---- */

static bool arrive(struct play *p, const struct sentence *s, struct guest *g)
{
	uint32_t gateway = (uint32_t)(p->arrivals++ % p->world.gateways);
	enum wire wire = s->kind == SENTENCE_arrive_io ? WIRE_SOCKETIO : WIRE_NATIVE;
	if (g->close_code)
		return play_fail(p, s, STR_FMT " was closed with %u", STR_ARG(g->who),
				 g->close_code);
	if (sentence_has(s, "at")) {
		struct node *node = play_node(p, sentence_text(s, "at"));
		if (!node || node->service != SERVICE_GATEWAY)
			return play_fail(p, s, "there is no such gateway");
		gateway = node->index;
	}
	if (!guest_arrive(g, gateway, wire, sentence_has(s, "batches")))
		return play_fail(p, s, "gateway-%u is down", gateway);
	return true;
}

/* Whoever goes gets no answers any more, and is not waited for. */
static bool go(struct play *p, struct guest *g)
{
	size_t kept = 0;
	for (size_t i = 0; i < p->pending_count; i++)
		if (p->pending[i].guest != g)
			p->pending[kept++] = p->pending[i];
	p->pending_count = kept;
	guest_go(g);
	return true;
}

static bool begin(struct play *p, const struct sentence *s, struct guest *g)
{
	switch ((int)s->kind) {
	case SENTENCE_join:
		ask_join(p, s, g);
		return true;
	case SENTENCE_leave:
		ask_in_room(p, s, g, STR("userLeave"));
		return true;
	case SENTENCE_say:
		ask_say(p, s, g);
		return true;
	case SENTENCE_type:
		ask_in_room(p, s, g, STR("userTyping"));
		return true;
	case SENTENCE_invite:
		ask_invite(p, s, g);
		return true;
	case SENTENCE_read:
		ask_read(p, s, g);
		return true;
	case SENTENCE_ask:
		return ask_any(p, s, g);
	case SENTENCE_send:
		guest_send(g, sentence_text(s, "TEXT"));
		return true;
	case SENTENCE_go:
	case SENTENCE_lose:
		return go(p, g);
	case SENTENCE_away:
	case SENTENCE_again:
		conn_stall(g->conn, s->kind == SENTENCE_away);
		return true;
	}
	return play_fail(p, s, "nothing that one does");
}

/* ---- being answered ---- */

static bool is_found(const struct history *h, const struct texts *expected)
{
	if (expected->is_any)
		return true;
	if (h->has_more != expected->has_more || h->is_reset != expected->is_anew ||
	    h->texts.count != expected->count)
		return false;
	for (size_t i = 0; i < expected->count; i++)
		if (!str_equal(h->texts.list[i], expected->list[i]))
			return false;
	return true;
}

static bool check_found(struct play *p, const struct pending *due, const struct history *h)
{
	if (is_found(h, &due->sentence->texts))
		return true;
	struct buf found = {0};
	for (size_t i = 0; i < h->texts.count && i < 5; i++)
		buf_printf(&found, " \"" STR_FMT "\"", STR_ARG(h->texts.list[i]));
	play_fail(p, due->sentence, STR_FMT " finds %s%zu messages%s:" STR_FMT,
		  STR_ARG(due->guest->who), h->is_reset ? "anew " : "", h->texts.count,
		  h->has_more ? " and more" : "", STR_ARG(buf_view(&found)));
	buf_free(&found);
	return false;
}

/* Whether the room is left in the same breath, so that no greeting need come. */
static bool is_left_at_once(const struct sentence *s)
{
	struct str room = sentence_text(s, "ROOM");
	for (; s->is_with_next; s = s->next)
		if (s->next->kind == SENTENCE_leave &&
		    str_equal(sentence_text(s->next, "ROOM"), room))
			return true;
	return false;
}

static bool check_join(struct play *p, const struct pending *due)
{
	struct seat *seat = guest_seat(due->guest, sentence_text(due->sentence, "ROOM"));
	if (is_left_at_once(due->sentence))
		return true;
	while (!seat->greeting.has_come)
		if (!due->guest->conn || !play_wait(p))
			return play_fail(p, due->sentence, STR_FMT " is not greeted",
					 STR_ARG(due->guest->who));
	return check_found(p, due, &seat->greeting);
}

static bool check_said(struct play *p, const struct pending *due, uint64_t seq, size_t nth,
		       uint64_t before)
{
	const struct sentence *s = due->sentence;
	if (sentence_has(s, "message") && seq != sentence_number(s, "message") + nth)
		return play_fail(p, s, "it is message %" PRIu64, seq);
	if (seq <= before)
		return play_fail(p, s, "\"" STR_FMT "\" is stored before what was said before it",
				 STR_ARG(s->texts.list[nth]));
	return true;
}

static bool check_invited(struct play *p, const struct pending *due, struct str status)
{
	bool is_in = sentence_has(due->sentence, "alreadyIn");
	if (str_equal(status, is_in ? STR("alreadyIn") : STR("invited")))
		return true;
	return play_fail(p, due->sentence, "the answer is " STR_FMT, STR_ARG(status));
}

/* `nth` of its sentence; *seq is that of the text before it. */
static bool check_reply(struct play *p, const struct pending *due, size_t nth, uint64_t *seq)
{
	const struct sentence *s = due->sentence;
	const struct reply *reply = &due->guest->replies[due->id % REPLIES_MAX];
	struct str code = sentence_text(s, s->kind == SENTENCE_ask ? "CODE" : "refused");
	while (!reply->has_come)
		if (!due->guest->conn || !play_wait(p))
			return play_fail(p, s, STR_FMT " gets no answer", STR_ARG(due->guest->who));
	if (!str_equal(reply->code, code))
		return reply->code.len ? play_fail(p, s, STR_FMT " is refused: " STR_FMT,
						   STR_ARG(due->guest->who), STR_ARG(reply->code))
				       : play_fail(p, s, STR_FMT " is not refused",
						   STR_ARG(due->guest->who));
	if (code.len)
		return true;
	uint64_t before = nth ? *seq : 0;
	*seq = reply->seq;
	if (s->kind == SENTENCE_join)
		return check_join(p, due);
	if (s->kind == SENTENCE_say)
		return check_said(p, due, reply->seq, nth, before);
	if (s->kind == SENTENCE_invite)
		return check_invited(p, due, reply->status);
	if (s->kind == SENTENCE_read)
		return check_found(p, due, &reply->page);
	return true;
}

bool play_deed(struct play *p, const struct sentence *s)
{
	struct guest *g = play_guest(p, sentence_text(s, "WHO"));
	uint64_t seq = 0;
	size_t nth = 0;
	bool is_good = true;
	if (p->pending_count + s->texts.count >= PENDING_MAX)
		return play_fail(p, s, "too much at once");
	bool is_arriving = s->kind == SENTENCE_arrive || s->kind == SENTENCE_arrive_io;
	if (is_arriving && g->conn)
		return play_fail(p, s, STR_FMT " is here already", STR_ARG(g->who));
	if (!g->conn && !arrive(p, s, g))
		return false;
	if (!is_arriving && !begin(p, s, g))
		return false;
	if (s->is_with_next)
		return true;
	guest_flush(g);
	for (size_t i = 0; is_good && i < p->pending_count; i++) {
		const struct pending *due = &p->pending[i];
		nth = i && due->sentence == p->pending[i - 1].sentence ? nth + 1 : 0;
		is_good = check_reply(p, due, nth, &seq);
	}
	p->pending_count = 0;
	return is_good;
}
