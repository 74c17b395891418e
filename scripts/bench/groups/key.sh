# shellcheck shell=bash
#
# What the check of the key costs: the list of sessions of one organization of 100, 5 rows of
# 14 columns.
#
# Beside the same list with the organization as a parameter.  "unbound" is the gateway's first
# statement of a request without a credential; it only sends a number back.  So both sides are
# two statements in one round trip.

LIST="working ffffffff-ffff-ffff-ffff-ffffffffffff 51"
script key "$AUTHENTICATE" "session_list $LIST"
script literal_pair "unbound :count" "bench_literal $LIST :ORG"
script literal "bench_literal $LIST :ORG"
script claims "bench_set_claims :CLAIMS" "bench_claims $LIST"
script one "unbound :count"
script authenticate "$AUTHENTICATE"
script cold "bench_key_change :ORG" sync "$AUTHENTICATE"

# Finds the number of clients with the highest throughput on this machine.
choose_clients()
{
	local clients best=0

	for clients in 2 4 8 16
	do
		load bench_sealed try_$clients -c $clients -t "$(pick 1 0.1)" -- key
		if awk -v a="$(median try_${clients}_key_rate)" -v b="$best" 'BEGIN { exit !(a > b) }'
		then
			best=$(median try_${clients}_key_rate)
			CLIENTS=$clients
		fi
	done
}

# The turns are short, so that both sides of a ratio run under the same conditions.
one_round()
{
	local script before

	choose_organization
	load bench_app app -t "$(pick 5 0.3)" -- key literal_pair literal claims one authenticate
	load bench_sealed sealed -t "$(pick 5 0.3)" -- key literal_pair literal one authenticate
	load postgres after -t "$(pick 1 0.2)" -- one cold
	for _ in 1 2
	do
		for script in key literal_pair literal claims
		do
			load bench_app many -c "$CLIENTS" -t "$(pick 1 0.1)" -- "$script"
		done
		load bench_sealed many_sealed -c "$CLIENTS" -t "$(pick 1 0.1)" -- key
		before=$(processor_time "$GATEWAY")
		through_gateway http 32 1 /api/v1/sessions
		note gateway_cpu "$(awk -v n="$REQUESTS" -v a="$before" -v b="$(processor_time "$GATEWAY")" 'BEGIN { print (b - a) / 1000 / n }')"
	done
}

query -c "SELECT bench.make_orgs(100, 5)" -c "SELECT bench.make_messages(20)" -c "INSERT INTO bench.session TABLE wa.session" \
	-c "INSERT INTO bench.claims_session TABLE wa.session" >/dev/null
query -c "VACUUM ANALYZE"
start_gateway
choose_organization
choose_clients
for _ in $(seq "$ROUNDS")
do
	one_round
done

heading "the check of the key: list of 5 sessions, one client, in turn"
row sealed_literal "sealed login: select with a literal org_id" "$(median sealed_literal_pair)" µs
row sealed_key "  key + select under row security" "$(median sealed_key)" µs
row sealed_key_ratio "  its speed against the literal select" "$(ratio sealed_literal_pair sealed_key)" "" ">= 0.95"
row literal "other login: select with a literal org_id" "$(median app_literal_pair)" µs
row key "  key + select under row security" "$(median app_key)" µs
row key_ratio "  its speed against the literal select" "$(ratio app_literal_pair app_key)" "" ">= 0.95"
row claims "  set_config(JSON claims) + select" "$(median app_claims)" µs
row claims_ratio "  its speed against the literal select" "$(ratio app_literal_pair app_claims)" ""
row literal_single "literal select as the only statement" "$(median app_literal)" µs
row key_single_ratio "  speed of key + select against it" "$(ratio app_literal app_key)" ""
heading "the same, $CLIENTS clients at once, one after the other"
row many_literal "select with a literal org_id" "$(median many_literal_pair_rate)" 1/s
row many_key "key + select under row security" "$(median many_key_rate)" 1/s
row many_key_ratio "  against the literal select" "$(ratio many_key_rate many_literal_pair_rate)" "" ">= 0.95"
row many_claims_ratio "set_config(JSON claims) + select against the literal select" "$(ratio many_claims_rate many_literal_pair_rate)" ""
row many_single_ratio "key + select against the literal select as the only statement" "$(ratio many_key_rate many_literal_rate)" ""
heading "the same through HTTP, 32 connections kept alive"
row direct "direct: key + select, sealed login, $CLIENTS clients" "$(median many_sealed_key_rate)" 1/s
row http "GET /api/v1/sessions" "$(median http)" 1/s
row http_ratio "  against direct" "$(ratio http many_sealed_key_rate)" "" ">= 0.9"
row gateway_cpu "processor time of wa-gateway for each" "$(median gateway_cpu)" µs "<= 22"
heading "authenticate as the only statement"
row one "a statement that sends a number back" "$(median app_one)" µs
row authenticate "authenticate, key known to the backend" "$(median app_authenticate)" µs
row authenticate_cost "  so the key costs" "$(difference app_authenticate app_one)" µs
row authenticate_cold "  so it costs after a change of the key table" "$(difference after_cold after_one)" µs
