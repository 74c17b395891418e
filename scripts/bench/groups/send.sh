# shellcheck shell=bash
#
# What sending a message costs: one client; many clients in one session, each to a chat of its
# own and all to one chat; and durably, many sessions, through HTTP and beside plain SQL that
# writes the same rows: the message, its event, and the time of its chat.
#
# All who send to one chat change the same row, so that each waits for the commit of another.
# Plain SQL in the same conditions shows what of it is PostgreSQL's.

export FIELDS='{"text":"a message of some length, as people write them"}'
export BODY="a message of some length, as people write them"
JID=15551112222@s.whatsapp.net
SEND="message_send :SESSION 15551112222 text :FIELDS null null null"
script send "authenticate :KEY send 192.0.2.1 bench :count" "$SEND"
script plain "bench_plain :ORG :SESSION $JID :BODY :ENVELOPE"
script send_apart "authenticate :KEY send 192.0.2.1 bench :count" "message_send :SESSION :CHAT text :FIELDS null null null"
script plain_apart "bench_plain :ORG :SESSION :CHAT_JID :BODY :ENVELOPE"

# In the wait for the disk everything else is cheap, so both sides have the same number of
# connections.
durable_round()
{
	export SESSION=@$WORK/sessions
	durable on
	load postgres durable -c 40 -t "$(pick 3 0.2)" -- plain
	load bench_sealed durable -c 40 -t "$(pick 3 0.2)" -- send
	WRK_PATHS=$WORK/paths WRK_BODY="{\"to\":\"15551112222\",\"type\":\"text\",\"text\":\"$BODY\"}" through_gateway durable_http 40 "$(pick 3 1)" ""
	durable off
}

# LOGIN SCRIPT: 4 and 64 clients in one session.
few_and_many()
{
	load "$1" few -c 4 -t "$(pick 2 0.2)" -- "$2"
	load "$1" many -c 64 -t "$(pick 2 0.5)" -- "$2"
}

one_round()
{
	SESSION=$(head -n 1 "$WORK/sessions")
	export SESSION
	load bench_sealed one -t "$(pick 3 0.2)" -- send
	few_and_many bench_sealed send_apart
	few_and_many postgres plain_apart
	few_and_many bench_sealed send
	few_and_many postgres plain
	durable_round
}

query -c "SELECT bench.make_orgs(1, 40)" >/dev/null
query -c "INSERT INTO wa.org_limits (org_id, name, value) SELECT org_id, 'queued_messages', 1000000 FROM bench.key"
query -c "SELECT bench.make_messages(1)" -c "INSERT INTO bench.session TABLE wa.session" -c "INSERT INTO bench.chat TABLE wa.chat" \
	-c "INSERT INTO bench.chat SELECT org_id, id, '$JID', 'dm' FROM wa.session" >/dev/null
choose_organization
list sessions "SELECT id FROM wa.session ORDER BY id"
list chats "SELECT 15551113000 + n FROM generate_series(1, 64) n"
list jids "SELECT 15551113000 + n || '@s.whatsapp.net' FROM generate_series(1, 64) n"
query -c "INSERT INTO bench.chat SELECT s.org_id, s.id, 15551113000 + n || '@s.whatsapp.net', 'dm'
	FROM generate_series(1, 64) n CROSS JOIN (SELECT org_id, id FROM wa.session ORDER BY id LIMIT 1) s" >/dev/null
export CHAT=@$WORK/chats CHAT_JID=@$WORK/jids
list paths "SELECT '/api/v1/sessions/' || wa.typeid('sess', id) || '/messages' FROM wa.session ORDER BY id"
start_gateway
# The plain side writes the envelope of a real event.
SESSION=$(head -n 1 "$WORK/sessions")
export SESSION
load bench_sealed first -t 0.2 -w 0 -- send
ENVELOPE=$(query -c "SELECT envelope FROM wa.event WHERE type = 'message.from_me' LIMIT 1")
[ -n "$ENVELOPE" ] || die "send: a message made no event"
export ENVELOPE
query -c "VACUUM ANALYZE"
for _ in $(seq "$ROUNDS")
do
	one_round
done

heading "sending a message: wa.send_message, without waiting for the disk"
row send "key + send_message, one client" "$(median one_send)" µs "<= 300"
heading "many clients in one session, each to a chat of its own"
row one_session_4 "4 clients" "$(median few_send_apart_rate)" 1/s
row one_session_64 "64 clients" "$(median many_send_apart_rate)" 1/s
row one_session_ratio "  against 4" "$(ratio many_send_apart_rate few_send_apart_rate)" "" ">= 1"
row one_session_plain "  plain SQL, 64 against 4" "$(ratio many_plain_apart_rate few_plain_apart_rate)" ""
heading "many clients in one session, all to one chat"
row one_chat_4 "4 clients" "$(median few_send_rate)" 1/s
row one_chat_64 "64 clients" "$(median many_send_rate)" 1/s
row one_chat_ratio "  against 4" "$(ratio many_send_rate few_send_rate)" "" ">= 1"
row one_chat_plain "  plain SQL, 64 against 4" "$(ratio many_plain_rate few_plain_rate)" ""
heading "durably, 40 connections in 40 sessions"
row durable_plain "plain SQL: a message, its event, its chat" "$(median durable_plain_rate)" 1/s
row durable_send "key + send_message" "$(median durable_send_rate)" 1/s
row durable_send_ratio "  against plain SQL" "$(ratio durable_send_rate durable_plain_rate)" "" ">= 0.7"
row durable_http "POST /sessions/{sessionId}/messages" "$(median durable_http)" 1/s ">= 3000"
row durable_http_ratio "  against plain SQL" "$(ratio durable_http durable_plain_rate)" "" ">= 0.7"
