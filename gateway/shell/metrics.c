// SPDX-License-Identifier: MIT
/* metrics.c — see shell/metrics.h. */
#include "gateway/shell/metrics.h"

static void add_by_code(struct metrics *m, const struct gateway_stats *stats)
{
	struct metric row = {.name = "errors_by_code_total",
			     .kind = METRIC_COUNTER,
			     .help = "error replies to clients, by their code"};
	for (size_t i = ERR_OK + 1; i < ERR_KINDS; i++) {
		row.value = &stats->errors_by_code[i];
		metrics_add_labelled(m, &row, (struct metric_label){"code", err_code((enum err)i)});
	}
	row.name = "closed_by_code_total";
	row.help = "clients that the gateway closed, by the code of the close";
	for (size_t i = 0; i < CLOSE_KINDS; i++) {
		row.value = &stats->closed_by_code[i];
		metrics_add_labelled(m, &row, (struct metric_label){"code", gateway_close_name(i)});
	}
}

void gateway_metrics_open(struct metrics *m, uint64_t id, const struct metrics_of *of)
{
	const struct gateway_stats *stats = gateway_stats(of->core);
	const struct server *server = of->server;
	const struct relay *relay = of->relay;
	metrics_init(m, "gateway", id);
#define S(name, kind, help) metrics_add(m, #name, METRIC_##kind, help, &stats->name);
	GATEWAY_STATS(S)
#undef S
	add_by_code(m, stats);
	metrics_add(m, "sockets", METRIC_GAUGE, "open sockets of clients", &server->sockets);
	metrics_add(m, "sockets_accepted_total", METRIC_COUNTER, "sockets taken",
		    &server->accepted);
	metrics_add(m, "sockets_refused_total", METRIC_COUNTER, "sockets refused, being too many",
		    &server->refused);
	metrics_add(m, "sockets_evicted_total", METRIC_COUNTER,
		    "slow requests ended to make room for others", &server->conns.evicted);
	metrics_add(m, "request_bytes", METRIC_GAUGE, "bytes of requests that are not whole yet",
		    &server->conns.bytes);
	metrics_add(m, "requests_timed_out_total", METRIC_COUNTER,
		    "requests that came, and answers that were read, too slowly",
		    &server->conns.timeouts);
	metrics_add(m, "relay_asked_total", METRIC_COUNTER,
		    "requests of clients passed to the gateway that has their session",
		    &relay->asked_total);
	metrics_add(m, "relay_executed_total", METRIC_COUNTER,
		    "requests executed for clients of other gateways", &relay->executed_total);
	metrics_add(m, "relay_unreachable_total", METRIC_COUNTER,
		    "requests given up because their gateway was unknown or silent",
		    &relay->unreachable_total);
	metrics_add(m, "relay_unconfirmed_total", METRIC_COUNTER,
		    "answers for clients of other gateways of which nobody said that they arrived; "
		    "their sessions ended",
		    &relay->unconfirmed_total);
	metrics_add(m, "relay_refused_total", METRIC_COUNTER,
		    "requests refused because too many were under way", &relay->refused_total);
	metrics_add(m, "engineio_sessions_total", METRIC_COUNTER, "sessions of Engine.IO opened",
		    &of->eio->opened_total);
	metrics_add(m, "engineio_upgrades_total", METRIC_COUNTER,
		    "those that moved from polling to a WebSocket", &of->eio->upgraded_total);
	metrics_add(m, "engineio_polls_total", METRIC_COUNTER, "long polls", &of->eio->polls_total);
	metrics_add(m, "origins_refused_total", METRIC_COUNTER, "requests refused for their origin",
		    &server->refused_origins);
	metrics_add(m, "unsent_overflows_total", METRIC_COUNTER,
		    "clients closed with too much unsent", &of->conns->unsent_overflows);
}
