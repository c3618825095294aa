// SPDX-License-Identifier: MIT
/* host.c — see host.h. */
#include "tests/bench/load/host.h"
#include "proto/shell/options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#define PROGRAM "bench"

uint64_t clock_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static double tick_s(void)
{
	return 1.0 / (double)sysconf(_SC_CLK_TCK);
}

/* utime and stime stand behind the name, which may hold anything but ends with the last bracket. */
static void read_process(int pid, double *cpu_s, uint64_t *kib)
{
	char path[64], text[1024];
	unsigned long user, system, pages;
	snprintf(path, sizeof path, "/proc/%d/stat", pid);
	FILE *f = fopen(path, "r");
	const char *after = f && fgets(text, sizeof text, f) ? strrchr(text, ')') : NULL;
	if (!after || sscanf(after + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu",
			     &user, &system) != 2)
		fail_system(PROGRAM, "there is no process %d", pid);
	fclose(f);
	*cpu_s = (double)(user + system) * tick_s();

	snprintf(path, sizeof path, "/proc/%d/statm", pid);
	f = fopen(path, "r");
	if (!f || fscanf(f, "%*u %lu", &pages) != 1)
		fail_system(PROGRAM, "cannot read %s", path);
	fclose(f);
	*kib = pages * (uint64_t)sysconf(_SC_PAGESIZE) / 1024;
}

/* The first line of /proc/stat: user nice system idle iowait irq softirq steal. */
static void read_machine(double *busy_s, double *steal_s)
{
	unsigned long user, nice, system, irq, softirq, steal;
	FILE *f = fopen("/proc/stat", "r");
	if (!f || fscanf(f, "cpu %lu %lu %lu %*u %*u %lu %lu %lu", &user, &nice, &system, &irq,
			 &softirq, &steal) != 6)
		fail_system(PROGRAM, "cannot read /proc/stat");
	fclose(f);
	*busy_s = (double)(user + nice + system + irq + softirq) * tick_s();
	*steal_s = (double)steal * tick_s();
}

void host_open(struct host *h, const char *pids)
{
	const char *parts[SERVERS_MAX];
	struct moment first;
	h->pid_count = (uint32_t)options_split(pids, parts, SERVERS_MAX);
	for (uint32_t i = 0; i < h->pid_count; i++) {
		struct str part = str_from(parts[i]);
		h->pids[i] = atoi(part.ptr);
		str_free(&part);
	}
	host_now(h, &first);
}

void host_now(const struct host *h, struct moment *m)
{
	struct rusage self;
	memset(m, 0, sizeof *m);
	for (uint32_t i = 0; i < h->pid_count; i++) {
		read_process(h->pids[i], &m->each_s[i], &m->each_kib[i]);
		m->server_s += m->each_s[i];
		m->server_kib += m->each_kib[i];
	}
	read_machine(&m->busy_s, &m->steal_s);
	getrusage(RUSAGE_SELF, &self);
	m->self_s = (double)(self.ru_utime.tv_sec + self.ru_stime.tv_sec) +
		    (double)(self.ru_utime.tv_usec + self.ru_stime.tv_usec) / 1e6;
	m->wall_ns = clock_ns();
}
