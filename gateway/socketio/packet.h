// SPDX-License-Identifier: MIT
/* packet.h — one packet of Socket.IO as text, taken apart. What follows from it is sio.c's. */
#ifndef PARLOR_GATEWAY_SOCKETIO_PACKET_H
#define PARLOR_GATEWAY_SOCKETIO_PACKET_H

#include "proto/base.h"

enum {
	SIO_CONNECT = '0',
	SIO_DISCONNECT,
	SIO_EVENT,
	SIO_ACK,
	SIO_CONNECT_ERROR,
	SIO_BINARY_EVENT,
	SIO_BINARY_ACK,
};

/* Views into the text. */
struct sio_packet {
	char type;
	size_t attachments;
	struct str namespace;
	struct str id; /* digits, or empty */
	struct str json;
};

/* False: it is none. */
NODISCARD
bool sio_packet_read(struct sio_packet *p, struct str text);

size_t sio_spaces_at(struct str s); /* how many it begins with */
bool sio_is_array(struct str json); /* by its outline */

/* The beginning of ["name",… or [number,…; whether it is JSON the application finds out. */
bool sio_is_event(struct str json);

#endif
