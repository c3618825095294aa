// SPDX-License-Identifier: MIT
/* test_watchdog.c — what systemd hears of a service: sd_notify's datagrams, on a path or an
 * abstract name, once a second. */
#include "proto/shell/watchdog.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
// cmocka wants the three above first
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static void expect(int fd, const char *line)
{
	char heard[64] = "";
	ssize_t len = recv(fd, heard, sizeof heard - 1, MSG_DONTWAIT);
	assert_string_equal(len < 0 ? "" : heard, line);
}

static void test_systemd_hears_that_the_loop_goes_round(void **state)
{
	(void)state;
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	char name[64];
	int len = snprintf(name, sizeof name, "@parlor-test-%d", (int)getpid());
	memcpy(address.sun_path + 1, name + 1, (size_t)len - 1);
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&address,
			      (socklen_t)(offsetof(struct sockaddr_un, sun_path) + (size_t)len)),
			 0);
	watchdog_alive(1); /* nobody wants to know */
	watchdog_stopping();
	unsetenv("PARLOR_NOTIFY_FD");
	setenv("NOTIFY_SOCKET", name, 1);
	watchdog_open();
	watchdog_alive(1000);
	expect(fd, "READY=1\n");
	watchdog_alive(1999);
	expect(fd, "");
	watchdog_alive(2000);
	expect(fd, "WATCHDOG=1\n");
	watchdog_stopping();
	expect(fd, "STOPPING=1\n");
	/* Nobody reads any more: nothing waits, nothing ends. */
	for (uint64_t now_ms = 3000; now_ms < 2000000; now_ms += 1000)
		watchdog_alive(now_ms);
	close(fd);
	watchdog_alive(3000000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_systemd_hears_that_the_loop_goes_round),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
