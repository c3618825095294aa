// SPDX-License-Identifier: MIT
/* metrics_http.c — see metrics_http.h. */
#include "proto/shell/metrics_http.h"

#include <nng/nng.h>
#include <nng/supplemental/http/http.h>
#include <pthread.h>
#include <stdio.h>

enum { WAITING_MAX = 16 };

struct metrics_http {
	nng_http_server *server;
	pthread_mutex_t lock; /* guards what is below */
	nng_aio *waiting[WAITING_MAX];
	size_t waiting_count;
};

static void respond(nng_aio *aio, uint16_t status, struct str text)
{
	nng_http_res *res;
	int rc = nng_http_res_alloc(&res);
	if (rc != 0) {
		nng_aio_finish(aio, rc);
		return;
	}
	rc = nng_http_res_set_status(res, status);
	if (rc == 0)
		rc = nng_http_res_copy_data(res, text.ptr, text.len);
	if (rc == 0)
		rc = nng_http_res_set_header(res, "Content-Type",
					     "text/plain; version=0.0.4; charset=utf-8");
	if (rc != 0)
		nng_http_res_free(res);
	else
		nng_aio_set_output(aio, 0, res);
	nng_aio_finish(aio, rc);
}

/* Runs on a thread of nng's. */
static void on_request(nng_aio *aio)
{
	struct metrics_http *m = nng_http_handler_get_data(nng_aio_get_input(aio, 1));
	pthread_mutex_lock(&m->lock);
	bool can_wait = m->waiting_count < WAITING_MAX;
	if (can_wait)
		m->waiting[m->waiting_count++] = aio;
	pthread_mutex_unlock(&m->lock);
	if (!can_wait)
		respond(aio, NNG_HTTP_STATUS_SERVICE_UNAVAILABLE, STR("others are waiting\n"));
}

static int start(struct metrics_http *m, const nng_url *url)
{
	nng_http_handler *handler;
	int rc = nng_http_server_hold(&m->server, url);
	if (rc != 0)
		return rc;
	if ((rc = nng_http_handler_alloc(&handler, "/metrics", on_request)) != 0)
		return rc;
	if ((rc = nng_http_handler_set_data(handler, m, NULL)) != 0 ||
	    (rc = nng_http_server_add_handler(m->server, handler)) != 0) {
		nng_http_handler_free(handler);
		return rc;
	}
	return nng_http_server_start(m->server);
}

/* Only what could not start: nobody waits. */
static void discard(struct metrics_http *m)
{
	if (m->server) {
		nng_http_server_stop(m->server);
		nng_http_server_release(m->server);
	}
	pthread_mutex_destroy(&m->lock);
	mem_free(m);
}

bool metrics_http_open(struct metrics_http **opened, const char *address, char *error,
		       size_t error_len)
{
	nng_url *url;
	struct buf text = {0};
	*opened = NULL;
	if (!*address)
		return true;
	buf_printf(&text, "http://%s/metrics", address);
	buf_append(&text, "", 1);
	int rc = nng_url_parse(&url, text.ptr);
	buf_free(&text);
	if (rc != 0) {
		snprintf(error, error_len, "'%s' is not host:port", address);
		return false;
	}
	struct metrics_http *m = mem_alloc(sizeof *m);
	CHECK(pthread_mutex_init(&m->lock, NULL) == 0);
	rc = start(m, url);
	nng_url_free(url);
	if (rc != 0) {
		snprintf(error, error_len, "cannot serve metrics on %s: %s", address,
			 nng_strerror(rc));
		discard(m);
		return false;
	}
	*opened = m;
	return true;
}

void metrics_http_look(struct metrics_http *m, const struct metrics *metrics)
{
	nng_aio *waiting[WAITING_MAX];
	struct buf text = {0};
	if (!m)
		return;
	pthread_mutex_lock(&m->lock);
	size_t count = m->waiting_count;
	/* NOLINTNEXTLINE(bugprone-sizeof-expression): they are pointers. */
	memcpy(waiting, m->waiting, count * sizeof *waiting);
	m->waiting_count = 0;
	pthread_mutex_unlock(&m->lock);
	if (count == 0)
		return;
	metrics_print(metrics, &text);
	for (size_t i = 0; i < count; i++)
		respond(waiting[i], NNG_HTTP_STATUS_OK, buf_view(&text));
	buf_free(&text);
}
