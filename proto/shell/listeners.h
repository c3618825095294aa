// SPDX-License-Identifier: MIT
/* listeners.h — keeps what this process listens on reachable. The file of a Unix socket may be
 * removed under its listener (by systemd-tmpfiles, by hand): the listener does not notice, and
 * whoever starts later finds nobody. Then it listens anew; who is connected stays connected. One
 * thread. */
#ifndef PARLOR_PROTO_SHELL_LISTENERS_H
#define PARLOR_PROTO_SHELL_LISTENERS_H

#include "proto/base.h"

#include <nng/nng.h>

/* Listens for the socket; makes the directory of a Unix socket if it is the last part that is
 * missing. 0 or nng's error. Keeps the URL until listeners_drop. */
int listeners_add(nng_socket s, const char *url);
void listeners_drop(nng_socket s);

/* Listens anew where the file is gone; looks once a second. */
void listeners_look(uint64_t now_ms);

#endif
