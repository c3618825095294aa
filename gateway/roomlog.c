// SPDX-License-Identifier: MIT
/* roomlog.c — see roomlog.h. The bytes are one flat buffer, not a ring, so that a run of frames is
 * never split; when its end is reached the live part moves to the front, which costs a copy of each
 * byte now and then. */
#include "gateway/roomlog.h"
#include "gateway/frame.h"

enum { ENTRIES_MIN = 8, BYTES_MIN = 1024, KEEP_MESSAGES = 64 };

void roomlog_init(struct roomlog *log, uint64_t head)
{
	*log = (struct roomlog){.head = head, .first_seq = head + 1};
}

void roomlog_free(struct roomlog *log)
{
	mem_free(log->entries);
	mem_free(log->bytes);
	*log = (struct roomlog){0};
}

static struct roomlog_entry *entry_at(const struct roomlog *log, uint64_t seq)
{
	CHECK(seq >= log->first_seq && seq <= log->head);
	uint32_t index = log->entry_first + (uint32_t)(seq - log->first_seq);
	return &log->entries[index & (log->entry_cap - 1)];
}

static void drop_oldest(struct roomlog *log)
{
	log->begin += entry_at(log, log->first_seq)->frame_bytes;
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

/* Room for len bytes behind the live ones. */
static char *reserve(struct roomlog *log, size_t len)
{
	size_t live = log->end - log->begin;
	if (len > log->cap - (size_t)(log->end - log->base)) {
		size_t cap = log->cap ? log->cap : BYTES_MIN;
		while (cap < 2 * (live + len))
			cap *= 2;
		char *bytes = cap == log->cap ? log->bytes : mem_resize(NULL, cap);
		if (live)
			memmove(bytes, log->bytes + (log->begin - log->base), live);
		if (bytes != log->bytes)
			mem_free(log->bytes);
		log->bytes = bytes;
		log->cap = cap;
		log->base = log->begin;
	}
	return log->bytes + (log->end - log->base);
}

void roomlog_append(struct roomlog *log, struct str room, const struct rec_chat *chat,
		    size_t max_bytes, struct buf *json)
{
	if (log->count == 0)
		log->first_seq = chat->seq;
	CHECK(log->count == 0 || chat->seq == log->head + 1);
	while (log->count > KEEP_MESSAGES && log->end - log->begin > max_bytes)
		drop_oldest(log);
	if (log->count == log->entry_cap)
		grow_entries(log);

	buf_reset(json);
	size_t object_offset = frame_put_chat(json, room, chat);
	size_t object_bytes = json->len - object_offset - 1; /* a brace closes the event */
	char header[FRAME_HEADER_MAX];
	size_t header_bytes = frame_header(header, FRAME_TEXT, json->len);
	char *at = reserve(log, header_bytes + json->len);
	memcpy(at, header, header_bytes);
	memcpy(at + header_bytes, json->ptr, json->len);

	log->head = chat->seq;
	log->count++;
	*entry_at(log, chat->seq) = (struct roomlog_entry){
		.at = log->end,
		.frame_bytes = (uint32_t)(header_bytes + json->len),
		.object_offset = (uint32_t)(header_bytes + object_offset),
		.object_bytes = (uint32_t)object_bytes,
	};
	log->end += header_bytes + json->len;
}

struct str roomlog_frames(const struct roomlog *log, uint64_t from, uint64_t to)
{
	const struct roomlog_entry *first = entry_at(log, from);
	const struct roomlog_entry *last = entry_at(log, to);
	return str_of(log->bytes + (first->at - log->base),
		      (size_t)(last->at + last->frame_bytes - first->at));
}

struct str roomlog_object(const struct roomlog *log, uint64_t seq)
{
	const struct roomlog_entry *entry = entry_at(log, seq);
	return str_of(log->bytes + (entry->at - log->base) + entry->object_offset,
		      entry->object_bytes);
}

uint64_t roomlog_fit(const struct roomlog *log, uint64_t from, uint64_t to, size_t max_bytes)
{
	if (roomlog_frames(log, from, to).len <= max_bytes)
		return to;
	uint64_t fits = from;
	while (fits < to && roomlog_frames(log, from, fits + 1).len <= max_bytes)
		fits++;
	return fits;
}
