// SPDX-License-Identifier: MIT
/* test_bus_senders.c — who may say what: every event of bus.def from every sender to every service.
 * What a row does not allow is counted and has no effect. */
#include "gateway/core/gateway.h"
#include "historyd/historyd.h"
#include "roomd/roomd.h"
#include "tests/support/store_memory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
// cmocka wants the three above first
#include <cmocka.h>

enum { NOW_MS = 1000, SETTLED_MS = 60000 };

static const enum service services[] = {SERVICE_GATEWAY, SERVICE_ROOMD, SERVICE_HISTORYD};

static bool may_say(const struct bus_row *row, enum service from, enum service to)
{
	return (row->from == from || row->from == SERVICE_ANY) &&
	       (row->to == to || row->to == SERVICE_ANY);
}

/* The event with something in each field, so that whoever handles it does something. */
static void put_event(struct batch *batch, enum ev_type type)
{
#define FILL_U(field) ev.field = 1;
#define FILL_S(field, max) ev.field = STR("x");
#define FILL_L(field, record, max)
#define E(number, name, from, to, meaning)                                        \
	if (type == EV_##name) {                                                  \
		struct ev_##name ev = {0};                                        \
		FIELDS_##name(FILL_U, FILL_S, FILL_L) bus_put_##name(batch, &ev); \
	}
	BUS_EVENTS(E)
#undef E
}

/* One message of this sender with this event alone; it lasts until the next one. */
struct sender {
	struct batch batch;
	struct buf bytes;
	uint64_t seq;
};

static struct str message_of(struct sender *s, enum service from, bool is_in_order,
			     enum ev_type type)
{
	const struct envelope env = {
		.from = from, .id = 0, .epoch = 1, .seq = is_in_order ? ++s->seq : 0};
	batch_reset(&s->batch);
	if (type)
		put_event(&s->batch, type);
	buf_reset(&s->bytes);
	bus_put_header(&s->bytes, &env);
	buf_str(&s->bytes, buf_view(&s->batch.bytes));
	return buf_view(&s->bytes);
}

static void sender_free(struct sender *s)
{
	batch_free(&s->batch);
	buf_free(&s->bytes);
}

static void test_the_reader_gives_what_the_table_allows(void **state)
{
	(void)state;
	size_t rows;
	const struct bus_row *row = bus_rows(&rows);
	struct sender s = {0};
	size_t given = 0;
	for (size_t to = 0; to < ARRAY_LEN(services); to++) {
		struct bus_reader reader;
		bus_reader_init(&reader, services[to]);
		for (size_t n = 0; n < rows * ARRAY_LEN(services); n++) {
			const struct bus_row *said = &row[n / ARRAY_LEN(services)];
			enum service from = services[n % ARRAY_LEN(services)];
			bool is_allowed = may_say(said, from, services[to]);
			struct envelope env;
			struct bus_event ev;
			uint64_t unknown = reader.unknown;
			assert_true(
				bus_open(&reader, message_of(&s, from, true, said->type), &env));
			assert_int_equal(bus_next(&reader, &ev), is_allowed);
			assert_int_equal(reader.unknown - unknown, !is_allowed);
			assert_false(bus_next(&reader, &ev));
			assert_false(reader.in.bad);
			given += is_allowed;
		}
		bus_reader_free(&reader);
	}
	assert_true(given > rows); /* all are said by somebody, some by everybody */
	sender_free(&s);
}

/* ---- the services, each with whoever can reach it ---- */

static size_t told_by_gateway(const struct gateway_out *out)
{
	return out->roomd[0].count + out->historyd[0].count + out->read[0].count + out->op_count;
}

static void test_gateway(void **state)
{
	(void)state;
	size_t rows;
	const struct bus_row *row = bus_rows(&rows);
	const enum service from[] = {SERVICE_ROOMD, SERVICE_HISTORYD};
	struct gateway_options options;
	struct gateway_out out = {0};
	struct sender senders[2] = {0};
	gateway_options_default(&options);
	options.id = 1;
	struct gateway *g = gateway_open(&options, NOW_MS);
	for (size_t n = 0; n < (rows + 1) * 2;
	     n++) { /* a first word, which is answered, and all rows */
		const struct bus_row *said = n < 2 ? NULL : &row[n / 2 - 1];
		const struct bus_source source = {.kind = from[n % 2]};
		uint64_t unknown = gateway_stats(g)->bus_unknown_total;
		gateway_out_reset(&out);
		gateway_step(g, NOW_MS, &source,
			     message_of(&senders[n % 2], source.kind, true, said ? said->type : 0),
			     &out);
		bool is_allowed = !said || may_say(said, source.kind, SERVICE_GATEWAY);
		assert_int_equal(gateway_stats(g)->bus_unknown_total - unknown, !is_allowed);
		assert_true(is_allowed || told_by_gateway(&out) == 0);
		gateway_check(g);
	}
	gateway_close(g);
	gateway_out_free(&out);
	sender_free(&senders[0]);
	sender_free(&senders[1]);
}

static void test_roomd(void **state)
{
	(void)state;
	size_t rows;
	const struct bus_row *row = bus_rows(&rows);
	struct sender gateway = {0};
	struct sender historyd = {0};
	struct roomd_out out = {0};
	struct roomd *r =
		roomd_open(&(struct roomd_options){.historyd_shards = 1, .seed = 1}, NOW_MS);
	for (size_t n = 0; n < (rows + 1) * 2; n++) {
		const struct bus_row *said = n < 2 ? NULL : &row[n / 2 - 1];
		enum service from = n % 2 ? SERVICE_HISTORYD : SERVICE_GATEWAY;
		struct sender *s = n % 2 ? &historyd : &gateway;
		const struct bus_source source = {.kind = n % 2 ? SERVICE_HISTORYD : SERVICE_ANY};
		struct roomd_stats before;
		struct roomd_stats after;
		roomd_stats(r, &before);
		roomd_out_reset(&out);
		roomd_step(r, SETTLED_MS, &source, /* answers carry no sequence */
			   message_of(s, from, n % 2 == 0, said ? said->type : 0), &out);
		roomd_stats(r, &after);
		bool is_allowed = !said || may_say(said, from, SERVICE_ROOMD);
		assert_int_equal(after.bus_unknown_total - before.bus_unknown_total, !is_allowed);
		assert_true(is_allowed || out.down.count + out.ask[0].count == 0);
		roomd_check(r);
	}
	roomd_close(r);
	roomd_out_free(&out);
	sender_free(&gateway);
	sender_free(&historyd);
}

static size_t told_by_historyd(const struct historyd_out *out)
{
	size_t told = out->down.count;
	for (size_t i = 0; i < out->response_count; i++)
		told += out->responses[i].events.count;
	return told;
}

/* Pages are asked for by gateways, but answered by historyd_read alone. */
static bool is_taken_by_historyd(const struct bus_row *row, enum service from)
{
	return may_say(row, from, SERVICE_HISTORYD) && row->type != EV_page_ask;
}

static void test_historyd(void **state)
{
	(void)state;
	size_t rows;
	const struct bus_row *row = bus_rows(&rows);
	const struct bus_source source = {.kind = SERVICE_ANY};
	struct sender gateway = {0};
	struct sender roomd = {0};
	struct historyd_out out = {0};
	struct store_memory *memory = store_memory_open();
	struct historyd *h = historyd_open(&(struct historyd_options){.rooms_max = 10},
					   store_memory_store(memory));
	for (size_t n = 0; n < (rows + 1) * 2; n++) {
		const struct bus_row *said = n < 2 ? NULL : &row[n / 2 - 1];
		enum service from = n % 2 ? SERVICE_ROOMD : SERVICE_GATEWAY;
		struct historyd_stats before;
		struct historyd_stats after;
		historyd_stats(h, &before);
		historyd_out_reset(&out);
		if (from == SERVICE_GATEWAY)
			historyd_step(h, NOW_MS, NOW_MS, &source,
				      message_of(&gateway, from, true, said ? said->type : 0));
		else
			historyd_request(h, NOW_MS, &source,
					 message_of(&roomd, from, false, said ? said->type : 0), 1);
		assert_int_equal(historyd_flush(h, NOW_MS, &out), ERR_OK);
		historyd_stats(h, &after);
		bool is_allowed = !said || is_taken_by_historyd(said, from);
		assert_int_equal(after.bus_unknown_total - before.bus_unknown_total, !is_allowed);
		assert_true(is_allowed || told_by_historyd(&out) == 0);
		historyd_check(h);
	}
	historyd_close(h);
	store_memory_close(memory);
	historyd_out_free(&out);
	sender_free(&gateway);
	sender_free(&roomd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_reader_gives_what_the_table_allows),
		cmocka_unit_test(test_gateway),
		cmocka_unit_test(test_roomd),
		cmocka_unit_test(test_historyd),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
