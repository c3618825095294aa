// SPDX-License-Identifier: MIT
/* tls_link.h — one client of a TLS thread: the handshake, then bytes both ways, then the end.
 *
 * What one side does not take is held, at most one piece each way, and no more is read from the
 * other: so whoever is slow slows down the other, as over TCP. A half that ends is ended on the
 * other side once all before it has passed. Not here: the thread, its time and its limits
 * (shell/tls_thread.h). */
#ifndef PARLOR_GATEWAY_SHELL_TLS_LINK_H
#define PARLOR_GATEWAY_SHELL_TLS_LINK_H

#include "gateway/shell/peer.h"

#include <openssl/ssl.h>
#include <sys/queue.h>
#include <uv.h>

enum { TLS_PIECE = 16 * 1024 }; /* what one record holds at most */

struct tls_thread;
struct tls_link;
TAILQ_HEAD(tls_link_list, tls_link);

/* One direction. */
struct tls_half {
	char *held; /* read and not passed on yet, or NULL */
	size_t len;
	bool has_ended; /* no more will be read */
	bool is_passed; /* and the other side knows */
};

struct tls_side {
	uv_poll_t poll;
	int fd;
	int watched; /* events */
};

struct tls_link {
	TAILQ_ENTRY(tls_link) entry;
	struct tls_link_list *list; /* of the thread, by what it waits for */
	uint64_t since_ms;          /* when that began */
	struct tls_thread *thread;
	SSL *ssl;
	struct peer *peer; /* NULL until the hands are shaken; then it has client.fd */
	struct tls_side client, loop;
	struct tls_half in, out; /* from the client; to the client */
	unsigned handles;        /* of libuv that are not closed yet */
	bool is_greeted;         /* the hands are shaken */
	bool wants_out;          /* OpenSSL has something to write before it goes on */
	bool is_hung_up;         /* the loop has ended its half while we could not read */
	bool is_reset;           /* by the client */
};

/* Takes an accepted TCP socket. */
void tls_link_open(struct tls_thread *thread, SSL_CTX *ctx, int fd);

/* Ends it at once. */
void tls_link_end(struct tls_link *l);

/* For shell/tls_pump.c: waits for these events of libuv's, and for no others. */
void tls_link_watch(struct tls_side *side, int events);

/* Whether the client has confirmed all that the loop has sent. */
bool tls_link_has_all(const struct tls_link *l);

#endif
