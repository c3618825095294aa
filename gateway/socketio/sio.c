// SPDX-License-Identifier: MIT
/* sio.c — see sio.h. */
#include "gateway/socketio/sio.h"

enum { CONNECT = '0', DISCONNECT, EVENT, ACK, CONNECT_ERROR, BINARY_EVENT, BINARY_ACK };
enum { ID_DIGITS_MAX = 16 };

/* One packet, taken apart. */
struct packet {
	char type;
	size_t attachments;
	struct str namespace;
	struct str id;
	struct str json;
};

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static struct str behind(struct str s, size_t len)
{
	return str_of(s.ptr + len, s.len - len);
}

static size_t digits_at(struct str s)
{
	size_t n = 0;
	while (n < s.len && is_digit(s.ptr[n]))
		n++;
	return n;
}

static bool read_attachments(struct packet *p, struct str *text)
{
	size_t n = digits_at(*text);
	if (n == 0 || n > 2 || n >= text->len || text->ptr[n] != '-')
		return false;
	for (size_t i = 0; i < n; i++)
		p->attachments = p->attachments * 10 + (size_t)(text->ptr[i] - '0');
	*text = behind(*text, n + 1);
	return p->attachments >= 1 && p->attachments <= SIO_ATTACHMENTS_MAX;
}

/* "/custom," or, where nothing follows, "/custom". */
static void read_namespace(struct packet *p, struct str *text)
{
	p->namespace = STR("/");
	if (text->len == 0 || text->ptr[0] != '/')
		return;
	const char *comma = memchr(text->ptr, ',', text->len);
	size_t len = comma ? (size_t)(comma - text->ptr) : text->len;
	p->namespace = str_of(text->ptr, len);
	*text = behind(*text, comma ? len + 1 : len);
	/* A client of revision 3 may put a query behind it. */
	const char *query = memchr(p->namespace.ptr, '?', p->namespace.len);
	if (query)
		p->namespace.len = (size_t)(query - p->namespace.ptr);
}

static bool read_packet(struct packet *p, struct str text)
{
	*p = (struct packet){0};
	if (text.len == 0 || text.ptr[0] < CONNECT || text.ptr[0] > BINARY_ACK)
		return false;
	p->type = text.ptr[0];
	text = behind(text, 1);
	if ((p->type == BINARY_EVENT || p->type == BINARY_ACK) && !read_attachments(p, &text))
		return false;
	read_namespace(p, &text);
	size_t digits = digits_at(text);
	if (digits > ID_DIGITS_MAX)
		return false;
	p->id = str_of(text.ptr, digits);
	p->json = behind(text, digits);
	return true;
}

/* Not a client's to say. */
static bool is_reserved(struct str name)
{
	static const char *const names[] = {"connect",       "connect_error", "disconnect",
					    "disconnecting", "newListener",   "removeListener"};
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (str_equal(name, str_from(names[i])))
			return true;
	return false;
}

static size_t spaces_at(struct str s)
{
	size_t n = 0;
	while (n < s.len && memchr(" \t\n\r", s.ptr[n], 4))
		n++;
	return n;
}

static bool is_array(struct str json)
{
	size_t spaces = spaces_at(json);
	return spaces < json.len && json.ptr[spaces] == '[';
}

/* The beginning of ["name",… or [number,…; whether it is JSON the application finds out. */
static bool is_event(struct str json)
{
	if (!is_array(json))
		return false;
	struct str first = behind(json, spaces_at(json) + 1);
	first = behind(first, spaces_at(first));
	if (first.len == 0)
		return false;
	if (is_digit(*first.ptr) || *first.ptr == '-')
		return true;
	if (*first.ptr != '"')
		return false;
	const char *end = memchr(first.ptr + 1, '"', first.len - 1);
	return end && !is_reserved(str_of(first.ptr + 1, (size_t)(end - first.ptr) - 1));
}

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
	send_reply(c, CONNECT, namespace, buf_view(&json));
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
	if (!c->has_connected)
		TAILQ_REMOVE(&s->waiting, c, waiting);
	c->has_connected = c->is_connected[namespace] = true;
	send_connected(c, str_from(s->options.namespaces[namespace]));
	s->app.connected(s->app_ctx, c, namespace, auth.len ? auth : STR("{}"));
	if (eio_is_blocked(c->session)) /* by our own answer, before the application was there */
		s->app.blocked(s->app_ctx, c);
}

static bool hear_connect(struct sio_client *c, const struct packet *p)
{
	size_t namespace = namespace_named(c->sio, p->namespace);
	bool is_old = eio_revision(c->session) == 3;
	if (namespace == c->sio->options.namespace_count) {
		send_reply(c, CONNECT_ERROR, p->namespace,
			   is_old ? STR("\"Invalid namespace\"")
				  : STR("{\"message\":\"Invalid namespace\"}"));
		return true;
	}
	if (c->is_connected[namespace])
		return is_old && namespace == 0; /* some say it although it is implied */
	size_t spaces = spaces_at(p->json);
	if (p->json.len && (spaces == p->json.len || p->json.ptr[spaces] != '{'))
		return false;
	enter(c, namespace, p->json);
	return true;
}

static bool hear_disconnect(struct sio_client *c, size_t namespace)
{
	c->is_connected[namespace] = false;
	c->sio->app.left(c->sio->app_ctx, c, namespace);
	return true;
}

static bool tell_event(struct sio_client *c, const struct packet *p, size_t namespace)
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
static bool hear_packet(struct sio_client *c, struct str text)
{
	struct packet p;
	if (!read_packet(&p, text))
		return false;
	if (p.type == CONNECT)
		return hear_connect(c, &p);
	size_t namespace = namespace_named(c->sio, p.namespace);
	if (namespace == c->sio->options.namespace_count || !c->is_connected[namespace])
		return false;
	switch (p.type) {
	case DISCONNECT:
		return hear_disconnect(c, namespace);
	case EVENT:
		return is_event(p.json) && tell_event(c, &p, namespace);
	case ACK: /* nothing of ours asks for one */
		return is_array(p.json);
	case BINARY_EVENT:
	case BINARY_ACK:
		if (p.type == BINARY_EVENT ? !is_event(p.json) : !is_array(p.json))
			return false;
		c->wanted = p.attachments;
		buf_str(&c->packet, text);
		return true;
	default:
		return false;
	}
}

static bool hear_attachment(struct sio_client *c, struct str bytes)
{
	struct packet p;
	if (c->got == c->wanted ||
	    c->packet.len + c->bytes.len + bytes.len > c->sio->options.packet_max)
		return false;
	buf_str(&c->bytes, bytes);
	c->ends[c->got++] = c->bytes.len;
	if (c->got < c->wanted)
		return true;
	CHECK(read_packet(&p, buf_view(&c->packet)));
	size_t namespace = namespace_named(c->sio, p.namespace);
	bool is_fine = p.type == BINARY_ACK || tell_event(c, &p, namespace);
	c->wanted = c->got = 0;
	buf_reset(&c->packet);
	buf_reset(&c->bytes);
	return is_fine;
}

/* ---- on top of Engine.IO ---- */

static void *on_opened(void *ctx, struct eio_session *session)
{
	struct sio *s = ctx;
	struct sio_client *c = mem_alloc(sizeof *c);
	c->sio = s;
	c->session = session;
	c->opened_ms = s->now_ms;
	TAILQ_INSERT_TAIL(&s->waiting, c, waiting);
	if (eio_revision(session) == 3) /* connected by coming */
		enter(c, 0, (struct str){0});
	return c;
}

static void client_free(struct sio_client *c)
{
	buf_free(&c->packet);
	buf_free(&c->bytes);
	mem_free(c);
}

static void on_message(void *ctx, void *client, struct str data, bool is_binary)
{
	struct sio_client *c = client;
	(void)ctx;
	c->is_inside = true; /* it may be ended from within */
	bool is_fine =
		is_binary ? hear_attachment(c, data) : c->wanted == 0 && hear_packet(c, data);
	c->is_inside = false;
	if (c->is_gone)
		client_free(c);
	else if (!is_fine)
		sio_end(c);
}

static void on_heard(void *ctx, void *client)
{
	struct sio *s = ctx;
	s->app.heard(s->app_ctx, client);
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
			(void)hear_disconnect(c, i);
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
				    .heard = on_heard,
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
