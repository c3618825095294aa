// SPDX-License-Identifier: MIT
/* world.c — see world.h: nodes, their turns, and the faults that befall them. The bus is net.c, the
 * connections conn.c. */
#include "tests/sim/net.h"

#include <stdarg.h>
#include <stdio.h>

enum { HOUR_MS = 3600000, EPOCH_BASE = 1000000, DISK_RETRY_MS = 1000, FAULT_INTERVAL_MS = 1000 };
#define UTC_BASE 1700000000000u

void world_tell(const struct world *w, const char *fmt, ...)
{
	va_list args;
	if (w->now_ms < w->tell_from_ms || w->now_ms >= w->tell_to_ms)
		return;
	printf("%7" PRIu64 ".%03" PRIu64 "  ", w->now_ms / 1000, w->now_ms % 1000);
	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	putchar('\n');
}

static struct envelope self_of(const struct world *w, const struct node *n)
{
	return (struct envelope){.from = n->service,
				 .id = n->index,
				 .epoch = EPOCH_BASE + w->now_ms * 1000 + n->life,
				 .roomds = w->roomds,
				 .historyds = w->historyds,
				 .cluster = STR("simulated")};
}

static void start(struct world *w, struct node *n)
{
	struct envelope self = self_of(w, n);
	n->life++;
	n->is_up = true;
	n->restart_ms = 0;
	n->down = (struct link_out){.next = self};
	for (size_t i = 0; i < NODES_MAX; i++)
		n->up[0][i] = n->up[1][i] = (struct link_out){.next = self};
	for (uint32_t i = 0; i < NODES_MAX; i++)
		n->up[0][i].next.to = n->up[1][i].next.to = i + 1;
	if (n->service == SERVICE_GATEWAY) {
		struct gateway_options o;
		gateway_options_default(&o);
		o.id = n->index;
		o.epoch = self.epoch;
		o.roomd_shards = w->roomds;
		o.historyd_shards = w->historyds;
		o.seed = rng_next(&w->rng);
		o.log_bytes = 4096; /* so that readers fall out of it */
		n->gateway = gateway_open(&o, w->now_ms);
	} else if (n->service == SERVICE_ROOMD) {
		struct roomd_options o = {.id = n->index,
					  .epoch = self.epoch,
					  .historyd_shards = w->historyds,
					  .seed = rng_next(&w->rng)};
		n->roomd = roomd_open(&o, w->now_ms);
	} else {
		struct historyd_options o = {.shard = n->index,
					     .shards = w->historyds,
					     .cluster = self.cluster,
					     .seed = rng_next(&w->rng),
					     .epoch = rng_next(&w->aside) >> 11 | 1,
					     .restores = store_memory_restores(n->disk),
					     .rooms_max = 4};
		n->historyd = historyd_open(&o, store_memory_store(n->disk));
	}
	world_tell(w, "%s-%u starts", service_name(n->service), n->index);
}

static void stop(struct world *w, struct node *n)
{
	if (!n->is_up)
		return;
	n->is_up = false;
	net_died(w, n);
	net_forget(w, n);
	if (n->service == SERVICE_GATEWAY) {
		conn_gateway_died(w, n);
		gateway_close(n->gateway);
		n->gateway = NULL;
	} else if (n->service == SERVICE_ROOMD) {
		roomd_close(n->roomd);
		n->roomd = NULL;
	} else {
		historyd_close(n->historyd);
		n->historyd = NULL;
		store_memory_crash(n->disk);
		n->disk_retry_ms = 0;
	}
	gateway_out_free(&n->gateway_out);
	roomd_out_free(&n->roomd_out);
	historyd_out_free(&n->historyd_out);
}

void world_crash(struct world *w, struct node *n, uint64_t down_ms)
{
	if (!n->is_up)
		return;
	world_tell(w, "%s-%u crashes for %" PRIu64 " ms", service_name(n->service), n->index,
		   down_ms);
	stop(w, n);
	n->restart_ms = w->now_ms + down_ms;
	n->resume_ms = 0;
	w->crashes++;
}

void world_put_back(struct world *w, struct node *n, struct store_memory *copy, bool is_raised)
{
	world_tell(w, "an older copy takes the place of the disk of historyd-%u%s", n->index,
		   is_raised ? ", seqs are raised" : "");
	world_crash(w, n, DISK_RETRY_MS);
	store_memory_put_back(n->disk, copy, is_raised);
	n->put_back_ms = w->now_ms;
	w->put_backs++;
}

void world_open(struct world *w, uint64_t seed, const struct plan *plan)
{
	*w = (struct world){.rng = {seed},
			    .aside = {~plan->aside.state},
			    .now_ms = 1000,
			    .faults = plan->faults,
			    .gateways = plan->gateways,
			    .roomds = plan->roomds,
			    .historyds = plan->historyds,
			    .is_checking = plan->is_checking};
	for (uint32_t i = 0; i < NODES_MAX; i++) {
		w->gateway[i] = (struct node){.service = SERVICE_GATEWAY, .index = i};
		w->roomd[i] = (struct node){.service = SERVICE_ROOMD, .index = i};
		w->historyd[i] = (struct node){.service = SERVICE_HISTORYD, .index = i};
	}
	for (uint32_t i = 0; i < plan->historyds; i++) {
		w->historyd[i].disk = store_memory_open();
		start(w, &w->historyd[i]);
	}
	for (uint32_t i = 0; i < plan->roomds; i++)
		start(w, &w->roomd[i]);
	for (uint32_t i = 0; i < plan->gateways; i++)
		start(w, &w->gateway[i]);
	w->next_fault_ms = w->now_ms + FAULT_INTERVAL_MS;
}

static void each_node(struct world *w, void (*fn)(struct world *, struct node *))
{
	for (uint32_t i = 0; i < w->historyds; i++)
		fn(w, &w->historyd[i]);
	for (uint32_t i = 0; i < w->roomds; i++)
		fn(w, &w->roomd[i]);
	for (uint32_t i = 0; i < w->gateways; i++)
		fn(w, &w->gateway[i]);
}

void world_close(struct world *w)
{
	each_node(w, stop);
	conn_free_all(w);
	net_free(w);
	for (uint32_t i = 0; i < w->historyds; i++)
		store_memory_close(w->historyd[i].disk);
}

/* ---- a node's turn ---- */

static void turn_gateway(struct world *w, struct node *n)
{
	struct gateway_out *out = &n->gateway_out;
	conn_read_unread(w, n);
	net_take_inbox(w, n);
	gateway_tick(n->gateway, w->now_ms, out);
	bool has_more = gateway_flush(n->gateway, w->now_ms, out);
	conn_carry_out(w, n, out);
	for (uint32_t i = 0; i < w->roomds; i++)
		net_publish(w, n, &w->roomd[i], &n->up[0][i], &out->roomd[i]);
	for (uint32_t i = 0; i < w->historyds; i++) {
		net_publish(w, n, &w->historyd[i], &n->up[1][i], &out->historyd[i]);
		net_ask(w, n, &w->historyd[i], CHANNEL_READ, &out->read[i]);
	}
	gateway_out_reset(out);
	n->is_due = has_more || !conn_is_quiet(w, n);
}

static void turn_roomd(struct world *w, struct node *n)
{
	struct roomd_out *out = &n->roomd_out;
	net_take_inbox(w, n);
	roomd_tick(n->roomd, w->now_ms, out);
	net_broadcast(w, n, &out->down);
	for (uint32_t i = 0; i < w->historyds; i++)
		net_ask(w, n, &w->historyd[i], CHANNEL_ASK, &out->ask[i]);
	roomd_out_reset(out);
	n->is_due = false;
}

uint64_t world_utc_ms(const struct world *w, const struct node *n)
{
	return (uint64_t)((int64_t)(UTC_BASE + w->now_ms) + n->utc_skew_ms);
}

static void turn_historyd(struct world *w, struct node *n)
{
	struct historyd_out *out = &n->historyd_out;
	net_take_inbox(w, n);
	historyd_tick(n->historyd, w->now_ms);
	if (n->disk_retry_ms && w->now_ms >= n->disk_retry_ms) {
		n->disk_retry_ms = 0;
		historyd_set_writable(n->historyd, true);
		n->down.next = self_of(
			w, n); /* as after a restart: what was committed unseen is asked for */
	}
	if (historyd_flush(n->historyd, w->now_ms, out) != ERR_OK && !n->disk_retry_ms) {
		world_tell(w, "historyd-%u: the commit failed", n->index);
		n->disk_retry_ms = w->now_ms + DISK_RETRY_MS;
		historyd_set_writable(n->historyd, false);
	}
	net_broadcast(w, n, &out->down);
	for (size_t i = 0; i < out->response_count; i++)
		net_response(w, n, out->responses[i].requester, &out->responses[i].events);
	historyd_out_reset(out);
	n->is_due = false;
}

static uint64_t next_due(const struct node *n)
{
	if (n->service == SERVICE_GATEWAY)
		return gateway_next_due(n->gateway);
	if (n->service == SERVICE_ROOMD)
		return roomd_next_due(n->roomd);
	return UINT64_MAX;
}

/* The core's own invariants. */
static void check(struct node *n)
{
	if (n->service == SERVICE_ROOMD)
		roomd_check(n->roomd);
	else if (n->service == SERVICE_GATEWAY)
		gateway_check(n->gateway);
	else
		historyd_check(n->historyd);
}

static void turn(struct world *w, struct node *n)
{
	if (!n->is_up) {
		if (n->restart_ms && w->now_ms >= n->restart_ms)
			start(w, n);
		return;
	}
	if (n->resume_ms > w->now_ms)
		return;
	net_heartbeats(w, n);
	if (!n->is_due && w->now_ms < next_due(n) && !n->disk_retry_ms)
		return;
	if (n->service == SERVICE_GATEWAY)
		turn_gateway(w, n);
	else if (n->service == SERVICE_ROOMD)
		turn_roomd(w, n);
	else
		turn_historyd(w, n);
	if (w->is_checking)
		check(n);
}

/* ---- faults ---- */

/* Full, or not to be read, for some seconds. */
static void fail_disk_for_a_while(struct world *w, struct node *n)
{
	if (w->now_ms >= n->disk_full_until && rng_chance(&w->rng, w->faults.full)) {
		n->disk_full_until = w->now_ms + rng_below(&w->rng, 10000);
		world_tell(w, "the disk of historyd-%u is full", n->index);
		w->disk_faults++;
	}
	if (w->now_ms >= n->disk_unreadable_until && rng_chance(&w->rng, w->faults.unreadable)) {
		n->disk_unreadable_until = w->now_ms + rng_below(&w->rng, 10000);
		world_tell(w, "the disk of historyd-%u cannot be read", n->index);
		w->disk_faults++;
	}
	store_memory_set_full(n->disk, w->now_ms < n->disk_full_until);
	store_memory_set_unreadable(n->disk, w->now_ms < n->disk_unreadable_until);
}

static void maybe_fail(struct world *w, struct node *n)
{
	const struct faults *f = &w->faults;
	if (!n->is_up)
		return;
	if (rng_chance(&w->rng, f->crash)) {
		world_crash(w, n, 100 + rng_below(&w->rng, 8000));
		return;
	}
	if (rng_chance(&w->rng, f->pause)) {
		uint64_t ms = 500 + rng_below(&w->rng, 9000);
		world_tell(w, "%s-%u is stopped for %" PRIu64 " ms", service_name(n->service),
			   n->index, ms);
		n->resume_ms = w->now_ms + ms;
		n->is_due = true;
		w->pauses++;
	}
	if (n->disk && rng_chance(&w->rng, f->disk)) {
		store_memory_fail_commit(n->disk, 1 + rng_below(&w->rng, 5),
					 rng_chance(&w->rng, 500000));
		w->disk_faults++;
	}
	if (n->disk)
		fail_disk_for_a_while(w, n);
}

/* Wrong by up to an hour or some days, or right again. */
static void set_clock(struct world *w, struct node *n)
{
	uint64_t most = rng_chance(&w->rng, 200000) ? 100 * HOUR_MS : HOUR_MS;
	n->utc_skew_ms = (int64_t)rng_below(&w->rng, 2 * most) - (int64_t)most;
	if (rng_chance(&w->rng, 300000))
		n->utc_skew_ms = 0;
	world_tell(w, "the clock of historyd-%u jumps to %+" PRId64 " ms", n->index,
		   n->utc_skew_ms);
}

static void fail_sometimes(struct world *w)
{
	if (w->now_ms < w->next_fault_ms)
		return;
	w->next_fault_ms += FAULT_INTERVAL_MS;
	each_node(w, maybe_fail);
	if (rng_chance(&w->rng, w->faults.cut))
		net_cut_some(w);
	if (w->faults.isolate && rng_chance(&w->rng, w->faults.isolate))
		net_isolate_some(w);
	if (rng_chance(&w->rng, w->faults.clock))
		set_clock(w, &w->historyd[rng_below(&w->rng, w->historyds)]);
}

static void recover(struct world *w, struct node *n)
{
	if (n->resume_ms > w->now_ms)
		n->resume_ms = w->now_ms;
	n->is_due = true;
	if (!n->is_up)
		start(w, n);
	if (!n->disk)
		return;
	n->disk_full_until = n->disk_unreadable_until = 0;
	store_memory_fail_commit(n->disk, 0, false);
	store_memory_set_full(n->disk, false);
	store_memory_set_unreadable(n->disk, false);
}

void world_calm(struct world *w)
{
	world_tell(w, "all faults end");
	w->faults = (struct faults){0};
	memset(w->cut_until, 0, sizeof w->cut_until);
	each_node(w, recover);
}

static uint64_t sooner(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* The next moment at which anything can happen. */
static uint64_t next_moment(struct world *w)
{
	uint64_t at = sooner(net_next_ms(w), w->next_fault_ms);
	for (uint32_t kind = 0; kind < 3; kind++) {
		struct node *nodes = kind == 0 ? w->gateway : kind == 1 ? w->roomd : w->historyd;
		uint32_t count = kind == 0 ? w->gateways : kind == 1 ? w->roomds : w->historyds;
		for (uint32_t i = 0; i < count; i++) {
			struct node *n = &nodes[i];
			if (!n->is_up)
				at = sooner(at, n->restart_ms ? n->restart_ms : UINT64_MAX);
			else if (n->resume_ms > w->now_ms)
				at = sooner(at, n->resume_ms);
			else if (n->is_due || n->disk_retry_ms)
				at = sooner(at, w->now_ms + 1);
			else
				at = sooner(at, sooner(next_due(n), net_heartbeat_ms(w, n)));
		}
	}
	return at > w->now_ms ? at : w->now_ms + 1;
}

void world_run(struct world *w, uint64_t until_ms)
{
	while (w->now_ms < until_ms) {
		w->now_ms = sooner(next_moment(w), until_ms);
		fail_sometimes(w);
		net_deliver(w);
		each_node(w, turn);
	}
}
