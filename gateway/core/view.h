// SPDX-License-Identifier: MIT
/* view.h — a room as this gateway sees it: who is there, and its newest messages. It exists while a
 * session of this gateway is in the room or joins it. Not here: the bytes of the log (roomlog.h),
 * the members' cursors (deliver.h). */
#ifndef PARLOR_GATEWAY_CORE_VIEW_H
#define PARLOR_GATEWAY_CORE_VIEW_H

#include "gateway/core/state.h"

struct view *view_find(const struct gateway *g, struct str room);

/* Events name a room. view_of_roomd: its view, if the roomd that speaks owns it; view_is_historyds:
 * whether the historyd that speaks does. */
struct view *view_of_roomd(struct gateway *g, struct str room);
bool view_is_historyds(struct gateway *g, struct str room);

/* The room's view, made if there is none; asks for the newest messages at once. */
struct view *view_open(struct gateway *g, struct str room);

/* The log is to hold frames of this wire format too. */
void view_want(struct gateway *g, struct view *v, enum wire wire);

/* Frees a view of which nothing is left: see join.c. */
void view_free(struct gateway *g, struct view *v);

/* The user's entry, made if there is none; end it with view_drop_present when nothing holds it. */
struct present *view_present(struct view *v, struct str user);
struct present *view_find_present(const struct view *v, struct str user);
void view_drop_present(struct gateway *g, struct view *v, struct present *p);

/* Asks roomd for the whole list, unless that is under way. */
void view_ask_presence(struct gateway *g, struct view *v);

/* Asks historyd for what the log lacks, unless that is under way. */
void view_ask_page(struct gateway *g, struct view *v);

/* True when it is known now who is there: joins may go on. */
bool view_presence(struct gateway *g, struct view *v, const struct ev_presence *ev);

/* A list has come, to whatever view: a large one is not asked for again at once. */
void presence_pace(struct gateway *g, const struct ev_presence *ev);

/* Events of historyd. */
void view_chat(struct gateway *g, struct view *v, const struct rec_chat *chat);
void view_note_head(struct gateway *g, struct view *v, uint64_t seq); /* there is such a message */

/* False when the page tells of a new epoch, but was asked for behind another message than the log
 * ends with now: it says nothing of that one, and is to be asked for again. */
bool view_agrees_with(const struct view *v, const struct ev_page *page, uint64_t asked_after);

/* True when the log is open now: joins may go on. */
bool view_page(struct gateway *g, struct view *v, const struct ev_page *page);

/* False for the epoch of a start of historyd of which no page has told yet: what stands before a
 * message of it may not be what this gateway knows. A page is asked for then, which tells. */
bool view_knows_epoch(const struct view *v, uint64_t epoch);
uint64_t view_newest_epoch(const struct ev_page *page); /* 0: it tells of none */
void view_note_epoch(struct gateway *g, struct view *v, uint64_t seq, uint64_t epoch);

/* Whether a reader's page and the log are of the same history, so that one may follow the other. If
 * not, one of them is late, and the reader is to ask again: behind the log, which asks first if it
 * is the late one. A page that has no end but the room's (`is_open`) names the newest epoch. */
bool view_goes_with(struct gateway *g, struct view *v, const struct ev_page *page, bool is_open);

/* What the log ends with does not stand any more: historyd has gone back. The log begins anew with
 * the page; its readers are to, too (join_void). */
void view_begin_anew(struct gateway *g, struct view *v, const struct ev_page *page);

/* Something may have been lost on the link to the room's roomd or historyd. */
void view_resync_presence(struct gateway *g, struct view *v);
void view_resync_log(struct gateway *g, struct view *v);

/* Typing whose end was lost. */
void view_tick(struct gateway *g);

#endif
