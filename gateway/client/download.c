/*
 * download.c
 *		Fetches what a URL leads to; see download.h.
 */
#include "client/download.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/clock.h"

#define OUT_OF_MEMORY "out of memory"

struct Download
{
	const DownloadSetup *setup;
	uint8_t asker[NEGATIVE_CACHE_ASKER_SIZE];
	const DownloadEvents *events;
	void *context;
	char *url; /* owned; of the last redirect */
	int redirects;
	int64_t started_us;
	Destination *destination; /* FINDING */
	Transfer *transfer;       /* FETCHING */
};

static void
free_download(Download *download)
{
	free(download->url);
	free(download);
}

static void
end_download(Download *download, const char *problem, bool retry)
{
	download->events->done(download->context, problem, retry);
	free_download(download);
}

/* At least one: for curl a timeout of 0 is no limit. */
static int
left_ms(const Download *download)
{
	int64_t spent_ms = (clock_monotonic_us() - download->started_us) / 1000;

	return spent_ms < download->setup->timeout_ms ? download->setup->timeout_ms - (int) spent_ms
												  : 1;
}

/* ---- the answer ---- */

static bool find(Download *download);

static bool
is_redirect(const TransferResult *result)
{
	return result->redirect != NULL &&
		   (result->status == 301 || result->status == 302 || result->status == 303 ||
			result->status == 307 || result->status == 308);
}

static void
follow(Download *download, const char *redirect)
{
	char *url = strdup(redirect);

	if (++download->redirects > DOWNLOAD_REDIRECTS_MAX)
	{
		free(url);
		end_download(download, "there are too many redirects", false);
		return;
	}
	free(download->url);
	download->url = url;
	if (url == NULL || !find(download))
		end_download(download, OUT_OF_MEMORY, true);
}

/* Statuses after which the same request may get the file. */
static bool
may_pass(int status)
{
	return status >= 500 || status == 408 || status == 425 || status == 429;
}

static void
on_transfer(void *arg, const TransferResult *result)
{
	Download *download = arg;
	char problem[DOWNLOAD_PROBLEM_MAX];

	download->transfer = NULL;
	if (result->problem != NULL)
		end_download(download, result->problem, !result->hopeless);
	else if (result->status == 200)
		end_download(download, NULL, false);
	else if (is_redirect(result))
		follow(download, result->redirect);
	else
	{
		snprintf(problem, sizeof(problem), "the answer has the status %d", result->status);
		end_download(download, problem, may_pass(result->status));
	}
}

static bool
on_bytes(void *arg, const void *bytes, size_t len)
{
	Download *download = arg;

	return download->events->bytes(download->context, bytes, len);
}

/* ---- the request ---- */

static void
on_found(void *arg, const DestinationFound *found)
{
	Download *download = arg;
	TransferRequest request = {.url = download->url,
							   .target = found->target,
							   .asker = download->asker,
							   .addresses = found->addresses,
							   .address_count = found->count,
							   .headers = (const char *const[]){NULL},
							   .take = on_bytes,
							   .take_max = download->setup->bytes_max,
							   .timeout_ms = left_ms(download)};

	download->destination = NULL;
	if (found->problem != NULL)
	{
		end_download(download, found->problem, found->may_pass);
		return;
	}
	download->transfer =
		transfer_start(download->setup->transfers, &request, on_transfer, download);
	if (download->transfer == NULL)
		end_download(download, OUT_OF_MEMORY, true);
}

static bool
find(Download *download)
{
	download->destination = destination_find(&download->setup->destination, download->asker,
											 download->url, left_ms(download), on_found, download);
	return download->destination != NULL;
}

Download *
download_start(const DownloadSetup *setup, const uint8_t asker[NEGATIVE_CACHE_ASKER_SIZE],
			   const char *url, const DownloadEvents *events, void *context)
{
	Download *download = calloc(1, sizeof(*download));

	if (download == NULL)
		return NULL;
	*download = (Download){.setup = setup,
						   .events = events,
						   .context = context,
						   .url = strdup(url),
						   .started_us = clock_monotonic_us()};
	memcpy(download->asker, asker, NEGATIVE_CACHE_ASKER_SIZE);
	if (download->url == NULL || !find(download))
	{
		free_download(download);
		return NULL;
	}
	return download;
}

void
download_resume(Download *download)
{
	if (download->transfer != NULL)
		transfer_resume(download->transfer);
}

void
download_abandon(Download *download)
{
	if (download->destination != NULL)
		destination_abandon(download->destination);
	if (download->transfer != NULL)
		transfer_abandon(download->transfer);
	free_download(download);
}
