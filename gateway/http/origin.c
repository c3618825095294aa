// SPDX-License-Identifier: MIT
/* origin.c — see http/origin.h. */
#include "gateway/http/origin.h"
#include "gateway/http/head.h"

enum { NAME_MAX_BYTES = 255, PORT_MAX = 65535 };

static bool is_alnum(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* The length of the name at the beginning, brackets included; 0: none. */
static size_t name_length(struct str text)
{
	bool is_v6 = text.len && *text.ptr == '[';
	const char *more = is_v6 ? ":." : ".-_~";
	size_t len = is_v6;
	while (len < text.len &&
	       (is_alnum(text.ptr[len]) || (text.ptr[len] && strchr(more, text.ptr[len]) != NULL)))
		len++;
	if (!is_v6)
		return len;
	return len > 1 && len < text.len && text.ptr[len] == ']' ? len + 1 : 0;
}

static bool read_port(struct http_authority *a, struct str text)
{
	for (size_t i = 0; i < text.len; i++) {
		if (text.ptr[i] < '0' || text.ptr[i] > '9')
			return false;
		a->port = a->port * 10 + (unsigned)(text.ptr[i] - '0');
		if (a->port > PORT_MAX)
			return false;
	}
	return text.len == 0 || a->port > 0;
}

bool http_authority_read(struct http_authority *a, struct str text)
{
	size_t len = name_length(text);
	*a = (struct http_authority){.name = {text.ptr, len}};
	if (len > 1 && text.ptr[len - 1] == '.')
		a->name.len--;
	if (len == 0 || len > NAME_MAX_BYTES)
		return false;
	if (len == text.len)
		return true;
	return text.ptr[len] == ':' && read_port(a, str_of(text.ptr + len + 1, text.len - len - 1));
}

static unsigned default_port(struct str scheme)
{
	if (http_equal(scheme, STR("https")))
		return 443;
	return http_equal(scheme, STR("http")) ? 80 : 0;
}

bool http_origin_read(struct http_origin *o, struct str text)
{
	size_t len = 0;
	*o = (struct http_origin){0};
	while (len < text.len && (is_alnum(text.ptr[len]) ||
				  (len && text.ptr[len] && strchr("+-.", text.ptr[len]) != NULL)))
		len++;
	if (len == 0 || text.len - len <= 3 || memcmp(text.ptr + len, "://", 3) != 0)
		return false;
	o->scheme = str_of(text.ptr, len);
	struct str rest = str_of(text.ptr + len + 3, text.len - len - 3);
	if (rest.ptr[rest.len - 1] == '/')
		rest.len--;
	if (!http_authority_read(&o->authority, rest))
		return false;
	if (!o->authority.port)
		o->authority.port = default_port(o->scheme);
	return true;
}

bool http_origin_equal(const struct http_origin *a, const struct http_origin *b)
{
	return http_equal(a->scheme, b->scheme) &&
	       http_equal(a->authority.name, b->authority.name) &&
	       a->authority.port == b->authority.port;
}

bool http_origin_is_of(const struct http_origin *o, struct str host, bool is_tls)
{
	struct http_authority a;
	unsigned port = default_port(o->scheme);
	if (is_tls && !http_equal(o->scheme, STR("https")))
		return false;
	return port && http_authority_read(&a, host) && http_equal(a.name, o->authority.name) &&
	       (a.port ? a.port : port) == o->authority.port;
}
