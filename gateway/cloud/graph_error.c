/*
 * graph_error.c
 *		What to do about an error of the Graph API; see graph_error.h.
 *
 * The codes are those of Meta's page "Error codes" of the Cloud API.  Those of a refusal that
 * would be repeated need no row.
 */
#include "cloud/graph_error.h"

#include <stddef.h>

#define TOKEN_IS_DEAD \
	"Meta does not accept the access token any more; give the session new credentials"
#define TOKEN_MAY_NOT                                                            \
	"the access token lacks a permission; it needs whatsapp_business_messaging " \
	"and whatsapp_business_management"
#define NOT_REGISTERED "the phone number is not registered with the Cloud API; register it at Meta"

typedef struct Row
{
	int first;
	int last; /* 0: only the first */
	GraphAdvice advice;
} Row;

#define AGAIN(most)                             \
	{                                           \
		.verdict = GRAPH_AGAIN, .tries = (most) \
	}
#define PAUSED(seconds)                              \
	{                                                \
		.verdict = GRAPH_PAUSED, .wait_s = (seconds) \
	}
#define BARRED(why)                              \
	{                                            \
		.verdict = GRAPH_BARRED, .reason = (why) \
	}

static const Row rows[] = {
	{0, 0, BARRED(TOKEN_IS_DEAD)},
	{2, 0, AGAIN(GRAPH_TRIES_MAX)},
	{3, 0, BARRED(TOKEN_MAY_NOT)},
	{4, 0, PAUSED(60)},
	{10, 0, BARRED(TOKEN_MAY_NOT)},
	{17, 0, PAUSED(60)},
	{32, 0, PAUSED(60)},
	{33, 0, BARRED("the phone number was deleted at Meta")},
	{102, 0, BARRED(TOKEN_IS_DEAD)},
	{190, 0, BARRED(TOKEN_IS_DEAD)},
	{200, 299, BARRED(TOKEN_MAY_NOT)},
	{368, 0, BARRED("Meta has blocked the account for violations of its policies")},
	{613, 0, PAUSED(60)},
	{80007, 80008, PAUSED(60)},
	{130429, 0, PAUSED(0)},
	{131000, 0, AGAIN(3)},
	{131005, 0, BARRED(TOKEN_MAY_NOT)},
	{131016, 0, AGAIN(GRAPH_TRIES_MAX)},
	{131031, 0, BARRED("Meta has locked the account")},
	{131037, 0, BARRED("Meta has not approved the display name of the phone number")},
	{131044, 131045, BARRED(NOT_REGISTERED)},
	{131048, 0, PAUSED(3600)},
	{131053, 0, AGAIN(2)},
	{131056, 0, {.verdict = GRAPH_PAUSED_CHAT}},
	{131057, 0, PAUSED(60)},
	{131208, 0, PAUSED(60)},
	{132069, 0, PAUSED(60)},
	{133004, 0, AGAIN(GRAPH_TRIES_MAX)},
	{133010, 0, BARRED(NOT_REGISTERED)},
	{133015, 0, PAUSED(300)},
	{2494100, 0, AGAIN(GRAPH_TRIES_MAX)},
};

static bool
is_failure(int status)
{
	return status >= 500;
}

GraphAdvice
graph_error_advice(int code, int status, bool is_transient)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (code >= rows[i].first && code <= (rows[i].last == 0 ? rows[i].first : rows[i].last))
			return rows[i].advice;
	if (code == 1 && is_failure(status))
		return (GraphAdvice) AGAIN(3);
	if (code != 1 && (is_failure(status) || is_transient))
		return (GraphAdvice) AGAIN(GRAPH_TRIES_MAX);
	return (GraphAdvice){.verdict = GRAPH_REFUSED};
}

/*
 * Such an answer is one of a server in front of the API, which says nothing about the token or the
 * number.  It may also have failed after it had passed the request on.
 */
GraphAdvice
graph_error_by_status(int status)
{
	if (status == 401 || status == 403 || status == 404 || status == 408 || status == 429)
		return (GraphAdvice) PAUSED(60);
	return (GraphAdvice){.verdict =
							 status >= 400 && status < 500 ? GRAPH_REFUSED : GRAPH_UNCERTAIN};
}
