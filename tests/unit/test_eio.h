// SPDX-License-Identifier: MIT
/* test_eio.h — what the tests of Engine.IO's sessions share: the test as transport and application.
 */
#ifndef PARLOR_TESTS_TEST_EIO_H
#define PARLOR_TESTS_TEST_EIO_H

#include "gateway/engineio/eio.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
// cmocka wants the three above first
#include <cmocka.h>
#include <stdio.h>

enum {
	NOW_MS = 1, /* when everything happens, unless a test says otherwise */
	PAYLOAD_MAX = 1000,
	PENDING_BYTES = 1024 * 1024, /* kept at most for one that does not poll */
	PING_INTERVAL_MS = 25000,
	PING_TIMEOUT_MS = 20000,
	OWNER = 11,
	SESSIONS_MAX = 2,
	REQUESTS = 3
};

struct fixture {
	struct eio eio;
	struct eio_session *session; /* the newest */
	unsigned status;             /* of the newest answer; 0: none came */
	char body[2000];
	size_t blocked, writable, closed, messages;
	bool is_full;
	struct eio_request requests[REQUESTS]; /* one that waits is answered at the end */
	bool is_freed; /* an answer ends its request at once: its client has reset */
};

static inline void on_respond(void *ctx, struct eio_request *r, const struct eio_response *a)
{
	struct fixture *f = ctx;
	f->status = a->status;
	snprintf(f->body, sizeof f->body, STR_FMT, STR_ARG(a->body));
	if (f->is_freed)
		mem_free(r);
}

static inline void *on_opened(void *ctx, struct eio_session *s, struct str token)
{
	(void)token;
	struct fixture *f = ctx;
	f->session = s;
	return s;
}

static inline void on_message(void *ctx, void *client, struct str data, bool is_binary)
{
	(void)client, (void)data, (void)is_binary;
	((struct fixture *)ctx)->messages++;
}

static inline bool on_is_full(void *ctx)
{
	return ((struct fixture *)ctx)->is_full;
}

static inline void on_activity(void *ctx, void *client)
{
	(void)ctx, (void)client;
}

static inline void on_blocked(void *ctx, void *client)
{
	(void)client;
	((struct fixture *)ctx)->blocked++;
}

static inline void on_writable(void *ctx, void *client)
{
	(void)client;
	((struct fixture *)ctx)->writable++;
}

static inline void on_closed(void *ctx, void *client)
{
	(void)client;
	((struct fixture *)ctx)->closed++;
}

/* Nobody guesses here: each sid is another, and each test has the same ones. */
static unsigned char dice;

static inline void count_up(void *bytes, size_t len)
{
	memset(bytes, ++dice, len);
}

static inline int open_eio(void **state)
{
	struct fixture *f = mem_alloc(sizeof *f);
	dice = 0;
	eio_open(&f->eio, &(struct eio_options){.ping_interval_ms = PING_INTERVAL_MS,
						.ping_timeout_ms = PING_TIMEOUT_MS,
						.payload_max = PAYLOAD_MAX,
						.owner = OWNER,
						.sessions_max = SESSIONS_MAX,
						.random = count_up});
	f->eio.transport = (struct eio_transport){.respond = on_respond};
	f->eio.transport_ctx = f;
	f->eio.app = (struct eio_app){.opened = on_opened,
				      .message = on_message,
				      .on_activity = on_activity,
				      .blocked = on_blocked,
				      .writable = on_writable,
				      .closed = on_closed,
				      .is_full = on_is_full};
	f->eio.app_ctx = f;
	*state = f;
	return 0;
}

static inline int close_eio(void **state)
{
	struct fixture *f = *state;
	eio_close(&f->eio);
	mem_free(f);
	return 0;
}

static inline void get(struct fixture *f, struct eio_request *r, const char *sid)
{
	char text[200];
	struct eio_query q;
	snprintf(text, sizeof text, "EIO=4&transport=polling%s%s", *sid ? "&sid=" : "", sid);
	eio_query_read(&q, str_from(text));
	f->status = 0;
	eio_get(&f->eio, NOW_MS, &q, r);
}

#endif
