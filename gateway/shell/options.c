// SPDX-License-Identifier: MIT
/* options.c — see shell/options.h. */
#include "gateway/shell/options.h"

#include <limits.h>
#include <stdio.h>
#include <unistd.h>

#define OPTION(flag, type, member) \
	.name = flag, .kind = type, .offset = offsetof(struct options, member)

static const struct option_row own_rows[] = {
	{OPTION("host", OPTION_TEXT, host), .fallback = "127.0.0.1",
	 .help = "address to listen on; 0.0.0.0 or :: for all"},
	{OPTION("port", OPTION_NUMBER, port), .fallback = "8080", .max = 65535,
	 .help = "port to listen on, which several gateways may share; 0 for any"},
	{OPTION("id", OPTION_NUMBER, core.id), .fallback = "0", .max = 65535,
	 .help = "which gateway this is; no two may have the same"},
	{OPTION("roomd", OPTION_TEXT, roomd),
	 .help = "addresses of all roomd shards, in their order, with commas between"},
	{OPTION("historyd", OPTION_TEXT, historyd), .help = HISTORYD_OPTION_HELP},
	{OPTION("bind", OPTION_TEXT, bind), .is_own = true, .fallback = "",
	 .help = "address of this gateway on the bus, such as ipc:///run/parlor/gateway-0: its "
		 "tap, "
		 "and where other gateways relay polls to"},
	{OPTION("advertise", OPTION_TEXT, advertise), .fallback = "",
	 .help = "address by which other gateways reach this one, to relay polls of clients; that "
		 "of --bind when empty"},
	{OPTION("web", OPTION_TEXT, web_wish), .fallback = "auto",
	 .help = "directory of the web client, read once at the start; auto: the one installed "
		 "with this program, if there is one"},
	{OPTION("allow-origin", OPTION_TEXT, allow_origin), .fallback = "",
	 .help = "origins of web pages that may connect, such as https://chat.example, with "
		 "commas or spaces between; * for all; only the same host when empty"},
	{OPTION("hosts", OPTION_TEXT, served), .fallback = "",
	 .help = "names under which clients may ask for this gateway, such as chat.example, with "
		 "commas or spaces between; any when empty"},
	{OPTION("guest-keys", OPTION_CHOICE, guest_keys_required), .fallback = "optional",
	 .choices = "optional|required", .help = "whether a guest must send a key"},
	{OPTION("max-connections", OPTION_NUMBER, connections_max), .fallback = "0",
	 .max = 10000000,
	 .help = "refuse clients beyond so many; 0: as many as there are descriptors"},
	{OPTION("frame-max", OPTION_NUMBER, frame_max), .fallback = "65536", .min = 1024,
	 .max = 1 << 20, .help = "bytes of one message from a client"},
	{OPTION("drain-ms", OPTION_NUMBER, drain_ms), .fallback = "5000", .max = 600000,
	 .help = "time for clients to leave when the gateway is stopped"},
	{OPTION("io-uring", OPTION_CHOICE, no_io_uring), .fallback = "auto", .choices = "auto|no",
	 .help = "send to many clients in one system call where the kernel can"},
	SERVICE_OPTION_ROWS(struct options, service),
};

/* Options of the core; their defaults are its own (gateway_options_default). */
static const struct option_row core_rows[] = {
	{OPTION("name-max", OPTION_NUMBER, core.name_bytes_max), .min = 1, .max = USER_MAX,
	 .help = "bytes of a username"},
	{OPTION("room-max", OPTION_NUMBER, core.room_bytes_max), .min = 1, .max = ROOM_MAX,
	 .help = "bytes of a room's name"},
	{OPTION("body-max", OPTION_NUMBER, core.body_bytes_max), .min = 1, .max = BODY_MAX,
	 .help = "bytes of a message"},
	{OPTION("rooms-max", OPTION_NUMBER, core.rooms_max), .is_own = true, .min = 1, .max = 10000,
	 .help = "rooms of one connection"},
	{OPTION("rate", OPTION_NUMBER, core.rate), .max = 1000000,
	 .help = "events a second from one connection; 0: no limit, of bytes neither"},
	{OPTION("burst", OPTION_NUMBER, core.burst), .min = 1, .max = BURST_MAX,
	 .help = "events at once from one connection"},
	{OPTION("rate-bytes", OPTION_NUMBER, core.rate_bytes), .max = 1 << 29,
	 .help = "bytes a second from one connection, four times as many at once; 0: no limit"},
	{OPTION("join-timeout", OPTION_NUMBER, core.join_ms), .min = 100, .max = 86400000,
	 .help = "ms for a new connection to join a room"},
	{OPTION("ping-interval", OPTION_NUMBER, core.ping_ms), .min = 100, .max = 86400000,
	 .help = "ms of silence before a client is pinged"},
	{OPTION("ping-timeout", OPTION_NUMBER, core.pong_ms), .min = 100, .max = 86400000,
	 .help = "ms of silence after that before it is closed"},
	{OPTION("stall-timeout", OPTION_NUMBER, core.stall_ms), .min = 100, .max = 86400000,
	 .help = "ms after which a client that takes nothing is closed"},
	{OPTION("log-bytes", OPTION_NUMBER, core.log_bytes), .min = 4096, .max = 1 << 30,
	 .help = "of newest messages kept in memory, a room"},
	{OPTION("session-bytes", OPTION_NUMBER, core.session_bytes), .min = 16384,
	 .max = 512 * 1024, .help = "owed to one client before it has to wait"},
	{OPTION("sessions-bytes", OPTION_NUMBER, core.sessions_bytes), .min = 1 << 20,
	 .max = 1ull << 40, .help = "owed to all clients before newcomers are refused"},
};

/* Both sets as one. The texts live as long as the process. */
static struct program all_rows(const struct gateway_options *defaults)
{
	enum { OWN = ARRAY_LEN(own_rows), CORE = ARRAY_LEN(core_rows) };
	static struct option_row rows[OWN + CORE];
	static char fallbacks[CORE][24];
	for (size_t i = 0; i < OWN; i++)
		rows[i] = own_rows[i];
	for (size_t i = 0; i < CORE; i++) {
		size_t offset = core_rows[i].offset - offsetof(struct options, core);
		uint64_t value;
		memcpy(&value, (const char *)defaults + offset, sizeof value);
		snprintf(fallbacks[i], sizeof fallbacks[i], "%" PRIu64, value);
		rows[OWN + i] = core_rows[i];
		rows[OWN + i].fallback = fallbacks[i];
	}
	return (struct program){PROGRAM, "where the clients of a Parlor connect", rows, OWN + CORE};
}

static uint32_t split_shards(const char *name, const char *list, const char **parts)
{
	size_t count = options_split(list, parts, SHARDS_MAX);
	if (count == 0)
		fail_usage(PROGRAM, "--%s: give 1 to %d addresses", name, SHARDS_MAX);
	for (size_t i = 0; i < count; i++)
		service_check_address(PROGRAM, name, parts[i]);
	return (uint32_t)count;
}

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
	struct program program = all_rows(&o->core);
	options_load(&program, argc, argv, o);
	o->core.roomd_shards = split_shards("roomd", o->roomd, o->roomds);
	o->core.historyd_shards = split_shards("historyd", o->historyd, o->historyds);
	if (*o->bind)
		service_check_address(PROGRAM, "bind", o->bind);
	o->core.frame_bytes_max = o->frame_max;
	if (*o->advertise)
		service_check_address(PROGRAM, "advertise", o->advertise);
	o->core.address = relay_address(o);
	o->core.guest_keys_required = o->guest_keys_required;
	o->web = strcmp(o->web_wish, "auto") == 0 ? installed_web() : o->web_wish;
	read_origins(&o->origins, o->allow_origin);
	read_hosts(o, o->served);
}
