// SPDX-License-Identifier: MIT
/* state.h — what the gateway remembers: connections, users, rooms, memberships; requests under way
 * are in state_request.h.
 *
 * Inside the core only; gateway.h is the face. Who owns what: the gateway owns sessions, users,
 * views and requests; a session owns its memberships; a view owns its presence list and its log.
 * There is no queue of messages anywhere: a membership has a cursor into its room's log. Next:
 * view.h. */
#ifndef PARLOR_GATEWAY_CORE_STATE_H
#define PARLOR_GATEWAY_CORE_STATE_H

#include "gateway/core/directory.h"
#include "gateway/core/gateway.h"
#include "gateway/core/epochs.h"
#include "gateway/core/list_pace.h"
#include "gateway/core/roomlog.h"
#include "gateway/core/state_request.h"
#include "proto/link.h"
#include "proto/table.h"

#include <sys/queue.h>

enum {
	RETRY_MS = 960,    /* a request is repeated so often … */
	GIVE_UP_MS = 4800, /* … until the client is told, who must hear of it within 5 s */
	GREETING_MESSAGES = 50,
	SINCE_MESSAGES = 200,
	FEED_MESSAGES = 100,
	NAMES_LIST_MAX = 500,
	LARGE_LIST = 500,     /* names: such a list is not asked for again at once */
	ANNOUNCE_MS = 250,    /* changes of a room's presence are told at most so often, … */
	ANNOUNCE_ROOMS = 100, /* … or once in so much more for each so many rooms that change … */
	ANNOUNCE_MS_MAX = 2000, /* … but at least so often */
	TYPING_INTERVAL_MS = 1000,
	TYPING_MAX_MS = 6000, /* roomd ends it after 5 s; this is for when its word is lost */
	PIECE_BYTES_MAX = 64 * 1024, /* of JSON in one msgHistory or page, or one message more */
	OWN_ACK_BYTES = 160,         /* what an ack that waits counts for */
	WORK_A_TURN = 16 * 1024,     /* of one connection's input, in bytes of text … */
	EVENT_COST = 256,            /* … to which each event adds so many */
	UNNAMED_ERRORS_MAX = 3,      /* without an id, to one connection in a turn */
	NAME_LINE_MAX = 64,          /* who wait for a name with as many other keys */
	REPEATS_A_TURN = 1000,       /* requests published again in one turn, to one shard */
	REFUSED_MS = 3000,           /* a word that this gateway is not taken holds so long */
	NAMED_A_TURN = 1000,         /* members named to a roomd in one turn */
	REPAIR_WINDOW = 64,          /* rooms compared with one shard at a time */
	BEARER_SLOTS = 64,
	TOKEN_WARNING_MS = 60000, /* before a token ends its bearer is told */
};

/* Internal cids, for messages of clients that gave none, begin with this byte, which no client's
 * may contain. */
#define INTERNAL_CID_MARK '\x01'

struct invitation {
	TAILQ_ENTRY(invitation) entry;
	struct str room, from;
};
TAILQ_HEAD(invitation_list, invitation);

TAILQ_HEAD(session_list, session);
TAILQ_HEAD(membership_list, membership);
TAILQ_HEAD(joining_list, joining);
TAILQ_HEAD(present_list, present);
STAILQ_HEAD(change_list, change);
TAILQ_HEAD(own_ack_list, own_ack);
TAILQ_HEAD(view_list, view);
TAILQ_HEAD(registration_list, registration);
TAILQ_HEAD(bearer_list, bearer);

/* Something that a roomd shard keeps by this gateway's word, and may want to hear again. */
enum registration_kind { REGISTERED_USER, REGISTERED_MEMBER, REGISTRATION_KINDS };
struct registration {
	TAILQ_ENTRY(registration) entry; /* in the shard's roster while is_in */
	uint32_t generation;             /* the call of the roster that it was last named in */
	bool is_in;
};

/* All that one roomd shard keeps by this gateway's word. */
struct roster {
	struct registration_list registered[REGISTRATION_KINDS], unregistered[REGISTRATION_KINDS];
	uint64_t round;      /* what roomd calls this one */
	uint32_t generation; /* how often it was begun */
	bool is_open;        /* `untold` is still to be named */
};

/* Rooms that wait to be compared with what a shard knows. */
enum repair_kind { REPAIR_PRESENCE, REPAIR_LOG, REPAIR_KINDS };
struct repair {
	struct view_list waiting;
	struct link_resync resync;
	uint32_t in_flight; /* requests about whole rooms under way to this shard */
};

/* Someone with a connection here. roomd knows of the user, not of the connections. While it has not
 * said whose the name is, others who come with other keys stand in line behind the first; one who
 * has no join under way stands there no longer. */
struct user {
	struct str name;
	struct str key; /* digest of the guest key, or empty */
	struct registration registration;
	struct session_list sessions;
	struct request *claim;              /* until roomd has said whose the name is */
	struct user *next;                  /* of this name with another key, to be claimed next */
	struct invitation_list invitations; /* to be shown at the next greeting */
	bool is_held;                       /* roomd said that the name is theirs */
	char text[];                        /* name and key */
};

struct session {
	uint64_t number;
	void *conn;
	struct user *user;     /* NULL before the first join */
	struct bearer *bearer; /* of a token; NULL: a guest */
	struct membership_list memberships;
	struct backlog *backlog; /* what of it has to wait, or NULL */
	uint64_t idle_ms;        /* when it was last heard, or pinged */
	uint64_t since_ms;       /* when it connected, or last took anything while blocked */
	TAILQ_ENTRY(session) of_user;
	TAILQ_ENTRY(session) idle;    /* in gateway.idle or .pinged */
	TAILQ_ENTRY(session) waiting; /* in gateway.unjoined or .blocked */
	TAILQ_ENTRY(session) touched;
	uint32_t connected_ms; /* low bits: when it connected, once it has been blocked */
	uint32_t turn;         /* of `owed`, `worked` and `unnamed` */
	uint32_t owed;         /* bytes given to the shell since it was last known to be clear */
	uint32_t tokens_ms;    /* rate, low bits: when the tokens were left */
	uint32_t tokens_milli; /* events; at most 1000 * BURST_MAX */
	uint32_t token_bytes;  /* likewise, bytes */
	uint32_t refused;      /* how far it is over its rate */
	uint16_t worked;       /* of WORK_A_TURN */
	uint16_t membership_count, in_flight;
	uint16_t joins;  /* under way */
	uint8_t unnamed; /* errors without an id in this turn */
	uint8_t wire;    /* enum wire */
	bool is_batched : 1, is_blocked : 1, is_paused : 1, is_pinged : 1, is_greeted : 1;
	bool is_closing : 1, is_touched : 1;
	bool is_waiting_join : 1; /* in gateway.unjoined */
};

/* A user in a room, anywhere in the system. */
struct present {
	TAILQ_ENTRY(present) entry;
	TAILQ_ENTRY(present) typing; /* in gateway.typing while is_typing */
	struct view *view;
	struct str user;
	struct request *join;
	uint64_t typing_ms;               /* when roomd last said so */
	struct registration registration; /* while is_in */
	uint32_t changes;                 /* in view.changes about this user */
	uint32_t local;                   /* memberships on this gateway */
	uint32_t generation;              /* the presence list that last named it */
	bool is_in;                       /* roomd counts this gateway's user in */
	bool is_listed;                   /* roomd lists the user */
	bool is_typing;
	char text[]; /* user */
};

/* What the members of a room are still to be told of a user. */
enum change_kind { CHANGE_ARRIVED, CHANGE_LEFT, CHANGE_TYPES, CHANGE_STOPPED };
struct change {
	STAILQ_ENTRY(change) entry;
	struct present *who; /* kept by it: see present.changes */
	enum change_kind kind;
};

/* The ack of an own message, sent when the cursor passes its seq. When that takes too long, because
 * what stands before it cannot be read, the client is told `unavailable`, and gets the message like
 * any other later. */
struct own_ack {
	TAILQ_ENTRY(own_ack) entry;
	TAILQ_ENTRY(own_ack) by_age; /* in gateway.late_acks if has_id */
	struct membership *membership;
	uint64_t seq, time_ms, id;
	uint64_t asked_ms; /* when the message came */
	bool has_id;
};

enum join_reply { REPLY_ACK, REPLY_INVITE };

struct join_params {
	enum join_reply reply;
	bool has_id, has_since, is_already_in;
	uint64_t id, since;
	uint64_t epoch;     /* in which `since` stood; 0: not known */
	struct str invited; /* username2 of newRoom */
	void (*then)(struct gateway *g, struct membership *m); /* once in; may be NULL */
};

/* A join under way. */
struct joining {
	TAILQ_ENTRY(joining) entry; /* in gateway.joining */
	struct membership *membership;
	uint64_t deadline_ms;
	struct join_params params; /* owns `invited` */
};

/* A session in a room, or on its way in. */
struct membership {
	TAILQ_ENTRY(membership) of_session;
	TAILQ_ENTRY(membership) of_view; /* in view.live or view.joining */
	struct session *session;
	struct view *view;
	struct present *present;
	uint64_t cursor; /* the last seq this connection has, or skipped */
	uint64_t typed_ms;
	struct request *feed; /* a page for a reader whom the log has left behind, or for `since` */
	struct own_ack_list own_acks;
	struct joining *joining; /* NULL while is_live */
	bool is_live : 1;
	bool was_live : 1;      /* joined again while live */
	bool is_void : 1;       /* what the client has does not stand any more: see history.h */
	bool is_list_stale : 1; /* it has missed changes, being behind */
	bool is_list_right : 1; /* the list that it was sent last still is */
	uint32_t changes_seen;  /* of view.changes: how many its list held already */
};

/* This gateway's window onto a room. */
struct view {
	struct str room;
	uint32_t roomd, historyd; /* the shards that own it */
	struct membership_list live, joining;
	struct table names; /* struct present by user */
	struct present_list present;
	TAILQ_ENTRY(view) repair[REPAIR_KINDS];
	TAILQ_ENTRY(view) dirty_entry;
	bool needs_repair[REPAIR_KINDS]; /* in the shard's repair.waiting */
	bool is_dirty;

	/* Presence, as counted by roomd. */
	bool is_presence_known;
	uint32_t listed;
	uint32_t presence_generation;
	uint64_t presence_epoch, presence_version;
	uint64_t presence_part; /* the part of the list that comes next */
	struct request *presence_request;

	/* Changes that the members here are not told yet; see announce.c. */
	struct change_list changes;
	uint32_t change_count;
	bool is_announcing; /* in gateway.announcing until announce_ms */
	bool is_list_old;   /* activeUsers is to be sent again, not before list_ms */
	uint64_t announce_ms, list_ms;
	TAILQ_ENTRY(view) announcing;

	/* History. */
	bool is_open; /* the log ends where the room ends */
	bool has_older;
	uint64_t seen_seq; /* the newest seq that was heard of */
	struct roomlog log;
	struct epochs epochs;
	uint64_t doubted;     /* an epoch that was heard of, and which a page is to tell of; or 0 */
	uint64_t doubted_seq; /* the newest seq that was heard of in it */
	struct request *page_request;

	char text[]; /* room */
};

/* One each for a client in a room. The table in tests/bench/README.md, "What an idle client costs",
 * has these numbers too. */
_Static_assert(sizeof(struct session) <= 176, "grown: see tests/bench/README.md");
_Static_assert(sizeof(struct user) <= 112, "grown: see tests/bench/README.md");
_Static_assert(sizeof(struct membership) <= 112, "grown: see tests/bench/README.md");
_Static_assert(sizeof(struct present) <= 128, "grown: see tests/bench/README.md");
_Static_assert(sizeof(struct view) <= 456, "grown: see tests/bench/README.md"); /* one a room */

struct gateway {
	struct gateway_options options;
	struct gateway_stats stats;
	struct bus_reader reader;

	/* The call under way. */
	uint64_t now_ms;
	uint64_t late_ms; /* how long ago the client asked for what is worked on */
	uint64_t look_ms; /* when it is asked next whether the blocked have taken anything */
	uint32_t turn;    /* gateway_flush ends one */
	struct gateway_out *out;
	struct envelope from;
	struct buf json; /* a frame being written */

	struct topology topology;
	struct bus_source source; /* of the message at hand */
	uint64_t refused_ms; /* until then another gateway with this id is served; 0: never was */

	struct table sessions; /* by number */
	struct table users;    /* by name */
	struct table views;    /* by room */
	struct table requests_by_number;
	struct table posts; /* the oldest post under way into each room, by room */
	struct link roomd[SHARDS_MAX], historyd[SHARDS_MAX];
	struct roster rosters[SHARDS_MAX];
	struct repair repairs[REPAIR_KINDS][SHARDS_MAX];
	struct directory directory;
	struct list_pace list_pace;
	uint64_t last_session, last_request, last_cid;

	/* Equal waits need only a queue: the head is always the next one due. */
	struct request_list requests, promised;
	struct request *again[SHARDS_MAX]; /* posts from this one on are published again */
	struct own_ack_list late_acks;
	struct session_list idle, pinged, unjoined, blocked;
	struct joining_list joining;
	struct present_list typing;
	struct bearer_list bearers[BEARER_SLOTS]; /* by the second in which one is due */
	uint64_t bearers_second;                  /* up to which they were looked at */
	uint32_t bearer_count;

	struct view_list announcing; /* views where somebody came or went, by announce_ms */
	uint64_t announcing_count;
	struct view_list dirty; /* views with something new to deliver */
	struct session_list touched;
};

/* Whether roomd or historyd said of late that another process with this id is served. */
bool gateway_has_twin(const struct gateway *g);

#endif
