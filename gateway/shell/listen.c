// SPDX-License-Identifier: MIT
/* listen.c — see shell/listen.h. */
#include "gateway/shell/listen.h"
#include "proto/shell/log.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	BACKLOG = 4096,
	ACCEPT_MAX =
		64, /* in one turn, so that those who are here do not wait for a storm to pass */
	/* The kernel's default lets megabytes pile up for a reader that has stopped. */
	SEND_BUFFER_BYTES = 128 * 1024,
	SPEAK_SECONDS = 5, /* until a silent connection is taken all the same */
};

/* False when nobody waits any more. */
static bool accept_one(struct listener *l)
{
	int fd = accept4(l->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (fd >= 0) {
		l->on_accept(l->ctx, fd);
		return true;
	}
	if (errno == EAGAIN || errno == EWOULDBLOCK)
		return false;
	if (errno != EMFILE && errno != ENFILE && errno != ENOBUFS && errno != ENOMEM)
		return true; /* that one has gone already */
	log_warn("accept_failed", "why=\"%s\"", strerror(errno));
	uv_poll_stop(&l->poll); /* it would stay readable */
	l->is_waiting = true;
	return false;
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
	struct listener *l = poll->data;
	(void)status;
	(void)events;
	for (int n = 0; n < ACCEPT_MAX && accept_one(l); n++)
		continue;
}

static int set(int fd, int level, int option, int value)
{
	return setsockopt(fd, level, option, &value, sizeof value);
}

/* The accepted sockets inherit the options. Negative: errno says why. */
static int listen_on(const struct addrinfo *a)
{
	int fd = socket(a->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	if (set(fd, SOL_SOCKET, SO_REUSEADDR, 1) == 0 &&
	    set(fd, SOL_SOCKET, SO_REUSEPORT, 1) == 0 &&
	    set(fd, SOL_SOCKET, SO_SNDBUF, SEND_BUFFER_BYTES) == 0 &&
	    set(fd, IPPROTO_TCP, TCP_NODELAY, 1) == 0 &&
	    /* Who connects speaks first: it is accepted when its request is there. */
	    set(fd, IPPROTO_TCP, TCP_DEFER_ACCEPT, SPEAK_SECONDS) == 0 &&
	    bind(fd, a->ai_addr, a->ai_addrlen) == 0 && listen(fd, BACKLOG) == 0)
		return fd;
	int why = errno;
	close(fd);
	errno = why;
	return -1;
}

static void put_address(struct listener *l)
{
	struct sockaddr_storage sa = {0};
	socklen_t len = sizeof sa;
	char host[NI_MAXHOST] = "?";
	char port[NI_MAXSERV] = "?";
	(void)getsockname(l->fd, (struct sockaddr *)&sa, &len);
	(void)getnameinfo((struct sockaddr *)&sa, len, host, sizeof host, port, sizeof port,
			  NI_NUMERICHOST | NI_NUMERICSERV);
	l->port = strtoull(port, NULL, 10);
	bool is_v6 = sa.ss_family == AF_INET6;
	snprintf(l->address, sizeof l->address, "%s%.46s%s:%.5s", is_v6 ? "[" : "", host,
		 is_v6 ? "]" : "", port);
}

bool listener_open(struct listener *l, uv_loop_t *loop, const char *host, uint64_t port,
		   char *error, size_t error_len)
{
	const struct addrinfo hints = {.ai_socktype = SOCK_STREAM,
				       .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
	struct addrinfo *found;
	char service[8];
	snprintf(service, sizeof service, "%u", (unsigned)port);
	int rc = getaddrinfo(host, service, &hints, &found);
	if (rc != 0) {
		snprintf(error, error_len, "--host: '%s': %s", host, gai_strerror(rc));
		return false;
	}
	l->fd = listen_on(found);
	int why = errno;
	freeaddrinfo(found);
	if (l->fd < 0) {
		if (why == EADDRINUSE)
			snprintf(error, error_len, "port %u is in use", (unsigned)port);
		else
			snprintf(error, error_len, "cannot listen on %s port %u: %s", host,
				 (unsigned)port, strerror(why));
		return false;
	}
	put_address(l);
	CHECK(uv_poll_init(loop, &l->poll, l->fd) == 0);
	l->poll.data = l;
	CHECK(uv_poll_start(&l->poll, UV_READABLE, on_readable) == 0);
	return true;
}

static void watch(struct listener *l)
{
	if (l->is_waiting || l->is_paused)
		CHECK(uv_poll_stop(&l->poll) == 0);
	else
		CHECK(uv_poll_start(&l->poll, UV_READABLE, on_readable) == 0);
}

void listener_retry(struct listener *l)
{
	if (!l->is_waiting)
		return;
	l->is_waiting = false;
	watch(l);
}

void listener_pause(struct listener *l, bool is_paused)
{
	if (l->fd < 0 || l->is_paused == is_paused)
		return;
	l->is_paused = is_paused;
	watch(l);
}

void listener_close(struct listener *l)
{
	if (l->fd < 0)
		return;
	while (accept_one(l))
		continue;
	l->is_waiting = false;
	uv_close((uv_handle_t *)&l->poll, NULL);
	close(l->fd);
	l->fd = -1;
}
