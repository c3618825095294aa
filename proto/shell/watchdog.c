// SPDX-License-Identifier: MIT
/* watchdog.c — see watchdog.h. Nothing here waits or fails: a supervisor that does not read loses
 * words, and ends the service. */
#include "proto/shell/watchdog.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { BEAT_MS = 1000, FD_MAX = 1 << 20 };

/* One supervisor a process. */
static struct {
	int pipe, socket; /* -1: none */
	struct sockaddr_un address;
	socklen_t address_len;
	bool is_ready;
	uint64_t next_ms;
} supervisor = {.pipe = -1, .socket = -1};

static void open_pipe(const char *text)
{
	char *end;
	long fd = strtol(text, &end, 10);
	if (*text == '\0' || *end != '\0' || fd < 3 || fd > FD_MAX)
		return;
	int flags = fcntl((int)fd, F_GETFL);
	if (flags >= 0 && fcntl((int)fd, F_SETFL, flags | O_NONBLOCK) == 0 &&
	    fcntl((int)fd, F_SETFD, FD_CLOEXEC) == 0)
		supervisor.pipe = (int)fd;
}

/* A path, or an abstract name behind '@'. */
static void open_socket(const char *path)
{
	size_t len = strlen(path);
	if (len < 2 || len >= sizeof supervisor.address.sun_path || (*path != '/' && *path != '@'))
		return;
	supervisor.address.sun_family = AF_UNIX;
	memcpy(supervisor.address.sun_path, path, len);
	if (*path == '@')
		supervisor.address.sun_path[0] = '\0';
	supervisor.address_len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
	supervisor.socket = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
}

void watchdog_open(void)
{
	const char *fd = getenv("PARLOR_NOTIFY_FD");
	const char *path = getenv("NOTIFY_SOCKET");
	if (fd)
		open_pipe(fd);
	else if (path)
		open_socket(path);
}

static void say(struct str line)
{
	if (supervisor.pipe >= 0)
		(void)!write(supervisor.pipe, line.ptr, line.len);
	else if (supervisor.socket >= 0)
		(void)sendto(supervisor.socket, line.ptr, line.len, MSG_NOSIGNAL,
			     (const struct sockaddr *)&supervisor.address, supervisor.address_len);
}

void watchdog_alive(uint64_t now_ms)
{
	if (now_ms < supervisor.next_ms || (supervisor.pipe < 0 && supervisor.socket < 0))
		return;
	supervisor.next_ms = now_ms + BEAT_MS;
	say(supervisor.is_ready ? STR("WATCHDOG=1\n") : STR("READY=1\n"));
	supervisor.is_ready = true;
}

void watchdog_stopping(void)
{
	say(STR("STOPPING=1\n"));
}
