// SPDX-License-Identifier: MIT
/* utf8.h — whether bytes are text. What text may be a name is the gateway's: gateway/core/text.h.
 */
#ifndef PARLOR_PROTO_UTF8_H
#define PARLOR_PROTO_UTF8_H

#include "proto/base.h"

/* Whether the bytes are well-formed UTF-8. */
bool utf8_is_valid(struct str text);

#endif
