// SPDX-License-Identifier: MIT
/* search.c — see search.h. */
#include "tests/bench/load/search.h"

#include <math.h>

uint64_t search_next_rate(uint64_t held, bool is_easy, uint64_t failed)
{
	double next = (double)held * (is_easy ? 2 : 1.3);
	if (failed)
		next = held ? sqrt((double)held * (double)failed) : (double)failed / 4;
	return next > 1 ? (uint64_t)next : 1;
}

bool search_is_done(uint64_t held, uint64_t failed, uint64_t precision)
{
	return held && failed && failed * 100 <= held * (100 + precision);
}
