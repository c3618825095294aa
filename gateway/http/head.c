// SPDX-License-Identifier: MIT
/* head.c — see http/head.h. */
#include "gateway/http/head.h"

#include "gateway/http/origin.h"

enum { LENGTH_DIGITS_MAX = 18 };

/* ---- where it ends ---- */

/* What may stand in no head at all: a line ends with CR LF, and with nothing else. */
static bool is_forbidden(struct str bytes, size_t at)
{
	unsigned char c = (unsigned char)bytes.ptr[at];
	if (c == '\n')
		return at == 0 || bytes.ptr[at - 1] != '\r';
	if (at > 0 && bytes.ptr[at - 1] == '\r')
		return true;
	return (c < ' ' && c != '\t' && c != '\r') || c == 0x7f;
}

enum http_progress http_scan(struct http_scan *s, struct str bytes)
{
	for (; s->at < bytes.len; s->at++) {
		if (is_forbidden(bytes, s->at))
			return HTTP_BAD;
		if (bytes.ptr[s->at] != '\n')
			continue;
		bool is_empty = s->at == s->line + 1;
		bool is_before = s->line == s->start; /* RFC 9112 2.2: skipped */
		s->line = s->at + 1;
		if (is_empty && !is_before) {
			s->at++;
			return HTTP_WHOLE;
		}
		if (is_empty)
			s->start = s->line;
	}
	return HTTP_MORE;
}

/* ---- words ---- */

static bool is_token_char(char c)
{
	return (c >= '0' && c <= '9') || (http_lower(c) >= 'a' && http_lower(c) <= 'z') ||
	       (c && strchr("!#$%&'*+-.^_`|~", c));
}

bool http_is_token(struct str s)
{
	for (size_t i = 0; i < s.len; i++)
		if (!is_token_char(s.ptr[i]))
			return false;
	return s.len > 0;
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t';
}

static struct str trim(struct str s)
{
	while (s.len && is_space(s.ptr[s.len - 1]))
		s.len--;
	while (s.len && is_space(*s.ptr))
		s = str_of(s.ptr + 1, s.len - 1);
	return s;
}

/* What stands before `c`, and `rest` behind it; without it all of it, and `rest` is empty. */
static struct str cut(struct str s, char c, struct str *rest)
{
	const char *at = s.len ? memchr(s.ptr, c, s.len) : NULL;
	size_t len = at ? (size_t)(at - s.ptr) : s.len;
	*rest = at ? str_of(at + 1, s.len - len - 1) : str_of(s.ptr + s.len, 0);
	return str_of(s.ptr, len);
}

bool http_list_next(struct str *list, struct str *element)
{
	while (list->len) {
		*element = trim(cut(*list, ',', list));
		if (element->len)
			return true;
	}
	return false;
}

static bool lists(struct str list, struct str word)
{
	struct str element;
	while (http_list_next(&list, &element))
		if (http_equal(element, word))
			return true;
	return false;
}

/* ---- the first line ---- */

static enum http_method method_of(struct str name)
{
	static const struct {
		struct str name;
		enum http_method method;
	} methods[] = {
		{{"GET", 3}, HTTP_GET},
		{{"HEAD", 4}, HTTP_HEAD},
		{{"POST", 4}, HTTP_POST},
		{{"OPTIONS", 7}, HTTP_OPTIONS},
	};
	for (size_t i = 0; i < ARRAY_LEN(methods); i++)
		if (str_equal(methods[i].name, name))
			return methods[i].method;
	return HTTP_OTHER;
}

/* "http://host:port" before the path, as proxies are asked. Its host counts, not the field's. */
static bool skip_authority(struct http_head *h, struct str *target)
{
	static const struct str schemes[] = {
		{"http://", 7}, {"https://", 8}, {"ws://", 5}, {"wss://", 6}};
	for (size_t i = 0; i < ARRAY_LEN(schemes); i++) {
		size_t len = schemes[i].len;
		if (target->len <= len || !http_equal(str_of(target->ptr, len), schemes[i]))
			continue;
		struct str rest = str_of(target->ptr + len, target->len - len);
		size_t host = 0;
		while (host < rest.len && !strchr("/?#", rest.ptr[host]))
			host++;
		h->host = str_of(rest.ptr, host);
		*target = str_of(rest.ptr + host, rest.len - host);
		return host > 0;
	}
	return false;
}

static bool read_target(struct http_head *h, struct str target)
{
	struct str fragment;
	for (size_t i = 0; i < target.len; i++)
		if (is_space(target.ptr[i]))
			return false;
	bool is_absolute = target.len && *target.ptr != '/' && skip_authority(h, &target);
	target = cut(target, '#', &fragment);
	h->path = cut(target, '?', &h->query);
	if (h->path.len == 0 && is_absolute)
		h->path = STR("/");
	bool is_all = h->method == HTTP_OPTIONS && str_equal(h->path, STR("*"));
	return is_all || (h->path.len > 0 && *h->path.ptr == '/');
}

static unsigned read_request_line(struct http_head *h, struct str line)
{
	struct str rest;
	struct str method = cut(line, ' ', &rest);
	struct str version;
	struct str target = cut(rest, ' ', &version);
	if (!http_is_token(method) || version.len != 8 || memcmp(version.ptr, "HTTP/", 5) != 0)
		return 400;
	const char *number = version.ptr + 5;
	if (number[0] < '0' || number[0] > '9' || number[1] != '.' || number[2] < '0' ||
	    number[2] > '9')
		return 400;
	if (number[0] != '1')
		return 505;
	h->minor = (unsigned)(number[2] - '0');
	h->method = method_of(method);
	return read_target(h, target) ? 0 : 400;
}

/* ---- fields ---- */

static bool take_once(struct str *field, struct str value)
{
	if (field->ptr)
		return false;
	*field = value;
	return true;
}

static bool read_length(struct http_head *h, struct str value)
{
	uint64_t length = 0;
	if (value.len == 0 || value.len > LENGTH_DIGITS_MAX)
		return false;
	for (size_t i = 0; i < value.len; i++) {
		if (value.ptr[i] < '0' || value.ptr[i] > '9')
			return false;
		length = length * 10 + (uint64_t)(value.ptr[i] - '0');
	}
	if (h->has_length && length != h->length)
		return false;
	h->has_length = true;
	h->length = length;
	return true;
}

/* The fields that matter here. A repeated one is refused where it might mean two things. */
struct fields {
	struct str host, coding, expect;
};

static unsigned read_field(struct http_head *h, struct fields *f, struct str name, struct str value)
{
	const struct {
		struct str name;
		struct str *once; /* or whatever follows */
		bool *set;        /* when `word` is in the list */
		struct str word;
	} known[] = {
		{STR("Host"), &f->host, NULL, {0}},
		{STR("Transfer-Encoding"), &f->coding, NULL, {0}},
		{STR("Expect"), &f->expect, NULL, {0}},
		{STR("Origin"), &h->origin, NULL, {0}},
		{STR("Content-Type"), &h->content_type, NULL, {0}},
		{STR("If-None-Match"), &h->if_none_match, NULL, {0}},
		{STR("Authorization"), &h->authorization, NULL, {0}},
		{STR("Access-Control-Request-Headers"), &h->cors_headers, NULL, {0}},
		{STR("Sec-WebSocket-Key"), &h->ws_key, NULL, {0}},
		{STR("Sec-WebSocket-Version"), &h->ws_version, NULL, {0}},
		{STR("Connection"), NULL, &h->has_connection_upgrade, STR("upgrade")},
		{STR("Upgrade"), NULL, &h->has_upgrade_websocket, STR("websocket")},
	};
	for (size_t i = 0; i < ARRAY_LEN(known); i++) {
		if (!http_equal(known[i].name, name))
			continue;
		if (known[i].once)
			return take_once(known[i].once, value) ? 0 : 400;
		*known[i].set = *known[i].set || lists(value, known[i].word);
		return 0;
	}
	if (http_equal(name, STR("Content-Length")))
		return read_length(h, value) ? 0 : 400;
	if (http_equal(name, STR("Sec-WebSocket-Protocol"))) {
		if (h->ws_protocol_lines == HTTP_PROTOCOL_LINES_MAX)
			return 400;
		h->ws_protocols[h->ws_protocol_lines++] = value;
	}
	return 0;
}

/* What the fields say together. */
static unsigned check_head(struct http_head *h, const struct fields *f)
{
	struct http_authority authority;
	bool is_absolute = h->host.ptr;
	if (!is_absolute)
		h->host = f->host;
	if (!f->host.ptr && h->minor > 0)
		return 400;
	if (h->host.len && !http_authority_read(&authority, h->host))
		return 400;
	if (f->coding.ptr && (h->has_length || h->minor == 0))
		return 400; /* two readers may find two ends of the body */
	if (f->coding.ptr && !http_equal(f->coding, STR("chunked")))
		return 501;
	h->is_chunked = f->coding.ptr;
	if (f->expect.ptr && !http_equal(f->expect, STR("100-continue")))
		return 417;
	h->is_expecting = f->expect.ptr && h->minor > 0;
	h->is_websocket = h->method == HTTP_GET && h->minor > 0 && h->has_connection_upgrade &&
			  h->has_upgrade_websocket;
	return 0;
}

/* The next line without its end, which http_scan has seen. */
static struct str next_line(struct str *bytes)
{
	struct str line = cut(*bytes, '\r', bytes);
	*bytes = str_of(bytes->ptr + 1, bytes->len - 1);
	return line;
}

unsigned http_head_read(struct http_head *h, struct str bytes)
{
	struct fields f = {0};
	*h = (struct http_head){0};
	unsigned status = read_request_line(h, next_line(&bytes));
	while (status == 0 && bytes.len > 2) {
		struct str value;
		struct str line = next_line(&bytes);
		struct str name = cut(line, ':', &value);
		/* A folded line begins with a space, and "name :" ends with one: no tokens. */
		if (!http_is_token(name) || name.len == line.len)
			return 400;
		status = read_field(h, &f, name, trim(value));
	}
	return status ? status : check_head(h, &f);
}

/* ---- paths ---- */

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return http_lower(c) >= 'a' && http_lower(c) <= 'f' ? http_lower(c) - 'a' + 10 : -1;
}

bool http_path(struct str raw, struct buf *path)
{
	for (size_t i = 0; i < raw.len; i++) {
		char c = raw.ptr[i];
		if (c == '%') {
			int high = i + 2 < raw.len ? digit(raw.ptr[i + 1]) : -1;
			int low = i + 2 < raw.len ? digit(raw.ptr[i + 2]) : -1;
			if (high < 0 || low < 0 || (high == 0 && low == 0))
				return false;
			c = (char)(high * 16 + low);
			i += 2;
		}
		buf_append(path, &c, 1);
	}
	return true;
}
