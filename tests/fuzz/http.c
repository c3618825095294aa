// SPDX-License-Identifier: MIT
/* http.c — fuzz target: a request on a connection, as it comes: byte by byte and in one piece the
 * same, and nothing of it twice or outside of what came. */
#include "gateway/engineio/eio.h"
#include "gateway/http/chunks.h"
#include "gateway/http/origin.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_view(struct str view, struct str whole)
{
	CHECK(view.len == 0 ||
	      (view.ptr >= whole.ptr && view.ptr + view.len <= whole.ptr + whole.len));
}

static void read_words(const struct http_head *h, struct str whole)
{
	struct buf path = {0};
	struct http_origin origin;
	struct eio_query q;
	(void)http_path(h->path, &path);
	buf_free(&path);
	if (http_origin_read(&origin, h->origin))
		(void)http_origin_is_of(&origin, h->host, h->is_websocket);
	eio_query_read(&q, h->query);
	check_view(http_bearer_token(h), whole);
	CHECK(strlen(q.sid) < EIO_SID_MAX);
}

static void read_body(struct str bytes)
{
	struct http_chunks whole = {0}, slow = {0};
	struct buf body = {.max = 1000}, slow_body = {.max = 1000};
	enum http_progress end = http_chunks_take(&whole, bytes, &body);
	enum http_progress slow_end = HTTP_MORE;
	for (size_t i = 0; i < bytes.len && slow_end == HTTP_MORE && !slow_body.overflow; i++)
		slow_end = http_chunks_take(&slow, str_of(bytes.ptr + i, 1), &slow_body);
	CHECK(body.overflow == slow_body.overflow);
	CHECK(body.overflow || end == slow_end);
	CHECK(body.overflow || str_equal(buf_view(&body), buf_view(&slow_body)));
	buf_free(&body);
	buf_free(&slow_body);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str bytes = str_of((const char *)data, size);
	struct http_scan whole = {0}, slow = {0};
	struct http_head h;
	enum http_progress end = http_scan(&whole, bytes);
	enum http_progress slow_end = HTTP_MORE;
	for (size_t len = 0; len <= size && slow_end == HTTP_MORE; len++)
		slow_end = http_scan(&slow, str_of(bytes.ptr, len));
	CHECK(end == slow_end && whole.at == slow.at && whole.start == slow.start);
	if (end != HTTP_WHOLE)
		return 0;
	struct str head = str_of(bytes.ptr + whole.start, whole.at - whole.start);
	if (http_head_read(&h, head) == 0) {
		if (!str_equal(h.path, STR("/"))) /* "http://x" has none of its own */
			check_view(h.path, head);
		check_view(h.query, head);
		check_view(h.host, head);
		check_view(h.origin, head);
		CHECK(!(h.is_chunked && h.has_length));
		read_words(&h, head);
		read_body(str_of(bytes.ptr + whole.at, size - whole.at));
	}
	return 0;
}
