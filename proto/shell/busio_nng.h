// SPDX-License-Identifier: MIT
/* busio_nng.h — what ports (busio.c) and the tap (busio_tap.c) have of each other. Inside of these
 * two only; busio.h is the face. */
#ifndef PARLOR_PROTO_SHELL_BUSIO_NNG_H
#define PARLOR_PROTO_SHELL_BUSIO_NNG_H

#include "proto/shell/busio.h"

#include <nng/nng.h>

/* busio.c */
nng_socket busio_open(enum port_kind kind);
/* Listens on or dials the endpoint; false with a sentence in `error`. */
NODISCARD
bool busio_attach(nng_socket s, const char *address, enum endpoint e, bool listens, char *error,
		  size_t error_len);

/* busio_tap.c: copies what passes, while anybody watches. `t` may be NULL. */
void tap_mirror(struct tap *t, const char *label, bool is_out, struct str header, struct str body);

/* Whether a URL is one of tls+tcp://; such are given our certificate, at either end: 0 or nng's
 * error (bus_tls.c). */
NODISCARD
bool bus_tls_is_for(const char *url);
int bus_tls_dialer(nng_dialer dialer);
int bus_tls_listener(nng_listener listener);

#endif
