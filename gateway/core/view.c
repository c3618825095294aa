// SPDX-License-Identifier: MIT
/* view.c — see view.h: the view's life and its log. Presence is in presence.c. */
#include "gateway/core/view.h"
#include "gateway/core/json_text.h"
#include "gateway/core/request.h"
#include "proto/shard.h"

static struct str present_key(const void *item)
{
	return ((const struct present *)item)->user;
}

struct view *view_open(struct gateway *g, struct str room)
{
	struct view *v = view_find(g, room);
	if (v)
		return v;
	v = mem_alloc(offsetof(struct view, text) + room.len);
	v->room = str_put(v->text, room);
	v->roomd = shard_of(room, g->options.roomd_shards);
	v->historyd = shard_of(room, g->options.historyd_shards);
	TAILQ_INIT(&v->live);
	TAILQ_INIT(&v->joining);
	TAILQ_INIT(&v->present);
	STAILQ_INIT(&v->changes);
	table_init(&v->names, present_key, g->options.seed);
	roomlog_init(&v->log, 0);
	table_add(&g->views, v);
	g->stats.rooms++;
	view_ask_page(g, v);
	return v;
}

void view_free(struct gateway *g, struct view *v)
{
	CHECK(TAILQ_EMPTY(&v->live) && TAILQ_EMPTY(&v->joining) && TAILQ_EMPTY(&v->present));
	CHECK(!v->presence_request && !v->page_request && STAILQ_EMPTY(&v->changes));
	if (v->is_dirty)
		TAILQ_REMOVE(&g->dirty, v, dirty_entry);
	table_remove(&g->views, v->room);
	table_free(&v->names);
	roomlog_free(&v->log);
	epochs_free(&v->epochs);
	mem_free(v);
	g->stats.rooms--;
}

void view_ask_page(struct gateway *g, struct view *v)
{
	if (v->page_request)
		return;
	bool is_first = v->log.head == 0 && !v->is_open;
	v->page_request = request_start(g, &(struct request_params){
						   .kind = REQUEST_PAGE_VIEW,
						   .shard = v->historyd,
						   .room = v->room,
						   .after = v->log.head,
						   .epoch = epochs_at(&v->epochs, v->log.head),
						   .may_reset = !is_first,
						   .limit = is_first ? GREETING_MESSAGES : PAGE_MAX,
						   .is_newest = is_first,
					   });
}

static void mark_dirty(struct gateway *g, struct view *v)
{
	if (v->is_dirty)
		return;
	v->is_dirty = true;
	TAILQ_INSERT_TAIL(&g->dirty, v, dirty_entry);
}

void view_want(struct gateway *g, struct view *v, enum wire wire)
{
	uint64_t oldest = v->log.first_seq;
	roomlog_want(&v->log, wire, v->room, g->options.log_bytes, &g->json);
	v->has_older |= v->log.first_seq != oldest;
}

static void append(struct gateway *g, struct view *v, const struct rec_chat *chat)
{
	if (chat->seq <= v->log.head || chat->seq >= JSON_WHOLE_END)
		return;
	if (v->log.count && chat->seq != v->log.head + 1) { /* older ones were deleted meanwhile */
		roomlog_restart(&v->log, chat->seq - 1);
		v->has_older = true;
	}
	uint64_t oldest = v->log.first_seq;
	bool was_empty = v->log.count == 0;
	roomlog_append(&v->log, v->room, chat, epochs_begin(&v->epochs, chat->seq),
		       g->options.log_bytes, &g->json);
	v->has_older |= !was_empty && v->log.first_seq != oldest;
	mark_dirty(g, v);
}

void view_note_head(struct gateway *g, struct view *v, uint64_t seq)
{
	if (seq > v->seen_seq)
		v->seen_seq = seq;
	if (seq > v->log.head)
		view_ask_page(g, v);
}

void view_chat(struct gateway *g, struct view *v, const struct rec_chat *chat)
{
	if (v->is_open && chat->seq == v->log.head + 1)
		append(g, v, chat);
	view_note_head(g, v, chat->seq);
}

bool view_knows_epoch(const struct view *v, uint64_t epoch)
{
	return epoch == 0 || epochs_know(&v->epochs, epoch);
}

uint64_t view_newest_epoch(const struct ev_page *page)
{
	return page->epochs.count ? bus_epoch_at(&page->epochs, page->epochs.count - 1).epoch : 0;
}

void view_note_epoch(struct gateway *g, struct view *v, uint64_t seq, uint64_t epoch)
{
	v->doubted = epoch;
	if (seq > v->doubted_seq)
		v->doubted_seq = seq;
	view_note_head(g, v, seq);
	if (v->is_open)
		view_ask_page(g, v);
}

bool view_goes_with(struct gateway *g, struct view *v, const struct ev_page *page, bool is_open)
{
	uint64_t epoch = view_newest_epoch(page);
	bool is_known = view_knows_epoch(v, epoch);
	if (!is_known)
		view_note_epoch(g, v, page->head, epoch);
	return is_known && (!is_open || epoch == 0 || epoch == epochs_newest(&v->epochs));
}

bool view_agrees_with(const struct view *v, const struct ev_page *page, uint64_t asked_after)
{
	return page->reset || asked_after == v->log.head ||
	       view_knows_epoch(v, view_newest_epoch(page));
}

void view_begin_anew(struct gateway *g, struct view *v, const struct ev_page *page)
{
	uint64_t first =
		page->messages.count ? bus_chat_at(&page->messages, 0).seq : page->head + 1;
	roomlog_restart(&v->log, first - 1);
	v->has_older = page->more;
	v->seen_seq = page->head;
	g->stats.resets_total++;
	mark_dirty(g, v);
}

bool view_page(struct gateway *g, struct view *v, const struct ev_page *page)
{
	uint64_t doubted = v->doubted;
	bool is_new = !view_knows_epoch(v, view_newest_epoch(page));
	v->doubted = 0;
	if (is_new) /* what was heard of in earlier ones may be gone */
		v->seen_seq = page->head;
	epochs_set(&v->epochs, &page->epochs);
	for (uint32_t i = 0; i < page->messages.count; i++) {
		struct rec_chat chat = bus_chat_at(&page->messages, i);
		append(g, v, &chat);
	}
	if (!v->is_open) {
		v->has_older |= page->more;
		if (v->log.count == 0) {
			v->log.head = page->head;
			v->log.first_seq = page->head + 1;
		}
	}
	bool was_open = v->is_open;
	v->is_open = true;
	if (page->head > v->seen_seq)
		v->seen_seq = page->head;
	/* What was heard of in the new epoch may stand behind a page that was read before it. */
	bool is_doubted =
		doubted && (v->doubted_seq > v->log.head || !epochs_know(&v->epochs, doubted));
	v->doubted_seq = 0;
	if ((was_open && page->more && !page->reset) || v->seen_seq > v->log.head || is_doubted)
		view_ask_page(g, v);
	return !was_open;
}

/* A page that was asked for before may have been read before what was lost was stored. */
void view_resync_log(struct gateway *g, struct view *v)
{
	if (v->page_request)
		request_end(g, v->page_request);
	v->page_request = NULL;
	view_ask_page(g, v);
}
