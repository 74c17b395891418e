# shellcheck shell=bash
#
# What sending a message costs: one client; many clients in one session; and durably, many
# sessions, through HTTP and beside plain SQL that writes the same rows: the message, its event,
# and the time of its chat.

export FIELDS='{"text":"a message of some length, as people write them"}'
export BODY="a message of some length, as people write them"
JID=15551112222@s.whatsapp.net
SEND="message_send :SESSION 15551112222 text :FIELDS null null null"
script send "authenticate :KEY send 192.0.2.1 :count" "$SEND"
script plain "bench_plain :ORG :SESSION $JID :BODY :ENVELOPE"

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

one_round()
{
	SESSION=$(head -n 1 "$WORK/sessions")
	export SESSION
	load bench_sealed one -t "$(pick 3 0.2)" -- send
	load bench_sealed few -c 4 -t "$(pick 3 0.2)" -- send
	load bench_sealed many -c 64 -t "$(pick 3 0.5)" -- send
	durable_round
}

query -c "SELECT bench.make_orgs(1, 40)" >/dev/null
query -c "INSERT INTO wa.org_limits (org_id, name, value) SELECT org_id, 'queued_messages', 1000000 FROM bench.key"
query -c "SELECT bench.make_messages(1)" -c "INSERT INTO bench.session TABLE wa.session" -c "INSERT INTO bench.chat TABLE wa.chat" \
	-c "INSERT INTO bench.chat SELECT org_id, id, '$JID', 'dm' FROM wa.session" >/dev/null
choose_organization
list sessions "SELECT id FROM wa.session ORDER BY id"
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
row one_session_4 "4 clients in one session" "$(median few_send_rate)" 1/s
row one_session_64 "64 clients in one session" "$(median many_send_rate)" 1/s
row one_session_ratio "  against 4" "$(ratio many_send_rate few_send_rate)" "" ">= 1"
heading "durably, 40 connections in 40 sessions"
row durable_plain "plain SQL: a message, its event, its chat" "$(median durable_plain_rate)" 1/s
row durable_send "key + send_message" "$(median durable_send_rate)" 1/s
row durable_send_ratio "  against plain SQL" "$(ratio durable_send_rate durable_plain_rate)" "" ">= 0.7"
row durable_http "POST /sessions/{s}/messages" "$(median durable_http)" 1/s ">= 3000"
row durable_http_ratio "  against plain SQL" "$(ratio durable_http durable_plain_rate)" "" ">= 0.7"
