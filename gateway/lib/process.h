/*
 * process.h
 *		What a program gives up when it starts, because it never needs it.
 *
 *	process_confine()		first of all in main()
 *	process_report()		when the log level is known
 *	process_close_ports()	when the last socket is bound
 *	process_confine_thread()	in each thread that was started in between
 *
 * None of it can be taken back by the process, or by what it starts.  Nothing of it keeps a
 * program from starting: a container's own rules may forbid one or the other, and often go
 * further.  What could not be given up is in the log.
 */
#ifndef LIB_PROCESS_H
#define LIB_PROCESS_H

/*
 * No privileges are gained by executing a file; no core is written and no other process of
 * the same user looks into this one; files are made for their owner only; standard input is
 * empty; descriptors that were inherited are closed, but for output and errors, which lead
 * nowhere when they were closed.  All capabilities are dropped but the one to bind ports
 * below 1024.  SIGPIPE and SIGHUP are ignored: who reads a pipe, or has a terminal, may go.
 */
extern void process_confine(void);

/* Logs what process_confine() could not do, and that the program runs as root. */
extern void process_report(void);

/* No port below 1024 is bound from here on: the last capability goes. */
extern void process_close_ports(void);

/* Capabilities are a thread's own: this one gives up all. */
extern void process_confine_thread(void);

#endif
