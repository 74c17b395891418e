# shellcheck shell=bash
#
# What an organization notices of another one that loads the gateway as much as it may: the
# 99th percentile of B's requests beside A's load, against that of B alone in the same round.
# None of B's requests may fail.

export FIELDS='{"text":"a message of some length, as people write them"}'
MESSAGE='{"to":"15551112222","type":"text","text":"a message of some length, as people write them"}'
CHAT=15551234567@s.whatsapp.net
CONTACTS=$(pick 20000 200)

use()
{
	KEY=$(query -c "SELECT secret FROM bench.key WHERE org_id = '$1'")
	export KEY
}

# NAME CONNECTIONS PATH-OF-A [BODY-OF-A]: A loads the gateway in the background.
start_load()
{
	: >"$WORK/$1.hostile"
	use "$A"
	if [ -n "${4:-}" ]
	then
		export WRK_BODY=$4
	fi
	WA_API_KEY=$KEY wrk -t 1 -c "$2" -d 60 -s "$FOLDER/wrk.lua" "$URL$3" >"$WORK/$1.hostile" 2>&1 &
	LOAD=$!
	unset WRK_BODY
}

# The load ends with its process; wrk leaves its connections to the gateway.
stop_load()
{
	kill "$LOAD"
	wait "$LOAD" 2>/dev/null || true
}

# NAME CONNECTIONS PATH-OF-A BODY-OF-A PATH-OF-B BODY-OF-B
beside()
{
	local seconds

	seconds=$(pick 4 1)
	use "$B"
	[ -z "$6" ] || export WRK_BODY=$6
	through_gateway "$1_alone" 1 "$seconds" "$5"
	unset WRK_BODY
	start_load "$1" "$2" "$3" "$4"
	sleep "$(pick 1 0.3)"
	use "$B"
	[ -z "$6" ] || export WRK_BODY=$6
	MAY_FAIL=yes through_gateway "$1_beside" 1 "$seconds" "$5"
	unset WRK_BODY
	note failed "$FAILED"
	kill -0 "$LOAD" || die "fair: the load of A has ended: $(cat "$WORK/$1.hostile")"
	stop_load
}

one_round()
{
	beside reads "$(pick 900 50)" /api/v1/sessions "" /api/v1/sessions ""
	beside searches 20 "/api/v1/sessions/$SESSION_A/contacts?q=nobody" "" "/api/v1/sessions/$SESSION_B/chats/$CHAT/read" "{}"
	beside sends 64 "/api/v1/sessions/$SESSION_A/messages" "$MESSAGE" "/api/v1/sessions/$SESSION_B/messages" "$MESSAGE"
	query -c "UPDATE wa.webhook SET active = true"
	beside hooks 64 "/api/v1/sessions/$SESSION_A/messages" "$MESSAGE" "/api/v1/sessions/$SESSION_B/messages" "$MESSAGE"
	query -c "UPDATE wa.webhook SET active = false"
}

fair_row()
{
	row "$1_alone" "B's $2, alone: 99 % within" "$(milliseconds "$1_alone_p99")" ms
	row "$1_beside" "  beside $3" "$(milliseconds "$1_beside_p99")" ms
	row "$1_ratio" "  against alone" "$(ratio "$1_beside_p99" "$1_alone_p99")" "" "<= 3"
}

query -c "SELECT bench.make_orgs(2, 1)" -c "SELECT bench.make_messages(0)" >/dev/null
query -c "INSERT INTO wa.org_limits (org_id, name, value) SELECT org_id, 'queued_messages', 1000000 FROM bench.key"
A=$(query -c "SELECT org_id FROM bench.key ORDER BY 1 LIMIT 1")
B=$(query -c "SELECT org_id FROM bench.key ORDER BY 1 DESC LIMIT 1")
SESSION_A=$(query -c "SELECT wa.typeid('sess', id) FROM wa.session WHERE org_id = '$A'")
SESSION_B=$(query -c "SELECT wa.typeid('sess', id) FROM wa.session WHERE org_id = '$B'")
query -c "SET session_replication_role = replica" -c "INSERT INTO wa.contact (org_id, session_id, jid, phone_number, name)
	SELECT s.org_id, s.id, '1555' || n || '@s.whatsapp.net', '1555' || n, 'Contact ' || n FROM wa.session s, generate_series(1, $CONTACTS) n"
# As many as an organization may have.
HOOKS=$(query -c "INSERT INTO wa.webhook (org_id, url, secret, active) SELECT '$A', 'https://receiver.example/', 'a-secret-of-sixteen', false
	FROM generate_series(1, wa.org_limit('$A', 'webhooks'))" -c "SELECT count(*) FROM wa.webhook")
query -c "VACUUM ANALYZE"
start_gateway
for _ in $(seq "$ROUNDS")
do
	one_round
done

heading "one connection of B beside the load of A, through HTTP"
fair_row reads "GET /sessions" "$(pick 900 50) connections that ask the same"
fair_row searches "POST /chats/{chat}/read" "20 connections that search among $CONTACTS contacts"
fair_row sends "POST /sessions/{sessionId}/messages" "64 connections that send in one session"
fair_row hooks "POST /sessions/{sessionId}/messages" "64 connections that send, and $HOOKS webhooks that want each event"
row failed "requests of B that failed" "$(awk '$1 == "failed" { n += $2 } END { print n }' "$WORK/values")" "" "<= 0"
