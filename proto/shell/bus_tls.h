// SPDX-License-Identifier: MIT
/* bus_tls.h — who may be on the bus when it runs over TCP: whoever has a certificate of our own CA.
 *
 * Both sides of each connection show one and check the other's. All certificates bear one name,
 * BUS_NAME, and not that of a host: having one is what counts, and addresses may change. Plain TCP
 * that leaves this machine is refused unless it is asked for. For busio*.c and service.c; the files
 * are read once, at the start. */
#ifndef PARLOR_PROTO_SHELL_BUS_TLS_H
#define PARLOR_PROTO_SHELL_BUS_TLS_H

#include "proto/shell/options.h"

#define BUS_NAME "parlor-bus"

struct bus_security {
	const char *ca, *cert, *key; /* files, PEM; all or none */
	bool is_insecure;            /* plain TCP is wanted */
};

#define BUS_SECURITY_ROWS(type, member)                                                         \
	{OPTION_ROW("bus-ca", TEXT, type, member.ca), .fallback = "",                           \
	 .help = "file of the private CA whose certificates all of the bus have (PEM), for "    \
		 "addresses tls+tcp://; see deploy/make-certificates"},                         \
		{OPTION_ROW("bus-cert", TEXT, type, member.cert), .fallback = "",               \
		 .help = "file of this program's certificate for the bus (PEM)"},               \
		{OPTION_ROW("bus-key", TEXT, type, member.key), .fallback = "",                 \
		 .help = "file of that certificate's private key (PEM)"},                       \
	{                                                                                       \
		OPTION_ROW("bus-insecure", SWITCH, type, member.is_insecure),                   \
			.fallback = "no",                                                       \
			.help = "let the bus run over plain tcp:// beyond this machine, where " \
				"whoever "                                                      \
				"reaches it can read and forge everything"                      \
	}

/* False with a sentence in `error`. Before any port is opened. */
NODISCARD
bool bus_tls_open(const struct bus_security *o, char *error, size_t error_len);

/* Whether an address may be listened on or dialled; false with a sentence in `error`. */
NODISCARD
bool bus_tls_allows(const char *address, char *error, size_t error_len);

#endif
