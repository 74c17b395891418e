/*
 * threads.c
 *		Threads for work that may wait for a disk; see threads.h.
 *
 * Two queues under one lock: what is to be done, and what is done.  A thread that has done the
 * first job of an empty queue writes to an eventfd, on which the loop waits.
 */
#include "media/threads.h"

#include <event2/event.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "lib/process.h"

typedef TAILQ_HEAD(, DiskJob) DiskJobs;

struct DiskThreads
{
	pthread_mutex_t lock;
	pthread_cond_t wanted; /* there is something to do, or the end */
	pthread_cond_t did;    /* something was done */
	DiskJobs waiting;
	DiskJobs finished;
	int unfinished; /* jobs that are waiting or in a thread */
	bool ending;

	/* used by the loop only */
	int wake; /* eventfd */
	struct event *woken;
	int count;
	pthread_t threads[];
};

/* Takes the first job of a queue; NULL: it is empty.  With the lock held. */
static DiskJob *
take_first(DiskJobs *jobs)
{
	DiskJob *job = TAILQ_FIRST(jobs);

	if (job != NULL)
		TAILQ_REMOVE(jobs, job, link);
	return job;
}

/* The loop reads all that is finished when it wakes, so only the first job has to wake it. */
static void
finish(DiskThreads *threads, DiskJob *job)
{
	const uint64_t one = 1;
	bool first = TAILQ_EMPTY(&threads->finished);

	TAILQ_INSERT_TAIL(&threads->finished, job, link);
	threads->unfinished--;
	pthread_cond_signal(&threads->did);
	if (first)
		(void) !write(threads->wake, &one, sizeof(one));
}

static void *
run(void *context)
{
	DiskThreads *threads = context;
	DiskJob *job;

	process_confine_thread();
	pthread_mutex_lock(&threads->lock);
	for (;;)
	{
		while ((job = take_first(&threads->waiting)) == NULL && !threads->ending)
			pthread_cond_wait(&threads->wanted, &threads->lock);
		if (job == NULL)
			break;
		pthread_mutex_unlock(&threads->lock);
		job->work(job);
		pthread_mutex_lock(&threads->lock);
		finish(threads, job);
	}
	pthread_mutex_unlock(&threads->lock);
	return NULL;
}

static DiskJob *
take_finished(DiskThreads *threads)
{
	DiskJob *job;

	pthread_mutex_lock(&threads->lock);
	job = take_first(&threads->finished);
	pthread_mutex_unlock(&threads->lock);
	return job;
}

static void
tell_all(DiskThreads *threads)
{
	DiskJob *job;

	while ((job = take_finished(threads)) != NULL)
		job->done(job);
}

static void
on_wake(evutil_socket_t fd, short what, void *context)
{
	uint64_t count;

	(void) what;
	(void) !read(fd, &count, sizeof(count));
	tell_all(context);
}

/* Signals are for the loop's thread; the new ones inherit that all are blocked. */
static void
start_threads(DiskThreads *threads, int count)
{
	sigset_t all;
	sigset_t before;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	while (threads->count < count &&
		   pthread_create(&threads->threads[threads->count], NULL, run, threads) == 0)
		threads->count++;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
}

DiskThreads *
disk_threads_start(struct event_base *base, int count)
{
	DiskThreads *threads = calloc(1, sizeof(*threads) + (size_t) count * sizeof(pthread_t));

	if (threads == NULL)
		return NULL;
	pthread_mutex_init(&threads->lock, NULL);
	pthread_cond_init(&threads->wanted, NULL);
	pthread_cond_init(&threads->did, NULL);
	TAILQ_INIT(&threads->waiting);
	TAILQ_INIT(&threads->finished);
	threads->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	threads->woken = threads->wake < 0
						 ? NULL
						 : event_new(base, threads->wake, EV_READ | EV_PERSIST, on_wake, threads);
	if (threads->woken != NULL && event_add(threads->woken, NULL) == 0)
		start_threads(threads, count);
	if (threads->count < count)
	{
		disk_threads_stop(threads);
		return NULL;
	}
	return threads;
}

void
disk_threads_submit(DiskThreads *threads, DiskJob *job)
{
	pthread_mutex_lock(&threads->lock);
	TAILQ_INSERT_TAIL(&threads->waiting, job, link);
	threads->unfinished++;
	pthread_cond_signal(&threads->wanted);
	pthread_mutex_unlock(&threads->lock);
}

/* Waits until something is finished.  False: nothing is left to finish. */
static bool
wait_for_finished(DiskThreads *threads)
{
	bool finished;

	pthread_mutex_lock(&threads->lock);
	while (TAILQ_EMPTY(&threads->finished) && threads->unfinished > 0)
		pthread_cond_wait(&threads->did, &threads->lock);
	finished = !TAILQ_EMPTY(&threads->finished);
	pthread_mutex_unlock(&threads->lock);
	return finished;
}

void
disk_threads_stop(DiskThreads *threads)
{
	while (wait_for_finished(threads))
		tell_all(threads);
	pthread_mutex_lock(&threads->lock);
	threads->ending = true;
	pthread_cond_broadcast(&threads->wanted);
	pthread_mutex_unlock(&threads->lock);
	for (int i = 0; i < threads->count; i++)
		pthread_join(threads->threads[i], NULL);
	if (threads->woken != NULL)
		event_free(threads->woken);
	if (threads->wake >= 0)
		close(threads->wake);
	pthread_cond_destroy(&threads->did);
	pthread_cond_destroy(&threads->wanted);
	pthread_mutex_destroy(&threads->lock);
	free(threads);
}
