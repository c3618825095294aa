// SPDX-License-Identifier: MIT
/* http.c — see shell/http.h. */
#include "gateway/shell/http.h"
#include "gateway/http/status.h"

struct response {
	unsigned status;
	const char *type; /* NULL: no body */
	const char *etag; /* or NULL */
	struct buf body;  /* freed behind it */
	struct str file;  /* stands behind the body */
};

static void put_header(const struct http *h, struct buf *b, const struct response *r)
{
	http_put_status(b, r->status, &h->self);
	if (r->type)
		buf_printf(b, "Content-Type: %s\r\n", r->type);
	if (r->status != 304)
		buf_printf(b, "Content-Length: %zu\r\n", r->body.len + r->file.len);
	if (r->etag)
		buf_printf(b, "ETag: %s\r\n", r->etag);
	BUF_LIT(b, "Cache-Control: no-cache\r\n"
		   "Content-Security-Policy: default-src 'none'; script-src 'self'; "
		   "style-src 'self'; img-src 'self' data:; connect-src 'self'; "
		   "base-uri 'none'; form-action 'none'; frame-ancestors 'none'\r\n"
		   "Referrer-Policy: no-referrer\r\n");
	if (r->status == 405)
		BUF_LIT(b, "Allow: GET, HEAD\r\n");
	if (r->status == 426)
		BUF_LIT(b, "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n");
	BUF_LIT(b, "\r\n");
}

static void respond(const struct http *h, struct http_conn *c, struct response *r)
{
	struct buf out = {0};
	bool has_body = c->head.method != HTTP_HEAD;
	put_header(h, &out, r);
	if (has_body)
		buf_str(&out, buf_view(&r->body));
	buf_free(&r->body);
	http_conn_respond(c, &out, has_body ? r->file : (struct str){0});
}

static void response_body(const struct http *h, struct http_conn *c, unsigned status,
			  const char *type, struct buf body)
{
	respond(h, c, &(struct response){.status = status, .type = type, .body = body});
}

void http_reject(const struct http *h, struct http_conn *c, unsigned status, const char *text)
{
	struct buf body = {0};
	buf_printf(&body, "%s\n", text);
	response_body(h, c, status, "text/plain; charset=utf-8", body);
}

/* `?all`: only everything will do. */
static void respond_ready(const struct http *h, struct http_conn *c)
{
	static const char *const names[] = {"ready", "degraded", "waiting"};
	struct buf missing = {0};
	struct buf body = {0};
	enum readiness now = gateway_readiness(h->core, &missing);
	bool wants_all = str_equal(c->head.query, STR("all"));
	bool is_ok = !h->is_draining &&
		     (now == GATEWAY_READY || (now == GATEWAY_DEGRADED && !wants_all));
	buf_printf(&body, "{\"status\":\"%s\"", h->is_draining ? "draining" : names[now]);
	if (missing.len && !h->is_draining)
		buf_printf(&body, ",\"missing\":[" STR_FMT "]", STR_ARG(buf_view(&missing)));
	BUF_LIT(&body, "}\n");
	buf_free(&missing);
	response_body(h, c, is_ok ? 200 : 503, "application/json", body);
}

static void respond_file(const struct http *h, struct http_conn *c, const struct file *f)
{
	struct str known = c->head.if_none_match;
	struct response r = {.status = 200, .type = f->type, .etag = f->etag, .file = f->content};
	if (known.len && memmem(known.ptr, known.len, f->etag, strlen(f->etag)))
		r = (struct response){.status = 304, .etag = f->etag};
	respond(h, c, &r);
}

void http_request(const struct http *h, struct http_conn *c, struct str path)
{
	struct buf body = {0};
	const struct file *f;
	if (c->head.method != HTTP_GET && c->head.method != HTTP_HEAD) {
		http_reject(h, c, 405, "only GET and HEAD");
	} else if (str_equal(path, STR("/healthz"))) {
		buf_printf(&body, "{\"status\":\"ok\",\"gateway\":%" PRIu64 "}\n", h->self.id);
		response_body(h, c, 200, "application/json", body);
	} else if (str_equal(path, STR("/readyz"))) {
		respond_ready(h, c);
	} else if (str_equal(path, STR("/ws"))) {
		http_reject(h, c, 426, "this is for WebSocket");
	} else if ((f = files_find(&h->files, path)) != NULL) {
		respond_file(h, c, f);
	} else {
		http_reject(h, c, 404, "not found");
	}
}
