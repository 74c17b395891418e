/*
 * test_wiping.c
 *		What was in a request or an answer is not left behind in freed memory.
 *
 * Every block is searched before it goes back to the allocator: by this program's own free(),
 * and with AddressSanitizer, which has its own, by its hook.  So the code under test is the
 * one that runs in the gateway.  The blocks of libevent and jansson are searched too.
 */
#include <event2/event.h>
#include <malloc.h>
#include <stdio.h>
#include <string.h>

#include "lib/buffer.h"
#include "lib/json_read.h"
#include "tests/unit/http_wire.h"
#include "tests/unit/suite.h"

#define SECRET "Zq7SECRETpX9"

static int found;

static void
look_at(const void *memory)
{
	size_t size = malloc_usable_size((void *) (uintptr_t) memory);

	if (memmem(memory, size, SECRET, strlen(SECRET)) != NULL)
		found++;
}

#if defined(__SANITIZE_ADDRESS__)
extern void __sanitizer_free_hook(const volatile void *memory);

void
__sanitizer_free_hook(const volatile void *memory)
{
	look_at((const void *) memory);
}
#else
extern void __libc_free(void *memory);
extern void free(void *memory);

void
free(void *memory)
{
	if (memory != NULL)
		look_at(memory);
	__libc_free(memory);
}
#endif

START_TEST(a_block_that_was_not_wiped_is_noticed)
{
	char *block = malloc(100);
	void (*volatile release)(void *) = free; /* or the compiler leaves the copying out */

	strcpy(block, "x" SECRET);
	release(block);
	ck_assert_int_eq(found, 1);
}
END_TEST

START_TEST(a_buffer_leaves_nothing_when_it_grows_and_when_it_is_freed)
{
	Buffer buffer;

	buffer_init(&buffer, 100000);
	buffer_append_text(&buffer, SECRET);
	while (buffer.len < 50000)
		buffer_append_text(&buffer, "and more ");
	ck_assert_mem_eq(buffer.data, SECRET, strlen(SECRET));
	buffer_free(&buffer);
	ck_assert_int_eq(found, 0);
}
END_TEST

START_TEST(json_leaves_nothing)
{
	static const char text[] = "{\"" SECRET "\":[\"" SECRET "\",\"\\u0041" SECRET "\"]}";
	JsonReadError error;
	JsonValue *root = json_read(text, sizeof(text) - 1, &error);

	ck_assert_ptr_nonnull(root);
	json_read_free(root);
	ck_assert_ptr_null(json_read(text, sizeof(text) - 3, &error));
	ck_assert_int_eq(found, 0);
}
END_TEST

/* The echo has the path and the body in its answer. */
START_TEST(a_request_and_its_answer_leave_nothing)
{
	static const char *const requests[] = {
		"POST /echo/" SECRET "?q=%41" SECRET " HTTP/1.1\r\nHost: a\r\nX-Api-Key: " SECRET
		"\r\nContent-Length: 12\r\nConnection: close\r\n\r\n" SECRET,
		"GET /other?q=%41" SECRET " HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
		"GET /" SECRET " HTTP/1.1\r\nHost: a\r\nHost: " SECRET "\r\n\r\n",
	};
	Wire wire;

	wire_start(&wire, NULL);
	for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++)
		ck_assert_int_ne(wire_status(wire_ask(&wire, requests[i], NULL)), 0);
	wire_stop(&wire);
	ck_assert_int_eq(found, 0);
}
END_TEST

/* A large body arrives in many pieces, and its answer leaves in many. */
START_TEST(a_large_request_and_its_answer_leave_nothing)
{
	static char request[HTTP_BODY_MAX + 200];
	char *at = request;
	Wire wire;

	at += sprintf(at, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n", HTTP_BODY_MAX);
	at += sprintf(at, "Connection: close\r\n\r\n");
	memset(at, 'x', HTTP_BODY_MAX);
	for (size_t i = 0; i + 1000 < HTTP_BODY_MAX; i += 1000)
		memcpy(at + i, SECRET, strlen(SECRET));
	wire_start(&wire, NULL);
	ck_assert_int_eq(wire_status(wire_ask(&wire, request, NULL)), 200);
	wire_stop(&wire);
	ck_assert_int_eq(found, 0);
}
END_TEST

SUITE("wiping", a_block_that_was_not_wiped_is_noticed,
	  a_buffer_leaves_nothing_when_it_grows_and_when_it_is_freed, json_leaves_nothing,
	  a_request_and_its_answer_leave_nothing, a_large_request_and_its_answer_leave_nothing)
