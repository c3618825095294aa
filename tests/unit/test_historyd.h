// SPDX-License-Identifier: MIT
/* test_historyd.h — what the tests of historyd's core share: a core over a store in memory, ways to
 * send it events, and what comes out of it as lines of text, so that a test reads like a dialogue.
 */
#ifndef PARLOR_TESTS_TEST_HISTORYD_H
#define PARLOR_TESTS_TEST_HISTORYD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "historyd/historyd.h"
#include "tests/support/store_memory.h"

enum {
	RIG_GATEWAY = 1, /* who posts; `g1` in what comes out */
	RIG_ROOMD = 1,
	RIG_EPOCH = 1,
	RIG_SEED = 7,
	RIG_START_MS = 1000,
	RIG_ROOMS = 10 /* whose logs stay in memory */
};

struct rig {
	struct store_memory *memory;
	struct store *store;
	struct historyd *h;
	struct historyd_out out;
	uint64_t now_ms;
	int64_t clock_ms; /* the wall clock is so far from now_ms */
	uint64_t link_seq;
	uint64_t epoch;    /* of the core's next start; 0: none */
	uint32_t restores; /* of the store */
	uint32_t rooms_max;
	struct batch events; /* events that wait to be sent */
	struct buf message;
	struct buf text;
	struct batch pages;
};

/* The events that wait, as one message. */
static inline struct str rig_message(struct rig *r, enum service from, uint64_t id, uint64_t seq)
{
	const struct envelope env = {.from = from, .id = id, .epoch = RIG_EPOCH, .seq = seq};
	buf_reset(&r->message);
	bus_put_header(&r->message, &env);
	buf_append(&r->message, r->events.bytes.ptr, r->events.bytes.len);
	batch_reset(&r->events);
	return buf_view(&r->message);
}

static const struct bus_source rig_source = {.kind = SERVICE_ANY};
static const struct topology rig_whole = {.kind = SERVICE_HISTORYD};

/* What the wall clock says. */
static inline uint64_t rig_utc(const struct rig *r)
{
	return (uint64_t)((int64_t)r->now_ms + r->clock_ms);
}

static inline void rig_step(struct rig *r)
{
	historyd_step(r->h, r->now_ms, rig_utc(r), &rig_source,
		      rig_message(r, SERVICE_GATEWAY, RIG_GATEWAY, ++r->link_seq));
}

/* Puts into the mail that the gateway's posts begin again. */
static inline void rig_begin(struct rig *r)
{
	bus_put_posts_begin(&r->events, &(struct ev_posts_begin){0});
}

static inline void rig_restart(struct rig *r)
{
	const struct historyd_options options = {.seed = RIG_SEED,
						 .rooms_max = r->rooms_max,
						 .epoch = r->epoch,
						 .restores = r->restores};
	if (r->h)
		historyd_close(r->h);
	store_memory_crash(r->memory);
	r->h = historyd_open(&options, r->store);
	r->link_seq = 0;
	rig_begin(r);
	rig_step(r);
}

static inline struct rig *rig_new(uint32_t rooms_max)
{
	struct rig *r = mem_alloc(sizeof *r);
	r->memory = store_memory_open();
	r->store = store_memory_store(r->memory);
	r->now_ms = RIG_START_MS;
	r->rooms_max = rooms_max;
	rig_restart(r);
	return r;
}

static inline void rig_free(struct rig *r)
{
	historyd_close(r->h);
	store_memory_close(r->memory);
	historyd_out_free(&r->out);
	batch_free(&r->events);
	batch_free(&r->pages);
	buf_free(&r->message);
	buf_free(&r->text);
	mem_free(r);
}

static inline void rig_ask(struct rig *r, uint64_t requester)
{
	historyd_request(r->h, r->now_ms, &rig_source, rig_message(r, SERVICE_ROOMD, RIG_ROOMD, 0),
			 requester);
}

/* Puts a post into the mail; rig_step sends it. */
static inline void rig_post(struct rig *r, uint64_t req, const char *room, const char *user,
			    const char *cid, const char *body)
{
	const struct ev_chat_post ev = {
		.req = req,
		.room = str_from(room),
		.user = str_from(user),
		.cid = str_from(cid),
		.body = str_from(body),
	};
	bus_put_chat_post(&r->events, &ev);
}

static inline void rig_say_invites(struct buf *b, const struct ev_invites *ev)
{
	buf_printf(b, "invites " STR_FMT " %s", STR_ARG(ev->user2),
		   err_code(err_from_wire(ev->status)));
	for (uint32_t i = 0; i < ev->pending.count; i++) {
		struct rec_invitation one = bus_invitation_at(&ev->pending, i);
		buf_printf(b, " " STR_FMT "<" STR_FMT, STR_ARG(one.room), STR_ARG(one.user));
	}
	BUF_LIT(b, "\n");
}

static inline void rig_say_page(struct buf *b, const struct ev_page *ev)
{
	buf_printf(b, "page %" PRIu64 " " STR_FMT " %s head=%" PRIu64 "%s%s:", ev->req,
		   STR_ARG(ev->room), err_code(err_from_wire(ev->status)), ev->head,
		   ev->more ? " more" : "", ev->reset ? " reset" : "");
	for (uint32_t i = 0; i < ev->messages.count; i++)
		buf_printf(b, " %" PRIu64, bus_chat_at(&ev->messages, i).seq);
	BUF_LIT(b, "\n");
}

static inline void rig_say_stored(struct buf *b, const struct ev_chat_stored *ev)
{
	buf_printf(b,
		   "stored g%" PRIu64 " %" PRIu64 " " STR_FMT "#%" PRIu64 "@%" PRIu64 " " STR_FMT
		   "/" STR_FMT ": " STR_FMT "\n",
		   ev->gateway, ev->req, STR_ARG(ev->room), ev->seq, ev->time, STR_ARG(ev->user),
		   STR_ARG(ev->cid), STR_ARG(ev->body));
}

/* One event as a line. */
static inline void rig_say(struct buf *b, const struct bus_event *ev)
{
	if (ev->type == EV_chat_stored) {
		rig_say_stored(b, &ev->as.chat_stored);
	} else if (ev->type == EV_chat_repeat) {
		const struct ev_chat_repeat *e = &ev->as.chat_repeat;
		buf_printf(b,
			   "repeat g%" PRIu64 " %" PRIu64 " " STR_FMT "#%" PRIu64 "@%" PRIu64 "\n",
			   e->gateway, e->req, STR_ARG(e->room), e->seq, e->time);
	} else if (ev->type == EV_chat_refused) {
		const struct ev_chat_refused *e = &ev->as.chat_refused;
		buf_printf(b, "refused g%" PRIu64 " %" PRIu64 " " STR_FMT " %s\n", e->gateway,
			   e->req, STR_ARG(e->room), err_code(err_from_wire(e->status)));
	} else if (ev->type == EV_posts_ask) {
		buf_printf(b, "ask g%" PRIu64 "\n", ev->as.posts_ask.gateway);
	} else if (ev->type == EV_room_facts) {
		const struct ev_room_facts *e = &ev->as.room_facts;
		buf_printf(b, "facts " STR_FMT " %s " STR_FMT "+" STR_FMT "\n", STR_ARG(e->room),
			   err_code(err_from_wire(e->status)), STR_ARG(e->owner),
			   STR_ARG(e->guest));
	} else if (ev->type == EV_private_done) {
		const struct ev_private_done *e = &ev->as.private_done;
		buf_printf(b, "private " STR_FMT " %s\n", STR_ARG(e->room),
			   err_code(err_from_wire(e->status)));
	} else if (ev->type == EV_invite_done) {
		const struct ev_invite_done *e = &ev->as.invite_done;
		buf_printf(b, "invite " STR_FMT ">" STR_FMT " %s\n", STR_ARG(e->room),
			   STR_ARG(e->user2), err_code(err_from_wire(e->status)));
	} else if (ev->type == EV_invites) {
		rig_say_invites(b, &ev->as.invites);
	} else {
		assert_int_equal(ev->type, EV_page);
		rig_say_page(b, &ev->as.page);
	}
}

/* All events of a batch as lines; the text lasts until the next call. */
static inline const char *rig_text(struct rig *r, const struct batch *batch)
{
	const struct envelope env = {.from = SERVICE_HISTORYD};
	struct bus_reader reader;
	struct bus_event ev;
	struct envelope ignored;
	buf_reset(&r->text);
	buf_reset(&r->message);
	bus_put_header(&r->message, &env);
	buf_append(&r->message, batch->bytes.ptr, batch->bytes.len);
	bus_reader_init(&reader, SERVICE_ANY);
	assert_true(bus_open(&reader, buf_view(&r->message), &ignored));
	while (bus_next(&reader, &ev))
		rig_say(&r->text, &ev);
	assert_false(reader.in.bad);
	bus_reader_free(&reader);
	buf_append(&r->text, "", 1);
	return r->text.ptr;
}

/* Ends the turn; what is said to the gateways. */
static inline const char *rig_flush(struct rig *r, enum err expected)
{
	historyd_out_reset(&r->out);
	assert_int_equal(historyd_flush(r->h, r->now_ms, &r->out), expected);
	historyd_check(r->h);
	return rig_text(r, &r->out.down);
}

/* The answer to the nth request message of the turn that rig_flush ended. */
static inline const char *rig_response(struct rig *r, size_t nth)
{
	assert_true(nth < r->out.response_count);
	return rig_text(r, &r->out.responses[nth].events);
}

static inline const char *rig_page(struct rig *r, const struct ev_page_ask *ask)
{
	struct bus_reader reader;
	bus_put_page_ask(&r->events, ask);
	batch_reset(&r->pages);
	bus_reader_init(&reader, SERVICE_ANY);
	assert_true(historyd_read(r->store, &rig_whole, &reader,
				  rig_message(r, SERVICE_GATEWAY, RIG_GATEWAY, 0), &r->pages));
	bus_reader_free(&reader);
	return rig_text(r, &r->pages);
}

static inline struct historyd_stats rig_stats(const struct rig *r)
{
	struct historyd_stats stats;
	historyd_stats(r->h, &stats);
	return stats;
}

#endif
