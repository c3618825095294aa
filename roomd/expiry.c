// SPDX-License-Identifier: MIT
/* expiry.c — requests to historyd that are not answered: repeated, given up, or continued with more
 * patience. Whoever waits is told. Not here: starting and ending one (questions.c). */
#include "roomd/state.h"

static void drop(struct roomd *r, struct question *q)
{
	if (question_is_about_room(q))
		room_question_dropped(r, q);
	else
		invite_question_dropped(r, q);
	question_end(r, q);
}

void question_drop_all(struct roomd *r)
{
	struct question *q;
	while ((q = TAILQ_FIRST(&r->questions)) != NULL || (q = TAILQ_FIRST(&r->patient)) != NULL)
		drop(r, q);
}

/* Whoever waited has given up; what roomd itself needs is asked on, with more patience. */
static void expire(struct roomd *r, struct question *q)
{
	bool is_needed = question_is_about_room(q) ? room_question_expired(r, q)
						   : invite_question_needed(r, q);
	if (!is_needed) {
		drop(r, q);
		return;
	}
	TAILQ_REMOVE(q->is_patient ? &r->patient : &r->questions, q, entry);
	q->is_patient = true;
	q->retry_ms = r->now_ms + PATIENT_MS;
	TAILQ_INSERT_TAIL(&r->patient, q, entry);
	question_publish(r, q);
}

void question_tick(struct roomd *r)
{
	struct question *q;
	while ((q = TAILQ_FIRST(&r->patient)) != NULL && q->retry_ms <= r->now_ms)
		expire(r, q);
	while ((q = TAILQ_FIRST(&r->questions)) != NULL && q->retry_ms <= r->now_ms) {
		if (++q->tries >= QUESTION_TRIES) {
			expire(r, q);
			continue;
		}
		TAILQ_REMOVE(&r->questions, q, entry);
		q->retry_ms = r->now_ms + QUESTION_MS;
		TAILQ_INSERT_TAIL(&r->questions, q, entry);
		question_publish(r, q);
	}
}
