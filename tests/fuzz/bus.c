// SPDX-License-Identifier: MIT
/* bus.c — fuzz target: a message of the bus from whoever can reach it. What can be read must be the
 * same when it is written and read again. */
#include "proto/bus.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bus_reader r;
	struct bus_reader again;
	struct envelope env;
	struct bus_event ev;
	bus_reader_init(&r, SERVICE_ANY);
	bus_reader_init(&again, SERVICE_ANY);
	if (bus_open(&r, str_of((const char *)data, size), &env)) {
		while (bus_next(&r, &ev)) {
			struct batch b = {0};
			struct buf message = {0};
			struct buf json = {0};
			struct buf json_again = {0};
			struct str piece;
			bus_json(&json, &ev);
			bus_put(&b, &ev);
			CHECK(batch_piece(&b, 0, &piece));
			bus_put_header(&message, &env);
			buf_str(&message, piece);
			CHECK(bus_open(&again, buf_view(&message), &env) && bus_next(&again, &ev));
			bus_json(&json_again, &ev);
			CHECK(str_equal(buf_view(&json), buf_view(&json_again)));
			buf_free(&message);
			buf_free(&json);
			buf_free(&json_again);
			batch_free(&b);
		}
	}
	bus_reader_free(&r);
	bus_reader_free(&again);
	return 0;
}
