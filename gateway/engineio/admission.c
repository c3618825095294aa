// SPDX-License-Identifier: MIT
/* admission.c — which requests and sockets are let in, and what the others are answered. */
#include "gateway/engineio/state.h"

const struct eio_response *admission_refusal(unsigned code)
{
#define REFUSAL(number, says)                                                   \
	[number] = {                                                            \
		number == 4   ? 403                                             \
		: number == 6 ? 503                                             \
			      : 400,                                            \
		"application/json",                                             \
		{"{\"code\":" #number ",\"message\":\"" says "\"}",             \
		 sizeof("{\"code\":" #number ",\"message\":\"" says "\"}") - 1} \
	}
	static const struct eio_response refusals[] = {
		REFUSAL(0, "Transport unknown"),
		REFUSAL(1, "Session ID unknown"),
		REFUSAL(2, "Bad handshake method"),
		REFUSAL(3, "Bad request"),
		REFUSAL(4, "Forbidden"),
		REFUSAL(5, "Unsupported protocol version"),
		REFUSAL(6, "Too much to do"),
	};
#undef REFUSAL
	return &refusals[code < ARRAY_LEN(refusals) ? code : 3];
}

void eio_reject(struct eio *e, struct eio_request *r, unsigned code)
{
	e->transport.respond(e->transport_ctx, r, admission_refusal(code));
}

struct eio_session *admission_session(const struct eio *e, const struct eio_query *q)
{
	return q->has_sid ? table_find(&e->sessions, str_from(q->sid)) : NULL;
}

/* In the order in which the reference looks. */
int admission_check(const struct eio *e, const struct eio_query *q,
		    enum eio_transport_name transport)
{
	if (q->transport == EIO_NO_TRANSPORT)
		return 0;
	if (q->has_sid) {
		const struct eio_session *s = admission_session(e, q);
		if (!s)
			return 1;
		/* A poll on a session that has its WebSocket; any other pair is the one or an
		 * upgrade. */
		return transport == EIO_POLLING && (s->socket || q->transport != transport) ? 3
											    : -1;
	}
	if (q->transport != transport)
		return 3;
	if (!q->revision || (!q->has_revision && e->options.needs_revision))
		return 5;
	if (e->app.is_full && e->app.is_full(e->app_ctx))
		return 6;
	bool has_capacity = e->sessions.count < e->options.sessions_max || !TAILQ_EMPTY(&e->unused);
	return has_capacity ? -1 : 3;
}
