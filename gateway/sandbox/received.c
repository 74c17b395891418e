/*
 * received.c
 *		Where the files are that the invented telephones send; see received.h.
 */
#include "sandbox/received.h"

#include <stdlib.h>
#include <string.h>

#include "sandbox/files.h"

/* A file that is got: one in memory, or one in the store. */
typedef struct Get
{
	Fetch *fetch;
	const SandboxFile *file;
	size_t at;
	MediaRead *read; /* NULL: there is none */
	uint64_t left;   /* bytes that are still to be read */
	bool room;       /* the store takes more */
	bool asked;      /* for the next piece, which has not come */
} Get;

static void
end_get(void *arg)
{
	Get *get = arg;

	if (get->read != NULL)
		media_read_end(get->read);
	free(get);
}

/* Gives bytes of a file in memory until the store has no room, or there are no more. */
static void
feed(Get *get)
{
	const SandboxFile *file = get->file;
	Fetch *fetch = get->fetch;

	while (get->at < *file->size)
	{
		size_t left = *file->size - get->at;
		size_t len = left < MEDIA_PART_MAX ? left : MEDIA_PART_MAX;
		size_t at = get->at;

		get->at += len;
		if (!fetch_bytes(fetch, (const char *) file->bytes + at, len))
			return;
	}
	fetch_complete(fetch);
}

/* Asks for the next piece of a file in the store, which has room for one until it has none. */
static void
ask(Get *get)
{
	if (!get->room || get->asked || get->left == 0)
		return;
	get->asked = true;
	media_read_next(get->read);
}

static void
resume(void *arg)
{
	Get *get = arg;

	get->room = true;
	if (get->file != NULL)
		feed(get);
	else
		ask(get);
}

static void
on_bytes(void *context, const void *bytes, size_t len)
{
	Get *get = context;
	Fetch *fetch = get->fetch;

	get->asked = false;
	get->left -= len;
	if (get->left == 0)
	{
		fetch_bytes(fetch, bytes, len);
		fetch_complete(fetch);
		return;
	}
	get->room = fetch_bytes(fetch, bytes, len);
	if (get->room)
		ask(get);
}

static void
on_failed(void *context)
{
	const Get *get = context;

	fetch_fail(get->fetch, "the file could not be read", true, false);
}

static void
on_opened(void *context, MediaFound found)
{
	Get *get = context;

	if (found != MEDIA_FOUND)
		fetch_fail(get->fetch, "the file that was sent is not in the store", found != MEDIA_GONE,
				   found == MEDIA_GONE);
	else if (fetch_store(get->fetch))
		resume(get);
}

/* Begins to read a file in the store. */
static void
begin_reading(Get *get, const Sandbox *sandbox, const ConnectorId *org,
			  const uint8_t digest[MEDIA_DIGEST_SIZE], uint64_t size)
{
	static const MediaReadEvents events = {
		.opened = on_opened, .bytes = on_bytes, .failed = on_failed};
	MediaWanted wanted = {.size = size, .length = size};

	memcpy(wanted.org, org->bytes, MEDIA_ORG_SIZE);
	memcpy(wanted.digest, digest, MEDIA_DIGEST_SIZE);
	get->left = size;
	get->read = media_store_read(sandbox->media, &wanted, &events, get);
	if (get->read == NULL)
		fetch_fail(get->fetch, "the store has no room now", true, false);
}

static void
begin(void *context, Fetch *fetch, const FetchFile *file)
{
	uint8_t digest[MEDIA_DIGEST_SIZE];
	Get *get = calloc(1, sizeof(*get));
	uint64_t size;

	if (get == NULL)
	{
		fetch_fail(fetch, "out of memory", true, false);
		return;
	}
	get->fetch = fetch;
	fetch_attach(fetch, get);
	get->file = sandbox_find_file(file->reference);
	if (get->file != NULL)
	{
		if (fetch_store(fetch))
			feed(get);
	}
	else if (sandbox_read_stored(file->reference, digest, &size))
		begin_reading(get, context, file->org, digest, size);
	else
		fetch_fail(fetch, "nobody has sent such a file", false, false);
}

const FetchSource sandbox_received = {.begin = begin, .resume = resume, .end = end_get};
