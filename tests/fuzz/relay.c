// SPDX-License-Identifier: MIT
/* relay.c — fuzz target: two gateways that relay requests of long-polling to each other, each with
 * an Engine.IO core, over a way on which messages are lost, repeated, late, and not ours. The way
 * from a task to its session is that of gateway/shell/relay.c. */
#include "gateway/relay/relay.h"
#include "tests/fuzz/script.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
	SIDES = 2,
	CALLERS = 6,
	MESSAGES = 16,
	SESSIONS = 8,
	STEPS_MAX = 200,
	START_MS = 1000,
	PAYLOAD_MAX = 1000,
	QUERY_BYTES = 256,
	SOMEBODY = 7, /* where nobody knows a gateway */
};

/* A client's request to one gateway, on its way to the other. */
struct caller {
	struct relay_call *call;
	bool is_slow, is_answered;
};

struct post {
	struct buf bytes;
	bool is_response;
	size_t to;
};

struct world;
struct side {
	struct world *world;
	size_t index;
	struct relay relay;
	struct eio eio;
	struct caller callers[CALLERS];
	struct eio_session *sessions[SESSIONS];
	struct eio_request own; /* of a client that has come to the right gateway */
};

struct world {
	struct script script;
	struct side sides[SIDES];
	struct post posts[MESSAGES]; /* under way */
	size_t post_count;
	uint64_t now_ms;
};

static void put_header(struct buf *b, const struct relay *from)
{
	bus_put_header(b, &(struct envelope){
				  .from = SERVICE_GATEWAY, .id = from->id, .epoch = from->epoch});
}

/* ---- what a relay asks of its shell ---- */

static void send_message(struct side *s, bool is_response, const struct batch *events)
{
	struct world *w = s->world;
	script_hear(&w->script, events);
	if (w->post_count == MESSAGES)
		return;
	struct post *p = &w->posts[w->post_count++];
	*p = (struct post){.to = 1 - s->index, .is_response = is_response};
	put_header(&p->bytes, &s->relay);
	buf_str(&p->bytes, buf_view(&events->bytes));
}

static bool on_ask(void *ctx, uint64_t gateway, const struct batch *events)
{
	struct side *s = ctx;
	if (gateway == SOMEBODY)
		return false;
	send_message(s, false, events);
	return true;
}

static void on_response(void *ctx, struct str route, const struct batch *events)
{
	CHECK(route.len == 1);
	send_message(ctx, true, events);
}

static void on_answered(void *ctx, void *caller, const struct eio_response *response)
{
	struct side *s = ctx;
	struct caller *c = caller;
	CHECK(c->call && !c->is_answered);
	CHECK(!response || response->status);
	c->is_answered = true;
	if (c->is_slow)
		return;
	relay_delivered(&s->relay, s->world->now_ms, c->call);
	*c = (struct caller){0};
}

static void on_run(void *ctx, struct relay_task *t, const struct relay_request *q)
{
	struct side *s = ctx;
	struct eio_request *r = relay_request_of(t);
	struct eio_query query;
	eio_query_read(&query, q->query);
	r->is_relayed = true;
	if (q->kind == RELAY_GET)
		eio_get(&s->eio, s->world->now_ms, &query, r);
	else if (eio_post_begin(&s->eio, s->world->now_ms, &query, r))
		eio_post(&s->eio, s->world->now_ms, r, q->is_octets, q->body);
}

static void on_gone(void *ctx, struct relay_task *t)
{
	struct side *s = ctx;
	eio_request_gone(&s->eio, s->world->now_ms, relay_request_of(t));
}

static void on_arrived(void *ctx, struct relay_task *t)
{
	struct side *s = ctx;
	eio_response_arrived(&s->eio, s->world->now_ms, relay_request_of(t));
}

static void on_lost(void *ctx, struct str query)
{
	struct side *s = ctx;
	struct eio_query q;
	eio_query_read(&q, query);
	eio_response_lost(&s->eio, s->world->now_ms, &q);
}

/* ---- what Engine.IO asks ---- */

static void on_respond(void *ctx, struct eio_request *r, const struct eio_response *response)
{
	struct side *s = ctx;
	CHECK(r->is_relayed == (r != &s->own));
	if (r->is_relayed)
		relay_finish(&s->relay, s->world->now_ms, relay_task_of(r), response);
}

static void *on_opened(void *ctx, struct eio_session *session, struct str token)
{
	struct side *s = ctx;
	(void)token;
	for (size_t i = 0; i < SESSIONS; i++)
		if (!s->sessions[i]) {
			s->sessions[i] = session;
			return &s->sessions[i];
		}
	return &s->eio; /* there is always a client */
}

/* Some are answered, some end it from within, some stop the reading. */
static void on_message(void *ctx, void *client, struct str data, bool is_binary)
{
	struct side *s = ctx;
	struct eio_session **session = client;
	if (client == &s->eio || data.len == 0)
		return;
	if (data.ptr[0] == 'e')
		eio_end(*session, s->world->now_ms);
	else if (data.ptr[0] == 'p')
		eio_pause(*session, true);
	else
		eio_send_message(*session, data, is_binary);
}

static void on_closed(void *ctx, void *client)
{
	struct side *s = ctx;
	if (client != &s->eio)
		*(struct eio_session **)client = NULL;
}

static void ignore(void *ctx, void *client)
{
	(void)ctx, (void)client;
}

/* Nobody guesses here, and each run is to be the same. */
static unsigned char next_random;
static void count_up(void *bytes, size_t len)
{
	memset(bytes, ++next_random, len);
}

/* ---- steps ---- */

static struct side *take_side(struct world *w)
{
	return &w->sides[script_byte(&w->script) % SIDES];
}

/* A query as a client has it: with the sid of a session over there, or without, or any. */
static struct str take_query(struct world *w, const struct side *owner, char *text)
{
	uint8_t which = script_byte(&w->script);
	const struct eio_session *session = owner->sessions[which % SESSIONS];
	struct buf query = {0};
	if (which >= 0xf0)
		return script_bytes(&w->script);
	buf_printf(&query, "EIO=%c&transport=polling%s", which & 0x80 ? '3' : '4',
		   which & 0x40 ? "&b64=1" : "");
	if (session && !(which & 0x20))
		buf_printf(&query, "&sid=%s", eio_sid(session));
	CHECK(query.len <= QUERY_BYTES);
	memcpy(text, query.ptr, query.len);
	struct str copy = str_of(text, query.len);
	buf_free(&query);
	return copy;
}

static void ask_step(struct world *w, struct side *s)
{
	struct caller *c = &s->callers[script_byte(&w->script) % CALLERS];
	uint8_t how = script_byte(&w->script);
	char text[QUERY_BYTES];
	struct side *owner = &w->sides[1 - s->index];
	if (c->call && c->is_answered && how & 1) {
		relay_delivered(&s->relay, w->now_ms, c->call);
		*c = (struct caller){0};
	} else if (c->call) {
		relay_hang_up(&s->relay, w->now_ms, c->call);
		*c = (struct caller){0};
	} else {
		struct relay_request q = {.kind = how & 1 ? RELAY_POST : RELAY_GET,
					  .query = take_query(w, owner, text),
					  .is_octets = how & 2};
		if (how & 1)
			q.body = script_bytes(&w->script);
		c->is_slow = how & 4;
		c->call = relay_ask(&s->relay, w->now_ms, how & 8 ? SOMEBODY : owner->index, &q, c);
	}
}

/* One of those under way arrives, or is lost; or stays, to come again. */
static void post_step(struct world *w)
{
	uint8_t how = script_byte(&w->script);
	if (w->post_count == 0)
		return;
	size_t which = (how & 0xf) % w->post_count;
	struct post post = w->posts[which];
	struct buf bytes = {0};
	buf_str(&bytes, buf_view(&post.bytes));
	if (!(how & 0x10)) {
		w->posts[which] = w->posts[--w->post_count];
		buf_free(&post.bytes);
	}
	if (!(how & 0x20))
		relay_receive(&w->sides[post.to].relay, w->now_ms, buf_view(&bytes),
			      post.is_response ? STR("") : STR("r"));
	buf_free(&bytes);
}

/* A message that the other side has not sent. */
static void forged_step(struct world *w, struct side *to)
{
	struct batch batch = {0};
	struct buf message = {0};
	uint8_t how = script_byte(&w->script);
	if (!(how & 1))
		put_header(&message, &w->sides[1 - to->index].relay);
	if (how & 2)
		buf_str(&message, script_bytes(&w->script));
	script_event(&w->script, SERVICE_GATEWAY, SERVICE_GATEWAY, &batch);
	buf_str(&message, buf_view(&batch.bytes));
	relay_receive(&to->relay, w->now_ms, buf_view(&message), how & 4 ? STR("") : STR("r"));
	buf_free(&message);
	batch_free(&batch);
}

static void session_step(struct world *w, struct side *s)
{
	uint8_t how = script_byte(&w->script);
	struct eio_session *session = s->sessions[how % SESSIONS];
	if (!session) {
		struct eio_query q;
		eio_query_read(&q, how & 0x80 ? STR("EIO=3&transport=polling")
					      : STR("EIO=4&transport=polling"));
		eio_get(&s->eio, w->now_ms, &q, &s->own);
		CHECK(!s->own.session);
		return;
	}
	if (how & 0x10)
		eio_pause(session, how & 0x20);
	else if (how & 0x20)
		eio_end(session, w->now_ms);
	else
		eio_send_message(session, STR("hello"), how & 0x40);
}

static void time_step(struct world *w)
{
	static const uint64_t steps_ms[] = {1, 100, 1000, 3000, 7000, 15000, 25000, 60000};
	w->now_ms += steps_ms[script_byte(&w->script) % ARRAY_LEN(steps_ms)];
	for (size_t i = 0; i < SIDES; i++) {
		struct relay *r = &w->sides[i].relay;
		relay_tick(r, w->now_ms);
		eio_tick(&w->sides[i].eio, w->now_ms);
		CHECK(relay_next_due(r) > w->now_ms);
		CHECK(eio_next_due(&w->sides[i].eio) > w->now_ms);
	}
}

static void step(struct world *w)
{
	switch (script_byte(&w->script) % 8) {
	case 0:
	case 1:
		ask_step(w, take_side(w));
		break;
	case 2:
	case 3:
	case 4:
		post_step(w);
		break;
	case 5:
		forged_step(w, take_side(w));
		break;
	case 6:
		session_step(w, take_side(w));
		break;
	default:
		time_step(w);
	}
}

static void open_side(struct world *w, size_t index)
{
	struct side *s = &w->sides[index];
	*s = (struct side){.world = w, .index = index};
	s->relay.id = index;
	s->relay.epoch = 1;
	s->relay.ctx = s;
	s->relay.app = (struct relay_app){.ask = on_ask,
					  .response = on_response,
					  .answered = on_answered,
					  .run = on_run,
					  .gone = on_gone,
					  .arrived = on_arrived,
					  .lost = on_lost};
	relay_open(&s->relay, 1);
	eio_open(&s->eio, &(struct eio_options){.ping_interval_ms = 25000,
						.ping_timeout_ms = 20000,
						.payload_max = PAYLOAD_MAX,
						.owner = index,
						.sessions_max = SESSIONS,
						.random = count_up});
	s->eio.transport_ctx = s->eio.app_ctx = s;
	s->eio.transport = (struct eio_transport){.respond = on_respond};
	s->eio.app = (struct eio_app){.opened = on_opened,
				      .message = on_message,
				      .on_activity = ignore,
				      .blocked = ignore,
				      .writable = ignore,
				      .closed = on_closed};
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct world w = {.script = {.at = data, .left = size}, .now_ms = START_MS};
	next_random = 0;
	for (size_t i = 0; i < SIDES; i++)
		open_side(&w, i);
	for (size_t i = 0; i < STEPS_MAX && w.script.left; i++)
		step(&w);
	for (size_t i = 0; i < SIDES; i++) {
		eio_close(&w.sides[i].eio);
		relay_close(&w.sides[i].relay);
	}
	for (size_t i = 0; i < w.post_count; i++)
		buf_free(&w.posts[i].bytes);
	script_free(&w.script);
	return 0;
}
