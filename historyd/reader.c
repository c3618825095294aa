// SPDX-License-Identifier: MIT
/* reader.c — see reader.h. */
#include "historyd/reader.h"

#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { TURN_MESSAGES = 64 }; /* between two looks at stop_fd */

struct reader {
	struct store *store;
	const struct topology *whole;
	struct port *port;
	pthread_t thread;
	int stop_fd; /* readable: stop */
	atomic_uint_fast64_t pages, bad;
};

static void respond_waiting(struct reader *r, struct bus_reader *bus, struct batch *responses)
{
	struct port_message m;
	for (int n = 0; n < TURN_MESSAGES && port_receive(r->port, &m); n++) {
		if (historyd_read(r->store, r->whole, bus, m.bytes, responses))
			atomic_fetch_add(&r->pages, 1);
		else
			atomic_fetch_add(&r->bad, 1);
		port_respond(r->port, &m, responses);
		batch_reset(responses);
		port_message_free(&m);
	}
}

static void *run(void *arg)
{
	struct reader *r = arg;
	struct bus_reader bus;
	struct batch responses = {0};
	struct pollfd fds[] = {
		{.fd = port_fd(r->port), .events = POLLIN},
		{.fd = r->stop_fd, .events = POLLIN},
	};
	bus_reader_init(&bus, SERVICE_HISTORYD);
	while (!(fds[1].revents & POLLIN)) {
		(void)poll(fds, ARRAY_LEN(fds), -1);
		respond_waiting(r, &bus, &responses);
	}
	batch_free(&responses);
	bus_reader_free(&bus);
	return NULL;
}

struct reader *reader_start(struct store *store, const struct topology *whole, struct port *port)
{
	struct reader *r = mem_alloc(sizeof *r);
	r->store = store;
	r->whole = whole;
	r->port = port;
	r->stop_fd = eventfd(0, EFD_CLOEXEC);
	CHECK(r->stop_fd >= 0);
	CHECK(pthread_create(&r->thread, NULL, run, r) == 0);
	return r;
}

void reader_stop(struct reader *r)
{
	CHECK(eventfd_write(r->stop_fd, 1) == 0);
	CHECK(pthread_join(r->thread, NULL) == 0);
	close(r->stop_fd);
	mem_free(r);
}

struct reader_stats reader_stats(struct reader *r)
{
	return (struct reader_stats){.pages = atomic_load(&r->pages), .bad = atomic_load(&r->bad)};
}
