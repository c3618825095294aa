// SPDX-License-Identifier: MIT
/* tls_queue.h — sockets on their way from one thread to another. */
#ifndef PARLOR_GATEWAY_SHELL_TLS_QUEUE_H
#define PARLOR_GATEWAY_SHELL_TLS_QUEUE_H

#include "gateway/shell/peer.h"

#include <pthread.h>

struct tls_handed {
	int fd;
	struct peer *peer; /* or NULL */
};

struct tls_queue {
	pthread_mutex_t lock;
	struct tls_handed *items;
	size_t count, cap;
};

void tls_queue_init(struct tls_queue *q);
void tls_queue_put(struct tls_queue *q, struct tls_handed item);

/* All that is there; the caller frees it with mem_free. */
struct tls_handed *tls_queue_take(struct tls_queue *q, size_t *count);

/* Closes what nobody has taken. */
void tls_queue_free(struct tls_queue *q);

#endif
