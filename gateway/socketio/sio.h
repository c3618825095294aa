// SPDX-License-Identifier: MIT
/* sio.h — Socket.IO's packets (protocol 5 over Engine.IO 4, protocol 4 over Engine.IO 3):
 * namespaces, events with acks, binary attachments.
 *
 * Between Engine.IO (eio.h) and an application. What an event means is the application's; what is
 * not a packet closes the connection, as the reference server does. No I/O. */
#ifndef PARLOR_GATEWAY_SOCKETIO_SIO_H
#define PARLOR_GATEWAY_SOCKETIO_SIO_H

#include "gateway/engineio/eio.h"

enum {
	SIO_NAMESPACES_MAX = 4,
	SIO_ATTACHMENTS_MAX = 10,
	SIO_TOKEN_MAX = 2048,
	SIO_CONNECTS_MAX = 10,
	SIO_CONNECT_MS = 2000
};

struct sio_client;

/* One EVENT, with all its attachments. Everything lasts until the call returns. */
struct sio_event {
	size_t namespace; /* its place in sio_options */
	struct str id;    /* digits of the ack that is wanted; empty: none */
	struct str array; /* JSON: ["name",…]; checked no further than its outline */
	const struct str *attachments;
	size_t attachment_count;
};

/* `admit` comes first, for each namespace: NULL, or why the client may not enter, for people; it
 * may try again. `auth` is the client's JSON object, `token` what the request showed that opened
 * the connection, of SIO_TOKEN_MAX bytes at most, or empty. `connected` follows once the client is
 * told. `event` returns false for what is no JSON array, which ends the connection. */
struct sio_app {
	const char *(*admit)(void *ctx, struct sio_client *c, size_t namespace, struct str auth,
			     struct str token); /* NULL: all may */
	void (*connected)(void *ctx, struct sio_client *c, size_t namespace, struct str auth);
	bool (*event)(void *ctx, struct sio_client *c, const struct sio_event *ev);
	void (*on_activity)(void *ctx, struct sio_client *c);
	void (*blocked)(void *ctx, struct sio_client *c);
	void (*writable)(void *ctx, struct sio_client *c);
	void (*on_detached)(void *ctx, struct sio_client *c, size_t namespace);
	void (*closed)(void *ctx, struct sio_client *c); /* the last */
	bool (*is_full)(void *ctx);                      /* newcomers are refused; NULL: never */
};

struct sio_options {
	const char *namespaces[SIO_NAMESPACES_MAX]; /* the first is "/" */
	size_t namespace_count;
	uint64_t connect_ms; /* a client that has connected to none by then is closed */
	uint64_t packet_max; /* bytes of one event with its attachments */
};

struct sio_client {
	struct sio *sio;
	struct eio_session *session;
	void *user; /* the application's */
	bool is_connected[SIO_NAMESPACES_MAX];
	bool has_connected; /* to any */
	bool is_inside;     /* the application is being called … */
	bool is_gone;       /* … and has ended it meanwhile */
	uint64_t opened_ms;
	struct str token; /* owned, until has_connected */
	uint64_t
		connects_until_ms; /* to which its tries to connect are paid for: see may_connect */
	unsigned connected_count;  /* how often it has, up to now */
	TAILQ_ENTRY(sio_client) waiting; /* in sio.waiting unless has_connected */
	/* A binary packet whose attachments are still coming. */
	struct buf packet;
	size_t wanted, got;
	size_t ends[SIO_ATTACHMENTS_MAX]; /* of each attachment, in `bytes` */
	struct buf bytes;
};
TAILQ_HEAD(sio_client_list, sio_client);

struct sio {
	struct eio *eio;
	struct sio_options options;
	struct sio_app app;
	void *app_ctx;
	uint64_t now_ms;
	struct sio_client_list waiting;
};

/* Puts itself on top of `eio`, which is the caller's and open. */
void sio_open(struct sio *s, struct eio *eio, const struct sio_options *options);

/* To be called before anything of eio.h, which has no time for its application. */
void sio_now(struct sio *s, uint64_t now_ms);
void sio_tick(struct sio *s, uint64_t now_ms);
uint64_t sio_next_due(const struct sio *s);

/* A packet of ours: `head` is everything before the JSON, such as 42 or 43/custom,7. */
void sio_send(struct sio_client *c, struct str head, struct str json, const struct str *attachments,
	      size_t attachment_count);

/* Ends the connection; the client will come back. */
void sio_end(struct sio_client *c);

#endif
