// SPDX-License-Identifier: MIT
/* head.h — the head of one HTTP/1 request: where it ends, and what it says.
 *
 * Pure: bytes in, views into them out. Strict wherever two readers of the same bytes might
 * disagree: such a head is refused, and never mended. Not here: bodies (http/chunks.h), hosts and
 * origins (http/origin.h), sockets (shell/http_conn.h). */
#ifndef PARLOR_GATEWAY_HTTP_HEAD_H
#define PARLOR_GATEWAY_HTTP_HEAD_H

#include "proto/base.h"

enum {
	HTTP_HEAD_MAX = 16 * 1024,
	HTTP_PROTOCOL_LINES_MAX = 4, /* in which WebSocket's subprotocols may be listed */
};

enum http_progress { HTTP_MORE, HTTP_WHOLE, HTTP_BAD };

/* How far the bytes have been looked at, so that each is looked at once. Zeroed at first. */
struct http_scan {
	size_t start; /* of the request's line, behind empty lines */
	size_t line;  /* of the line that `at` is in */
	size_t at;    /* HTTP_WHOLE: the end of the head, its empty line included */
};

/* `bytes` are all that have come so far. HTTP_BAD as soon as they can be no head. */
NODISCARD
enum http_progress http_scan(struct http_scan *s, struct str bytes);

enum http_method { HTTP_GET, HTTP_HEAD, HTTP_POST, HTTP_OPTIONS, HTTP_OTHER };

/* Views into what was read. What the request does not have is empty. */
struct http_head {
	enum http_method method;
	unsigned minor;   /* HTTP/1.minor */
	struct str path;  /* as it stood in the target: see http_path */
	struct str query; /* likewise, behind the '?' */
	struct str host;  /* of an absolute target, or the field */
	struct str origin;
	struct str content_type;
	struct str if_none_match;
	struct str authorization;
	struct str cors_headers; /* Access-Control-Request-Headers */
	struct str ws_key, ws_version;
	struct str ws_protocols[HTTP_PROTOCOL_LINES_MAX];
	size_t ws_protocol_lines;
	uint64_t length; /* of the body, when it is not chunked */
	bool has_length, is_chunked;
	bool is_expecting; /* 100-continue */
	bool is_websocket; /* asks for that upgrade; any other is ignored */
	bool has_connection_upgrade, has_upgrade_websocket; /* what that is made of */
};

/* Reads a whole head: 0, or the status with which it is refused. */
NODISCARD
unsigned http_head_read(struct http_head *h, struct str bytes);

/* The path with its %XX undone, into `path`. False: they are malformed, or hide a NUL. */
NODISCARD
bool http_path(struct str raw, struct buf *path);

/* The token with which the client comes (RFC 6750): of Authorization, or of `token` in the query.
 * Empty: none. A view. */
struct str http_bearer_token(const struct http_head *h);

/* Calls `next` with each element of a comma-separated list until there is none: false. */
NODISCARD
bool http_list_next(struct str *list, struct str *element);

/* What a name of a field, a method or a subprotocol is made of. */
NODISCARD
bool http_is_token(struct str s);

/* Equal but for the case of ASCII letters. */
NODISCARD
bool http_equal(struct str a, struct str b);
char http_lower(char c);

#endif
