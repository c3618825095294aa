// SPDX-License-Identifier: MIT
/* msgpack_out.h — msgpack-c's packer over a struct buf: the one writer of the bus (bus_write.c) and
 * of what goes to the disk (historyd/store/values.c). */
#ifndef PARLOR_PROTO_MSGPACK_OUT_H
#define PARLOR_PROTO_MSGPACK_OUT_H

#include "proto/base.h"

#include <msgpack.h>

static inline int pack_append(void *b, const char *bytes, size_t len)
{
	buf_append(b, bytes, len);
	return 0;
}

/* An array of `count` items, which are to follow. */
static inline void pack_begin(msgpack_packer *p, struct buf *b, size_t count)
{
	msgpack_packer_init(p, b, pack_append);
	msgpack_pack_array(p, count);
}

static inline void pack_str(msgpack_packer *p, struct str s)
{
	msgpack_pack_str(p, s.len);
	msgpack_pack_str_body(p, s.ptr, s.len);
}

#endif
