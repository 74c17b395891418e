/*
 * call.h
 *		One request on its way through the API.
 *
 * A call is made when its route and its credential were found, and freed when it was
 * answered.  It owns the parsed body.  It owns the database request until that is
 * submitted; afterwards it keeps the pointer only to abandon the request when the client
 * leaves.
 */
#ifndef API_CALL_H
#define API_CALL_H

#include "api/api.h"
#include "api/credential.h"
#include "api/health.h"
#include "api/route.h"
#include "api/share.h"
#include "lib/json_read.h"
#include "lib/places.h"

/*
 * The number of problems that are noted of one request and shown as details; no more are
 * looked for.
 */
#define CALL_PROBLEMS_MAX 8
#define PROBLEM_NAME_MAX 64
#define PROBLEM_TEXT_MAX 2048

typedef struct Attachment Attachment; /* attachment.c */
typedef struct Upload Upload;         /* upload.c */
typedef struct Sealing Sealing;       /* sealing.c */

typedef struct Problem
{
	char name[PROBLEM_NAME_MAX + 1];
	char text[PROBLEM_TEXT_MAX + 1];
} Problem;

struct Api
{
	struct event_base *base;
	Db *db;
	int timeout_ms;
	RouteTable routes;
	int authorized; /* these statements belong to no row */
	int authorized_person;
	int signed_in;
	int ready;
	int media_begin;
	int media_create;
	int message_file_begin;
	int message_file_send;
	int sealing_key;
	int credential_reaches;
	Readiness readiness;
	HttpPeers *costly;    /* counts each client's requests in the costly lane */
	ApiRealtime realtime; /* NULL: WebSockets are not served */
	void *realtime_context;
	Places uploads;           /* by organization */
	struct MediaStore *media; /* NULL: no files are stored */
	uint64_t media_max;       /* bytes of a file */
};

typedef struct Call
{
	Api *api;
	HttpRequest *http;
	const Route *route;
	Credential credential;
	JsonValue *body;        /* NULL: none was sent, or the endpoint takes none */
	Upload *upload;         /* NULL: no file is taken from the body, or not yet */
	Attachment *attachment; /* NULL: the body is not JSON with a file in it */
	Sealing *sealing;       /* NULL: there are no credentials to seal, or they were not read yet */
	DbRequest *db;
	int limit;   /* the number of rows that a list shows */
	bool slow;   /* whether it runs in the slow lane */
	bool asks;   /* whether the call goes on when this statement has succeeded */
	Share share; /* its place in the costly lane */

	/*
	 * The error for a fault of the request itself.  It is sent after the credential was
	 * found valid.
	 */
	HttpErrorKind refusal;
	const char *refusal_message; /* NULL = the general text */
	const HttpHeader *refusal_header;
	Problem *problems; /* an array that is allocated for the first problem */
	int problem_count;
	bool refused;
} Call;

/*
 * Notes a problem with the member or parameter of that name.  The call is then refused with
 * a 400.  The text is formatted like printf.
 */
extern void call_problem(Call *call, const char *name, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Notes that the endpoint has no member or parameter of that name. */
extern void call_problem_unknown(Call *call, const char *name);

/* Refuses the call as a whole.  An earlier refusal is kept. */
extern void call_refuse(Call *call, HttpErrorKind kind, const char *message);

/* Answers a request whose credential was not accepted (api.c). */
extern void call_turn_away(HttpRequest *request, const Endpoint *endpoint, CredentialResult result);

#endif
