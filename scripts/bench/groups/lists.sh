# shellcheck shell=bash
#
# Pages of long lists: events of a type that is rare, and messages before and after a time.  Then
# the removal of events that are over, a thousand in each transaction, as the worker does it.

EVENTS=$(pick 500000 10000)
MESSAGES=$(pick 50000 2000)
export MIDDLE FROM_EVENT
script first_events "authenticate :KEY events 192.0.2.1 bench :count" "event_list null poll.vote null null null 51"
script later_events "authenticate :KEY events 192.0.2.1 bench :count" "event_list :FROM_EVENT poll.vote null null null 51"
script latest "$AUTHENTICATE" "message_list :SESSION :JID null null null null null null 51"
script before "$AUTHENTICATE" "message_list :SESSION :JID null :MIDDLE null null null null 51"
script expire "unbound :count" "housekeeping events 1000"
script after "$AUTHENTICATE" "message_list :SESSION :JID null null null :MIDDLE null null 51"

query -c "SELECT bench.make_orgs(1, 1)" -c "SELECT bench.make_messages(0)" >/dev/null
choose_organization
SESSION=$(query -c "SELECT id FROM wa.session")
export SESSION JID=15551234567@s.whatsapp.net
query -c "CALL bench.add_events('$ORG', $EVENTS)" -c "CALL bench.add_messages('$SESSION', $MESSAGES, 'read')"
query -c "VACUUM ANALYZE"
MIDDLE=$(query -c "SELECT (now() - interval '180 days')::text" | tr ' ' T)
FROM_EVENT=$(query -c "SELECT id FROM wa.event WHERE ordinal = $EVENTS / 2")
load bench_sealed events -t "$(pick 3 0.3)" -- first_events later_events
load bench_sealed messages -t "$(pick 3 0.3)" -- latest before after
had_rows events_later_events 1
had_rows messages_before 51
had_rows messages_after 51
query -c "UPDATE wa.event SET created_at = now() - interval '60 days' WHERE ordinal <= $EVENTS / 5" -c "VACUUM wa.event"
load wa_worker_login retention -n "$(pick 50 1)" -w 0 -- expire

heading "GET /events?types=poll.vote, $EVENTS events and none of this type"
row events_first "the first page" "$(milliseconds events_first_events)" ms "<= 20"
row events_later "a page in the middle" "$(milliseconds events_later_events)" ms "<= 20"
heading "50 messages of a chat of $MESSAGES"
row messages_latest "the latest" "$(milliseconds messages_latest)" ms "<= 5"
row messages_before "before a time" "$(milliseconds messages_before)" ms "<= 5"
row messages_after "after a time" "$(milliseconds messages_after)" ms "<= 5"
heading "retention: housekeeping removes events"
row retention "1,000 events, of $EVENTS" "$(milliseconds retention_expire)" ms
