// SPDX-License-Identifier: MIT
/* eio.h — Engine.IO, revisions 3 and 4: sessions of messages over a WebSocket, over long-polling,
 * or over the one and then the other.
 *
 * Between the transports (the shell's, below, by struct eio_transport) and the application (above,
 * by struct eio_app). No I/O and no clock of its own. Outgoing packets are finished WebSocket
 * frames, which polling takes apart again, so a message that goes to many is encoded once. Not
 * here: what messages say (sio.h), payloads (engineio/payload.h). */
#ifndef PARLOR_GATEWAY_ENGINEIO_EIO_H
#define PARLOR_GATEWAY_ENGINEIO_EIO_H

#include "gateway/engineio/payload.h"
#include "proto/table.h"

#include <sys/queue.h>

struct eio_session;

enum { EIO_SID_MAX = 48 };

struct eio_options {
	uint64_t ping_interval_ms, ping_timeout_ms;
	uint64_t payload_max; /* bytes of one body or frame, as clients are told */
	uint64_t owner;       /* this process, as each sid names it: see eio_owner */
	uint64_t sessions_max;
	/* Fills it with bytes that nobody can guess: sids are secrets. */
	void (*random)(void *bytes, size_t len);
	bool needs_revision; /* refuse who names none, instead of taking it for revision 3 */
};

/* What a request's query said. */
enum eio_transport_name { EIO_NO_TRANSPORT, EIO_POLLING, EIO_WEBSOCKET };
struct eio_query {
	unsigned revision; /* 3 or 4; 0: another */
	bool has_revision; /* false: 3, as clients of old */
	enum eio_transport_name transport;
	char sid[EIO_SID_MAX];
	bool has_sid;
	bool is_base64;   /* b64: no bytes, please (revision 3) */
	struct str token; /* set by the caller: that the request shows, for the application */
};
void eio_query_read(struct eio_query *q, struct str query);

/* Which process a sid belongs to; false when it is none of ours. */
NODISCARD
bool eio_owner(const char *sid, uint64_t *owner);

struct eio_response {
	unsigned status;
	const char *type;
	struct str body; /* until the call returns */
};

/* One HTTP request under way, part of the shell's own. Zeroed at first. */
struct eio_request {
	struct eio_session *session; /* that waits for it, or that it waits for */
	bool is_post;
	/* Set by the caller: it has come from another gateway, which may die with the answer. The
	 * next poll is answered when eio_response_arrived has been called for this one. It opens no
	 * session. */
	bool is_relayed;
};

/* One WebSocket, likewise. */
struct eio_socket {
	struct eio_session *session;
};

/* What carries packets. `respond` ends the request; nothing is called for it afterwards, and only
 * one that is relayed is remembered, until its answer has arrived or the session ends. */
struct eio_transport {
	void (*respond)(void *ctx, struct eio_request *r, const struct eio_response *response);
	void (*send)(void *ctx, struct eio_socket *ws, struct str frames);
	void (*pause)(void *ctx, struct eio_socket *ws, bool is_paused);
	bool (*has_taken)(void *ctx, struct eio_socket *ws); /* anything since it was asked last */
	void (*close)(void *ctx, struct eio_socket *ws);
};

/* What lives above. `opened` returns what the others get as `client`; `closed` is the last. A
 * message may be answered, and the session closed, from within. */
struct eio_app {
	void *(*opened)(void *ctx, struct eio_session *s, struct str token);
	void (*message)(void *ctx, void *client, struct str data, bool is_binary);
	void (*on_activity)(void *ctx, void *client); /* a sign of life */
	void (*blocked)(void *ctx, void *client);     /* send no more than must be … */
	void (*writable)(void *ctx, void *client);    /* … until this */
	void (*closed)(void *ctx, void *client);
	bool (*is_full)(void *ctx); /* newcomers are refused; NULL: never */
};

TAILQ_HEAD(eio_held_list, eio_held);
TAILQ_HEAD(eio_list, eio_session);

struct eio {
	struct eio_options options;
	struct eio_transport transport;
	void *transport_ctx;
	struct eio_app app;
	void *app_ctx;
	struct table sessions;
	struct eio_list all;
	/* Waits that are equally long, each in order: for a ping to go, for its pong, for a
	 * client's ping, for the end of an upgrade, for the last poll of a closed one. */
	struct eio_list idle, pinged, listening, closing;
	struct eio_list upgrading;
	struct eio_list
		unused; /* opened by a poll, and then nothing: the oldest is the first to go */
	struct eio_held_list resumed; /* POSTs that were held, and are taken now */
	struct eio_list gone;         /* freed when nobody can be inside any more */
	struct buf scratch;
	bool has_no_upgrades; /* set by the caller: a WebSocket may reach another process */
	uint64_t opened_total, upgraded_total, polls_total;
};

void eio_open(struct eio *e, const struct eio_options *options);
void eio_close(struct eio *e);

/* A GET, once its header is there. It is answered now, or when there is something to say. */
void eio_get(struct eio *e, uint64_t now_ms, const struct eio_query *q, struct eio_request *r);

/* A POST: first its header, then, if that returned true, its whole body. */
NODISCARD
bool eio_post_begin(struct eio *e, uint64_t now_ms, const struct eio_query *q,
		    struct eio_request *r);
void eio_post(struct eio *e, uint64_t now_ms, struct eio_request *r, bool is_octets,
	      struct str body);
void eio_post_too_large(struct eio *e, uint64_t now_ms, struct eio_request *r);

/* Any other method, or something wrong with a request that only the shell can see. */
void eio_reject(struct eio *e, struct eio_request *r, unsigned code);

/* The client has gone away before its answer. */
void eio_request_gone(struct eio *e, uint64_t now_ms, struct eio_request *r);

/* The answer to this relayed request has reached the client. */
void eio_response_arrived(struct eio *e, uint64_t now_ms, struct eio_request *r);

/* The answer to this request has not reached the client: it ends the session, since what was in it
 * is lost. */
void eio_response_lost(struct eio *e, uint64_t now_ms, const struct eio_query *q);

/* A WebSocket: whether it may be opened, that it is, what it says, that it is gone. */
NODISCARD
bool eio_socket_allowed(const struct eio *e, const struct eio_query *q,
			struct eio_response *response);
void eio_socket_open(struct eio *e, uint64_t now_ms, const struct eio_query *q,
		     struct eio_socket *ws);
void eio_socket_receive(struct eio *e, uint64_t now_ms, struct eio_socket *ws, struct str data,
			bool is_binary);
void eio_socket_blocked(struct eio *e, struct eio_socket *ws);
void eio_socket_writable(struct eio *e, struct eio_socket *ws);
void eio_socket_closed(struct eio *e, uint64_t now_ms, struct eio_socket *ws);

/* The application's: finished frames of messages (text ones begin with the type 4); one message;
 * the end. */
void eio_send(struct eio_session *s, struct str frames);
void eio_send_message(struct eio_session *s, struct str data, bool is_binary);
/* Reads no more of it: its socket, or, when it polls, its next POST, which is answered later. */
void eio_pause(struct eio_session *s, bool is_paused);

/* Whether it was told to the application, which may not have listened yet. */
bool eio_is_blocked(const struct eio_session *s);

/* Whether its socket has taken anything since this was asked last. */
bool eio_has_taken(struct eio_session *s, uint64_t now_ms);
void eio_end(struct eio_session *s, uint64_t now_ms);
unsigned eio_revision(const struct eio_session *s);
const char *eio_sid(const struct eio_session *s);

/* Ends up to `count` sessions that poll, the oldest first; those with a socket go with it. Returns
 * how many there were before. */
uint64_t eio_end_polling(struct eio *e, uint64_t count, uint64_t now_ms);

void eio_tick(struct eio *e, uint64_t now_ms);
uint64_t eio_next_due(const struct eio *e); /* UINT64_MAX: never */

#endif
