// SPDX-License-Identifier: MIT
/* roomlog.h — the newest messages of a room, each as the finished frame that every reader of one
 * wire format gets.
 *
 * Frames of neighbouring seqs stand side by side in memory, so whatever a reader is behind is one
 * run of bytes for one send(). The log is bounded in bytes; what it has dropped is read from
 * historyd. Not here: who reads (deliver.c). */
#ifndef PARLOR_GATEWAY_CORE_ROOMLOG_H
#define PARLOR_GATEWAY_CORE_ROOMLOG_H

#include "gateway/core/gateway.h"

struct roomlog_entry {
	uint64_t at[WIRES]; /* where its frame begins, counted from the stream's first byte */
	uint32_t frame_bytes[WIRES]; /* the whole frame */
	uint32_t object_offset;      /* the message's JSON object within the native one */
	uint32_t object_bytes;
};

/* The frames of one wire format. */
struct roomlog_stream {
	bool is_on; /* some reader wants it; native is always on */
	char *bytes;
	size_t cap;
	uint64_t begin, end; /* live bytes, counted from the first byte ever */
	uint64_t base;       /* what bytes[0] counts as */
};

struct roomlog {
	struct roomlog_entry *entries; /* a ring */
	uint32_t entry_cap, entry_first, count;
	uint64_t first_seq; /* of the oldest entry; head - count + 1 */
	uint64_t head;      /* the newest seq the log knows of; its entry may be gone */
	struct roomlog_stream stream[WIRES];
};

/* Starts empty behind `head`. */
void roomlog_init(struct roomlog *log, uint64_t head);
void roomlog_free(struct roomlog *log);

/* Keeps this wire format too from now on, and makes it of what is there; both share max_bytes.
 * `json` is scratch. */
void roomlog_want(struct roomlog *log, enum wire wire, struct str room, size_t max_bytes,
		  struct buf *json);

/* Starts over behind `head`, with the same wire formats. */
void roomlog_restart(struct roomlog *log, uint64_t head);

/* Appends the message; chat->seq must be head + 1 unless the log is empty. Drops the oldest, so
 * that the frames of all wire formats take at most max_bytes, or what this message takes alone.
 * `epoch`: see frame_put_chat. `json` is scratch. */
void roomlog_append(struct roomlog *log, struct str room, const struct rec_chat *chat,
		    uint64_t epoch, size_t max_bytes, struct buf *json);

/* The frames of from … to, side by side; both must be in the log. Valid until the next append. */
struct str roomlog_frames(const struct roomlog *log, enum wire wire, uint64_t from, uint64_t to);

/* The message's JSON object. */
struct str roomlog_object(const struct roomlog *log, uint64_t seq);

/* The largest seq not above `to` for which the frames of from … seq fit in max_bytes; at least
 * `from`. */
uint64_t roomlog_fit(const struct roomlog *log, enum wire wire, uint64_t from, uint64_t to,
		     size_t max_bytes);

/* Walks it all; for gateway_check. */
void roomlog_check(const struct roomlog *log);

#endif
