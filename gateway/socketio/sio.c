// SPDX-License-Identifier: MIT
/* sio.c — see sio.h. */
#include "gateway/socketio/packet.h"
#include "gateway/socketio/sio.h"

/* ---- out ---- */

void sio_send(struct sio_client *c, struct str head, struct str json, const struct str *attachments,
	      size_t attachment_count)
{
	struct buf b = {0};
	buf_str(&b, head);
	buf_str(&b, json);
	eio_send_message(c->session, buf_view(&b), false);
	buf_free(&b);
	for (size_t i = 0; i < attachment_count; i++)
		eio_send_message(c->session, attachments[i], true);
}

void sio_end(struct sio_client *c)
{
	eio_end(c->session, c->sio->now_ms);
}

static void send_reply(struct sio_client *c, char type, struct str namespace, struct str json)
{
	struct buf head = {0};
	buf_append(&head, &type, 1);
	if (namespace.len > 1) {
		buf_str(&head, namespace);
		BUF_LIT(&head, ",");
	}
	sio_send(c, buf_view(&head), json, NULL, 0);
	buf_free(&head);
}

/* Not the session's own sid, which is a secret. */
static void send_connected(struct sio_client *c, struct str namespace)
{
	struct buf json = {0};
	unsigned char random[12];
	if (eio_revision(c->session) == 4) {
		c->sio->eio->options.random(random, sizeof random);
		BUF_LIT(&json, "{\"sid\":\"");
		for (size_t i = 0; i < sizeof random; i++)
			buf_printf(&json, "%02x", random[i]);
		BUF_LIT(&json, "\"}");
	}
	send_reply(c, SIO_CONNECT, namespace, buf_view(&json));
	buf_free(&json);
}

/* `why` is one of our own sentences, which needs no escaping. */
static void send_refused(struct sio_client *c, struct str namespace, const char *why)
{
	struct buf json = {0};
	buf_printf(&json, eio_revision(c->session) == 3 ? "\"%s\"" : "{\"message\":\"%s\"}", why);
	send_reply(c, SIO_CONNECT_ERROR, namespace, buf_view(&json));
	buf_free(&json);
}

/* ---- in ---- */

static size_t namespace_named(const struct sio *s, struct str name)
{
	size_t i = 0;
	while (i < s->options.namespace_count &&
	       !str_equal(name, str_from(s->options.namespaces[i])))
		i++;
	return i;
}

static void enter(struct sio_client *c, size_t namespace, struct str auth)
{
	struct sio *s = c->sio;
	struct str name = str_from(s->options.namespaces[namespace]);
	struct str object = auth.len ? auth : STR("{}");
	const char *why =
		s->app.admit ? s->app.admit(s->app_ctx, c, namespace, object, c->token) : NULL;
	if (why) {
		send_refused(c, name, why);
		return;
	}
	if (!c->has_connected)
		TAILQ_REMOVE(&s->waiting, c, waiting);
	c->has_connected = c->is_connected[namespace] = true;
	c->connected_count++;
	str_free(&c->token);
	send_connected(c, name);
	s->app.connected(s->app_ctx, c, namespace, object);
	if (eio_is_blocked(c->session)) /* by our own answer, before the application was there */
		s->app.blocked(s->app_ctx, c);
}

/* Each try costs SIO_CONNECT_MS, of which SIO_CONNECTS_MAX may be owed: to check who it is costs us
 * more than it costs the client to ask. */
static bool may_connect(struct sio_client *c)
{
	uint64_t now_ms = c->sio->now_ms;
	if (c->connects_until_ms < now_ms)
		c->connects_until_ms = now_ms;
	c->connects_until_ms += SIO_CONNECT_MS;
	return c->connects_until_ms <= now_ms + (uint64_t)SIO_CONNECTS_MAX * SIO_CONNECT_MS;
}

static bool handle_connect(struct sio_client *c, const struct sio_packet *p)
{
	if (!may_connect(c))
		return false;
	size_t namespace = namespace_named(c->sio, p->namespace);
	bool is_old = eio_revision(c->session) == 3;
	if (namespace == c->sio->options.namespace_count) {
		send_refused(c, p->namespace, "Invalid namespace");
		return true;
	}
	if (c->is_connected[namespace])
		return is_old && namespace == 0; /* some say it although it is implied */
	size_t spaces = sio_spaces_at(p->json);
	if (p->json.len && (spaces == p->json.len || p->json.ptr[spaces] != '{'))
		return false;
	enter(c, namespace, p->json);
	return true;
}

static bool is_anywhere(const struct sio_client *c)
{
	bool is_in = false;
	for (size_t i = 0; i < c->sio->options.namespace_count; i++)
		is_in |= c->is_connected[i];
	return is_in;
}

/* Who is nowhere any more has as long as a newcomer to be somewhere again. */
static bool handle_disconnect(struct sio_client *c, size_t namespace)
{
	c->is_connected[namespace] = false;
	c->sio->app.on_detached(c->sio->app_ctx, c, namespace);
	if (!is_anywhere(c)) {
		c->has_connected = false;
		c->opened_ms = c->sio->now_ms;
		TAILQ_INSERT_TAIL(&c->sio->waiting, c, waiting);
	}
	return true;
}

static bool deliver_event(struct sio_client *c, const struct sio_packet *p, size_t namespace)
{
	struct str attachments[SIO_ATTACHMENTS_MAX];
	size_t at = 0;
	for (size_t i = 0; i < c->got; i++) {
		attachments[i] = str_of(c->bytes.ptr + at, c->ends[i] - at);
		at = c->ends[i];
	}
	return c->sio->app.event(c->sio->app_ctx, c,
				 &(struct sio_event){.namespace = namespace,
						     .id = p->id,
						     .array = p->json,
						     .attachments = attachments,
						     .attachment_count = c->got});
}

/* False: this is not how one talks. */
static bool handle_packet(struct sio_client *c, struct str text)
{
	struct sio_packet p;
	if (!sio_packet_read(&p, text))
		return false;
	if (p.type == SIO_CONNECT)
		return handle_connect(c, &p);
	size_t namespace = namespace_named(c->sio, p.namespace);
	if (namespace == c->sio->options.namespace_count || !c->is_connected[namespace])
		return false;
	switch (p.type) {
	case SIO_DISCONNECT:
		return handle_disconnect(c, namespace);
	case SIO_EVENT:
		return sio_is_event(p.json) && deliver_event(c, &p, namespace);
	case SIO_ACK: /* nothing of ours asks for one */
		return sio_is_array(p.json);
	case SIO_BINARY_EVENT:
	case SIO_BINARY_ACK:
		if (p.type == SIO_BINARY_EVENT ? !sio_is_event(p.json) : !sio_is_array(p.json))
			return false;
		c->wanted = p.attachments;
		buf_str(&c->packet, text);
		return true;
	default:
		return false;
	}
}

static bool handle_attachment(struct sio_client *c, struct str bytes)
{
	struct sio_packet p;
	if (c->got == c->wanted ||
	    c->packet.len + c->bytes.len + bytes.len > c->sio->options.packet_max)
		return false;
	buf_str(&c->bytes, bytes);
	c->ends[c->got++] = c->bytes.len;
	if (c->got < c->wanted)
		return true;
	CHECK(sio_packet_read(&p, buf_view(&c->packet)));
	size_t namespace = namespace_named(c->sio, p.namespace);
	bool is_fine = p.type == SIO_BINARY_ACK || deliver_event(c, &p, namespace);
	c->wanted = c->got = 0;
	buf_reset(&c->packet);
	buf_reset(&c->bytes);
	return is_fine;
}

/* ---- on top of Engine.IO ---- */

static void *on_opened(void *ctx, struct eio_session *session, struct str token)
{
	struct sio *s = ctx;
	struct sio_client *c = mem_alloc(sizeof *c);
	c->sio = s;
	c->session = session;
	c->opened_ms = s->now_ms;
	if (token.len && token.len <= SIO_TOKEN_MAX)
		c->token = str_copy(token);
	TAILQ_INSERT_TAIL(&s->waiting, c, waiting);
	if (eio_revision(session) == 3) /* connected by coming */
		enter(c, 0, (struct str){0});
	return c;
}

static void client_free(struct sio_client *c)
{
	buf_free(&c->packet);
	buf_free(&c->bytes);
	str_free(&c->token);
	mem_free(c);
}

static void on_message(void *ctx, void *client, struct str data, bool is_binary)
{
	struct sio_client *c = client;
	(void)ctx;
	c->is_inside = true; /* it may be ended from within */
	bool is_fine =
		is_binary ? handle_attachment(c, data) : c->wanted == 0 && handle_packet(c, data);
	c->is_inside = false;
	if (c->is_gone)
		client_free(c);
	else if (!is_fine)
		sio_end(c);
}

static void on_activity(void *ctx, void *client)
{
	struct sio *s = ctx;
	s->app.on_activity(s->app_ctx, client);
}

static void on_blocked(void *ctx, void *client)
{
	struct sio *s = ctx;
	s->app.blocked(s->app_ctx, client);
}

static void on_writable(void *ctx, void *client)
{
	struct sio *s = ctx;
	s->app.writable(s->app_ctx, client);
}

static void on_closed(void *ctx, void *client)
{
	struct sio *s = ctx;
	struct sio_client *c = client;
	for (size_t i = 0; i < s->options.namespace_count; i++)
		if (c->is_connected[i])
			(void)handle_disconnect(c, i);
	if (!c->has_connected)
		TAILQ_REMOVE(&s->waiting, c, waiting);
	s->app.closed(s->app_ctx, c);
	c->is_gone = true;
	if (!c->is_inside)
		client_free(c);
}

static bool on_is_full(void *ctx)
{
	const struct sio *s = ctx;
	return s->app.is_full && s->app.is_full(s->app_ctx);
}

void sio_open(struct sio *s, struct eio *eio, const struct sio_options *options)
{
	s->eio = eio;
	s->options = *options;
	TAILQ_INIT(&s->waiting);
	eio->app = (struct eio_app){.opened = on_opened,
				    .message = on_message,
				    .on_activity = on_activity,
				    .blocked = on_blocked,
				    .writable = on_writable,
				    .closed = on_closed,
				    .is_full = on_is_full};
	eio->app_ctx = s;
}

void sio_now(struct sio *s, uint64_t now_ms)
{
	s->now_ms = now_ms;
}

void sio_tick(struct sio *s, uint64_t now_ms)
{
	struct sio_client *c;
	s->now_ms = now_ms;
	while ((c = TAILQ_FIRST(&s->waiting)) != NULL &&
	       c->opened_ms + s->options.connect_ms <= now_ms)
		sio_end(c); /* which takes it out */
}

uint64_t sio_next_due(const struct sio *s)
{
	const struct sio_client *c = TAILQ_FIRST(&s->waiting);
	return c ? c->opened_ms + s->options.connect_ms : UINT64_MAX;
}
