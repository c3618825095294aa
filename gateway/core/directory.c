// SPDX-License-Identifier: MIT
/* directory.c — see directory.h. */
#include "gateway/core/directory.h"

struct place {
	uint64_t gateway;
	uint64_t active_ms;
	struct str address; /* owned */
};

static struct str id_key(const uint64_t *id)
{
	return str_of((const char *)id, sizeof *id);
}

static struct str place_key(const void *item)
{
	return id_key(&((const struct place *)item)->gateway);
}

void directory_init(struct directory *d, uint64_t seed)
{
	table_init(&d->places, place_key, seed);
}

static void free_place(struct place *p)
{
	str_free(&p->address);
	mem_free(p);
}

void directory_free(struct directory *d)
{
	struct place *p;
	TABLE_EACH (&d->places, i, p)
		free_place(p);
	table_free(&d->places);
}

static struct place *find_stale(const struct directory *d, uint64_t now_ms)
{
	struct place *p;
	TABLE_EACH (&d->places, i, p)
		if (p->active_ms + PLACE_KEPT_MS <= now_ms)
			return p;
	return NULL;
}

static void update(struct directory *d, uint64_t now_ms, const struct rec_place *rec)
{
	struct place *p = table_find(&d->places, id_key(&rec->gateway));
	if (!p) {
		if (d->places.count == PLACES_MAX)
			return;
		p = mem_alloc(sizeof *p);
		p->gateway = rec->gateway;
		table_add(&d->places, p);
	}
	p->active_ms = now_ms;
	if (str_equal(p->address, rec->address))
		return;
	str_free(&p->address);
	p->address = str_copy(rec->address);
}

void directory_update(struct directory *d, uint64_t now_ms, const struct ev_gateways *ev)
{
	struct place *p;
	for (uint32_t i = 0; i < ev->places.count; i++) {
		struct rec_place rec = bus_place_at(&ev->places, i);
		update(d, now_ms, &rec);
	}
	while ((p = find_stale(d, now_ms)) != NULL) {
		table_remove(&d->places, place_key(p));
		free_place(p);
	}
}

struct str directory_find(const struct directory *d, uint64_t now_ms, uint64_t gateway)
{
	const struct place *p = table_find(&d->places, id_key(&gateway));
	return p && p->active_ms + PLACE_KEPT_MS > now_ms ? p->address : (struct str){0};
}

bool directory_is_alone(const struct directory *d, uint64_t now_ms, uint64_t self)
{
	const struct place *p;
	TABLE_EACH (&d->places, i, p)
		if (p->gateway != self && p->active_ms + PLACE_KEPT_MS > now_ms)
			return false;
	return true;
}

void directory_check(const struct directory *d, uint64_t now_ms)
{
	const struct place *p;
	CHECK(d->places.count <= PLACES_MAX);
	TABLE_EACH (&d->places, i, p) {
		CHECK(table_find(&d->places, id_key(&p->gateway)) == p);
		CHECK(p->active_ms <= now_ms && p->address.len <= ADDRESS_MAX);
	}
}
