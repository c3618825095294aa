// SPDX-License-Identifier: MIT
/* rocks_families.c — see store/rocks_families.h. Each option that is not RocksDB's default
 * says why. */
#include "historyd/store/rocks_families.h"
#include "historyd/store/keys.h"

#include <stdio.h>

static const char *const family_names[FAMILIES] = {
	[FAMILY_META] = "default", [FAMILY_MESSAGES] = "messages", [FAMILY_CIDS] = "cids",
	[FAMILY_ROOMS] = "rooms",  [FAMILY_INVITES] = "invites",
};

enum { MIB = 1024 * 1024 };

enum { INFO_LOG_SILENT = 4 }; /* of info_log_level: only what is fatal */

/* Of wal_recovery_mode: a record torn by a crash at the end of the log is cut off, any other damage
 * refused. */
enum { WAL_REJECT_DAMAGE = 0, WAL_CUT_AT_DAMAGE = 2 };

/* ---- options ---- */

static rocksdb_options_t *db_options(const struct store_rocks_options *o, int wal_mode)
{
	rocksdb_options_t *db = rocksdb_options_create();
	/* The default drops acked messages that stand behind a damage, and says nothing. */
	rocksdb_options_set_wal_recovery_mode(db, wal_mode);
	/* All families reach the disk together: otherwise a log that is cut may leave one family
	 * ahead of the others, and RocksDB refuses to open that. It also lets go of old logs at
	 * once. */
	rocksdb_options_set_atomic_flush(db, 1);
	rocksdb_options_set_max_open_files(db, 1000);
	rocksdb_options_set_max_background_jobs(db, 2);
	/* A line of RocksDB's info log that does not fit on a full disk ends the process (an assert
	 * of Debian's build). So beside the data it is kept silent; what goes wrong is told by the
	 * error messages. */
	if (o->log_dir)
		rocksdb_options_set_db_log_dir(db, o->log_dir);
	else
		rocksdb_options_set_info_log_level(db, INFO_LOG_SILENT);
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
	char *error_message = NULL;
	rocksdb_get_options_from_string(family, text, hinted, &error_message);
	rocksdb_options_destroy(error_message ? hinted : family);
	rocksdb_options_t *kept = error_message ? family : hinted;
	rocksdb_free(error_message);
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

/* ---- opening ---- */

char *rocks_open_families(struct rocks *r, const struct store_rocks_options *o, enum how how)
{
	const uint64_t cache_bytes = o->cache_bytes ? o->cache_bytes : 256u * MIB;
	rocksdb_cache_t *cache = rocksdb_cache_create_lru(cache_bytes);
	rocksdb_options_t *db =
		db_options(o, how == TO_SERVE_WHAT_IS_LEFT ? WAL_CUT_AT_DAMAGE : WAL_REJECT_DAMAGE);
	rocksdb_options_set_create_if_missing(db, how == TO_MAKE);
	rocksdb_options_set_create_missing_column_families(db, how == TO_MAKE);
	rocksdb_options_t *scanned = family_options(cache, true);
	rocksdb_options_t *looked_up = family_options(cache, false);
	const rocksdb_options_t *families[FAMILIES] = {
		[FAMILY_META] = looked_up,  [FAMILY_MESSAGES] = scanned, [FAMILY_CIDS] = looked_up,
		[FAMILY_ROOMS] = looked_up, [FAMILY_INVITES] = scanned,
	};
	char *error_message = NULL;
	if (how == TO_LOOK)
		r->db = rocksdb_open_for_read_only_column_families(db, o->data_dir, FAMILIES,
								   family_names, families,
								   r->families, 0, &error_message);
	else
		r->db = rocksdb_open_column_families(db, o->data_dir, FAMILIES, family_names,
						     families, r->families, &error_message);
	rocksdb_options_destroy(looked_up);
	rocksdb_options_destroy(scanned);
	rocksdb_options_destroy(db);
	rocksdb_cache_destroy(cache);
	if (error_message) {
		r->db = NULL;
		return error_message;
	}
	r->for_points = rocksdb_readoptions_create();
	r->for_walks = rocksdb_readoptions_create();
	rocksdb_readoptions_set_prefix_same_as_start(r->for_walks, 1);
	return NULL;
}

void rocks_close_families(struct rocks *r)
{
	for (size_t i = 0; i < FAMILIES; i++)
		rocksdb_column_family_handle_destroy(r->families[i]);
	rocksdb_readoptions_destroy(r->for_points);
	rocksdb_readoptions_destroy(r->for_walks);
	rocksdb_close(r->db);
	r->db = NULL;
}
