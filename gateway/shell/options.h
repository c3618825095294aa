// SPDX-License-Identifier: MIT
/* options.h — the gateway's options. */
#ifndef PARLOR_GATEWAY_SHELL_OPTIONS_H
#define PARLOR_GATEWAY_SHELL_OPTIONS_H

#include "gateway/core/gateway.h"
#include "gateway/shell/server.h"
#include "gateway/shell/tls.h"
#include "gateway/shell/tokens.h"
#include "proto/shell/service.h"

#define PROGRAM "parlor-gateway"

enum { ORIGINS_MAX = 64, HOSTS_MAX = 64 };

struct options {
	struct service_options service;
	struct gateway_options core; /* without seed and epoch */
	const char *host, *bind, *advertise, *web;
	uint64_t port, connections_max, drain_ms;
	struct address_list roomds, historyds;
	struct origins origins;
	const char *hosts[HOSTS_MAX];
	size_t host_count;
	const char *tls_cert, *tls_key; /* "": no TLS */
	uint64_t tls_threads, hsts_s;
	struct tokens tokens;
	unsigned auth;              /* enum auth_mode */
	const char *token_audience; /* as given */
	const char *token_issuer, *reserved_names;
	unsigned guest_keys_required, no_io_uring;      /* places in their choices */
	const char *allow_origin, *served, *web_params; /* as given */
};

extern const struct program gateway_program;

/* Ends the process with one line when something is wrong. */
void gateway_options_load(struct options *o, int argc, char **argv);

#endif
