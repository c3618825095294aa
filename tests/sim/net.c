// SPDX-License-Identifier: MIT
/* net.c — the bus of the simulated world. Between two nodes messages keep their order, as on one
 * socket; across nodes they do not. Any of them may be lost, repeated or late. What was sent to a
 * process that has died since is lost. */
#include "tests/sim/net.h"

enum {
	DELAY_MAX_MS = 3,
	SLOW_MAX_MS = 700,
	CUT_MAX_MS = 9000,
	ISOLATE_MAX_MS = 14000,
	CLIENT = 255
};

/* One message on its way. */
struct parcel {
	uint64_t at_ms, order;
	struct node *to;
	struct node *from;
	struct conn *conn; /* a client's text */
	uint64_t life, from_life;
	enum channel channel;
	bool is_request;
	struct str bytes; /* owned */
};

/* Messages that arrived while the node was stopped, or in this turn. */
struct inbox {
	struct inbox *next;
	struct parcel parcel;
};

static uint32_t place(const struct node *n)
{
	return ((uint32_t)n->service - 1) * NODES_MAX + n->index;
}

static bool is_before(const struct parcel *a, const struct parcel *b)
{
	return a->at_ms != b->at_ms ? a->at_ms < b->at_ms : a->order < b->order;
}

static void push(struct world *w, const struct parcel *p)
{
	if (w->heap_count == w->heap_cap) {
		w->heap_cap = w->heap_cap ? w->heap_cap * 2 : 64;
		w->heap = mem_resize(w->heap, w->heap_cap * sizeof *w->heap);
	}
	size_t at = w->heap_count++;
	while (at > 0 && is_before(p, &w->heap[(at - 1) / 2])) {
		w->heap[at] = w->heap[(at - 1) / 2];
		at = (at - 1) / 2;
	}
	w->heap[at] = *p;
}

static struct parcel pop(struct world *w)
{
	struct parcel first = w->heap[0];
	struct parcel last = w->heap[--w->heap_count];
	size_t at = 0;
	for (;;) {
		size_t child = 2 * at + 1;
		if (child >= w->heap_count)
			break;
		if (child + 1 < w->heap_count && is_before(&w->heap[child + 1], &w->heap[child]))
			child++;
		if (!is_before(&w->heap[child], &last))
			break;
		w->heap[at] = w->heap[child];
		at = child;
	}
	w->heap[at] = last;
	return first;
}

uint64_t net_next_ms(const struct world *w)
{
	return w->heap_count ? w->heap[0].at_ms : UINT64_MAX;
}

static void post(struct world *w, struct node *from, struct node *to, enum channel channel,
		 bool is_request, struct str bytes)
{
	w->messages++;
	if (!to->is_up || w->cut_until[place(from)][place(to)] > w->now_ms ||
	    rng_chance(&w->rng, w->faults.drop)) {
		w->drops++;
		return;
	}
	uint64_t *last = &w->last_arrival[place(from)][place(to)][channel];
	uint64_t at = w->now_ms + 1 + rng_below(&w->rng, DELAY_MAX_MS);
	if (rng_chance(&w->rng, w->faults.slow))
		at += rng_below(&w->rng, SLOW_MAX_MS);
	if (at < *last)
		at = *last;
	*last = at;
	int copies = rng_chance(&w->rng, w->faults.repeat) ? 2 : 1;
	while (copies--)
		push(w, &(struct parcel){.at_ms = at,
					 .order = ++w->order,
					 .to = to,
					 .from = from,
					 .life = to->life,
					 .from_life = from->life,
					 .channel = channel,
					 .is_request = is_request,
					 .bytes = str_copy(bytes)});
}

/* Sends each piece of the batch behind a header to one node, or to all gateways. */
static void send_pieces(struct world *w, struct node *from, struct node *to, enum channel channel,
			bool is_request, struct envelope *self, const struct batch *batch)
{
	struct buf message = {0};
	struct str piece;
	for (size_t i = 0; batch_piece(batch, i, &piece); i++) {
		if (channel == CHANNEL_BUS)
			self->seq++;
		buf_reset(&message);
		bus_put_header(&message, self);
		buf_str(&message, piece);
		if (to)
			post(w, from, to, channel, is_request, buf_view(&message));
		for (uint32_t g = 0; !to && g < w->gateways; g++)
			post(w, from, &w->gateway[g], channel, false, buf_view(&message));
	}
	buf_free(&message);
}

void net_publish(struct world *w, struct node *from, struct node *to, struct link_out *link,
		 const struct batch *batch)
{
	if (batch->count == 0)
		return;
	send_pieces(w, from, to, CHANNEL_BUS, false, &link->next, batch);
}

void net_broadcast(struct world *w, struct node *from, const struct batch *batch)
{
	if (batch->count == 0)
		return;
	send_pieces(w, from, NULL, CHANNEL_BUS, false, &from->down.next, batch);
}

void net_ask(struct world *w, struct node *from, struct node *to, enum channel channel,
	     const struct batch *batch)
{
	struct envelope self = from->down.next;
	self.seq = 0;
	self.to = to->index + 1;
	send_pieces(w, from, to, channel, true, &self, batch);
}

static void respond(struct world *w, struct node *from, struct node *to, enum channel channel,
		    const struct batch *batch)
{
	struct envelope self = from->down.next;
	self.seq = 0;
	send_pieces(w, from, to, channel, false, &self, batch);
}

void net_response(struct world *w, struct node *from, uint64_t requester, const struct batch *batch)
{
	respond(w, from, &w->roomd[requester], CHANNEL_ASK, batch);
}

static void heartbeat(struct world *w, struct node *from, struct node *to, struct link_out *link,
		      bool is_ready)
{
	if (!link_heartbeat_due(link, w->now_ms))
		return;
	link->heartbeat_ms = w->now_ms;
	struct batch batch = {0};
	bus_put_heartbeat(&batch, &(struct ev_heartbeat){.ready = is_ready});
	if (to)
		net_publish(w, from, to, link, &batch);
	else
		net_broadcast(w, from, &batch);
	batch_free(&batch);
}

void net_heartbeats(struct world *w, struct node *n)
{
	if (n->service != SERVICE_GATEWAY) {
		heartbeat(w, n, NULL, &n->down, true);
		return;
	}
	for (uint32_t i = 0; i < w->roomds; i++)
		heartbeat(w, n, &w->roomd[i], &n->up[0][i], true);
	for (uint32_t i = 0; i < w->historyds; i++)
		heartbeat(w, n, &w->historyd[i], &n->up[1][i], true);
}

uint64_t net_heartbeat_ms(const struct world *w, const struct node *n)
{
	if (n->service != SERVICE_GATEWAY)
		return n->down.heartbeat_ms + HEARTBEAT_MS;
	uint64_t at = UINT64_MAX;
	for (uint32_t i = 0; i < w->roomds; i++)
		if (n->up[0][i].heartbeat_ms + HEARTBEAT_MS < at)
			at = n->up[0][i].heartbeat_ms + HEARTBEAT_MS;
	for (uint32_t i = 0; i < w->historyds; i++)
		if (n->up[1][i].heartbeat_ms + HEARTBEAT_MS < at)
			at = n->up[1][i].heartbeat_ms + HEARTBEAT_MS;
	return at;
}

void net_client_text(struct world *w, struct conn *c, uint64_t *last_ms, struct str text)
{
	uint64_t at = w->now_ms + 1 + rng_below(&w->rng, DELAY_MAX_MS);
	*last_ms = at < *last_ms ? *last_ms : at;
	push(w,
	     &(struct parcel){
		     .at_ms = *last_ms, .order = ++w->order, .conn = c, .bytes = str_copy(text)});
}

void net_deliver(struct world *w)
{
	while (w->heap_count && w->heap[0].at_ms <= w->now_ms) {
		struct parcel p = pop(w);
		if (p.conn) {
			conn_arrived(w, p.conn, p.bytes);
			str_free(&p.bytes);
			continue;
		}
		if (!p.to->is_up || p.to->life != p.life) {
			str_free(&p.bytes);
			continue;
		}
		struct inbox *in = mem_alloc(sizeof *in);
		in->parcel = p;
		struct inbox **end = &p.to->inbox;
		while (*end)
			end = &(*end)->next;
		*end = in;
		p.to->is_due = true;
	}
}

static void read_pages(struct world *w, struct node *n, const struct parcel *p)
{
	struct batch responses = {0};
	struct bus_reader reader;
	bus_reader_init(&reader, SERVICE_ANY);
	if (historyd_read(store_memory_store(n->disk), historyd_topology(n->historyd), &reader,
			  p->bytes, &responses))
		respond(w, n, p->from, CHANNEL_READ, &responses);
	bus_reader_free(&reader);
	batch_free(&responses);
}

/* Which connection carries what a life of a node says. */
static uint32_t pipe_of(const struct node *n, uint64_t life)
{
	return (uint32_t)life * (3 * NODES_MAX) + place(n) + 1;
}

/* Gateways dial roomds and historyds, and these find them by their connections. */
static struct bus_source source_of(const struct parcel *p)
{
	if (p->to->service == SERVICE_GATEWAY ||
	    (p->to->service == SERVICE_ROOMD && p->from->service == SERVICE_HISTORYD))
		return (struct bus_source){.kind = p->from->service, .shard = p->from->index};
	return (struct bus_source){.kind = SERVICE_ANY, .pipe = pipe_of(p->from, p->from_life)};
}

void net_died(struct world *w, const struct node *n)
{
	for (uint32_t i = 0; i < w->roomds; i++)
		if (w->roomd[i].is_up && w->cut_until[place(n)][place(&w->roomd[i])] <= w->now_ms)
			roomd_pipe_closed(w->roomd[i].roomd, pipe_of(n, n->life));
	for (uint32_t i = 0; i < w->historyds; i++)
		if (w->historyd[i].is_up &&
		    w->cut_until[place(n)][place(&w->historyd[i])] <= w->now_ms)
			historyd_pipe_closed(w->historyd[i].historyd, pipe_of(n, n->life));
}

void net_take_inbox(struct world *w, struct node *n)
{
	while (n->inbox) {
		struct inbox *in = n->inbox;
		const struct parcel *p = &in->parcel;
		const struct bus_source source = source_of(p);
		n->inbox = in->next;
		if (n->service == SERVICE_GATEWAY)
			gateway_step(n->gateway, w->now_ms, &source, p->bytes, &n->gateway_out);
		else if (n->service == SERVICE_ROOMD)
			roomd_step(n->roomd, w->now_ms, &source, p->bytes, &n->roomd_out);
		else if (p->channel == CHANNEL_READ)
			read_pages(w, n, p);
		else if (p->is_request)
			historyd_request(n->historyd, w->now_ms, &source, p->bytes, p->from->index);
		else
			historyd_step(n->historyd, w->now_ms, world_utc_ms(w, n), &source,
				      p->bytes);
		str_free(&in->parcel.bytes);
		mem_free(in);
	}
}

/* The place of any node that there is. */
static uint32_t some_place(struct world *w)
{
	uint32_t n = (uint32_t)rng_below(&w->rng, w->gateways + w->roomds + w->historyds);
	if (n < w->gateways)
		return place(&w->gateway[n]);
	n -= w->gateways;
	return n < w->roomds ? place(&w->roomd[n]) : place(&w->historyd[n - w->roomds]);
}

void net_cut_some(struct world *w)
{
	uint32_t from = some_place(w);
	uint32_t to = some_place(w);
	uint64_t ms = 300 + rng_below(&w->rng, CUT_MAX_MS);
	bool is_both_ways = rng_chance(&w->rng, 500000);
	world_tell(w, "%s-%u to %s-%u is cut for %" PRIu64 " ms%s",
		   service_name((enum service)(from / NODES_MAX + 1)), from % NODES_MAX,
		   service_name((enum service)(to / NODES_MAX + 1)), to % NODES_MAX, ms,
		   is_both_ways ? ", both ways" : "");
	w->cut_until[from][to] = w->now_ms + ms;
	if (is_both_ways)
		w->cut_until[to][from] = w->now_ms + ms;
	w->cuts++;
}

void net_cut(struct world *w, struct node *a, struct node *b, uint64_t ms)
{
	world_tell(w, "%s-%u and %s-%u are cut apart for %" PRIu64 " ms", service_name(a->service),
		   a->index, service_name(b->service), b->index, ms);
	w->cut_until[place(a)][place(b)] = w->cut_until[place(b)][place(a)] = w->now_ms + ms;
	w->cuts++;
}

/* One that clients may still reach. */
void net_isolate_some(struct world *w)
{
	uint32_t node = some_place(w);
	uint64_t ms = 300 + rng_below(&w->rng, ISOLATE_MAX_MS);
	for (uint32_t i = 0; i < ARRAY_LEN(w->cut_until); i++)
		w->cut_until[node][i] = w->cut_until[i][node] = w->now_ms + ms;
	world_tell(w, "%s-%u is cut off from all for %" PRIu64 " ms",
		   service_name((enum service)(node / NODES_MAX + 1)), node % NODES_MAX, ms);
	w->cuts++;
}

void net_forget(struct world *w, struct node *n)
{
	(void)w;
	while (n->inbox) {
		struct inbox *in = n->inbox;
		n->inbox = in->next;
		str_free(&in->parcel.bytes);
		mem_free(in);
	}
}

void net_free(struct world *w)
{
	while (w->heap_count)
		str_free(&w->heap[--w->heap_count].bytes);
	mem_free(w->heap);
}
