// SPDX-License-Identifier: MIT
/* send.c — what the kernel alone asks for a delivery: one frame written to each of many sockets, a
 * hundred times a second, by a loop that does nothing else. A child on another core reads. */
#include "tests/bench/limits/limits.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { EVENTS = 64, READ_BYTES = 1 << 16, ROUNDS_A_SECOND = 100 };

/* Connected pairs over loopback TCP. */
static void connect_all(int *writers, int *readers, uint64_t count)
{
	struct sockaddr_in address;
	int listener = listen_somewhere(&address, 0);
	for (uint64_t i = 0; i < count; i++) {
		readers[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
		if (readers[i] < 0 ||
		    (connect(readers[i], (struct sockaddr *)&address, sizeof address) != 0 &&
		     errno != EINPROGRESS))
			fail_system(PROGRAM, "connect: %s", strerror(errno));
		writers[i] = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
		if (writers[i] < 0)
			fail_system(PROGRAM, "accept: %s", strerror(errno));
	}
	close(listener);
}

/* The child: until the writer ends. */
static _Noreturn void read_all(const int *readers, uint64_t count, uint64_t core)
{
	static char bytes[READ_BYTES];
	struct epoll_event events[EVENTS];
	become_child(core);
	int epoll = epoll_create1(0);
	for (uint64_t i = 0; i < count; i++) {
		struct epoll_event e = {.events = EPOLLIN, .data.fd = readers[i]};
		if (epoll_ctl(epoll, EPOLL_CTL_ADD, readers[i], &e) != 0)
			_exit(1);
	}
	for (;;) {
		int n = epoll_wait(epoll, events, EVENTS, -1);
		for (int i = 0; i < n; i++)
			if (recv(events[i].data.fd, bytes, sizeof bytes, 0) <= 0)
				_exit(0);
	}
}

void limit_send(const struct limit_options *o)
{
	int *writers = mem_alloc(o->sockets * sizeof *writers);
	int *readers = mem_alloc(o->sockets * sizeof *readers);
	char *frame = mem_alloc(o->frame_bytes);
	connect_all(writers, readers, o->sockets);
	pid_t child = fork();
	if (child < 0)
		fail_system(PROGRAM, "fork: %s", strerror(errno));
	if (child == 0)
		read_all(readers, o->sockets, o->reader_core);
	uint64_t start_ns = now_ns(), sent = 0, refused = 0;
	double before_s = cpu_s();
	for (uint64_t round = 0; now_ns() - start_ns < o->window_ms * 1000000; round++) {
		sleep_until(start_ns + round * (1000000000u / ROUNDS_A_SECOND));
		for (uint64_t i = 0; i < o->sockets; i++) {
			if (send(writers[i], frame, o->frame_bytes, MSG_NOSIGNAL) > 0)
				sent++;
			else
				refused++;
		}
	}
	double used_s = cpu_s() - before_s;
	double seconds = (double)(now_ns() - start_ns) / 1e9;
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	printf("{\"limit\":\"send\",\"sockets\":%" PRIu64 ",\"frame_bytes\":%" PRIu64
	       ",\"sent\":%" PRIu64 ",\"refused\":%" PRIu64
	       ",\"us_per_send\":%.3f,\"share\":%.3f,\"sends_per_s\":%.0f}\n",
	       o->sockets, o->frame_bytes, sent, refused, used_s * 1e6 / (double)(sent ? sent : 1),
	       used_s / seconds, (double)sent / seconds);
}
