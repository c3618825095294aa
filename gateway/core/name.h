// SPDX-License-Identifier: MIT
/* name.h — what may be the name of a user or a room, and which names a reader takes for each other.
 *
 * Not here: whose a name is (user.h, and roomd). */
#ifndef PARLOR_GATEWAY_CORE_NAME_H
#define PARLOR_GATEWAY_CORE_NAME_H

#include "proto/arena.h"

enum { NAME_MARKS_MAX = 4 }; /* on one letter: UTS #39, 5.4 */

/* Whether the text, in normal form C, can be read: nothing in it that cannot be seen or changes the
 * direction of what stands around it. A joiner is taken where a script or an emoji needs it (RFC
 * 5892, appendix A.1 and A.2; UAX #29, GB11), so Persian words and families pass. */
bool name_is_readable(struct arena *a, struct str name);

/* Names with the same key look the same to a reader: the key is Unicode's skeleton of the name in
 * small letters (UTS #39, 4). Among names of plain ASCII, "rn" is nobody's "m": these look the same
 * only when they differ in nothing but case. The key is in the arena. */
struct str name_skeleton(struct arena *a, struct str name);
bool name_looks_like(struct arena *a, struct str one, struct str other);

#endif
