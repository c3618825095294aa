// SPDX-License-Identifier: MIT
/* reader.h — the reading thread: answers the gateways' page_ask from the store, so that a long page
 * never delays a message that waits to be stored.
 *
 * It owns its port from reader_start to reader_stop. Not here: what a page is (pages.c). */
#ifndef PARLOR_HISTORYD_READER_H
#define PARLOR_HISTORYD_READER_H

#include "historyd/historyd.h"
#include "proto/shell/busio.h"

struct reader;

struct reader_stats {
	uint64_t pages; /* messages of requests answered */
	uint64_t bad;   /* messages that were not ours */
};

/* The thread starts with the signals of the calling one blocked or not as they are there. */
struct reader *reader_start(struct store *store, const struct topology *whole, struct port *port);
void reader_stop(struct reader *r); /* when it has answered what it holds */

/* From any thread. */
struct reader_stats reader_stats(struct reader *r);

#endif
