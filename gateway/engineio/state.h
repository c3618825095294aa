// SPDX-License-Identifier: MIT
/* state.h — one Engine.IO session; for this folder only. Its life is in session.c, its output in
 * output.c. */
#ifndef PARLOR_GATEWAY_ENGINEIO_STATE_H
#define PARLOR_GATEWAY_ENGINEIO_STATE_H

#include "gateway/engineio/eio.h"

enum {
	UPGRADE_MS = 10000, /* from a probe to its `5` */
	UNUSED_MS = 15000,  /* from a handshake to the first request; clients poll at once */
	LAST_POLL_MS = 30000,
	LATE_MS = 50,           /* of the loop, before a ping's time begins with the ping */
	HOLD_BYTES = 64 * 1024, /* pending: with so much unread, POSTs are held */
	PENDING_MAX =
		1024 * 1024, /* far above what an application says to a client that is blocked */
};

/* A POST that came while its session was paused: not answered, not read. */
struct eio_held {
	TAILQ_ENTRY(eio_held) entry; /* in eio.resumed while is_resumed */
	struct eio_session *session;
	bool is_resumed, is_octets;
	size_t len;
	char body[];
};

struct eio_session {
	TAILQ_ENTRY(eio_session) of_all;
	TAILQ_ENTRY(eio_session) of_wait;
	TAILQ_ENTRY(eio_session) of_upgrade; /* or of eio.unused, which comes before */
	struct eio *eio;
	char sid[EIO_SID_MAX];
	unsigned revision;
	enum eio_binary binary;
	void *client;              /* the application's; NULL once it has let go */
	struct eio_list *wait;     /* the one it is in */
	uint64_t wait_ms;          /* when that began */
	struct eio_socket *socket; /* its WebSocket; NULL: it polls */
	struct eio_socket *probe;  /* one that wants to take over */
	uint64_t probe_ms;         /* when that came, or when the session was opened, unused */
	bool is_probed;
	bool is_unused; /* in eio.unused */
	struct eio_request *get, *post;
	/* A relayed GET whose answer may still be lost: nothing newer is told before that is known,
	 * else the client would not miss what was in it. */
	struct eio_request *unconfirmed;
	struct eio_held *held; /* what `post` brought, or NULL */
	struct buf pending;    /* frames that no poll has fetched yet */
	bool is_held;          /* several things are being said; poll answers wait for the last */
	bool is_paused;        /* by the application */
	bool is_blocked;       /* as the application was told */
	bool is_ended;         /* nothing more; a last poll may fetch what is pending */
	bool is_freed;         /* in eio.gone */
};

/* session.c */
struct eio_session *session_new(struct eio *e, uint64_t now_ms, const struct eio_query *q);
void session_wait(struct eio_session *s, struct eio_list *list, uint64_t now_ms);
void session_use(struct eio_session *s);  /* its client has come back to it */
void session_free(struct eio_session *s); /* the application hears of it */
void session_drop(struct eio_session *s); /* all its transports too, at once */
void session_packet(struct eio_session *s, uint64_t now_ms, struct str data, bool is_binary);
void session_put(struct eio_session *s, struct str text); /* one text packet of ours */

/* polling.c */
void polling_resume(struct eio *e, uint64_t now_ms);

/* output.c */
void output_respond(struct eio_session *s, struct eio_request *r,
		    const struct eio_response *response);
bool output_must_hold(const struct eio_session *s); /* what it posts */
void output_forget_unconfirmed(struct eio_session *s);
void output_flush(struct eio_session *s);
void output_response(struct eio_session *s, struct eio_request *r, struct str text);
void output_let_go(struct eio_session *s);  /* of what is held, if it need not be any more */
void output_release(struct eio_session *s); /* no request is left */
void output_drop_probe(struct eio_session *s);
void output_release_all(struct eio_session *s); /* no request and no socket is left */
void output_close_socket(struct eio *e, struct eio_socket *ws);

/* admission.c */
const struct eio_response *admission_refusal(unsigned code);
struct eio_session *admission_session(const struct eio *e, const struct eio_query *q);
/* The code of what is wrong with such a request; negative: nothing is. */
int admission_check(const struct eio *e, const struct eio_query *q,
		    enum eio_transport_name transport);

#endif
