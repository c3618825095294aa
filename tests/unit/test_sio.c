// SPDX-License-Identifier: MIT
/* test_sio.c — Socket.IO's packets, a row a case: what a client sends over its WebSocket, and what
 * comes of it. Not here: Engine.IO below it (test_eio.c), what events mean (the gateway's tests).
 */
#include "gateway/socketio/sio.h"
#include "gateway/wire/ws_frame.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
// cmocka wants the three above first
#include <cmocka.h>
#include <stdio.h>

enum {
	OPENED_MS = 1,
	CONNECT_MS = 1000, /* to the first namespace */
	PACKET_MAX = 64,   /* bytes of an event with its attachments */
	SESSIONS_MAX = 2
};

/* A client, and what came of it, in order and with spaces between: `<` and a packet that it gets;
 * what the application was told, `1` being the namespace /custom. */
struct fixture {
	struct eio eio;
	struct sio sio;
	struct eio_socket socket;
	struct buf story;
};

static void tell(struct fixture *f, const char *what, struct str about)
{
	buf_printf(&f->story, "%s%s" STR_FMT, f->story.len ? " " : "", what, STR_ARG(about));
}

/* ---- below: Engine.IO's packets, without its own ---- */

static void on_send(void *ctx, struct eio_socket *socket, struct str frames)
{
	struct frame_view frame;
	(void)socket;
	while (frame_next(&frames, &frame))
		if (frame.payload.len && frame.payload.ptr[0] == '4')
			tell(ctx, "<", frame.payload);
}

static void on_pause(void *ctx, struct eio_socket *socket, bool is_paused)
{
	(void)socket, (void)is_paused;
	tell(ctx, "paused", STR(""));
}

static void on_close(void *ctx, struct eio_socket *socket)
{
	(void)ctx, (void)socket;
}

/* Sids are zeros: there is one client. */
static void no_dice(void *bytes, size_t len)
{
	memset(bytes, 0, len);
}

/* ---- above: the application ---- */

static void on_connected(void *ctx, struct sio_client *c, size_t namespace, struct str auth)
{
	(void)c;
	tell(ctx, namespace ? "connected1" : "connected", auth);
}

static const char *admit(void *ctx, struct sio_client *c, size_t namespace, struct str auth,
			 struct str token)
{
	(void)ctx, (void)c, (void)namespace;
	struct str shown = token.len ? token : auth;
	return memmem(shown.ptr, shown.len, "no", 2) ? "not with that" : NULL;
}

/* `["end"…` ends the connection from within, `["no"…` is no JSON array to it. */
static bool on_event(void *ctx, struct sio_client *c, const struct sio_event *event)
{
	struct fixture *f = ctx;
	tell(f, event->namespace ? "event1:" : "event:", event->id);
	buf_str(&f->story, event->array);
	for (size_t i = 0; i < event->attachment_count; i++)
		buf_printf(&f->story, "+" STR_FMT, STR_ARG(event->attachments[i]));
	if (str_equal(event->array, STR("[\"end\"]")))
		sio_end(c);
	return !str_equal(event->array, STR("[\"no\"]"));
}

static void on_detached(void *ctx, struct sio_client *c, size_t namespace)
{
	(void)c;
	tell(ctx, namespace ? "left1" : "left", STR(""));
}

static void on_closed(void *ctx, struct sio_client *c)
{
	(void)c;
	tell(ctx, "closed", STR(""));
}

static void ignore(void *ctx, struct sio_client *c)
{
	(void)ctx, (void)c;
}

static void open_client(struct fixture *f, unsigned revision)
{
	struct eio_query query;
	*f = (struct fixture){0};
	eio_open(&f->eio, &(struct eio_options){.payload_max = PACKET_MAX,
						.sessions_max = SESSIONS_MAX,
						.random = no_dice});
	f->eio.transport =
		(struct eio_transport){.send = on_send, .pause = on_pause, .close = on_close};
	f->eio.transport_ctx = f;
	f->sio.app = (struct sio_app){.admit = admit,
				      .connected = on_connected,
				      .event = on_event,
				      .on_activity = ignore,
				      .blocked = ignore,
				      .writable = ignore,
				      .on_detached = on_detached,
				      .closed = on_closed};
	f->sio.app_ctx = f;
	sio_open(&f->sio, &f->eio,
		 &(struct sio_options){.namespaces = {"/", "/custom"},
				       .namespace_count = 2,
				       .connect_ms = CONNECT_MS,
				       .packet_max = PACKET_MAX});
	sio_now(&f->sio, OPENED_MS);
	eio_query_read(&query, revision == 3 ? STR("EIO=3&transport=websocket")
					     : STR("EIO=4&transport=websocket"));
	eio_socket_open(&f->eio, OPENED_MS, &query, &f->socket);
}

static void close_client(struct fixture *f)
{
	eio_close(&f->eio);
	buf_free(&f->story);
}

/* A message of Engine.IO; one that begins with b is bytes. */
static void receive(struct fixture *f, struct str message)
{
	struct buf packet = {0};
	bool is_binary = message.len && message.ptr[0] == 'b';
	if (!f->socket.session)
		return;
	if (is_binary)
		buf_append(&packet, message.ptr + 1, message.len - 1);
	else
		buf_printf(&packet, "4" STR_FMT, STR_ARG(message));
	eio_socket_receive(&f->eio, OPENED_MS, &f->socket, buf_view(&packet), is_binary);
	buf_free(&packet);
}

static const char *story(struct fixture *f)
{
	buf_append(&f->story, "", 1);
	return f->story.ptr;
}

#define SID "{\"sid\":\"000000000000000000000000\"}"
#define IN "<40" SID " connected{}"
#define IN_CUSTOM "<40/custom," SID " connected1{}"
#define OUT " left closed"

/* `sent`: messages with | between them. */
static const struct {
	const char *what;
	unsigned revision;
	const char *sent, *story;
} rows[] = {
	{"nothing is said", 4, NULL, ""},
	{"a connect", 4, "0", IN},
	{"a connect with auth", 4, "0{\"token\":1}", "<40" SID " connected{\"token\":1}"},
	{"a connect that is refused", 4, "0{\"token\":\"no\"}",
	 "<44{\"message\":\"not with that\"}"},
	{"a connect that is refused at first", 4, "0{\"token\":\"no\"}|0",
	 "<44{\"message\":\"not with that\"} " IN},
	{"an event after a refusal", 4, "0{\"token\":\"no\"}|2[\"a\"]",
	 "<44{\"message\":\"not with that\"} closed"},
	{"a connect with an array", 4, "0[]", "closed"},
	{"a connect to another namespace", 4, "0/custom,", IN_CUSTOM},
	{"a connect to both", 4, "0|0/custom,", IN " " IN_CUSTOM},
	{"a connect without its comma", 4, "0/custom", IN_CUSTOM},
	{"a connect with a query", 4, "0/custom?a=1,", IN_CUSTOM},
	{"a connect to none that there is", 4, "0/none,",
	 "<44/none,{\"message\":\"Invalid namespace\"}"},
	{"a connect once more", 4, "0|0", IN OUT},
	{"revision 3 is connected by coming", 3, NULL, "<40 connected{}"},
	{"revision 3 may say so once more", 3, "0|2[\"a\"]", "<40 connected{} event:[\"a\"]"},
	{"revision 3, none that there is", 3, "0/none,",
	 "<40 connected{} <44/none,\"Invalid namespace\""},

	{"an event", 4, "0|2[\"a\",1]", IN " event:[\"a\",1]"},
	{"an event that wants an ack", 4, "0|217[\"a\"]", IN " event:17[\"a\"]"},
	{"the longest id", 4, "0|21234567890123456[\"a\"]", IN " event:1234567890123456[\"a\"]"},
	{"too long an id", 4, "0|212345678901234567[\"a\"]", IN OUT},
	{"an event of a namespace", 4, "0/custom,|2/custom,5[\"a\"]", IN_CUSTOM " event1:5[\"a\"]"},
	{"an event with spaces", 4, "0|2 [ \"a\"]", IN " event: [ \"a\"]"},
	{"an event with a number for a name", 4, "0|2[-1]", IN " event:[-1]"},
	{"an event before the connect", 4, "2[\"a\"]", "closed"},
	{"an event of a namespace not entered", 4, "0|2/custom,[\"a\"]", IN OUT},
	{"an event of no namespace", 4, "0|2/none,[\"a\"]", IN OUT},
	{"an event without anything", 4, "0|2", IN OUT},
	{"an event without a name", 4, "0|2[]", IN OUT},
	{"an event that is an object", 4, "0|2{}", IN OUT},
	{"an event with an object for a name", 4, "0|2[{}]", IN OUT},
	{"an event with half a name", 4, "0|2[\"a", IN OUT},
	{"a reserved name", 4, "0|2[\"disconnecting\"]", IN OUT},
	{"an event that the application refuses", 4, "0|2[\"no\"]", IN " event:[\"no\"]" OUT},
	{"an event at which the application ends it", 4, "0|2[\"end\"]", IN " event:[\"end\"]" OUT},

	{"an ack that nothing asked for", 4, "0|37[]|2[\"a\"]", IN " event:[\"a\"]"},
	{"an ack that is no array", 4, "0|37{}", IN OUT},
	{"a disconnect", 4, "0|1", IN " left"},
	{"a disconnect and an event", 4, "0|1|2[\"a\"]", IN " left closed"},
	{"a disconnect from one of two", 4, "0|0/custom,|1/custom,|2[\"a\"]",
	 IN " " IN_CUSTOM " left1 event:[\"a\"]"},
	{"what only a server says", 4, "0|4{}", IN OUT},
	{"no type of packet", 4, "0|7", IN OUT},
	{"an empty message", 4, "0|", IN OUT},

	{"an event with bytes", 4, "0|51-9[\"a\"]|bxyz", IN " event:9[\"a\"]+xyz"},
	{"an event with bytes twice", 4, "0|52-[\"a\"]|bx|b|2[\"c\"]",
	 IN " event:[\"a\"]+x+ event:[\"c\"]"},
	{"an event with bytes, of a namespace", 4, "0/custom,|51-/custom,[\"a\"]|bx",
	 IN_CUSTOM " event1:[\"a\"]+x"},
	{"an ack with bytes", 4, "0|61-7[]|bx|2[\"a\"]", IN " event:[\"a\"]"},
	{"bytes that nothing announced", 4, "0|bx", IN OUT},
	{"text where bytes were announced", 4, "0|51-[\"a\"]|2[\"c\"]", IN OUT},
	{"bytes announced without a number", 4, "0|5[\"a\"]", IN OUT},
	{"no bytes announced", 4, "0|50-[\"a\"]", IN OUT},
	{"too many bytes announced", 4, "0|511-[\"a\"]", IN OUT},
	{"as long as may be", 4,
	 "0|51-[\"a\"]|b12345678901234567890123456789012345678901234567890123456",
	 IN " event:[\"a\"]+12345678901234567890123456789012345678901234567890123456"},
	{"one byte longer", 4,
	 "0|51-[\"a\"]|b123456789012345678901234567890123456789012345678901234567", IN OUT},
};

static void test_packets(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct fixture f;
		open_client(&f, rows[i].revision);
		for (const char *at = rows[i].sent; at;) {
			const char *end = strchr(at, '|');
			receive(&f, str_of(at, end ? (size_t)(end - at) : strlen(at)));
			at = end ? end + 1 : NULL;
		}
		if (strcmp(story(&f), rows[i].story) != 0)
			fail_msg("%s: \"%s\", not \"%s\"", rows[i].what, story(&f), rows[i].story);
		close_client(&f);
	}
}

static void test_whoever_connects_to_nothing_is_closed_in_time(void **state)
{
	struct fixture f;
	(void)state;
	open_client(&f, 4);
	assert_int_equal(sio_next_due(&f.sio), OPENED_MS + CONNECT_MS);
	sio_tick(&f.sio, OPENED_MS + CONNECT_MS - 1);
	assert_string_equal(story(&f), "");
	f.story.len = 0;
	sio_tick(&f.sio, OPENED_MS + CONNECT_MS);
	assert_string_equal(story(&f), "closed");
	close_client(&f);

	open_client(&f, 4);
	receive(&f, STR("0"));
	assert_int_equal(sio_next_due(&f.sio), UINT64_MAX);
	sio_tick(&f.sio, OPENED_MS + CONNECT_MS);
	assert_string_equal(story(&f), IN);
	close_client(&f);

	open_client(&f, 4); /* so is who has been somewhere, and is not any more */
	receive(&f, STR("0"));
	receive(&f, STR("1"));
	assert_int_equal(sio_next_due(&f.sio), OPENED_MS + CONNECT_MS);
	sio_tick(&f.sio, OPENED_MS + CONNECT_MS);
	assert_string_equal(story(&f), IN " left closed");
	close_client(&f);
}

/* Neither those who are let in nor those who are not. */
static void test_nobody_connects_without_end(void **state)
{
	static const struct {
		const char *tries[2];
	} cases[] = {{{"0", "1"}}, {{"0{\"token\":\"no\"}", NULL}}};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct fixture f;
		unsigned tries = 0;
		open_client(&f, 4);
		for (; f.socket.session && tries < 2 * SIO_CONNECTS_MAX; tries++) {
			receive(&f, str_from(cases[i].tries[0]));
			if (f.socket.session && cases[i].tries[1])
				receive(&f, str_from(cases[i].tries[1]));
		}
		assert_int_equal(tries, SIO_CONNECTS_MAX + 1);
		close_client(&f);

		open_client(&f, 4); /* but for ever at that pace */
		for (tries = 0; tries < 5 * SIO_CONNECTS_MAX; tries++) {
			sio_now(&f.sio, OPENED_MS + tries * (uint64_t)SIO_CONNECT_MS);
			receive(&f, str_from(cases[i].tries[0]));
			if (cases[i].tries[1])
				receive(&f, str_from(cases[i].tries[1]));
		}
		assert_non_null(f.socket.session);
		close_client(&f);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_packets),
		cmocka_unit_test(test_nobody_connects_without_end),
		cmocka_unit_test(test_whoever_connects_to_nothing_is_closed_in_time),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
