// SPDX-License-Identifier: MIT
/* listeners.c — see listeners.h. */
#include "proto/shell/listeners.h"
#include "proto/shell/busio_nng.h"
#include "proto/shell/log.h"

#include <errno.h>
#include <nng/transport/ipc/ipc.h>
#include <stdio.h>
#include <sys/stat.h>

enum { URL_MAX = 256, LOOK_MS = 1000, ERROR_LOG_MS = 10000, SCHEME = 6 };

static struct listening {
	nng_socket socket;
	char url[URL_MAX];
} * all;
static size_t count, cap;
static uint64_t look_ms, error_log_ms;

static bool is_file(const char *url)
{
	return strncmp(url, "ipc://", SCHEME) == 0;
}

/* Its failure shows when the listener starts. */
static void make_directory(const char *url)
{
	char dir[URL_MAX];
	const char *end = strrchr(url, '/');
	if (end - url <= SCHEME)
		return;
	size_t len = (size_t)(end - url) - SCHEME;
	memcpy(dir, url + SCHEME, len);
	dir[len] = '\0';
	(void)mkdir(dir, S_IRWXU);
}

static int start(nng_socket s, const char *url)
{
	nng_listener listener;
	int rc = nng_listener_create(&listener, s, url);
	if (rc != 0)
		return rc;
	if (is_file(url)) {
		CHECK(nng_listener_set_int(listener, NNG_OPT_IPC_PERMISSIONS, 0600) == 0);
		make_directory(url);
	}
	if (bus_tls_is_for(url))
		rc = bus_tls_listener(listener);
	if (rc == 0)
		rc = nng_listener_start(listener, 0);
	if (rc != 0)
		nng_listener_close(listener);
	return rc;
}

int listeners_add(nng_socket s, const char *url)
{
	CHECK(strlen(url) < URL_MAX);
	int rc = start(s, url);
	if (rc != 0 || !is_file(url))
		return rc;
	if (count == cap) {
		cap = cap ? 2 * cap : 8;
		all = mem_resize(all, cap * sizeof *all);
	}
	all[count].socket = s;
	snprintf(all[count].url, URL_MAX, "%s", url);
	count++;
	return 0;
}

void listeners_drop(nng_socket s)
{
	for (size_t i = 0; i < count; i++)
		if (nng_socket_id(all[i].socket) == nng_socket_id(s)) {
			all[i] = all[--count];
			return;
		}
}

/* The old listener is left alone: its connections are good, and closing it would take the new one's
 * file away. */
void listeners_look(uint64_t now_ms)
{
	struct stat file;
	if (now_ms < look_ms)
		return;
	look_ms = now_ms + LOOK_MS;
	for (size_t i = 0; i < count; i++) {
		if (lstat(all[i].url + SCHEME, &file) == 0 || errno != ENOENT)
			continue;
		int rc = start(all[i].socket, all[i].url);
		if (rc == 0) {
			log_warn("listening_again", "at=\"%s\" why=\"its file was gone\"",
				 all[i].url);
		} else if (now_ms >= error_log_ms) {
			log_error("not_reachable", "at=\"%s\" why=\"%s\"", all[i].url,
				  nng_strerror(rc));
			error_log_ms = now_ms + ERROR_LOG_MS;
		}
	}
}
