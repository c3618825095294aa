// SPDX-License-Identifier: MIT
/* pages.c — historyd_read: pages of messages, from the store alone. Runs on the reading thread,
 * beside the core, and so shares nothing with it. */
#include "historyd/historyd.h"

enum {
	PAGE_BYTES_MAX = 512 * 1024, /* a page that has passed this ends */
	/* The answers to one message together, so that a small request cannot fill the memory:
	 * asks that come after get no answer, and come again. One more page still fits into a
	 * message of the bus. */
	RESPONSE_BYTES_MAX = 3 * 1024 * 1024,
	CHUNK_MAX = 64, /* messages read at a time towards older ones */
};

/* One record of a page, in `records`. */
struct span {
	size_t from, len;
	uint64_t seq;
};

/* A page while it is gathered, and one message more, which tells that there are more. */
struct page {
	struct buf records; /* as the store gives them */
	struct span spans[PAGE_MAX + 1];
	uint32_t count, limit;
	struct buf turned; /* the records from the last span to the first */
	struct buf facts;  /* of the room: its two users, if it is private */
	struct buf epochs;
};

static bool has_enough(const struct page *page)
{
	return page->count > page->limit ||
	       (page->count &&
		page->records.len - page->spans[page->count - 1].len > PAGE_BYTES_MAX);
}

static bool take_message(void *ctx, const struct rec_chat *chat, struct str packed)
{
	struct page *page = ctx;
	CHECK(page->count < ARRAY_LEN(page->spans));
	struct span *span = &page->spans[page->count++];
	*span = (struct span){.from = page->records.len, .seq = chat->seq};
	if (packed.len)
		buf_str(&page->records, packed);
	else
		bus_pack_chat(&page->records, chat);
	span->len = page->records.len - span->from;
	return true;
}

static bool take_until_enough(void *ctx, const struct rec_chat *chat, struct str packed)
{
	(void)take_message(ctx, chat, packed);
	return !has_enough(ctx);
}

static bool take_seq(void *ctx, const struct rec_chat *chat, struct str packed)
{
	(void)packed;
	*(uint64_t *)ctx = chat->seq;
	return false;
}

/* The seq of the newest message with after < seq < before (0: no bound), or 0. */
static enum err find_newest(struct store *store, struct str room, uint64_t after, uint64_t before,
			    uint64_t *seq)
{
	*seq = 0;
	return store->chats(store->impl, room, after, before, true, take_seq, seq);
}

static void turn_spans(struct span *spans, uint32_t count)
{
	for (uint32_t i = 0; i < count / 2; i++) {
		struct span was = spans[i];
		spans[i] = spans[count - 1 - i];
		spans[count - 1 - i] = was;
	}
}

/* The newest messages above `after` and not above `last`, the newest one first. The store walks
 * upwards far faster than downwards, and seqs have few gaps: so it is asked for the seqs where the
 * messages should stand, and only below a gap for where they go on. */
static enum err read_newest(struct store *store, struct str room, uint64_t after, uint64_t last,
			    struct page *page)
{
	while (last > after && !has_enough(page)) {
		CHECK(page->count <= page->limit && page->limit <= PAGE_MAX);
		uint32_t had = page->count;
		uint32_t wanted = page->limit + 1 - had;
		wanted = wanted < CHUNK_MAX ? wanted : CHUNK_MAX;
		uint64_t below = last - after > wanted ? last - wanted : after;
		enum err e =
			store->chats(store->impl, room, below, last + 1, false, take_message, page);
		turn_spans(page->spans + had, page->count - had);
		last = below;
		if (e == ERR_OK && page->count - had < wanted && below > after)
			e = find_newest(store, room, after, below + 1, &last);
		if (e != ERR_OK)
			return e;
	}
	return ERR_OK;
}

/* Leaves what belongs to the page: the first `limit`, or fewer when these pass PAGE_BYTES_MAX.
 * True when there were more. */
static bool cut(struct page *page)
{
	size_t bytes = 0;
	uint32_t kept = 0;
	while (kept < page->count && kept < page->limit && bytes <= PAGE_BYTES_MAX)
		bytes += page->spans[kept++].len;
	bool has_more = kept < page->count;
	page->count = kept;
	return has_more;
}

static struct str turned(struct page *page)
{
	CHECK(page->count <= page->limit);
	buf_reset(&page->turned);
	for (uint32_t i = page->count; i > 0; i--) {
		const struct span *span = &page->spans[i - 1];
		buf_append(&page->turned, page->records.ptr + span->from, span->len);
	}
	return buf_view(&page->turned);
}

static enum err read_page_down(struct store *store, const struct ev_page_ask *ask,
			       struct page *page, struct ev_page *response)
{
	enum err e = ERR_OK;
	uint64_t last = ask->before - 1;
	if (ask->before == 0) {
		e = find_newest(store, ask->room, 0, 0, &response->head);
		last = response->head;
	}
	if (e == ERR_OK)
		e = read_newest(store, ask->room, ask->after, last, page);
	response->more = cut(page);
	response->messages = (struct list){.count = page->count, .packed = turned(page)};
	return e;
}

static enum err read_page_up(struct store *store, const struct ev_page_ask *ask, struct page *page,
			     struct ev_page *response)
{
	enum err e = store->chats(store->impl, ask->room, ask->after, ask->before, false,
				  take_until_enough, page);
	response->more = cut(page);
	if (page->count) {
		const struct span *last = &page->spans[page->count - 1];
		CHECK(last->from + last->len <= page->records.len && last->seq > ask->after);
		response->messages = (struct list){
			.count = page->count,
			.packed = str_of(page->records.ptr, last->from + last->len),
		};
		response->head = last->seq;
	}
	if (ask->before)
		response->head = 0;
	else if (e == ERR_OK && (response->more || page->count == 0))
		e = find_newest(store, ask->room, 0, 0, &response->head);
	return e;
}

/* The head is told only where nobody has named an upper end: whoever names one knows more or does
 * not care, and it costs a look at another place. */
static enum err read_messages(struct store *store, const struct ev_page_ask *ask, struct page *page,
			      struct ev_page *response)
{
	buf_reset(&page->records);
	page->count = 0;
	page->limit = ask->limit < 1 ? 1 : ask->limit > PAGE_MAX ? PAGE_MAX : (uint32_t)ask->limit;
	return ask->newest ? read_page_down(store, ask, page, response)
			   : read_page_up(store, ask, page, response);
}

/* Whether what the requester has seen up to `after` is not what stands here: its epoch is none of
 * the room's, or has ended before. An older copy of the data has taken the place of a newer one. */
static enum err check_resume(struct store *store, const struct ev_page_ask *ask,
			     const struct store_room *facts, uint64_t head, bool *is_void)
{
	enum err e = ERR_OK;
	uint32_t i = 0;
	uint64_t end = head;
	*is_void = false;
	if (!ask->may_reset || ask->after == 0)
		return ERR_OK;
	while (ask->epoch && i < facts->epoch_count && facts->epochs[i].epoch != ask->epoch)
		i++;
	bool is_known = ask->epoch == 0 || i < facts->epoch_count;
	/* The next one may begin far above the end of this one. */
	if (ask->epoch && i + 1 < facts->epoch_count)
		e = find_newest(store, ask->room, 0, facts->epochs[i + 1].first, &end);
	*is_void = !is_known || ask->after > end;
	return e;
}

/* The next message will stand in the epoch of this start: known beforehand, it needs no asking. */
static void add_coming(struct store_room *facts, uint64_t epoch, uint64_t head)
{
	bool is_there = facts->epoch_count && facts->epochs[facts->epoch_count - 1].epoch == epoch;
	if (epoch == 0 || is_there)
		return;
	if (facts->epoch_count == EPOCHS_MAX)
		memmove(facts->epochs, facts->epochs + 1,
			--facts->epoch_count * sizeof *facts->epochs);
	facts->epochs[facts->epoch_count++] = (struct rec_epoch){.epoch = epoch, .first = head + 1};
}

static struct list pack_epochs(struct buf *b, const struct store_room *facts)
{
	buf_reset(b);
	for (uint32_t i = 0; i < facts->epoch_count; i++)
		bus_pack_epoch(b, &facts->epochs[i]);
	return (struct list){.count = facts->epoch_count, .packed = buf_view(b)};
}

/* The messages first: what is known of the room then is true of all of them. */
static enum err read_page(struct store *store, const struct ev_page_ask *ask, struct page *page,
			  struct ev_page *response)
{
	bool is_void = false;
	struct store_room facts;
	enum err e = read_messages(store, ask, page, response);
	if (e == ERR_OK)
		e = store->facts(store->impl, ask->room, &page->facts, &facts);
	if (e == ERR_OK)
		e = check_resume(store, ask, &facts, response->head, &is_void);
	if (e == ERR_OK && is_void) {
		struct ev_page_ask newest = *ask;
		newest.after = 0;
		newest.newest = 1;
		response->reset = 1;
		e = read_messages(store, &newest, page, response);
		if (e == ERR_OK)
			e = store->facts(store->impl, ask->room, &page->facts, &facts);
	}
	if (e != ERR_OK)
		return e;
	response->owner = facts.owner;
	response->guest = facts.guest;
	if (!ask->before)
		add_coming(&facts, store->epoch, response->head);
	response->epochs = pack_epochs(&page->epochs, &facts);
	return ERR_OK;
}

static void respond_page(struct store *store, const struct ev_page_ask *ask, struct page *page,
			 struct batch *responses)
{
	struct ev_page response = {.req = ask->req, .room = ask->room};
	if (responses->bytes.len >= RESPONSE_BYTES_MAX)
		return;
	enum err status = ask->room.len ? read_page(store, ask, page, &response) : ERR_BAD_FIELD;
	if (status != ERR_OK)
		response = (struct ev_page){.req = ask->req, .room = ask->room, .status = status};
	bus_put_page(responses, &response);
}

/* A page of another shard's room would be empty, and show what is private as public. */
static void reject_page(const struct ev_page_ask *ask, struct batch *responses)
{
	bus_put_page(
		responses,
		&(struct ev_page){.req = ask->req, .room = ask->room, .status = ERR_UNAVAILABLE});
}

bool historyd_read(struct store *store, const struct topology *whole, struct bus_reader *reader,
		   struct str message, struct batch *responses)
{
	const struct bus_source source = {.kind = SERVICE_ANY};
	struct envelope env;
	if (!bus_open(reader, message, &env) || env.from != SERVICE_GATEWAY ||
	    topology_check(whole, &source, &env) != TOPOLOGY_FITS)
		return false;
	struct page page = {0};
	struct bus_event ev;
	while (bus_next(reader, &ev))
		if (ev.type != EV_page_ask)
			continue;
		else if (topology_owns(whole->historyds, whole->id, ev.as.page_ask.room))
			respond_page(store, &ev.as.page_ask, &page, responses);
		else
			reject_page(&ev.as.page_ask, responses);
	buf_free(&page.records);
	buf_free(&page.turned);
	buf_free(&page.facts);
	buf_free(&page.epochs);
	return !reader->in.bad;
}
