// SPDX-License-Identifier: MIT
/* report.c — see shell/report.h. */
#include "gateway/shell/report.h"
#include "proto/shell/log.h"

enum { REPORT_MS = 10000 };

/* "code:3 other:1", of those that grew. */
static void put_grown(struct buf *b, const char *code, uint64_t now, uint64_t before)
{
	if (now != before)
		buf_printf(b, "%s%s:%" PRIu64, b->len ? " " : "", code, now - before);
}

void report_look(struct report *r, const struct gateway_stats *stats, const struct server *server,
		 uint64_t now_ms)
{
	struct buf errors = {0};
	struct buf closed = {0};
	if (now_ms < r->due_ms)
		return;
	for (size_t i = 0; i < ARRAY_LEN(stats->errors_by_code); i++)
		put_grown(&errors, err_code((enum err)i), stats->errors_by_code[i],
			  r->stats.errors_by_code[i]);
	for (size_t i = 0; i < ARRAY_LEN(stats->closed_by_code); i++)
		put_grown(&closed, gateway_close_name(i), stats->closed_by_code[i],
			  r->stats.closed_by_code[i]);
	uint64_t sockets = server->refused - r->sockets;
	uint64_t origins = server->refused_origins - r->origins;
	uint64_t newcomers = stats->newcomers_refused_total - r->stats.newcomers_refused_total;
	if (errors.len || closed.len || sockets || origins || newcomers) {
		log_line(sockets || newcomers ? LOG_WARN : LOG_INFO, "refused",
			 "sockets=%" PRIu64 " newcomers=%" PRIu64 " origins=%" PRIu64
			 " errors=\"" STR_FMT "\" closed=\"" STR_FMT "\"",
			 sockets, newcomers, origins, STR_ARG(buf_view(&errors)),
			 STR_ARG(buf_view(&closed)));
		r->due_ms = now_ms + REPORT_MS;
		r->sockets = server->refused;
		r->origins = server->refused_origins;
		r->stats = *stats;
	}
	buf_free(&errors);
	buf_free(&closed);
}
