// SPDX-License-Identifier: MIT
/* busio.c — see busio.h: the ports; the tap is in busio_tap.c. The queue lengths are nng's largest:
 * what passes them is lost and repaired, and a lost message costs more than the memory. Receive
 * time-outs and cancelled receives are never used: on a SUB socket of nng 1.5.2 they can crash. */
#include "proto/shell/bus_tls.h"
#include "proto/shell/busio_nng.h"
#include "proto/shell/clock.h"
#include "proto/shell/listeners.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <nng/protocol/pubsub0/pub.h>
#include <nng/protocol/pubsub0/sub.h>
#include <nng/protocol/reqrep0/rep.h>
#include <nng/protocol/reqrep0/req.h>
#include <nng/supplemental/util/platform.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

enum {
	QUEUE_MAX = 8192,
	RECONNECT_MIN_MS = 50,
	RECONNECT_MAX_MS = 1000,
	URL_MAX = 256,
	CLOSED_MAX = 64,
	REQUEST_ID = 0x7061726c /* nng's own request id; ours stand in the events */
};
#define REQUEST_TAG (0x80000000u | REQUEST_ID)

struct port {
	nng_socket socket;
	enum port_kind kind;
	int fd;
	struct link_out link;
	const struct topology *whole;
	struct tap *tap;
	const char *label;
	struct buf scratch;
	struct batch heartbeat;
	/* Connections that were closed; nng tells on a thread of its own. Of more than fit the
	 * oldest are forgotten: a lease ends them as well. */
	pthread_mutex_t lock;
	uint32_t closed[CLOSED_MAX];
	uint32_t closed_first, closed_count;
};

const char *endpoint_name(enum endpoint e)
{
	static const char *const names[] = {"up", "down", "ask", "read", "tap", "relay"};
	return names[e];
}

bool endpoint_url(const char *address, enum endpoint e, char *url, size_t url_len)
{
	int len = 0;
	if (strncmp(address, "ipc://", 6) == 0 && address[6]) {
		len = snprintf(url, url_len, "%s.%s", address, endpoint_name(e));
		/* Unix socket paths end at 107 bytes. */
		if (len >= 6 + 108)
			return false;
	} else if (strncmp(address, "tcp://", 6) == 0 || strncmp(address, "tls+tcp://", 10) == 0) {
		const char *colon = strrchr(address, ':');
		char *end = NULL;
		unsigned long port = strtoul(colon + 1, &end, 10);
		if (port == 0 || port > 65535 - ENDPOINT_RELAY || *end)
			return false;
		len = snprintf(url, url_len, "%.*s:%lu", (int)(colon - address), address, port + e);
	}
	return len > 0 && (size_t)len < url_len;
}

nng_socket busio_open(enum port_kind kind)
{
	nng_socket s;
	int rc = 0;
	switch (kind) {
	case PORT_PUBLISH:
		rc = nng_pub0_open(&s);
		break;
	case PORT_SUBSCRIBE:
		rc = nng_sub0_open(&s);
		break;
	/* Raw: several requests in flight on one socket and one thread, answered in any order. */
	case PORT_REQUEST:
		rc = nng_req0_open_raw(&s);
		break;
	case PORT_RESPONSE:
		rc = nng_rep0_open_raw(&s);
		break;
	}
	CHECK(rc == 0);
	if (kind != PORT_SUBSCRIBE)
		CHECK(nng_socket_set_int(s, NNG_OPT_SENDBUF, QUEUE_MAX) == 0);
	if (kind != PORT_PUBLISH)
		CHECK(nng_socket_set_int(s, NNG_OPT_RECVBUF, QUEUE_MAX) == 0);
	if (kind == PORT_SUBSCRIBE)
		CHECK(nng_socket_set(s, NNG_OPT_SUB_SUBSCRIBE, "", 0) == 0);
	CHECK(nng_socket_set_size(s, NNG_OPT_RECVMAXSZ, MESSAGE_MAX) == 0);
	CHECK(nng_socket_set_ms(s, NNG_OPT_RECONNMINT, RECONNECT_MIN_MS) == 0);
	CHECK(nng_socket_set_ms(s, NNG_OPT_RECONNMAXT, RECONNECT_MAX_MS) == 0);
	return s;
}

/* Listens on or dials the endpoint; 0 or nng's error. */
static int attach(nng_socket s, const char *url, bool listens)
{
	int rc;
	if (!listens) {
		nng_dialer dialer;
		if ((rc = nng_dialer_create(&dialer, s, url)) != 0)
			return rc;
		if (strncmp(url, "ipc://", 6) != 0) /* see connect below */
			CHECK(nng_dialer_set_bool(dialer, NNG_OPT_TCP_KEEPALIVE, true) == 0);
		if (bus_tls_is_for(url) && (rc = bus_tls_dialer(dialer)) != 0)
			return rc;
		return nng_dialer_start(dialer, NNG_FLAG_NONBLOCK);
	}
	return listeners_add(s, url);
}

bool busio_attach(nng_socket s, const char *address, enum endpoint e, bool listens, char *error,
		  size_t error_len)
{
	char url[URL_MAX];
	if (!endpoint_url(address, e, url, sizeof url)) {
		snprintf(error, error_len,
			 "'%s' is not an address: ipc:///path (107 bytes at most with its suffix) "
			 "or "
			 "tls+tcp://host:port",
			 address);
		return false;
	}
	if (!bus_tls_allows(address, error, error_len))
		return false;
	int rc = attach(s, url, listens);
	if (rc != 0)
		snprintf(error, error_len, "cannot %s %s: %s", listens ? "listen on" : "dial", url,
			 nng_strerror(rc));
	return rc == 0;
}

static void on_closed(nng_pipe pipe, nng_pipe_ev event, void *arg)
{
	struct port *p = arg;
	(void)event;
	CHECK(pthread_mutex_lock(&p->lock) == 0);
	p->closed[(p->closed_first + p->closed_count) % CLOSED_MAX] = (uint32_t)nng_pipe_id(pipe);
	if (p->closed_count < CLOSED_MAX)
		p->closed_count++;
	else
		p->closed_first = (p->closed_first + 1) % CLOSED_MAX;
	CHECK(pthread_mutex_unlock(&p->lock) == 0);
}

bool port_pipe_closed(struct port *p, uint32_t *pipe)
{
	CHECK(pthread_mutex_lock(&p->lock) == 0);
	bool is_any = p->closed_count > 0;
	if (is_any) {
		*pipe = p->closed[p->closed_first];
		p->closed_first = (p->closed_first + 1) % CLOSED_MAX;
		p->closed_count--;
	}
	CHECK(pthread_mutex_unlock(&p->lock) == 0);
	return is_any;
}

struct port *port_open(const struct port_options *o, char *error, size_t error_len)
{
	struct port *p = mem_alloc(sizeof *p);
	p->socket = busio_open(o->kind);
	p->kind = o->kind;
	p->link.next = o->self;
	p->whole = o->whole;
	p->tap = o->tap;
	p->label = o->label;
	p->fd = -1;
	CHECK(pthread_mutex_init(&p->lock, NULL) == 0);
	if (o->listens && o->kind != PORT_PUBLISH)
		CHECK(nng_pipe_notify(p->socket, NNG_PIPE_EV_REM_POST, on_closed, p) == 0);
	if (o->kind != PORT_PUBLISH)
		CHECK(nng_socket_get_int(p->socket, NNG_OPT_RECVFD, &p->fd) == 0);
	if (!busio_attach(p->socket, o->address, o->endpoint, o->listens, error, error_len)) {
		port_close(p);
		return NULL;
	}
	return p;
}

void port_close(struct port *p)
{
	if (!p)
		return;
	listeners_drop(p->socket);
	nng_close(p->socket);
	buf_free(&p->scratch);
	batch_free(&p->heartbeat);
	CHECK(pthread_mutex_destroy(&p->lock) == 0);
	mem_free(p);
}

int port_fd(const struct port *p)
{
	return p->fd;
}

bool port_receive(struct port *p, struct port_message *m)
{
	nng_msg *msg;
	if (nng_recvmsg(p->socket, &msg, NNG_FLAG_NONBLOCK) != 0)
		return false;
	int pipe = nng_pipe_id(nng_msg_get_pipe(msg));
	*m = (struct port_message){.bytes = str_of(nng_msg_body(msg), nng_msg_len(msg)),
				   .pipe = pipe > 0 ? (uint32_t)pipe : 0,
				   .handle = msg};
	tap_mirror(p->tap, p->label, false, (struct str){0}, m->bytes);
	return true;
}

void port_message_free(struct port_message *m)
{
	nng_msg_free(m->handle);
	*m = (struct port_message){0};
}

/* Sends header and body as one message; `route` is what nng's raw sockets want in front. */
static bool send_parts(struct port *p, struct str route, struct str header, struct str body)
{
	nng_msg *msg;
	CHECK(nng_msg_alloc(&msg, 0) == 0);
	CHECK(nng_msg_header_append(msg, route.ptr, route.len) == 0);
	CHECK(nng_msg_append(msg, header.ptr, header.len) == 0);
	CHECK(nng_msg_append(msg, body.ptr, body.len) == 0);
	tap_mirror(p->tap, p->label, true, header, body);
	if (nng_sendmsg(p->socket, msg, NNG_FLAG_NONBLOCK) == 0)
		return true;
	nng_msg_free(msg);
	return false;
}

static bool send_batch(struct port *p, struct str route, const struct batch *batch)
{
	struct str piece;
	bool is_sent = true;
	for (size_t n = 0; batch_piece(batch, n, &piece); n++) {
		if (p->kind == PORT_PUBLISH)
			p->link.next.seq++;
		buf_reset(&p->scratch);
		if (p->whole)
			topology_sign(p->whole, &p->link.next);
		bus_put_header(&p->scratch, &p->link.next);
		is_sent &= send_parts(p, route, buf_view(&p->scratch), piece);
	}
	return is_sent;
}

bool port_send(struct port *p, const struct batch *batch)
{
	static const unsigned char request[4] = {REQUEST_TAG >> 24, REQUEST_TAG >> 16 & 255,
						 REQUEST_TAG >> 8 & 255, REQUEST_TAG & 255};
	if (batch->count == 0)
		return true;
	struct str route = p->kind == PORT_REQUEST ? str_of((const char *)request, sizeof request)
						   : (struct str){0};
	return send_batch(p, route, batch);
}

bool port_respond(struct port *p, const struct port_message *request, const struct batch *batch)
{
	return port_respond_along(p, port_route(request), batch);
}

struct str port_route(const struct port_message *request)
{
	nng_msg *msg = request->handle;
	return str_of(nng_msg_header(msg), nng_msg_header_len(msg));
}

bool port_respond_along(struct port *p, struct str route, const struct batch *batch)
{
	CHECK(p->kind == PORT_RESPONSE);
	return send_batch(p, route, batch);
}

void port_renew(struct port *p)
{
	uint64_t now_us = clock_utc_us();
	uint64_t *epoch = &p->link.next.epoch;
	*epoch = now_us > *epoch ? now_us : *epoch + 1; /* the clock may have been set back */
	p->link.next.seq = 0;
}

void port_heartbeat(struct port *p, const struct ev_heartbeat *state, uint64_t now_ms)
{
	if (!link_heartbeat_due(&p->link, now_ms))
		return;
	p->link.heartbeat_ms = now_ms;
	batch_reset(&p->heartbeat);
	bus_put_heartbeat(&p->heartbeat, state);
	port_send(p, &p->heartbeat);
}

void port_drain(uint64_t ms)
{
	nng_msleep((nng_duration)ms);
}

/* Stands in for the C library's, in nng too. nng 1.5.2 takes EPIPE, the error of a peer that dies
 * during the handshake, for the end of its own socket, and never dials that address again; after
 * ECONNRESET it does. */
ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
{
	ssize_t sent = syscall(SYS_sendmsg, fd, message, flags);
	if (sent < 0 && errno == EPIPE)
		errno = ECONNRESET;
	return sent;
}

/* Stands in for the C library's: what nng dials over TCP is given up when the other side has not
 * answered for a lease, and dialled again. Of itself TCP asks at ever longer intervals, so that
 * after a cut of half a minute it may stay silent for another half. nng has no option for this. */
int connect(int fd, __CONST_SOCKADDR_ARG addr, socklen_t len)
{
	static const struct {
		int option, value;
	} patience[] = {{TCP_USER_TIMEOUT, LEASE_MS}, {TCP_KEEPIDLE, 1}, {TCP_KEEPINTVL, 1}};
	const struct sockaddr *to = addr.__sockaddr__;
	bool is_tcp = to->sa_family == AF_INET || to->sa_family == AF_INET6;
	for (size_t i = 0; is_tcp && i < ARRAY_LEN(patience); i++)
		(void)setsockopt(fd, IPPROTO_TCP, patience[i].option, &patience[i].value,
				 sizeof patience[i].value);
	return (int)syscall(SYS_connect, fd, to, len);
}
