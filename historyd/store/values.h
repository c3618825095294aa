// SPDX-License-Identifier: MIT
/* values.h — what stands behind the keys: flat msgpack arrays of numbers and texts.
 *
 *   room record   [owner, guest, author, second author, has more authors, restores, epochs]
 *                 epochs: a text of 16 bytes each, an epoch and its first seq, big-endian
 *   message       [seq, time, user, cid, body]     as bus_pack_chat writes it
 *   cid           [seq, time]
 *   invitation    [room, user]                     as bus_pack_invitation writes it
 *   format        [version, shard, shards, losses, has a mark, restores, cluster]
 *
 * Fields are only ever appended; a reader skips those it does not know. Reading is bounded and
 * allocates nothing: a value that a dying disk has corrupted is refused. Texts point into the
 * value. Next: store/rocks_db.h. */
#ifndef PARLOR_HISTORYD_STORE_VALUES_H
#define PARLOR_HISTORYD_STORE_VALUES_H

#include "historyd/store.h"

enum { EPOCH_BYTES = 16 };

void value_pack_room(struct buf *b, const struct store_room *facts); /* not its seq and time */
NODISCARD
bool value_read_room(struct str value, struct store_room *facts);

/* *is_packed: the value is a record of the bus as it stands, with nothing behind it. */
NODISCARD
bool value_read_chat(struct str value, struct rec_chat *chat, bool *is_packed);

void value_pack_cid(struct buf *b, uint64_t seq, uint64_t time_ms);
NODISCARD
bool value_read_cid(struct str value, uint64_t *seq, uint64_t *time_ms);

NODISCARD
bool value_read_invitation(struct str value, struct rec_invitation *invitation);

/* What a data directory says about itself. */
enum { STORE_FORMAT = 1 };
struct store_format {
	uint64_t version;
	uint64_t shard, shards;
	uint64_t losses;    /* how often it was opened with the end of its log cut off */
	uint64_t restores;  /* how often it was started as a restored backup */
	bool has_mark;      /* a mark (store/rocks_mark.h) stands beside it */
	struct str cluster; /* empty: made by 0.1.0 */
};
void value_pack_format(struct buf *b, const struct store_format *format);
NODISCARD
bool value_read_format(struct str value, struct store_format *format);

#endif
