// SPDX-License-Identifier: MIT
/* on_token.c — a session shows a token: as it connects, or later with refreshToken. */
#include "gateway/core/bearer.h"
#include "gateway/core/client.h"
#include "gateway/core/frame.h"
#include "gateway/core/join.h"
#include "gateway/core/session.h"

bool gateway_takes_tokens(const struct gateway *g)
{
	return g->options.auth != AUTH_GUESTS;
}

const char *gateway_token_read(const struct gateway *g, struct str token, struct arena *arena,
			       struct claims *claims)
{
	if (!gateway_takes_tokens(g))
		return "tokens are not taken here";
	return g->options.check_token(g->options.token_ctx, token, arena, claims);
}

void gateway_bear(struct gateway *g, uint64_t now_ms, struct session *s,
		  const struct claims *claims)
{
	g->now_ms = now_ms;
	bearer_set(g, s, claims);
}

void gateway_reject(struct gateway *g, uint64_t now_ms, struct session *s, const char *why,
		    struct gateway_out *out)
{
	g->now_ms = now_ms;
	g->out = out;
	frame_send_error(g, s, false, 0, ERR_UNAUTHORIZED, why);
	session_close(g, s, CLOSE_TOKEN);
}

/* Who has a name keeps it: a token may say more or less of the same person only. */
static bool is_same_person(const struct session *s, const struct claims *claims)
{
	if (!s->user)
		return true;
	return s->bearer && str_equal(s->bearer->claims.identity, claims->identity) &&
	       (claims->name.len == 0 || str_equal(claims->name, s->user->name));
}

static void leave_what_is_not_allowed(struct gateway *g, struct session *s)
{
	struct membership *m = TAILQ_FIRST(&s->memberships);
	while (m) {
		struct membership *next = TAILQ_NEXT(m, of_session);
		if (!room_patterns_allow(&s->bearer->claims.join, m->view->room))
			join_put_out(g, m);
		m = next;
	}
}

void on_refreshToken(struct gateway *g, struct session *s, const struct in_refreshToken *in)
{
	struct client_event *e = in->event;
	struct claims claims;
	const char *why = gateway_token_read(g, in->token, e->arena, &claims);
	if (!why && !is_same_person(s, &claims))
		why = "the token is somebody else's";
	if (why) {
		client_event_fail(e, ERR_UNAUTHORIZED, "%s", why);
		return;
	}
	bearer_set(g, s, &claims);
	leave_what_is_not_allowed(g, s);
	if (!e->has_id)
		return;
	buf_printf(frame_begin_ack(g, s, e->id), "{\"expiresInMs\":%" PRIu64 "}",
		   claims.ends_in_ms);
	frame_end_ack(g, s);
}
