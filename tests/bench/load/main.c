// SPDX-License-Identifier: MIT
/* main.c — bench-load: puts one workload on one server and prints what it has seen as JSON. Which
 * workloads, on which servers, how often: ../lib. */
#include "proto/shell/options.h"
#include "tests/bench/load/dialect.h"
#include "tests/bench/load/work.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/prctl.h>

#define OPTION(option, kind, member) OPTION_ROW(option, kind, struct options, member)

#define WORKLOADS "chat|search|idle|join|history"
static const struct {
	const char *name;
	void (*run)(struct load *l);
} workloads[] = {
	{"chat", work_chat}, {"search", work_search},   {"idle", work_idle},
	{"join", work_join}, {"history", work_history},
}; /* in this order */

static const struct option_row option_rows[] = {
	{OPTION("dialect", CHOICE, dialect), .choices = DIALECTS, .help = "how the server speaks"},
	{OPTION("workload", CHOICE, workload), .choices = WORKLOADS, .help = "what the clients do"},
	{OPTION("port", NUMBER, port), .min = 1, .max = 65535,
	 .help = "of the server, on 127.0.0.1"},
	{OPTION("tls", SWITCH, is_tls), .fallback = "no",
	 .help = "speak TLS, and take any certificate"},
	{OPTION("pids", TEXT, pids), .help = "the server's processes, with commas between"},
	{OPTION("label", TEXT, label), .fallback = "room",
	 .help = "what names of rooms begin with"},
	{OPTION("rooms", NUMBER, rooms), .fallback = "1", .min = 1, .max = 1000000,
	 .help = "rooms"},
	{OPTION("members", NUMBER, members), .fallback = "2", .min = 1, .max = 65535,
	 .help = "clients in each room"},
	{OPTION("writers", NUMBER, writers), .fallback = "10", .min = 1, .max = 65535,
	 .help = "of them write, in turn"},
	{OPTION("body", NUMBER, body_bytes), .fallback = "128", .min = STAMP_BYTES,
	 .max = BODY_BYTES_MAX, .help = "bytes of a message's body"},
	{OPTION("rate", NUMBER, rate), .fallback = "100", .min = 1, .max = 10000000,
	 .help = "messages a second in all; search: to begin with; history: while filling"},
	{OPTION("warm", NUMBER, warm_ms), .fallback = "1000", .max = 600000,
	 .help = "ms of the workload before the window"},
	{OPTION("window", NUMBER, window_ms), .fallback = "5000", .min = 100, .max = 600000,
	 .help = "ms that are measured"},
	{OPTION("drain", NUMBER, drain_ms), .fallback = "3000", .min = 10, .max = 60000,
	 .help = "ms of silence after which what is missing is lost"},
	{OPTION("patience", NUMBER, patience_ms), .fallback = "15000", .min = 10, .max = 600000,
	 .help = "ms to wait in all for what is missing"},
	{OPTION("quiet", NUMBER, quiet_ms), .fallback = "600", .max = 60000,
	 .help = "ms of silence to wait for once all have joined"},
	{OPTION("connecting", NUMBER, connecting), .fallback = "100", .min = 1, .max = 10000,
	 .help = "clients that open and join at the same time"},
	{OPTION("limit", NUMBER, limit_ms), .fallback = "200", .min = 1, .max = 60000,
	 .help = "search: ms that p99 must stay below"},
	{OPTION("precision", NUMBER, precision), .fallback = "5", .min = 1, .max = 100,
	 .help = "search: percent between what is held and what is not"},
	{OPTION("steps", NUMBER, steps_max), .fallback = "20", .min = 1, .max = 100,
	 .help = "search: rates to try at most"},
	{OPTION("joiners", NUMBER, joiners), .fallback = "0", .max = 20000,
	 .help = "join: clients that come later"},
	{OPTION("fill", NUMBER, fill), .fallback = "200", .min = 1, .max = 1000000,
	 .help = "history: messages in each room"},
	{OPTION("page", NUMBER, page), .fallback = "50", .min = 1, .max = 200,
	 .help = "history: messages in a page"},
};

static void place_clients(struct load *l)
{
	uint64_t members = l->o.rooms * l->o.members;
	if (members + l->o.joiners > 1000000)
		fail_usage(PROGRAM, "too many clients");
	l->client_count = (uint32_t)(members + l->o.joiners);
	l->clients = mem_alloc(l->client_count * sizeof *l->clients);
	/* Neighbours in the order of opening and writing are in different rooms. */
	for (uint32_t i = 0; i < l->client_count; i++) {
		struct client *c = &l->clients[i];
		c->load = l;
		c->number = i;
		c->room = i % (uint32_t)l->o.rooms;
		c->seat = i / (uint32_t)l->o.rooms;
		c->is_observer = i >= members;
		if (!c->is_observer)
			c->tracks = mem_alloc(l->o.writers * sizeof *c->tracks);
	}
}

static void open_load(struct load *l)
{
	if (l->o.writers > l->o.members)
		l->o.writers = l->o.members;
	l->dialect = dialect_at(l->o.dialect);
	host_open(&l->host, l->o.pids);
	if (l->o.is_tls) {
		CHECK((l->tls = SSL_CTX_new(TLS_client_method())) != NULL);
		SSL_CTX_set_mode(l->tls, SSL_MODE_ENABLE_PARTIAL_WRITE |
						 SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	}
	l->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (l->epoll < 0)
		fail_system(PROGRAM, "epoll: %s", strerror(errno));
	prctl(PR_SET_TIMERSLACK, 1000ul); /* 1 us instead of 50 */
	place_clients(l);
	l->start_ns = clock_ns();
}

static void report_options(const struct load *l)
{
	const struct options *o = &l->o;
	report_text("dialect", l->dialect->name);
	report_text("workload", workloads[o->workload].name);
	report_u64("rooms", o->rooms);
	report_u64("members", o->members);
	report_u64("writers", o->writers);
	report_u64("body_bytes", o->body_bytes);
	report_u64("rate", o->rate);
}

int main(int argc, char **argv)
{
	static const struct program program = {PROGRAM, "puts load on a chat server", option_rows,
					       ARRAY_LEN(option_rows), NULL};
	static struct load l;
	options_load(&program, argc, argv, &l.o);
	open_load(&l);
	report_open("");
	report_options(&l);
	workloads[l.o.workload].run(&l);
	report_close();
	report_end();
	return 0;
}
