// SPDX-License-Identifier: MIT
/* pages.c — historyd_read: pages of messages, from the store alone. Runs on the reading thread,
 * beside the core, and so shares nothing with it. */
#include "historyd/historyd.h"

enum {
	PAGE_BYTES_MAX = 512 * 1024, /* a page that has passed this ends */
	/* The answers to one message together; asks that come after are told ERR_UNAVAILABLE, so
	 * that a small question cannot fill the memory. One more page still fits into a message of
	 * the bus. */
	ANSWER_BYTES_MAX = 3 * 1024 * 1024,
};

/* A page while it is gathered: its records in the order in which the store gives them. */
struct page {
	struct buf records;
	size_t ends[PAGE_MAX]; /* of each record */
	uint32_t count, limit;
	uint64_t newest; /* seq among them */
	bool has_more;
	struct buf turned; /* the records the other way round */
};

static bool take_message(void *ctx, const struct rec_chat *chat)
{
	struct page *page = ctx;
	if (page->count == page->limit || page->records.len > PAGE_BYTES_MAX) {
		page->has_more = true;
		return false;
	}
	struct rec_chat shown = *chat;
	if (shown.cid.len && shown.cid.ptr[0] == '\x01')
		shown.cid = (struct str){0}; /* made by a gateway, its client gave none */
	bus_pack_chat(&page->records, &shown);
	page->ends[page->count++] = page->records.len;
	page->newest = chat->seq > page->newest ? chat->seq : page->newest;
	return true;
}

static struct str turned(struct page *page)
{
	buf_reset(&page->turned);
	for (uint32_t i = page->count; i > 0; i--) {
		size_t start = i > 1 ? page->ends[i - 2] : 0;
		buf_append(&page->turned, page->records.ptr + start, page->ends[i - 1] - start);
	}
	return buf_view(&page->turned);
}

static bool take_seq(void *ctx, const struct rec_chat *chat)
{
	*(uint64_t *)ctx = chat->seq;
	return false;
}

static enum err read_page(struct store *store, const struct ev_page_ask *ask, struct page *page,
			  struct ev_page *answer)
{
	bool is_newest = ask->newest != 0;
	buf_reset(&page->records);
	page->count = 0;
	page->newest = 0;
	page->has_more = false;
	page->limit = ask->limit < 1 ? 1 : ask->limit > PAGE_MAX ? PAGE_MAX : (uint32_t)ask->limit;
	enum err e = store->chats(store->impl, ask->room, 0, 0, true, take_seq, &answer->head);
	if (e == ERR_OK)
		e = store->chats(store->impl, ask->room, ask->after, ask->before, is_newest,
				 take_message, page);
	if (e != ERR_OK)
		return e;
	if (page->newest > answer->head) /* stored between the two readings */
		answer->head = page->newest;
	answer->more = page->has_more;
	answer->messages = (struct list){
		.count = page->count,
		.packed = is_newest ? turned(page) : buf_view(&page->records),
	};
	return ERR_OK;
}

static void answer_page(struct store *store, const struct ev_page_ask *ask, struct page *page,
			struct batch *answers)
{
	struct ev_page answer = {.req = ask->req, .room = ask->room};
	enum err status = ERR_UNAVAILABLE;
	if (ask->room.len == 0)
		status = ERR_BAD_FIELD;
	else if (answers->bytes.len < ANSWER_BYTES_MAX)
		status = read_page(store, ask, page, &answer);
	if (status != ERR_OK)
		answer = (struct ev_page){.req = ask->req, .room = ask->room, .status = status};
	bus_put_page(answers, &answer);
}

bool historyd_read(struct store *store, struct bus_reader *reader, struct str message,
		   struct batch *answers)
{
	struct envelope env;
	if (!bus_open(reader, message, &env) || env.from != SERVICE_GATEWAY)
		return false;
	struct page page = {0};
	struct bus_event ev;
	while (bus_next(reader, &ev))
		if (ev.type == EV_page_ask)
			answer_page(store, &ev.as.page_ask, &page, answers);
	buf_free(&page.records);
	buf_free(&page.turned);
	return !reader->bad;
}
