// SPDX-License-Identifier: MIT
/* rate.c — see rate.h. An event is counted before it is read, so that nonsense costs its sender as
 * much as sense. */
#include "gateway/core/session.h"
#include "gateway/core/rate.h"

enum {
	BURST_SECONDS = 4,    /* of bytes */
	BYTES_A_POINT = 1024, /* a refused event counts one, and one for each so many bytes */
	FAR_OVER = 10,        /* so many bursts of points */
	SPENT_EVENTS = 5,     /* a join, and what a client says at once behind it … */
	SPENT_PART = 8,       /* … and of the bytes of a second, 8 KiB unless told otherwise */
};

uint32_t rate_burst_bytes(const struct gateway_options *o)
{
	return (uint32_t)(o->rate_bytes * BURST_SECONDS);
}

static void refill(const struct gateway *g, struct session *s)
{
	const struct gateway_options *o = &g->options;
	uint64_t elapsed_ms = (uint32_t)((uint32_t)g->now_ms - s->tokens_ms);
	uint64_t full = o->burst * 1000;
	uint64_t tokens = s->tokens_milli + elapsed_ms * o->rate;
	s->tokens_milli = (uint32_t)(tokens < full ? tokens : full);
	uint64_t bytes = s->token_bytes + elapsed_ms * o->rate_bytes / 1000;
	uint64_t full_bytes = rate_burst_bytes(o);
	s->token_bytes = (uint32_t)(bytes < full_bytes ? bytes : full_bytes);
	s->tokens_ms = (uint32_t)g->now_ms;
}

void gateway_spend(const struct gateway *g, struct session *s)
{
	const struct gateway_options *o = &g->options;
	uint64_t events = o->burst < SPENT_EVENTS ? o->burst : SPENT_EVENTS;
	s->tokens_milli = (uint32_t)events * 1000;
	s->token_bytes = (uint32_t)(o->rate_bytes / SPENT_PART);
}

static uint64_t missing_ms(uint64_t wanted, uint64_t there, uint64_t a_second)
{
	return wanted > there ? ((wanted - there) * 1000 + a_second - 1) / a_second : 0;
}

uint64_t rate_take(struct gateway *g, struct session *s, size_t bytes)
{
	const struct gateway_options *o = &g->options;
	if (o->rate == 0)
		return 0;
	refill(g, s);
	uint64_t full_bytes = rate_burst_bytes(o);
	uint64_t wanted = bytes < full_bytes ? bytes : full_bytes;
	uint64_t wait_ms = missing_ms(1000, s->tokens_milli, o->rate * 1000);
	uint64_t wait_bytes_ms =
		o->rate_bytes ? missing_ms(wanted, s->token_bytes, o->rate_bytes) : 0;
	uint32_t points = (uint32_t)(1 + bytes / BYTES_A_POINT);
	if (!wait_ms && !wait_bytes_ms) {
		CHECK(s->tokens_milli >= 1000);
		s->tokens_milli -= 1000;
		s->token_bytes -= (uint32_t)wanted;
		s->refused -= s->refused < points ? s->refused : points;
		return 0;
	}
	s->refused += points;
	if (s->refused > FAR_OVER * o->burst) {
		g->stats.overrates_total++;
		session_close(g, s, CLOSE_POLICY);
	}
	return wait_ms > wait_bytes_ms ? wait_ms : wait_bytes_ms;
}
