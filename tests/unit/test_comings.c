// SPDX-License-Identifier: MIT
/* test_comings.c — peers of the bus that come and go while we run: each address is dialled once,
 * and whoever comes back to it is found, however its last visits ended. PARLOR_COMINGS in the
 * environment says how many. */
#include "proto/shell/busio.h"

#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
// cmocka wants the three above first
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { PEERS = 50, COMINGS = 500, PATIENCE_MS = 10000 };

static const unsigned char handshake[] = {0, 'S', 'P', 0, 0, 0x31, 0, 0}; /* of REP */

struct visited { /* somebody whom we dial */
	char address[64], path[80];
	struct port *port;
	int fd;
};

static void send_question(struct port *port)
{
	struct batch b = {0};
	bus_put_relay_done(&b, &(struct ev_relay_done){.number = 7});
	(void)port_send(port, &b);
	batch_free(&b);
}

static void dial(struct visited *v, unsigned i)
{
	char error[256];
	snprintf(v->address, sizeof v->address, "ipc:///tmp/parlor-comings-%d-%u", (int)getpid(),
		 i);
	assert_true(endpoint_url(v->address, ENDPOINT_RELAY, v->path, sizeof v->path));
	memmove(v->path, v->path + strlen("ipc://"), strlen(v->path + strlen("ipc://")) + 1);
	v->port = port_open(&(struct port_options){.kind = PORT_REQUEST,
						   .address = v->address,
						   .endpoint = ENDPOINT_RELAY,
						   .label = "relay",
						   .self = {.from = SERVICE_GATEWAY, .epoch = 1}},
			    error, sizeof error);
	assert_non_null(v->port);
	v->fd = -1;
}

static void come(struct visited *v)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	snprintf(at.sun_path, sizeof at.sun_path, "%s", v->path);
	(void)unlink(v->path);
	v->fd = socket(AF_UNIX, SOCK_STREAM, 0);
	assert_int_equal(bind(v->fd, (struct sockaddr *)&at, sizeof at), 0);
	assert_int_equal(listen(v->fd, 4), 0);
}

static void go(struct visited *v)
{
	close(v->fd);
	v->fd = -1;
}

static bool is_readable(int fd, int ms)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	return poll(&p, 1, ms) == 1;
}

/* Takes one connection and ends it in one of several ways. */
static void receive(struct visited *v, unsigned way)
{
	char bytes[256];
	assert_true(is_readable(v->fd, PATIENCE_MS));
	int fd = accept(v->fd, NULL, NULL);
	assert_true(fd >= 0);
	if (way > 0)
		(void)send(fd, handshake, way == 1 ? 3 : sizeof handshake, MSG_NOSIGNAL);
	if (way > 2) {
		send_question(v->port);
		(void)is_readable(fd, 20);
		(void)recv(fd, bytes, sizeof bytes, MSG_DONTWAIT);
	}
	if (way > 3) /* a length that is none */
		(void)send(fd, "\1\377\377\377\377\377\377\377\377", 9, MSG_NOSIGNAL);
	close(fd);
}

/* In the end somebody stays who answers as one should. */
static bool is_answered(struct visited *v)
{
	char error[256];
	struct port_message m;
	(void)unlink(v->path);
	struct port *peer = port_open(
		&(struct port_options){.kind = PORT_RESPONSE,
				       .listens = true,
				       .address = v->address,
				       .endpoint = ENDPOINT_RELAY,
				       .label = "relay",
				       .self = {.from = SERVICE_GATEWAY, .id = 1, .epoch = 1}},
		error, sizeof error);
	assert_non_null(peer);
	for (int waited_ms = 0; waited_ms < PATIENCE_MS; waited_ms += 50) {
		send_question(v->port);
		if (!is_readable(port_fd(peer), 50) || !port_receive(peer, &m))
			continue;
		struct batch b = {0};
		bus_put_relay_answer(&b, &(struct ev_relay_answer){.number = 7, .status = 200});
		(void)port_respond(peer, &m, &b);
		batch_free(&b);
		port_message_free(&m);
		if (is_readable(port_fd(v->port), 500) && port_receive(v->port, &m)) {
			port_message_free(&m);
			return true;
		}
	}
	return false;
}

static void test_whoever_comes_back_is_found(void **state)
{
	static struct visited all[PEERS];
	const char *params = getenv("PARLOR_COMINGS");
	unsigned comings = params ? (unsigned)strtoul(params, NULL, 10) : COMINGS;
	(void)state;
	for (unsigned i = 0; i < PEERS; i++)
		dial(&all[i], i);
	for (unsigned n = 0; n < comings; n += PEERS) {
		for (unsigned i = 0; i < PEERS; i++)
			come(&all[i]);
		for (unsigned i = 0; i < PEERS; i++)
			receive(&all[i], (n / PEERS + i) % 5);
		for (unsigned i = 0; i < PEERS; i++)
			go(&all[i]);
	}
	for (unsigned i = 0; i < PEERS; i++) {
		assert_true(is_answered(&all[i]));
		(void)unlink(all[i].path);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_whoever_comes_back_is_found)};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	(void)fflush(NULL);
	_exit(failed); /* as services end: sockets of nng are not closed while others go down */
}
