// SPDX-License-Identifier: MIT
/* presence.c — who is in a room, as roomd reports it: numbered changes, and whole lists when a
 * number is missing.
 *
 * roomd numbers each change of a room. A change is taken only when it is the next one; otherwise
 * the whole list is requested and compared with what was known. Not here: telling the clients
 * (announce.c). */
#include "gateway/core/handlers.h"
#include "gateway/core/changes.h"
#include "gateway/core/request.h"
#include "gateway/core/view.h"

struct present *view_find_present(const struct view *v, struct str user)
{
	return table_find(&v->names, user);
}

struct present *view_present(struct view *v, struct str user)
{
	struct present *p = view_find_present(v, user);
	if (p)
		return p;
	p = mem_alloc(offsetof(struct present, text) + user.len);
	p->view = v;
	p->user = str_put(p->text, user);
	table_add(&v->names, p);
	TAILQ_INSERT_TAIL(&v->present, p, entry);
	return p;
}

static void end_typing(struct gateway *g, struct present *p)
{
	if (p->is_typing)
		TAILQ_REMOVE(&g->typing, p, typing);
	p->is_typing = false;
}

void view_drop_present(struct gateway *g, struct view *v, struct present *p)
{
	if (p->local || p->is_listed || p->changes)
		return;
	CHECK(!p->join && !p->is_in &&
	      !p->registration.is_in); /* all that is asked or told for members */
	end_typing(g, p);
	table_remove(&v->names, p->user);
	TAILQ_REMOVE(&v->present, p, entry);
	mem_free(p);
}

void view_ask_presence(struct gateway *g, struct view *v)
{
	if (v->presence_request)
		return;
	bool is_late = list_pace_waits(&g->list_pace, g->now_ms, v->room);
	g->stats.lists_delayed_total += is_late;
	v->presence_request = request_start(g, &(struct request_params){
						       .kind = REQUEST_PRESENCE,
						       .shard = v->roomd,
						       .room = v->room,
						       .is_late = is_late,
					       });
}

static void set_listed(struct gateway *g, struct view *v, struct present *p, bool is_listed)
{
	if (p->is_listed == is_listed)
		return;
	CHECK(is_listed || v->listed > 0);
	p->is_listed = is_listed;
	v->listed += is_listed ? 1u : UINT32_MAX; /* +1 or -1 */
	if (v->is_presence_known)
		change_note(g, v, p, is_listed ? CHANGE_ARRIVED : CHANGE_LEFT);
	if (!is_listed)
		end_typing(g, p);
}

/* Whether a delta is the next one to take. */
static bool is_next(struct gateway *g, struct view *v, uint64_t version)
{
	if (!v->is_presence_known || v->presence_epoch != g->from.epoch)
		return false;
	if (version == v->presence_version + 1) {
		v->presence_version = version;
		return true;
	}
	if (version > v->presence_version)
		view_ask_presence(g, v);
	return false;
}

void on_user_in(struct gateway *g, const struct ev_user_in *ev)
{
	struct view *v = view_of_roomd(g, ev->room);
	if (v && is_next(g, v, ev->version))
		set_listed(g, v, view_present(v, ev->user), true);
}

void on_user_out(struct gateway *g, const struct ev_user_out *ev)
{
	struct view *v = view_of_roomd(g, ev->room);
	if (!v || !is_next(g, v, ev->version))
		return;
	struct present *p = view_find_present(v, ev->user);
	if (!p)
		return;
	set_listed(g, v, p, false);
	view_drop_present(g, v, p);
}

static struct present *find_listed(struct gateway *g, struct str room, struct str user)
{
	struct view *v = view_of_roomd(g, room);
	struct present *p = v ? view_find_present(v, user) : NULL;
	return p && p->is_listed ? p : NULL;
}

void on_typing_on(struct gateway *g, const struct ev_typing_on *ev)
{
	struct present *p = find_listed(g, ev->room, ev->user);
	if (!p)
		return;
	end_typing(g, p);
	p->is_typing = true;
	p->typing_ms = g->now_ms;
	TAILQ_INSERT_TAIL(&g->typing, p, typing);
	change_note(g, p->view, p, CHANGE_TYPES);
}

static void stop_typing(struct gateway *g, struct present *p)
{
	end_typing(g, p);
	change_note(g, p->view, p, CHANGE_STOPPED);
}

void on_typing_off(struct gateway *g, const struct ev_typing_off *ev)
{
	struct present *p = find_listed(g, ev->room, ev->user);
	if (p)
		stop_typing(g, p);
}

bool view_presence(struct gateway *g, struct view *v, const struct ev_presence *ev)
{
	bool is_same = v->is_presence_known && v->presence_epoch == g->from.epoch;
	if (is_same && ev->version < v->presence_version)
		return false;
	if (ev->part == 0)
		v->presence_generation++;
	else if (ev->part != v->presence_part)
		return false; /* the part before it was lost; the list will be asked for again */
	v->presence_part = ev->last ? 0 : ev->part + 1;
	for (uint32_t i = 0; i < ev->names.count; i++) {
		struct present *p = view_present(v, bus_name_at(&ev->names, i).user);
		p->generation = v->presence_generation;
		set_listed(g, v, p, true);
	}
	if (!ev->last)
		return false;
	struct present *p = TAILQ_FIRST(&v->present);
	while (p) {
		struct present *next = TAILQ_NEXT(p, entry);
		if (p->generation != v->presence_generation) {
			set_listed(g, v, p, false);
			view_drop_present(g, v, p);
		}
		p = next;
	}
	if (v->presence_request)
		request_end(g, v->presence_request);
	v->presence_request = NULL;
	v->presence_version = ev->version;
	v->presence_epoch = g->from.epoch;
	bool was_known = v->is_presence_known;
	v->is_presence_known = true;
	return !was_known;
}

void presence_pace(struct gateway *g, const struct ev_presence *ev)
{
	if (ev->part || !ev->last || ev->names.count >= LARGE_LIST)
		list_pace_note(&g->list_pace, g->now_ms, ev->room);
}

void view_resync_presence(struct gateway *g, struct view *v)
{
	if (v->is_presence_known)
		view_ask_presence(g, v);
}

void view_tick(struct gateway *g)
{
	struct present *p;
	while ((p = TAILQ_FIRST(&g->typing)) != NULL && p->typing_ms + TYPING_MAX_MS <= g->now_ms)
		stop_typing(g, p);
}
