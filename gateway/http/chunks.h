// SPDX-License-Identifier: MIT
/* chunks.h — the body of a request with Transfer-Encoding: chunked, taken apart as it comes.
 * Pure. Extensions and trailers are skipped, within bounds. */
#ifndef PARLOR_GATEWAY_HTTP_CHUNKS_H
#define PARLOR_GATEWAY_HTTP_CHUNKS_H

#include "gateway/http/head.h"

/* Zeroed at first. */
struct http_chunks {
	unsigned state;
	unsigned digits;    /* of the size that is being read */
	unsigned overhead;  /* bytes of extensions and trailers so far */
	uint64_t remaining; /* of the chunk */
};

/* Appends what `bytes` hold of the body to it, until that overflows. */
NODISCARD
enum http_progress http_chunks_take(struct http_chunks *c, struct str bytes, struct buf *body);

#endif
