// SPDX-License-Identifier: MIT
/* sim.c — the simulator's command line; tests/sim/run calls it. One run is in run.c. */
#include "proto/base.h"
#include "tests/sim/run.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { STORY_BEFORE_MS = 3000, STORY_AFTER_MS = 10 };

struct command {
	uint64_t first, last;
	bool is_telling, is_shrinking;
	bool is_calm;        /* no faults at all */
	bool is_first;       /* the first failing run ends it */
	struct plan instead; /* what is not 0 takes the place of what the seed says */
	const char *without; /* faults, with commas between */
};

static void usage(void)
{
	fputs("usage: sim --seeds FIRST-LAST [--first] | --seed N [--log | --shrink]\n"
	      "       [--calm] [--without FAULT,…] [--people N] [--rooms N] "
	      "[--privates N]\n"
	      "       [--gateways N] [--roomds N] [--historyds N] [--storm MS]\n"
	      "faults:",
	      stderr);
#define F(name) fputs(" " #name, stderr);
	FAULTS(F)
#undef F
	fputs("\n", stderr);
	exit(2);
}

static uint64_t number(const char *text)
{
	char *end;
	uint64_t n = strtoull(text, &end, 10);
	if (end == text || *end)
		usage();
	return n;
}

static void read_range(struct command *c, const char *text)
{
	char *end;
	c->first = c->last = strtoull(text, &end, 10);
	if (*end == '-')
		c->last = number(end + 1);
	else if (*end)
		usage();
}

static void read_option(struct command *c, const char *name, const char *value)
{
	if (strcmp(name, "--seed") == 0)
		c->first = c->last = number(value);
	else if (strcmp(name, "--seeds") == 0)
		read_range(c, value);
	else if (strcmp(name, "--without") == 0)
		c->without = value;
	else if (strcmp(name, "--people") == 0)
		c->instead.people = (uint32_t)number(value);
	else if (strcmp(name, "--rooms") == 0)
		c->instead.rooms = (uint32_t)number(value);
	else if (strcmp(name, "--privates") == 0)
		c->instead.privates = (uint32_t)number(value);
	else if (strcmp(name, "--gateways") == 0)
		c->instead.gateways = (uint32_t)number(value);
	else if (strcmp(name, "--roomds") == 0)
		c->instead.roomds = (uint32_t)number(value);
	else if (strcmp(name, "--historyds") == 0)
		c->instead.historyds = (uint32_t)number(value);
	else if (strcmp(name, "--storm") == 0)
		c->instead.storm_ms = number(value);
	else
		usage();
}

static struct command read_command(int argc, char **argv)
{
	struct command c = {.first = 1};
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--log") == 0)
			c.is_telling = true;
		else if (strcmp(argv[i], "--shrink") == 0)
			c.is_shrinking = true;
		else if (strcmp(argv[i], "--calm") == 0)
			c.is_calm = true;
		else if (strcmp(argv[i], "--first") == 0)
			c.is_first = true;
		else if (i + 1 < argc)
			read_option(&c, argv[i], argv[i + 1]), i++;
		else
			usage();
	}
	if (c.last < c.first)
		usage();
	return c;
}

static struct plan plan_for(uint64_t seed, const struct command *c)
{
	struct plan p = plan_of(seed);
	const struct plan *i = &c->instead;
	p.people = i->people ? i->people : p.people;
	p.rooms = i->rooms ? i->rooms : p.rooms;
	p.privates = i->privates ? i->privates : p.privates;
	p.gateways = i->gateways ? i->gateways : p.gateways;
	p.roomds = i->roomds ? i->roomds : p.roomds;
	p.historyds = i->historyds ? i->historyds : p.historyds;
	p.storm_ms = i->storm_ms ? i->storm_ms : p.storm_ms;
	if (c->is_calm)
		p.faults = (struct faults){0};
	for (const char *at = c->without; at && *at;) {
		size_t len = strcspn(at, ",");
		if (!plan_without(&p, at, len))
			usage();
		at += len + (at[len] == ',');
	}
	return p;
}

/* The smallest run that still fails, and the end of its story. */
static void tell_shrunken(uint64_t seed, const struct plan *plan)
{
	struct result r;
	struct plan small = shrink(seed, *plan);
	run(seed, &small, &(struct telling){0}, &r);
	uint64_t from = r.failed_ms > STORY_BEFORE_MS ? r.failed_ms - STORY_BEFORE_MS : 1;
	run(seed, &small, &(struct telling){from, r.failed_ms + STORY_AFTER_MS}, &r);
	printf("%s\nreplay it with: tests/sim/run ", r.failure);
	plan_print_options(seed, &small);
	puts(" --log");
}

int main(int argc, char **argv)
{
	struct command c = read_command(argc, argv);
	struct telling telling = {0, c.is_telling ? UINT64_MAX : 0};
	uint64_t passed = 0;
	uint64_t acked = 0;
	uint64_t runs = 0;
	for (uint64_t seed = c.first; seed <= c.last && !(c.is_first && passed < runs); seed++) {
		struct plan plan = plan_for(seed, &c);
		struct result r;
		run(seed, &plan, &telling, &r);
		runs++;
		acked += r.acked;
		if (!*r.failure) {
			passed++;
			continue;
		}
		printf("seed %" PRIu64 ": %s\n", seed, r.failure);
		if (c.is_shrinking)
			tell_shrunken(seed, &plan);
	}
	printf("%" PRIu64 " messages acked in all\n", acked);
	printf("%" PRIu64 " passed, %" PRIu64 " failed\n", passed, runs - passed);
	return passed == runs ? 0 : 1;
}
