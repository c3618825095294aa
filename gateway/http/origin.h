// SPDX-License-Identifier: MIT
/* origin.h — hosts and origins, and when two of them are the same. Pure. */
#ifndef PARLOR_GATEWAY_HTTP_ORIGIN_H
#define PARLOR_GATEWAY_HTTP_ORIGIN_H

#include "proto/base.h"

/* "chat.example", "127.0.0.1:8080", "[::1]:80": a view. */
struct http_authority {
	struct str name; /* as it stood, but for one dot at its end */
	unsigned port;   /* 0: none was given */
};

/* False: it is none. */
NODISCARD
bool http_authority_read(struct http_authority *a, struct str text);

/* "https://chat.example", perhaps with a slash at its end: a view. */
struct http_origin {
	struct str scheme;
	struct http_authority authority; /* with the scheme's port when none was given */
};

NODISCARD
bool http_origin_read(struct http_origin *o, struct str text);

NODISCARD
bool http_origin_equal(const struct http_origin *a, const struct http_origin *b);

/* Whether a page of that origin came from the host that it now asks. By TLS (`is_tls`) only pages
 * of https do. Otherwise whatever stands before this may have ended it, so that a host without a
 * port is that of both schemes. */
NODISCARD
bool http_origin_is_of(const struct http_origin *o, struct str host, bool is_tls);

#endif
