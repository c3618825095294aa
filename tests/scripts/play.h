// SPDX-License-Identifier: MIT
/* play.h — a script played in the simulated world. */
#ifndef PARLOR_TESTS_SCRIPTS_PLAY_H
#define PARLOR_TESTS_SCRIPTS_PLAY_H

#include "tests/scripts/guest.h"

enum { GUESTS_MAX = 16, PENDING_MAX = 256 };

/* A request whose reply the story has not looked at. */
struct pending {
	const struct sentence *sentence;
	struct guest *guest;
	uint64_t id;
};

struct play {
	const struct script *script;
	struct world world;
	struct arena arena;
	struct guest guests[GUESTS_MAX];
	size_t guest_count;
	struct pending pending[PENDING_MAX];
	size_t pending_count;
	uint64_t arrivals;
	uint64_t patience_ms; /* until when the present sentence may wait */
	char failure[1024];   /* "line: what was expected", empty: all came as told */
};

/* Plays it from the seed, which says how long messages travel; see `failure`. `is_telling`: prints
 * the sentences, and what everybody sends and is sent. */
void play_run(struct play *p, const struct script *script, uint64_t seed, bool is_telling);
void play_free(struct play *p);

/* Inside: play.c, deeds.c (what people do), hearings.c (what they are told). Each returns whether
 * all is as the sentence says. */
bool play_fail(struct play *p, const struct sentence *s, const char *fmt, ...) PRINTF_LIKE(3, 4);
bool play_wait(struct play *p); /* some time passes; false when patience is at its end */
struct guest *play_guest(struct play *p, struct str who);
struct node *play_node(struct play *p, struct str service);
bool play_deed(struct play *p, const struct sentence *s);
bool play_hearing(struct play *p, const struct sentence *s);
bool play_ending(struct play *p, const struct sentence *last); /* nobody was told anything else */

#endif
