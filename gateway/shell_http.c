// SPDX-License-Identifier: MIT
/* shell_http.c — see shell_http.h. */
#include "gateway/shell_http.h"

#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	CHUNK_BYTES =
		16 * 1024, /* written at once, so that a slow reader costs no more than this */
	FILES_BYTES_MAX = 64 * 1024 * 1024,
	HEADER_VALUE_MAX = 512,
	ETAG_MAX = 24,
};

struct file {
	struct str path;
	struct str content;
	const char *type;
	char etag[ETAG_MAX];
};

struct response {
	unsigned status;
	const char *type; /* NULL: no body */
	const char *etag; /* or NULL */
	size_t length;
};

static const char *reason(unsigned status)
{
	static const struct {
		unsigned status;
		const char *reason;
	} reasons[] = {
		{200, "OK"},
		{304, "Not Modified"},
		{400, "Bad Request"},
		{403, "Forbidden"},
		{404, "Not Found"},
		{405, "Method Not Allowed"},
		{426, "Upgrade Required"},
		{503, "Service Unavailable"},
	};
	for (size_t i = 0; i < ARRAY_LEN(reasons); i++)
		if (reasons[i].status == status)
			return reasons[i].reason;
	return "Error";
}

/* ---- files ---- */

/* NULL: none that belongs to a web client. */
static const char *type_of(struct str path)
{
	static const struct {
		const char *ending, *type;
	} types[] = {
		{".html", "text/html; charset=utf-8"},
		{".js", "text/javascript; charset=utf-8"},
		{".css", "text/css; charset=utf-8"},
		{".json", "application/json"},
		{".svg", "image/svg+xml"},
		{".png", "image/png"},
		{".ico", "image/x-icon"},
		{".webmanifest", "application/manifest+json"},
		{".txt", "text/plain; charset=utf-8"},
	};
	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		struct str ending = str_from(types[i].ending);
		if (path.len > ending.len &&
		    str_equal(str_of(path.ptr + path.len - ending.len, ending.len), ending))
			return types[i].type;
	}
	return NULL;
}

static struct str file_key(const void *item)
{
	return ((const struct file *)item)->path;
}

static bool read_file(const char *path, size_t len, struct buf *content)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	char *space = buf_space(content, len + 1);
	ssize_t got;
	while (content->len < len && (got = read(fd, space + content->len, len - content->len)) > 0)
		content->len += (size_t)got;
	close(fd);
	return content->len == len;
}

static bool add_file(struct http *h, const FTSENT *entry, size_t dir_len)
{
	struct buf content = {0};
	if (!read_file(entry->fts_accpath, (size_t)entry->fts_statp->st_size, &content)) {
		buf_free(&content);
		return false;
	}
	struct file *f = mem_alloc(sizeof *f);
	f->path = str_copy(str_from(entry->fts_path + dir_len));
	f->content = buf_view(&content);
	f->type = type_of(f->path);
	snprintf(f->etag, sizeof f->etag, "\"%016" PRIx64 "\"", hash_bytes(f->content, 0));
	table_add(&h->files, f);
	return true;
}

/* Files whose names begin with a dot, links, and notes for people are none of the web client's. */
static bool add_files(struct http *h, FTS *tree, size_t dir_len, char *error, size_t error_len)
{
	FTSENT *entry;
	uint64_t total = 0;
	while ((entry = fts_read(tree)) != NULL) {
		bool is_hidden = entry->fts_level > 0 && entry->fts_name[0] == '.';
		if (is_hidden && entry->fts_info == FTS_D)
			fts_set(tree, entry, FTS_SKIP);
		bool is_bad = entry->fts_info == FTS_DNR || entry->fts_info == FTS_ERR ||
			      entry->fts_info == FTS_NS;
		bool is_file = entry->fts_info == FTS_F && entry->fts_level > 0 && !is_hidden &&
			       type_of(str_from(entry->fts_name));
		if (is_file)
			total += (uint64_t)entry->fts_statp->st_size;
		if (total > FILES_BYTES_MAX) {
			snprintf(error, error_len, "--web: more than %d MiB of files",
				 FILES_BYTES_MAX >> 20);
			return false;
		}
		if (is_bad || (is_file && !add_file(h, entry, dir_len))) {
			snprintf(error, error_len, "--web: cannot read %s", entry->fts_path);
			return false;
		}
	}
	return true;
}

bool http_open(struct http *h, const char *dir, char *error, size_t error_len)
{
	table_init(&h->files, file_key, 0);
	if (!*dir)
		return true;
	struct str root = str_copy(str_from(dir));
	while (root.len > 1 && root.ptr[root.len - 1] == '/')
		root.len--;
	char *paths[] = {(char *)(uintptr_t)root.ptr, NULL};
	paths[0][root.len] = '\0';
	FTS *tree = fts_open(paths, FTS_PHYSICAL | FTS_COMFOLLOW | FTS_NOCHDIR, NULL);
	bool is_read = tree && add_files(h, tree, root.len, error, error_len);
	if (!tree)
		snprintf(error, error_len, "--web: cannot read %s", dir);
	if (is_read && !table_find(&h->files, STR("/index.html"))) {
		snprintf(error, error_len, "--web: %s has no index.html", dir);
		is_read = false;
	}
	if (tree)
		fts_close(tree);
	mem_free(paths[0]);
	return is_read;
}

void http_close(struct http *h)
{
	struct file *f;
	TABLE_EACH (&h->files, i, f) {
		mem_free((char *)(uintptr_t)f->path.ptr);
		mem_free((char *)(uintptr_t)f->content.ptr);
		mem_free(f);
	}
	table_free(&h->files);
}

/* ---- answering ---- */

static void put_header(const struct http *h, struct buf *b, const struct response *r)
{
	buf_printf(b, "HTTP/1.1 %u %s\r\n", r->status, reason(r->status));
	if (r->type)
		buf_printf(b, "Content-Type: %s\r\n", r->type);
	if (r->status != 304)
		buf_printf(b, "Content-Length: %zu\r\n", r->length);
	if (r->etag)
		buf_printf(b, "ETag: %s\r\n", r->etag);
	BUF_LIT(b, "Cache-Control: no-cache\r\n"
		   "Content-Security-Policy: default-src 'none'; script-src 'self'; "
		   "style-src 'self'; img-src 'self' data:; connect-src 'self'; "
		   "base-uri 'none'; form-action 'none'; frame-ancestors 'none'\r\n"
		   "X-Content-Type-Options: nosniff\r\n"
		   "Referrer-Policy: no-referrer\r\n");
	if (r->status == 405)
		BUF_LIT(b, "Allow: GET, HEAD\r\n");
	if (r->status == 426)
		BUF_LIT(b, "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n");
	buf_printf(b, "Connection: close\r\nX-Parlor-Gateway: %" PRIu64 "\r\n\r\n", h->id);
}

static bool write_raw(struct lws *wsi, struct str bytes)
{
	unsigned char *ptr = (unsigned char *)(uintptr_t)bytes.ptr; /* only read, for HTTP/1 */
	return lws_write(wsi, ptr, bytes.len, LWS_WRITE_HTTP) >= 0;
}

/* Sends the header, and then the body as the socket takes it; then the connection closes, because
 * libwebsockets 4.1.6 feeds a second request in the same packet to itself as its own body, for
 * ever. `owned` is freed behind it. */
static int answer(const struct http *h, struct http_answer *a, struct lws *wsi, struct response r,
		  struct str body, char *owned)
{
	struct buf header = {0};
	r.length = body.len;
	put_header(h, &header, &r);
	bool is_sent = write_raw(wsi, buf_view(&header));
	buf_free(&header);
	bool has_body = r.type && !lws_hdr_total_length(wsi, WSI_TOKEN_HEAD_URI);
	if (!is_sent || !has_body || body.len == 0) {
		mem_free(owned);
		return -1;
	}
	*a = (struct http_answer){.left = body, .owned = owned};
	lws_callback_on_writable(wsi);
	return 0;
}

int http_writable(struct http_answer *a, struct lws *wsi)
{
	if (a->left.len == 0)
		return 0;
	struct str chunk = a->left;
	if (chunk.len > CHUNK_BYTES)
		chunk.len = CHUNK_BYTES;
	a->left.ptr += chunk.len;
	a->left.len -= chunk.len;
	if (!write_raw(wsi, chunk))
		return -1;
	if (a->left.len > 0) {
		lws_callback_on_writable(wsi);
		return 0;
	}
	return -1;
}

void http_answer_free(struct http_answer *a)
{
	mem_free(a->owned);
	*a = (struct http_answer){0};
}

/* One line of text, after which the connection closes. */
int http_refuse(const struct http *h, struct lws *wsi, unsigned status, const char *text)
{
	struct buf whole = {0};
	put_header(h, &whole,
		   &(struct response){.status = status,
				      .type = "text/plain; charset=utf-8",
				      .length = strlen(text) + 1});
	buf_printf(&whole, "%s\n", text);
	write_raw(wsi, buf_view(&whole));
	buf_free(&whole);
	return -1;
}

static int answer_buf(const struct http *h, struct http_answer *a, struct lws *wsi, unsigned status,
		      const char *type, struct buf *body)
{
	return answer(h, a, wsi, (struct response){.status = status, .type = type}, buf_view(body),
		      body->ptr);
}

static int answer_ready(const struct http *h, struct http_answer *a, struct lws *wsi)
{
	struct buf missing = {0};
	struct buf body = {0};
	bool is_ready = gateway_is_ready(h->core, &missing) && !h->is_draining;
	if (is_ready)
		BUF_LIT(&body, "{\"status\":\"ready\"}\n");
	else if (h->is_draining)
		BUF_LIT(&body, "{\"status\":\"draining\"}\n");
	else
		buf_printf(&body, "{\"status\":\"waiting\",\"missing\":[" STR_FMT "]}\n",
			   STR_ARG(buf_view(&missing)));
	buf_free(&missing);
	return answer_buf(h, a, wsi, is_ready ? 200 : 503, "application/json", &body);
}

static int answer_file(const struct http *h, struct http_answer *a, struct lws *wsi,
		       const struct file *f)
{
	char known[HEADER_VALUE_MAX];
	struct response r = {.status = 200, .type = f->type, .etag = f->etag};
	int len = lws_hdr_copy(wsi, known, sizeof known, WSI_TOKEN_HTTP_IF_NONE_MATCH);
	if (len <= 0 || !strstr(known, f->etag))
		return answer(h, a, wsi, r, f->content, NULL);
	r.status = 304;
	r.type = NULL;
	return answer(h, a, wsi, r, (struct str){0}, NULL);
}

/* A body would have to be read before the next request; nothing here wants one. */
static bool has_body(struct lws *wsi)
{
	char length[32];
	int len = lws_hdr_copy(wsi, length, sizeof length, WSI_TOKEN_HTTP_CONTENT_LENGTH);
	return len < 0 || (len > 0 && strcmp(length, "0") != 0) ||
	       lws_hdr_total_length(wsi, WSI_TOKEN_HTTP_TRANSFER_ENCODING) > 0;
}

int http_request(struct http *h, struct http_answer *a, struct lws *wsi, struct str path)
{
	struct buf body = {0};
	if (!lws_hdr_total_length(wsi, WSI_TOKEN_GET_URI) &&
	    !lws_hdr_total_length(wsi, WSI_TOKEN_HEAD_URI))
		return http_refuse(h, wsi, 405, "only GET and HEAD");
	if (has_body(wsi))
		return http_refuse(h, wsi, 400, "a request with a body");
	if (str_equal(path, STR("/healthz"))) {
		buf_printf(&body, "{\"status\":\"ok\",\"gateway\":%" PRIu64 "}\n", h->id);
		return answer_buf(h, a, wsi, 200, "application/json", &body);
	}
	if (str_equal(path, STR("/readyz")))
		return answer_ready(h, a, wsi);
	if (str_equal(path, STR("/metrics"))) {
		metrics_print(h->metrics, &body);
		return answer_buf(h, a, wsi, 200, "text/plain; version=0.0.4; charset=utf-8",
				  &body);
	}
	if (str_equal(path, STR("/ws")))
		return http_refuse(h, wsi, 426, "this is for WebSocket");
	const struct file *f =
		table_find(&h->files, str_equal(path, STR("/")) ? STR("/index.html") : path);
	if (f)
		return answer_file(h, a, wsi, f);
	buf_printf(&body, "not found\n");
	return answer_buf(h, a, wsi, 404, "text/plain; charset=utf-8", &body);
}
