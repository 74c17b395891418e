/*
 * suite.h
 *		The main() of a test program.
 *
 *	SUITE("buffer", it_grows, it_stops)
 *
 * runs these tests, each in a process of its own.  A program that needs fixtures, a longer
 * time limit or loops adds its tests itself, in SUITE_WITH().
 */
#ifndef TESTS_UNIT_SUITE_H
#define TESTS_UNIT_SUITE_H

#include <check.h>
#include <stdlib.h>

/* Runs the cases and prints the result; EXIT_SUCCESS when none has failed. */
static inline int
suite_run(const char *name, TCase *cases)
{
	Suite *suite = suite_create(name);
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, cases);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* add(cases) adds the tests and sets what else the case needs. */
#define SUITE_WITH(name, add)              \
	int main(void)                         \
	{                                      \
		TCase *cases = tcase_create(name); \
                                           \
		add(cases);                        \
		return suite_run(name, cases);     \
	}

#define SUITE(name, ...)                                              \
	static void add_tests(TCase *cases)                               \
	{                                                                 \
		const TTest *const tests[] = {__VA_ARGS__};                   \
                                                                      \
		for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) \
			tcase_add_test(cases, tests[i]);                          \
	}                                                                 \
	SUITE_WITH(name, add_tests)

#endif
