// SPDX-License-Identifier: MIT
/* options.c — see shell/options.h. */
#include "gateway/shell/options.h"
#include "gateway/shell/metrics.h"
#include "proto/utf8.h"

#include <limits.h>
#include <stdio.h>
#include <unistd.h>

#define OPTION(option, kind, member) OPTION_ROW(option, kind, struct options, member)

enum { OWN = 1, LIMIT = 2 }; /* flags of options.def */

static const struct option_row option_rows[] = {
	{OPTION("host", TEXT, host), .fallback = "127.0.0.1",
	 .help = "address to listen on; 0.0.0.0 or :: for all"},
	{OPTION("port", NUMBER, port), .fallback = "8080", .max = 65535,
	 .help = "port to listen on, which several gateways may share; 0 for any"},
	{OPTION("id", NUMBER, core.id), .fallback = "0", .max = 65535,
	 .help = "which gateway this is; no two may have the same"},
	{OPTION("roomd", ADDRESSES, roomds),
	 .help = "addresses of all roomd shards, in their order, with commas between"},
	{OPTION("historyd", ADDRESSES, historyds), .help = HISTORYD_OPTION_HELP},
	{OPTION("bind", ADDRESS, bind), .is_own = true, .fallback = "",
	 .help = "address of this gateway on the bus, such as ipc:///run/parlor/gateway-0: its "
		 "tap, and where other gateways relay polls to"},
	{OPTION("advertise", ADDRESS, advertise), .fallback = "",
	 .help = "address by which other gateways reach this one, to relay polls of clients; that "
		 "of --bind when empty"},
	{OPTION("web", TEXT, web_params), .fallback = "auto",
	 .help = "directory of the web client, read once at the start; auto: the one installed "
		 "with this program, if there is one"},
	{OPTION("allow-origin", TEXT, allow_origin), .fallback = "",
	 .help = "origins of web pages that may connect, such as https://chat.example, with "
		 "commas or spaces between; * for all; only the same host when empty"},
	{OPTION("hosts", TEXT, served), .fallback = "",
	 .help = "names under which clients may ask for this gateway, such as chat.example, with "
		 "commas or spaces between; any when empty"},
	{OPTION("tls-cert", TEXT, tls_cert), .fallback = "",
	 .help = "file of the certificate with which clients are served by https and wss, and of "
		 "those that vouch for it (PEM); read again on HUP; plain http when empty"},
	{OPTION("tls-key", TEXT, tls_key), .fallback = "",
	 .help = "file of the certificate's private key (PEM)"},
	{OPTION("tls-threads", NUMBER, tls_threads), .fallback = "1", .min = 1,
	 .max = TLS_THREADS_MAX, .help = "threads that encrypt"},
	{OPTION("hsts", NUMBER, hsts_s), .fallback = "2592000", .max = 63072000,
	 .help = "seconds for which browsers are to come by TLS only, once they did; 0: not said"},
	{OPTION("guest-keys", CHOICE, guest_keys_required), .fallback = "optional",
	 .choices = "optional|required", .help = "whether a guest must send a key"},
	{OPTION("reserved-names", TEXT, reserved_names), .fallback = "You,System",
	 .help = "usernames that nobody may take, nor others that look like them, with commas or "
		 "spaces between; a token may give one"},
	{OPTION("auth", CHOICE, auth), .fallback = "guests", .choices = "guests|tokens|both",
	 .help = "who may join: guests, bearers of a token (JWT), or both"},
	{OPTION("token-keys", TEXT, tokens.keys_file), .fallback = "",
	 .help = "file of the keys with which tokens are signed: a JSON Web Key Set, or public "
		 "keys "
		 "or certificates in PEM; read again on HUP"},
	{OPTION("token-secret", TEXT, tokens.secret_file), .fallback = "",
	 .help = "file of the secret with which tokens are signed (HS256), 32 bytes or more; read "
		 "again on HUP"},
	{OPTION("token-issuer", TEXT, token_issuer), .fallback = "",
	 .help = "what `iss` of a token must be; any when empty"},
	{OPTION("token-audience", TEXT, token_audience), .fallback = "",
	 .help = "what `aud` of a token must name one of, with commas or spaces between; a token "
		 "that names any is refused when empty"},
	{OPTION("token-leeway", NUMBER, tokens.rules.leeway_s), .fallback = "30", .max = 600,
	 .help = "seconds by which clocks may differ"},
	{OPTION("max-connections", NUMBER, connections_max), .fallback = "0", .max = 10000000,
	 .help = "refuse clients beyond so many; 0: as many as there are descriptors"},
	{OPTION("drain-ms", NUMBER, drain_ms), .fallback = "5000", .max = 600000,
	 .help = "time for clients to leave when the gateway is stopped"},
	{OPTION("io-uring", CHOICE, no_io_uring), .fallback = "auto", .choices = "auto|no",
	 .help = "send to many clients in one system call where the kernel can"},
	SERVICE_OPTION_ROWS(struct options, service),
#define O(field, option, flags, value, least, most, text) \
	{OPTION(option, NUMBER, core.field),              \
	 .is_own = ((flags)&OWN) != 0,                    \
	 .is_limit = ((flags)&LIMIT) != 0,                \
	 .fallback = #value,                              \
	 .min = (least),                                  \
	 .max = (most),                                   \
	 .help = (text)},
	GATEWAY_OPTIONS(O)
#undef O
};

const struct program gateway_program = {PROGRAM, "where the clients of a Parlor connect",
					option_rows, ARRAY_LEN(option_rows), &gateway_metrics};

/* The next of a list with commas or spaces between. */
static bool next_word(const char **list, struct str *word)
{
	*list += strspn(*list, ", ");
	*word = str_of(*list, strcspn(*list, ", "));
	*list += word->len;
	return word->len > 0;
}

static void read_origins(struct origins *o, const char *list)
{
	static struct http_origin listed[ORIGINS_MAX];
	struct str word;
	o->listed = listed;
	while (next_word(&list, &word)) {
		if (str_equal(word, STR("*"))) {
			o->is_any = true;
			continue;
		}
		if (o->count == ORIGINS_MAX)
			fail_usage(PROGRAM, "--allow-origin: more than %d", ORIGINS_MAX);
		if (!http_origin_read(&listed[o->count++], word))
			fail_usage(PROGRAM,
				   "--allow-origin: '" STR_FMT
				   "' is no origin such as https://chat.example",
				   STR_ARG(word));
	}
}

static void read_hosts(struct options *o, const char *list)
{
	struct str word;
	while (next_word(&list, &word)) {
		struct http_authority a;
		if (o->host_count == HOSTS_MAX)
			fail_usage(PROGRAM, "--hosts: more than %d", HOSTS_MAX);
		if (!http_authority_read(&a, word) || a.port)
			fail_usage(PROGRAM,
				   "--hosts: '" STR_FMT "' is no name such as chat.example",
				   STR_ARG(word));
		o->hosts[o->host_count++] = str_copy(a.name).ptr;
	}
}

/* Empty when nobody could dial it. */
static struct str relay_address(const struct options *o)
{
	static const char *const wildcards[] = {
		"tcp://0.0.0.0:",     "tcp://*:",     "tcp://[::]:",
		"tls+tcp://0.0.0.0:", "tls+tcp://*:", "tls+tcp://[::]:"};
	const char *address = *o->advertise ? o->advertise : o->bind;
	if (!*o->bind || strlen(address) > ADDRESS_MAX)
		return (struct str){0};
	for (size_t i = 0; i < ARRAY_LEN(wildcards); i++)
		if (strncmp(address, wildcards[i], strlen(wildcards[i])) == 0)
			return (struct str){0};
	return str_from(address);
}

static void read_token_rules(struct options *o)
{
	struct token_rules *rules = &o->tokens.rules;
	const char *list = o->token_audience;
	struct str word;
	bool has_keys = *o->tokens.keys_file, has_secret = *o->tokens.secret_file;
	if (has_keys && has_secret)
		fail_usage(PROGRAM, "give --token-keys or --token-secret, not both");
	if ((has_keys || has_secret) && o->auth == AUTH_GUESTS)
		fail_usage(PROGRAM, "keys for tokens need --auth tokens or --auth both");
	if (!has_keys && !has_secret && o->auth != AUTH_GUESTS)
		fail_usage(PROGRAM, "--auth needs --token-keys or --token-secret");
	rules->issuer = str_from(o->token_issuer);
	while (next_word(&list, &word)) {
		if (rules->audience_count == TOKEN_AUDIENCES_MAX)
			fail_usage(PROGRAM, "--token-audience: more than %d", TOKEN_AUDIENCES_MAX);
		rules->audiences[rules->audience_count++] = word;
	}
	o->core.auth = (enum auth_mode)o->auth;
	o->core.check_token = tokens_check;
	o->core.token_ctx = &o->tokens;
}

static void read_reserved_names(struct options *o, const char *list)
{
	struct gateway_options *core = &o->core;
	struct str word;
	while (next_word(&list, &word)) {
		if (core->reserved_count == RESERVED_NAMES_MAX)
			fail_usage(PROGRAM, "--reserved-names: more than %d", RESERVED_NAMES_MAX);
		if (!utf8_is_valid(word))
			fail_usage(PROGRAM, "--reserved-names: is not UTF-8");
		core->reserved[core->reserved_count++] = word;
	}
}

/* Found from where the program lies, so that an installation may be moved as a whole; "" for none,
 * as when it was not installed at all. */
static const char *installed_web(void)
{
	static char path[PATH_MAX];
	ssize_t len = readlink("/proc/self/exe", path, sizeof path);
	const char *slash = len > 0 ? memrchr(path, '/', (size_t)len) : NULL;
	if (!slash)
		return "";
	size_t bin_len = (size_t)(slash + 1 - path);
	if (bin_len + sizeof WEB_FROM_BIN > sizeof path)
		return "";
	memcpy(path + bin_len, WEB_FROM_BIN, sizeof WEB_FROM_BIN);
	return access(path, F_OK) == 0 ? path : "";
}

void gateway_options_load(struct options *o, int argc, char **argv)
{
	gateway_options_default(&o->core);
	options_load(&gateway_program, argc, argv, o);
	o->core.roomd_shards = o->roomds.count;
	o->core.historyd_shards = o->historyds.count;
	o->core.address = relay_address(o);
	if (!*o->tls_cert != !*o->tls_key)
		fail_usage(PROGRAM, "--tls-cert and --tls-key: give both, or neither");
	o->core.guest_keys_required = o->guest_keys_required;
	read_token_rules(o);
	read_reserved_names(o, o->reserved_names);
	o->web = strcmp(o->web_params, "auto") == 0 ? installed_web() : o->web_params;
	read_origins(&o->origins, o->allow_origin);
	read_hosts(o, o->served);
}
