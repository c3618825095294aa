// SPDX-License-Identifier: MIT
/* relay.c — see shell/relay.h. */
#include "gateway/shell/relay.h"
#include "proto/shell/clock.h"
#include "proto/shell/log.h"

enum { TURN_MESSAGES = 64, ERROR_MAX = 256 };

/* ---- what arrives ---- */

static void receive_all(struct relay_shell *s, struct port *port, bool is_request)
{
	struct port_message m;
	uint64_t now_ms = clock_steady_ms();
	for (int n = 0; n < TURN_MESSAGES && port_receive(port, &m); n++) {
		relay_receive(&s->relay, now_ms, m.bytes,
			      is_request ? port_route(&m) : (struct str){0});
		port_message_free(&m);
	}
}

static void on_request(uv_poll_t *poll, int status, int events)
{
	struct relay_shell *s = poll->data;
	(void)status, (void)events;
	receive_all(s, s->listening, true);
}

static void on_response_here(uv_poll_t *poll, int status, int events)
{
	struct relay_port *p = poll->data;
	(void)status, (void)events;
	receive_all(p->all, p->port, false);
}

static void watch(const struct relay_shell *s, uv_poll_t *poll, const struct port *port, void *data,
		  uv_poll_cb callback)
{
	CHECK(uv_poll_init(s->loop, poll, port_fd(port)) == 0);
	poll->data = data;
	CHECK(uv_poll_start(poll, UV_READABLE, callback) == 0);
}

/* ---- other gateways ---- */

static struct relay_port *dial(struct relay_shell *s, struct str address)
{
	char error[ERROR_MAX];
	char text[ADDRESS_MAX + 1];
	if (s->port_count == RELAY_PORTS_MAX)
		return NULL;
	memcpy(text, address.ptr, address.len);
	text[address.len] = '\0';
	const struct port_options o = {.kind = PORT_REQUEST,
				       .address = text,
				       .endpoint = ENDPOINT_RELAY,
				       .label = "relay",
				       .self = s->self,
				       .tap = s->tap};
	struct port *port = port_open(&o, error, sizeof error);
	if (!port) {
		log_warn("relay_address", "why=\"%s\"", log_sentence(str_from(error)).text);
		return NULL;
	}
	struct relay_port *p = mem_alloc(sizeof *p);
	*p = (struct relay_port){.all = s, .port = port, .address = str_copy(address)};
	watch(s, &p->poll, port, p, on_response_here);
	s->ports[s->port_count++] = p;
	return p;
}

static struct relay_port *port_to(struct relay_shell *s, uint64_t gateway)
{
	struct str address = directory_find(s->directory, clock_steady_ms(), gateway);
	if (!address.len)
		return NULL;
	for (size_t i = 0; i < s->port_count; i++)
		if (str_equal(s->ports[i]->address, address))
			return s->ports[i];
	return dial(s, address);
}

static bool on_ask(void *ctx, uint64_t gateway, const struct batch *events)
{
	struct relay_port *p = port_to(ctx, gateway);
	if (p) /* what does not arrive is said again */
		(void)port_send(p->port, events);
	return p != NULL;
}

static void on_response(void *ctx, struct str route, const struct batch *events)
{
	const struct relay_shell *s = ctx;
	(void)port_respond_along(s->listening, route, events);
}

/* ---- requests ---- */

static void on_answered(void *ctx, void *caller, const struct eio_response *response)
{
	(void)ctx;
	poll_relayed(caller, response);
}

static void on_run(void *ctx, struct relay_task *t, const struct relay_request *q)
{
	struct relay_shell *s = ctx;
	struct eio *e = s->eio->eio;
	struct eio_request *r = relay_request_of(t);
	struct eio_query query;
	uint64_t now_ms = eio_shell_now(s->eio);
	eio_query_read(&query, q->query);
	r->is_relayed = true;
	if (q->kind == RELAY_GET)
		eio_get(e, now_ms, &query, r);
	else if (eio_post_begin(e, now_ms, &query, r))
		eio_post(e, now_ms, r, q->is_octets, q->body);
}

static void on_gone(void *ctx, struct relay_task *t)
{
	struct relay_shell *s = ctx;
	eio_request_gone(s->eio->eio, eio_shell_now(s->eio), relay_request_of(t));
}

static void on_arrived(void *ctx, struct relay_task *t)
{
	struct relay_shell *s = ctx;
	eio_response_arrived(s->eio->eio, eio_shell_now(s->eio), relay_request_of(t));
}

static void on_lost(void *ctx, struct str query)
{
	struct relay_shell *s = ctx;
	struct eio_query q;
	eio_query_read(&q, query);
	eio_response_lost(s->eio->eio, eio_shell_now(s->eio), &q);
}

bool relay_shell_open(struct relay_shell *s, const char *address, uint64_t seed, char *error,
		      size_t error_len)
{
	s->relay.id = s->self.id;
	s->relay.epoch = s->self.epoch;
	s->relay.ctx = s;
	s->relay.app = (struct relay_app){.ask = on_ask,
					  .response = on_response,
					  .answered = on_answered,
					  .run = on_run,
					  .gone = on_gone,
					  .arrived = on_arrived,
					  .lost = on_lost};
	relay_open(&s->relay, seed);
	const struct port_options o = {.kind = PORT_RESPONSE,
				       .listens = true,
				       .address = address,
				       .endpoint = ENDPOINT_RELAY,
				       .label = "relay",
				       .self = s->self,
				       .tap = s->tap};
	s->listening = port_open(&o, error, error_len);
	if (!s->listening)
		return false;
	watch(s, &s->poll, s->listening, s, on_request);
	return true;
}

void relay_shell_close(struct relay_shell *s)
{
	if (!s->listening)
		return;
	uv_close((uv_handle_t *)&s->poll, NULL);
	for (size_t i = 0; i < s->port_count; i++)
		uv_close((uv_handle_t *)&s->ports[i]->poll, NULL);
}
