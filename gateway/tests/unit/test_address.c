/*
 * test_address.c
 *		Ranges of addresses: what is in them, and that nothing half right is read as one.
 */
#include <string.h>

#include "src/common/address.h"
#include "tests/unit/suite.h"

static bool
has(const char *range_text, const char *address_text)
{
	WakRange range;
	WakRange address;

	ck_assert_msg(wak_range_read(range_text, strlen(range_text), &range), "%s", range_text);
	ck_assert_msg(wak_range_read(address_text, strlen(address_text), &address), "%s", address_text);
	return wak_range_has(&range, address.bytes, address.size);
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
	ck_assert(!has("::/0", "203.0.113.7"));
	ck_assert(has("2001:db8::/33", "2001:db8:7fff::1"));
	ck_assert(!has("2001:db8::/33", "2001:db8:8000::1"));
	ck_assert(has("2001:db8::1/128", "2001:DB8:0::1"));
}
END_TEST

START_TEST(what_is_no_range_is_refused)
{
	static const char *const wrong[] = {"10.0.0.0/33",
										"10.0.0.0/",
										"10.0.0.0/-1",
										"10.0.0.0/8 ",
										"::/129",
										"10.0.0.0/a",
										"10.0.0.0/4294967304",
										"10.0.0.0/100000000000000000000000",
										"/8",
										"::/0000",
										"10.0.0.0/8/8",
										"",
										"10.0.0.0/0x8",
										" 10.0.0.1",
										"10.0.0",
										"[::1]",
										"10.0.0.256",
										"010.0.0.1",
										"0x7f.0.0.1",
										"10.0.0.1x",
										"1:2:3:4:5",
										"::1%lo",
										"example.org",
										":::",
										"10.0.0.1:80"};
	WakRange range;

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		ck_assert_msg(!wak_range_read(wrong[i], strlen(wrong[i]), &range), "%s", wrong[i]);
	ck_assert(!wak_range_read("10.0.0.1\0", 9, &range));
}
END_TEST

SUITE("address", ranges_have_their_addresses, what_is_no_range_is_refused)
