// SPDX-License-Identifier: MIT
/* json_out.h — writing JSON straight into a buffer. Reading it is jansson's
 * (gateway/core/json_in.h). */
#ifndef PARLOR_PROTO_JSON_OUT_H
#define PARLOR_PROTO_JSON_OUT_H

#include "proto/base.h"

/* Appends s as a JSON string, quotes included. `s` should be UTF-8; bytes that would break the JSON
 * are escaped. */
void json_out_str(struct buf *b, struct str s);

#endif
