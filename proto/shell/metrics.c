// SPDX-License-Identifier: MIT
/* metrics.c — see metrics.h. */
#include "proto/shell/metrics.h"

void metrics_init(struct metrics *m, const char *service, uint64_t id)
{
	*m = (struct metrics){0};
	buf_printf(&m->labels, "{service=\"%s\",id=\"%" PRIu64 "\"}", service, id);
}

void metrics_free(struct metrics *m)
{
	mem_free(m->rows);
	buf_free(&m->labels);
	*m = (struct metrics){0};
}

void metrics_add(struct metrics *m, const char *name, enum metric_kind kind, const char *help,
		 const uint64_t *value)
{
	metrics_add_labelled(m, &(struct metric){name, kind, help, value},
			     (struct metric_label){0});
}

void metrics_add_labelled(struct metrics *m, const struct metric *metric, struct metric_label label)
{
	if (m->count == m->cap) {
		m->cap = m->cap ? m->cap * 2 : 32;
		m->rows = mem_resize(m->rows, m->cap * sizeof *m->rows);
	}
	m->rows[m->count++] = (struct metric_row){*metric, label};
}

void metrics_print(const struct metrics *m, struct buf *out)
{
	for (size_t i = 0; i < m->count; i++) {
		const struct metric *row = &m->rows[i].metric;
		const struct metric_label *label = &m->rows[i].label;
		if (i == 0 || strcmp(m->rows[i - 1].metric.name, row->name) != 0)
			buf_printf(out, "# HELP parlor_%s %s\n# TYPE parlor_%s %s\n", row->name,
				   row->help, row->name,
				   row->kind == METRIC_COUNTER ? "counter" : "gauge");
		buf_printf(out, "parlor_%s", row->name);
		buf_str(out, buf_view(&m->labels));
		if (label->name) {
			out->len--; /* within the braces */
			buf_printf(out, ",%s=\"%s\"}", label->name, label->value);
		}
		buf_printf(out, " %" PRIu64 "\n", *row->value);
	}
}
