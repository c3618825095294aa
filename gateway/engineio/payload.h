// SPDX-License-Identifier: MIT
/* payload.h — the bodies of Engine.IO's long-polling: several packets in one, for the
 * protocol's revisions 3 and 4.
 *
 * A packet is its text (a type digit and data), or the bytes of a binary message. Outgoing packets
 * are finished WebSocket frames, as everywhere else in the gateway, so that nothing is encoded for
 * polling alone. Pure; every byte read here is a stranger's. */
#ifndef PARLOR_GATEWAY_ENGINEIO_PAYLOAD_H
#define PARLOR_GATEWAY_ENGINEIO_PAYLOAD_H

#include "proto/base.h"

struct eio_packet {
	bool is_binary;  /* a message of these bytes; otherwise text that begins with its type */
	struct str data; /* lasts as long as the payload and the reader */
};

/* Reads a payload packet by packet: eio_payload_next until it returns false, then look at `bad`. */
struct eio_payload {
	struct str rest;
	unsigned revision;
	bool is_framed; /* revision 3 in bytes (application/octet-stream) */
	bool is_begun;
	bool bad;
	struct buf decoded; /* of the packet at hand */
};
void eio_payload_read(struct eio_payload *p, unsigned revision, bool is_octets, struct str body);
NODISCARD
bool eio_payload_next(struct eio_payload *p, struct eio_packet *packet);
void eio_payload_free(struct eio_payload *p);

/* How a client of revision 3 takes binary packets by polling. */
enum eio_binary { EIO_BASE64, EIO_OCTETS };

/* Appends the payload that these frames make; returns true when it is application/octet-stream.
 * Only finished text and binary frames may be among them. */
bool eio_payload_write(struct buf *b, unsigned revision, enum eio_binary binary, struct str frames);

#endif
