// SPDX-License-Identifier: MIT
/* roomlog.c — see roomlog.h. The bytes are one flat buffer, not a ring, so that a run of frames is
 * never split; when its end is reached the live part moves to the front, which costs a copy of each
 * byte now and then. */
#include "gateway/core/roomlog.h"
#include "gateway/core/frame.h"

enum { ENTRIES_MIN = 8, BYTES_MIN = 1024 };

/* What one wire format may take of max_bytes. */
static size_t share_of(const struct roomlog *log, size_t max_bytes)
{
	return log->stream[WIRE_SOCKETIO].is_on ? max_bytes / WIRES : max_bytes;
}

void roomlog_init(struct roomlog *log, uint64_t head)
{
	*log = (struct roomlog){.head = head, .first_seq = head + 1};
	log->stream[WIRE_NATIVE].is_on = true;
}

void roomlog_free(struct roomlog *log)
{
	mem_free(log->entries);
	for (enum wire wire = 0; wire < WIRES; wire++)
		mem_free(log->stream[wire].bytes);
	*log = (struct roomlog){0};
}

void roomlog_restart(struct roomlog *log, uint64_t head)
{
	bool is_on = log->stream[WIRE_SOCKETIO].is_on;
	roomlog_free(log);
	roomlog_init(log, head);
	log->stream[WIRE_SOCKETIO].is_on = is_on;
}

static struct roomlog_entry *entry_at(const struct roomlog *log, uint64_t seq)
{
	CHECK(seq >= log->first_seq && seq <= log->head);
	uint32_t index = log->entry_first + (uint32_t)(seq - log->first_seq);
	return &log->entries[index & (log->entry_cap - 1)];
}

static void drop_oldest(struct roomlog *log)
{
	const struct roomlog_entry *entry = entry_at(log, log->first_seq);
	for (enum wire wire = 0; wire < WIRES; wire++)
		log->stream[wire].begin += entry->frame_bytes[wire];
	log->first_seq++;
	log->entry_first = (log->entry_first + 1) & (log->entry_cap - 1);
	log->count--;
}

static void grow_entries(struct roomlog *log)
{
	uint32_t cap = log->entry_cap ? log->entry_cap * 2 : ENTRIES_MIN;
	struct roomlog_entry *entries = mem_alloc(cap * sizeof *entries);
	for (uint32_t i = 0; i < log->count; i++)
		entries[i] = log->entries[(log->entry_first + i) & (log->entry_cap - 1)];
	mem_free(log->entries);
	log->entries = entries;
	log->entry_cap = cap;
	log->entry_first = 0;
}

/* Drops the oldest until the others and one more frame of len bytes leave a quarter of the share
 * free. A frame of Socket.IO is never longer than the native one, so the native ones decide. */
static void make_room(struct roomlog *log, size_t len, size_t share)
{
	const struct roomlog_stream *native = &log->stream[WIRE_NATIVE];
	while (log->count &&
	       native->end - native->begin + len + log->count * sizeof(struct roomlog_entry) >
		       share - share / 4)
		drop_oldest(log);
}

/* The live bytes go to the front of a buffer of this size. */
static void move_live(struct roomlog_stream *s, size_t cap)
{
	size_t live = s->end - s->begin;
	CHECK(live <= cap);
	char *bytes = cap == s->cap ? s->bytes : mem_resize(NULL, cap);
	if (live)
		memmove(bytes, s->bytes + (s->begin - s->base), live);
	if (bytes != s->bytes)
		mem_free(s->bytes);
	s->bytes = bytes;
	s->cap = cap;
	s->base = s->begin;
}

/* Room for len bytes behind the live ones, in no more than the share if that is possible at all. */
static char *reserve(struct roomlog_stream *s, size_t len, size_t share)
{
	if (len > s->cap - (size_t)(s->end - s->base)) {
		size_t needed = s->end - s->begin + len;
		size_t cap = s->cap ? s->cap : BYTES_MIN;
		while (cap < 2 * needed)
			cap *= 2;
		if (cap > share)
			cap = needed > share ? needed : share;
		move_live(s, cap);
	}
	return s->bytes + (s->end - s->base);
}

/* Appends a frame with this payload; returns the bytes of its header. */
static size_t append_frame(struct roomlog *log, struct roomlog_entry *entry, enum wire wire,
			   struct str payload, size_t share)
{
	struct roomlog_stream *s = &log->stream[wire];
	char header[FRAME_HEADER_MAX];
	size_t header_bytes = frame_header(header, FRAME_TEXT, payload.len);
	char *at = reserve(s, header_bytes + payload.len, share);
	CHECK(s->end - s->base + header_bytes + payload.len <= s->cap);
	memcpy(at, header, header_bytes);
	memcpy(at + header_bytes, payload.ptr, payload.len);
	entry->at[wire] = s->end;
	entry->frame_bytes[wire] = (uint32_t)(header_bytes + payload.len);
	s->end += header_bytes + payload.len;
	return header_bytes;
}

static void append_other(struct roomlog *log, struct roomlog_entry *entry, enum wire wire,
			 struct str room, struct str object, size_t share, struct buf *json)
{
	buf_reset(json);
	frame_put_chat_object(json, wire, room, object);
	append_frame(log, entry, wire, buf_view(json), share);
}

void roomlog_want(struct roomlog *log, enum wire wire, struct str room, size_t max_bytes,
		  struct buf *json)
{
	if (log->stream[wire].is_on)
		return;
	log->stream[wire].is_on = true;
	size_t share = share_of(log, max_bytes);
	make_room(log, 0, share);
	if (log->stream[WIRE_NATIVE].cap > share)
		move_live(&log->stream[WIRE_NATIVE], share);
	for (uint64_t seq = log->first_seq; seq < log->first_seq + log->count; seq++)
		append_other(log, entry_at(log, seq), wire, room, roomlog_object(log, seq), share,
			     json);
}

void roomlog_append(struct roomlog *log, struct str room, const struct rec_chat *chat,
		    uint64_t epoch, size_t max_bytes, struct buf *json)
{
	size_t share = share_of(log, max_bytes);
	CHECK(log->count == 0 || chat->seq == log->head + 1);
	buf_reset(json);
	size_t object_offset = frame_put_chat(json, WIRE_NATIVE, room, chat, epoch);
	make_room(log, FRAME_HEADER_MAX + json->len, share);
	if (log->count == log->entry_cap)
		grow_entries(log);
	if (log->count == 0)
		log->first_seq = chat->seq;
	log->head = chat->seq;
	log->count++;
	struct roomlog_entry *entry = entry_at(log, chat->seq);
	*entry = (struct roomlog_entry){0};
	entry->object_bytes =
		(uint32_t)(json->len - object_offset - 1); /* a brace closes the event */
	size_t header_bytes = append_frame(log, entry, WIRE_NATIVE, buf_view(json), share);
	entry->object_offset = (uint32_t)(header_bytes + object_offset);
	if (log->stream[WIRE_SOCKETIO].is_on)
		append_other(log, entry, WIRE_SOCKETIO, room, roomlog_object(log, chat->seq), share,
			     json);
}

struct str roomlog_frames(const struct roomlog *log, enum wire wire, uint64_t from, uint64_t to)
{
	const struct roomlog_stream *s = &log->stream[wire];
	const struct roomlog_entry *first = entry_at(log, from);
	const struct roomlog_entry *last = entry_at(log, to);
	CHECK(s->is_on);
	return str_of(s->bytes + (first->at[wire] - s->base),
		      (size_t)(last->at[wire] + last->frame_bytes[wire] - first->at[wire]));
}

struct str roomlog_object(const struct roomlog *log, uint64_t seq)
{
	const struct roomlog_stream *s = &log->stream[WIRE_NATIVE];
	const struct roomlog_entry *entry = entry_at(log, seq);
	return str_of(s->bytes + (entry->at[WIRE_NATIVE] - s->base) + entry->object_offset,
		      entry->object_bytes);
}

uint64_t roomlog_fit(const struct roomlog *log, enum wire wire, uint64_t from, uint64_t to,
		     size_t max_bytes)
{
	if (roomlog_frames(log, wire, from, to).len <= max_bytes)
		return to;
	uint64_t fits = from;
	while (fits < to && roomlog_frames(log, wire, from, fits + 1).len <= max_bytes)
		fits++;
	return fits;
}

/* ---- invariants ---- */

/* The frames of one wire format stand side by side, from the first live byte to the last. */
static void check_stream(const struct roomlog *log, enum wire wire)
{
	const struct roomlog_stream *s = &log->stream[wire];
	uint64_t at = s->begin;
	CHECK(s->base <= s->begin && s->begin <= s->end);
	CHECK(s->end - s->base <= s->cap && !s->bytes == !s->cap);
	for (uint64_t seq = log->first_seq; s->is_on && seq <= log->head; seq++) {
		const struct roomlog_entry *entry = entry_at(log, seq);
		CHECK(entry->at[wire] == at && entry->frame_bytes[wire] > 0);
		at += entry->frame_bytes[wire];
	}
	CHECK(at == s->end);
}

void roomlog_check(const struct roomlog *log)
{
	CHECK(log->first_seq + log->count == log->head + 1);
	CHECK(log->count <= log->entry_cap && (log->entry_cap & (log->entry_cap - 1)) == 0);
	CHECK(log->entry_first < log->entry_cap || log->entry_cap == 0);
	CHECK(log->stream[WIRE_NATIVE].is_on);
	for (enum wire wire = 0; wire < WIRES; wire++)
		check_stream(log, wire);
	for (uint64_t seq = log->first_seq; seq <= log->head; seq++) {
		const struct roomlog_entry *entry = entry_at(log, seq);
		CHECK(entry->object_offset + entry->object_bytes < entry->frame_bytes[WIRE_NATIVE]);
	}
}
