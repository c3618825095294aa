// SPDX-License-Identifier: MIT
/* conn.c — the connections of simulated clients. It does what the gateway's shell does: takes
 * frames while the client reads, says `blocked` when the client has stopped reading and its window
 * is full, keeps what follows, and says `writable` later. */
#include "tests/sim/net.h"

struct conn {
	struct conn *next;
	struct node *gateway;
	struct session *session; /* NULL: closed on the gateway's side */
	void *client;            /* NULL: closed on the client's side */
	const struct conn_events *events;
	struct buf window;     /* sent, and not read by the client while it stalls */
	struct buf kept;       /* what the shell keeps for a blocked connection */
	struct unread *unread; /* what came while the gateway reads nothing of it */
	enum wire wire;
	bool is_stalled, is_blocked, is_closing, is_paused;
	uint16_t close_code;
	uint64_t sent, read; /* texts by the client, and of these by the gateway */
	uint64_t last_ms;    /* when the newest text arrives */
	uint64_t in_transit; /* texts on their way; the struct lives while there are any */
};

/* A text that the gateway has not read. */
struct unread {
	struct unread *next;
	struct str text; /* owned */
};

struct conn *conn_open(struct world *w, uint32_t gateway, enum wire wire, bool is_batched,
		       void *client, const struct conn_events *events)
{
	struct node *n = &w->gateway[gateway];
	if (!n->is_up)
		return NULL;
	struct conn *c = mem_alloc(sizeof *c);
	*c = (struct conn){
		.next = w->conns, .gateway = n, .client = client, .events = events, .wire = wire};
	w->conns = c;
	c->session = gateway_connect(n->gateway, w->now_ms, c, wire, is_batched);
	n->is_due = true;
	return c;
}

void conn_send(struct world *w, struct conn *c, struct str text)
{
	c->in_transit++;
	c->sent++;
	net_client_text(w, c, &c->last_ms, text);
}

/* `2`, the id of the ack if one is wanted, and the array. */
static void read_packet(struct world *w, struct conn *c, struct str text)
{
	struct gateway_out *out = &c->gateway->gateway_out;
	uint64_t id = 0;
	size_t at = 1;
	CHECK(text.len && text.ptr[0] == '2');
	for (; at < text.len && text.ptr[at] >= '0' && text.ptr[at] <= '9'; at++)
		id = id * 10 + (uint64_t)(text.ptr[at] - '0');
	struct str array = str_of(text.ptr + at, text.len - at);
	gateway_packet(c->gateway->gateway, w->now_ms, c->session, at > 1, id, array, out);
}

static void read_text(struct world *w, struct conn *c, struct str text)
{
	c->read++;
	if (c->wire == WIRE_SOCKETIO)
		read_packet(w, c, text);
	else
		gateway_frame(c->gateway->gateway, w->now_ms, c->session, text,
			      &c->gateway->gateway_out);
	c->gateway->is_due = true;
}

static struct unread *take_unread(struct conn *c, struct str *text)
{
	struct unread *u = c->unread;
	c->unread = u->next;
	*text = u->text;
	return u;
}

void conn_read_unread(struct world *w, struct node *gateway)
{
	struct str text;
	for (struct conn *c = w->conns; c; c = c->next)
		while (c->gateway == gateway && c->unread && !c->is_paused) {
			mem_free(take_unread(c, &text));
			if (c->session && !c->is_closing)
				read_text(w, c, text);
			str_free(&text);
		}
}

static void conn_free(struct conn *c)
{
	struct str text;
	while (c->unread) {
		mem_free(take_unread(c, &text));
		str_free(&text);
	}
	buf_free(&c->window);
	buf_free(&c->kept);
	mem_free(c);
}

void conn_arrived(struct world *w, struct conn *c, struct str text)
{
	c->in_transit--;
	if (!c->session || c->is_closing)
		return;
	bool is_stopped = c->gateway->resume_ms > w->now_ms;
	if (!c->is_paused && !is_stopped && !c->unread) {
		read_text(w, c, text);
		return;
	}
	struct unread **end = &c->unread;
	while (*end)
		end = &(*end)->next;
	*end = mem_alloc(sizeof **end);
	(*end)->text = str_copy(text);
}

/* The gateway's end goes; the client hears of it when it reads. */
static void drop_session(struct world *w, struct conn *c)
{
	if (!c->session)
		return;
	gateway_disconnect(c->gateway->gateway, w->now_ms, c->session, &c->gateway->gateway_out);
	c->session = NULL;
	c->gateway->is_due = true;
}

static void tell_closed(struct conn *c)
{
	void *client = c->client;
	c->client = NULL;
	if (client)
		c->events->closed(client, c->close_code);
}

void conn_close(struct world *w, struct conn *c)
{
	c->client = NULL;
	drop_session(w, c);
}

uint64_t conn_sent(const struct conn *c)
{
	return c->sent;
}

uint64_t conn_read(const struct conn *c)
{
	return c->read;
}

uint32_t conn_gateway(const struct conn *c)
{
	return c->gateway->index;
}

bool conn_was_paused(const struct conn *c, uint64_t since_ms)
{
	return c->gateway->resume_ms >= since_ms;
}

void conn_gateway_died(struct world *w, struct node *gateway)
{
	(void)w;
	for (struct conn *c = w->conns; c; c = c->next) {
		if (c->gateway != gateway || !c->session)
			continue;
		c->session = NULL; /* gateway_close frees it */
		c->close_code = 1006;
		tell_closed(c);
	}
}

/* Gives whole frames to the client. */
static void give(struct conn *c, struct str bytes)
{
	size_t at = 0;
	while (at < bytes.len && c->client) {
		const unsigned char *head = (const unsigned char *)bytes.ptr + at;
		CHECK(head[0] == 0x81 || head[0] == 0x89);
		size_t len = head[1];
		size_t header = 2;
		if (len == 126) {
			len = (size_t)head[2] << 8 | head[3];
			header = 4;
		} else if (len == 127) {
			len = 0;
			for (size_t i = 2; i < 10; i++)
				len = len << 8 | head[i];
			header = 10;
		}
		CHECK(at + header + len <= bytes.len);
		if (head[0] == 0x81)
			c->events->text(c->client, str_of(bytes.ptr + at + header, len));
		at += header + len;
	}
}

static void take(struct world *w, struct conn *c, struct str bytes)
{
	if (c->is_blocked) {
		buf_str(&c->kept, bytes);
		if (c->kept.len > w->overflow_max)
			w->overflow_max = c->kept.len;
		return;
	}
	if (!c->is_stalled && !c->window.len) {
		give(c, bytes);
		return;
	}
	buf_str(&c->window, bytes);
	if (c->window.len <= CONN_ROOM_BYTES)
		return;
	c->is_blocked = true;
	gateway_blocked(c->gateway->gateway, w->now_ms, c->session);
	c->gateway->is_due = true;
}

static void carry_out(struct world *w, struct conn *c, const struct client_op *op)
{
	if (!c->session || c->is_closing)
		return;
	switch (op->kind) {
	case CLIENT_SEND:
		take(w, c, str_of(op->ptr, op->len));
		return;
	case CLIENT_CLOSE:
		c->is_closing = true;
		c->close_code = op->code;
		return;
	case CLIENT_PING:
		if (!c->is_stalled && c->client)
			gateway_on_activity(c->gateway->gateway, w->now_ms, c->session);
		return;
	case CLIENT_PAUSE:
		c->is_paused = true;
		return;
	case CLIENT_RESUME: /* the shell gives what it has, in the next turn */
		c->is_paused = false;
		return;
	case CLIENT_LOOK: /* it takes all or nothing */
		return;
	}
}

/* What its gateway has sent is there for the client, whatever that does now. */
void conn_stall(struct conn *c, bool is_stalled)
{
	struct buf window = c->window;
	c->is_stalled = is_stalled;
	c->gateway->is_due = true;
	if (is_stalled)
		return;
	c->window = (struct buf){0};
	give(c, buf_view(&window));
	buf_free(&window);
}

static void read_on(struct world *w, struct conn *c)
{
	struct buf kept = c->kept;
	if (c->is_stalled || !c->is_blocked)
		return;
	c->kept = (struct buf){0};
	give(c, buf_view(&kept));
	buf_free(&kept);
	c->is_blocked = false;
	if (c->session) {
		gateway_writable(c->gateway->gateway, w->now_ms, c->session,
				 &c->gateway->gateway_out);
		c->gateway->is_due = true;
	}
}

void conn_carry_out(struct world *w, struct node *gateway, struct gateway_out *out)
{
	for (size_t i = 0; i < out->op_count; i++) {
		struct client_op op = out->ops[i];
		carry_out(w, op.conn, &op);
	}
	for (struct conn *c = w->conns; c; c = c->next) {
		if (c->gateway != gateway)
			continue;
		read_on(w, c);
		if (c->is_closing) {
			drop_session(w, c);
			tell_closed(c);
		}
	}
	for (struct conn **at = &w->conns; *at;) {
		struct conn *c = *at;
		/* Ops of another gateway may still point to its own connections. */
		bool is_anothers = c->gateway != gateway && c->gateway->is_up;
		if (is_anothers || c->session || c->client || c->in_transit) {
			at = &c->next;
			continue;
		}
		*at = c->next;
		conn_free(c);
	}
}

bool conn_is_quiet(const struct world *w, const struct node *gateway)
{
	for (const struct conn *c = w->conns; c; c = c->next)
		if (c->gateway == gateway &&
		    ((!c->is_stalled && c->is_blocked) || (c->unread && !c->is_paused)))
			return false;
	return true;
}

void conn_free_all(struct world *w)
{
	while (w->conns) {
		struct conn *c = w->conns;
		w->conns = c->next;
		conn_free(c);
	}
}
