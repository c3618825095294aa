// SPDX-License-Identifier: MIT
/* tls_pump.h — the bytes of a link whose hands are shaken. Inside of shell/tls*.c only. */
#ifndef PARLOR_GATEWAY_SHELL_TLS_PUMP_H
#define PARLOR_GATEWAY_SHELL_TLS_PUMP_H

#include "gateway/shell/tls_link.h"

/* Takes what the client has said already. It may end the link. */
void tls_pump_start(struct tls_link *l);

/* Events of libuv's; they may end the link. */
void tls_pump_client(struct tls_link *l, int status, int events);
void tls_pump_loop(struct tls_link *l, int status, int events);

#endif
