// SPDX-License-Identifier: MIT
/* echo.h — the two applications of the conformance server: what lives on top of the gateway's
 * Engine.IO, in place of the chat. */
#ifndef PARLOR_TESTS_CONFORMANCE_ECHO_H
#define PARLOR_TESTS_CONFORMANCE_ECHO_H

#include "gateway/socketio/sio.h"

/* Every message comes back as it was. */
void engine_echo_open(struct eio *eio);

/* Namespaces / and /custom: `auth` with what the client connected with, `message` comes back as
 * `message-back`, `message-with-ack` is acked with its own arguments. */
void socket_echo_open(struct sio *sio, struct eio *eio);

#endif
