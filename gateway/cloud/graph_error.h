/*
 * graph_error.h
 *		What to do about an error of the Graph API, by its code.
 */
#ifndef CLOUD_GRAPH_ERROR_H
#define CLOUD_GRAPH_ERROR_H

#include <stdbool.h>

typedef enum GraphVerdict
{
	GRAPH_DONE,
	GRAPH_AGAIN,       /* certainly not done; another try may succeed */
	GRAPH_PAUSED,      /* certainly not done; the number has to pause */
	GRAPH_PAUSED_CHAT, /* certainly not done; messages to this recipient have to pause */
	GRAPH_REFUSED,     /* certainly not done, and another try would be refused too */
	GRAPH_BARRED,      /* certainly not done; nothing works until a person has acted */
	GRAPH_UNCERTAIN    /* it may be done or not */
} GraphVerdict;

/* How often a request is tried again at most after GRAPH_AGAIN, unless its row says less. */
#define GRAPH_TRIES_MAX 10

typedef struct GraphAdvice
{
	GraphVerdict verdict;
	int tries;          /* GRAPH_AGAIN: the most tries, the first one included */
	int wait_s;         /* GRAPH_PAUSED: at least so long; 0: 1, 2, 4 … seconds */
	const char *reason; /* GRAPH_BARRED: what to do, in words for people */
} GraphAdvice;

/* About an error with this code, in an answer with this status. */
extern GraphAdvice graph_error_advice(int code, int status, bool is_transient);

/* About an answer with this status that has no code. */
extern GraphAdvice graph_error_by_status(int status);

#endif
