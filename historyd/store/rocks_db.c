// SPDX-License-Identifier: MIT
/* rocks_db.c — see store/rocks_db.h. */
#include "historyd/store/rocks_db.h"
#include "historyd/store/rocks_families.h"
#include "historyd/store/values.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

static const struct str format_key = {"format", 6};

enum { BACKGROUND_NICE = 10 }; /* nice */

/* ---- error messages ---- */

struct opening {
	struct rocks *rocks;
	const struct store_rocks_options *options;
	bool is_start;
	char *error;
	size_t error_len;
	bool is_open;
};

static bool reject(const struct opening *o, const char *fmt, ...) PRINTF_LIKE(2, 3);
static bool reject(const struct opening *o, const char *fmt, ...)
{
	va_list args;
	int len = snprintf(o->error, o->error_len, "data directory %s ", o->options->data_dir);
	va_start(args, fmt);
	if (len >= 0 && (size_t)len < o->error_len)
		vsnprintf(o->error + len, o->error_len - (size_t)len, fmt, args);
	va_end(args);
	return false;
}

static bool is_damage(const char *error_message)
{
	return strncmp(error_message, "Corruption:", 11) == 0;
}

static bool may_lose(const struct opening *o)
{
	return o->is_start && o->options->allow_data_loss;
}

#define OR_LOSE                                                               \
	"restore a backup, or open it once with allow-data-loss, which goes " \
	"on with the messages before "

/* Takes the error message. RocksDB's words come last, for those who know them. */
static bool explain_open(const struct opening *o, char *error_message)
{
	const char *what = "cannot be opened";
	if (strstr(error_message, "lock hold by current process") ||
	    strstr(error_message, "While lock file"))
		what = "is in use by another process";
	else if (strstr(error_message, "Permission denied"))
		what = "may not be read and written by this user";
	else if (strstr(error_message, "No such file") || (is_damage(error_message) && may_lose(o)))
		what = "is damaged: restore a backup";
	else if (is_damage(error_message))
		what = "is damaged: " OR_LOSE "the damage";
	(void)reject(o, "%s (%s)", what, error_message);
	rocksdb_free(error_message);
	return false;
}

/* ---- opening ---- */

static void keep_cluster(struct rocks *r, struct store_format *format, struct str cluster)
{
	CHECK(cluster.len <= CLUSTER_MAX);
	snprintf(r->cluster, sizeof r->cluster, STR_FMT, STR_ARG(cluster));
	format->cluster = str_from(r->cluster);
}

/* False: unreadable. *found false: there is none. */
static bool read_format(struct rocks *r, struct store_format *format, bool *found)
{
	char *error_message = NULL;
	rocksdb_pinnableslice_t *value = rocks_get(r, FAMILY_META, format_key, &error_message);
	bool is_read = !error_message;
	*found = value != NULL;
	if (value) {
		struct str bytes;
		bytes.ptr = rocksdb_pinnableslice_value(value, &bytes.len);
		is_read = value_read_format(bytes, format);
		if (is_read)
			keep_cluster(r, format, format->cluster);
		rocksdb_pinnableslice_destroy(value);
	}
	rocksdb_free(error_message);
	return is_read;
}

/* Then into a table: where the log is gone the record is to tell whose directory this was. */
static bool write_format(const struct rocks *r, const struct store_format *format)
{
	struct buf value = {0};
	value_pack_format(&value, format);
	rocksdb_writeoptions_t *options = rocksdb_writeoptions_create();
	rocksdb_writeoptions_set_sync(options, 1);
	char *error_message = NULL;
	rocksdb_put_cf(r->db, options, r->families[FAMILY_META], format_key.ptr, format_key.len,
		       value.ptr, value.len, &error_message);
	rocksdb_writeoptions_destroy(options);
	buf_free(&value);
	if (!error_message) {
		rocksdb_flushoptions_t *flush = rocksdb_flushoptions_create();
		rocksdb_flush_cf(r->db, flush, r->families[FAMILY_META], &error_message);
		rocksdb_flushoptions_destroy(flush);
	}
	bool is_written = !error_message;
	rocksdb_free(error_message);
	return is_written;
}

/* Whether this is the directory of this shard in a format that we know; one without a record, in
 * which nothing was written, is. */
static bool check_format(const struct opening *o, struct store_format *format, bool *found)
{
	const struct store_rocks_options *options = o->options;
	if (!read_format(o->rocks, format, found))
		return reject(o, "is damaged: its format record is not readable");
	if (!*found)
		*format = (struct store_format){.version = STORE_FORMAT,
						.shard = options->shard,
						.shards = options->shards};
	if (format->version != STORE_FORMAT)
		return reject(o, "has format %" PRIu64 ", this program knows only %d",
			      format->version, STORE_FORMAT);
	if (format->shard != options->shard || format->shards != options->shards)
		return reject(o,
			      "belongs to shard %" PRIu64 " of %" PRIu64 ", this is shard %" PRIu32
			      " of %" PRIu32,
			      format->shard, format->shards, options->shard, options->shards);
	if (options->create && format->cluster.len &&
	    !str_equal(format->cluster, str_from(options->create)))
		return reject(o, "belongs to cluster %s, not to %s", o->rocks->cluster,
			      options->create);
	return true;
}

/* Whether the database reaches to where the mark says. */
static bool check_mark(const struct opening *o, bool should_have_mark)
{
	struct rocks *r = o->rocks;
	const struct mark *mark = &r->dir.mark;
	uint64_t sequence = rocksdb_get_latest_sequence_number(r->db);
	bool is_short = r->dir.has_mark && sequence < mark->sequence;
	bool is_older = r->dir.has_mark && (r->dir.manifest < mark->manifest ||
					    (r->dir.manifest == mark->manifest &&
					     r->dir.manifest_bytes < mark->manifest_bytes));
	bool is_unknown = !r->dir.has_mark && should_have_mark;
	if (!is_short && !is_older && !is_unknown)
		return true;
	r->was_cut = may_lose(o);
	if (r->was_cut)
		return true;
	if (is_short)
		return reject(
			o,
			"lacks %" PRIu64 " writes that were acked: a file of its log (*.log) "
			"was removed, emptied or cut, or a file is an older one; put it back, "
			"or " OR_LOSE "these",
			mark->sequence - sequence);
	if (is_older)
		return reject(o, "has a MANIFEST that is older or shorter than it was; put it "
				 "back, or " OR_LOSE "what it lacks");
	return reject(o, "has lost its file " MARK_FILE
			 ", which tells whether writes are missing; put it back, or " OR_LOSE
			 "any that are");
}

/* Without changing anything: RocksDB, once it has opened a directory to write, throws away what it
 * has no use for, and what was missing cannot be put back any more. */
static bool examine(const struct opening *o)
{
	struct rocks *r = o->rocks;
	struct store_format format = {0};
	bool found = false;
	char *error_message = rocks_open_families(r, o->options, TO_LOOK);
	if (error_message && is_damage(error_message) && may_lose(o)) {
		rocksdb_free(error_message);
		r->was_cut = true;
		return true;
	}
	if (error_message)
		return explain_open(o, error_message);
	bool is_right = check_format(o, &format, &found) && check_mark(o, found && format.has_mark);
	bool is_foreign =
		is_right && !found && !r->was_cut && rocksdb_get_latest_sequence_number(r->db) > 0;
	rocks_close_families(r);
	return is_foreign ? reject(o, "holds a database that is none of ours") : is_right;
}

/* The mark goes first: it knows of losses as well, and once the record says that there is a mark
 * there has to be one. */
static bool settle(const struct opening *o)
{
	struct rocks *r = o->rocks;
	struct store_format format = {0};
	bool found = false;
	if (!check_format(o, &format, &found))
		return false;
	if (r->dir.has_mark && r->dir.mark.losses > format.losses)
		format.losses = r->dir.mark.losses;
	r->losses = format.losses + r->was_cut;
	r->restores = format.restores + (o->is_start && o->options->is_restored);
	bool is_named = !o->options->create || format.cluster.len;
	bool is_right = found && format.has_mark && format.losses == r->losses &&
			format.restores == r->restores && is_named;
	if (!is_named)
		keep_cluster(r, &format, str_from(o->options->create));
	format.restores = r->restores;
	format.losses = r->losses;
	format.has_mark = true;
	if (data_dir_follow(&r->dir, o->options->data_dir) && rocks_mark(r) &&
	    data_dir_sync(&r->dir) && (is_right || (write_format(r, &format) && rocks_mark(r))))
		return true;
	return reject(o, "cannot be written");
}

static bool open_to_serve(const struct opening *o)
{
	struct rocks *r = o->rocks;
	if (!r->dir.is_new && !examine(o))
		return false;
	char *error_message = rocks_open_families(r, o->options,
						  r->dir.is_new ? TO_MAKE
						  : r->was_cut  ? TO_SERVE_WHAT_IS_LEFT
								: TO_SERVE);
	return error_message ? explain_open(o, error_message) : settle(o);
}

/* A thread of its own. RocksDB's threads inherit its priority: where processors are scarce, writing
 * a memtable to disk, which nobody waits for, is to give way to committing. */
static void *open_at_background_priority(void *ctx)
{
	struct opening *o = ctx;
	/* Not to be had is no reason to stop: only delays grow. */
	(void)setpriority(PRIO_PROCESS, (id_t)gettid(), BACKGROUND_NICE);
	o->is_open = open_to_serve(o);
	return NULL;
}

bool rocks_open(struct rocks *r, const struct store_rocks_options *o, bool is_start, char *error,
		size_t error_len)
{
	*r = (struct rocks){0};
	const struct data_dir_params params = {.is_start = is_start,
					       .may_create = is_start && o->create};
	if (!data_dir_open(&r->dir, o->data_dir, params, error, error_len))
		return false;
	struct opening opening = {.rocks = r,
				  .options = o,
				  .is_start = is_start,
				  .error = error,
				  .error_len = error_len};
	pthread_t opener;
	CHECK(pthread_create(&opener, NULL, open_at_background_priority, &opening) == 0);
	CHECK(pthread_join(opener, NULL) == 0);
	if (!opening.is_open)
		rocks_close(r);
	return opening.is_open;
}

bool rocks_mark(struct rocks *r)
{
	return data_dir_mark(&r->dir, rocksdb_get_latest_sequence_number(r->db), r->losses);
}

void rocks_close(struct rocks *r)
{
	if (r->db)
		rocks_close_families(r);
	data_dir_close(&r->dir);
}

bool rocks_checkpoint(const struct rocks *r, const char *dir, char *error, size_t error_len)
{
	char *error_message = NULL;
	rocksdb_checkpoint_t *checkpoint = NULL;
	struct mark mark = {.is_made = true, .losses = r->losses};
	if (r->db) {
		mark.sequence = rocksdb_get_latest_sequence_number(r->db);
		checkpoint = rocksdb_checkpoint_object_create(r->db, &error_message);
	}
	if (checkpoint) {
		rocksdb_checkpoint_create(checkpoint, dir, 0, &error_message);
		rocksdb_checkpoint_object_destroy(checkpoint);
	}
	if (checkpoint && !error_message && data_dir_copy_mark(dir, &mark))
		return true;
	const char *why = error_message ? error_message
			  : r->db       ? "no mark"
					: "the database is closed";
	snprintf(error, error_len, "backup to %s failed (%s)", dir, why);
	rocksdb_free(error_message);
	return false;
}

/* ---- reading ---- */

rocksdb_pinnableslice_t *rocks_get(const struct rocks *r, enum family family, struct str key,
				   char **error_message)
{
	return rocksdb_get_pinned_cf(r->db, r->for_points, r->families[family], key.ptr, key.len,
				     error_message);
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
	char *error_message = NULL;
	rocksdb_iter_get_error(w->at, &error_message);
	rocksdb_iter_destroy(w->at);
	return error_message;
}
