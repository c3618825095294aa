// SPDX-License-Identifier: MIT
/* status.h — the first lines of every HTTP answer. Pure. */
#ifndef PARLOR_GATEWAY_HTTP_STATUS_H
#define PARLOR_GATEWAY_HTTP_STATUS_H

#include "proto/base.h"

/* What all answers of a gateway say of it. */
struct http_self {
	uint64_t id;
	uint64_t hsts_s; /* for so long browsers are to come by TLS only; 0: nothing is said */
};

/* The first line, and the fields that all answers of this gateway have. */
void http_put_status(struct buf *b, unsigned status, const struct http_self *self);

/* Those of them that are this gateway's own. */
void http_put_self(struct buf *b, const struct http_self *self);

#endif
