// SPDX-License-Identifier: MIT
/* tls.h — TLS is ended here, by threads of their own, before the gateway's loop sees a client.
 *
 * A thread shakes hands, makes a pair of Unix sockets and gives one of them to the loop, as though
 * it had been accepted; from then on it encrypts and decrypts what passes between that pair and the
 * client (shell/tls_link.h). So the loop's own way of sending stays as it is, and the work of
 * encryption is another core's. Not here: accepting (shell/listen.h), what the loop asks of the
 * client's TCP connection (shell/peer.h). */
#ifndef PARLOR_GATEWAY_SHELL_TLS_H
#define PARLOR_GATEWAY_SHELL_TLS_H

#include "gateway/shell/peer.h"

#include <uv.h>

enum { TLS_THREADS_MAX = 64 };

struct tls;

struct tls_options {
	const char *cert, *key; /* files, PEM */
	uint64_t threads;
	uint64_t connections_max; /* those that shake hands not counted */
	uint64_t handshakes_max;  /* at a time */
	/* A client is there; called by the loop. */
	void (*on_client)(void *ctx, int fd, struct peer *peer);
	void *ctx;
};

struct tls_stats {
	uint64_t connections;      /* now, those that shake hands not counted */
	uint64_t handshakes;       /* under way now */
	uint64_t handshakes_total; /* that succeeded */
	uint64_t failed_total;     /* that did not */
	uint64_t certificate_end_s;
};

/* NULL with a sentence in `error` when the certificate is not as it should be. */
NODISCARD
struct tls *tls_open(const struct tls_options *o, uv_loop_t *loop, char *error, size_t error_len);

/* Takes an accepted TCP socket. */
void tls_accept(struct tls *t, int fd);

/* So many shake hands that no more should be accepted for now. */
NODISCARD
bool tls_is_crowded(const struct tls *t);

/* Reads the files again, for those who come from now on. What cannot be used is logged, and the old
 * certificate stays. */
void tls_reload(struct tls *t);

void tls_look(const struct tls *t, struct tls_stats *stats);

/* Nobody is given to the loop any more. */
void tls_stop(struct tls *t);

/* Waits a little for what is under way to reach the clients, and ends everything but a handle of
 * the loop, which must run on until that is closed; then all is freed. */
void tls_close(struct tls *t);
void tls_free(struct tls *t);

#endif
