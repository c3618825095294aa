// SPDX-License-Identifier: MIT
/* bus_garbage.c — bus-garbage ADDRESS ENDPOINT SEED COUNT: says wrong things to a service, in nng's
 * own protocol.
 *
 * Random bytes, valid messages that are cut off or have bits flipped, wrong versions and senders,
 * counts of billions, and at the end messages that nng itself must refuse. The same seed says the
 * same. What is not nng's protocol at all is tests/e2e/bus.test.mjs's. */
#include "proto/shell/busio.h"
#include "proto/shell/clock.h"

#include <nng/nng.h>
#include <nng/protocol/pubsub0/pub.h>
#include <nng/protocol/reqrep0/req.h>
#include <nng/supplemental/util/platform.h>
#include <stdio.h>
#include <stdlib.h>

enum {
	RANDOM_MAX = 4096,
	BILLION_KINDS = 6,
	GATEWAY_ID = 9999, /* nobody's, so that what is valid by chance harms nobody */
	PAUSE_EVERY = 256,
	PAUSE_MS = 5,
	RECONNECT_MS = 20,
	SETTLE_MS = 300,
	QUEUE_MAX = 8192,
};

enum shape {
	RANDOM,
	CUT_OFF,
	FLIPPED,
	WRONG_VERSION,
	WRONG_SENDER,
	HUGE_COUNT,
	EMPTY,
	DEEP,
	SHAPES
};
static const char *const shape_names[SHAPES] = {
	"random",       "cut_off",    "flipped", "wrong_version",
	"wrong_sender", "huge_count", "empty",   "deep",
};

struct speaker {
	nng_socket socket;
	bool is_asking;
	uint64_t random;
	struct envelope self;
	struct batch valid; /* events that this endpoint takes */
	struct buf message;
	uint64_t sent[SHAPES], refused;
};

static uint64_t draw(struct speaker *s, uint64_t below)
{
	s->random ^= s->random << 13;
	s->random ^= s->random >> 7;
	s->random ^= s->random << 17;
	return s->random % below;
}

static void send_message(struct speaker *s, struct str bytes)
{
	static const unsigned char question[] = {0x80, 0x12, 0x34, 0x56};
	nng_msg *msg;
	CHECK(nng_msg_alloc(&msg, 0) == 0);
	CHECK(nng_msg_append(msg, bytes.ptr, bytes.len) == 0);
	if (s->is_asking)
		CHECK(nng_msg_header_append(msg, question, sizeof question) == 0);
	if (nng_sendmsg(s->socket, msg, NNG_FLAG_NONBLOCK) != 0) {
		nng_msg_free(msg);
		s->refused++;
	}
}

/* ---- what is said ---- */

static void put_up(struct batch *b)
{
	const struct str user = STR("garbage");
	const struct str room = STR("garbage");
	bus_put_heartbeat(b, &(struct ev_heartbeat){.ready = 1});
	bus_put_members_begin(b, &(struct ev_members_begin){.round = 1});
	bus_put_claim(b, &(struct ev_claim){.user = user, .key = STR("key")});
	bus_put_join(b, &(struct ev_join){.room = room, .user = user});
	bus_put_typing(b, &(struct ev_typing){.room = room, .user = user});
	bus_put_private_ask(b, &(struct ev_private_ask){
				       .req = 1, .room = room, .user = user, .user2 = STR("two")});
	bus_put_invite_ask(b, &(struct ev_invite_ask){
				      .req = 2, .room = room, .user = user, .user2 = STR("two")});
	bus_put_presence_ask(b, &(struct ev_presence_ask){.room = room});
	bus_put_chat_post(b, &(struct ev_chat_post){.req = 3,
						    .room = room,
						    .user = user,
						    .cid = STR("cid"),
						    .body = STR("body")});
	bus_put_leave(b, &(struct ev_leave){.room = room, .user = user});
}

static void put_ask(struct batch *b)
{
	const struct str room = STR("garbage");
	const struct str two = STR("two");
	bus_put_room_ask(b, &(struct ev_room_ask){.req = 1, .room = room});
	bus_put_private_put(b, &(struct ev_private_put){
				       .req = 2, .room = room, .user = STR("one"), .user2 = two});
	bus_put_invites_ask(b, &(struct ev_invites_ask){.req = 3, .user2 = two});
	bus_put_invite_put(b, &(struct ev_invite_put){
				      .req = 4, .room = room, .user = STR("one"), .user2 = two});
	bus_put_invite_drop(b, &(struct ev_invite_drop){.req = 5, .room = room, .user2 = two});
}

static void put_read(struct batch *b)
{
	bus_put_page_ask(b, &(struct ev_page_ask){.req = 1, .room = STR("garbage"), .limit = 50});
	bus_put_page_ask(
		b, &(struct ev_page_ask){.req = 2, .room = STR("main"), .limit = 200, .newest = 1});
}

static void put_valid(struct speaker *s, struct envelope self)
{
	self.seq = s->is_asking ? 0 : ++s->self.seq;
	bus_put_header(&s->message, &self);
	buf_str(&s->message, buf_view(&s->valid.bytes));
}

/* A list or text that claims more than there is; msgpack allocates by that number unless it is
 * stopped. */
static void put_huge_count(struct speaker *s)
{
	static const unsigned char tags[BILLION_KINDS] = {0xdd, 0xdf, 0xdb, 0xc6, 0xc9, 0xdc};
	const char count[] = {(char)tags[draw(s, BILLION_KINDS)], (char)0xff, (char)0xff,
			      (char)0xff, (char)0xff};
	if (draw(s, 2))
		bus_put_header(&s->message, &s->self);
	buf_append(&s->message, count, sizeof count);
}

static void put_wrong(struct speaker *s, enum shape shape)
{
	struct envelope self = s->self;
	switch (shape) {
	case RANDOM:
		for (uint64_t n = draw(s, RANDOM_MAX); n > 0; n--)
			buf_append(&s->message, &(char){(char)draw(s, 256)}, 1);
		break;
	case CUT_OFF:
		put_valid(s, self);
		s->message.len = draw(s, s->message.len);
		break;
	case FLIPPED:
		put_valid(s, self);
		for (uint64_t n = 1 + draw(s, 8); n > 0; n--)
			s->message.ptr[draw(s, s->message.len)] ^= (char)(1u << draw(s, 8));
		break;
	case WRONG_VERSION: /* the first field of the header, behind the tag of the array */
		put_valid(s, self);
		s->message.ptr[1] = (char)(BUS_MAJOR + 1 + draw(s, 100));
		break;
	case WRONG_SENDER:
		self.from = draw(s, 2) ? SERVICE_HISTORYD : SERVICE_ANY;
		put_valid(s, self);
		break;
	case HUGE_COUNT:
		put_huge_count(s);
		break;
	case EMPTY:
		break;
	case DEEP:
		for (uint64_t n = 1 + draw(s, RANDOM_MAX); n > 0; n--)
			BUF_LIT(&s->message, "\x91");
		break;
	case SHAPES:
		break;
	}
}

/* ---- to whom ---- */

static bool is_endpoint(const char *name, struct speaker *s, enum endpoint *endpoint)
{
	static const struct {
		const char *name;
		enum endpoint endpoint;
		void (*put)(struct batch *);
		enum service from;
	} endpoints[] = {
		{"up", ENDPOINT_UP, put_up, SERVICE_GATEWAY},
		{"ask", ENDPOINT_ASK, put_ask, SERVICE_ROOMD},
		{"read", ENDPOINT_READ, put_read, SERVICE_GATEWAY},
	};
	for (size_t i = 0; i < ARRAY_LEN(endpoints); i++) {
		if (strcmp(endpoints[i].name, name) != 0)
			continue;
		*endpoint = endpoints[i].endpoint;
		s->is_asking = *endpoint != ENDPOINT_UP;
		s->self = (struct envelope){
			.from = endpoints[i].from, .id = GATEWAY_ID, .epoch = clock_utc_us()};
		endpoints[i].put(&s->valid);
		return true;
	}
	return false;
}

static int dial(struct speaker *s, const char *url)
{
	int rc = s->is_asking ? nng_req0_open_raw(&s->socket) : nng_pub0_open(&s->socket);
	CHECK(rc == 0);
	CHECK(nng_socket_set_int(s->socket, NNG_OPT_SENDBUF, QUEUE_MAX) == 0);
	CHECK(nng_socket_set_ms(s->socket, NNG_OPT_RECONNMINT, RECONNECT_MS) == 0);
	if ((rc = nng_dial(s->socket, url, NULL, 0)) == 0)
		nng_msleep(SETTLE_MS);
	return rc;
}

/* What the receiving nng must refuse: too long, or without the mark that ends a request's route.
 * Each costs the connection, so they come last. */
static void send_unacceptable(struct speaker *s)
{
	char *bytes = mem_alloc(MESSAGE_MAX + 1);
	send_message(s, str_of(bytes, MESSAGE_MAX + 1));
	nng_msleep(SETTLE_MS);
	s->is_asking = false; /* no header */
	for (size_t len = 0; len < 64; len += 9) {
		send_message(s, str_of(bytes, len));
		nng_msleep(RECONNECT_MS);
	}
	mem_free(bytes);
	nng_msleep(SETTLE_MS);
}

static void print_summary(const struct speaker *s)
{
	for (size_t i = 0; i < SHAPES; i++)
		printf("%s=%" PRIu64 " ", shape_names[i], s->sent[i]);
	printf("not_sent=%" PRIu64 "\n", s->refused);
}

int main(int argc, char **argv)
{
	char url[512];
	enum endpoint endpoint;
	static struct speaker s;
	if (argc != 5 || !is_endpoint(argv[2], &s, &endpoint) ||
	    !endpoint_url(argv[1], endpoint, url, sizeof url)) {
		fprintf(stderr, "usage: bus-garbage ADDRESS up|ask|read SEED COUNT\n");
		return 2;
	}
	s.random = strtoull(argv[3], NULL, 10) * 2 + 1;
	int rc = dial(&s, url);
	if (rc != 0) {
		fprintf(stderr, "bus-garbage: cannot dial %s: %s\n", url, nng_strerror(rc));
		return 1;
	}
	for (uint64_t n = strtoull(argv[4], NULL, 10); n > 0; n--) {
		enum shape shape = (enum shape)draw(&s, SHAPES);
		buf_reset(&s.message);
		put_wrong(&s, shape);
		send_message(&s, buf_view(&s.message));
		s.sent[shape]++;
		if (n % PAUSE_EVERY == 0)
			nng_msleep(PAUSE_MS);
	}
	nng_msleep(SETTLE_MS);
	send_unacceptable(&s);
	print_summary(&s);
	nng_close(s.socket);
	batch_free(&s.valid);
	buf_free(&s.message);
	return 0;
}
