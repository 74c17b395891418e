/*
 * test_sandbox_identity.c
 *		The names that the sandbox derives.
 */
#include <string.h>

#include "sandbox/identity.h"
#include "tests/unit/suite.h"

#define UUID "01a20baf-7834-7559-bfae-d17ea49195b6"
#define OTHER_UUID "01a20baf-7834-7559-bfae-d17ea49195b7"

START_TEST(ids_are_the_uuid_in_capitals_behind_a_prefix)
{
	char sent[WA_MESSAGE_ID_MAX + 1];
	char echo[WA_MESSAGE_ID_MAX + 1];

	sandbox_sent_id(UUID, sent);
	sandbox_echo_id(UUID, echo);
	ck_assert_str_eq(sent, "3EB001A20BAF78347559BFAED17EA49195B6");
	ck_assert_str_eq(echo, "3AEC01A20BAF78347559BFAED17EA49195B6");
}
END_TEST

START_TEST(an_id_that_is_too_long_is_cut)
{
	char sent[WA_MESSAGE_ID_MAX + 1];

	sandbox_sent_id(UUID UUID UUID, sent);
	ck_assert_uint_eq(strlen(sent), WA_MESSAGE_ID_MAX);
}
END_TEST

START_TEST(a_session_always_gets_the_same_phone_and_another_one_another)
{
	char first[PHONE_NUMBER_MAX + 1];
	char again[PHONE_NUMBER_MAX + 1];
	char other[PHONE_NUMBER_MAX + 1];

	sandbox_phone(UUID, first);
	sandbox_phone(UUID, again);
	sandbox_phone(OTHER_UUID, other);
	ck_assert_str_eq(first, again);
	ck_assert_str_ne(first, other);
	ck_assert_uint_eq(strlen(first), strlen(SANDBOX_DEAD_PHONE));
	ck_assert_uint_eq(strspn(first, "0123456789"), strlen(first));
	ck_assert_str_ne(first, SANDBOX_DEAD_PHONE);
}
END_TEST

START_TEST(only_the_magic_number_is_dead)
{
	char jid[SANDBOX_JID_MAX];

	sandbox_jid(SANDBOX_DEAD_PHONE, jid);
	ck_assert_str_eq(jid, "15550000000@s.whatsapp.net");
	ck_assert(sandbox_is_dead(jid));
	sandbox_jid("15550000001", jid);
	ck_assert(!sandbox_is_dead(jid));
	ck_assert(!sandbox_is_dead("15550000000@g.us"));
	ck_assert(!sandbox_is_dead(""));
}
END_TEST

START_TEST(the_other_side_answers_and_in_a_group_a_member)
{
	ck_assert_str_eq(sandbox_answerer("4915112345678@s.whatsapp.net"),
					 "4915112345678@s.whatsapp.net");
	ck_assert_str_eq(sandbox_answerer("120363000000000000@g.us"), "15550000001@s.whatsapp.net");
	ck_assert_str_eq(sandbox_answerer("@g.us"), "@g.us");
}
END_TEST

START_TEST(a_text_asks_for_a_reaction_by_the_word)
{
	ck_assert(sandbox_asks_reaction("please ReAct to this"));
	ck_assert(sandbox_asks_reaction("react"));
	ck_assert(!sandbox_asks_reaction("rea ct"));
	ck_assert(!sandbox_asks_reaction(""));
	ck_assert(sandbox_asks_phone("on My Phone"));
	ck_assert(!sandbox_asks_phone("my  phone"));
}
END_TEST

SUITE("sandbox_identity", ids_are_the_uuid_in_capitals_behind_a_prefix,
	  an_id_that_is_too_long_is_cut, a_session_always_gets_the_same_phone_and_another_one_another,
	  only_the_magic_number_is_dead, the_other_side_answers_and_in_a_group_a_member,
	  a_text_asks_for_a_reaction_by_the_word)
