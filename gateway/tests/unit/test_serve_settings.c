/*
 * test_serve_settings.c
 *		How many database connections there are, when nobody has said so.
 */
#include <unistd.h>

#include "serve/settings.h"
#include "tests/unit/suite.h"

static int
connections(int64_t wanted, int64_t workers)
{
	gateway_settings.connections = wanted;
	gateway_settings.workers = workers;
	return settings_db().connections;
}

/* An organization that is alone gets two a core, because it gets all but one (db/pool.c). */
START_TEST(one_connection_is_added_to_two_a_core)
{
	int cores = (int) sysconf(_SC_NPROCESSORS_ONLN);

	ck_assert_int_eq(connections(0, 1), 2 * cores + 1);
	ck_assert_int_eq(connections(0, 2), cores + 1);
}
END_TEST

START_TEST(every_worker_can_keep_one)
{
	int cores = (int) sysconf(_SC_NPROCESSORS_ONLN);

	ck_assert_int_eq(connections(0, 2 * cores), 2);
	ck_assert_int_eq(connections(0, 4 * cores), 2);
}
END_TEST

START_TEST(a_number_that_was_set_counts)
{
	ck_assert_int_eq(connections(1, 1), 1);
	ck_assert_int_eq(connections(7, 3), 7);
}
END_TEST

SUITE("serve_settings", one_connection_is_added_to_two_a_core, every_worker_can_keep_one,
	  a_number_that_was_set_counts)
