/*
 * process.h
 *		Gives up, at the start of a program, the rights that it never needs.
 *
 *	process_confine()		first of all in main()
 *	process_report()		when the log level is known
 *	process_close_ports()	when the last socket is bound
 *	process_confine_thread()	in each thread that was started in between
 *
 * A command that somebody types needs its terminal, its files and its descriptors; it calls
 * process_hide() and none of the others.
 *
 * Neither the process nor a program that it starts can get these rights back.  A right that
 * cannot be given up does not stop the program, because a container's own rules may forbid
 * a step and often restrict more.  It is reported in the log.
 */
#ifndef LIB_PROCESS_H
#define LIB_PROCESS_H

/*
 * After this call:
 * - executing a file gains no privileges;
 * - no core is written, and no other process of the same user can read this one's memory.
 */
extern void process_hide(void);

/*
 * After this call, besides that:
 * - new files are readable and writable by their owner only;
 * - standard input is empty, and standard output and error are /dev/null if they were closed;
 * - all other inherited descriptors are closed;
 * - all capabilities are dropped, except the one to bind ports below 1024;
 * - SIGPIPE and SIGHUP are ignored, so that the program goes on when the reader of a pipe or
 *   the terminal goes away.
 */
extern void process_confine(void);

/*
 * Opens standard descriptors that are closed, as /dev/null with these flags of open(), so that
 * no socket or file takes their numbers.  Returns another descriptor of /dev/null, which the
 * caller closes, or -1.
 */
extern int process_fill_standard(int flags);

/* Logs what process_confine() could not do, and whether the program runs as root. */
extern void process_report(void);

/* Drops the last capability: from here on no port below 1024 can be bound. */
extern void process_close_ports(void);

/* Drops all capabilities of the calling thread; each thread has its own. */
extern void process_confine_thread(void);

#endif
