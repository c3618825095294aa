// SPDX-License-Identifier: MIT
/* search.h — looking for the highest rate that is held: up until one fails, then between. What is
 * held, the caller says. */
#ifndef PARLOR_BENCH_SEARCH_H
#define PARLOR_BENCH_SEARCH_H

#include <stdbool.h>
#include <stdint.h>

/* The rate to try next; 0 stands for none yet. `is_easy`: the one that was held was far from its
 * limit. */
uint64_t search_next_rate(uint64_t held, bool is_easy, uint64_t failed);

/* Whether the two are within `precision` percent. */
bool search_is_done(uint64_t held, uint64_t failed, uint64_t precision);

#endif
