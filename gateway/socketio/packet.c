// SPDX-License-Identifier: MIT
/* packet.c — see packet.h. */
#include "gateway/socketio/packet.h"
#include "gateway/socketio/sio.h"

enum { ID_DIGITS_MAX = 16 };

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static struct str behind(struct str s, size_t len)
{
	return str_of(s.ptr + len, s.len - len);
}

static size_t digits_at(struct str s)
{
	size_t n = 0;
	while (n < s.len && is_digit(s.ptr[n]))
		n++;
	return n;
}

static bool read_attachments(struct sio_packet *p, struct str *text)
{
	size_t n = digits_at(*text);
	if (n == 0 || n > 2 || n >= text->len || text->ptr[n] != '-')
		return false;
	for (size_t i = 0; i < n; i++)
		p->attachments = p->attachments * 10 + (size_t)(text->ptr[i] - '0');
	*text = behind(*text, n + 1);
	return p->attachments >= 1 && p->attachments <= SIO_ATTACHMENTS_MAX;
}

/* "/custom," or, where nothing follows, "/custom". */
static void read_namespace(struct sio_packet *p, struct str *text)
{
	p->namespace = STR("/");
	if (text->len == 0 || text->ptr[0] != '/')
		return;
	const char *comma = memchr(text->ptr, ',', text->len);
	size_t len = comma ? (size_t)(comma - text->ptr) : text->len;
	p->namespace = str_of(text->ptr, len);
	*text = behind(*text, comma ? len + 1 : len);
	/* A client of revision 3 may put a query behind it. */
	const char *query = memchr(p->namespace.ptr, '?', p->namespace.len);
	if (query)
		p->namespace.len = (size_t)(query - p->namespace.ptr);
}

bool sio_packet_read(struct sio_packet *p, struct str text)
{
	*p = (struct sio_packet){0};
	if (text.len == 0 || text.ptr[0] < SIO_CONNECT || text.ptr[0] > SIO_BINARY_ACK)
		return false;
	p->type = text.ptr[0];
	text = behind(text, 1);
	if ((p->type == SIO_BINARY_EVENT || p->type == SIO_BINARY_ACK) &&
	    !read_attachments(p, &text))
		return false;
	read_namespace(p, &text);
	size_t digits = digits_at(text);
	if (digits > ID_DIGITS_MAX)
		return false;
	p->id = str_of(text.ptr, digits);
	p->json = behind(text, digits);
	return true;
}

/* Not a client's to say. */
static bool is_reserved(struct str name)
{
	static const char *const names[] = {"connect",       "connect_error", "disconnect",
					    "disconnecting", "newListener",   "removeListener"};
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (str_equal(name, str_from(names[i])))
			return true;
	return false;
}

size_t sio_spaces_at(struct str s)
{
	size_t n = 0;
	while (n < s.len && memchr(" \t\n\r", s.ptr[n], 4))
		n++;
	return n;
}

bool sio_is_array(struct str json)
{
	size_t spaces = sio_spaces_at(json);
	return spaces < json.len && json.ptr[spaces] == '[';
}

bool sio_is_event(struct str json)
{
	if (!sio_is_array(json))
		return false;
	struct str first = behind(json, sio_spaces_at(json) + 1);
	first = behind(first, sio_spaces_at(first));
	if (first.len == 0)
		return false;
	if (is_digit(*first.ptr) || *first.ptr == '-')
		return true;
	if (*first.ptr != '"')
		return false;
	const char *end = memchr(first.ptr + 1, '"', first.len - 1);
	return end && !is_reserved(str_of(first.ptr + 1, (size_t)(end - first.ptr) - 1));
}
