// SPDX-License-Identifier: MIT
/* log.c — see log.h. A log is kept small, because a million of them may be in memory: README.md
 * counts its bytes. */
#include "historyd/log.h"
#include "historyd/store/keys.h"

/* A cid of this turn. Its key is the one that it will have in the store. */
struct uncommitted_cid {
	uint64_t seq, time_ms;
	size_t key_len;
	char key[];
};

static struct str log_key(const void *item)
{
	const struct room_log *log = item;
	return str_of(log->room, log->room_len);
}

static struct str uncommitted_key(const void *item)
{
	const struct uncommitted_cid *uncommitted = item;
	return str_of(uncommitted->key, uncommitted->key_len);
}

void room_logs_init(struct room_logs *all, struct turn *turn,
		    const struct historyd_options *options)
{
	*all = (struct room_logs){.turn = turn,
				  .max = options->rooms_max,
				  .epoch = options->epoch,
				  .restores = options->restores};
	table_init(&all->logs, log_key, options->seed);
	table_init(&all->uncommitted, uncommitted_key, options->seed);
	TAILQ_INIT(&all->lru);
}

void room_logs_free(struct room_logs *all)
{
	room_logs_forget(all);
	table_free(&all->logs);
	table_free(&all->uncommitted);
}

/* ---- what a log holds ---- */

static struct str *facts_name(struct store_room *facts, enum log_name which)
{
	struct str *const names[LOG_NAMES] = {
		[LOG_OWNER] = &facts->owner,
		[LOG_GUEST] = &facts->guest,
		[LOG_AUTHOR] = &facts->authors[0],
		[LOG_AUTHOR_2] = &facts->authors[1],
	};
	return names[which];
}

/* The epochs stand before the names. */
static size_t epoch_bytes(const struct room_log *log)
{
	return log->epoch_count * sizeof(struct rec_epoch);
}

struct str room_log_name(const struct room_log *log, enum log_name which)
{
	size_t at = epoch_bytes(log);
	for (size_t i = 0; i < which; i++)
		at += log->name_len[i];
	return log->name_len[which] ? str_of(log->names + at, log->name_len[which])
				    : (struct str){0};
}

/* The names may point into the log itself. */
static void set_facts(struct room_log *log, const struct store_room *facts)
{
	char bytes[EPOCHS_MAX * sizeof(struct rec_epoch) + LOG_NAMES * USER_MAX];
	struct store_room names = *facts;
	CHECK(facts->epoch_count <= EPOCHS_MAX);
	size_t len = facts->epoch_count * sizeof(struct rec_epoch);
	memcpy(bytes, facts->epochs, len);
	for (unsigned i = 0; i < LOG_NAMES; i++) {
		struct str name = *facts_name(&names, (enum log_name)i);
		CHECK(name.len <= USER_MAX);
		if (name.len)
			memcpy(bytes + len, name.ptr, name.len);
		len += name.len;
		log->name_len[i] = (uint16_t)name.len;
	}
	mem_free(log->names);
	log->names = len ? memcpy(mem_alloc(len), bytes, len) : NULL;
	log->epoch_count = (uint8_t)facts->epoch_count;
	log->restores = facts->restores;
	log->has_more_authors = facts->has_more_authors;
}

static struct store_room get_facts(const struct room_log *log)
{
	struct store_room facts = {
		.seq = log->seq,
		.time_ms = log->time_ms,
		.epoch_count = log->epoch_count,
		.restores = log->restores,
		.has_more_authors = log->has_more_authors,
	};
	if (log->epoch_count)
		memcpy(facts.epochs, log->names, epoch_bytes(log));
	for (unsigned i = 0; i < LOG_NAMES; i++)
		*facts_name(&facts, (enum log_name)i) = room_log_name(log, (enum log_name)i);
	return facts;
}

static void write_facts(struct room_logs *all, struct room_log *log, const struct store_room *facts)
{
	turn_put_room(all->turn, log_key(log), facts);
	set_facts(log, facts);
}

/* ---- coming and going ---- */

static struct room_log *log_add(struct room_logs *all, struct str room,
				const struct store_room *facts)
{
	struct room_log *log = mem_alloc(sizeof *log + room.len);
	log->seq = facts->seq;
	log->time_ms = facts->time_ms;
	log->room_len = (uint16_t)room.len;
	memcpy(log->room, room.ptr, room.len);
	set_facts(log, facts);
	table_add(&all->logs, log);
	TAILQ_INSERT_HEAD(&all->lru, log, lru);
	return log;
}

static void log_remove(struct room_logs *all, struct room_log *log)
{
	CHECK(table_remove(&all->logs, log_key(log)) == log);
	TAILQ_REMOVE(&all->lru, log, lru);
	mem_free(log->names);
	mem_free(log);
}

enum err room_logs_find(struct room_logs *all, struct str room, struct room_log **out)
{
	CHECK(room.len > 0 && room.len <= ROOM_MAX);
	*out = table_find(&all->logs, room);
	if (*out) {
		TAILQ_REMOVE(&all->lru, *out, lru);
		TAILQ_INSERT_HEAD(&all->lru, *out, lru);
		return ERR_OK;
	}
	struct store *store = all->turn->store;
	struct store_room facts = {0};
	enum err e = store->room(store->impl, room, &facts);
	if (e == ERR_OK)
		*out = log_add(all, room, &facts);
	return e;
}

static void drop_uncommitted(struct room_logs *all)
{
	struct uncommitted_cid *uncommitted;
	if (all->uncommitted.count == 0)
		return;
	TABLE_EACH (&all->uncommitted, i, uncommitted)
		mem_free(uncommitted);
	table_free(&all->uncommitted);
}

void room_logs_settle(struct room_logs *all)
{
	CHECK(all->turn->writes == 0);
	drop_uncommitted(all);
	while (all->logs.count > all->max)
		log_remove(all, TAILQ_LAST(&all->lru, room_log_lru));
}

void room_logs_forget(struct room_logs *all)
{
	struct room_log *log;
	while ((log = TAILQ_FIRST(&all->lru)) != NULL)
		log_remove(all, log);
	drop_uncommitted(all);
	CHECK(all->logs.count == 0 && all->uncommitted.count == 0);
}

/* ---- what a log decides ---- */

static bool is_one_of(struct str user, struct str a, struct str b)
{
	return str_equal(user, a) || str_equal(user, b);
}

bool room_log_admits(const struct room_log *log, struct str user)
{
	struct str owner = room_log_name(log, LOG_OWNER);
	return owner.len == 0 || is_one_of(user, owner, room_log_name(log, LOG_GUEST));
}

enum err room_log_find_cid(const struct room_logs *all, const struct room_log *log,
			   const struct ev_chat_post *post, uint64_t *seq, uint64_t *time_ms)
{
	struct key key;
	key_cid(&key, log_key(log), post->user, post->cid);
	const struct uncommitted_cid *uncommitted = table_find(&all->uncommitted, key_view(&key));
	if (uncommitted) {
		*seq = uncommitted->seq;
		*time_ms = uncommitted->time_ms;
		return ERR_OK;
	}
	struct store *store = all->turn->store;
	return store->cid(store->impl, log_key(log), post->user, post->cid, seq, time_ms);
}

static void add_uncommitted(struct room_logs *all, const struct room_log *log,
			    const struct ev_chat_post *post)
{
	struct key key;
	key_cid(&key, log_key(log), post->user, post->cid);
	struct uncommitted_cid *uncommitted = mem_alloc(sizeof *uncommitted + key.len);
	uncommitted->seq = log->seq;
	uncommitted->time_ms = log->time_ms;
	uncommitted->key_len = key.len;
	memcpy(uncommitted->key, key.bytes, key.len);
	table_add(&all->uncommitted, uncommitted);
}

/* False: it is noted. */
static bool add_author(struct store_room *facts, struct str user)
{
	if (facts->has_more_authors || is_one_of(user, facts->authors[0], facts->authors[1]))
		return false;
	if (facts->authors[0].len == 0)
		facts->authors[0] = user;
	else if (facts->authors[1].len == 0)
		facts->authors[1] = user;
	else
		facts->has_more_authors = true;
	return true;
}

static bool knows_epoch(const struct room_log *log, uint64_t epoch)
{
	struct rec_epoch newest;
	if (epoch == 0)
		return true;
	if (log->epoch_count == 0)
		return false;
	memcpy(&newest, log->names + epoch_bytes(log) - sizeof newest, sizeof newest);
	return newest.epoch == epoch;
}

static void add_epoch(const struct room_logs *all, struct store_room *facts)
{
	if (facts->epoch_count == EPOCHS_MAX)
		memmove(facts->epochs, facts->epochs + 1,
			--facts->epoch_count * sizeof *facts->epochs);
	facts->epochs[facts->epoch_count++] =
		(struct rec_epoch){.epoch = all->epoch, .first = facts->seq};
	facts->restores = all->restores;
}

/* What the message that was just given log->seq changes of what is kept about the room. */
static void note_message(struct room_logs *all, struct room_log *log, struct str user)
{
	bool is_first = !knows_epoch(log, all->epoch);
	if (!is_first && log->has_more_authors)
		return;
	struct store_room facts = get_facts(log);
	bool is_changed = add_author(&facts, user);
	if (is_first)
		add_epoch(all, &facts);
	if (is_first || is_changed)
		write_facts(all, log, &facts);
}

uint64_t room_log_append(struct room_logs *all, struct room_log *log,
			 const struct ev_chat_post *post, uint64_t utc_ms)
{
	CHECK(room_log_admits(log, post->user) && post->cid.len > 0);
	log->seq++;
	log->time_ms = utc_ms > log->time_ms ? utc_ms : log->time_ms;
	const struct rec_chat chat = {
		.seq = log->seq,
		.time = log->time_ms,
		.user = post->user,
		.cid = post->cid,
		.body = post->body,
	};
	turn_put_chat(all->turn, log_key(log), &chat);
	add_uncommitted(all, log, post);
	note_message(all, log, post->user);
	return log->time_ms - utc_ms;
}

static bool others_wrote(const struct store_room *facts, struct str owner, struct str guest)
{
	for (size_t i = 0; i < ARRAY_LEN(facts->authors); i++)
		if (facts->authors[i].len && !is_one_of(facts->authors[i], owner, guest))
			return true;
	return facts->has_more_authors;
}

enum err room_log_make_private(struct room_logs *all, struct room_log *log, struct str owner,
			       struct str guest)
{
	CHECK(owner.len > 0 && guest.len > 0);
	struct store_room facts = get_facts(log);
	if (facts.owner.len) {
		bool is_theirs = (str_equal(owner, facts.owner) && str_equal(guest, facts.guest)) ||
				 (str_equal(owner, facts.guest) && str_equal(guest, facts.owner));
		return is_theirs ? ERR_OK : ERR_ROOM_TAKEN;
	}
	if (others_wrote(&facts, owner, guest))
		return ERR_ROOM_TAKEN;
	facts.owner = owner;
	facts.guest = guest;
	write_facts(all, log, &facts);
	return ERR_OK;
}
