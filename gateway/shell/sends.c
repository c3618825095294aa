// SPDX-License-Identifier: MIT
/* sends.c — see shell/sends.h. No send may wait, so each is complete when the one system call
 * returns: nothing is ever in flight between two calls. */
#include "gateway/shell/sends.h"

#include <errno.h>
#include <liburing.h>
#include <sys/socket.h>

enum { SENDS_MAX = 512 };

struct sends {
	struct io_uring ring;
	sent_fn *on_sent;
	unsigned count;
	struct {
		struct str bytes;
		void *tag;
	} added[SENDS_MAX];
};

struct sends *sends_open(sent_fn *on_sent)
{
	struct sends *s = mem_alloc(sizeof *s);
	/* Completions are fetched by this thread alone, and only when it asks for them. */
	if (io_uring_queue_init(SENDS_MAX, &s->ring,
				IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN) != 0 &&
	    io_uring_queue_init(SENDS_MAX, &s->ring, 0) != 0) {
		mem_free(s);
		return NULL;
	}
	s->on_sent = on_sent;
	return s;
}

void sends_close(struct sends *s)
{
	if (!s)
		return;
	io_uring_queue_exit(&s->ring);
	mem_free(s);
}

void sends_add(struct sends *s, int fd, struct str bytes, void *tag)
{
	if (s->count == SENDS_MAX)
		sends_run(s);
	struct io_uring_sqe *sqe = io_uring_get_sqe(&s->ring);
	CHECK(sqe != NULL);
	io_uring_prep_send(sqe, fd, bytes.ptr, bytes.len, MSG_DONTWAIT | MSG_NOSIGNAL);
	io_uring_sqe_set_data64(sqe, s->count);
	s->added[s->count].bytes = bytes;
	s->added[s->count].tag = tag;
	s->count++;
}

void sends_run(struct sends *s)
{
	unsigned remaining = s->count;
	while (remaining) {
		int rc = io_uring_submit_and_wait(&s->ring, remaining);
		CHECK(rc >= 0 || rc == -EINTR || rc == -EAGAIN || rc == -EBUSY);
		struct io_uring_cqe *cqe;
		while (remaining && io_uring_peek_cqe(&s->ring, &cqe) == 0) {
			uint64_t index = io_uring_cqe_get_data64(cqe);
			int sent = cqe->res;
			io_uring_cqe_seen(&s->ring, cqe);
			CHECK(index < s->count);
			s->on_sent(s->added[index].tag, s->added[index].bytes, sent);
			remaining--;
		}
	}
	s->count = 0;
}
