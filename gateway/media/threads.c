/*
 * threads.c
 *		Threads for work that may wait for a disk; see threads.h.
 *
 * Three lists under one lock: what is to be done, what is being done, and what is done.  A thread
 * that has done the first job of an empty list writes to an eventfd, on which the loop waits.
 *
 * A job gets the number of a turn when it is submitted: the current one, or the one behind the
 * owner's last job.  The lowest number is next.  The lists are short, so they are searched.
 */
#include "media/threads.h"

#include <event2/event.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
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
	DiskJobs running;
	DiskJobs finished;
	uint64_t turn;  /* of the job that was taken last */
	int unfinished; /* jobs that are waiting or in a thread */
	bool ending;

	/* used by the loop only */
	int wake; /* eventfd */
	struct event *woken;
	int count;
	pthread_t threads[];
};

static bool
is_same_owner(const DiskJob *one, const DiskJob *other)
{
	return memcmp(one->owner, other->owner, DISK_OWNER_SIZE) == 0;
}

static uint64_t
turn_behind(const DiskJobs *jobs, const DiskJob *job, uint64_t turn)
{
	const DiskJob *other;

	TAILQ_FOREACH(other, jobs, link)
	{
		if (is_same_owner(other, job) && other->turn >= turn)
			turn = other->turn + 1;
	}
	return turn;
}

/* One thread is left to other owners. */
static bool
may_run(const DiskThreads *threads, const DiskJob *job)
{
	const DiskJob *other;
	int running = 0;

	TAILQ_FOREACH(other, &threads->running, link)
	{
		running += is_same_owner(other, job) ? 1 : 0;
	}
	return running == 0 || running < threads->count - 1;
}

/* Takes the job whose turn it is; NULL: there is none.  With the lock held. */
static DiskJob *
take_next(DiskThreads *threads)
{
	DiskJob *job;
	DiskJob *next = NULL;

	TAILQ_FOREACH(job, &threads->waiting, link)
	{
		if ((next == NULL || job->turn < next->turn) && may_run(threads, job))
			next = job;
	}
	if (next == NULL)
		return NULL;
	TAILQ_REMOVE(&threads->waiting, next, link);
	TAILQ_INSERT_TAIL(&threads->running, next, link);
	threads->turn = next->turn > threads->turn ? next->turn : threads->turn;
	return next;
}

/* The loop reads all that is finished when it wakes, so only the first job has to wake it. */
static void
finish(DiskThreads *threads, DiskJob *job)
{
	const uint64_t one = 1;
	bool first = TAILQ_EMPTY(&threads->finished);

	TAILQ_REMOVE(&threads->running, job, link);
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
		while ((job = take_next(threads)) == NULL && !threads->ending)
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
	job = TAILQ_FIRST(&threads->finished);
	if (job != NULL)
		TAILQ_REMOVE(&threads->finished, job, link);
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
	TAILQ_INIT(&threads->running);
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
	job->turn = turn_behind(&threads->running, job, threads->turn);
	job->turn = turn_behind(&threads->waiting, job, job->turn);
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
