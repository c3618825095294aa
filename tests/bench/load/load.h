// SPDX-License-Identifier: MIT
/* load.h — the generator's state: its clients, what it has counted, and the turn that moves it.
 *
 * One thread, one epoll. A workload (work.h) opens clients, says what is due, and looks at the
 * counts; dialects (dialect.h) translate; client.h moves bytes. Next: dialect.h. */
#ifndef PARLOR_BENCH_LOAD_H
#define PARLOR_BENCH_LOAD_H

#include "tests/bench/load/hist.h"
#include "tests/bench/load/host.h"
#include "tests/bench/load/stamp.h"

#include <openssl/ssl.h>

#define PROGRAM "bench-load"

enum { BODY_BYTES_MAX = 4000 };

struct options {
	unsigned dialect, workload; /* places in their choices */
	const char *pids, *label;
	uint64_t port;
	uint64_t rooms, members, writers, body_bytes, rate;
	uint64_t warm_ms, window_ms, drain_ms, patience_ms, quiet_ms;
	uint64_t connecting;
	uint64_t limit_ms, steps_max, precision; /* search */
	uint64_t joiners;                        /* join */
	uint64_t fill, page;                     /* history */
	bool is_tls;
};

enum client_state {
	CLIENT_IDLE,       /* not connected yet, or not any more */
	CLIENT_CONNECTING, /* until the server has answered the handshake */
	CLIENT_OPEN,
	CLIENT_ENTERING, /* has asked to join its room */
	CLIENT_JOINED,
};

struct load;

struct client {
	struct load *load;
	int fd;
	SSL *ssl; /* or NULL */
	enum client_state state;
	uint32_t number, room, seat;
	bool is_watched;      /* for being writable */
	bool is_observer;     /* its deliveries are not counted on */
	bool is_asking;       /* history: a page is under way */
	uint32_t said;        /* messages written; the next one's number */
	uint64_t asked_ns;    /* when what it waits for was due */
	struct buf out;       /* what the socket did not take */
	struct buf partial;   /* of a frame */
	struct buf rest;      /* of a dialect whose messages do not end with the frame */
	struct track *tracks; /* one for each writer of its room */
};

/* What is counted; a workload clears it between its parts. */
struct counts {
	uint64_t said;      /* messages written */
	uint64_t expected;  /* deliveries that follow from them, to all members with the writer */
	uint64_t delivered; /* to others; each once */
	uint64_t own;       /* echoes or acks to the writer; each once */
	uint64_t late, again, foreign; /* misplaced; repeated; with a stamp that cannot be */
	uint64_t blocked;              /* writes that the socket did not take at once */
	uint64_t faults;               /* errors said, connections lost */
	uint64_t frames, bytes;        /* received */
	uint64_t pages;
};

struct load {
	struct options o;
	const struct dialect *dialect;
	struct host host;
	uint64_t start_ns; /* all due times count from here */
	int epoll;
	SSL_CTX *tls; /* or NULL */
	struct client *clients;
	uint32_t client_count;
	uint32_t connecting, entering, joined; /* clients in that state */
	uint32_t next_to_open;
	uint32_t mask; /* of the next frame; any numbers will do */

	struct counts counts;
	char first_fault[256];
	uint64_t active_ns; /* when a frame came last */

	/* Latencies of what was due within the window, from when it was due. */
	uint64_t window_from_ns, window_to_ns;
	struct hist delivery, own, lag; /* lag: how late the generator itself was in writing */
	struct hist asked; /* join: until the greeting is complete; history: until the page */

	/* Called in each turn; does what is due and returns when it wants to be called again. */
	uint64_t (*due)(struct load *l, uint64_t now_ns);
	void (*on_open)(struct client *c);
	void (*on_joined)(struct client *c);
	void (*on_page)(struct client *c, uint64_t messages);

	char *in; /* where all sockets are read into */
};

/* Runs turns until `until_ns`, or until `is_done` (may be NULL) says so; true when it did. */
bool load_run(struct load *l, uint64_t until_ns, bool (*is_done)(struct load *l));

/* Since the start. */
static inline uint64_t load_now(const struct load *l)
{
	return clock_ns() - l->start_ns;
}

/* Asks to join. */
void load_enter(struct client *c);

/* One more message by this client; `due_ns` is what its latency counts from. */
void load_say(struct client *c, uint64_t due_ns);

/* What clients and dialects tell. */
void load_open(struct client *c);
void load_joined(struct client *c);
void load_message(struct client *c, struct str bytes); /* that hold a stamped body */
void load_acked(struct client *c, uint64_t id);        /* as load_say gave it to the dialect */
void load_page(struct client *c, uint64_t messages);
void load_fault(struct client *c, const char *fmt, ...) PRINTF_LIKE(2, 3);

#endif
