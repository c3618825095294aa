// SPDX-License-Identifier: MIT
/* main.c — plays chat scripts with the three cores in one process: the simulator's world without
 * its faults. Each is played from several seeds, which say how long each message travels. */
#include "tests/scripts/play.h"

#include <stdio.h>
#include <stdlib.h>

enum { SEEDS = 20 };

static bool play_script(const char *grammar, const char *path, bool is_telling)
{
	struct script script;
	bool is_good = script_read(&script, grammar, path);
	if (!is_good)
		fprintf(stderr, "%s:%s\n", path, script.error);
	uint64_t seeds = is_telling ? 1 : SEEDS;
	for (uint64_t seed = 1; is_good && seed <= seeds; seed++) {
		struct play *play = mem_alloc(sizeof *play);
		play_run(play, &script, seed, is_telling);
		is_good = !play->failure[0];
		if (!is_good)
			fprintf(stderr, "%s:%s (seed %" PRIu64 ")\n", path, play->failure, seed);
		play_free(play);
		mem_free(play);
	}
	script_free(&script);
	return is_good;
}

int main(int argc, char **argv)
{
	bool is_telling = argc > 1 && strcmp(argv[1], "--log") == 0;
	bool is_good = true;
	int at = is_telling ? 2 : 1;
	if (argc < at + 2) {
		fputs("usage: chat-script [--log] GRAMMAR SCRIPT…\n"
		      "--log tells of one seed who sends what, and who is sent what, and when\n",
		      stderr);
		return EXIT_FAILURE;
	}
	const char *grammar = argv[at++];
	for (; at < argc; at++)
		is_good = play_script(grammar, argv[at], is_telling) && is_good;
	return is_good ? EXIT_SUCCESS : EXIT_FAILURE;
}
