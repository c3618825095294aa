// SPDX-License-Identifier: MIT
/* bearer.c — where a request shows a token. What it is worth is gateway/token's to find out. */
#include "gateway/http/head.h"

static struct str of_query(struct str query)
{
	static const struct str key = {"token=", 6};
	while (query.len) {
		const char *end = memchr(query.ptr, '&', query.len);
		size_t len = end ? (size_t)(end - query.ptr) : query.len;
		if (len > key.len && memcmp(query.ptr, key.ptr, key.len) == 0)
			return str_of(query.ptr + key.len, len - key.len);
		query = end ? str_of(end + 1, query.len - len - 1) : (struct str){0};
	}
	return (struct str){0};
}

struct str http_bearer_token(const struct http_head *h)
{
	static const struct str scheme = {"Bearer ", 7};
	struct str field = h->authorization;
	if (field.len > scheme.len && http_equal(str_of(field.ptr, scheme.len), scheme))
		return str_of(field.ptr + scheme.len, field.len - scheme.len);
	return of_query(h->query);
}
