// SPDX-License-Identifier: MIT
/* main.c — parlor-tap: prints all that services receive and send, one JSON line an event, as it
 * passes.
 *
 * It subscribes to the tap endpoints of running services; they copy to it what passes and are never
 * slowed by it. A tap that reads too slowly misses lines. Not here: what services do with the
 * events. */
#include "proto/shell/busio.h"
#include "proto/shell/clock.h"
#include "proto/json_out.h"
#include "proto/shell/service.h"

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <sys/queue.h>
#include <time.h>
#include <unistd.h>

#define PROGRAM "parlor-tap"

enum { ADDRESSES_MAX = 128, URL_MAX = 256, RESCAN_MS = 1000, TAKE_MAX = 1024 };

struct options {
	const char *bus, *connect;
	const char *service, *direction, *event, *room, *user;
	bool stats, heartbeats, events;
	struct bus_security security;
	uint64_t count;
};

#define OPTION(kind, member) OPTION_ROW(#member, kind, struct options, member)

static const struct option_row rows[] = {
	{OPTION(TEXT, bus), .fallback = "",
	 .help = "directory of the bus's sockets: connect to every service there"},
	{OPTION(TEXT, connect), .fallback = "",
	 .help = "or addresses of services, with commas between"},
	{OPTION(TEXT, service), .fallback = "", .help = "only this service: roomd, or roomd-0"},
	{OPTION(TEXT, direction), .fallback = "",
	 .help = "only what comes in, or goes out: in, out"},
	{OPTION(TEXT, event), .fallback = "", .help = "only this event"},
	{OPTION(TEXT, room), .fallback = "", .help = "only this room"},
	{OPTION(TEXT, user), .fallback = "", .help = "only this user"},
	{OPTION(SWITCH, stats), .fallback = "no",
	 .help = "counts each second, instead of the events"},
	{OPTION(SWITCH, heartbeats), .fallback = "no", .help = "show heartbeats too"},
	{OPTION(SWITCH, events), .fallback = "no",
	 .help = "print the table of all events as Markdown, and end"},
	BUS_SECURITY_ROWS(struct options, security),
	{OPTION(NUMBER, count), .fallback = "0", .max = UINT64_MAX,
	 .help = "end after so many lines (0: never)"},
};

static const struct program program = {
	.name = PROGRAM,
	.summary = "shows all that passes between Parlor's services",
	.rows = rows,
	.row_count = ARRAY_LEN(rows),
};

/* How often one kind of event passed one service in one direction. */
struct tally {
	TAILQ_ENTRY(tally) entry;
	char service[32];
	bool is_out;
	const char *event;
	uint64_t count, bytes;
};
TAILQ_HEAD(tally_list, tally);

struct source {
	char address[URL_MAX];
	struct port *port;
};

struct tapper {
	struct options options;
	struct source sources[ADDRESSES_MAX];
	size_t source_count;
	struct bus_reader reader;
	struct tally_list tallies;
	uint64_t shown, bytes, messages;
	struct buf line;
};

static void print_events(void)
{
	size_t count;
	const struct bus_row *row = bus_rows(&count);
	puts("<!-- Made by `parlor-tap --events` from proto/bus.def. -->\n"
	     "# Events of the bus\n\n"
	     "| number | event | from | to | fields | meaning |\n| --- | --- | --- | --- | --- | "
	     "--- |");
	for (; count--; row++)
		printf("| %d | `%s` | %s | %s | `%s` | %s |\n", (int)row->type, row->name,
		       service_name(row->from), service_name(row->to), row->fields, row->meaning);
}

static void connect_to(struct tapper *t, const char *address)
{
	char error[URL_MAX * 2];
	for (size_t i = 0; i < t->source_count; i++)
		if (strcmp(t->sources[i].address, address) == 0)
			return;
	if (t->source_count == ADDRESSES_MAX)
		fail_system(PROGRAM, "more than %d services", ADDRESSES_MAX);
	struct source *s = &t->sources[t->source_count];
	snprintf(s->address, sizeof s->address, "%s", address);
	s->port = port_open(&(struct port_options){.kind = PORT_SUBSCRIBE,
						   .address = s->address,
						   .endpoint = ENDPOINT_TAP,
						   .label = "tap"},
			    error, sizeof error);
	if (!s->port)
		fail_usage(PROGRAM, "%s", error);
	t->source_count++;
}

/* Services may come later than the tap, so the directory is looked at again and again. */
static void scan_bus(struct tapper *t)
{
	static const char suffix[] = ".tap";
	char address[URL_MAX];
	if (!*t->options.bus)
		return;
	DIR *dir = opendir(t->options.bus);
	if (!dir)
		fail_usage(PROGRAM, "--bus: cannot read %s", t->options.bus);
	const struct dirent *file;
	while ((file = readdir(dir)) != NULL) {
		size_t len = strlen(file->d_name);
		if (len < sizeof suffix || strcmp(file->d_name + len - strlen(suffix), suffix) != 0)
			continue;
		int wanted = snprintf(address, sizeof address, "ipc://%s/%.*s", t->options.bus,
				      (int)(len - strlen(suffix)), file->d_name);
		if (wanted > 0 && (size_t)wanted < sizeof address)
			connect_to(t, address);
	}
	closedir(dir);
}

static bool field_is(const struct bus_event *ev, const char *name, const char *wanted)
{
	return str_equal(bus_field(ev, name), str_from(wanted));
}

static bool is_wanted(const struct tapper *t, const struct bus_event *ev)
{
	const struct options *o = &t->options;
	const char *name = bus_row(ev->type)->name;
	if (*o->event ? strcmp(o->event, name) != 0 : ev->type == EV_heartbeat && !o->heartbeats)
		return false;
	if (*o->room && !field_is(ev, "room", o->room))
		return false;
	return !*o->user || field_is(ev, "user", o->user) || field_is(ev, "user2", o->user);
}

static bool is_service_wanted(const struct tapper *t, const struct tap_header *header,
			      const char *label)
{
	const struct options *o = &t->options;
	if (*o->direction && strcmp(o->direction, header->is_out ? "out" : "in") != 0)
		return false;
	return !*o->service || strcmp(o->service, label) == 0 ||
	       strcmp(o->service, service_name(header->service)) == 0;
}

static void put_time(struct buf *b, uint64_t time_us)
{
	time_t seconds = (time_t)(time_us / 1000000);
	struct tm utc;
	char text[32] = "";
	if (gmtime_r(&seconds, &utc))
		strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &utc);
	buf_printf(b, "{\"at\":\"%s.%06uZ\"", text, (unsigned)(time_us % 1000000));
}

static void print_line(struct tapper *t)
{
	BUF_LIT(&t->line, "}\n");
	fwrite(t->line.ptr, 1, t->line.len, stdout);
	t->shown++;
}

static void print_event(struct tapper *t, const struct tap_header *header, const char *label,
			const struct envelope *env, const struct bus_event *ev)
{
	struct buf *b = &t->line;
	buf_reset(b);
	put_time(b, header->time_us);
	buf_printf(b, ",\"service\":\"%s\",\"direction\":\"%s\",\"link\":", label,
		   header->is_out ? "out" : "in");
	json_out_str(b, header->label);
	buf_printf(b, ",\"from\":\"%s-%" PRIu64 "\",\"link_seq\":%" PRIu64 ",",
		   service_name(env->from), env->id, env->seq);
	bus_json(b, ev);
	print_line(t);
}

static void print_bad(struct tapper *t, const struct tap_header *header, const char *label,
		      size_t bytes)
{
	struct buf *b = &t->line;
	buf_reset(b);
	put_time(b, header->time_us);
	buf_printf(b, ",\"service\":\"%s\",\"direction\":\"%s\",\"link\":", label,
		   header->is_out ? "out" : "in");
	json_out_str(b, header->label);
	buf_printf(b, ",\"bad\":%zu", bytes);
	print_line(t);
}

static void count(struct tapper *t, const char *service, bool is_out, const char *event,
		  size_t bytes)
{
	struct tally *tally;
	TAILQ_FOREACH (tally, &t->tallies, entry)
		if (tally->event == event && tally->is_out == is_out &&
		    strcmp(tally->service, service) == 0)
			break;
	if (!tally) {
		tally = mem_alloc(sizeof *tally);
		snprintf(tally->service, sizeof tally->service, "%s", service);
		tally->is_out = is_out;
		tally->event = event;
		TAILQ_INSERT_TAIL(&t->tallies, tally, entry);
	}
	tally->count++;
	tally->bytes += bytes;
}

/* Enough was shown, or nobody reads it any more. */
static bool is_done(const struct tapper *t)
{
	return ferror(stdout) || (t->options.count && t->shown >= t->options.count);
}

static void show(struct tapper *t, struct str message)
{
	struct tap_header header;
	struct str mirrored;
	struct envelope env;
	struct bus_event ev;
	char label[32];
	if (!tap_read(message, &header, &mirrored))
		return;
	snprintf(label, sizeof label, "%s-%" PRIu64, service_name(header.service), header.id);
	if (!is_service_wanted(t, &header, label))
		return;
	t->messages++;
	t->bytes += mirrored.len;
	bool is_ours = bus_open(&t->reader, mirrored, &env);
	for (size_t at = t->reader.in.at; is_ours && !is_done(t) && bus_next(&t->reader, &ev);) {
		size_t bytes = t->reader.in.at - at;
		at = t->reader.in.at;
		if (!is_wanted(t, &ev))
			continue;
		if (t->options.stats)
			count(t, label, header.is_out, bus_row(ev.type)->name, bytes);
		else
			print_event(t, &header, label, &env, &ev);
	}
	if (t->reader.in.bad && !t->options.stats && !is_done(t))
		print_bad(t, &header, label, mirrored.len);
}

static void print_stats(struct tapper *t)
{
	struct tally *tally;
	struct buf *b = &t->line;
	buf_reset(b);
	put_time(b, clock_utc_us());
	buf_printf(b, ",\"messages\":%" PRIu64 ",\"bytes\":%" PRIu64 ",\"events\":[", t->messages,
		   t->bytes);
	bool is_first = true;
	TAILQ_FOREACH (tally, &t->tallies, entry) {
		buf_printf(b,
			   "%s{\"service\":\"%s\",\"direction\":\"%s\",\"event\":\"%s\","
			   "\"count\":%" PRIu64 ",\"bytes\":%" PRIu64 "}",
			   is_first ? "" : ",", tally->service, tally->is_out ? "out" : "in",
			   tally->event, tally->count, tally->bytes);
		is_first = false;
	}
	BUF_LIT(b, "]");
	print_line(t);
}

/* Takes what waits, but not for ever. Returns whether there was anything. */
static bool take_some(struct tapper *t)
{
	struct port_message m;
	size_t taken = 0;
	for (size_t i = 0; i < t->source_count; i++) {
		for (size_t n = 0; n < TAKE_MAX && !is_done(t); n++, taken++) {
			if (!port_receive(t->sources[i].port, &m))
				break;
			show(t, m.bytes);
			port_message_free(&m);
		}
	}
	fflush(stdout);
	return taken > 0;
}

static void serve(struct tapper *t, struct service_main *m)
{
	uint64_t next_ms = clock_steady_ms() + RESCAN_MS;
	/* More descriptors than service_wait takes: a short sleep is good enough for a person's
	 * eye. */
	while (!is_done(t) &&
	       (take_some(t) ? !service_should_stop(m) : service_wait(m, clock_steady_ms() + 5))) {
		if (clock_steady_ms() < next_ms)
			continue;
		next_ms += RESCAN_MS;
		scan_bus(t);
		if (t->options.stats)
			print_stats(t);
		fflush(stdout);
	}
	if (t->options.stats)
		print_stats(t);
	fflush(stdout);
}

int main(int argc, char **argv)
{
	static struct tapper t;
	static struct service_main m;
	static const char *addresses[ADDRESSES_MAX];
	char error[512];
	options_load(&program, argc, argv, &t.options);
	if (t.options.events) {
		print_events();
		return 0;
	}
	if (!*t.options.bus == !*t.options.connect)
		fail_usage(PROGRAM, "give either --bus or --connect");
	if (!bus_tls_open(&t.options.security, error, sizeof error))
		fail_usage(PROGRAM, "%s", error);
	CHECK(signal(SIGPIPE, SIG_IGN) != SIG_ERR);
	service_take_signals(&m);
	TAILQ_INIT(&t.tallies);
	bus_reader_init(&t.reader, SERVICE_ANY);
	size_t count = options_split(t.options.connect, addresses, ADDRESSES_MAX);
	for (size_t i = 0; i < count; i++)
		connect_to(&t, addresses[i]);
	scan_bus(&t);
	serve(&t, &m);
	/* The ports are left to the system: see port_close. */
	while (!TAILQ_EMPTY(&t.tallies)) {
		struct tally *tally = TAILQ_FIRST(&t.tallies);
		TAILQ_REMOVE(&t.tallies, tally, entry);
		mem_free(tally);
	}
	bus_reader_free(&t.reader);
	buf_free(&t.line);
	return 0;
}
