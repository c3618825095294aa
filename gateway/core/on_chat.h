// SPDX-License-Identifier: MIT
/* on_chat.h — historyd's answers to messages: stored, repeated, refused. Not here: delivery
 * (deliver.h). */
#ifndef PARLOR_GATEWAY_CORE_ON_CHAT_H
#define PARLOR_GATEWAY_CORE_ON_CHAT_H

#include "gateway/core/state.h"

void chat_stored(struct gateway *g, const struct ev_chat_stored *ev);
void chat_repeated(struct gateway *g, const struct ev_chat_repeat *ev);
void chat_refused(struct gateway *g, const struct ev_chat_refused *ev);
void chat_page(struct gateway *g, const struct ev_page *page);

#endif
