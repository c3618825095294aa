// SPDX-License-Identifier: MIT
/* history.h — msgHistory, with which a greeting ends: the newest messages, or those since the
 * client was away. One frame holds a bounded piece of it, from the oldest on; the rest follows by
 * the cursor, like everything newer. Not here: when to greet (join.c), pages that clients ask for
 * (on_chat.c). */
#ifndef PARLOR_GATEWAY_CORE_HISTORY_H
#define PARLOR_GATEWAY_CORE_HISTORY_H

#include "gateway/core/state.h"

/* Whether the room's log has all that msgHistory should hold; if not, historyd has. */
bool history_is_in_log(const struct membership *m);

/* Sends it, out of the log or a page; returns the seq behind which the cursor goes on. */
uint64_t history_send_log(struct gateway *g, struct membership *m);
uint64_t history_send_page(struct gateway *g, struct membership *m, const struct ev_page *page);

/* What the client has of the room does not stand any more: the newest messages, from which it is to
 * begin anew. The cursor is behind them then. */
void history_send_anew(struct gateway *g, struct membership *m);

#endif
