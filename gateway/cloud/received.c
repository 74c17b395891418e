/*
 * received.c
 *		Where the files are that people send; see received.h.
 */
#include "cloud/received.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/common/memory.h"

#define ID_MAX 256 /* characters of Meta's id of a file */
#define HEADER_MAX (sizeof("Authorization: Bearer ") + CLOUD_TOKEN_MAX)

/* A file that is got. */
typedef struct Get
{
	Fetch *fetch;
	const CloudReceived *received;
	uint8_t org[DB_UUID_SIZE];
	char header[HEADER_MAX];
	GraphCall *call;    /* Meta is asked for the URL */
	Download *download; /* the file comes */
} Get;

static void
end_get(void *arg)
{
	Get *get = arg;

	if (get->call != NULL)
		graph_call_abandon(get->call);
	if (get->download != NULL)
		download_abandon(get->download);
	wak_wipe(get->header, sizeof(get->header));
	free(get);
}

static void
resume(void *arg)
{
	const Get *get = arg;

	if (get->download != NULL)
		download_resume(get->download);
}

/* ---- the file ---- */

static bool
on_bytes(void *context, const void *bytes, size_t len)
{
	const Get *get = context;

	return fetch_bytes(get->fetch, bytes, len);
}

static void
on_downloaded(void *context, const char *problem, bool retry)
{
	Get *get = context;

	get->download = NULL;
	if (problem == NULL)
		fetch_complete(get->fetch);
	else
		fetch_fail(get->fetch, problem, retry, false);
}

static void
begin_download(Get *get, const char *url)
{
	static const DownloadEvents events = {.bytes = on_bytes, .done = on_downloaded};
	const CloudReceived *received = get->received;
	const DownloadAccess access = {.header = get->header, .hosts = received->hosts};

	if (!fetch_store(get->fetch))
		return;
	get->download = download_start(received->downloads, get->org, url, &access, &events, get);
	if (get->download == NULL)
		fetch_fail(get->fetch, "out of memory", true, false);
}

/* ---- its URL ---- */

/* Meta refuses what it does not have, or does not have any more. */
static void
on_answer(void *context, const GraphAnswer *answer)
{
	char url[EGRESS_URL_MAX + 1];
	Get *get = context;

	get->call = NULL;
	if (answer->advice.verdict != GRAPH_DONE)
	{
		bool refused = answer->advice.verdict == GRAPH_REFUSED;

		fetch_fail(get->fetch, answer->problem, !refused, refused);
		return;
	}
	graph_copy_text(answer->json, "url", url, sizeof(url));
	if (url[0] == '\0')
		fetch_fail(get->fetch, "Meta does not say the URL of the file", true, false);
	else
		begin_download(get, url);
}

/* The id becomes a part of a URL. */
static bool
is_id(const char *reference)
{
	static const char allowed[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";
	size_t len = strlen(reference);

	return len > 0 && len <= ID_MAX && strspn(reference, allowed) == len;
}

static void
ask(Get *get, const CloudCredentials *credentials, const char *id)
{
	char query[sizeof("phone_number_id=&") + CLOUD_ID_MAX];
	const GraphRequest request = {.method = "GET", .id = id, .edge = "", .query = query};

	snprintf(query, sizeof(query), "phone_number_id=%s&", credentials->phone_number_id);
	snprintf(get->header, sizeof(get->header), "Authorization: Bearer %s",
			 credentials->access_token);
	get->call = graph_call(&get->received->cloud->graph, credentials, &request, on_answer, get);
	if (get->call == NULL)
		fetch_fail(get->fetch, "out of memory", true, false);
}

static void
begin(void *context, Fetch *fetch, const FetchFile *file)
{
	const CloudReceived *received = context;
	const SessionView *session = sessions_find(received->sessions, file->session);
	Get *get;

	if (!is_id(file->reference))
	{
		fetch_fail(fetch, "WhatsApp has no such file", false, false);
		return;
	}
	if (session == NULL || session->credentials == NULL)
	{
		fetch_fail(fetch, "the session is not connected", true, false);
		return;
	}
	get = calloc(1, sizeof(*get));
	if (get == NULL)
	{
		fetch_fail(fetch, "out of memory", true, false);
		return;
	}
	get->fetch = fetch;
	get->received = received;
	memcpy(get->org, file->org->bytes, DB_UUID_SIZE);
	fetch_attach(fetch, get);
	ask(get, session->credentials, file->reference);
}

const FetchSource cloud_received = {.begin = begin, .resume = resume, .end = end_get};
