// SPDX-License-Identifier: MIT
/* relay.h — the sockets of relay.h: this gateway answers the others at one endpoint and asks
 * each of them at theirs, as roomd tells where that is. Connections are made when first needed and
 * kept. Not here: the clients' side of a request (shell/eio.c). */
#ifndef PARLOR_GATEWAY_SHELL_RELAY_H
#define PARLOR_GATEWAY_SHELL_RELAY_H

#include "gateway/core/directory.h"
#include "gateway/relay/relay.h"
#include "gateway/shell/eio.h"
#include "proto/shell/busio.h"

enum { RELAY_PORTS_MAX = PLACES_MAX }; /* addresses ever dialled; none is let go */

struct relay_shell;
struct relay_port { /* to another gateway */
	struct relay_shell *all;
	uv_poll_t poll;
	struct port *port;
	struct str address; /* owned */
};

struct relay_shell { /* set by the caller: */
	struct eio_shell *eio;
	const struct directory *directory;
	struct tap *tap;
	struct envelope self;
	uv_loop_t *loop;

	struct relay relay;
	struct port *listening;
	uv_poll_t poll;
	struct relay_port *ports[RELAY_PORTS_MAX];
	size_t port_count;
};

/* Answers at `address`. False with a sentence in `error`. */
NODISCARD
bool relay_shell_open(struct relay_shell *s, const char *address, uint64_t seed, char *error,
		      size_t error_len);

/* Takes nothing more; the loop must run once more. The ports are left to the system: see
 * port_close. */
void relay_shell_close(struct relay_shell *s);

#endif
