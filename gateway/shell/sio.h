// SPDX-License-Identifier: MIT
/* sio.h — Socket.IO clients as sessions of the core: the same events as natively, in another
 * wire format. */
#ifndef PARLOR_GATEWAY_SHELL_SIO_H
#define PARLOR_GATEWAY_SHELL_SIO_H

#include "gateway/shell/ops.h"
#include "gateway/socketio/sio.h"

TAILQ_HEAD(sio_end_list, sio_end);

struct sio_chat { /* zeroed at first, but for what the caller sets */
	struct gateway *core;
	struct gateway_out *out;
	struct sio sio;
	struct sio_end_list gone; /* ops of this turn may still name them */
	/* Of the client that has just been admitted. */
	struct arena arena;
	struct claims claims;
	bool has_claims;
};

/* Puts the chat on top of `eio`. */
void sio_chat_open(struct sio_chat *chat, struct eio *eio, uint64_t packet_max);

void sio_chat_close(struct sio_chat *chat);

/* At the end of each turn, when the ops were carried out. */
void sio_chat_tidy(struct sio_chat *chat);

#endif
