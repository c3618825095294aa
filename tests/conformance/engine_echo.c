// SPDX-License-Identifier: MIT
/* engine_echo.c — see echo.h. */
#include "tests/conformance/echo.h"

static void *on_opened(void *ctx, struct eio_session *s, struct str token)
{
	(void)token;
	(void)ctx;
	return s;
}

static void on_message(void *ctx, void *client, struct str data, bool is_binary)
{
	(void)ctx;
	eio_send_message(client, data, is_binary);
}

static void ignore(void *ctx, void *client)
{
	(void)ctx, (void)client;
}

void engine_echo_open(struct eio *eio)
{
	eio->app = (struct eio_app){.opened = on_opened,
				    .message = on_message,
				    .on_activity = ignore,
				    .blocked = ignore,
				    .writable = ignore,
				    .closed = ignore};
}
