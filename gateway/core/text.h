// SPDX-License-Identifier: MIT
/* text.h — what may be a name: the rules of usernames and room names. */
#ifndef PARLOR_GATEWAY_CORE_TEXT_H
#define PARLOR_GATEWAY_CORE_TEXT_H

#include "proto/arena.h"

/* Whether the text has no control characters, line or paragraph separators, and no space at either
 * end. It must be UTF-8. */
bool text_is_clean(struct str s);

/* The text in Unicode's normal form C, so that names which look the same are the same: `s` itself
 * when it is in it already, otherwise a copy in the arena. False when it is not UTF-8. */
NODISCARD
bool text_normalize(struct arena *a, struct str s, struct str *normal);

#endif
