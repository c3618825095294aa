// SPDX-License-Identifier: MIT
/* connect.c — what the kernel alone asks for a client that comes and joins: a connection is
 * accepted, its request answered and its join greeted, by a loop that reads nothing of either and
 * tells nobody else. A child on another core connects. */
#include "tests/bench/limits/limits.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* As in workload D: a WebSocket upgrade, a join, and a greeting in a room of ten. */
enum { REQUEST_BYTES = 190, RESPONSE_BYTES = 129, JOIN_BYTES = 60, GREETING_BYTES = 400 };
enum { EVENTS = 64 };

static const char bytes[GREETING_BYTES];

static void watch(int epoll, int fd)
{
	struct epoll_event e = {.events = EPOLLIN, .data.fd = fd};
	if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &e) != 0)
		fail_system(PROGRAM, "epoll_ctl: %s", strerror(errno));
}

static void send_bytes(int fd, size_t len)
{
	if (send(fd, bytes, len, MSG_NOSIGNAL) != (ssize_t)len)
		fail_system(PROGRAM, "send: %s", strerror(errno));
}

/* Small packets on loopback arrive whole. */
static void receive_bytes(int fd, size_t len)
{
	char received[GREETING_BYTES];
	if (recv(fd, received, sizeof received, 0) != (ssize_t)len)
		fail_system(PROGRAM, "recv: not the %zu bytes that were sent", len);
}

static void connect_one(int epoll, const struct sockaddr_in *address)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	if (fd < 0 || connect(fd, (const struct sockaddr *)address, sizeof *address) != 0)
		fail_system(PROGRAM, "connect: %s", strerror(errno));
	send_bytes(fd, REQUEST_BYTES);
	watch(epoll, fd);
}

/* Descriptors are small numbers: `is_open[fd]` is all that either side knows of a connection. */
static bool *new_flags(void)
{
	return mem_alloc((size_t)sysconf(_SC_OPEN_MAX) * sizeof(bool));
}

/* The child: `connecting` at a time, each for ever. */
static _Noreturn void connect_all(const struct limit_options *o, const struct sockaddr_in *address)
{
	struct epoll_event events[EVENTS];
	uint64_t opened = 0, greeted = 0;
	bool *is_open = new_flags();
	become_child(o->reader_core);
	int epoll = epoll_create1(0);
	for (; opened < o->connecting && opened < o->sockets; opened++)
		connect_one(epoll, address);
	while (greeted < o->sockets) {
		int n = epoll_wait(epoll, events, EVENTS, -1);
		for (int i = 0; i < n; i++) {
			int fd = events[i].data.fd;
			receive_bytes(fd, is_open[fd] ? GREETING_BYTES : RESPONSE_BYTES);
			if (!is_open[fd]) {
				is_open[fd] = true;
				send_bytes(fd, JOIN_BYTES);
				continue;
			}
			greeted++;
			if (opened < o->sockets) {
				connect_one(epoll, address);
				opened++;
			}
		}
	}
	_exit(0);
}

static void accept_all(int epoll, int listener)
{
	int fd;
	while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0)
		watch(epoll, fd);
	if (errno != EAGAIN)
		fail_system(PROGRAM, "accept: %s", strerror(errno));
}

static void greet_all(const struct limit_options *o, int listener)
{
	struct epoll_event events[EVENTS];
	bool *is_open = new_flags();
	int epoll = epoll_create1(0);
	watch(epoll, listener);
	for (uint64_t greeted = 0; greeted < o->sockets;) {
		int n = epoll_wait(epoll, events, EVENTS, -1);
		for (int i = 0; i < n; i++) {
			int fd = events[i].data.fd;
			if (fd == listener) {
				accept_all(epoll, listener);
				continue;
			}
			receive_bytes(fd, is_open[fd] ? JOIN_BYTES : REQUEST_BYTES);
			send_bytes(fd, is_open[fd] ? GREETING_BYTES : RESPONSE_BYTES);
			greeted += is_open[fd];
			is_open[fd] = true;
		}
	}
	free(is_open);
}

void limit_connect(const struct limit_options *o)
{
	struct sockaddr_in address;
	int listener = listen_somewhere(&address, SOCK_NONBLOCK);
	pid_t child = fork();
	if (child < 0)
		fail_system(PROGRAM, "fork: %s", strerror(errno));
	if (child == 0)
		connect_all(o, &address);
	uint64_t start_ns = now_ns();
	double before_s = cpu_s();
	greet_all(o, listener);
	double used_s = cpu_s() - before_s;
	double seconds = (double)(now_ns() - start_ns) / 1e9;
	int status;
	if (waitpid(child, &status, 0) != child || status != 0)
		fail_system(PROGRAM, "the other end failed");
	printf("{\"limit\":\"connect\",\"sockets\":%" PRIu64
	       ",\"us_per_join\":%.3f,\"share\":%.3f,\"joins_per_s\":%.0f}\n",
	       o->sockets, used_s * 1e6 / (double)o->sockets, used_s / seconds,
	       (double)o->sockets / seconds);
}
