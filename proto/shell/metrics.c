// SPDX-License-Identifier: MIT
/* metrics.c — see metrics.h. */
#include "proto/shell/metrics.h"

void metrics_open(struct metrics *m, const struct metric_table *table, const char *service,
		  uint64_t id, const void *const *sources, size_t source_count)
{
	CHECK(source_count <= METRIC_SOURCES_MAX);
	*m = (struct metrics){.table = table};
	for (size_t i = 0; i < source_count; i++)
		m->sources[i] = sources[i];
	for (size_t i = 0; i < table->count; i++)
		CHECK(table->rows[i].source < source_count);
	buf_printf(&m->labels, "service=\"%s\",id=\"%" PRIu64 "\"", service, id);
}

void metrics_close(struct metrics *m)
{
	buf_free(&m->labels);
	*m = (struct metrics){0};
}

static void print_sample(const struct metrics *m, const struct metric_row *row, const uint64_t *at,
			 const char *label_value, struct buf *out)
{
	buf_printf(out, "parlor_%s{" STR_FMT, row->name, STR_ARG(buf_view(&m->labels)));
	if (label_value)
		buf_printf(out, ",%s=\"%s\"", row->label, label_value);
	buf_printf(out, "} %" PRIu64 "\n", *at);
}

void metrics_print(const struct metrics *m, struct buf *out)
{
	for (size_t i = 0; i < m->table->count; i++) {
		const struct metric_row *row = &m->table->rows[i];
		const void *at = (const char *)m->sources[row->source] + row->offset;
		buf_printf(out, "# HELP parlor_%s %s\n# TYPE parlor_%s %s\n", row->name, row->help,
			   row->name, row->kind == METRIC_COUNTER ? "counter" : "gauge");
		if (!row->label)
			print_sample(m, row, at, NULL, out);
		for (size_t n = row->first; n < row->end; n++)
			print_sample(m, row, (const uint64_t *)at + n, row->label_value(n), out);
	}
}
