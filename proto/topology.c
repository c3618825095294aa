// SPDX-License-Identifier: MIT
/* topology.c — see topology.h. */
#include "proto/topology.h"
#include "proto/shard.h"

enum { REJECT_MS = 100 }; /* between two words to senders that are not taken */

static const char *const texts[] = {
#define F(symbol, text) text,
	TOPOLOGY_FAULTS(F)
#undef F
};

const char *topology_fault_text(enum topology_fault fault)
{
	return texts[fault];
}

enum topology_fault topology_fault_from_wire(uint64_t number)
{
	bool is_ours = number > TOPOLOGY_FITS && number < ARRAY_LEN(texts);
	return is_ours ? (enum topology_fault)number : TOPOLOGY_WRONG_PLACE;
}

/* Whether both know the number, and not the same. */
static bool differ(uint64_t ours, uint64_t theirs)
{
	return ours && theirs && ours != theirs;
}

static struct str cluster_of(const struct topology *t)
{
	return str_of(t->cluster, t->cluster_len);
}

enum topology_fault topology_check(const struct topology *t, const struct bus_source *source,
				   const struct envelope *env)
{
	if (source->kind != SERVICE_ANY && (env->from != source->kind || env->id != source->shard))
		return TOPOLOGY_WRONG_PLACE;
	if (env->to && env->to != t->id + 1)
		return TOPOLOGY_WRONG_TARGET;
	if (differ(t->roomds, env->roomds) || differ(t->historyds, env->historyds))
		return TOPOLOGY_WRONG_COUNT;
	if (t->cluster_len && env->cluster.len && !str_equal(cluster_of(t), env->cluster))
		return TOPOLOGY_WRONG_CLUSTER;
	return TOPOLOGY_FITS;
}

void topology_note(struct topology *t, enum topology_fault fault, const struct bus_source *source,
		   const struct envelope *env)
{
	CHECK(env->cluster.len <= CLUSTER_MAX);
	t->misfits++;
	t->last = (struct topology_misfit){.fault = fault, .source = *source, .env = *env};
	if (env->cluster.len)
		memcpy(t->last.cluster, env->cluster.ptr, env->cluster.len);
	t->last.env.cluster = str_of(t->last.cluster, env->cluster.len);
}

enum topology_fault topology_admit(struct topology *t, const struct bus_source *source,
				   const struct envelope *env)
{
	enum topology_fault fault = topology_check(t, source, env);
	if (fault != TOPOLOGY_FITS)
		topology_note(t, fault, source, env);
	return fault;
}

void topology_learn_cluster(struct topology *t, struct str cluster)
{
	CHECK(cluster.len <= CLUSTER_MAX);
	t->cluster_len = cluster.len;
	if (cluster.len)
		memcpy(t->cluster, cluster.ptr, cluster.len);
}

void topology_sign(const struct topology *t, struct envelope *env)
{
	env->roomds = t->roomds;
	env->historyds = t->historyds;
	env->cluster = cluster_of(t);
}

bool topology_owns(uint64_t shards, uint64_t id, struct str name)
{
	return shards <= 1 || shards > SHARDS_MAX || shard_of(name, (uint32_t)shards) == id;
}

void topology_reject(struct topology *t, struct batch *to, const struct envelope *env,
		     enum topology_fault fault, uint64_t now_ms)
{
	if (t->refused_ms && now_ms < t->refused_ms + REJECT_MS)
		return;
	t->refused_ms = now_ms;
	bus_put_refused(
		to, &(struct ev_refused){
			    .kind = env->from, .id = env->id, .epoch = env->epoch, .fault = fault});
}

bool topology_is_rejected(const struct topology *t, uint64_t epoch, const struct ev_refused *ev)
{
	return ev->kind == t->kind && ev->id == t->id && ev->epoch == epoch;
}

static void print_side(struct buf *b, const char *side, enum service kind,
		       const struct envelope *env)
{
	buf_printf(b, " %s=\"%s-%" PRIu64, side, service_name(kind), env->id);
	if (env->roomds)
		buf_printf(b, " roomds=%" PRIu64, env->roomds);
	if (env->historyds)
		buf_printf(b, " historyds=%" PRIu64, env->historyds);
	if (env->to)
		buf_printf(b, " to=%" PRIu64, env->to - 1);
	BUF_LIT(b, " cluster=");
	for (size_t i = 0; i < env->cluster.len; i++) { /* it may be a stranger's */
		unsigned char c = (unsigned char)env->cluster.ptr[i];
		buf_append(b, c > ' ' && c < 0x7f && c != '"' && c != '\\' ? (const char *)&c : "?",
			   1);
	}
	BUF_LIT(b, "\"");
}

void topology_print(const struct topology *t, struct buf *b)
{
	const struct topology_misfit *m = &t->last;
	struct envelope us = {.id = t->id};
	topology_sign(t, &us);
	buf_printf(b, "why=\"%s\"", topology_fault_text(m->fault));
	if (m->source.kind != SERVICE_ANY)
		buf_printf(b, " place=%s-%" PRIu32, service_name(m->source.kind), m->source.shard);
	print_side(b, "us", t->kind, &us);
	print_side(b, "them", m->env.from, &m->env);
}
