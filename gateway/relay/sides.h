// SPDX-License-Identifier: MIT
/* sides.h — the two sides of a relay, as relay.c drives them: their messages and their time. For
 * this folder only; relay.h is the face. Each side keeps its own structs to itself. */
#ifndef PARLOR_GATEWAY_RELAY_SIDES_H
#define PARLOR_GATEWAY_RELAY_SIDES_H

#include "gateway/relay/relay.h"

/* The status that confirms a relay_done: none that an answer could have. */
enum { STATUS_CONFIRMED = 1 };

/* relay/calls.c */
void relay_calls_open(struct relay *r, uint64_t seed);
void relay_calls_close(struct relay *r);
void on_relay_answer(struct relay *r, uint64_t now_ms, const struct ev_relay_answer *ev);
void relay_calls_tick(struct relay *r, uint64_t now_ms);
uint64_t relay_calls_next_due(const struct relay *r); /* UINT64_MAX: never */

/* relay/tasks.c */
void relay_tasks_open(struct relay *r, uint64_t seed);
void relay_tasks_close(struct relay *r);
void on_relay_ask(struct relay *r, uint64_t now_ms, const struct envelope *from,
		  const struct ev_relay_ask *ev, struct str route);
void on_relay_done(struct relay *r, uint64_t now_ms, const struct envelope *from,
		   const struct ev_relay_done *ev, struct str route);
void relay_tasks_tick(struct relay *r, uint64_t now_ms);
uint64_t relay_tasks_next_due(const struct relay *r); /* UINT64_MAX: never */

#endif
