// SPDX-License-Identifier: MIT
/* clock.h — the only place that asks the system for the time. Cores get it as an argument. */
#ifndef PARLOR_PROTO_SHELL_CLOCK_H
#define PARLOR_PROTO_SHELL_CLOCK_H

#include <stdint.h>

uint64_t clock_steady_ms(void); /* never jumps: for leases, timers and retries */
uint64_t clock_steady_us(void);
uint64_t clock_utc_ms(void); /* since 1970: for what people see */
uint64_t clock_utc_us(void);

#endif
