# shellcheck shell=bash
#
# How costs grow with what is stored: organizations, messages, and the queue.  An id of a row is
# SERIES_SIZE; scripts/bench/plot draws cost against size.

ORG_SIZES=$(pick "10 1000 100000" "10 100")
MESSAGE_SIZES=$(pick "10000 100000 1000000" "1000 2000")
QUEUE_SIZES=$(pick "100 1000 10000 100000" "100 200")
JID=15551234567@s.whatsapp.net
export JID FIELDS='{"text":"a message of some length, as people write them"}'
script list "$AUTHENTICATE" "session_list null null 51"
script page "$AUTHENTICATE" "message_list :SESSION :JID null null null null null null 51"
script send "authenticate :KEY send 192.0.2.1 bench :count" "message_send :SESSION :JID text :FIELDS null null null"

# SERIES TITLE UNIT SIZES: a row for each size, and one for the largest against the smallest.
growth_rows()
{
	local size

	for size in $4
	do
		row "$1_$size" "$2, $size" "$(median "$1_$size")" "$3"
	done
	row "$1_growth" "  the most against the least" "$(ratio "$1_$size" "$1_${4%% *}")" "" "<= 2"
}

# The organization that is measured, with a session and a chat.
query -c "SELECT bench.make_orgs(1, 5)" -c "SELECT bench.make_messages(0)" >/dev/null
query -c "INSERT INTO wa.org_limits (org_id, name, value) SELECT org_id, 'queued_messages', 1000000 FROM bench.key"
choose_organization
SESSION=$(query -c "SELECT id FROM wa.session LIMIT 1")
export SESSION

present=1
for size in $ORG_SIZES
do
	query -c "CALL bench.add_orgs($size - $present)" -c "ANALYZE"
	present=$size
	load bench_sealed "orgs$size" -t "$(pick 2 0.2)" -- list
	note "list_$size" "$(median "orgs${size}_list")"
done

present=0
for size in $MESSAGE_SIZES
do
	query -c "CALL bench.add_messages('$SESSION', $size - $present, 'read')" -c "VACUUM ANALYZE wa.message"
	present=$size
	load bench_sealed "messages$size" -t "$(pick 4 0.4)" -- page send
	note "page_$size" "$(median "messages${size}_page")"
	note "send_$size" "$(median "messages${size}_send")"
done

query -c "SET client_min_messages = warning" -c "TRUNCATE wa.message CASCADE" \
	-c "SELECT count(*) FROM wa.connector_sessions('sandbox', 'bench', 1000, '1 hour')" >/dev/null
present=0
for size in $QUEUE_SIZES
do
	query -c "CALL bench.add_messages('$SESSION', $size - $present, 'queued')" -c "ANALYZE wa.message"
	present=$size
	note "claim_$size" "$(query -c "SELECT bench.undone(\$\$SELECT wa.connector_claim('sandbox', 'bench', 100, '1 minute')\$\$, $(pick 9 2))")"
done

heading "growth: key + list of sessions, by the number of organizations"
growth_rows list "organizations" µs "$ORG_SIZES"
heading "growth: key + page of 50 messages, by the messages of the chat"
growth_rows page "messages" µs "$MESSAGE_SIZES"
heading "growth: key + send_message, by the messages of the chat"
growth_rows send "messages" µs "$MESSAGE_SIZES"
heading "growth: connector_claim of up to 100 messages of one session, by the queue"
growth_rows claim "in the queue" ms "$QUEUE_SIZES"
