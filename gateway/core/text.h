// SPDX-License-Identifier: MIT
/* text.h — text in Unicode: clean, in normal form, in ICU's own encoding. What may be a name is
 * name.h's. */
#ifndef PARLOR_GATEWAY_CORE_TEXT_H
#define PARLOR_GATEWAY_CORE_TEXT_H

#include "proto/arena.h"

#include <unicode/umachine.h>

/* Whether the text is UTF-8 and has no control characters, line or paragraph separators, and no
 * space at either end. */
bool text_is_clean(struct str s);
bool text_is_ascii(struct str s);

/* The text in Unicode's normal form C, so that names which look the same are the same: `s` itself
 * when it is in it already, otherwise a copy in the arena. False when it is not UTF-8. */
NODISCARD
bool text_normalize(struct arena *a, struct str s, struct str *normal);

struct utf16 {
	const UChar *units; /* in the arena */
	int32_t len;
};
NODISCARD
bool text_utf16(struct arena *a, struct str s, struct utf16 *text); /* false: not UTF-8 */
struct str text_utf8(struct arena *a, struct utf16 text);

#endif
