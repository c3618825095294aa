// SPDX-License-Identifier: MIT
/* test_bus.c — neighbouring versions on the bus: what 0.1.0 wrote is read field by field, and what
 * is written today can be read by 0.1.0. */
#include "tests/compat/kept.h"
#include "tests/compat/telling.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* ---- what 0.1.0 wrote ---- */

static struct arena texts;

static void expect_number(uint64_t found, uint64_t row, unsigned field, bool is_kept)
{
	assert_int_equal(found, is_kept ? telling_number(row, field) : 0);
}

static void expect_text(struct str found, struct str expected, bool is_kept)
{
	assert_true(str_equal(found, is_kept ? expected : (struct str){0}));
}

/* `v` is what was read, `count` how many fields the writer has: those behind it are zero. */
#define ALL SIZE_MAX
#define EXPECT_U(field) expect_number(v->field, row, i, i < count), i++;
#define EXPECT_S(field, max) \
	expect_text(v->field, telling_text(&texts, name, row, #field, (max)), i < count), i++;
#define EXPECT_L(field, record, max) expect_list_##record(&v->field, i, count), i++;

static size_t fields_kept(const char *record)
{
	const struct row_shape *shape = shape_record(&shape_kept, record);
	return shape ? shape->count : 0;
}

#define R(record)                                                                                  \
	static void expect_##record(const struct rec_##record *v, uint64_t row, size_t count)      \
	{                                                                                          \
		static const char name[] = #record;                                                \
		unsigned i = 0;                                                                    \
		RECORD_##record(EXPECT_U, EXPECT_S, EXPECT_L);                                     \
		(void)i, (void)name, (void)row;                                                    \
	}                                                                                          \
	static inline void expect_list_##record(const struct list *list, unsigned i, size_t count) \
	{                                                                                          \
		const size_t fields = count == ALL ? ALL : fields_kept(#record);                   \
		assert_int_equal(list->count, i < count ? TELLING_RECORDS : 0);                    \
		for (uint32_t n = 0; n < list->count; n++) {                                       \
			struct rec_##record v = bus_##record##_at(list, n);                        \
			expect_##record(&v, TELLING_RECORD + n, fields);                           \
		}                                                                                  \
	}
BUS_RECORDS(R)
#undef R

#define E(number, event, from, to, meaning)                                     \
	static void expect_ev_##event(const struct ev_##event *v, size_t count) \
	{                                                                       \
		static const char name[] = #event;                              \
		const uint64_t row = (number);                                  \
		unsigned i = 0;                                                 \
		FIELDS_##event(EXPECT_U, EXPECT_S, EXPECT_L);                   \
		(void)i, (void)name, (void)row;                                 \
	}
BUS_EVENTS(E)
#undef E

static void expect_telling(const struct bus_event *ev, size_t count)
{
	switch (ev->type) {
#define E(number, event, from, to, meaning)              \
	case (number):                                   \
		expect_ev_##event(&ev->as.event, count); \
		break;
		BUS_EVENTS(E)
#undef E
	}
}

static struct str kept_envelope(struct buf *b)
{
	struct kept k = kept_read(KEPT "/bus.hex");
	assert_int_equal(k.count, 1 + shape_kept.event_count);
	for (size_t i = 0; i < k.count; i++)
		buf_str(b, k.lines[i].bytes);
	kept_free(&k);
	return buf_view(b);
}

static void test_kept_events_are_read(void **state)
{
	(void)state;
	struct buf b = {0};
	struct bus_reader reader;
	struct envelope env;
	struct bus_event ev;
	bus_reader_init(&reader, SERVICE_ANY);
	assert_true(bus_open(&reader, kept_envelope(&b), &env));
	assert_int_equal(env.minor, 0);
	assert_int_equal(env.from, telling_self.from);
	assert_int_equal(env.id, telling_self.id);
	assert_int_equal(env.epoch, telling_self.epoch);
	assert_int_equal(env.seq, telling_self.seq);
	size_t count = 0;
	for (; bus_next(&reader, &ev); count++) {
		assert_int_equal(ev.type, shape_kept.events[count].number);
		expect_telling(&ev, shape_kept.events[count].count);
	}
	assert_false(reader.in.bad);
	assert_int_equal(reader.unknown, 0);
	assert_int_equal(count, shape_kept.event_count);
	bus_reader_free(&reader);
	arena_reset(&texts);
	buf_free(&b);
}

/* ---- what 0.1.0 can read ---- */

static void test_strict_reader_reads_its_own(void **state)
{
	(void)state;
	struct buf b = {0};
	size_t unknown;
	assert_int_equal(kept_strict_read(&shape_kept, kept_envelope(&b), &unknown),
			 shape_kept.event_count);
	assert_int_equal(unknown, 0);
	buf_free(&b);
}

/* With every field of the header and of the events that there is, each telling. */
static void test_todays_events_can_be_read(void **state)
{
	(void)state;
	struct buf b = {0};
	struct batch batch = {0};
	size_t count;
	size_t unknown;
	const struct bus_row *rows = bus_rows(&count);
	bus_put_header(&b, &telling_self);
	for (size_t i = 0; i < count; i++)
		telling_put(&batch, &texts, rows[i].type);
	buf_str(&b, buf_view(&batch.bytes));
	assert_int_equal(kept_strict_read(&shape_kept, buf_view(&b), &unknown),
			 shape_kept.event_count);
	assert_int_equal(unknown, count - shape_kept.event_count);
	batch_free(&batch);
	arena_reset(&texts);
	buf_free(&b);
}

/* `what` with one field more at its end, as text, as a number or as a list by turns. */
static void put_longer(struct buf *to, struct str what)
{
	static const struct str more[] = {{"\xa2zz", 3}, {"\xcd\x01\x00", 3}, {"\x92\xa1y\xc0", 4}};
	assert_in_range((unsigned char)what.ptr[0], 0x91, 0x9e); /* a short array */
	char tag = (char)(what.ptr[0] + 1);
	buf_append(to, &tag, 1);
	buf_append(to, what.ptr + 1, what.len - 1);
	buf_str(to, more[to->len % ARRAY_LEN(more)]);
}

/* What a later version may send us: a field more in the header and in each event, in a record too,
 * and an event without a row. The strict reader takes it, so this is also what we may send. */
static void put_later(struct buf *b)
{
	struct buf header = {0};
	struct batch batch = {0};
	size_t count;
	const struct bus_row *rows = bus_rows(&count);
	bus_put_header(&header, &telling_self);
	put_longer(b, buf_view(&header));
	BUF_LIT(b, "\x93\xcd\x03\xe7\xa1x\x92\x01\xc3"); /* [999, "x", [1, true]] */
	for (size_t i = 0; i < count; i++) {
		batch_reset(&batch);
		telling_put(&batch, &texts, rows[i].type);
		put_longer(b, buf_view(&batch.bytes));
	}
	/* presence with one name of two fields */
	BUF_LIT(b, "\x97\x1a\x01\xa1r\x02\x03\x04\x91\x92\xa3"
		   "ann\x05");
	batch_free(&batch);
	buf_free(&header);
}

static void test_longer_ones_can_be_read(void **state)
{
	(void)state;
	struct buf b = {0};
	struct bus_reader reader;
	struct envelope env;
	struct bus_event ev = {0};
	size_t unknown;
	size_t count;
	(void)bus_rows(&count);
	put_later(&b);
	assert_int_equal(kept_strict_read(&shape_kept, buf_view(&b), &unknown),
			 shape_kept.event_count + 1);
	bus_reader_init(&reader, SERVICE_ANY);
	assert_true(bus_open(&reader, buf_view(&b), &env));
	assert_int_equal(env.epoch, telling_self.epoch);
	for (size_t i = 0; i < count; i++) {
		assert_true(bus_next(&reader, &ev));
		expect_telling(&ev, ALL);
	}
	assert_true(bus_next(&reader, &ev));
	assert_int_equal(ev.type, EV_presence);
	assert_true(str_equal(bus_name_at(&ev.as.presence.names, 0).user, STR("ann")));
	assert_false(bus_next(&reader, &ev));
	assert_false(reader.in.bad);
	assert_int_equal(reader.unknown, 1);
	bus_reader_free(&reader);
	arena_reset(&texts);
	buf_free(&b);
}

/* ---- the tables ---- */

/* Limits too: a larger one here is refused there, a smaller one refuses what comes from there. */
static void expect_appended(const struct row_shape *kept, const struct row_shape *now)
{
	if (!now)
		fail_msg("%s is gone", kept->name);
	assert_string_equal(now->name, kept->name);
	assert_string_equal(now->from, kept->from);
	assert_string_equal(now->to, kept->to);
	assert_true(now->count >= kept->count);
	for (size_t i = 0; i < kept->count; i++) {
		const struct field_shape *k = &kept->fields[i];
		const struct field_shape *n = &now->fields[i];
		if (k->kind != n->kind || k->max != n->max || strcmp(k->name, n->name) != 0)
			fail_msg("%s.%s has changed", kept->name, k->name);
		if (k->record)
			assert_string_equal(n->record, k->record);
	}
}

static void test_rows_are_only_appended_to(void **state)
{
	(void)state;
	for (size_t i = 0; i < shape_kept.event_count; i++)
		expect_appended(&shape_kept.events[i],
				shape_event(&shape_now, shape_kept.events[i].number));
	for (size_t i = 0; i < shape_kept.record_count; i++)
		expect_appended(&shape_kept.records[i],
				shape_record(&shape_now, shape_kept.records[i].name));
}

static void test_errors_keep_their_numbers(void **state)
{
	(void)state;
	assert_true(shape_now.error_count >= shape_kept.error_count);
	for (size_t i = 0; i < shape_kept.error_count; i++)
		assert_string_equal(shape_now.errors[i], shape_kept.errors[i]);
}

static int free_texts(void **state)
{
	(void)state;
	arena_free(&texts);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kept_events_are_read),
		cmocka_unit_test(test_strict_reader_reads_its_own),
		cmocka_unit_test(test_todays_events_can_be_read),
		cmocka_unit_test(test_longer_ones_can_be_read),
		cmocka_unit_test(test_rows_are_only_appended_to),
		cmocka_unit_test(test_errors_keep_their_numbers),
	};
	return cmocka_run_group_tests(tests, NULL, free_texts);
}
