/*
 * threads.h
 *		Threads for work that may wait for a disk.
 *
 * The loop must not wait for a disk: an fsync() takes milliseconds, and a write() waits when
 * the kernel has too much to write.  So a few threads do such work, and the loop is told when it
 * is done.  Each job has an owner, an organization.  Owners take turns, and none has all threads;
 * the jobs of one owner begin in the order in which they were submitted.
 *
 * A job is owned by whoever submits it.  It belongs to the threads from disk_threads_submit()
 * until "done" is called in the loop; "work" runs in a thread, and only uses what belongs to
 * the job.
 */
#ifndef MEDIA_THREADS_H
#define MEDIA_THREADS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#define DISK_OWNER_SIZE 16

struct event_base;

typedef struct DiskThreads DiskThreads;

typedef struct DiskJob
{
	void (*work)(struct DiskJob *job); /* in a thread */
	void (*done)(struct DiskJob *job); /* in the loop; may submit the job again, or free it */
	uint8_t owner[DISK_OWNER_SIZE];
	TAILQ_ENTRY(DiskJob) link; /* this and the next: internal */
	uint64_t turn;
} DiskJob;

/* Starts the threads; NULL when it could not.  The base must outlive them. */
extern DiskThreads *disk_threads_start(struct event_base *base, int threads);

extern void disk_threads_submit(DiskThreads *threads, DiskJob *job);

/*
 * Lets the threads finish what was submitted, also what a "done" submits, and frees them.  Calls
 * "done" for all of it.
 */
extern void disk_threads_stop(DiskThreads *threads);

#endif
