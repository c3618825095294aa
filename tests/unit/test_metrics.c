// SPDX-License-Identifier: MIT
/* test_metrics.c — rows of a table and the values that they point at, as Prometheus reads them. */
#include "proto/shell/metrics.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
// cmocka wants the three above first
#include <cmocka.h>

struct core {
	uint64_t unrelated, rooms, errors[4];
};
struct shell {
	uint64_t sockets_total;
};

static const char *code(size_t index)
{
	static const char *const codes[] = {"ok", "bad", "late", "lost"};
	return codes[index];
}

enum { OF_CORE, OF_SHELL };

static const struct metric_row rows[] = {
	{METRIC_ROW("rooms", GAUGE, "rooms now", OF_CORE, struct core, rooms)},
	{METRIC_ROW("errors_total", COUNTER, "errors by code", OF_CORE, struct core, errors[0]),
	 .label = "code", .label_value = code, .first = 1, .end = 3},
	{METRIC_ROW("sockets_total", COUNTER, "sockets", OF_SHELL, struct shell, sockets_total)},
};
static const struct metric_table table = {rows, ARRAY_LEN(rows)};

static void test_rows_print_their_values_as_they_are_now(void **state)
{
	struct core core = {.unrelated = 99, .errors = {7, 8, 9, 10}};
	struct shell shell = {.sockets_total = UINT64_MAX};
	const void *const sources[] = {[OF_CORE] = &core, [OF_SHELL] = &shell};
	struct metrics m;
	struct buf out = {0};
	(void)state;
	metrics_open(&m, &table, "roomd", 3, sources, ARRAY_LEN(sources));
	core.rooms = 5;
	metrics_print(&m, &out);
	buf_append(&out, "", 1);
	assert_string_equal(out.ptr,
			    "# HELP parlor_rooms rooms now\n"
			    "# TYPE parlor_rooms gauge\n"
			    "parlor_rooms{service=\"roomd\",id=\"3\"} 5\n"
			    "# HELP parlor_errors_total errors by code\n"
			    "# TYPE parlor_errors_total counter\n"
			    "parlor_errors_total{service=\"roomd\",id=\"3\",code=\"bad\"} 8\n"
			    "parlor_errors_total{service=\"roomd\",id=\"3\",code=\"late\"} 9\n"
			    "# HELP parlor_sockets_total sockets\n"
			    "# TYPE parlor_sockets_total counter\n"
			    "parlor_sockets_total{service=\"roomd\",id=\"3\"} "
			    "18446744073709551615\n");
	buf_free(&out);
	metrics_close(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows_print_their_values_as_they_are_now),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
