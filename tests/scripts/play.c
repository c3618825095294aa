// SPDX-License-Identifier: MIT
/* play.c — see play.h: sentence after sentence, and what befalls the services. */
#include "tests/scripts/play.h"

#include <stdarg.h>
#include <stdio.h>

enum {
	STEP_MS = 5,
	PATIENCE_MS = 30000,
	DOWN_MS = 300,   /* between a kill and the next start */
	NOTICE_MS = 1000 /* until the others have noticed */
};

bool play_fail(struct play *p, const struct sentence *s, const char *fmt, ...)
{
	va_list args;
	int at = snprintf(p->failure, sizeof p->failure, "%u: ", s->line);
	va_start(args, fmt);
	vsnprintf(p->failure + at, sizeof p->failure - (size_t)at, fmt, args);
	va_end(args);
	return false;
}

bool play_wait(struct play *p)
{
	if (p->world.now_ms >= p->patience_ms)
		return false;
	world_run(&p->world, p->world.now_ms + STEP_MS);
	return true;
}

struct guest *play_guest(struct play *p, struct str who)
{
	for (size_t i = 0; i < p->guest_count; i++)
		if (str_equal(p->guests[i].who, who))
			return &p->guests[i];
	CHECK(p->guest_count < GUESTS_MAX);
	struct guest *guest = &p->guests[p->guest_count++];
	guest_init(guest, &p->world, &p->arena, who);
	return guest;
}

/* ---- services ---- */

static bool begins(struct str text, struct str with)
{
	return text.len >= with.len && memcmp(text.ptr, with.ptr, with.len) == 0;
}

struct node *play_node(struct play *p, struct str service)
{
	struct world *w = &p->world;
	uint32_t index = (uint32_t)(service.ptr[service.len - 1] - '0');
	if (begins(service, STR("gateway")))
		return index < w->gateways ? &w->gateway[index] : NULL;
	if (begins(service, STR("roomd")))
		return index < w->roomds ? &w->roomd[index] : NULL;
	return index < w->historyds ? &w->historyd[index] : NULL;
}

static bool is_ready(struct play *p)
{
	struct world *w = &p->world;
	struct buf missing = {0};
	bool is_all = true;
	for (uint32_t i = 0; i < w->gateways; i++)
		is_all = is_all && w->gateway[i].is_up &&
			 gateway_readiness(w->gateway[i].gateway, &missing) == GATEWAY_READY;
	buf_free(&missing);
	return is_all;
}

static bool become_ready(struct play *p, const struct sentence *s)
{
	while (!is_ready(p))
		if (!play_wait(p))
			return play_fail(p, s, "the services do not become ready");
	return true;
}

static void pass(struct play *p, uint64_t ms)
{
	world_run(&p->world, p->world.now_ms + ms);
	p->patience_ms = p->world.now_ms + PATIENCE_MS;
}

static bool befall(struct play *p, const struct sentence *s)
{
	struct node *node = play_node(p, sentence_text(s, "SERVICE"));
	if (!node)
		return play_fail(p, s, "there is no such service");
	if (s->kind == SENTENCE_kill) {
		world_crash(&p->world, node, DOWN_MS);
		pass(p, NOTICE_MS);
		return become_ready(p, s);
	}
	node->resume_ms = s->kind == SENTENCE_still ? UINT64_MAX : p->world.now_ms;
	node->is_due = true;
	return true;
}

/* ---- sentences ---- */

static bool has_fault(struct play *p, const struct sentence *s)
{
	for (size_t i = 0; i < p->guest_count; i++)
		if (p->guests[i].fault[0])
			return !play_fail(p, s, "%s", p->guests[i].fault);
	return false;
}

static bool play_sentence(struct play *p, const struct sentence *s)
{
	p->patience_ms = p->world.now_ms + PATIENCE_MS;
	world_tell(&p->world, "line %u", s->line);
	switch (s->kind) {
	case SENTENCE_story:
	case SENTENCE_with:
		return true;
	case SENTENCE_arrive:
	case SENTENCE_arrive_io:
	case SENTENCE_join:
	case SENTENCE_leave:
	case SENTENCE_say:
	case SENTENCE_type:
	case SENTENCE_invite:
	case SENTENCE_read:
	case SENTENCE_ask:
	case SENTENCE_send:
	case SENTENCE_go:
	case SENTENCE_lose:
	case SENTENCE_away:
	case SENTENCE_again:
		return play_deed(p, s);
	case SENTENCE_hear_say:
	case SENTENCE_hear_join:
	case SENTENCE_hear_leave:
	case SENTENCE_hear_type:
	case SENTENCE_hear_stop:
	case SENTENCE_hear_invite:
	case SENTENCE_hear_error:
	case SENTENCE_hear_none:
	case SENTENCE_see:
	case SENTENCE_closed:
		return play_hearing(p, s);
	case SENTENCE_kill:
	case SENTENCE_still:
	case SENTENCE_wake:
		return befall(p, s);
	case SENTENCE_pass:
		pass(p, sentence_number(s, "NUMBER") * 1000);
		return true;
	case SENTENCE_KINDS:
		break;
	}
	return play_fail(p, s, "no such sentence");
}

static struct plan plan_for(const struct script *script)
{
	struct plan plan = {.gateways = 1, .roomds = 1, .historyds = 1, .is_checking = true};
	for (const struct sentence *s = script->first; s; s = s->next) {
		struct str services = sentence_text(s, "SERVICES");
		uint32_t count = (uint32_t)sentence_number(s, "NUMBER");
		if (s->kind != SENTENCE_with || count < 1 || count > NODES_MAX)
			continue;
		if (begins(services, STR("gateway")))
			plan.gateways = count;
		else if (begins(services, STR("roomd")))
			plan.roomds = count;
		else
			plan.historyds = count;
	}
	return plan;
}

void play_run(struct play *p, const struct script *script, uint64_t seed, bool is_telling)
{
	const struct plan plan = plan_for(script);
	const struct sentence *s = script->first;
	*p = (struct play){.script = script};
	world_open(&p->world, seed, &plan);
	p->world.tell_to_ms = is_telling ? UINT64_MAX : 0;
	pass(p, NOTICE_MS);
	bool is_good = become_ready(p, s);
	while (is_good) {
		is_good = play_sentence(p, s) && !has_fault(p, s);
		if (is_good && !s->next)
			is_good = play_ending(p, s) && !has_fault(p, s);
		if (!s->next)
			return;
		s = s->next;
	}
}

void play_free(struct play *p)
{
	world_close(&p->world);
	for (size_t i = 0; i < p->guest_count; i++)
		guest_free(&p->guests[i]);
	arena_free(&p->arena);
}
