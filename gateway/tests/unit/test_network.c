/*
 * test_network.c
 *		Addresses and ranges: both ways of writing IPv4 are one address, and nothing half right is read.
 */
#include <string.h>

#include "lib/network.h"
#include "tests/unit/suite.h"

static bool
has(const char *range_text, const char *address_text)
{
	NetworkRange range;
	NetworkAddress address;

	ck_assert_msg(network_range_read(range_text, strlen(range_text), &range), "%s", range_text);
	ck_assert_msg(network_address_read(address_text, strlen(address_text), &address), "%s",
				  address_text);
	return network_range_has(&range, &address);
}

START_TEST(ranges_have_their_addresses)
{
	ck_assert(has("10.0.0.0/8", "10.255.0.1"));
	ck_assert(!has("10.0.0.0/8", "11.0.0.1"));
	ck_assert(has("192.0.2.1", "192.0.2.1"));
	ck_assert(!has("192.0.2.1", "192.0.2.2"));
	ck_assert(has("192.0.2.128/25", "192.0.2.255"));
	ck_assert(!has("192.0.2.128/25", "192.0.2.127"));
	ck_assert(has("0.0.0.0/0", "203.0.113.7"));
	ck_assert(!has("0.0.0.0/0", "2001:db8::1"));
	ck_assert(has("::/0", "203.0.113.7"));
	ck_assert(has("2001:db8::/33", "2001:db8:7fff::1"));
	ck_assert(!has("2001:db8::/33", "2001:db8:8000::1"));
	ck_assert(has("2001:db8::1/128", "2001:DB8:0::1"));
}
END_TEST

START_TEST(a_mapped_address_is_the_address)
{
	ck_assert(has("127.0.0.0/8", "::ffff:127.0.0.1"));
	ck_assert(has("::ffff:10.0.0.0/104", "10.1.2.3"));
	ck_assert(!has("127.0.0.0/8", "::1"));
}
END_TEST

START_TEST(what_is_no_address_is_refused)
{
	static const char *const wrong[] = {
		"",           " 10.0.0.1",   "10.0.0.1 ",
		"10.0.0",     "10.0.0.256",  "010.0.0.1",
		"0x7f.0.0.1", "10.0.0.1x",   "[::1]",
		"::1%lo",     "1:2:3:4:5",   "example.org",
		":::",        "10.0.0.1:80", "2001:db8:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:1"};
	NetworkAddress address;

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
	{
		ck_assert_msg(!network_address_read(wrong[i], strlen(wrong[i]), &address), "%s", wrong[i]);
	}
	ck_assert(!network_address_read("10.0.0.1\0", 9, &address));
}
END_TEST

START_TEST(what_is_no_range_is_refused)
{
	static const char *const wrong[] = {
		"10.0.0.0/33", "10.0.0.0/",    "10.0.0.0/-1", "10.0.0.0/8 ",  "::/129", "10.0.0.0/a",
		"/8",          "10.0.0.0/8/8", "::/0000",     "10.0.0.0/0x8", ""};
	NetworkRange range;

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
	{
		ck_assert_msg(!network_range_read(wrong[i], strlen(wrong[i]), &range), "%s", wrong[i]);
	}
}
END_TEST

START_TEST(addresses_are_written_as_usual)
{
	static const char *const texts[][2] = {{"::ffff:192.0.2.1", "192.0.2.1"},
										   {"192.0.2.1", "192.0.2.1"},
										   {"2001:DB8:0:0::1", "2001:db8::1"}};
	NetworkAddress address;
	char text[NETWORK_TEXT_MAX];

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
	{
		ck_assert(network_address_read(texts[i][0], strlen(texts[i][0]), &address));
		network_address_write(&address, text);
		ck_assert_str_eq(text, texts[i][1]);
	}
}
END_TEST

SUITE("network", ranges_have_their_addresses, a_mapped_address_is_the_address,
	  what_is_no_address_is_refused, what_is_no_range_is_refused, addresses_are_written_as_usual)
