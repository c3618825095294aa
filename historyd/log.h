// SPDX-License-Identifier: MIT
/* log.h — room logs, the actors of historyd: what must be known of a room to give its next message
 * a seq.
 *
 * A log knows the room's newest seq and time, its two users if it is private, and its first two
 * authors. It is made from the store when the room is first mentioned and put away when others were
 * used more recently. Whatever a turn has changed is seen by the rest of that turn; after a commit
 * that failed all logs are forgotten.
 *
 * Not here: the messages themselves (store.h), and when to answer (turn.h). Next: inbox.h. */
#ifndef PARLOR_HISTORYD_LOG_H
#define PARLOR_HISTORYD_LOG_H

#include "historyd/turn.h"
#include "proto/table.h"

#include <sys/queue.h>

/* Who a log names; their texts stand one behind the other in `names`. */
enum log_name { LOG_OWNER, LOG_GUEST, LOG_AUTHOR, LOG_AUTHOR_2 };
enum { LOG_NAMES = 4 };

struct room_log {
	TAILQ_ENTRY(room_log) lru;
	uint64_t seq, time_ms; /* of the newest message */
	char *names;           /* behind the epochs; NULL when there is nothing of either */
	uint16_t name_len[LOG_NAMES];
	uint16_t room_len;
	bool has_more_authors;
	uint8_t epoch_count;
	uint32_t restores;
	char room[];
};

TAILQ_HEAD(room_log_lru, room_log);

struct room_logs {
	struct turn *turn;
	struct table logs;
	struct room_log_lru lru; /* most recently used first */
	uint64_t max;
	uint64_t epoch; /* of this start */
	uint32_t restores;
	struct table uncommitted; /* the cids of this turn, which the store does not know yet */
};

void room_logs_init(struct room_logs *all, struct turn *turn,
		    const struct historyd_options *options);
void room_logs_free(struct room_logs *all);

/* The room's log, read from the store when it is not in memory. Lasts until the turn ends.
 * ERR_UNAVAILABLE when the store cannot be read. */
NODISCARD
enum err room_logs_find(struct room_logs *all, struct str room, struct room_log **out);

/* Ends a turn: its cids are the store's now, and logs beyond the maximum are put away. */
void room_logs_settle(struct room_logs *all);

/* Forgets everything, this turn's cids too: the store is no longer what it was taken for. */
void room_logs_forget(struct room_logs *all);

struct str room_log_name(const struct room_log *log, enum log_name which);

/* True unless the room is private and the user is neither of its two. */
bool room_log_admits(const struct room_log *log, struct str user);

/* The seq and time under which this cid was stored before, in this turn or ever; *seq 0 when it was
 * not. */
NODISCARD
enum err room_log_find_cid(const struct room_logs *all, const struct room_log *log,
			   const struct ev_chat_post *post, uint64_t *seq, uint64_t *time_ms);

/* Gives the message the room's next seq and a time that does not run backwards, and writes it.
 * Returns by how much that time is later than the clock's. */
uint64_t room_log_append(struct room_logs *all, struct room_log *log,
			 const struct ev_chat_post *post, uint64_t utc_ms);

/* Makes the room private to these two, for good. ERR_OK also when it is already; ERR_ROOM_TAKEN
 * when it belongs to others or anyone else has written in it. */
NODISCARD
enum err room_log_make_private(struct room_logs *all, struct room_log *log, struct str owner,
			       struct str guest);

#endif
