// SPDX-License-Identifier: MIT
/* options.c — see options.h. */
#include "historyd/options.h"
#include "historyd/metrics.h"

#define OPTION(option, kind, member) OPTION_ROW(option, kind, struct options, member)

static const struct option_row option_rows[] = {
	{OPTION("bind", ADDRESS, bind), .is_own = true,
	 .help = "address of this shard, such as ipc:///run/parlor/historyd-0 or "
		 "tls+tcp://0.0.0.0:7100"},
	{OPTION("shard", NUMBER, core.shard), .is_own = true, .fallback = "0",
	 .max = SHARDS_MAX - 1, .help = "which of the historyd shards this is"},
	{OPTION("shards", NUMBER, core.shards), .fallback = "1", .min = 1, .max = SHARDS_MAX,
	 .help = "how many historyd shards there are; fixed once there is data"},
	{OPTION("data", TEXT, data), .help = "directory of the messages"},
	{OPTION("create", TEXT, create), .fallback = "",
	 .help = "makes the directory of the messages, for the cluster of this name: letters, "
		 "digits, - _ ."},
	{OPTION("log-dir", TEXT, log_dir), .fallback = "",
	 .help = "directory of RocksDB's own log, best a tmpfs; beside the data when empty"},
	{OPTION("min-free", NUMBER, min_free), .fallback = "1073741824", .max = UINT64_MAX,
	 .help = "bytes free on the disk of the data below which nothing more is stored"},
	{OPTION("cache-bytes", NUMBER, cache_bytes), .fallback = "268435456", .min = 1 << 20,
	 .max = UINT64_MAX, .help = "memory for what was read from the data"},
	{OPTION("rooms-max", NUMBER, core.rooms_max), .is_own = true, .fallback = "1000000",
	 .min = 1, .max = UINT32_MAX, .help = "rooms kept in memory"},
	{OPTION("allow-data-loss", SWITCH, allow_data_loss), .fallback = "no",
	 .help = "start on a damaged log, with what stands before the damage"},
	{OPTION("restored", SWITCH, restored), .fallback = "no",
	 .help = "the data is an older backup: give no seq again; once, at the first start"},
	SERVICE_OPTION_ROWS(struct options, service),
};

const struct program historyd_program = {PROGRAM, "keeps the messages of a Parlor", option_rows,
					 ARRAY_LEN(option_rows), &historyd_metrics};

/* Or none. */
static bool is_cluster_name(const char *text)
{
	static const char allowed[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.";
	return strlen(text) <= CLUSTER_MAX && text[strspn(text, allowed)] == '\0';
}

void historyd_options_load(struct options *o, int argc, char **argv)
{
	options_load(&historyd_program, argc, argv, o);
	if (o->core.shard >= o->core.shards)
		fail_usage(PROGRAM, "--shard must be below --shards");
	if (!is_cluster_name(o->create))
		fail_usage(PROGRAM, "--create: '%s' is not 1 to %d letters, digits, - _ or .",
			   o->create, CLUSTER_MAX);
}
