// SPDX-License-Identifier: MIT
/* giveup.c — see giveup.h. The client is told, and what it sent after the request is given up too.
 */
#include "gateway/core/giveup.h"
#include "gateway/core/backlog.h"
#include "gateway/core/frame.h"
#include "gateway/core/request.h"
#include "gateway/core/session.h"

static void fail_unavailable(struct gateway *g, struct request *r)
{
	struct session *s = session_find(g, r->session);
	if (r->kind == REQUEST_POST)
		g->stats.posts_unavailable_total++;
	if (s)
		frame_send_error(g, s, r->has_id, r->id, ERR_UNAVAILABLE, NULL);
	if (s && r->kind == REQUEST_PRIVATE)
		backlog_private_over(g, s, r);
	request_end(g, r);
}

/* What is not worked on yet goes with it when its turn comes: on_chat.c. */
static void note_given_up(struct gateway *g, const struct request *r)
{
	struct session *s = session_find(g, r->session);
	if (s)
		backlog_note_given_up(g, s, r->room);
}

/* A post takes with it what its connection sent into the room after it: stored without it, that
 * would come before it when the client sends it again. */
static void give_up(struct gateway *g, struct request *r)
{
	uint64_t session = r->session;
	if (r->kind == REQUEST_POST)
		note_given_up(g, r);
	if (r->kind == REQUEST_PAGE_CLIENT)
		backlog_give_up(g, session_find(g, session));
	struct request *next = r->kind == REQUEST_POST ? request_next_post(g, r) : NULL;
	fail_unavailable(g, r);
	while ((r = next) != NULL) {
		next = request_next_post(g, r);
		if (r->session == session)
			fail_unavailable(g, r);
	}
}

void giveup_tick(struct gateway *g)
{
	struct request *r;
	while ((r = TAILQ_FIRST(&g->promised)) != NULL && r->asked_ms + GIVE_UP_MS <= g->now_ms)
		give_up(g, r);
}
