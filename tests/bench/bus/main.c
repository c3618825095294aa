// SPDX-License-Identifier: MIT
/* main.c — bench-bus: what one historyd can store. Stands for a busy gateway on the bus: publishes
 * each millisecond the posts that are due by then, waits for nothing, counts each chat_stored, and
 * looks for the highest rate at which the delay from due time to chat_stored stays below a limit
 * and nothing is lost. Nothing is repeated, so what the bus drops is lost.
 *
 * Not here: clients (../load), and what historyd's parts can do without the bus (../rooms). */
#include "proto/shell/busio.h"
#include "proto/shell/clock.h"
#include "proto/shell/options.h"
#include "tests/bench/load/report.h"
#include "tests/bench/load/search.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <time.h>

#define PROGRAM "bench-bus"

enum { BODY_MAX_BYTES = 4000, NAME_BYTES = 32, FIRST_WORD_MS = 20000 };

static const uint64_t ms = 1000000, second = 1000000000; /* in ns */

struct options {
	const char *historyd, *pids;
	uint64_t rooms, body_bytes, rate;
	uint64_t warm_ms, window_ms, drain_ms, patience_ms;
	uint64_t limit_ms, precision, steps_max;
};

#define OPTION(option, kind, member) OPTION_ROW(option, kind, struct options, member)

static const struct option_row option_rows[] = {
	{OPTION("historyd", TEXT, historyd), .help = "the address that it was given to bind"},
	{OPTION("pids", TEXT, pids), .help = "its process"},
	{OPTION("rooms", NUMBER, rooms), .fallback = "10000", .min = 1, .max = 10000000,
	 .help = "rooms, which are written in by turns"},
	{OPTION("body", NUMBER, body_bytes), .fallback = "128", .min = 1, .max = BODY_MAX_BYTES,
	 .help = "bytes of a message's body"},
	{OPTION("rate", NUMBER, rate), .fallback = "20000", .min = 1, .max = 10000000,
	 .help = "messages a second to begin with"},
	{OPTION("warm", NUMBER, warm_ms), .fallback = "500", .max = 600000,
	 .help = "ms of each step before the window"},
	{OPTION("window", NUMBER, window_ms), .fallback = "3000", .min = 100, .max = 600000,
	 .help = "ms that are measured"},
	{OPTION("drain", NUMBER, drain_ms), .fallback = "1000", .min = 10, .max = 60000,
	 .help = "ms of silence after which what is missing is lost"},
	{OPTION("patience", NUMBER, patience_ms), .fallback = "15000", .min = 10, .max = 600000,
	 .help = "ms to wait in all for what is missing"},
	{OPTION("limit", NUMBER, limit_ms), .fallback = "20", .min = 1, .max = 60000,
	 .help = "ms that p99 must stay below"},
	{OPTION("precision", NUMBER, precision), .fallback = "5", .min = 1, .max = 100,
	 .help = "percent between the rate that is held and the one that is not"},
	{OPTION("steps", NUMBER, steps_max), .fallback = "20", .min = 1, .max = 100,
	 .help = "rates to try at most"},
};

/* One rate, and what came of it. */
struct step {
	uint64_t rate, from_ns, window_ns, to_ns; /* of its schedule */
	uint64_t first;                           /* its first message's number */
	uint64_t count, said;                     /* messages in the schedule; published */
	uint64_t stored, stored_from, stored_to;  /* in all; when the window began, and ended */
	uint64_t again, late, foreign, faults;    /* repeated; misplaced; not ours; refused, gaps */
	struct hist delay, lag;                   /* lag: how late this program was */
	struct span span;
	bool is_held;
};

static struct {
	struct options o;
	struct host host;
	struct port *up, *down;
	struct link link; /* of `down` */
	struct bus_reader reader;
	struct batch batch;
	uint64_t epoch, next; /* messages count on from step to step */
	uint64_t *newest;     /* seq of each room, as last heard */
	uint64_t active_ns;   /* when the last message was stored */
	char body[BODY_MAX_BYTES];
	struct step step;
	bool *is_stored; /* each message of the step */
} b;

/* ---- out ---- */

static void post(uint64_t number)
{
	char room[NAME_BYTES], user[NAME_BYTES], cid[NAME_BYTES];
	uint64_t which = number % b.o.rooms;
	const struct ev_chat_post ev = {
		.req = number + 1,
		.room = str_of(room, (size_t)snprintf(room, sizeof room, "room%" PRIu64, which)),
		.user = str_of(user, (size_t)snprintf(user, sizeof user, "user%" PRIu64, which)),
		.cid = str_of(cid, (size_t)snprintf(cid, sizeof cid,
						    "\x01"
						    "0.%" PRIx64 ".%" PRIx64,
						    b.epoch, number)),
		.body = str_of(b.body, b.o.body_bytes),
	};
	bus_put_chat_post(&b.batch, &ev);
}

static uint64_t due_ns(const struct step *s, uint64_t index)
{
	return s->from_ns + index * second / s->rate;
}

/* All that is due, as one message. */
static void publish_due(struct step *s)
{
	uint64_t now_ns = clock_ns();
	for (; s->said < s->count && due_ns(s, s->said) <= now_ns; s->said++) {
		post(s->first + s->said);
		if (due_ns(s, s->said) >= s->window_ns)
			hist_add(&s->lag, now_ns - due_ns(s, s->said));
	}
	port_send(b.up, &b.batch); /* what it drops is missing in the end */
	batch_reset(&b.batch);
	port_heartbeat(b.up, &(struct ev_heartbeat){.ready = 1}, clock_steady_ms());
}

/* ---- in ---- */

static void take_stored(struct step *s, const struct ev_chat_stored *ev)
{
	uint64_t number = ev->req - 1, room = number % b.o.rooms;
	uint64_t index = number - s->first;
	char name[NAME_BYTES];
	int len = snprintf(name, sizeof name, "room%" PRIu64, room);
	if (number < s->first)
		return; /* of an earlier step, where it was given up */
	if (index >= s->said || !str_equal(ev->room, str_of(name, (size_t)len))) {
		s->foreign++;
		return;
	}
	if (b.is_stored[index]) {
		s->again++;
		return;
	}
	b.is_stored[index] = true;
	s->stored++;
	s->late += ev->seq <= b.newest[room];
	b.newest[room] = ev->seq;
	b.active_ns = clock_ns();
	if (due_ns(s, index) >= s->window_ns)
		hist_add(&s->delay, b.active_ns - due_ns(s, index));
}

static void take_message(struct step *s, struct str message)
{
	struct envelope env;
	struct bus_event ev;
	if (!bus_open(&b.reader, message, &env)) {
		s->faults++;
		return;
	}
	s->faults += link_receive(&b.link, &env, clock_steady_ms()) == LINK_GAP;
	while (bus_next(&b.reader, &ev)) {
		if (ev.type == EV_heartbeat)
			b.link.ready = ev.as.heartbeat.ready;
		else if (ev.type == EV_chat_stored)
			take_stored(s, &ev.as.chat_stored);
		else if (ev.type == EV_posts_ask)
			bus_put_posts_begin(&b.batch, &(struct ev_posts_begin){0});
		else
			s->faults++; /* refused, or taken for a repetition */
	}
	s->faults += b.reader.in.bad;
}

/* Takes what comes until then. */
static void take_until(struct step *s, uint64_t until_ns)
{
	struct pollfd waiting = {.fd = port_fd(b.down), .events = POLLIN};
	struct port_message m;
	for (;;) {
		while (port_receive(b.down, &m)) {
			take_message(s, m.bytes);
			port_message_free(&m);
		}
		uint64_t now_ns = clock_ns();
		if (now_ns >= until_ns)
			return;
		const struct timespec wait = {(time_t)((until_ns - now_ns) / second),
					      (long)((until_ns - now_ns) % second)};
		(void)ppoll(&waiting, 1, &wait, NULL);
	}
}

/* ---- steps ---- */

static void run_until(struct step *s, uint64_t until_ns)
{
	uint64_t turn_ns = clock_ns();
	while (turn_ns < until_ns) {
		publish_due(s);
		turn_ns += ms;
		take_until(s, turn_ns < until_ns ? turn_ns : until_ns);
	}
	publish_due(s); /* however late this program is, all is said */
}

static void begin_step(struct step *s, uint64_t rate, uint64_t warm_ms, uint64_t window_ms)
{
	*s = (struct step){.rate = rate, .first = b.next, .from_ns = clock_ns()};
	s->window_ns = s->from_ns + warm_ms * ms;
	s->to_ns = s->window_ns + window_ms * ms;
	s->count = (s->to_ns - s->from_ns) / ms * rate / 1000;
	s->count += s->count == 0;
	mem_free(b.is_stored);
	b.is_stored = mem_alloc(s->count * sizeof *b.is_stored);
	b.next += s->count;
}

static uint64_t lost(const struct step *s)
{
	return s->said - s->stored;
}

static void drain(struct step *s)
{
	uint64_t end_ns = clock_ns() + b.o.patience_ms * ms;
	b.active_ns = clock_ns();
	while (lost(s) && clock_ns() < end_ns && clock_ns() < b.active_ns + b.o.drain_ms * ms) {
		take_until(s, clock_ns() + ms);
		port_heartbeat(b.up, &(struct ev_heartbeat){.ready = 1}, clock_steady_ms());
	}
}

static void take_step(struct step *s, uint64_t rate)
{
	begin_step(s, rate, b.o.warm_ms, b.o.window_ms);
	run_until(s, s->window_ns);
	s->stored_from = s->stored;
	span_begin(&b.host, &s->span);
	run_until(s, s->to_ns);
	span_end(&b.host, &s->span);
	s->stored_to = s->stored;
	drain(s);
	s->is_held = lost(s) == 0 && s->faults == 0 && hist_at(&s->delay, 0.99) < b.o.limit_ms * ms;
}

/* Stored in the window, and historyd's time for each. */
static double acked_per_s(const struct step *s)
{
	return (double)(s->stored_to - s->stored_from) / span_seconds(&s->span);
}

static double us_per_message(const struct step *s)
{
	uint64_t stored = s->stored_to - s->stored_from;
	return (s->span.to.server_s - s->span.from.server_s) * 1e6 / (double)(stored ? stored : 1);
}

static void report_step(const struct step *s)
{
	report_open("");
	report_u64("rate", s->rate);
	report_flag("held", s->is_held);
	report_u64("said", s->said);
	report_u64("stored", s->stored);
	report_real("acked_per_s", acked_per_s(s));
	report_real("us_per_message", us_per_message(s));
	report_u64("lost", lost(s));
	report_u64("repeated", s->again);
	report_u64("out_of_order", s->late);
	report_u64("foreign", s->foreign);
	report_u64("faults", s->faults);
	report_hist("delay_us", &s->delay);
	report_hist("lag_us", &s->lag);
	report_span(&s->span);
	report_close();
}

static void search(void)
{
	struct step *s = &b.step;
	static struct step best, worst;
	uint64_t rate = b.o.rate;
	report_open_list("steps");
	for (uint64_t n = 0; n < b.o.steps_max; n++) {
		take_step(s, rate);
		report_step(s);
		*(s->is_held ? &best : &worst) = *s;
		if (search_is_done(best.rate, worst.rate, b.o.precision) ||
		    (rate == 1 && !s->is_held))
			break;
		bool is_easy = hist_at(&best.delay, 0.99) < b.o.limit_ms * ms / 2;
		rate = search_next_rate(best.rate, is_easy, worst.rate);
	}
	report_close_list();
	report_u64("held_rate", best.rate);
	report_real("held_acked_per_s", best.rate ? acked_per_s(&best) : 0);
	report_real("held_us_per_message", best.rate ? us_per_message(&best) : 0);
	report_real("held_p50", (double)hist_at(&best.delay, 0.5) / 1e3);
	report_real("held_p99", (double)hist_at(&best.delay, 0.99) / 1e3);
	/* Of the step that was not held. */
	report_real("worst_generator_share", worst.rate ? span_self_share(&worst.span) : 0);
	report_real("worst_server_share", worst.rate ? span_server_share(&worst.span) : 0);
}

/* ---- start ---- */

static struct port *open_port(enum port_kind kind, enum endpoint endpoint, const char *label)
{
	const struct port_options po = {
		.kind = kind,
		.address = b.o.historyd,
		.endpoint = endpoint,
		.label = label,
		.self = {.from = SERVICE_GATEWAY, .epoch = b.epoch},
	};
	char error[512];
	struct port *p = port_open(&po, error, sizeof error);
	if (!p)
		fail_system(PROGRAM, "%s", error);
	return p;
}

/* Both links stand when a message has come back. */
static void wait_for_historyd(void)
{
	uint64_t end_ns = clock_ns() + FIRST_WORD_MS * ms;
	do {
		begin_step(&b.step, 1, 0, 100);
		run_until(&b.step, b.step.to_ns);
		if (clock_ns() >= end_ns)
			fail_system(PROGRAM, "nothing comes back from %s", b.o.historyd);
	} while (!b.step.stored || !b.link.ready);
	drain(&b.step);
}

int main(int argc, char **argv)
{
	static const struct program program = {PROGRAM, "what one historyd can store", option_rows,
					       ARRAY_LEN(option_rows), NULL};
	options_load(&program, argc, argv, &b.o);
	host_open(&b.host, b.o.pids);
	prctl(PR_SET_TIMERSLACK, 1000ul); /* 1 us instead of 50 */
	memset(b.body, 'x', sizeof b.body);
	bus_reader_init(&b.reader, SERVICE_ANY);
	b.newest = mem_alloc(b.o.rooms * sizeof *b.newest);
	b.epoch = clock_utc_us();
	b.down = open_port(PORT_SUBSCRIBE, ENDPOINT_DOWN, "historyd.down");
	b.up = open_port(PORT_PUBLISH, ENDPOINT_UP, "historyd.up");
	wait_for_historyd();
	report_open("");
	report_u64("rooms", b.o.rooms);
	report_u64("body_bytes", b.o.body_bytes);
	search();
	report_close();
	report_end();
	return 0;
}
