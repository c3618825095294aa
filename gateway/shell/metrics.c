// SPDX-License-Identifier: MIT
/* metrics.c — see shell/metrics.h. */
#include "gateway/shell/metrics.h"

#include "gateway/core/gateway.h"
#include "gateway/relay/relay.h"
#include "gateway/shell/server.h"
#include "gateway/shell/tls.h"
#include "gateway/shell/tokens.h"

static const char *code_of_error(size_t index)
{
	return err_code((enum err)index);
}

#define CORE(name, kind, help, member) \
	METRIC_ROW(name, kind, help, OF_CORE, struct gateway_stats, member)
#define SERVER(name, kind, help, member) \
	METRIC_ROW(name, kind, help, OF_SERVER, struct server, member)
#define RELAY(name, kind, help, member) METRIC_ROW(name, kind, help, OF_RELAY, struct relay, member)
#define ENGINEIO(name, kind, help, member) METRIC_ROW(name, kind, help, OF_EIO, struct eio, member)
#define CONNS(name, kind, help, member) METRIC_ROW(name, kind, help, OF_CONNS, struct conns, member)
#define TOKENS(name, kind, help, member) \
	METRIC_ROW(name, kind, help, OF_TOKENS, struct tokens, member)
#define TLS(name, kind, help, member) METRIC_ROW(name, kind, help, OF_TLS, struct tls_stats, member)

static const struct metric_row rows[] = {
	{CORE("errors_by_code_total", COUNTER, "error replies to clients, by their code",
	      errors_by_code[0]),
	 .label = "code", .label_value = code_of_error, .first = ERR_OK + 1, .end = ERR_KINDS},
	{CORE("closed_by_code_total", COUNTER,
	      "clients that the gateway closed, by the code of the close", closed_by_code[0]),
	 .label = "code", .label_value = gateway_close_name, .end = CLOSE_KINDS},
	{SERVER("sockets", GAUGE, "open sockets of clients", sockets)},
	{SERVER("sockets_accepted_total", COUNTER, "sockets taken", accepted)},
	{SERVER("sockets_refused_total", COUNTER, "sockets refused, being too many", refused)},
	{SERVER("sockets_evicted_total", COUNTER, "slow requests ended to make room for others",
		conns.evicted)},
	{SERVER("request_bytes", GAUGE, "bytes of requests that are not whole yet", conns.bytes)},
	{SERVER("requests_timed_out_total", COUNTER,
		"requests that came, and answers that were read, too slowly", conns.timeouts)},
	{RELAY("relay_asked_total", COUNTER,
	       "requests of clients passed to the gateway that has their session", asked_total)},
	{RELAY("relay_executed_total", COUNTER, "requests executed for clients of other gateways",
	       executed_total)},
	{RELAY("relay_unreachable_total", COUNTER,
	       "requests given up because their gateway was unknown or silent", unreachable_total)},
	{RELAY("relay_unconfirmed_total", COUNTER,
	       "answers for clients of other gateways of which nobody said that they arrived; "
	       "their sessions ended",
	       unconfirmed_total)},
	{RELAY("relay_refused_total", COUNTER, "requests refused because too many were under way",
	       refused_total)},
	{ENGINEIO("engineio_sessions_total", COUNTER, "sessions of Engine.IO opened",
		  opened_total)},
	{ENGINEIO("engineio_upgrades_total", COUNTER,
		  "those that moved from polling to a WebSocket", upgraded_total)},
	{ENGINEIO("engineio_polls_total", COUNTER, "long polls", polls_total)},
	{SERVER("origins_refused_total", COUNTER, "requests refused for their origin",
		refused_origins)},
	{CONNS("unsent_overflows_total", COUNTER, "clients closed with too much unsent",
	       unsent_overflows)},
	{CONNS("received_bytes", GAUGE, "bytes of messages by WebSocket that are not whole yet",
	       received_bytes)},
	{TOKENS("tokens_taken_total", COUNTER, "tokens that were good", taken)},
	{TOKENS("tokens_refused_total", COUNTER, "tokens that were not", refused)},
	{TLS("tls_connections", GAUGE, "clients that came by TLS", connections)},
	{TLS("tls_handshakes", GAUGE, "TLS handshakes under way", handshakes)},
	{TLS("tls_handshakes_total", COUNTER, "TLS handshakes that succeeded", handshakes_total)},
	{TLS("tls_handshakes_failed_total", COUNTER, "TLS handshakes that failed or took too long",
	     failed_total)},
	{TLS("tls_certificate_end_seconds", GAUGE,
	     "when the TLS certificate ends, in seconds since 1970; 0: there is none",
	     certificate_end_s)},
#define S(name, kind, help) {CORE(#name, kind, help, name)},
	GATEWAY_STATS(S)
#undef S
};

const struct metric_table gateway_metrics = {rows, ARRAY_LEN(rows)};
