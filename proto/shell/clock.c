// SPDX-License-Identifier: MIT
/* clock.c — see clock.h. */
#include "proto/shell/clock.h"
#include "proto/base.h"

#include <time.h>

static uint64_t read_us(clockid_t id)
{
	struct timespec t;
	CHECK(clock_gettime(id, &t) == 0);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

uint64_t clock_steady_ms(void)
{
	return clock_steady_us() / 1000;
}

uint64_t clock_steady_us(void)
{
	return read_us(CLOCK_MONOTONIC);
}

uint64_t clock_utc_ms(void)
{
	return clock_utc_us() / 1000;
}

uint64_t clock_utc_us(void)
{
	return read_us(CLOCK_REALTIME);
}
