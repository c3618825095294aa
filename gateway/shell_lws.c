// SPDX-License-Identifier: MIT
/* shell_lws.c — see shell_lws.h. */
#include "gateway/shell_lws.h"
#include "proto/clock.h"
#include "proto/log.h"

#include <strings.h>
#include <unistd.h>

enum {
	UPGRADE_SECONDS = 10, /* for a whole request to arrive */
	IDLE_SECONDS = 20,    /* between two requests */
	HEADER_BYTES_MAX = 8192,
	/* Held for each connection all its life, and read at once: a usual chat message. Longer
	 * ones are put together from pieces; one of 2,500 bytes costs a tenth more CPU than with
	 * 1,024 here, one of 600 no more. */
	RX_BYTES = 256,
	/* Above all that is written at once: what passes it would be cut into pieces and copied. */
	TX_BYTES = 8 * 1024 * 1024,
	COMPLAINT_MS = 10000,
	VALUE_MAX = 512,
};

/* What libwebsockets keeps for us with each connection. */
struct slot {
	struct conn *conn; /* once it is a WebSocket */
	struct poll *poll; /* a request of Engine.IO */
	struct http_answer answer;
};
_Static_assert(sizeof(struct slot) <= 40, "grown: see ARCHITECTURE.md");

/* ---- upgrading ---- */

/* The value of a header, "" when there is none. False when it is too long. */
static bool header(struct lws *wsi, enum lws_token_indexes token, char value[VALUE_MAX])
{
	int len = lws_hdr_copy(wsi, value, VALUE_MAX, token);
	if (len <= 0)
		value[0] = '\0';
	return len >= 0;
}

static enum origin_rule rule_for(const struct server *s, struct lws *wsi, const char *origin)
{
	char host[VALUE_MAX];
	if (!*origin) /* no browser */
		return ORIGIN_NONE;
	for (size_t i = 0; i < s->origin_count; i++) {
		if (strcmp(s->origins[i], "*") == 0)
			return ORIGIN_ANY;
		if (strcasecmp(s->origins[i], origin) == 0)
			return ORIGIN_LISTED;
	}
	const char *origin_host = strstr(origin, "://");
	bool is_same = origin_host && header(wsi, WSI_TOKEN_HOST, host) &&
		       strcasecmp(origin_host + strlen("://"), host) == 0;
	return is_same && s->origin_count == 0 ? ORIGIN_NONE : ORIGIN_REFUSED;
}

static int refuse_origin(struct server *s, struct lws *wsi, const char *origin)
{
	uint64_t now_ms = clock_steady_ms();
	s->refused_origins++;
	if (now_ms >= s->complaint_ms) {
		s->complaint_ms = now_ms + COMPLAINT_MS;
		log_odd("origin_refused", "origin=\"%s\" total=%" PRIu64, origin,
			s->refused_origins);
	}
	return http_refuse(s->http, wsi, 403, "this origin is not allowed");
}

/* Whether "parlor.v1" is in the comma-separated list. */
static bool offers_batches(const char *list)
{
	static const char name[] = "parlor.v1";
	for (const char *at = list; *at;) {
		at += strspn(at, ", \t");
		size_t len = strcspn(at, ", \t");
		if (len == strlen(name) && strncmp(at, name, len) == 0)
			return true;
		at += len;
	}
	return false;
}

/* Zero lets libwebsockets go on with the upgrade. */
static int confirm_upgrade(struct server *s, struct lws *wsi)
{
	char upgrade[VALUE_MAX], path[VALUE_MAX], origin[VALUE_MAX], version[VALUE_MAX],
		protocols[VALUE_MAX];
	/* Its argument may be gone by now (after it refused an unknown upgrade itself), the header
	 * is not. HTTP/2 would move several connections onto one socket. */
	if (!header(wsi, WSI_TOKEN_UPGRADE, upgrade) || strcasecmp(upgrade, "websocket") != 0)
		return http_refuse(s->http, wsi, 400, "this upgrade is not known");
	bool has_path = header(wsi, WSI_TOKEN_GET_URI, path);
	bool is_eio = has_path && strcmp(path, s->eio->path) == 0;
	if (!has_path || (!is_eio && strcmp(path, "/ws") != 0))
		return http_refuse(s->http, wsi, 404, "not found");
	if (!header(wsi, WSI_TOKEN_VERSION, version) || strcmp(version, "13") != 0)
		return http_refuse(s->http, wsi, 426, "WebSocket version 13 only");
	if (!header(wsi, WSI_TOKEN_ORIGIN, origin) || rule_for(s, wsi, origin) == ORIGIN_REFUSED)
		return refuse_origin(s, wsi, origin);
	if (is_eio)
		return eio_shell_upgrade(s->eio, wsi);
	/* libwebsockets drops a client whose list it knows nothing of; say why. */
	if (!header(wsi, WSI_TOKEN_PROTOCOL, protocols) ||
	    (*protocols && !offers_batches(protocols)))
		return http_refuse(s->http, wsi, 400, "the subprotocol is parlor.v1 or none");
	return 0;
}

/* The answer to the upgrade names this gateway. */
static int add_headers(const struct server *s, struct lws_process_html_args *args)
{
	int len = lws_snprintf(args->p, (size_t)args->max_len, "X-Parlor-Gateway: %" PRIu64 "\r\n",
			       s->http->id);
	args->p += len;
	args->max_len -= len;
	return 0;
}

/* ---- callbacks ---- */

static int receive(struct lws *wsi, struct conn *c, struct str piece)
{
	if (conn_receive(c, piece, lws_is_final_fragment(wsi), !lws_frame_is_binary(wsi)))
		return 0;
	lws_close_reason(wsi, (enum lws_close_status)CLOSE_TOO_LARGE, NULL, 0);
	return -1;
}

/* Answered by libwebsockets, unless it is the answer to ours. */
static int on_close_frame(struct conn *c)
{
	bool is_answer = c->close_code && c->is_left;
	conn_left(c);
	return is_answer ? -1 : 0;
}

static struct conn *open_socket(struct server *s, struct lws *wsi)
{
	char path[VALUE_MAX];
	if (header(wsi, WSI_TOKEN_GET_URI, path) && strcmp(path, s->eio->path) == 0)
		return eio_shell_socket(s->eio, wsi);
	bool is_batched = strcmp(lws_get_protocol(wsi)->name, "parlor.v1") == 0;
	return native_open(s->native, s->conns, wsi, is_batched);
}

static int on_socket(struct server *s, struct lws *wsi, enum lws_callback_reasons reason,
		     struct slot *slot, struct str in)
{
	struct conn *c = slot->conn;
	if (reason == LWS_CALLBACK_ESTABLISHED) {
		slot->conn = open_socket(s, wsi);
		return 0;
	}
	if (!c)
		return 0;
	if (reason == LWS_CALLBACK_RECEIVE)
		return receive(wsi, c, in);
	if (reason == LWS_CALLBACK_SERVER_WRITEABLE)
		conn_writable(c);
	else if (reason == LWS_CALLBACK_RECEIVE_PONG && !c->is_left)
		c->user->heard(c);
	else if (reason == LWS_CALLBACK_WS_PEER_INITIATED_CLOSE)
		return on_close_frame(c);
	else if (reason == LWS_CALLBACK_WS_SERVER_DROP_PROTOCOL)
		conn_left(c); /* a close frame is next, and nothing may follow it */
	else if (reason == LWS_CALLBACK_CLOSED) {
		slot->conn = NULL;
		conn_closed(c);
	}
	return 0;
}

static int begin_request(struct server *s, struct lws *wsi, struct slot *slot, struct str path)
{
	char origin[VALUE_MAX];
	if (slot->poll || slot->answer.left.len > 0)
		return -1; /* one request a connection */
	if (!str_equal(path, str_from(s->eio->path)))
		return http_request(s->http, &slot->answer, wsi, path);
	enum origin_rule rule =
		header(wsi, WSI_TOKEN_ORIGIN, origin) ? rule_for(s, wsi, origin) : ORIGIN_REFUSED;
	return poll_begin(s->eio, wsi, rule, origin, &slot->poll);
}

static int on_http(struct server *s, struct lws *wsi, enum lws_callback_reasons reason,
		   struct slot *slot, struct str in)
{
	struct poll *p = slot->poll;
	if (reason == LWS_CALLBACK_HTTP)
		return begin_request(s, wsi, slot, in);
	if (reason == LWS_CALLBACK_HTTP_BODY)
		return p ? poll_body(p, in) : -1;
	if (reason == LWS_CALLBACK_HTTP_BODY_COMPLETION)
		return p ? poll_body_end(p) : -1;
	if (reason == LWS_CALLBACK_HTTP_WRITEABLE)
		return p ? poll_writable(p) : http_writable(&slot->answer, wsi);
	http_answer_free(&slot->answer);
	slot->poll = NULL;
	if (p)
		poll_closed(p);
	return 0;
}

static int on_event(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
		    size_t len)
{
	struct server *s = lws_context_user(lws_get_context(wsi));
	/* Only some of its many reasons matter here. */
	switch ((int)reason) {
	case LWS_CALLBACK_WSI_CREATE:
		s->sockets++;
		return 0;
	case LWS_CALLBACK_WSI_DESTROY:
		s->sockets--;
		return 0;
	case LWS_CALLBACK_RAW_ADOPT: /* after CONNECT; it would stay for ever */
	case LWS_CALLBACK_RAW_RX:
		return -1;
	case LWS_CALLBACK_HTTP_CONFIRM_UPGRADE:
		return confirm_upgrade(s, wsi);
	case LWS_CALLBACK_ADD_HEADERS:
		return add_headers(s, in);
	case LWS_CALLBACK_HTTP:
	case LWS_CALLBACK_HTTP_BODY:
	case LWS_CALLBACK_HTTP_BODY_COMPLETION:
	case LWS_CALLBACK_HTTP_WRITEABLE:
	case LWS_CALLBACK_HTTP_DROP_PROTOCOL:
	case LWS_CALLBACK_CLOSED_HTTP:
		return user ? on_http(s, wsi, reason, user, str_of(in, len)) : 0;
	case LWS_CALLBACK_ESTABLISHED:
	case LWS_CALLBACK_RECEIVE:
	case LWS_CALLBACK_RECEIVE_PONG:
	case LWS_CALLBACK_SERVER_WRITEABLE:
	case LWS_CALLBACK_WS_PEER_INITIATED_CLOSE:
	case LWS_CALLBACK_WS_SERVER_DROP_PROTOCOL:
	case LWS_CALLBACK_CLOSED:
		return user ? on_socket(s, wsi, reason, user, str_of(in, len)) : 0;
	default:
		return 0;
	}
}

/* ---- the context ---- */

/* The first is also for HTTP and for clients without a subprotocol; no client can name it. */
static const struct lws_protocols protocols[] = {
	{"no subprotocol", on_event, sizeof(struct slot), RX_BYTES, 0, NULL, TX_BYTES},
	{"parlor.v1", on_event, sizeof(struct slot), RX_BYTES, 0, NULL, TX_BYTES},
	{NULL, NULL, 0, 0, 0, NULL, 0},
};

/* libwebsockets complains about each malformed request; that is its sender's business. */
static void on_log(int level, const char *line)
{
	size_t len = strcspn(line, "\n");
	(void)level;
	log_trace("libwebsockets", "says=\"%.*s\"", (int)len, line);
}

bool server_open(struct server *s, uv_loop_t *loop)
{
	/* Zeroed: its own pings are off. They would cost a scan of all connections on each upgrade
	 * and pong. */
	static const lws_retry_bo_t no_pings = {0};
	void *loops[] = {loop};
	const struct lws_context_creation_info info = {
		.port = CONTEXT_PORT_NO_LISTEN_SERVER,
		.protocols = protocols,
		.options = LWS_SERVER_OPTION_LIBUV | LWS_SERVER_OPTION_VALIDATE_UTF8 |
			   LWS_SERVER_OPTION_UV_NO_SIGSEGV_SIGFPE_SPIN |
			   LWS_SERVER_OPTION_SKIP_SERVER_CANONICAL_NAME,
		.foreign_loops = loops,
		.retry_and_idle_policy = &no_pings,
		.timeout_secs = UPGRADE_SECONDS,
		.timeout_secs_ah_idle = UPGRADE_SECONDS,
		.keepalive_timeout = IDLE_SECONDS,
		.max_http_header_data = HEADER_BYTES_MAX,
		.user = s,
	};
	lws_set_log_level(LLL_ERR | LLL_WARN, on_log);
	s->context = lws_create_context(&info);
	return s->context != NULL;
}

void server_adopt(struct server *s, int fd)
{
	if (s->sockets >= s->sockets_max) {
		s->refused++;
		close(fd);
		return;
	}
	s->accepted++;
	/* It closes the socket itself when it cannot take it. */
	(void)lws_adopt_socket_vhost(lws_get_vhost_by_name(s->context, "default"), fd);
}

void server_close(struct server *s)
{
	lws_context_destroy(s->context);
}
