// SPDX-License-Identifier: MIT
/* store_rocks_db.c — see store_rocks_db.h. Each option that is not RocksDB's default says why. */
#include "historyd/store_rocks_db.h"
#include "historyd/keys.h"
#include "historyd/values.h"

#include <pthread.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

static const char *const family_names[FAMILIES] = {
	[FAMILY_META] = "default", [FAMILY_MESSAGES] = "messages", [FAMILY_CIDS] = "cids",
	[FAMILY_ROOMS] = "rooms",  [FAMILY_INVITES] = "invites",
};

static const struct str format_key = {"format", 6};

enum { MIB = 1024 * 1024 };

enum { GIVING_WAY = 10 }; /* nice */

enum { DIARY_SILENT = 4 }; /* of info_log_level: only what is fatal */

/* Of wal_recovery_mode: a record torn by a crash at the end of the log is cut off, any other damage
 * refused. */
enum { WAL_REFUSE_DAMAGE = 0, WAL_CUT_AT_DAMAGE = 2 };

/* ---- options ---- */

static rocksdb_options_t *db_options(const struct store_rocks_options *o, int wal_mode)
{
	rocksdb_options_t *db = rocksdb_options_create();
	rocksdb_options_set_create_if_missing(db, 1);
	rocksdb_options_set_create_missing_column_families(db, 1);
	/* The default drops acked messages that stand behind a damage, and says nothing. */
	rocksdb_options_set_wal_recovery_mode(db, wal_mode);
	/* All families reach the disk together: otherwise a log that is cut may leave one family
	 * ahead of the others, and RocksDB refuses to open that. It also lets go of old logs at
	 * once. */
	rocksdb_options_set_atomic_flush(db, 1);
	rocksdb_options_set_max_open_files(db, 1000);
	rocksdb_options_set_max_background_jobs(db, 2);
	/* A line of RocksDB's diary that does not fit on a full disk ends the process (an assert of
	 * Debian's build). So beside the data it is kept silent; what goes wrong is told by the
	 * complaints. */
	if (o->log_dir)
		rocksdb_options_set_db_log_dir(db, o->log_dir);
	else
		rocksdb_options_set_info_log_level(db, DIARY_SILENT);
	rocksdb_options_set_max_log_file_size(db, 4 * MIB);
	rocksdb_options_set_keep_log_file_num(db, 3);
	return db;
}

/* Remembers for each prefix where the last key with it went into the memtable: the next is looked
 * for from there. More than half of a post's time was the way through two skip lists. RocksDB's C
 * interface has it only as text; a RocksDB that does not know it goes without. Takes `family`. */
static rocksdb_options_t *with_insert_hints(rocksdb_options_t *family, int prefix_bytes)
{
	char text[80];
	snprintf(text, sizeof text,
		 "memtable_insert_with_hint_prefix_extractor=rocksdb.FixedPrefix.%d", prefix_bytes);
	rocksdb_options_t *hinted = rocksdb_options_create();
	char *complaint = NULL;
	rocksdb_get_options_from_string(family, text, hinted, &complaint);
	rocksdb_options_destroy(complaint ? hinted : family);
	rocksdb_options_t *kept = complaint ? family : hinted;
	rocksdb_free(complaint);
	return kept;
}

/* Families that are scanned need a filter of rooms, those that are looked up one of keys. */
static rocksdb_options_t *family_options(rocksdb_cache_t *cache, bool is_scanned)
{
	rocksdb_block_based_table_options_t *table = rocksdb_block_based_options_create();
	rocksdb_block_based_options_set_block_cache(table, cache);
	rocksdb_block_based_options_set_block_size(table, 16 * 1024);
	rocksdb_block_based_options_set_filter_policy(table,
						      rocksdb_filterpolicy_create_bloom_full(10));
	rocksdb_block_based_options_set_whole_key_filtering(table, !is_scanned);

	rocksdb_options_t *family = rocksdb_options_create();
	rocksdb_options_set_block_based_table_factory(family, table);
	rocksdb_block_based_options_destroy(table);
	if (is_scanned) {
		rocksdb_options_set_prefix_extractor(
			family, rocksdb_slicetransform_create_fixed_prefix(STORE_PREFIX_BYTES));
		rocksdb_options_set_memtable_prefix_bloom_size_ratio(family, 0.02);
	} else { /* each new message asks for a cid that is not there: half the time of a post */
		rocksdb_options_set_memtable_prefix_bloom_size_ratio(family, 0.02);
		rocksdb_options_set_memtable_whole_key_filtering(family, 1);
	}
	rocksdb_options_set_write_buffer_size(family, 32 * MIB);
	rocksdb_options_set_compression(family, rocksdb_lz4_compression);
	rocksdb_options_set_bottommost_compression(family, rocksdb_zstd_compression);
	rocksdb_options_set_level_compaction_dynamic_level_bytes(family, 1);
	/* A room's messages come in order. Its cids do not, and a hint costs 250 bytes. */
	return with_insert_hints(family, is_scanned ? STORE_PREFIX_BYTES : STORE_PARTITION_BYTES);
}

/* ---- complaints ---- */

static bool is_damage(const char *complaint)
{
	return strncmp(complaint, "Corruption:", 11) == 0;
}

/* RocksDB's words for it come last, for those who know them. */
static void explain_open(const char *dir, const char *complaint, char *error, size_t error_len)
{
	const char *what = "cannot be opened";
	if (strstr(complaint, "lock hold by current process") ||
	    strstr(complaint, "While lock file"))
		what = "is in use by another process";
	else if (strstr(complaint, "Permission denied"))
		what = "may not be read and written by this user";
	else if (is_damage(complaint))
		what = "is damaged: restore a backup, or open it once with allow-data-loss, which "
		       "goes on "
		       "with the messages before the damage";
	snprintf(error, error_len, "data directory %s %s (%s)", dir, what, complaint);
}

/* ---- opening ---- */

/* The complaint, which the caller owns, or NULL. */
static char *open_families(struct rocks *r, const struct store_rocks_options *o, int wal_mode)
{
	const uint64_t cache_bytes = o->cache_bytes ? o->cache_bytes : 256u * MIB;
	rocksdb_cache_t *cache = rocksdb_cache_create_lru(cache_bytes);
	rocksdb_options_t *db = db_options(o, wal_mode);
	rocksdb_options_t *scanned = family_options(cache, true);
	rocksdb_options_t *looked_up = family_options(cache, false);
	const rocksdb_options_t *families[FAMILIES] = {
		[FAMILY_META] = looked_up,  [FAMILY_MESSAGES] = scanned, [FAMILY_CIDS] = looked_up,
		[FAMILY_ROOMS] = looked_up, [FAMILY_INVITES] = scanned,
	};
	char *complaint = NULL;
	r->db = rocksdb_open_column_families(db, o->data_dir, FAMILIES, family_names, families,
					     r->families, &complaint);
	rocksdb_options_destroy(looked_up);
	rocksdb_options_destroy(scanned);
	rocksdb_options_destroy(db);
	rocksdb_cache_destroy(cache);
	return complaint;
}

/* False: unreadable. *found false: the directory is new. */
static bool read_format(const struct rocks *r, struct store_format *format, bool *found)
{
	char *complaint = NULL;
	rocksdb_pinnableslice_t *value = rocks_get(r, FAMILY_META, format_key, &complaint);
	bool is_read = !complaint;
	*found = value != NULL;
	if (value) {
		struct str bytes;
		bytes.ptr = rocksdb_pinnableslice_value(value, &bytes.len);
		is_read = value_read_format(bytes, format);
		rocksdb_pinnableslice_destroy(value);
	}
	rocksdb_free(complaint);
	return is_read;
}

static bool write_format(const struct rocks *r, const struct store_format *format)
{
	struct buf value = {0};
	value_pack_format(&value, format);
	rocksdb_writeoptions_t *options = rocksdb_writeoptions_create();
	rocksdb_writeoptions_set_sync(options, 1);
	char *complaint = NULL;
	rocksdb_put_cf(r->db, options, r->families[FAMILY_META], format_key.ptr, format_key.len,
		       value.ptr, value.len, &complaint);
	rocksdb_writeoptions_destroy(options);
	buf_free(&value);
	bool is_written = !complaint;
	rocksdb_free(complaint);
	return is_written;
}

/* Whether this is the directory of this shard in a format we know; a new one is made so. */
static bool check_format(struct rocks *r, const struct store_rocks_options *o, char *error,
			 size_t error_len)
{
	struct store_format format = {
		.version = STORE_FORMAT, .shard = o->shard, .shards = o->shards};
	bool found;
	if (!read_format(r, &format, &found)) {
		snprintf(error, error_len, "data directory %s: its format record is not readable",
			 o->data_dir);
		return false;
	}
	if (format.version != STORE_FORMAT) {
		snprintf(error, error_len,
			 "data directory %s has format %" PRIu64 ", this program knows only %d",
			 o->data_dir, format.version, STORE_FORMAT);
		return false;
	}
	if (format.shard != o->shard || format.shards != o->shards) {
		snprintf(error, error_len,
			 "data directory %s belongs to shard %" PRIu64 " of %" PRIu64
			 ", this is shard %" PRIu32 " of %" PRIu32,
			 o->data_dir, format.shard, format.shards, o->shard, o->shards);
		return false;
	}
	format.losses += r->was_cut;
	r->losses = format.losses;
	if ((!found || r->was_cut) && !write_format(r, &format)) {
		snprintf(error, error_len, "data directory %s cannot be written", o->data_dir);
		return false;
	}
	return true;
}

struct opening {
	struct rocks *rocks;
	const struct store_rocks_options *options;
	bool may_cut;
	char *complaint; /* whoever looks owns it; NULL: it is open */
};

/* A thread of its own. RocksDB's threads inherit its priority: where processors are scarce, writing
 * a memtable to disk, which nobody waits for, is to give way to committing. */
static void *open_giving_way(void *ctx)
{
	struct opening *o = ctx;
	/* Not to be had is no reason to stop: only delays grow. */
	(void)setpriority(PRIO_PROCESS, (id_t)gettid(), GIVING_WAY);
	o->complaint = open_families(o->rocks, o->options, WAL_REFUSE_DAMAGE);
	if (o->complaint && o->may_cut && is_damage(o->complaint)) {
		rocksdb_free(o->complaint);
		o->rocks->was_cut = true;
		o->complaint = open_families(o->rocks, o->options, WAL_CUT_AT_DAMAGE);
	}
	return NULL;
}

bool rocks_open(struct rocks *r, const struct store_rocks_options *o, bool may_cut, char *error,
		size_t error_len)
{
	*r = (struct rocks){0};
	struct opening opening = {.rocks = r, .options = o, .may_cut = may_cut};
	pthread_t opener;
	CHECK(pthread_create(&opener, NULL, open_giving_way, &opening) == 0);
	CHECK(pthread_join(opener, NULL) == 0);
	char *complaint = opening.complaint;
	if (complaint) {
		r->db = NULL;
		explain_open(o->data_dir, complaint, error, error_len);
		rocksdb_free(complaint);
		return false;
	}
	r->for_points = rocksdb_readoptions_create();
	r->for_walks = rocksdb_readoptions_create();
	rocksdb_readoptions_set_prefix_same_as_start(r->for_walks, 1);
	if (!check_format(r, o, error, error_len)) {
		rocks_close(r);
		return false;
	}
	return true;
}

void rocks_close(struct rocks *r)
{
	if (!r->db)
		return;
	for (size_t i = 0; i < FAMILIES; i++)
		rocksdb_column_family_handle_destroy(r->families[i]);
	rocksdb_readoptions_destroy(r->for_points);
	rocksdb_readoptions_destroy(r->for_walks);
	rocksdb_close(r->db);
	r->db = NULL;
}

bool rocks_checkpoint(const struct rocks *r, const char *dir, char *error, size_t error_len)
{
	char *complaint = NULL;
	rocksdb_checkpoint_t *checkpoint = NULL;
	if (r->db)
		checkpoint = rocksdb_checkpoint_object_create(r->db, &complaint);
	if (checkpoint) {
		rocksdb_checkpoint_create(checkpoint, dir, 0, &complaint);
		rocksdb_checkpoint_object_destroy(checkpoint);
	}
	if (checkpoint && !complaint)
		return true;
	snprintf(error, error_len, "backup to %s failed (%s)", dir,
		 complaint ? complaint : "the database is closed");
	rocksdb_free(complaint);
	return false;
}

/* ---- reading ---- */

rocksdb_pinnableslice_t *rocks_get(const struct rocks *r, enum family family, struct str key,
				   char **complaint)
{
	return rocksdb_get_pinned_cf(r->db, r->for_points, r->families[family], key.ptr, key.len,
				     complaint);
}

void rocks_walk_begin(struct rocks_walk *w, const struct rocks *r, enum family family,
		      struct str from, bool is_down)
{
	w->at = rocksdb_create_iterator_cf(r->db, r->for_walks, r->families[family]);
	w->is_down = is_down;
	if (is_down)
		rocksdb_iter_seek_for_prev(w->at, from.ptr, from.len);
	else
		rocksdb_iter_seek(w->at, from.ptr, from.len);
}

bool rocks_walk_here(const struct rocks_walk *w, struct str *key, struct str *value)
{
	if (!rocksdb_iter_valid(w->at))
		return false;
	key->ptr = rocksdb_iter_key(w->at, &key->len);
	value->ptr = rocksdb_iter_value(w->at, &value->len);
	return true;
}

void rocks_walk_step(struct rocks_walk *w)
{
	if (w->is_down)
		rocksdb_iter_prev(w->at);
	else
		rocksdb_iter_next(w->at);
}

char *rocks_walk_end(struct rocks_walk *w)
{
	char *complaint = NULL;
	rocksdb_iter_get_error(w->at, &complaint);
	rocksdb_iter_destroy(w->at);
	return complaint;
}
