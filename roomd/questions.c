// SPDX-License-Identifier: MIT
/* questions.c — what roomd asks of historyd, repeated until it is answered or nobody can be waiting
 * any more. */
#include "proto/shard.h"
#include "roomd/state.h"

void question_publish(struct roomd *r, const struct question *q)
{
	bool is_about_user = q->kind == QUESTION_INVITES || q->kind == QUESTION_INVITE_PUT ||
			     q->kind == QUESTION_INVITE_DROP;
	uint32_t shard = shard_of(is_about_user ? q->user2 : q->room, r->options.historyd_shards);
	struct batch *b = &r->out->ask[shard];
	switch (q->kind) {
	case QUESTION_ROOM:
		bus_put_room_ask(b, &(struct ev_room_ask){.req = q->number, .room = q->room});
		return;
	case QUESTION_PRIVATE:
		bus_put_private_put(b, &(struct ev_private_put){.req = q->number,
								.room = q->room,
								.user = q->user,
								.user2 = q->user2});
		return;
	case QUESTION_INVITES:
		bus_put_invites_ask(b,
				    &(struct ev_invites_ask){.req = q->number, .user2 = q->user2});
		return;
	case QUESTION_INVITE_PUT:
		bus_put_invite_put(b, &(struct ev_invite_put){.req = q->number,
							      .room = q->room,
							      .user = q->user,
							      .user2 = q->user2});
		return;
	case QUESTION_INVITE_DROP:
		bus_put_invite_drop(b, &(struct ev_invite_drop){.req = q->number,
								.room = q->room,
								.user2 = q->user2});
		return;
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
	table_remove(&r->questions_by_number, str_of((const char *)&q->number, sizeof q->number));
	if (q->kind == QUESTION_INVITE_PUT)
		table_remove(&r->invite_puts, str_of((const char *)&q->asker, sizeof q->asker));
	str_free(&q->room);
	str_free(&q->user);
	str_free(&q->user2);
	mem_free(q);
}
