// SPDX-License-Identifier: MIT
/* client_event.c — fuzz target: frames of clients, native and Socket.IO, given to the gateway's
 * whole core. What jansson takes as it came, it takes mended too. */
#include "gateway/core/gateway.h"
#include "gateway/core/json_text.h"

#include <jansson.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void mend(struct str text)
{
	struct arena arena = {0};
	struct json_outline outline;
	struct str mended = json_text_mend(&arena, text, &outline);
	CHECK(mended.len == text.len);
	json_t *plain = json_loadb(text.ptr, text.len, 0, NULL);
	json_t *root = json_loadb(mended.ptr, mended.len, JSON_ALLOW_NUL, NULL);
	CHECK(!plain || outline.is_too_deep || root);
	json_decref(plain);
	json_decref(root);
	arena_free(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct gateway_options o;
	struct gateway_out out = {0};
	int handle;
	if (size < 1)
		return 0;
	gateway_options_default(&o);
	o.rate = 0;
	struct gateway *g = gateway_open(&o, 1);
	bool is_native = data[0] & 1;
	struct session *s = gateway_connect(g, 1, &handle, is_native ? WIRE_NATIVE : WIRE_SOCKETIO,
					    data[0] & 2);
	struct str text = str_of((const char *)data + 1, size - 1);
	mend(text);
	if (is_native)
		gateway_frame(g, 2, s, text, &out);
	else
		gateway_packet(g, 2, s, data[0] & 4, 7, text, &out);
	(void)gateway_flush(g, 2, &out);
	gateway_disconnect(g, 3, s, &out);
	gateway_out_free(&out);
	gateway_close(g);
	return 0;
}
