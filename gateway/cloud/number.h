/*
 * number.h
 *		Connects a phone number of the Cloud API, and looks whether it still works.
 *
 *	NUMBER ──it works──▶ SUBSCRIBED ──the app is not there──▶ SUBSCRIBE ──▶ done
 *	   └─ a look ─▶ done     └─ the app is there ─▶ done
 *
 * Without the subscription of the app to the account no webhook ever comes.
 */
#ifndef CLOUD_NUMBER_H
#define CLOUD_NUMBER_H

#include "cloud/graph.h"

#define NUMBER_DIGITS_MAX 15 /* of E.164 */

typedef enum NumberOutcome
{
	NUMBER_WORKS,
	NUMBER_FAILS,  /* until a person has acted; problem says how */
	NUMBER_UNKNOWN /* Meta has not said, or has refused a look; try again */
} NumberOutcome;

/* Valid until done returns. */
typedef struct NumberResult
{
	NumberOutcome outcome;
	char digits[NUMBER_DIGITS_MAX + 1];
	char problem[GRAPH_PROBLEM_MAX + 1]; /* NUMBER_WORKS: a warning, or "" */
} NumberResult;

typedef struct NumberCheck NumberCheck;
typedef void (*NumberDone)(void *context, const NumberResult *result);

/*
 * Begins; with "connect" it also sees to the subscription.  The setup and the credentials are
 * borrowed until the end.  done is called once, from the loop.  NULL: out of memory.
 */
extern NumberCheck *number_check(const GraphSetup *setup, const CloudCredentials *credentials,
								 bool connect, NumberDone done, void *context);

/* Ends it; done is not called. */
extern void number_check_abandon(NumberCheck *check);

#endif
