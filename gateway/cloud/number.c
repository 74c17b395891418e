/*
 * number.c
 *		Connects a phone number of the Cloud API; see number.h.
 *
 * Only fields that every version has are asked for: one that a version lacks fails the whole call.
 */
#include "cloud/number.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NUMBER_FIELDS "fields=id,display_phone_number,verified_name,quality_rating,status&"

typedef enum CheckState
{
	CHECK_NUMBER,     /* the number is asked for */
	CHECK_SUBSCRIBED, /* the subscriptions of the account are */
	CHECK_SUBSCRIBE   /* the app is being subscribed */
} CheckState;

struct NumberCheck
{
	const GraphSetup *setup;
	const CloudCredentials *credentials;
	bool connect;
	CheckState state;
	GraphCall *call;
	NumberResult result;
	NumberDone done;
	void *context;
};

/* What Meta says of a number.  Others, also those of later versions, are no reason to stop. */
typedef struct StatusRow
{
	const char *status;
	bool fails;
	const char *reason;
} StatusRow;

static const StatusRow statuses[] = {
	{"PENDING", true, "the phone number is not registered yet; finish its registration at Meta"},
	{"UNVERIFIED", true, "the phone number is not verified; verify it at Meta"},
	{"DISCONNECTED", true, "the phone number is disconnected; register it at Meta again"},
	{"MIGRATED", true, "the phone number was moved to another account"},
	{"BANNED", true, "Meta has banned the phone number"},
	{"DELETED", true, "the phone number was deleted at Meta"},
	{"FLAGGED", false, "Meta has flagged the phone number: its quality is low"},
	{"RESTRICTED", false, "Meta restricts the phone number: it has reached its limit of messages"},
	{"RATE_LIMITED", false, "Meta limits the rate of the phone number"},
};

static bool begin_call(NumberCheck *check, CheckState state);

static void
end(NumberCheck *check, NumberOutcome outcome, const char *problem)
{
	check->result.outcome = outcome;
	if (problem != NULL)
		snprintf(check->result.problem, sizeof(check->result.problem), "%s", problem);
	check->done(check->context, &check->result);
	free(check);
}

/* ---- answers ---- */

/* Returns NULL, or why the number cannot be used. */
static const char *
read_status(NumberCheck *check, const JsonValue *json)
{
	char status[32];

	graph_copy_text(json, "status", status, sizeof(status));
	for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++)
	{
		if (strcmp(status, statuses[i].status) != 0)
			continue;
		if (statuses[i].fails)
			return statuses[i].reason;
		snprintf(check->result.problem, sizeof(check->result.problem), "%s", statuses[i].reason);
	}
	return NULL;
}

/* The number is written in many ways: "+1 555-000-1111". */
static bool
read_digits(const JsonValue *json, char digits[NUMBER_DIGITS_MAX + 1])
{
	char written[64];
	size_t len = 0;

	graph_copy_text(json, "display_phone_number", written, sizeof(written));
	for (const char *at = written; *at != '\0'; at++)
		if (*at >= '0' && *at <= '9' && len++ < NUMBER_DIGITS_MAX)
			digits[len - 1] = *at;
	digits[len < NUMBER_DIGITS_MAX ? len : NUMBER_DIGITS_MAX] = '\0';
	return len > 0 && len <= NUMBER_DIGITS_MAX;
}

static void
take_number(NumberCheck *check, const JsonValue *json)
{
	const char *problem = read_status(check, json);

	if (problem != NULL)
		end(check, NUMBER_FAILS, problem);
	else if (!read_digits(json, check->result.digits))
		end(check, check->connect ? NUMBER_FAILS : NUMBER_UNKNOWN,
			"Meta does not say the phone number of this phoneNumberId");
	else if (!check->connect)
		end(check, NUMBER_WORKS, NULL);
	else if (!begin_call(check, CHECK_SUBSCRIBED))
		end(check, NUMBER_UNKNOWN, "out of memory");
}

static bool
has_app(const JsonValue *json, const char *app)
{
	const JsonValue *data = json_read_member(json, "data");
	char id[CLOUD_ID_MAX + 1];

	for (size_t i = 0; i < json_read_count(data); i++)
	{
		graph_copy_text(json_read_member(json_read_element(data, i), "whatsapp_business_api_data"),
						"id", id, sizeof(id));
		if (strcmp(id, app) == 0)
			return true;
	}
	return false;
}

static void
take_subscribed(NumberCheck *check, const JsonValue *json)
{
	if (has_app(json, check->credentials->app_id))
		end(check, NUMBER_WORKS, NULL);
	else if (!begin_call(check, CHECK_SUBSCRIBE))
		end(check, NUMBER_UNKNOWN, "out of memory");
}

/* What Meta itself refuses when the number is connected is one of the credentials. */
static void
end_refused(NumberCheck *check, const GraphAnswer *answer)
{
	char problem[GRAPH_PROBLEM_MAX + 1];

	snprintf(problem, sizeof(problem), "check %s, accessToken and appSecret: %.*s",
			 check->state == CHECK_NUMBER ? "phoneNumberId" : "wabaId", GRAPH_PROBLEM_MAX / 2,
			 answer->problem);
	end(check, NUMBER_FAILS, problem);
}

/* A number that has worked does not fail because one look is refused. */
static void
take_refusal(NumberCheck *check, const GraphAnswer *answer)
{
	if (answer->advice.verdict == GRAPH_BARRED)
		end(check, NUMBER_FAILS, answer->problem);
	else if (answer->advice.verdict == GRAPH_REFUSED && answer->code >= 0 && check->connect)
		end_refused(check, answer);
	else
		end(check, NUMBER_UNKNOWN, answer->problem);
}

static void
on_answer(void *context, const GraphAnswer *answer)
{
	NumberCheck *check = context;

	check->call = NULL;
	if (answer->advice.verdict != GRAPH_DONE)
		take_refusal(check, answer);
	else if (check->state == CHECK_NUMBER)
		take_number(check, answer->json);
	else if (check->state == CHECK_SUBSCRIBED)
		take_subscribed(check, answer->json);
	else
		end(check, NUMBER_WORKS, NULL);
}

/* ---- calls ---- */

static bool
begin_call(NumberCheck *check, CheckState state)
{
	bool is_number = state == CHECK_NUMBER;
	GraphRequest request = {.method = state == CHECK_SUBSCRIBE ? "POST" : "GET",
							.id = is_number ? check->credentials->phone_number_id
											: check->credentials->waba_id,
							.edge = is_number ? "" : "/subscribed_apps",
							.query = is_number ? NUMBER_FIELDS : "",
							.body = state == CHECK_SUBSCRIBE ? "{}" : NULL,
							.body_len = 2};

	check->state = state;
	check->call = graph_call(check->setup, check->credentials, &request, on_answer, check);
	return check->call != NULL;
}

NumberCheck *
number_check(const GraphSetup *setup, const CloudCredentials *credentials, bool connect,
			 NumberDone done, void *context)
{
	NumberCheck *check = calloc(1, sizeof(*check));

	if (check == NULL)
		return NULL;
	*check = (NumberCheck){.setup = setup,
						   .credentials = credentials,
						   .connect = connect,
						   .done = done,
						   .context = context};
	if (begin_call(check, CHECK_NUMBER))
		return check;
	free(check);
	return NULL;
}

void
number_check_abandon(NumberCheck *check)
{
	if (check->call != NULL)
		graph_call_abandon(check->call);
	free(check);
}
