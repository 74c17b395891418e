/*
 * test_media_store.c
 *		What is stored is all there, durable and under its own name; what is not leaves nothing.
 */
#include <dirent.h>
#include <event2/event.h>
#include <fcntl.h>
#include <ftw.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#include "src/common/typeid.h"
#include "http/http.h"
#include "lib/buffer.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "media/store.h"
#include "tests/unit/suite.h"

static const uint8_t org[MEDIA_ORG_SIZE] = {1, 2, 3};
static const uint8_t other_org[MEDIA_ORG_SIZE] = {1, 2, 4};

static struct event_base *base;
static MediaStore *store;
static char folder[64];
static MediaStoreConfig config;
static char error[128];

/* What an upload has told. */
typedef struct Told
{
	int rooms;
	int dones;
	MediaStored stored;
	char type[SNIFF_TYPE_MAX];
} Told;

static void
on_room(void *context)
{
	((Told *) context)->rooms++;
}

static void
on_done(void *context, const MediaStored *stored)
{
	Told *told = context;

	told->dones++;
	told->stored = *stored;
	strcpy(told->type, stored->type == NULL ? "" : stored->type);
}

static const MediaUploadEvents events = {.room = on_room, .done = on_done};

static void
open_store(void)
{
	config.folder = folder;
	store = media_store_open(base, &config, error, sizeof(error));
	ck_assert_msg(store != NULL, "%s", error);
}

static void
start(void)
{
	strcpy(folder, "/tmp/media_store.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	log_set_level(LOG_LEVEL_ERROR);
	base = event_base_new();
	open_store();
}

static int
remove_one(const char *path, const struct stat *status, int type, struct FTW *walk)
{
	(void) status;
	(void) type;
	(void) walk;
	return remove(path);
}

static void
stop(void)
{
	media_store_close(store);
	event_base_free(base);
	nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static int files;

static int
count_one(const char *path, const struct stat *status, int type, struct FTW *walk)
{
	(void) path;
	(void) status;
	(void) walk;
	files += type == FTW_F || type == FTW_SL ? 1 : 0;
	return 0;
}

/* The number of files below the folder, or below one in it. */
static int
count_files(const char *below)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", folder, below);
	files = 0;
	nftw(path, count_one, 8, FTW_PHYS);
	return files;
}

/* Runs the loop until the upload has told its end. */
static void
wait_for(const Told *told)
{
	for (int i = 0; i < 60000 && told->dones == 0; i++)
	{
		event_base_loop(base, EVLOOP_NONBLOCK);
		usleep(1000);
	}
	ck_assert_int_eq(told->dones, 1);
}

static Told
upload_to(const uint8_t *whose, const char *type, const char *bytes, size_t len)
{
	Told told = {0};
	MediaUpload *upload = media_upload_begin(store, whose, type, &events, &told);

	ck_assert_ptr_nonnull(upload);
	ck_assert(media_upload_add(upload, bytes, len));
	media_upload_end(upload);
	wait_for(&told);
	return told;
}

static Told
upload_text(const char *text)
{
	return upload_to(org, "text/plain", text, strlen(text));
}

/* What a read has told. */
typedef struct Heard
{
	int opens;
	MediaFound found;
	int pieces;
	bool failed;
	Buffer bytes;
} Heard;

static void
on_opened(void *context, MediaFound found)
{
	Heard *heard = context;

	heard->opens++;
	heard->found = found;
}

static void
on_bytes(void *context, const void *bytes, size_t len)
{
	Heard *heard = context;

	ck_assert_uint_gt(len, 0);
	ck_assert_uint_le(len, MEDIA_PIECE_MAX);
	heard->pieces++;
	buffer_append(&heard->bytes, bytes, len);
}

static void
on_failed(void *context)
{
	((Heard *) context)->failed = true;
}

static const MediaReadEvents read_events = {
	.opened = on_opened, .bytes = on_bytes, .failed = on_failed};

/* Begins a read of a part of an upload. */
static MediaRead *
begin_read(Heard *heard, const uint8_t *whose, const MediaStored *stored, uint64_t first,
		   uint64_t length)
{
	MediaWanted wanted = {.size = stored->size, .first = first, .length = length};
	MediaRead *reading;

	memcpy(wanted.org, whose, sizeof(wanted.org));
	memcpy(wanted.digest, stored->digest, sizeof(wanted.digest));
	*heard = (Heard){.opens = 0};
	buffer_init(&heard->bytes, 16 * 1024 * 1024);
	reading = media_store_read(store, &wanted, &read_events, heard);
	ck_assert_ptr_nonnull(reading);
	ck_assert_int_eq(heard->opens, 0);
	while (heard->opens == 0)
		event_base_loop(base, EVLOOP_ONCE);
	ck_assert_int_eq(heard->opens, 1);
	return reading;
}

/* What the store says about an upload. */
static MediaFound
look_for(const uint8_t *whose, const MediaStored *stored)
{
	Heard heard;

	media_read_end(begin_read(&heard, whose, stored, 0, 0));
	return heard.found;
}

/* The part of an upload; the caller frees it. */
static Heard
read_part(const MediaStored *stored, uint64_t first, uint64_t length)
{
	Heard heard;
	MediaRead *reading = begin_read(&heard, org, stored, first, length);

	ck_assert_int_eq(heard.found, MEDIA_FOUND);
	while (heard.bytes.len < length && !heard.failed)
	{
		int pieces = heard.pieces;

		media_read_next(reading);
		ck_assert_int_eq(heard.pieces, pieces); /* a thread reads */
		while (pieces == heard.pieces && !heard.failed)
			event_base_loop(base, EVLOOP_ONCE);
	}
	media_read_end(reading);
	return heard;
}

/* The path of the file of an upload. */
static const char *
path_of(const MediaStored *stored)
{
	static char path[256];
	char digits[2 * MEDIA_DIGEST_SIZE + 1];
	char name[WAK_TYPEID_MAX + 1];

	for (int i = 0; i < MEDIA_DIGEST_SIZE; i++)
		sprintf(digits + 2 * i, "%02x", stored->digest[i]);
	wak_typeid_encode("org", org, name);
	snprintf(path, sizeof(path), "%s/%s/%.2s/%s", folder, name, digits, digits);
	return path;
}

START_TEST(what_is_stored_can_be_read)
{
	static const char text[] = "a text to store\n";
	Told told = upload_text(text);
	uint8_t digest[MEDIA_DIGEST_SIZE];
	struct stat status;
	Heard heard;

	SHA256((const unsigned char *) text, strlen(text), digest);
	ck_assert_int_eq(told.stored.outcome, MEDIA_STORED);
	ck_assert_uint_eq(told.stored.size, strlen(text));
	ck_assert_mem_eq(told.stored.digest, digest, sizeof(digest));
	ck_assert_str_eq(told.type, "text/plain");
	heard = read_part(&told.stored, 0, strlen(text));
	ck_assert_str_eq(heard.bytes.data, text);
	buffer_free(&heard.bytes);
	heard = read_part(&told.stored, 2, 4);
	ck_assert_str_eq(heard.bytes.data, "text");
	buffer_free(&heard.bytes);
	ck_assert_int_eq(stat(path_of(&told.stored), &status), 0);
	ck_assert_int_eq(status.st_mode & 0777, 0600);
	ck_assert_int_eq(count_files("incoming"), 0);
	ck_assert_int_eq(count_files(""), 1);
}
END_TEST

START_TEST(the_same_bytes_are_one_file_of_each_organization)
{
	Told first = upload_text("same");
	Told again = upload_text("same");

	ck_assert_mem_eq(first.stored.digest, again.stored.digest, MEDIA_DIGEST_SIZE);
	ck_assert_int_eq(count_files(""), 1);
	ck_assert_int_eq(look_for(org, &first.stored), MEDIA_FOUND);
	ck_assert_int_eq(look_for(other_org, &first.stored), MEDIA_GONE);
	upload_to(other_org, NULL, "same", 4);
	ck_assert_int_eq(look_for(other_org, &first.stored), MEDIA_FOUND);
	ck_assert_int_eq(count_files(""), 2);
}
END_TEST

START_TEST(a_file_of_many_buffers_is_whole)
{
	size_t len = 5 * MEDIA_UPLOAD_BYTES + 4321;
	char *bytes = malloc(len);
	uint8_t digest[MEDIA_DIGEST_SIZE];
	Told told = {0};
	MediaUpload *upload = media_upload_begin(store, org, "application/x-test", &events, &told);
	int waits = 0;
	Heard heard;

	for (size_t i = 0; i < len; i++)
		bytes[i] = (char) (i * 31 + i / 509);
	for (size_t at = 0; at < len; at += HTTP_PART_MAX)
	{
		size_t part = len - at < HTTP_PART_MAX ? len - at : HTTP_PART_MAX;

		if (media_upload_add(upload, bytes + at, part))
			continue;
		/* no more until there is room */
		for (int rooms = told.rooms; told.rooms == rooms;)
			event_base_loop(base, EVLOOP_ONCE);
		waits++;
	}
	media_upload_end(upload);
	wait_for(&told);
	SHA256((const unsigned char *) bytes, len, digest);
	ck_assert_int_gt(waits, 0);
	ck_assert_int_eq(told.stored.outcome, MEDIA_STORED);
	ck_assert_uint_eq(told.stored.size, len);
	ck_assert_mem_eq(told.stored.digest, digest, sizeof(digest));
	heard = read_part(&told.stored, 1, len - 1);
	ck_assert_int_eq(heard.pieces, 11);
	ck_assert_mem_eq(heard.bytes.data, bytes + 1, len - 1);
	buffer_free(&heard.bytes);
	free(bytes);
}
END_TEST

START_TEST(bytes_of_another_type_are_refused)
{
	static const char page[] = "<!DOCTYPE html><html><script>alert(1)</script></html>";
	Told told = upload_to(org, "image/png", page, strlen(page));

	ck_assert_int_eq(told.stored.outcome, MEDIA_REFUSED);
	ck_assert_str_eq(told.stored.found, "text/html");
	ck_assert_int_eq(count_files(""), 0);
}
END_TEST

START_TEST(what_is_cancelled_leaves_nothing)
{
	static char bytes[HTTP_PART_MAX];

	/* before a byte, while a thread may be writing, and after the end */
	for (int parts = 0; parts < 40; parts++)
	{
		Told told = {0};
		MediaUpload *upload = media_upload_begin(store, org, NULL, &events, &told);

		for (int i = 0; i < parts && i < 30; i++)
			media_upload_add(upload, bytes, sizeof(bytes));
		if (parts >= 30)
			event_base_loop(base, EVLOOP_NONBLOCK);
		media_upload_cancel(upload);
		if (parts % 3 == 0)
			event_base_loop(base, EVLOOP_NONBLOCK);
		ck_assert_int_eq(told.dones, 0);
	}
	media_store_close(store);
	ck_assert_int_eq(count_files(""), 0);
	open_store();
}
END_TEST

START_TEST(a_store_that_fails_says_so)
{
	char path[128];
	Told told;

	snprintf(path, sizeof(path), "%s/incoming", folder);
	ck_assert_int_eq(rmdir(path), 0);
	told = upload_text("no place for this");
	ck_assert_int_eq(told.stored.outcome, MEDIA_FAILED);
	ck_assert_int_eq(count_files(""), 0);
}
END_TEST

START_TEST(a_failure_ends_an_upload_before_its_last_byte)
{
	static char bytes[HTTP_PART_MAX];
	char path[128];
	Told told = {0};
	MediaUpload *upload = media_upload_begin(store, org, NULL, &events, &told);

	snprintf(path, sizeof(path), "%s/incoming", folder);
	ck_assert_int_eq(rmdir(path), 0);
	while (told.dones == 0 && media_upload_add(upload, bytes, sizeof(bytes)))
		event_base_loop(base, EVLOOP_NONBLOCK);
	wait_for(&told);
	ck_assert_int_eq(told.stored.outcome, MEDIA_FAILED);
}
END_TEST

START_TEST(a_link_in_place_of_a_file_is_not_followed)
{
	Told told = upload_text("to be replaced");
	const char *path = path_of(&told.stored);

	ck_assert_int_eq(unlink(path), 0);
	ck_assert_int_eq(look_for(org, &told.stored), MEDIA_GONE);
	ck_assert_int_eq(symlink("/etc/passwd", path), 0);
	log_set_level(LOG_LEVEL_ERROR + 1);
	ck_assert_int_eq(look_for(org, &told.stored), MEDIA_DAMAGED);

	/* the bytes once more mend it */
	upload_text("to be replaced");
	ck_assert_int_eq(look_for(org, &told.stored), MEDIA_FOUND);
}
END_TEST

START_TEST(a_file_that_has_changed_is_not_read_to_its_end)
{
	Told told = upload_text("to become shorter");
	Heard heard;
	MediaRead *reading = begin_read(&heard, org, &told.stored, 0, told.stored.size);

	log_set_level(LOG_LEVEL_ERROR + 1);
	ck_assert_int_eq(truncate(path_of(&told.stored), 3), 0);
	media_read_next(reading);
	while (!heard.failed)
		event_base_loop(base, EVLOOP_ONCE);
	ck_assert_int_eq(heard.pieces, 0);
	media_read_end(reading);
	ck_assert_int_eq(look_for(org, &told.stored), MEDIA_DAMAGED);
}
END_TEST

static void
on_removed(void *context, bool removed)
{
	*(int *) context = removed ? 1 : 0;
}

/* Removes a file, if it begins within so many milliseconds; whether that was done. */
static int
remove_within(const MediaStored *stored, int64_t ms)
{
	int removed = -1;

	ck_assert_ptr_nonnull(media_store_remove(store, org, stored->digest, clock_elapsed_ms() + ms,
											 on_removed, &removed));
	ck_assert_int_eq(removed, -1); /* it is told later */
	while (removed < 0)
		event_base_loop(base, EVLOOP_ONCE);
	return removed;
}

START_TEST(what_is_removed_is_gone_for_one_organization)
{
	Told told = upload_text("to be removed");

	upload_to(other_org, NULL, "to be removed", strlen("to be removed"));
	ck_assert_int_eq(remove_within(&told.stored, 60000), 1);
	ck_assert_int_eq(look_for(org, &told.stored), MEDIA_GONE);
	ck_assert_int_eq(look_for(other_org, &told.stored), MEDIA_FOUND);
	ck_assert_int_eq(remove_within(&told.stored, 60000), 1); /* also if there is none */
	upload_text("to be removed");
	ck_assert_int_eq(look_for(org, &told.stored), MEDIA_FOUND);
}
END_TEST

/* Another worker may have removed it by then, and somebody may have stored it again. */
START_TEST(a_removal_that_begins_too_late_is_not_done)
{
	Told told = upload_text("to be kept");

	log_set_level(LOG_LEVEL_ERROR + 1);
	ck_assert_int_eq(remove_within(&told.stored, -1), 0);
	ck_assert_int_eq(look_for(org, &told.stored), MEDIA_FOUND);
}
END_TEST

START_TEST(a_removal_that_was_ended_tells_nothing)
{
	Told told = upload_text("to be removed");
	int removed = -1;

	media_removal_end(media_store_remove(store, org, told.stored.digest, clock_elapsed_ms() + 60000,
										 on_removed, &removed));
	while (look_for(org, &told.stored) != MEDIA_GONE)
		usleep(1000);
	ck_assert_int_eq(removed, -1);
}
END_TEST

START_TEST(a_read_may_be_ended_before_it_is_opened)
{
	Told told = upload_text("not read");
	Heard heard = {0};
	MediaWanted wanted = {.size = told.stored.size, .length = told.stored.size};

	memcpy(wanted.org, org, sizeof(wanted.org));
	memcpy(wanted.digest, told.stored.digest, sizeof(wanted.digest));
	media_read_end(media_store_read(store, &wanted, &read_events, &heard));
	event_base_loop(base, EVLOOP_NONBLOCK);
	ck_assert_int_eq(heard.opens, 0);
}
END_TEST

START_TEST(what_a_dead_program_has_left_goes_after_a_day)
{
	char path[128];
	struct timeval old[2] = {{.tv_sec = time(NULL) - 25 * 3600},
							 {.tv_sec = time(NULL) - 25 * 3600}};

	for (int i = 0; i < 2; i++)
	{
		snprintf(path, sizeof(path), "%s/incoming/left%d", folder, i);
		close(open(path, O_CREAT | O_WRONLY, 0600));
	}
	ck_assert_int_eq(utimes(path, old), 0);
	ck_assert_int_eq(count_files("incoming"), 2);
	media_store_close(store);
	open_store();
	ck_assert_int_eq(count_files("incoming"), 1);
	ck_assert_int_ne(access(path, F_OK), 0);
}
END_TEST

START_TEST(a_program_that_stays_removes_what_others_have_left)
{
	char path[128];
	struct timeval old[2] = {{.tv_sec = time(NULL) - 25 * 3600},
							 {.tv_sec = time(NULL) - 25 * 3600}};

	media_store_close(store);
	config.tidy_ms = 10;
	open_store();
	snprintf(path, sizeof(path), "%s/incoming/left", folder);
	close(open(path, O_CREAT | O_WRONLY, 0600));
	for (int i = 0; i < 20; i++)
		event_base_loop(base, EVLOOP_ONCE);
	ck_assert_int_eq(access(path, F_OK), 0);
	ck_assert_int_eq(utimes(path, old), 0);
	while (access(path, F_OK) == 0)
		event_base_loop(base, EVLOOP_ONCE);
}
END_TEST

START_TEST(uploads_at_once_are_bounded)
{
	MediaUpload *uploads[MEDIA_UPLOADS_MAX];
	Told told = {0};

	for (int i = 0; i < MEDIA_UPLOADS_OF_ONE; i++)
		ck_assert_ptr_nonnull(uploads[i] = media_upload_begin(store, org, NULL, &events, &told));
	ck_assert_ptr_null(media_upload_begin(store, org, NULL, &events, &told));
	for (int i = MEDIA_UPLOADS_OF_ONE; i < MEDIA_UPLOADS_MAX; i++)
		ck_assert_ptr_nonnull(uploads[i] =
								  media_upload_begin(store, other_org, NULL, &events, &told));
	for (int i = 0; i < MEDIA_UPLOADS_MAX; i++)
		media_upload_cancel(uploads[i]);
	media_store_close(store);
	open_store();
	upload_text("once more");
}
END_TEST

START_TEST(a_folder_that_cannot_be_used_is_reported)
{
	ck_assert(media_store_check(&config, error, sizeof(error)));
	config.folder = "/nonexistent";
	ck_assert(!media_store_check(&config, error, sizeof(error)));
	ck_assert_ptr_nonnull(strstr(error, "--media-dir"));
	config.folder = "/etc/passwd";
	ck_assert_ptr_null(media_store_open(base, &config, error, sizeof(error)));
	ck_assert_ptr_nonnull(strstr(error, "Not a directory"));
}
END_TEST

static void
add(TCase *cases)
{
	tcase_add_checked_fixture(cases, start, stop);
	tcase_add_test(cases, what_is_stored_can_be_read);
	tcase_add_test(cases, the_same_bytes_are_one_file_of_each_organization);
	tcase_add_test(cases, a_file_of_many_buffers_is_whole);
	tcase_add_test(cases, bytes_of_another_type_are_refused);
	tcase_add_test(cases, what_is_cancelled_leaves_nothing);
	tcase_add_test(cases, a_store_that_fails_says_so);
	tcase_add_test(cases, a_failure_ends_an_upload_before_its_last_byte);
	tcase_add_test(cases, a_link_in_place_of_a_file_is_not_followed);
	tcase_add_test(cases, a_file_that_has_changed_is_not_read_to_its_end);
	tcase_add_test(cases, what_is_removed_is_gone_for_one_organization);
	tcase_add_test(cases, a_removal_that_begins_too_late_is_not_done);
	tcase_add_test(cases, a_removal_that_was_ended_tells_nothing);
	tcase_add_test(cases, a_read_may_be_ended_before_it_is_opened);
	tcase_add_test(cases, what_a_dead_program_has_left_goes_after_a_day);
	tcase_add_test(cases, a_program_that_stays_removes_what_others_have_left);
	tcase_add_test(cases, uploads_at_once_are_bounded);
	tcase_add_test(cases, a_folder_that_cannot_be_used_is_reported);
	tcase_set_timeout(cases, 30);
}

SUITE_WITH("media store", add)
