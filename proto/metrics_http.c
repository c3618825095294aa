// SPDX-License-Identifier: MIT
/* metrics_http.c — see metrics_http.h. */
#include "proto/metrics_http.h"

#include <nng/nng.h>
#include <nng/supplemental/http/http.h>
#include <pthread.h>
#include <stdio.h>

struct metrics_http {
	nng_http_server *server;
	pthread_mutex_t lock; /* guards text */
	struct buf text;
};

/* Runs on a thread of nng's. */
static void answer(nng_aio *aio)
{
	nng_http_handler *handler = nng_aio_get_input(aio, 1);
	struct metrics_http *m = nng_http_handler_get_data(handler);
	nng_http_res *res;
	int rc = nng_http_res_alloc(&res);
	if (rc != 0) {
		nng_aio_finish(aio, rc);
		return;
	}
	pthread_mutex_lock(&m->lock);
	rc = nng_http_res_copy_data(res, m->text.ptr, m->text.len);
	pthread_mutex_unlock(&m->lock);
	if (rc == 0)
		rc = nng_http_res_set_header(res, "Content-Type",
					     "text/plain; version=0.0.4; charset=utf-8");
	if (rc != 0)
		nng_http_res_free(res);
	else
		nng_aio_set_output(aio, 0, res);
	nng_aio_finish(aio, rc);
}

static int start(struct metrics_http *m, const nng_url *url)
{
	nng_http_handler *handler;
	int rc = nng_http_server_hold(&m->server, url);
	if (rc != 0)
		return rc;
	if ((rc = nng_http_handler_alloc(&handler, "/metrics", answer)) != 0)
		return rc;
	if ((rc = nng_http_handler_set_data(handler, m, NULL)) != 0 ||
	    (rc = nng_http_server_add_handler(m->server, handler)) != 0) {
		nng_http_handler_free(handler);
		return rc;
	}
	return nng_http_server_start(m->server);
}

struct metrics_http *metrics_http_open(const char *address, char *error, size_t error_len)
{
	nng_url *url;
	struct buf text = {0};
	buf_printf(&text, "http://%s/metrics", address);
	buf_append(&text, "", 1);
	int rc = nng_url_parse(&url, text.ptr);
	buf_free(&text);
	if (rc != 0) {
		snprintf(error, error_len, "'%s' is not host:port", address);
		return NULL;
	}
	struct metrics_http *m = mem_alloc(sizeof *m);
	CHECK(pthread_mutex_init(&m->lock, NULL) == 0);
	rc = start(m, url);
	nng_url_free(url);
	if (rc != 0) {
		snprintf(error, error_len, "cannot serve metrics on %s: %s", address,
			 nng_strerror(rc));
		metrics_http_close(m);
		return NULL;
	}
	return m;
}

void metrics_http_close(struct metrics_http *m)
{
	if (!m)
		return;
	if (m->server) {
		nng_http_server_stop(m->server);
		nng_http_server_release(m->server);
	}
	pthread_mutex_destroy(&m->lock);
	buf_free(&m->text);
	mem_free(m);
}

void metrics_http_refresh(struct metrics_http *m, const struct metrics *metrics)
{
	struct buf fresh = {0};
	metrics_print(metrics, &fresh);
	pthread_mutex_lock(&m->lock);
	struct buf stale = m->text;
	m->text = fresh;
	pthread_mutex_unlock(&m->lock);
	buf_free(&stale);
}
