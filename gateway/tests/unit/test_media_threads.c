/*
 * test_media_threads.c
 *		Owners of jobs take turns, and none has all threads.
 */
#include <event2/event.h>
#include <pthread.h>
#include <string.h>

#include "media/threads.h"
#include "tests/unit/suite.h"

#define MANY 20

typedef struct Sample
{
	DiskJob job; /* the first member */
	bool waits;  /* for the gate to open */
	bool done;
} Sample;

static struct event_base *base;
static DiskThreads *threads;
static Sample samples[2 * MANY];
static int count;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static bool open;
static int began;
static const Sample *order[2 * MANY];

static void
work(DiskJob *job)
{
	const Sample *sample = (Sample *) job;

	pthread_mutex_lock(&lock);
	order[began++] = sample;
	pthread_cond_broadcast(&changed);
	while (sample->waits && !open)
		pthread_cond_wait(&changed, &lock);
	pthread_mutex_unlock(&lock);
}

static void
done(DiskJob *job)
{
	((Sample *) job)->done = true;
}

static Sample *
submit(char owner, bool waits)
{
	Sample *sample = &samples[count++];

	sample->waits = waits;
	sample->job = (DiskJob){.work = work, .done = done, .owner = {(uint8_t) owner}};
	disk_threads_submit(threads, &sample->job);
	return sample;
}

static void
wait_for_began(int jobs)
{
	pthread_mutex_lock(&lock);
	while (began < jobs)
		pthread_cond_wait(&changed, &lock);
	pthread_mutex_unlock(&lock);
}

static void
open_gate(void)
{
	pthread_mutex_lock(&lock);
	open = true;
	pthread_cond_broadcast(&changed);
	pthread_mutex_unlock(&lock);
}

static void
start(int with)
{
	base = event_base_new();
	threads = disk_threads_start(base, with);
	ck_assert_ptr_nonnull(threads);
	memset(samples, 0, sizeof(samples));
	count = began = 0;
	open = false;
}

static void
stop(void)
{
	open_gate();
	disk_threads_stop(threads);
	event_base_free(base);
	ck_assert_int_eq(began, count);
	for (int i = 0; i < count; i++)
		ck_assert(samples[i].done);
}

/* How many of that owner's jobs began before this one. */
static int
began_before(const Sample *sample, char owner)
{
	int before = 0;

	for (int i = 0; order[i] != sample; i++)
		before += order[i]->job.owner[0] == (uint8_t) owner ? 1 : 0;
	return before;
}

START_TEST(a_newcomer_waits_for_no_more_than_one_job_of_another)
{
	Sample *newcomers[3];

	start(1);
	submit('a', true);
	wait_for_began(1);
	for (int i = 0; i < MANY; i++)
		submit('a', false);
	for (int i = 0; i < 3; i++)
		newcomers[i] = submit('b', false);
	open_gate();
	wait_for_began(count);
	for (int i = 0; i < 3; i++)
		ck_assert_int_le(began_before(newcomers[i], 'a'), i + 2);
}
END_TEST

START_TEST(one_thread_is_left_to_others)
{
	start(4);
	for (int i = 0; i < MANY; i++)
		submit('a', true);
	wait_for_began(3);
	for (int i = 0; i < MANY / 2; i++)
		submit('b', false);
	wait_for_began(3 + MANY / 2);
	ck_assert_int_eq(began, 3 + MANY / 2);
}
END_TEST

START_TEST(the_jobs_of_an_owner_begin_in_their_order)
{
	start(1);
	for (int i = 0; i < MANY; i++)
		submit((char) ('a' + i % 3), i == 0);
	wait_for_began(1);
	open_gate();
	wait_for_began(count);
	for (int i = 0; i < count; i++)
		ck_assert_ptr_eq(order[i], &samples[i]);
}
END_TEST

static void
add_tests(TCase *cases)
{
	tcase_add_checked_fixture(cases, NULL, stop);
	tcase_add_test(cases, a_newcomer_waits_for_no_more_than_one_job_of_another);
	tcase_add_test(cases, one_thread_is_left_to_others);
	tcase_add_test(cases, the_jobs_of_an_owner_begin_in_their_order);
}

SUITE_WITH("media_threads", add_tests)
