// SPDX-License-Identifier: MIT
/* bus.h — the events of bus.def as C: structs, batches to write them into, envelopes to read them
 * from.
 *
 * A message on the bus is one envelope: a header (version, sender, epoch, link sequence) and behind
 * it the events of one turn, each a msgpack array [number, field, …]. All reading is bounded:
 * nothing is allocated by a length that the sender named, nothing unknown is acted on. No I/O: see
 * busio.h for the sockets. Next: link.h. */
#ifndef PARLOR_PROTO_BUS_H
#define PARLOR_PROTO_BUS_H

#include "proto/base.h"
#include "proto/bus.def"
#include "proto/errors.def"
#include "proto/msgpack_in.h"

enum err {
#define E(symbol, code, text, when) ERR_##symbol,
	PARLOR_ERRORS(E)
#undef E
};
const char *err_code(enum err e); /* as the client protocol spells it */
const char *err_text(enum err e);
const char *err_when(enum err e);        /* for the docs; "" for what no client gets */
enum err err_from_wire(uint64_t number); /* ERR_INTERNAL for numbers that are not ours */

enum service { SERVICE_ANY, SERVICE_GATEWAY, SERVICE_ROOMD, SERVICE_HISTORYD };
const char *service_name(enum service s);

/* A list field: `packed` holds `count` records made by bus_pack_<record>. When received it is to be
 * walked with bus_<record>_at, by `starts`, where each record begins. */
struct list {
	uint32_t count;
	struct str packed;
	const uint32_t *starts;
};

#define MEMBER_U(field) uint64_t field;
#define MEMBER_S(field, max) struct str field;
#define MEMBER_L(field, record, max) struct list field;

#define R(name)                                                            \
	struct rec_##name {                                                \
		RECORD_##name(MEMBER_U, MEMBER_S, MEMBER_L)                \
	};                                                                 \
	void bus_pack_##name(struct buf *b, const struct rec_##name *rec); \
	struct rec_##name bus_##name##_at(const struct list *list, uint32_t index);
BUS_RECORDS(R)
#undef R

#define E(number, name, from, to, meaning)                  \
	struct ev_##name {                                  \
		FIELDS_##name(MEMBER_U, MEMBER_S, MEMBER_L) \
	};
BUS_EVENTS(E)
#undef E

enum ev_type {
#define E(number, name, from, to, meaning) EV_##name = (number),
	BUS_EVENTS(E)
#undef E
};

/* One received event. Its strings point into the message, its lists into the reader. */
struct bus_event {
	enum ev_type type;
	union {
#define E(number, name, from, to, meaning) struct ev_##name name;
		BUS_EVENTS(E)
#undef E
	} as;
};

/* Facts about an event's row, for the tap, the documentation and the tests. */
struct bus_row {
	enum ev_type type;
	const char *name;
	enum service from, to;
	const char *meaning;
	const char *fields; /* "room, user, …" */
};
const struct bus_row *bus_rows(size_t *count);
const struct bus_row *bus_row(enum ev_type type);

/* The events of one turn for one destination. `cuts` says where a long batch may be split, so that
 * no message passes MESSAGE_MAX. */
enum { BATCH_CUT_BYTES = 256 * 1024, MESSAGE_MAX = 4 * 1024 * 1024 };
struct batch {
	struct buf bytes;
	uint32_t count;
	size_t *cuts;
	size_t cut_count, cut_cap;
};

#define E(number, name, from, to, meaning) \
	void bus_put_##name(struct batch *b, const struct ev_##name *ev);
BUS_EVENTS(E)
#undef E
void bus_put(struct batch *b, const struct bus_event *ev); /* whichever it is */

void batch_reset(struct batch *b);
void batch_free(struct batch *b);

/* The n-th piece of a batch (0, 1, …), each ready to stand behind one header; false when there is
 * none. */
bool batch_piece(const struct batch *b, size_t n, struct str *piece);

/* Minor 1: posts_ask and posts_begin. Minor 2: what the sender knows of the whole. */
enum { BUS_MAJOR = 1, BUS_MINOR = 2 };
struct envelope {
	uint64_t minor;
	enum service from;
	uint64_t id;    /* which gateway, or the shard's index */
	uint64_t epoch; /* grows with each start of the sender */
	uint64_t seq;   /* 1, 2, 3, … on one link; 0 on requests and answers */
	/* Since minor 2; see topology.h. */
	uint64_t replica;           /* of several with one id; always 0 so far */
	uint64_t roomds, historyds; /* shards that the sender knows of; 0: it does not know */
	struct str cluster;         /* empty: it does not know */
	uint64_t to;                /* the shard it is meant for, plus 1; 0: whoever listens */
};
void bus_put_header(struct buf *b, const struct envelope *env);

/* Reads one received message. Usage: bus_open, then bus_next until it returns false, then look at
 * `in.bad`. One reader serves for the life of a service; what an event points to lasts until the
 * next call. bus_next gives only events that bus.def lets the message's sender say to the reader's
 * service, so no handler asks who speaks; the others are counted as unknown. */
enum { STARTS_MAX = NAMES_MAX + PAGE_MAX }; /* more than the lists of any one event hold */
struct bus_reader {
	enum service self; /* who reads; SERVICE_ANY: an onlooker, who hears everything */
	enum service from; /* who wrote the message */
	struct cursor in;  /* over the message; bad: it broke off in bytes that are not ours */
	uint32_t *starts;  /* of the records of the event's lists */
	size_t start_count;
	uint64_t unknown; /* events passed over, in the reader's life: of a number that we do not
			   * know, or not for this sender to say to us */
};
void bus_reader_init(struct bus_reader *r, enum service self);
void bus_reader_free(struct bus_reader *r);
NODISCARD
bool bus_open(struct bus_reader *r, struct str message, struct envelope *env);
NODISCARD
bool bus_next(struct bus_reader *r, struct bus_event *ev);

/* The event as the members of a JSON object: "event":"join","room":"main",… (no braces). */
void bus_json(struct buf *b, const struct bus_event *ev);

/* The value of the text field `name` of an event, or an empty str: for filters. */
struct str bus_field(const struct bus_event *ev, const char *name);

/* Dispatch that the compiler completes. A service defines HANDLE_GATEWAY, HANDLE_ROOMD,
 * HANDLE_HISTORYD and HANDLE_ANY, by the receiver of an event, and expands BUS_EVENTS with one of
 * these rows: to declare its handlers, and to call them; see roomd/state.h and roomd/roomd.c. */
#define DECLARE_ROW(number, name, from, to, meaning) HANDLE_##to(name)
#define DISPATCH_ROW(number, name, from, to, meaning) \
	case EV_##name:                               \
		HANDLE_##to(name);                    \
		break;
#define IGNORE_ROW(number, name, from, to, meaning) \
	case EV_##name:                             \
		break;

#endif
