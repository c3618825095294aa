// SPDX-License-Identifier: MIT
/* watchdog.h — tells whoever started this service that its loop goes round: systemd by its protocol
 * (sd_notify(3): datagrams to $NOTIFY_SOCKET), deploy/run-service by the same lines in the pipe
 * $PARLOR_NOTIFY_FD. Who hears nothing for too long ends the service and starts it again.
 *
 * To be called by the loop itself: another thread would say that all is well while it stands still.
 */
#ifndef PARLOR_PROTO_SHELL_WATCHDOG_H
#define PARLOR_PROTO_SHELL_WATCHDOG_H

#include "proto/base.h"

/* Takes from the environment who wants to know; without either nothing is ever said. */
void watchdog_open(void);

/* In every turn: says READY=1 the first time, then WATCHDOG=1 once a second. */
void watchdog_alive(uint64_t now_ms);

/* The loop has been told to end. */
void watchdog_stopping(void);

#endif
