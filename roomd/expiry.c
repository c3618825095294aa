// SPDX-License-Identifier: MIT
/* expiry.c — requests to historyd that are not answered: repeated, given up, or continued with more
 * patience. Whoever waits is told. Not here: starting and ending one (requests.c). */
#include "roomd/state.h"

static void drop(struct roomd *r, struct store_request *q)
{
	if (store_request_is_about_room(q))
		room_request_dropped(r, q);
	else
		invite_request_dropped(r, q);
	store_request_end(r, q);
}

void store_request_drop_all(struct roomd *r)
{
	struct store_request *q;
	while ((q = TAILQ_FIRST(&r->requests)) != NULL || (q = TAILQ_FIRST(&r->patient)) != NULL)
		drop(r, q);
}

/* Whoever waited has given up; what roomd itself needs is asked on, with more patience. */
static void expire(struct roomd *r, struct store_request *q)
{
	bool is_needed = store_request_is_about_room(q) ? room_request_expired(r, q)
							: invite_request_needed(r, q);
	if (!is_needed) {
		drop(r, q);
		return;
	}
	TAILQ_REMOVE(q->is_patient ? &r->patient : &r->requests, q, entry);
	q->is_patient = true;
	q->retry_ms = r->now_ms + PATIENT_MS;
	TAILQ_INSERT_TAIL(&r->patient, q, entry);
	store_request_publish(r, q);
}

void store_request_tick(struct roomd *r)
{
	struct store_request *q;
	while ((q = TAILQ_FIRST(&r->patient)) != NULL && q->retry_ms <= r->now_ms)
		expire(r, q);
	while ((q = TAILQ_FIRST(&r->requests)) != NULL && q->retry_ms <= r->now_ms) {
		if (++q->tries >= STORE_REQUEST_TRIES) {
			expire(r, q);
			continue;
		}
		TAILQ_REMOVE(&r->requests, q, entry);
		q->retry_ms = r->now_ms + STORE_REQUEST_MS;
		TAILQ_INSERT_TAIL(&r->requests, q, entry);
		store_request_publish(r, q);
	}
}
