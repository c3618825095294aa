// SPDX-License-Identifier: MIT
/* http_conns.c — see shell/http_conn.h: all connections together: how long each is waited
 * for, who makes room, and when they are freed. Not here: the bytes of one (shell/http_conn.c). */
#include "gateway/shell/http_conn.h"

#include <sys/socket.h>

enum {
	REQUEST_MS = 10000, /* for a whole head; for a whole body */
	LINGER_MS = 2000,   /* for the client to have read its answer */
	/* When there is no room, whoever has been waited for so long makes some. */
	EVICT_MS = 1000,
};

void http_conns_init(struct http_conns *all)
{
	TAILQ_INIT(&all->heads);
	TAILQ_INIT(&all->bodies);
	TAILQ_INIT(&all->responses);
	TAILQ_INIT(&all->writers);
	TAILQ_INIT(&all->leavers);
	TAILQ_INIT(&all->gone);
}

static void free_gone(struct http_conns *all)
{
	struct http_conn *c = TAILQ_FIRST(&all->gone);
	while (c) {
		struct http_conn *next = TAILQ_NEXT(c, entry);
		if (!c->is_watched) {
			TAILQ_REMOVE(&all->gone, c, entry);
			buf_free(&c->in);
			buf_free(&c->body);
			buf_free(&c->out);
			mem_free(c);
		}
		c = next;
	}
}

static struct http_conn *due(const struct http_conn_list *list, uint64_t after_ms, uint64_t now_ms)
{
	struct http_conn *c = TAILQ_FIRST(list);
	return c && c->since_ms + after_ms <= now_ms ? c : NULL;
}

/* It is told, as far as the socket takes that, but not waited for again. */
static void time_out(struct http_conn *c)
{
	static const char late[] =
		"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
	c->all->timeouts++;
	if (c->in.len)
		(void)send(c->fd, late, sizeof late - 1, MSG_DONTWAIT | MSG_NOSIGNAL);
	http_conn_end(c);
}

void http_conns_tidy(struct http_conns *all, uint64_t now_ms)
{
	struct http_conn *c;
	while ((c = due(&all->heads, REQUEST_MS, now_ms)) != NULL)
		time_out(c);
	while ((c = due(&all->bodies, REQUEST_MS, now_ms)) != NULL)
		time_out(c);
	while ((c = due(&all->writers, all->stall_ms, now_ms)) != NULL) {
		all->timeouts++;
		http_conn_end(c);
	}
	while ((c = due(&all->leavers, LINGER_MS, now_ms)) != NULL) {
		c->has_lingered = true;
		http_conn_end(c);
	}
	free_gone(all);
}

bool http_conns_evict(struct http_conns *all, uint64_t now_ms)
{
	const struct http_conn_list *lists[] = {&all->leavers, &all->heads, &all->bodies,
						&all->writers};
	struct http_conn *c = NULL;
	for (size_t i = 0; i < ARRAY_LEN(lists) && !c; i++)
		c = due(lists[i], lists[i] == &all->leavers ? 0 : EVICT_MS, now_ms);
	if (!c)
		return false;
	http_conn_end(c);
	all->evicted++;
	return true;
}

uint64_t http_conns_next_due(const struct http_conns *all)
{
	const struct {
		const struct http_conn_list *list;
		uint64_t after_ms;
	} waits[] = {
		{&all->heads, REQUEST_MS},
		{&all->bodies, REQUEST_MS},
		{&all->writers, all->stall_ms},
		{&all->leavers, LINGER_MS},
	};
	uint64_t at = UINT64_MAX;
	for (size_t i = 0; i < ARRAY_LEN(waits); i++) {
		const struct http_conn *c = TAILQ_FIRST(waits[i].list);
		if (c && c->since_ms + waits[i].after_ms < at)
			at = c->since_ms + waits[i].after_ms;
	}
	return at;
}

void http_conns_close(struct http_conns *all)
{
	struct http_conn_list *lists[] = {&all->heads, &all->bodies, &all->responses, &all->writers,
					  &all->leavers};
	struct http_conn *c;
	for (size_t i = 0; i < ARRAY_LEN(lists); i++)
		while ((c = TAILQ_FIRST(lists[i])) != NULL)
			http_conn_end(c);
}
