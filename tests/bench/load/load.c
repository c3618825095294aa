// SPDX-License-Identifier: MIT
/* load.c — the turn: what is due, then what has arrived; and the counting of it. See load.h. */
#include "tests/bench/load/load.h"
#include "proto/shell/options.h"
#include "tests/bench/load/client.h"
#include "tests/bench/load/dialect.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <time.h>

enum {
	EVENTS = 64, /* taken between two looks at what is due */
	ID_NUMBER_BITS = 20,
};

bool load_run(struct load *l, uint64_t until_ns, bool (*is_done)(struct load *l))
{
	struct epoll_event events[EVENTS];
	while (!is_done || !is_done(l)) {
		uint64_t now_ns = load_now(l);
		if (now_ns >= until_ns)
			return false;
		uint64_t next_ns = l->due ? l->due(l, now_ns) : UINT64_MAX;
		if (next_ns > until_ns)
			next_ns = until_ns;
		now_ns = load_now(l);
		uint64_t wait_ns = next_ns > now_ns ? next_ns - now_ns : 0;
		struct timespec wait = {(time_t)(wait_ns / 1000000000u),
					(long)(wait_ns % 1000000000u)};
		int n = epoll_pwait2(l->epoll, events, EVENTS, &wait, NULL);
		if (n < 0 && errno != EINTR)
			fail_system(PROGRAM, "epoll: %s", strerror(errno));
		for (int i = 0; i < n; i++)
			client_ready(events[i].data.ptr, events[i].events);
		if (n > 0)
			l->active_ns = load_now(l);
	}
	return true;
}

static bool is_in_window(const struct load *l, uint64_t due_ns)
{
	return due_ns >= l->window_from_ns && due_ns < l->window_to_ns;
}

/* The id carries the due time in us and the number, within the 53 bits that JSON has. */
void load_say(struct client *c, uint64_t due_ns)
{
	struct load *l = c->load;
	char body[BODY_BYTES_MAX];
	const struct stamp stamp = {.due_ns = due_ns, .seat = c->seat, .number = c->said};
	uint64_t id = due_ns / 1000 << ID_NUMBER_BITS | (c->said & ((1u << ID_NUMBER_BITS) - 1));
	stamp_put(body, l->o.body_bytes, &stamp);
	c->said++;
	l->counts.said++;
	l->counts.expected += l->o.members;
	if (is_in_window(l, due_ns))
		hist_add(&l->lag, load_now(l) - due_ns);
	l->dialect->say(c, str_of(body, l->o.body_bytes), id);
}

void load_open(struct client *c)
{
	struct load *l = c->load;
	l->connecting--;
	c->state = CLIENT_OPEN;
	l->dialect->open(c);
	if (l->on_open)
		l->on_open(c);
}

void load_enter(struct client *c)
{
	c->load->entering++;
	c->state = CLIENT_ENTERING;
	c->load->dialect->enter(c);
}

void load_joined(struct client *c)
{
	struct load *l = c->load;
	if (c->state == CLIENT_JOINED)
		return;
	l->entering -= c->state == CLIENT_ENTERING;
	c->state = CLIENT_JOINED;
	l->joined++;
	if (l->on_joined)
		l->on_joined(c);
}

/* Counts one message of the writer at `seat`, and the time since it was due. */
static void count_message(struct client *c, const struct stamp *s)
{
	struct load *l = c->load;
	uint64_t now_ns = load_now(l);
	if (c->is_observer)
		return;
	if (s->seat >= l->o.writers || s->due_ns > now_ns) {
		l->counts.foreign++;
		return;
	}
	switch (track_take(&c->tracks[s->seat], s->number)) {
	case TRACK_NEW:
		break;
	case TRACK_LATE:
		l->counts.late++;
		break;
	case TRACK_AGAIN:
		l->counts.again++;
		return;
	}
	bool is_own = s->seat == c->seat;
	if (is_own)
		l->counts.own++;
	else
		l->counts.delivered++;
	if (is_in_window(l, s->due_ns))
		hist_add(is_own ? &l->own : &l->delivery, now_ns - s->due_ns);
}

void load_message(struct client *c, struct str bytes)
{
	struct stamp s;
	if (stamp_find(bytes, &s))
		count_message(c, &s);
	else
		c->load->counts.foreign++;
}

void load_acked(struct client *c, uint64_t id)
{
	/* Only the low bits of the number are in the id; the writer is at most so far ahead. */
	const uint32_t low = (uint32_t)(id & ((1u << ID_NUMBER_BITS) - 1));
	uint32_t behind = (c->said - low) & ((1u << ID_NUMBER_BITS) - 1);
	const struct stamp s = {.due_ns = (id >> ID_NUMBER_BITS) * 1000,
				.seat = c->seat,
				.number = c->said - behind};
	count_message(c, &s);
}

void load_page(struct client *c, uint64_t messages)
{
	struct load *l = c->load;
	l->counts.pages++;
	if (l->on_page)
		l->on_page(c, messages);
}

void load_fault(struct client *c, const char *fmt, ...)
{
	struct load *l = c->load;
	l->counts.faults++;
	if (*l->first_fault)
		return;
	va_list args;
	va_start(args, fmt);
	vsnprintf(l->first_fault, sizeof l->first_fault, fmt, args);
	va_end(args);
}
