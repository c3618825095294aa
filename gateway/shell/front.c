// SPDX-License-Identifier: MIT
/* front.c — see shell/front.h. */
#include "gateway/shell/front.h"
#include "proto/shell/log.h"

#include <sys/resource.h>

enum {
	FDS_MARGIN = 512,             /* descriptors that are no client's */
	FDS_MIN = 128,                /* below, not even the services are reached */
	SOCKETS_FEW = 1024,           /* fewer are worth a line */
	SOCKETS_DEFAULT = 128 * 1024, /* where the system sets no lower limit */
	TLS_FDS = 3,                  /* of one client: its own, and the pair behind it */
	TLS_HANDSHAKES_MAX = 1024,    /* at a time */
	TLS_ENDING_MAX = 512,         /* clients that the server is done with, and TLS is not */
};

uint64_t front_allow(uint64_t wanted, bool is_tls)
{
	struct rlimit limit;
	CHECK(getrlimit(RLIMIT_NOFILE, &limit) == 0);
	const uint64_t margin =
		is_tls ? FDS_MARGIN + TLS_HANDSHAKES_MAX + 2 * TLS_ENDING_MAX : FDS_MARGIN;
	const uint64_t each = is_tls ? TLS_FDS : 1;
	uint64_t fds = (wanted ? wanted : SOCKETS_DEFAULT) * each + margin;
	if (fds > limit.rlim_max)
		fds = limit.rlim_max;
	limit.rlim_cur = fds;
	CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
	if (fds < FDS_MIN)
		fail_system(PROGRAM,
			    "the system allows %" PRIu64
			    " descriptors (ulimit -n), %d are the least",
			    fds, FDS_MIN);
	uint64_t allowed = (fds > 2 * margin ? fds - margin : fds / 2) / each;
	if (allowed < wanted || (!wanted && allowed < SOCKETS_FEW))
		log_warn("max_connections_lowered", "to=%" PRIu64 " descriptors=%" PRIu64, allowed,
			 fds);
	return allowed;
}

static void on_accept(void *ctx, int fd)
{
	struct front *f = ctx;
	if (f->tls)
		tls_accept(f->tls, fd);
	else
		server_adopt(f->server, fd, NULL);
}

static void on_tls_client(void *ctx, int fd, struct peer *peer)
{
	server_adopt(ctx, fd, peer);
}

static bool open_tls(struct front *f, const struct options *o, uv_loop_t *loop, char *error,
		     size_t error_len)
{
	uint64_t sockets_max = f->server->sockets_max;
	const struct tls_options options = {
		.cert = o->tls_cert,
		.key = o->tls_key,
		.threads = o->tls_threads,
		.connections_max = sockets_max + TLS_ENDING_MAX,
		.handshakes_max =
			sockets_max < TLS_HANDSHAKES_MAX ? sockets_max : TLS_HANDSHAKES_MAX,
		.on_client = on_tls_client,
		.ctx = f->server,
	};
	f->tls = tls_open(&options, loop, error, error_len);
	return f->tls != NULL;
}

bool front_open(struct front *f, const struct options *o, uv_loop_t *loop, struct server *server,
		char *error, size_t error_len)
{
	f->server = server;
	f->listener.on_accept = on_accept;
	f->listener.ctx = f;
	return (!*o->tls_cert || open_tls(f, o, loop, error, error_len)) &&
	       listener_open(&f->listener, loop, o->host, o->port, error, error_len);
}

void front_turn(struct front *f)
{
	if (f->tls)
		listener_pause(&f->listener, tls_is_crowded(f->tls));
}

void front_look(struct front *f)
{
	listener_retry(&f->listener);
	if (f->tls)
		tls_look(f->tls, &f->tls_stats);
}

void front_stop(struct front *f)
{
	if (f->tls)
		tls_stop(f->tls);
}

void front_close(struct front *f)
{
	if (f->tls)
		tls_close(f->tls);
}

void front_free(struct front *f)
{
	if (f->tls)
		tls_free(f->tls);
}
