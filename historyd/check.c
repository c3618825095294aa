// SPDX-License-Identifier: MIT
/* check.c — historyd_check: walks what must be true between two turns. Nothing of a turn remains,
 * and what is remembered of a room is what the store has of it. */
#include "historyd/state.h"

static void check_turn(const struct historyd *h)
{
	const struct turn *t = &h->turn;
	CHECK(t->writes == 0 && t->down.count == 0 && t->response_count == 0 && !t->is_durable);
	for (size_t i = 0; i < t->response_cap; i++) {
		CHECK(t->responses[i].response.events.count == 0);
		CHECK(t->responses[i].unavailable.count == 0);
	}
	CHECK(t->store->epoch == h->logs.epoch && h->logs.turn == t && h->inboxes.turn == t);
	CHECK(h->tally.stored == 0 && h->tally.repeated == 0 && h->tally.refused == 0);
	CHECK(h->inboxes.table.count == 0 && h->logs.uncommitted.count == 0);
}

static void check_names(const struct room_log *log)
{
	bool has_owner = room_log_name(log, LOG_OWNER).len > 0;
	bool has_author = room_log_name(log, LOG_AUTHOR).len > 0;
	bool has_two = room_log_name(log, LOG_AUTHOR_2).len > 0;
	CHECK(has_owner == (room_log_name(log, LOG_GUEST).len > 0));
	CHECK(has_author || !has_two);
	CHECK(has_two || !log->has_more_authors);
	CHECK((log->names != NULL) == (has_owner || has_author));
}

/* A log that knows more than the store has seqs that nobody got; one that knows less gives them
 * twice. */
static void check_stored(const struct historyd *h, const struct room_log *log)
{
	struct store *store = h->turn.store;
	struct store_room facts = {0};
	if (store->room(store->impl, str_of(log->room, log->room_len), &facts) != ERR_OK)
		return; /* it cannot be read now */
	CHECK(log->seq == facts.seq && log->time_ms == facts.time_ms);
	CHECK(str_equal(room_log_name(log, LOG_OWNER), facts.owner));
	CHECK(str_equal(room_log_name(log, LOG_GUEST), facts.guest));
	CHECK(str_equal(room_log_name(log, LOG_AUTHOR), facts.authors[0]));
	CHECK(str_equal(room_log_name(log, LOG_AUTHOR_2), facts.authors[1]));
	CHECK(log->has_more_authors == facts.has_more_authors);
	CHECK(log->restores == facts.restores && log->epoch_count == facts.epoch_count);
	CHECK(log->epoch_count == 0 ||
	      memcmp(log->names, facts.epochs, log->epoch_count * sizeof *facts.epochs) == 0);
}

/* Each start of historyd that the room remembers begins behind the one before it. */
static void check_epochs(const struct room_log *log)
{
	struct rec_epoch last = {0};
	CHECK(log->epoch_count <= EPOCHS_MAX);
	for (size_t i = 0; i < log->epoch_count; i++) {
		struct rec_epoch next;
		memcpy(&next, log->names + i * sizeof next, sizeof next);
		CHECK(next.epoch != last.epoch && next.first > last.first);
		CHECK(next.first <= log->seq);
		last = next;
	}
}

static void check_logs(const struct historyd *h)
{
	const struct room_logs *all = &h->logs;
	const struct room_log *log;
	size_t count = 0;
	TAILQ_FOREACH (log, &all->lru, lru) {
		CHECK(log->room_len > 0 && log->room_len <= ROOM_MAX);
		CHECK(table_find(&all->logs, str_of(log->room, log->room_len)) == log);
		check_names(log);
		check_epochs(log);
		check_stored(h, log);
		count++;
	}
	CHECK(count == all->logs.count && count <= all->max);
	CHECK(!h->is_doubtful || count == 0);
}

/* The roomds that ask, and what this historyd says of itself. */
static void check_bus(const struct historyd *h)
{
	for (size_t i = 0; i < SHARDS_MAX; i++)
		CHECK(!h->roomds[i].up || h->roomds[i].active_ms || h->roomds[i].epoch);
	CHECK(h->topology.kind == SERVICE_HISTORYD);
	CHECK(h->topology.historyds == 0 || h->topology.id < h->topology.historyds);
}

void historyd_check(const struct historyd *h)
{
	check_turn(h);
	check_logs(h);
	check_bus(h);
	gateways_check(&h->gateways, h->is_writable);
}
