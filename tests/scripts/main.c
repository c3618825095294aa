// SPDX-License-Identifier: MIT
/* main.c — plays chat scripts with the three cores in one process: the simulator's world without
 * its faults. Each is played from several seeds, which say how long each message travels. */
#include "tests/scripts/play.h"

#include <stdio.h>
#include <stdlib.h>

enum { SEEDS = 20 };

static bool play_script(const char *grammar, const char *path)
{
	struct script script;
	bool is_good = script_read(&script, grammar, path);
	if (!is_good)
		fprintf(stderr, "%s:%s\n", path, script.error);
	for (uint64_t seed = 1; is_good && seed <= SEEDS; seed++) {
		struct play *play = mem_alloc(sizeof *play);
		play_run(play, &script, seed);
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
	bool is_good = true;
	if (argc < 3) {
		fputs("usage: chat-script GRAMMAR SCRIPT…\n", stderr);
		return EXIT_FAILURE;
	}
	for (int i = 2; i < argc; i++)
		is_good = play_script(argv[1], argv[i]) && is_good;
	return is_good ? EXIT_SUCCESS : EXIT_FAILURE;
}
