// SPDX-License-Identifier: MIT
/* client.h — one connection: opening it, frames out, frames in. What frames mean is the
 * dialect's. */
#ifndef PARLOR_BENCH_CLIENT_H
#define PARLOR_BENCH_CLIENT_H

#include "tests/bench/load/load.h"
#include "tests/bench/load/ws.h"

void client_open(struct client *c);
void client_close(struct client *c);

/* One frame with the dialect's opcode. */
void client_send(struct client *c, struct str payload);

/* What epoll said. */
void client_ready(struct client *c, uint32_t events);

#endif
