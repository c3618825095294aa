// SPDX-License-Identifier: MIT
/* state.h — what roomd remembers: gateways, the rooms they have members in, the users they hold.
 * Inside the core only.
 *
 * Who owns what: rooms own their users, pending joins and members; names own their name claims and
 * invitations. A member or a name claim is also in its gateway's list, so that all of a gateway's
 * can go when it does. Next: joins.c. */
#ifndef PARLOR_ROOMD_STATE_H
#define PARLOR_ROOMD_STATE_H

#include "proto/link.h"
#include "proto/table.h"
#include "roomd/roomd.h"

#include <sys/queue.h>

enum {
	SETTLE_MS = 1500,     /* after the start, before anything is answered */
	SETTLE_MAX_MS = 5000, /* even if a gateway has not finished saying who is there */
	ROUND_MS = 2000,      /* a members round that is silent for longer is asked for again */
	TYPING_MS = 5000,
	TYPING_ANNOUNCE_MS = 1000, /* others are told so often at most */
	RESERVED_MS = 60000, /* a keyed name belongs to its key so long after its last connection */
	STORE_REQUEST_MS = 1000, /* a request to historyd is repeated so often … */
	STORE_REQUEST_TRIES = 5, /* … and given up after so many times … */
	PATIENT_MS = 5000, /* … or, if it is needed as long as it takes, repeated so often */
	EXPELLED_ANNOUNCE_MS = 1000, /* who was put out is told again … */
	EXPELLED_MAX = 1000,         /* … for so many at once */
	ANNOUNCE_AGAIN_MS = 5000,    /* an invitation that nobody has shown yet is told again */
	HELLO_MS = 1000,             /* historyds are asked for a sign of life */
	TWIN_MS = 3000,              /* the word that another roomd is served holds so long */
	DIRECTORY_MS = 4000, /* who serves and where is told so often, and when it changes */
	PEERS_MAX = 4096,    /* whoever invents gateways must not fill the memory */
	PENDING_JOINS_MAX = 100000,
	NAMES_A_PART = 1000,
};

TAILQ_HEAD(member_list, member);
TAILQ_HEAD(name_claim_list, name_claim);
TAILQ_HEAD(room_user_list, room_user);
TAILQ_HEAD(pending_join_list, pending_join);
TAILQ_HEAD(name_list, name);
TAILQ_HEAD(pending_list, pending);
TAILQ_HEAD(store_request_list, store_request);
TAILQ_HEAD(peer_list, peer);
TAILQ_HEAD(expelled_list, expelled);

struct peer { /* a gateway */
	TAILQ_ENTRY(peer) entry;
	uint64_t id;
	struct link link;
	struct member_list members;
	struct name_claim_list name_claims;
	/* Members rounds: whatever bears the newest round's number at its end is there, all else is
	 * gone. */
	uint64_t round;
	uint64_t round_ms; /* when something of it was heard last */
	bool is_round_open;
	struct str address;        /* where other gateways reach it, or empty */
	struct link_resync resync; /* when the newest round is to be asked for */
};

/* A user in a room by way of one gateway. */
struct member {
	TAILQ_ENTRY(member) of_user;
	TAILQ_ENTRY(member) of_peer;
	struct room_user *user;
	struct peer *peer;
	uint64_t round;
};

struct room_user {
	struct str name;
	struct room *room;
	struct member_list members;
	uint64_t typing_until_ms; /* without another sign; 0: not typing */
	uint64_t typing_announced_ms;
	TAILQ_ENTRY(room_user) typing; /* in roomd.typing while typing */
	TAILQ_ENTRY(room_user) entry;
	char text[]; /* name */
};

/* A join or newRoom that waits for what historyd knows of the room. */
struct pending_join {
	TAILQ_ENTRY(pending_join) entry;
	uint64_t gateway;
	uint64_t req; /* of a newRoom; 0: a join */
	struct str user, user2;
};

struct room {
	struct str name;
	struct table users; /* struct room_user by name */
	struct room_user_list order;
	uint64_t version;
	struct str owner, guest;                /* empty: public */
	struct pending_join_list pending_joins; /* the first one's request is under way */
	uint64_t request;                       /* its number, or 0 */
	bool has_facts;
	char text[]; /* name */
};

/* A gateway that has a connection of the user. */
struct name_claim {
	TAILQ_ENTRY(name_claim) of_name;
	TAILQ_ENTRY(name_claim) of_peer;
	struct name *name;
	struct peer *peer;
	uint64_t round;
};

/* An invitation for the user, kept by historyd. */
struct pending {
	TAILQ_ENTRY(pending) entry;
	TAILQ_ENTRY(pending) unseen; /* in roomd.unseen while is_announced */
	struct name *name;
	struct str room, from;
	uint64_t announced_ms;
	bool is_announced; /* gateways were told, and have not said that it was shown */
};

struct name { /* a user, wherever connected */
	struct str user;
	struct str key; /* digest of the guest key, or empty */
	struct name_claim_list name_claims;
	struct pending_list pending;
	uint64_t reserved_ms; /* until then; 0: not reserved */
	TAILQ_ENTRY(name) reserved;
	uint32_t requests; /* under way; keeps the actor alive */
	bool has_pending;  /* historyd has said what is pending … */
	bool is_loading;   /* … or is being asked */
	char text[];       /* user */
};

/* One each for a client in a room. The table in tests/bench/README.md, "What an idle client costs",
 * has these numbers too. */
_Static_assert(sizeof(struct member) <= 56, "grown: see tests/bench/README.md");
_Static_assert(sizeof(struct room_user) <= 88, "grown: see tests/bench/README.md");
_Static_assert(sizeof(struct name) <= 96, "grown: see tests/bench/README.md");
_Static_assert(sizeof(struct name_claim) <= 56, "grown: see tests/bench/README.md");
_Static_assert(sizeof(struct room) <= 144, "grown: see tests/bench/README.md"); /* one a room */

/* What is asked of historyd, a row a kind: Q(KIND, about, event, fields…). `about` is the text by
 * which its historyd is found: of a `room`, whose answer a room waits for, or a user's, `user2`,
 * whose name does. The event is published out of the request `q`. */
/* clang-format off */
#define STORE_REQUESTS(Q)                                                                               \
	Q(ROOM, room, room_ask, .room = q->room)                                                   \
	Q(PRIVATE, room, private_put, .room = q->room, .user = q->user, .user2 = q->user2)         \
	Q(INVITES, user2, invites_ask, .user2 = q->user2)                                          \
	Q(INVITE_PUT, user2, invite_put, .room = q->room, .user = q->user, .user2 = q->user2)      \
	Q(INVITE_DROP, user2, invite_drop, .room = q->room, .user2 = q->user2)
/* clang-format on */

enum store_request_kind {
#define Q(kind, ...) STORE_REQUEST_##kind,
	STORE_REQUESTS(Q)
#undef Q
};

/* Who waits for the answer to an invite_ask. */
struct invite_requester {
	uint64_t gateway, req;
};

/* Something asked of historyd. */
struct store_request {
	TAILQ_ENTRY(store_request) entry; /* in roomd.requests or .patient, by retry_ms */
	uint64_t number;
	enum store_request_kind kind;
	uint32_t tries;
	uint64_t retry_ms;
	struct invite_requester requester; /* of an invitation */
	bool is_patient;                   /* in roomd.patient */
	struct str room, user, user2;
};

struct roomd {
	struct roomd_options options;
	struct roomd_stats stats;
	struct bus_reader reader;
	uint64_t opened_ms;
	bool is_settled;
	uint64_t ticked_ms; /* when it was last looked at what is due */

	/* The call under way. */
	uint64_t now_ms;
	struct roomd_out *out;
	struct bus_source source;
	struct envelope from;
	struct peer *peer; /* NULL for answers of historyd */

	struct topology topology;
	uint64_t active_ms[SHARDS_MAX]; /* when each historyd answered last; 0: never */
	uint64_t hello_ms;              /* when they were asked last */
	uint64_t twin_ms; /* until then another roomd with this id is served; 0: never was */

	struct table peers; /* by id */
	struct peer_list all_peers;
	struct table rooms;
	struct table names;
	struct table requests_by_number;
	struct table invite_puts; /* requests, by who waits for them */
	uint64_t versions, rounds, last_request;
	uint32_t pending_joins;
	uint64_t directory_ms; /* when it was told last; 0: it has changed */

	/* Equal waits need only a queue. */
	struct store_request_list requests, patient;
	struct pending_list unseen;
	struct expelled_list expelled;
	uint32_t expelled_count;
	struct room_user_list typing;
	struct name_list reserved;
	struct buf scratch;
};

/* The handlers of bus.def's events for roomd, each in the file that does the work; one that is
 * missing does not link. Those of events for all services bear the service's name too. */
#define HANDLE_ANY(name) void roomd_on_##name(struct roomd *r, const struct ev_##name *ev);
#define HANDLE_GATEWAY(name)
#define HANDLE_ROOMD(name) void on_##name(struct roomd *r, const struct ev_##name *ev);
#define HANDLE_HISTORYD(name)
BUS_EVENTS(DECLARE_ROW)
#undef HANDLE_ANY
#undef HANDLE_GATEWAY
#undef HANDLE_ROOMD
#undef HANDLE_HISTORYD

/* Declared by file, from the top down: each calls only those below it. */

/* whole.c */
bool whole_admits(struct roomd *r); /* the message at hand; false: drop it */
bool whole_owns(struct roomd *r, const struct bus_event *ev); /* false: another shard does */
void whole_tick(struct roomd *r);

/* expiry.c */
void store_request_tick(struct roomd *r);
void store_request_drop_all(struct roomd *r); /* at the end */

/* peers.c */
bool peer_follow(struct roomd *r, const struct envelope *env); /* false: drop the message */
void peer_pipe_closed(struct roomd *r, uint32_t pipe);
void peer_tick(struct roomd *r);
void peer_free(struct roomd *r, struct peer *p);
bool peer_round_open(const struct roomd *r);

/* joins.c */
void room_member_named(struct roomd *r, struct str name, struct str user); /* by r->peer */
void room_forget_joins(struct roomd *r, uint64_t gateway); /* that wait; they will be asked again */
/* A request about a room was not answered in time. Those in line are dropped: their gateways ask
 * again. True: it is still needed. */
NODISCARD
bool room_request_expired(struct roomd *r, const struct store_request *q);
void room_request_dropped(struct roomd *r, const struct store_request *q);

/* invites.c */
void invite_load(struct roomd *r, struct name *n); /* and publish what is pending */
bool invite_request_needed(const struct roomd *r, const struct store_request *q);
void invite_request_dropped(struct roomd *r, const struct store_request *q);
void invite_tick(struct roomd *r);

/* members.c */
void member_add(struct roomd *r, struct room *room, struct str user, struct peer *peer);
void member_remove(struct roomd *r, struct member *m); /* the room stays; see room_put_away */
struct member *member_find(const struct roomd *r, const struct room_user *u); /* by r->peer */

/* typing.c */
void typing_end(struct roomd *r, struct room_user *u);
void typing_tick(struct roomd *r);

/* names.c: what is returned has been taken just now, and is to hear of its invitations. */
struct name *name_claim(struct roomd *r, const struct ev_claim *ev);
struct name *name_hold(struct roomd *r, struct str user, struct str key, struct peer *peer);
void name_claim_remove(struct roomd *r, struct name_claim *h);
void name_tick(struct roomd *r);
struct name *name_find(const struct roomd *r, struct str user);
struct name *name_get(struct roomd *r, struct str user);
void name_put_away(struct roomd *r, struct name *n);
void name_free(struct roomd *r, struct name *n);

/* rooms.c */
struct room *room_find(const struct roomd *r, struct str name);
struct room *room_get(struct roomd *r, struct str name);
void room_put_away(struct roomd *r, struct room *room); /* if nothing holds it */
struct room_user *room_user_find(const struct room *room, struct str user);

/* pending.c */
struct pending *pending_find(const struct name *n, struct str room);
struct pending *pending_keep(struct name *n, struct str room, struct str from);
void pending_forget(struct roomd *r, struct pending *p);
void pending_forget_all(struct roomd *r, struct name *n);
void pending_stop(struct roomd *r, struct pending *p);
void pending_stop_of(struct roomd *r, struct name *n); /* nobody is there to be told */

/* expelled.c */
void expelled_announce(struct roomd *r, uint64_t gateway, struct str room, struct str user);
void expelled_gone(struct roomd *r, uint64_t gateway, struct str room, struct str user);
void expelled_forget(struct roomd *r, uint64_t gateway);
void expelled_tick(struct roomd *r);
void expelled_check(const struct roomd *r);

/* directory.c */
void directory_tick(struct roomd *r);

/* requests.c */
uint64_t store_request_start(struct roomd *r, const struct store_request *params); /* its number */
bool store_request_is_about_room(const struct store_request *q); /* else about a user */
void store_request_publish(struct roomd *r, const struct store_request *q);
struct store_request *store_request_find(struct roomd *r, uint64_t number);
struct store_request *store_request_of_requester(const struct roomd *r,
						 const struct invite_requester *requester);
void store_request_end(struct roomd *r, struct store_request *q);

#endif
