// SPDX-License-Identifier: MIT
/* shell_handover.c — see shell_handover.h. */
#include "gateway/shell_handover.h"
#include "gateway/eio.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum {
	LINE_MAX_BYTES = 2048, /* of a request's first line */
	BACKLOG = 64,
	TAKE_MAX = 64, /* in one turn */
	QUEUE_BYTES = 1024 * 1024,
};

static socklen_t address_of(const struct handover *h, uint64_t id, struct sockaddr_un *a)
{
	*a = (struct sockaddr_un){.sun_family = AF_UNIX};
	int len = snprintf(a->sun_path + 1, sizeof a->sun_path - 1,
			   "parlor-gateway.%" PRIu64 ".%" PRIu64, h->port, id);
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)len);
}

/* ---- whose it is ---- */

/* The sid in the first line of a request for the path; false when there is none. */
static bool find_sid(struct str line, const char *path, char sid[EIO_SID_MAX])
{
	struct eio_query q;
	const char *space = memchr(line.ptr, ' ', line.len);
	if (!space)
		return false;
	const char *target = space + 1;
	size_t left = line.len - (size_t)(target - line.ptr);
	size_t path_len = strlen(path);
	if (left <= path_len || memcmp(target, path, path_len) != 0 || target[path_len] != '?')
		return false;
	const char *query = target + path_len + 1;
	left -= path_len + 1;
	const char *end = memchr(query, ' ', left);
	if (!end) /* the line is not whole; nobody else sends so little of it */
		return false;
	eio_query_read(&q, str_of(query, (size_t)(end - query)));
	memcpy(sid, q.sid, EIO_SID_MAX);
	return q.has_sid;
}

static bool is_for_another(const struct handover *h, int fd, uint64_t *owner)
{
	char bytes[LINE_MAX_BYTES];
	char sid[EIO_SID_MAX];
	ssize_t len = recv(fd, bytes, sizeof bytes, MSG_PEEK | MSG_DONTWAIT);
	return len > 0 && find_sid(str_of(bytes, (size_t)len), h->path, sid) &&
	       eio_owner(sid, owner) && *owner != h->id;
}

/* ---- passing on ---- */

static struct handover_peer *peer_of(struct handover *h, uint64_t id)
{
	for (size_t i = 0; i < h->peer_count; i++)
		if (h->peers[i].id == id)
			return &h->peers[i];
	if (h->peer_count == HANDOVER_PEERS_MAX)
		return NULL;
	struct handover_peer *p = &h->peers[h->peer_count++];
	*p = (struct handover_peer){.id = id, .fd = -1};
	return p;
}

static bool connect_peer(const struct handover *h, struct handover_peer *p)
{
	struct sockaddr_un a;
	socklen_t len = address_of(h, p->id, &a);
	int size = QUEUE_BYTES;
	p->fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (p->fd < 0)
		return false;
	(void)setsockopt(p->fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
	if (connect(p->fd, (const struct sockaddr *)&a, len) == 0)
		return true;
	close(p->fd);
	p->fd = -1;
	return false;
}

static bool send_fd(int to, int fd)
{
	char word = 'p';
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control = {0};
	struct iovec iov = {&word, 1};
	struct msghdr m = {.msg_iov = &iov,
			   .msg_iovlen = 1,
			   .msg_control = control.bytes,
			   .msg_controllen = sizeof control.bytes};
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof fd);
	memcpy(CMSG_DATA(c), &fd, sizeof fd);
	return sendmsg(to, &m, MSG_DONTWAIT | MSG_NOSIGNAL) == 1;
}

/* False when the other gateway is not there: then we answer in its place. */
static bool pass_on(struct handover *h, uint64_t owner, int fd)
{
	struct handover_peer *p = peer_of(h, owner);
	if (!p || (p->fd < 0 && !connect_peer(h, p)))
		return false;
	bool is_sent = send_fd(p->fd, fd);
	bool is_full = !is_sent && (errno == EAGAIN || errno == EWOULDBLOCK);
	if (!is_sent && !is_full) { /* it has been started again meanwhile */
		close(p->fd);
		is_sent = connect_peer(h, p) && send_fd(p->fd, fd);
	}
	if (!is_sent && !is_full)
		return false;
	h->passed += is_sent;
	h->dropped += is_full; /* it does not keep up; the client tries again */
	close(fd);
	return true;
}

void handover_accept(struct handover *h, int fd)
{
	uint64_t owner;
	if (h->port && is_for_another(h, fd, &owner) && pass_on(h, owner, fd))
		return;
	h->adopt(h->ctx, fd);
}

/* ---- taking ---- */

static void on_source_closed(uv_handle_t *handle)
{
	struct handover_source *s = handle->data;
	close(s->fd);
	mem_free(s);
}

static void drop_source(struct handover_source *s)
{
	struct handover_source **at = &s->all->sources;
	while (*at != s)
		at = &(*at)->next;
	*at = s->next;
	uv_close((uv_handle_t *)&s->poll, on_source_closed);
}

/* Negative: nothing now; errno is 0 when the other side is gone. */
static int receive_fd(int from)
{
	char word;
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control;
	struct iovec iov = {&word, 1};
	struct msghdr m = {.msg_iov = &iov,
			   .msg_iovlen = 1,
			   .msg_control = control.bytes,
			   .msg_controllen = sizeof control.bytes};
	int fd;
	errno = 0;
	if (recvmsg(from, &m, MSG_DONTWAIT | MSG_CMSG_CLOEXEC) <= 0)
		return -1;
	const struct cmsghdr *c = CMSG_FIRSTHDR(&m);
	if (!c || c->cmsg_type != SCM_RIGHTS || c->cmsg_len != CMSG_LEN(sizeof fd)) {
		errno = EAGAIN;
		return -1;
	}
	memcpy(&fd, CMSG_DATA(c), sizeof fd);
	return fd;
}

static void on_source(uv_poll_t *poll, int status, int events)
{
	struct handover_source *s = poll->data;
	(void)status, (void)events;
	for (int n = 0; n < TAKE_MAX; n++) {
		int fd = receive_fd(s->fd);
		if (fd < 0) {
			if (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR)
				drop_source(s);
			return;
		}
		s->all->taken++;
		s->all->adopt(s->all->ctx, fd);
	}
}

/* Only other gateways of ours: the name is open to every user of the machine. */
static bool is_ours(int fd)
{
	struct ucred peer;
	socklen_t len = sizeof peer;
	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) == 0 &&
	       (peer.uid == geteuid() || peer.uid == 0);
}

static void on_peer(uv_poll_t *poll, int status, int events)
{
	struct handover *h = poll->data;
	(void)status, (void)events;
	int fd = accept4(h->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (fd < 0)
		return;
	if (!is_ours(fd)) {
		close(fd);
		return;
	}
	struct handover_source *s = mem_alloc(sizeof *s);
	*s = (struct handover_source){.all = h, .fd = fd, .next = h->sources};
	h->sources = s;
	CHECK(uv_poll_init(h->loop, &s->poll, fd) == 0);
	s->poll.data = s;
	CHECK(uv_poll_start(&s->poll, UV_READABLE, on_source) == 0);
}

bool handover_open(struct handover *h, uv_loop_t *loop, uint64_t port, char *error,
		   size_t error_len)
{
	struct sockaddr_un a;
	h->port = port;
	h->loop = loop;
	socklen_t len = address_of(h, h->id, &a);
	h->fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (h->fd < 0 || bind(h->fd, (const struct sockaddr *)&a, len) != 0 ||
	    listen(h->fd, BACKLOG) != 0) {
		snprintf(error, error_len,
			 "another gateway %" PRIu64 " serves port %" PRIu64 " already (%s)", h->id,
			 port, strerror(errno));
		h->port = 0;
		return false;
	}
	CHECK(uv_poll_init(loop, &h->poll, h->fd) == 0);
	h->poll.data = h;
	CHECK(uv_poll_start(&h->poll, UV_READABLE, on_peer) == 0);
	return true;
}

void handover_close(struct handover *h)
{
	if (!h->port)
		return;
	h->port = 0;
	while (h->sources)
		drop_source(h->sources);
	for (size_t i = 0; i < h->peer_count; i++)
		if (h->peers[i].fd >= 0)
			close(h->peers[i].fd);
	uv_close((uv_handle_t *)&h->poll, NULL);
	close(h->fd);
}
