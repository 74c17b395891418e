/*
 * test_sandbox_files.c
 *		The files that the sandbox sends, and the references that lead to them.
 */
#include <string.h>

#include "sandbox/files.h"
#include "tests/unit/suite.h"

START_TEST(a_text_asks_for_a_file)
{
	ck_assert_str_eq(sandbox_file_asked("Send a Picture")->name, "picture.png");
	ck_assert_str_eq(sandbox_file_asked("can you send a voice note?")->name, "voice.ogg");
	ck_assert_str_eq(sandbox_file_asked("send a document")->name, "document.pdf");
	ck_assert_ptr_null(sandbox_file_asked("send apicture"));
	ck_assert_ptr_null(sandbox_file_asked(""));
	ck_assert(sandbox_asks_back("please SEND IT BACK"));
	ck_assert(!sandbox_asks_back("send it"));
}
END_TEST

START_TEST(a_reference_leads_to_its_file)
{
	char reference[SANDBOX_REFERENCE_MAX];
	const SandboxFile *file = sandbox_file_asked("send a document");

	sandbox_write_reference(file, reference);
	ck_assert_ptr_eq(sandbox_find_file(reference), file);
	ck_assert_ptr_null(sandbox_find_file("sandbox:"));
	ck_assert_ptr_null(sandbox_find_file("sandbox:document.pdf "));
	ck_assert_ptr_null(sandbox_find_file("document.pdf"));
}
END_TEST

START_TEST(a_reference_leads_into_the_store)
{
	uint8_t digest[MEDIA_DIGEST_SIZE];
	uint8_t read[MEDIA_DIGEST_SIZE];
	char digits[MEDIA_DIGITS_MAX];
	char reference[SANDBOX_REFERENCE_MAX];
	uint64_t size = 0;

	for (int i = 0; i < MEDIA_DIGEST_SIZE; i++)
		digest[i] = (uint8_t) (i * 37);
	media_write_digits(digest, MEDIA_DIGEST_SIZE, digits);
	sandbox_write_stored_reference(digits, UINT64_MAX, reference);
	ck_assert(sandbox_read_stored(reference, read, &size));
	ck_assert_mem_eq(read, digest, MEDIA_DIGEST_SIZE);
	ck_assert_uint_eq(size, UINT64_MAX);
	reference[strlen(reference) - 1] = 'g';
	ck_assert(!sandbox_read_stored(reference, read, &size));
	*strrchr(reference, ':') = '\0';
	ck_assert(!sandbox_read_stored(reference, read, &size));
	sandbox_write_stored_reference(digits, 0, reference);
	ck_assert(!sandbox_read_stored(reference, read, &size));
	digits[0] = 'g';
	sandbox_write_stored_reference(digits, 1, reference);
	ck_assert(!sandbox_read_stored(reference, read, &size));
	ck_assert(!sandbox_read_stored("sandbox:store:../../etc/passwd", read, &size));
	ck_assert(!sandbox_read_stored("sandbox:picture.png", read, &size));
}
END_TEST

START_TEST(the_files_are_what_they_are_called)
{
	ck_assert_mem_eq(sandbox_picture, "\x89PNG\r\n\x1a\n", 8);
	ck_assert_mem_eq(sandbox_voice, "OggS", 4);
	ck_assert_mem_eq(sandbox_document, "%PDF-", 5);
}
END_TEST

SUITE("sandbox_files", a_text_asks_for_a_file, a_reference_leads_to_its_file,
	  a_reference_leads_into_the_store, the_files_are_what_they_are_called)
