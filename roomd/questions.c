// SPDX-License-Identifier: MIT
/* questions.c — what roomd asks of historyd, repeated until it is answered or nobody can be waiting
 * any more. */
#include "proto/shard.h"
#include "roomd/state.h"

bool question_is_about_room(const struct question *q)
{
	static const bool by_kind[] = {
#define ABOUT_room true
#define ABOUT_user2 false
#define Q(kind, about, ...) ABOUT_##about,
		QUESTIONS(Q)
#undef Q
	};
	CHECK(q->kind < ARRAY_LEN(by_kind));
	return by_kind[q->kind];
}

void question_publish(struct roomd *r, const struct question *q)
{
	switch (q->kind) {
#define Q(kind, about, event, ...)                                                            \
	case QUESTION_##kind:                                                                 \
		bus_put_##event(&r->out->ask[shard_of(q->about, r->options.historyd_shards)], \
				&(struct ev_##event){.req = q->number, __VA_ARGS__});         \
		break;
		QUESTIONS(Q)
#undef Q
	}
}

uint64_t question_start(struct roomd *r, const struct question *wish)
{
	struct question *q = mem_alloc(sizeof *q);
	*q = *wish;
	q->number = ++r->last_question;
	q->retry_ms = r->now_ms + QUESTION_MS;
	q->room = str_copy(wish->room);
	q->user = str_copy(wish->user);
	q->user2 = str_copy(wish->user2);
	table_add(&r->questions_by_number, q);
	if (q->kind == QUESTION_INVITE_PUT)
		table_add(&r->invite_puts, q);
	TAILQ_INSERT_TAIL(&r->questions, q, entry);
	question_publish(r, q);
	return q->number;
}

struct question *question_find(struct roomd *r, uint64_t number)
{
	return table_find(&r->questions_by_number, str_of((const char *)&number, sizeof number));
}

struct question *question_of_asker(const struct roomd *r, const struct invite_asker *asker)
{
	return table_find(&r->invite_puts, str_of((const char *)asker, sizeof *asker));
}

void question_end(struct roomd *r, struct question *q)
{
	TAILQ_REMOVE(q->is_patient ? &r->patient : &r->questions, q, entry);
	struct str number = str_of((const char *)&q->number, sizeof q->number);
	struct str asker = str_of((const char *)&q->asker, sizeof q->asker);
	CHECK(table_remove(&r->questions_by_number, number) == q);
	if (q->kind == QUESTION_INVITE_PUT)
		CHECK(table_remove(&r->invite_puts, asker) == q);
	str_free(&q->room);
	str_free(&q->user);
	str_free(&q->user2);
	mem_free(q);
}
