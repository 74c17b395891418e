/*
 * download.c
 *		Fetches what a URL leads to; see download.h.
 */
#include "client/download.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <arpa/inet.h>

#include "lib/clock.h"
#include "src/common/memory.h"

#define OUT_OF_MEMORY "out of memory"

struct Download
{
	const DownloadSetup *setup;
	uint8_t asker[NEGATIVE_CACHE_ASKER_SIZE];
	const DownloadEvents *events;
	void *context;
	char *url;                /* owned; of the last redirect */
	char *header;             /* owned; NULL: no credential is sent */
	const char *const *hosts; /* with a header */
	int redirects;
	int64_t started_us;
	Destination *destination; /* FINDING */
	Transfer *transfer;       /* FETCHING */
};

static void
free_download(Download *download)
{
	if (download->header != NULL)
		wak_wipe(download->header, strlen(download->header));
	free(download->header);
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

/* Statuses after which the same request, or one with a fresh URL, may get the file. */
static bool
may_pass(const Download *download, int status)
{
	if (download->header != NULL && (status == 401 || status == 403 || status == 404))
		return true;
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
		end_download(download, problem, may_pass(download, result->status));
	}
}

static bool
on_bytes(void *arg, const void *bytes, size_t len)
{
	Download *download = arg;

	return download->events->bytes(download->context, bytes, len);
}

/* ---- the request ---- */

static bool
is_machine_itself(const EgressTarget *target)
{
	const struct sockaddr_in *address =
		(const struct sockaddr_in *) (const void *) &target->address;

	return target->kind == EGRESS_ADDRESS && address->sin_family == AF_INET &&
		   (ntohl(address->sin_addr.s_addr) >> 24) == IN_LOOPBACKNET;
}

/* Whether a name is the host, or ends like it. */
static bool
is_host(const char *name, const char *host)
{
	size_t name_len = strlen(name);
	size_t host_len = strlen(host);

	if (host[0] != '.')
		return strcmp(name, host) == 0;
	return name_len > host_len && strcmp(name + name_len - host_len, host) == 0;
}

static bool
may_have_credential(const Download *download, const EgressTarget *target)
{
	if (!target->tls && !is_machine_itself(target))
		return false;
	for (const char *const *host = download->hosts; *host != NULL; host++)
		if (is_host(target->host, *host))
			return true;
	return false;
}

static void
on_found(void *arg, const DestinationFound *found)
{
	Download *download = arg;
	const char *headers[] = {download->header, NULL};
	TransferRequest request = {.url = download->url,
							   .target = found->target,
							   .asker = download->asker,
							   .addresses = found->addresses,
							   .address_count = found->count,
							   .headers = headers,
							   .take = on_bytes,
							   .take_max = download->setup->bytes_max,
							   .timeout_ms = left_ms(download)};

	download->destination = NULL;
	if (found->problem != NULL)
	{
		end_download(download, found->problem, found->may_pass);
		return;
	}
	if (download->header != NULL && !may_have_credential(download, found->target))
	{
		end_download(download, "the file is on a host that may not have the credential", false);
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
			   const char *url, const DownloadAccess *access, const DownloadEvents *events,
			   void *context)
{
	Download *download = calloc(1, sizeof(*download));

	if (download == NULL)
		return NULL;
	*download = (Download){.setup = setup,
						   .events = events,
						   .context = context,
						   .url = strdup(url),
						   .header = access == NULL ? NULL : strdup(access->header),
						   .hosts = access == NULL ? NULL : access->hosts,
						   .started_us = clock_monotonic_us()};
	memcpy(download->asker, asker, NEGATIVE_CACHE_ASKER_SIZE);
	if (download->url == NULL || (access != NULL && download->header == NULL) || !find(download))
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
