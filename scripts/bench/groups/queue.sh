# shellcheck shell=bash
#
# What a connector's questions cost: claiming 100 messages with few and with many in the queue,
# and asking for its sessions where nothing is new.

CONNECTOR=sandbox
OWNER=bench
SESSIONS=$(pick 100000 1000)
SIZES=$(pick "100 1000 10000 100000" "100 1000")
export HOLDER="held 0"
script sessions "unbound :count" "sessions $CONNECTOR :HOLDER 1000 1h"

# In 20 sessions of 4 organizations, all of which the connector holds.
fill_queue()
{
	query -c "SET client_min_messages = warning" -c "TRUNCATE wa.message CASCADE" \
		-c "DO \$\$ DECLARE s uuid; BEGIN FOR s IN SELECT id FROM wa.session LOOP CALL bench.add_messages(s, $1 / 20, 'queued'); END LOOP; END \$\$" \
		-c "ANALYZE wa.message"
}

claim_time()
{
	[ "$(query -c "BEGIN" -c "SELECT count(*) FROM wa.connector_claim('$CONNECTOR', '$OWNER', 100, '1 minute')" -c "ROLLBACK")" = 100 ] ||
		die "queue: not 100 were claimed"
	query -c "SELECT bench.undone(\$\$SELECT wa.connector_claim('$CONNECTOR', '$OWNER', 100, '1 minute')\$\$, $(pick 9 2))"
}

query -c "SELECT bench.make_orgs(4, 5)" -c "SELECT bench.make_messages(1)" \
	-c "SELECT count(*) FROM wa.connector_sessions('$CONNECTOR', '$OWNER', 1000, '1 hour')" >/dev/null
heading "wa.connector_claim: 100 messages, in 20 sessions of 4 organizations"
for size in $SIZES
do
	fill_queue "$size"
	note "claim_$size" "$(claim_time)"
	row "claim_$size" "$size in the queue" "$(median "claim_$size")" ms "<= 5"
done
row claim_growth "  the longest queue against the shortest" "$(ratio "claim_$size" claim_100)" "" "<= 2"

# Each connector holds 1000 of the sessions, and nobody has changed one.
query -c "CALL bench.add_sessions($SESSIONS, 'held')"
query -c "VACUUM ANALYZE"
load wa_sandbox_login held -t "$(pick 3 0.2)" -- sessions
had_rows held_sessions 1000
heading "wa.connector_sessions: what a connector asks all the time"
row sessions "its 1000 of $SESSIONS sessions, nothing is new" "$(milliseconds held_sessions)" ms "<= 3"
