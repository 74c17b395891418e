/*
 * call.h
 *		One request on its way through the API.
 *
 * A call is made when a route was found and a credential is there, and freed when it was
 * answered.  It owns the parsed body, and the database request until that is submitted;
 * from then on it only knows it, to abandon it when the client leaves.
 */
#ifndef API_CALL_H
#define API_CALL_H

#include "api/api.h"
#include "api/credential.h"
#include "api/health.h"
#include "api/route.h"
#include "api/share.h"
#include "lib/json_read.h"

/* What is wrong with a request, shown as details; further problems are not looked for. */
#define CALL_PROBLEMS_MAX 8
#define PROBLEM_NAME_MAX 64
#define PROBLEM_TEXT_MAX 192

typedef struct Problem
{
	char name[PROBLEM_NAME_MAX + 1];
	char text[PROBLEM_TEXT_MAX + 1];
} Problem;

struct Api
{
	Db *db;
	int timeout_ms;
	RouteTable routes;
	int authorized; /* statements that belong to no row */
	int authorized_person;
	int signed_in;
	int ready;
	Readiness readiness;
	HttpPeers *costly;    /* who has requests in the costly lane, and how many */
	ApiRealtime realtime; /* NULL: nobody */
	void *realtime_context;
};

typedef struct Call
{
	Api *api;
	HttpRequest *http;
	const Route *route;
	Credential credential;
	JsonValue *body; /* NULL: none was sent, or the endpoint takes none */
	DbRequest *db;
	int limit;   /* rows that a list shows */
	bool slow;   /* runs in the slow lane */
	bool asks;   /* the database is asked first whether the caller may be here */
	Share share; /* of the costly lane */

	/* Refused for its own fault: what is sent once the credential has been found good. */
	HttpErrorKind refusal;
	const char *refusal_message; /* NULL = the general text */
	const HttpHeader *refusal_header;
	Problem *problems; /* an array, made when the first is found */
	int problem_count;
	bool refused;
} Call;

/*
 * Note a problem with the member or parameter of that name; the call is refused with a
 * 400.  The text is printf's.
 */
extern void call_problem(Call *call, const char *name, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* The same about a member or parameter that the endpoint does not have. */
extern void call_problem_unknown(Call *call, const char *name);

/* Refuse the call as a whole; an earlier refusal stays. */
extern void call_refuse(Call *call, HttpErrorKind kind, const char *message);

/* Answer a request that does not get through the door (api.c). */
extern void call_turn_away(HttpRequest *request, const Endpoint *endpoint, CredentialResult result);

#endif
