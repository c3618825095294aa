// SPDX-License-Identifier: MIT
/* status.c — see http/status.h. */
#include "gateway/http/status.h"

static const char *reason(unsigned status)
{
	static const struct {
		unsigned status;
		const char *reason;
	} reasons[] = {
		{200, "OK"},
		{204, "No Content"},
		{304, "Not Modified"},
		{400, "Bad Request"},
		{403, "Forbidden"},
		{404, "Not Found"},
		{405, "Method Not Allowed"},
		{408, "Request Timeout"},
		{413, "Payload Too Large"},
		{417, "Expectation Failed"},
		{421, "Misdirected Request"},
		{426, "Upgrade Required"},
		{431, "Request Header Fields Too Large"},
		{501, "Not Implemented"},
		{503, "Service Unavailable"},
		{505, "HTTP Version Not Supported"},
	};
	for (size_t i = 0; i < ARRAY_LEN(reasons); i++)
		if (reasons[i].status == status)
			return reasons[i].reason;
	return "Error";
}

void http_put_self(struct buf *b, const struct http_self *self)
{
	buf_printf(b, "X-Parlor-Gateway: %" PRIu64 "\r\n", self->id);
	if (self->hsts_s)
		buf_printf(b, "Strict-Transport-Security: max-age=%" PRIu64 "\r\n", self->hsts_s);
}

void http_put_status(struct buf *b, unsigned status, const struct http_self *self)
{
	buf_printf(b, "HTTP/1.1 %u %s\r\nConnection: close\r\nX-Content-Type-Options: nosniff\r\n",
		   status, reason(status));
	http_put_self(b, self);
}
