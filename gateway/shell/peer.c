// SPDX-License-Identifier: MIT
/* peer.c — see shell/peer.h. */
#include "gateway/shell/peer.h"

#include <linux/sockios.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

struct peer *peer_new(int tcp_fd)
{
	struct peer *p = mem_alloc(sizeof *p);
	atomic_init(&p->sides, 2);
	atomic_init(&p->has_all, false);
	p->tcp_fd = tcp_fd;
	return p;
}

void peer_drop(struct peer *p)
{
	if (!p || atomic_fetch_sub(&p->sides, 1) != 1)
		return;
	close(p->tcp_fd);
	mem_free(p);
}

uint32_t peer_acked(const struct peer *p, int fd)
{
	struct tcp_info info = {0};
	socklen_t len = sizeof info;
	if (getsockopt(p ? p->tcp_fd : fd, IPPROTO_TCP, TCP_INFO, &info, &len) < 0)
		return 0;
	return (uint32_t)info.tcpi_bytes_acked;
}

/* Who resets confirms nothing any more, and has read all the same up to two segments that it had
 * not confirmed: haproxy ends each connection so. */
bool tcp_has_all(int fd, bool is_reset, int slack)
{
	int waiting = 0, segment = 0;
	socklen_t len = sizeof segment;
	if (ioctl(fd, SIOCOUTQ, &waiting) != 0 ||
	    getsockopt(fd, IPPROTO_TCP, TCP_MAXSEG, &segment, &len) != 0)
		return false;
	return waiting <= (is_reset ? 2 * segment : 0) + slack;
}

bool peer_has_all(const struct peer *p, int fd, bool is_reset)
{
	int untaken = 0;
	/* The end of our side counts as a byte, which a client that knows the length need not have
	 * seen when it closes. */
	if (!p)
		return tcp_has_all(fd, is_reset, 1);
	/* In this order: the thread withdraws its word before it takes more. */
	return ioctl(fd, SIOCOUTQ, &untaken) == 0 && untaken == 0 && atomic_load(&p->has_all);
}
