// SPDX-License-Identifier: MIT
/* directory.c — tells the gateways each other's addresses, so that they can relay clients'
 * requests. */
#include "roomd/state.h"

void on_gateway_at(struct roomd *r, const struct ev_gateway_at *ev)
{
	struct peer *p = r->peer;
	if (str_equal(p->address, ev->address))
		return;
	str_free(&p->address);
	p->address = str_copy(ev->address);
	r->directory_ms = 0;
}

void directory_tick(struct roomd *r)
{
	const struct peer *p;
	struct list places = {0};
	if (!r->is_settled || (r->directory_ms && r->now_ms < r->directory_ms + DIRECTORY_MS))
		return;
	r->directory_ms = r->now_ms;
	buf_reset(&r->scratch);
	TAILQ_FOREACH (p, &r->all_peers, entry) {
		if (!p->address.len || places.count == PLACES_MAX)
			continue;
		bus_pack_place(&r->scratch,
			       &(struct rec_place){.gateway = p->id, .address = p->address});
		places.count++;
	}
	places.packed = buf_view(&r->scratch);
	if (places.count)
		bus_put_gateways(&r->out->down, &(struct ev_gateways){.places = places});
	buf_reset(&r->scratch);
}
