# shellcheck shell=bash
#
# Other programs beside this one, in one run against the same durable cluster: the check of a
# key, a list under row security through HTTP, and a queue.  npm installs them into a temporary
# folder.  What cannot be installed or does not run is a row that says so.
#
# A quick run leaves this group out, because it needs npm's registry.

BETTER_AUTH=1.7.5
PG_BOSS=10.4.2
GRAPHILE_WORKER=0.17.3
POSTGRAPHILE=4.14.1
JOBS=$(pick 5000 500)
PEERS=$WORK/peers

install_peers()
{
	command -v npm >/dev/null || return 1
	mkdir -p "$PEERS"
	echo '{"private":true,"type":"module"}' >"$PEERS/package.json"
	cp "$FOLDER/peers.mjs" "$PEERS"
	# Two packages of Better Auth name different versions of a third one.
	timeout 300 npm install --prefix "$PEERS" --legacy-peer-deps --no-audit --no-fund --loglevel=error \
		pg@8.23.1 better-auth@$BETTER_AUTH @better-auth/api-key@$BETTER_AUTH pg-boss@$PG_BOSS graphile-worker@$GRAPHILE_WORKER \
		postgraphile@$POSTGRAPHILE >"$WORK/npm.out" 2>&1
}

# WHAT AMOUNT: takes what peers.mjs prints as values; what it does not print gets no value.
measure_peers()
{
	NODE_ENV=production timeout 120 node "$PEERS/peers.mjs" "$1" "$2" >>"$WORK/values" 2>"$WORK/peers.err" ||
		say "$1: $(grep -m 1 -i error "$WORK/peers.err" || tail -n 1 "$WORK/peers.err")" >&2
}

# Both sides answer with the same rows, of which PostGraphile knows the organization from a
# setting, which it makes from a key that it looks up.
measure_postgraphile()
{
	local own=$URL fields="id orgId label status connector phoneNumber waJid autoRead presenceTyping ratePerMin ratePerHour createdAt updatedAt lastConnectedAt"
	local query server tries=100

	NODE_ENV=production node "$PEERS/peers.mjs" postgraphile >"$WORK/postgraphile.out" 2>"$WORK/postgraphile.err" &
	server=$!
	until [ -s "$WORK/postgraphile.out" ] || [ $tries -eq 0 ]
	do
		tries=$((tries - 1))
		sleep 0.1
	done
	query="{\"query\":\"{ allSessions(first: 51, orderBy: ID_DESC, condition: {status: \\\"working\\\"}) { nodes { $fields } } }\"}"
	URL=$(cat "$WORK/postgraphile.out")
	curl -s -m 10 -H "Authorization: Bearer $KEY" -H "Content-Type: application/json" -d "$query" "$URL/graphql" >"$WORK/postgraphile.answer" || true
	if grep -q '"label":"Session 5"' "$WORK/postgraphile.answer"
	then
		# Its code is compiled while it runs.
		WRK_BODY=$query MAY_FAIL=yes through_gateway warm 32 "$(pick 10 1)" /graphql
		for _ in 1 2 3
		do
			WRK_BODY=$query MAY_FAIL=yes through_gateway postgraphile 32 "$(pick 3 1)" /graphql
			URL=$own through_gateway list 32 "$(pick 3 1)" "/api/v1/sessions?status=working"
		done
	else
		say "postgraphile: $(head -c 500 "$WORK/postgraphile.answer" "$WORK/postgraphile.err")" >&2
		URL=$own through_gateway list 32 "$(pick 3 1)" "/api/v1/sessions?status=working"
	fi
	kill $server
	wait $server 2>/dev/null || true
	URL=$own
}

# Four loops, each of which holds 5 of 20 sessions.
fill_own_queue()
{
	local loop

	query -c "SELECT bench.make_messages(0)" >/dev/null
	query -c "DO \$\$ DECLARE s uuid; BEGIN FOR s IN SELECT id FROM wa.session ORDER BY id LIMIT 20 LOOP CALL bench.add_messages(s, $JOBS / 20, 'queued'); END LOOP; END \$\$" \
		-c "UPDATE wa.session SET status = 'stopped' WHERE id NOT IN (SELECT id FROM wa.session ORDER BY id LIMIT 20)" -c "ANALYZE"
	for loop in 0 1 2 3
	do
		query -c "SELECT count(*) FROM wa.connector_sessions('sandbox', 'loop $loop', 5, '1 hour')" >/dev/null
	done
}

# ID TITLE PEER OWN UNIT: a row for each, and the ratio.
peer_row()
{
	if [ -z "$(median "$3")" ]
	then
		no_row "$1" "$2" "could not be measured here"
		return
	fi
	row "$1" "$2" "$(median "$3")" "$5"
	row "$1_ratio" "  this one against it" "$(ratio "$4" "$3")" ""
}

query -c "SELECT bench.make_orgs(20, 5)" -c "CREATE INDEX ON bench.key (secret)" >/dev/null
# PostGraphile shows no tables of extensions.
query <<-END
	CREATE SCHEMA peer;
	CREATE TABLE peer.session (LIKE bench.claims_session INCLUDING ALL);
	INSERT INTO peer.session TABLE wa.session;
	ALTER TABLE peer.session ENABLE ROW LEVEL SECURITY;
	CREATE POLICY claims ON peer.session FOR SELECT USING (
		org_id = (current_setting('request.jwt.claims', true)::jsonb ->> 'org_id')::uuid
		AND current_setting('request.jwt.claims', true)::jsonb -> 'permissions' ? 'read');
	GRANT USAGE ON SCHEMA peer TO bench_app;
	GRANT SELECT ON peer.session TO bench_app;
END
choose_organization
durable on
install_peers || say "peers: npm could not install them: $(tail -n 3 "$WORK/npm.out" 2>/dev/null)" >&2
measure_peers keys "$(pick 3 0.3)"
start_gateway
measure_postgraphile
fill_own_queue
measure_peers queue "$JOBS"

heading "peers: checks of a key, by 16 callers in one Node process"
row own_key "this one: SELECT wa.authenticate" "$(median keys_own)" 1/s
peer_row better_auth "Better Auth $BETTER_AUTH: verifyApiKey, without its rate limit" keys_better_auth keys_own 1/s
heading "peers: the list of 5 sessions through HTTP, 32 connections"
row own_list "this one: GET /sessions" "$(median list)" 1/s
peer_row postgraphile "PostGraphile $POSTGRAPHILE, with a look-up of the key" postgraphile list 1/s
heading "peers: a queue, $JOBS jobs taken and finished, durable"
row own_queue "this one: connector_claim of 100, connector_report of 100" "$(median queue_own)" 1/s
peer_row pg_boss "pg-boss $PG_BOSS: fetch of 100, complete of 100" queue_pg_boss queue_own 1/s
peer_row graphile_worker "graphile-worker $GRAPHILE_WORKER" queue_graphile_worker queue_own 1/s
