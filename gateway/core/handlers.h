// SPDX-License-Identifier: MIT
/* handlers.h — the handlers of bus.def's events for gateways, each in the file that does the work;
 * one that is missing does not link. Those of events for all services bear the service's name too.
 * What travels between the shells of gateways is not the core's:
 * see relay.h. */
#ifndef PARLOR_GATEWAY_CORE_HANDLERS_H
#define PARLOR_GATEWAY_CORE_HANDLERS_H

#include "proto/bus.h"

struct gateway;

#define HANDLE_ANY(name) void gateway_on_##name(struct gateway *g, const struct ev_##name *ev);
#define HANDLE_GATEWAY(name) void on_##name(struct gateway *g, const struct ev_##name *ev);
#define HANDLE_ROOMD(name)
#define HANDLE_HISTORYD(name)
BUS_CORE_EVENTS(DECLARE_ROW)
#undef HANDLE_ANY
#undef HANDLE_GATEWAY
#undef HANDLE_ROOMD
#undef HANDLE_HISTORYD

#endif
