// SPDX-License-Identifier: MIT
/* metrics.c — see metrics.h. */
#include "historyd/metrics.h"

#include "historyd/historyd.h"
#include "historyd/reader.h"
#include "historyd/store/rocks.h"

#define CORE(name, kind, help, member) \
	METRIC_ROW(name, kind, help, OF_CORE, struct historyd_stats, member)
#define STORE(name, kind, help, member) \
	METRIC_ROW(name, kind, help, OF_STORE, struct store_rocks_stats, member)
#define READER(name, kind, help, member) \
	METRIC_ROW(name, kind, help, OF_READER, struct reader_stats, member)

static const struct metric_row rows[] = {
	{STORE("commits_total", COUNTER, "writes to the log, each with one fsync", commits)},
	{STORE("commit_failures_total", COUNTER, "writes to the log that failed", commit_failures)},
	{STORE("read_failures_total", COUNTER, "reads of the data that failed", read_failures)},
	{STORE("reopens_total", COUNTER, "times the data was closed and opened again", reopens)},
	{READER("pages_total", COUNTER, "messages of page questions answered", pages)},
	{READER("pages_bad_total", COUNTER, "page questions that were not ours", bad)},
#define S(name, kind, help) {CORE(#name, kind, help, name)},
	HISTORYD_STATS(S)
#undef S
};

const struct metric_table historyd_metrics = {rows, ARRAY_LEN(rows)};
