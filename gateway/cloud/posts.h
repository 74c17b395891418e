/*
 * posts.h
 *		Takes the notifications that Meta posts, and stores what they say.
 *
 *	READING ──the body has come──▶ ASKING ──its signature is right──▶ REPORTING ──▶ answered
 *	   └────────────────────────────┴──────────────────────────────────▲ refused
 *
 * A notification is answered with 200 when all that it says is committed.  Meta repeats what it
 * gets another answer for, or none, for days; what is stored already is not stored twice.  So a
 * notification is refused in the middle without harm, when the database is away or a session has
 * no number yet.  What is not understood, and what is about numbers that nobody has, is answered
 * with 200 too, or it would come again and again.
 *
 * The order of notifications and of what they say means nothing: Meta keeps none.
 */
#ifndef CLOUD_POSTS_H
#define CLOUD_POSTS_H

#include "cloud/cloud.h"
#include "http/http.h"

/* Whose bodies have come, at once; more are refused with 503. */
#define POSTS_MAX 64

/* Of them with reports of one organization; as above. */
#define POSTS_ORG_MAX 16

/* Lists of reports that are on their way at once, one of each organization. */
#define POSTS_LISTS_MAX 4

/*
 * Whose bodies come yet, and the bytes of all bodies and of their reports.  Nobody knows who has
 * sent the former, so with more the oldest of the address that has most gives way: it is refused
 * with 503.
 */
#define POSTS_READING_MAX 128
#define POSTS_BYTES_MAX (64 * 1024 * 1024)

/* In which a body has to come; a slower one is refused with 408. */
#define POSTS_READING_MS 15000

/* What has come since the start. */
typedef struct PostCounts
{
	uint64_t posts;    /* that were taken: answered with 200 */
	uint64_t refused;  /* that were not */
	uint64_t reported; /* updates that were stored */
	uint64_t dropped;  /* that nothing is stored of */
	uint64_t unknown;  /* that are not understood */
	uint64_t strange;  /* that are about a number or account that nobody has */
	uint64_t forged;   /* that are signed with a secret that is not the session's */
	uint64_t wrong;    /* that the database refused, or that did not fit */
} PostCounts;

typedef struct Posts Posts;

/*
 * changed(context, session) is called for a session with whose number or account something has
 * happened.  The cloud is borrowed.  NULL: out of memory.
 */
extern Posts *posts_open(const Cloud *cloud,
						 void (*changed)(void *context, const ConnectorId *session), void *context);

/* Ends all at once; the HTTP server has to be gone.  The argument may be NULL. */
extern void posts_close(Posts *posts);

/* Whether the head of a request is one that posts_take() takes, so that its body is read. */
extern bool posts_want(const Posts *posts, const HttpRequest *request);

/* Takes a request, whose body comes yet, for the app of this id.  It answers the request. */
extern void posts_take(Posts *posts, HttpRequest *request, const char *app);

extern const PostCounts *posts_counts(const Posts *posts);

#endif
