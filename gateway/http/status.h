// SPDX-License-Identifier: MIT
/* status.h — how every answer begins. Pure. */
#ifndef PARLOR_GATEWAY_HTTP_STATUS_H
#define PARLOR_GATEWAY_HTTP_STATUS_H

#include "proto/base.h"

/* The first line, and the fields that all answers of this gateway have. */
void http_put_status(struct buf *b, unsigned status, uint64_t gateway);

#endif
