/*
 * test_media_scan.c
 *		A scan finds each file of a folder once, a page at a time, and a list of a bucket is read as
 *		it stands, wherever it is split.
 */
#include <event2/event.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#include "lib/buffer.h"
#include "lib/log.h"
#include "media/name.h"
#include "media/s3_listing.h"
#include "media/store.h"
#include "tests/unit/suite.h"

#define DAY 86400

static const uint8_t org[MEDIA_ORG_SIZE] = {1, 2, 3};
static const uint8_t other_org[MEDIA_ORG_SIZE] = {1, 2, 4};

static struct event_base *base;
static MediaStore *store;
static char folder[64];
static MediaStoreConfig config;

/* What a scan has told. */
typedef struct Told
{
	int pages;
	int found;
	int young;
	int others;
	bool failed;
	bool is_end;
	char behind[MEDIA_PLACE_MAX];
	uint8_t seen[4096]; /* how often, by the first two bytes behind the first one of a digest */
} Told;

static void
on_scanned(void *context, const MediaPage *page)
{
	Told *told = context;

	ck_assert_int_le(page->count + page->young + page->others, MEDIA_PAGE_NAMES);
	told->pages++;
	told->found += page->count;
	told->young += page->young;
	told->others += page->others;
	told->failed = page->failed;
	told->is_end = page->is_end;
	strcpy(told->behind, page->behind);
	for (int i = 0; i < page->count; i++)
		told->seen[page->names[i].digest[1] << 8 | page->names[i].digest[2]]++;
}

static void
open_store(void)
{
	char error[128];

	config.folder = folder;
	store = media_store_open(base, &config, error, sizeof(error));
	ck_assert_msg(store != NULL, "%s", error);
}

static void
start(void)
{
	strcpy(folder, "/tmp/media_scan.XXXXXX");
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

/* Makes a file of that age, and the folders above it. */
static void
make_file(const char *name, int age_s)
{
	char path[256];
	struct timeval times[2] = {{.tv_sec = time(NULL) - age_s}, {.tv_sec = time(NULL) - age_s}};
	int fd;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	for (char *slash = path + strlen(folder) + 1; (slash = strchr(slash, '/')) != NULL; slash++)
	{
		*slash = '\0';
		mkdir(path, 0700);
		*slash = '/';
	}
	fd = open(path, O_CREAT | O_WRONLY, 0600);
	ck_assert_int_ge(fd, 0);
	close(fd);
	ck_assert_int_eq(utimes(path, times), 0);
}

/* A file of the store, whose digest begins with a byte and a number. */
static void
make_stored(const uint8_t *whose, uint8_t first, int number, int age_s)
{
	uint8_t digest[MEDIA_DIGEST_SIZE] = {first, (uint8_t) (number >> 8), (uint8_t) number};
	char name[MEDIA_NAME_MAX];

	media_write_name(whose, digest, name);
	make_file(name, age_s);
}

/* Runs a scan until it has told so many pages, or its end. */
static void
scan(Told *told, const char *behind, int pages)
{
	MediaScan *scanning = media_scan_begin(store, behind, on_scanned, told);

	*told = (Told){.pages = 0};
	while (told->pages < pages && !told->is_end && !told->failed)
	{
		int before = told->pages;

		ck_assert(media_scan_next(scanning));
		ck_assert_int_eq(told->pages, before);
		while (told->pages == before)
			event_base_loop(base, EVLOOP_ONCE);
	}
	media_scan_end(scanning);
}

START_TEST(each_file_is_found_once)
{
	Told told;

	for (int i = 0; i < 1000; i++)
		make_stored(org, 0xab, i, DAY + 60);
	make_stored(org, 0x00, 2000, DAY + 60);
	make_stored(other_org, 0xab, 3000, DAY + 60);
	scan(&told, "", 1000);
	ck_assert(told.is_end && !told.failed);
	ck_assert_int_eq(told.found, 1002);
	ck_assert_int_ge(told.pages, 4); /* so many names are not read at once */
	for (int i = 0; i < 1000; i++)
		ck_assert_uint_eq(told.seen[i], 1);
	ck_assert(told.seen[2000] == 1 && told.seen[3000] == 1);
}
END_TEST

START_TEST(young_files_and_other_names_are_only_counted)
{
	Told told;
	char path[128];

	make_stored(org, 0x11, 1, DAY + 60);
	make_stored(org, 0x11, 2, DAY - 60);
	make_file("incoming/0123456789abcdef0123456789abcdef", 2 * DAY);
	make_file("lost+found/x", 2 * DAY);
	make_file("README", 2 * DAY);
	make_file("org_00000000000000000000000000/xy/z", 2 * DAY);
	make_file("org_00000000000000000000000000/ab/short", 2 * DAY);
	make_file("org_00000000000000000000000000/ab/"
			  "cd00000000000000000000000000000000000000000000000000000000000000",
			  2 * DAY);
	make_file("org_00000000000000000000000000/ab/"
			  "AB00000000000000000000000000000000000000000000000000000000000000",
			  2 * DAY);
	snprintf(path, sizeof(path), "%s/org_00000000000000000000000001", folder);
	ck_assert_int_eq(symlink("/etc", path), 0);
	scan(&told, "", 1000);
	ck_assert(told.is_end && !told.failed);
	ck_assert_int_eq(told.found, 1);
	ck_assert_int_eq(told.young, 1);
	ck_assert_int_eq(told.others, 7);
}
END_TEST

START_TEST(another_scan_goes_on)
{
	Told told;
	uint8_t seen[4096];
	char behind[MEDIA_PLACE_MAX];
	int found;

	for (int i = 0; i < 2000; i++)
		make_stored(i % 2 == 0 ? org : other_org, (uint8_t) (i % 50), i, DAY + 60);
	scan(&told, "", 5);
	ck_assert(!told.is_end);
	memcpy(seen, told.seen, sizeof(seen));
	found = told.found;
	strcpy(behind, told.behind);
	ck_assert_uint_eq(strlen(behind), WAK_TYPEID_SUFFIX_LENGTH + sizeof("org_/ab") - 1);
	scan(&told, behind, 1000);
	ck_assert(told.is_end);
	/* only the last folder once more */
	ck_assert_int_le(found + told.found, 2000 + 40);
	for (int i = 0; i < 2000; i++)
		ck_assert_int_ge(seen[i] + told.seen[i], 1);
}
END_TEST

/* A folder takes a few steps, so that some of the pages end between two folders. */
START_TEST(a_page_ends_behind_a_folder)
{
	Told told;

	for (int i = 0; i < 1200; i++)
		make_stored(i % 2 == 0 ? org : other_org, (uint8_t) (i / 2), i, DAY + 60);
	for (int pages = 1; pages < 12; pages++)
	{
		scan(&told, "", pages);
		ck_assert(!told.is_end);
		ck_assert_uint_eq(strlen(told.behind), WAK_TYPEID_SUFFIX_LENGTH + sizeof("org_/ab") - 1);
	}
}
END_TEST

START_TEST(a_scan_behind_a_place_that_is_gone_ends)
{
	Told told;

	for (int i = 0; i < 10; i++)
		make_stored(org, 0xab, i, DAY + 60);
	scan(&told, "org_00000000000000000000000000/ab", 10);
	ck_assert(told.is_end && !told.failed);
	ck_assert_int_eq(told.found, 0);
	make_stored(other_org, 0xcd, 11, DAY + 60);
	scan(&told, "../../etc", 10);
	ck_assert(told.is_end && !told.failed);
	ck_assert_int_eq(told.found, 0);
}
END_TEST

START_TEST(a_scan_may_be_ended_at_any_time)
{
	Told told = {0};
	MediaScan *scanning = media_scan_begin(store, "", on_scanned, &told);

	make_stored(org, 0xab, 1, DAY + 60);
	media_scan_end(scanning);
	scanning = media_scan_begin(store, "", on_scanned, &told);
	ck_assert(media_scan_next(scanning));
	media_scan_end(scanning);
	event_base_loop(base, EVLOOP_NONBLOCK);
	media_store_close(store);
	ck_assert_int_eq(told.pages, 0);
	open_store();
}
END_TEST

START_TEST(names_are_read_as_they_are_written)
{
	uint8_t digest[MEDIA_DIGEST_SIZE];
	uint8_t read_org[MEDIA_ORG_SIZE];
	uint8_t read_digest[MEDIA_DIGEST_SIZE];
	char name[MEDIA_NAME_MAX];
	size_t len;

	for (int i = 0; i < MEDIA_DIGEST_SIZE; i++)
		digest[i] = (uint8_t) (i * 37 + 5);
	media_write_name(org, digest, name);
	len = strlen(name);
	ck_assert(media_read_name(name, len, read_org, read_digest));
	ck_assert_mem_eq(read_org, org, sizeof(read_org));
	ck_assert_mem_eq(read_digest, digest, sizeof(read_digest));
	for (size_t i = 0; i < len; i++)
	{
		ck_assert(!media_read_name(name, i, read_org, read_digest));
		name[i] ^= 0x20; /* another case, or another character */
		ck_assert_msg(!media_read_name(name, len, read_org, read_digest), "%s", name);
		name[i] ^= 0x20;
	}
}
END_TEST

/* ---- lists of a bucket ---- */

#define NAME_A \
	"org_00000000000000000000000001/ab/ab00000000000000000000000000000000000000000000000000000000000000"
#define NAME_B \
	"org_00000000000000000000000001/ab/ab00000000000000000000000000000000000000000000000000000000000001"

#define OBJECT(key, time) \
	"<Contents><Key>" key "</Key><LastModified>" time "</LastModified><Size>1</Size></Contents>"

#define LIST(truncated, objects)                                               \
	"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"                             \
	"<ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">"     \
	"<Name>media</Name><Prefix/><KeyCount>2</KeyCount><IsTruncated>" truncated \
	"</IsTruncated>" objects "</ListBucketResult>"

static MediaPage page;

/* Reads a list in two pieces. */
static bool
read_list(const char *list, size_t split)
{
	S3Listing *listing;
	bool good;

	memset(&page, 0, sizeof(page));
	listing = s3_listing_begin(&page, 1764500000); /* 2025-11-30T10:53:20Z */
	ck_assert_ptr_nonnull(listing);
	good = s3_listing_add(listing, list, split) &&
		   s3_listing_add(listing, list + split, strlen(list) - split) && s3_listing_end(listing);
	s3_listing_free(listing);
	return good;
}

START_TEST(a_list_is_read_wherever_it_is_split)
{
	static const char list[] = LIST(
		"true", OBJECT(NAME_A, "2025-11-30T10:53:19.000Z") OBJECT(NAME_B, "2025-11-30T10:53:21Z")
					OBJECT("a &lt;b&gt; &amp; \xc3\xa4&#13;", "2025-01-01T00:00:00.000Z"));

	for (size_t split = 0; split < sizeof(list); split++)
	{
		ck_assert(read_list(list, split));
		ck_assert(!page.is_end);
		ck_assert_int_eq(page.count, 1);
		ck_assert_int_eq(page.names[0].digest[31], 0);
		ck_assert_int_eq(page.young, 1);
		ck_assert_int_eq(page.others, 1);
		ck_assert_str_eq(page.behind, "a <b> & \xc3\xa4\r");
	}
	for (size_t len = 0; len < sizeof(list) - 1; len++)
	{
		char *part = strndup(list, len);

		ck_assert_msg(!read_list(part, 0), "%s", part);
		free(part);
	}
}
END_TEST

START_TEST(what_is_no_list_is_refused)
{
	char name[MEDIA_PLACE_MAX + 1];
	Buffer many;

	ck_assert(read_list(LIST("false", ""), 0));
	ck_assert(page.is_end);
	ck_assert(!read_list(LIST("true", ""), 0)); /* it would never end */
	ck_assert(!read_list("<ListBucketResult></ListBucketResult>", 0));
	ck_assert(!read_list("<Error><IsTruncated>false</IsTruncated></Error>", 0));
	ck_assert(!read_list(LIST("false", "<Contents></Contents>"), 0));
	ck_assert(!read_list(LIST("false", "") "x", 0));
	ck_assert(!read_list("{}", 0));
	memset(name, 'n', sizeof(name));
	name[MEDIA_PLACE_MAX] = '\0';
	buffer_init(&many, 1024 * 1024);
	buffer_printf(&many, LIST("false", OBJECT("%s", "x")), name);
	ck_assert(!read_list(many.data, 0));
	buffer_clear(&many);
	name[MEDIA_PLACE_MAX - 1] = '\0';
	buffer_printf(&many, LIST("false", OBJECT("%s", "x")), name);
	ck_assert(read_list(many.data, 0));
	ck_assert_int_eq(page.others, 1);
	buffer_free(&many);
}
END_TEST

START_TEST(a_list_has_at_most_the_names_of_a_page)
{
	Buffer list;

	for (int names = MEDIA_PAGE_NAMES; names <= MEDIA_PAGE_NAMES + 1; names++)
	{
		buffer_init(&list, 1024 * 1024);
		buffer_printf(&list, "<ListBucketResult><IsTruncated>false</IsTruncated>");
		for (int i = 0; i < names; i++)
			buffer_printf(&list, OBJECT("%d", "x"), i);
		buffer_printf(&list, "</ListBucketResult>");
		ck_assert(read_list(list.data, 0) == (names == MEDIA_PAGE_NAMES));
		buffer_free(&list);
	}
}
END_TEST

/* An object whose time cannot be read is not taken for old. */
START_TEST(an_object_of_unknown_age_is_young)
{
	static const char *const times[] = {
		LIST("false", OBJECT(NAME_A, "")), LIST("false", OBJECT(NAME_A, "yesterday")),
		LIST("false", OBJECT(NAME_A, "2025-01-01T00:00:00+12:00")),
		LIST("false", "<Contents><Key>" NAME_A "</Key></Contents>")};

	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++)
	{
		ck_assert(read_list(times[i], 0));
		ck_assert_int_eq(page.count, 0);
		ck_assert_int_eq(page.young, 1);
	}
}
END_TEST

static void
add(TCase *cases)
{
	tcase_add_checked_fixture(cases, start, stop);
	tcase_add_test(cases, each_file_is_found_once);
	tcase_add_test(cases, young_files_and_other_names_are_only_counted);
	tcase_add_test(cases, another_scan_goes_on);
	tcase_add_test(cases, a_page_ends_behind_a_folder);
	tcase_add_test(cases, a_scan_behind_a_place_that_is_gone_ends);
	tcase_add_test(cases, a_scan_may_be_ended_at_any_time);
	tcase_add_test(cases, names_are_read_as_they_are_written);
	tcase_add_test(cases, a_list_is_read_wherever_it_is_split);
	tcase_add_test(cases, what_is_no_list_is_refused);
	tcase_add_test(cases, a_list_has_at_most_the_names_of_a_page);
	tcase_add_test(cases, an_object_of_unknown_age_is_young);
	tcase_set_timeout(cases, 30);
}

SUITE_WITH("media scan", add)
