// SPDX-License-Identifier: MIT
/* busio.h — the sockets of the bus; with busio*.c and listeners.c the only files that know of nng.
 *
 * A service listens on some endpoints made from its one address: `up` (events from gateways),
 * `down` (events to all gateways), `ask` (requests with one answer), `read` (historyd: pages, on
 * their own thread), `tap`, `relay` (gateways: requests for each other's clients). For
 * ipc:///run/parlor/roomd-0 that is ipc:///run/parlor/roomd-0.up and so on; for tcp://host:7000
 * ports 7000 to 7005. More may be opened while running, but none is closed: nng 1.5.2 is not safe
 * there.
 *
 * Nothing here waits: sending never blocks (a full queue drops, and link.h notices), receiving
 * takes what is there. Not here: what a message means (bus.h), what to do about loss (link.h).
 * Next: service.h. */
#ifndef PARLOR_PROTO_SHELL_BUSIO_H
#define PARLOR_PROTO_SHELL_BUSIO_H

#include "proto/link.h"

enum endpoint {
	ENDPOINT_UP,
	ENDPOINT_DOWN,
	ENDPOINT_ASK,
	ENDPOINT_READ,
	ENDPOINT_TAP,
	ENDPOINT_RELAY,
};

enum port_kind {
	PORT_PUBLISH,
	PORT_SUBSCRIBE,
	PORT_REQUEST,  /* sends requests, receives answers */
	PORT_RESPONSE, /* receives requests, sends answers */
};

struct tap;
struct port;

struct port_options {
	enum port_kind kind;
	bool listens; /* or dials, again and again until somebody listens */
	const char *address;
	enum endpoint endpoint;
	const char *label;    /* for the tap: "roomd-0.up" */
	struct envelope self; /* who sends here; `seq` 0; `to` where it is for one shard only */
	const struct topology *whole; /* goes into each header as it is then; may be NULL */
	struct tap *tap;              /* mirrors what passes; may be NULL */
};

/* NULL, with a sentence in `error`, when the address is malformed or in use. Keeps the label and
 * `whole`. */
struct port *port_open(const struct port_options *o, char *error, size_t error_len);

/* Throws away what is still queued. Not for the end of a program: nng 1.5.2 may wait for ever here
 * for a connection that is going down. */
void port_close(struct port *p);

/* Readable when messages wait. For poll() only. */
int port_fd(const struct port *p);

/* A received message. `bytes` is what bus_open reads; `handle` says where an answer must go. */
struct port_message {
	struct str bytes;
	uint32_t pipe; /* the connection that it came by: as in struct bus_source */
	void *handle;
};
NODISCARD
bool port_receive(struct port *p, struct port_message *m);
void port_message_free(struct port_message *m);

/* A connection of this port that was closed since, in turn; false: no more. To be asked before
 * port_receive, as messages that it carried may still come. Listening ports that receive only. */
NODISCARD
bool port_pipe_closed(struct port *p, uint32_t *pipe);

/* Sends the batch as one or a few messages, each with the next link sequence (publish) or none
 * (ask). Empty batches send nothing. Returns false when the queue was full and something was
 * dropped. */
bool port_send(struct port *p, const struct batch *batch);

/* Answers `request`, which is not freed. */
bool port_respond(struct port *p, const struct port_message *request, const struct batch *batch);

/* Likewise later, along the route that the request came with, which may be copied. */
struct str port_route(const struct port_message *request);
bool port_respond_along(struct port *p, struct str route, const struct batch *batch);

/* Begins a new epoch, as a restart would: whoever listens asks for what it may have missed. */
void port_renew(struct port *p);

/* Publishes a heartbeat when the last one is HEARTBEAT_MS old. */
void port_heartbeat(struct port *p, const struct ev_heartbeat *state, uint64_t now_ms);

/* Gives queued messages `ms` to leave, before the end. */
void port_drain(uint64_t ms);

/* The tap: a copy of all that passes, for whoever is connected; costs nothing while nobody is. */
struct tap *tap_open(const char *address, const struct envelope *self, char *error,
		     size_t error_len);
void tap_close(struct tap *t);

/* What stands before the mirrored message: [1, service, id, direction, time, label]. */
struct tap_header {
	enum service service;
	uint64_t id;
	bool is_out;
	uint64_t time_us; /* UTC */
	struct str label;
};

/* Takes the header off a mirrored message; false when it is none. Both views point into `message`.
 */
NODISCARD
bool tap_read(struct str message, struct tap_header *header, struct str *mirrored);

/* "up", as it ends an address and a label. */
const char *endpoint_name(enum endpoint e);

/* The URL of one endpoint of an address; false when the address is none or the URL does not fit. */
NODISCARD
bool endpoint_url(const char *address, enum endpoint e, char *url, size_t url_len);

#endif
