// SPDX-License-Identifier: MIT
/* epochs.c — see epochs.h. The list is searched from its end, where what is asked for stands. */
#include "gateway/core/epochs.h"

void epochs_free(struct epochs *e)
{
	mem_free(e->list);
	*e = (struct epochs){0};
}

static uint64_t of_first(const struct epochs *e)
{
	return e->count && e->list[0].first == 1 ? e->list[0].epoch : 0;
}

bool epochs_are_ordered(const struct list *of_page)
{
	for (uint32_t i = 1; i < of_page->count; i++)
		if (bus_epoch_at(of_page, i).first < bus_epoch_at(of_page, i - 1).first)
			return false;
	return true;
}

void epochs_set(struct epochs *e, const struct list *of_page)
{
	uint64_t known = of_first(e);
	if (of_page->count == 0) {
		epochs_free(e);
		return;
	}
	if (e->count != of_page->count)
		e->list = mem_resize(e->list, of_page->count * sizeof *e->list);
	e->count = of_page->count;
	for (uint32_t i = 0; i < e->count; i++)
		e->list[i] = bus_epoch_at(of_page, i);
	e->was_other |= known && of_first(e) != known;
}

uint64_t epochs_newest(const struct epochs *e)
{
	return e->count ? e->list[e->count - 1].epoch : 0;
}

bool epochs_know(const struct epochs *e, uint64_t epoch)
{
	for (uint32_t i = e->count; i > 0; i--)
		if (e->list[i - 1].epoch == epoch)
			return true;
	return false;
}

uint64_t epochs_at(const struct epochs *e, uint64_t seq)
{
	seq += seq == 0;
	for (uint32_t i = e->count; i > 0; i--)
		if (e->list[i - 1].first <= seq)
			return e->list[i - 1].epoch;
	return 0;
}

uint64_t epochs_begin(const struct epochs *e, uint64_t seq)
{
	if (seq == 1 && !e->was_other)
		return 0;
	for (uint32_t i = e->count; i > 0 && e->list[i - 1].first >= seq; i--)
		if (e->list[i - 1].first == seq)
			return e->list[i - 1].epoch;
	return 0;
}

void epochs_check(const struct epochs *e)
{
	CHECK(!e->list == !e->count && e->count <= EPOCHS_MAX);
	for (uint32_t i = 1; i < e->count; i++)
		CHECK(e->list[i].first >= e->list[i - 1].first);
}
