// SPDX-License-Identifier: MIT
/* eio.c — see eio.h: all sessions together, and what is due by time. Not here: one session
 * (session.c). */
#include "gateway/engineio/state.h"

static struct str sid_key(const void *item)
{
	return str_from(((const struct eio_session *)item)->sid);
}

void eio_open(struct eio *e, const struct eio_options *options)
{
	uint64_t seed;
	*e = (struct eio){.options = *options};
	options->random(&seed, sizeof seed);
	table_init(&e->sessions, sid_key, seed);
	TAILQ_INIT(&e->all);
	TAILQ_INIT(&e->idle);
	TAILQ_INIT(&e->pinged);
	TAILQ_INIT(&e->listening);
	TAILQ_INIT(&e->closing);
	TAILQ_INIT(&e->upgrading);
	TAILQ_INIT(&e->unused);
	TAILQ_INIT(&e->resumed);
	TAILQ_INIT(&e->gone);
}

static void free_gone(struct eio *e)
{
	struct eio_session *s;
	while ((s = TAILQ_FIRST(&e->gone)) != NULL) {
		TAILQ_REMOVE(&e->gone, s, of_all);
		buf_free(&s->pending);
		mem_free(s);
	}
}

void eio_close(struct eio *e)
{
	while (!TAILQ_EMPTY(&e->all))
		session_drop(TAILQ_FIRST(&e->all));
	free_gone(e);
	table_free(&e->sessions);
	buf_free(&e->scratch);
}

uint64_t eio_end_polling(struct eio *e, uint64_t count, uint64_t now_ms)
{
	uint64_t polling = 0;
	struct eio_session *s = TAILQ_FIRST(&e->all);
	while (s) {
		struct eio_session *next = TAILQ_NEXT(s, of_all);
		bool is_polling = !s->socket && !s->is_ended;
		polling += is_polling;
		if (is_polling && polling <= count)
			eio_end(s, now_ms);
		s = next;
	}
	return polling;
}

/* ---- time ---- */

static struct eio_session *due(struct eio_list *list, uint64_t after_ms, uint64_t now_ms)
{
	struct eio_session *s = TAILQ_FIRST(list);
	return s && s->wait_ms + after_ms <= now_ms ? s : NULL;
}

void eio_tick(struct eio *e, uint64_t now_ms)
{
	const struct eio_options *o = &e->options;
	struct eio_session *s;
	polling_resume(e, now_ms);
	while ((s = due(&e->idle, o->ping_interval_ms, now_ms)) != NULL) {
		/* A loop that wakes a little late does not put off the end. */
		uint64_t due_ms = s->wait_ms + o->ping_interval_ms;
		uint64_t since_ms = due_ms + LATE_MS < now_ms ? now_ms - LATE_MS : due_ms;
		session_wait(s, &e->pinged, since_ms);
		session_put(s, STR("2"));
	}
	while ((s = due(&e->pinged, o->ping_timeout_ms, now_ms)) != NULL)
		session_drop(s);
	while ((s = due(&e->listening, o->ping_interval_ms + o->ping_timeout_ms, now_ms)) != NULL)
		session_drop(s);
	while ((s = due(&e->closing, LAST_POLL_MS, now_ms)) != NULL)
		session_free(s);
	while ((s = TAILQ_FIRST(&e->upgrading)) != NULL && s->probe_ms + UPGRADE_MS <= now_ms)
		output_drop_probe(s);
	while ((s = TAILQ_FIRST(&e->unused)) != NULL && s->probe_ms + UNUSED_MS <= now_ms)
		session_drop(s);
	free_gone(e);
}

static uint64_t sooner(const struct eio_list *list, uint64_t after_ms, uint64_t due_ms)
{
	const struct eio_session *s = TAILQ_FIRST(list);
	return s && s->wait_ms + after_ms < due_ms ? s->wait_ms + after_ms : due_ms;
}

uint64_t eio_next_due(const struct eio *e)
{
	const struct eio_options *o = &e->options;
	uint64_t at = TAILQ_EMPTY(&e->gone) && TAILQ_EMPTY(&e->resumed) ? UINT64_MAX : 0;
	at = sooner(&e->idle, o->ping_interval_ms, at);
	at = sooner(&e->pinged, o->ping_timeout_ms, at);
	at = sooner(&e->listening, o->ping_interval_ms + o->ping_timeout_ms, at);
	at = sooner(&e->closing, LAST_POLL_MS, at);
	const struct eio_session *s = TAILQ_FIRST(&e->upgrading);
	if (s && s->probe_ms + UPGRADE_MS < at)
		at = s->probe_ms + UPGRADE_MS;
	s = TAILQ_FIRST(&e->unused);
	return s && s->probe_ms + UNUSED_MS < at ? s->probe_ms + UNUSED_MS : at;
}
