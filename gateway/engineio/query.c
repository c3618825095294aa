// SPDX-License-Identifier: MIT
/* query.c — what the query of an Engine.IO request says, and what a sid says of its session. */
#include "gateway/engineio/eio.h"

#include <stdio.h>
#include <stdlib.h>

static bool is_key(struct str part, const char *key, struct str *value)
{
	size_t len = strlen(key);
	if (part.len <= len || memcmp(part.ptr, key, len) != 0 || part.ptr[len] != '=')
		return false;
	*value = str_of(part.ptr + len + 1, part.len - len - 1);
	return true;
}

/* No value that matters here needs percent-encoding; one that has it is none of ours. */
void eio_query_read(struct eio_query *q, struct str query)
{
	*q = (struct eio_query){.revision = 3};
	while (query.len) {
		const char *end = memchr(query.ptr, '&', query.len);
		size_t len = end ? (size_t)(end - query.ptr) : query.len;
		struct str part = str_of(query.ptr, len);
		struct str value;
		query = str_of(query.ptr + len + (end ? 1 : 0), query.len - len - (end ? 1 : 0));
		if (is_key(part, "EIO", &value)) {
			bool is_known = value.len == 1 && (*value.ptr == '3' || *value.ptr == '4');
			q->has_revision = true;
			q->revision = is_known ? (unsigned)(*value.ptr - '0') : 0;
		} else if (is_key(part, "transport", &value)) {
			q->transport = str_equal(value, STR("polling"))     ? EIO_POLLING
				       : str_equal(value, STR("websocket")) ? EIO_WEBSOCKET
									    : EIO_NO_TRANSPORT;
		} else if (is_key(part, "sid", &value) && value.len > 0) {
			q->has_sid = true;
			snprintf(q->sid, sizeof q->sid, STR_FMT, STR_ARG(value));
		} else if (is_key(part, "b64", &value)) {
			q->is_base64 = true;
		}
	}
}

bool eio_owner(const char *sid, uint64_t *owner)
{
	char *end;
	if (!((*sid >= '0' && *sid <= '9') || (*sid >= 'a' && *sid <= 'f')))
		return false;
	*owner = strtoull(sid, &end, 16);
	return *end == '-';
}
