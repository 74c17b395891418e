# shellcheck shell=bash
#
# The statements and scripts of scripts/bench/client.  bench/run sources this.
#
# The statements are the programs' own, so that those are measured that really run.  The
# statements to compare them with are made from these, and are registered too, for the
# sealed login.

STATEMENTS=$ROOT/gateway/statements

# The list of sessions from table $1.
list_of()
{
	sed -e "s/FROM wa\.session /FROM bench.$1 /" "$STATEMENTS/gateway/session_list.sql"
}

# If session_list.sql changes its form, this fails instead of measuring something else.
make_statements()
{
	local folder=$WORK/statements

	mkdir -p "$folder"
	list_of session | sed -e 's/^WHERE /WHERE s.org_id = $4::uuid AND /' >"$folder/bench_literal.sql"
	list_of claims_session >"$folder/bench_claims.sql"
	echo "SELECT pg_catalog.set_config('request.jwt.claims', \$1::text, true)" >"$folder/bench_set_claims.sql"
	echo "UPDATE wa.api_key SET name = name WHERE org_id = \$1::uuid" >"$folder/bench_key_change.sql"
	cat >"$folder/bench_plain.sql" <<-END
		WITH made AS (
			INSERT INTO bench.message (org_id, session_id, chat_jid, direction, type, body, status)
			VALUES (\$1::uuid, \$2::uuid, \$3::text, 'out', 'text', \$4::text, 'queued') RETURNING id
		), chat AS (
			UPDATE bench.chat SET active_at = now(), last_message_at = now()
			WHERE org_id = \$1::uuid AND session_id = \$2::uuid AND jid = \$3::text
		)
		INSERT INTO bench.event (org_id, epoch, ordinal, type, session_id, envelope)
		SELECT \$1::uuid, 1, 1, 'message.from_me', \$2::uuid, \$5::text FROM made
		RETURNING id
	END
	grep -q 'FROM bench\.session AS s' "$folder/bench_literal.sql" || die "cannot read the gateway's session_list.sql"
	grep -q 's\.org_id = \$4::uuid AND' "$folder/bench_literal.sql" || die "cannot put an organization into session_list.sql"
}

# Registers the statement that the sealed login runs for comparison.
register_statements()
{
	printf "SELECT wa.register_statement('wa_gateway', 'bench_literal', \$bench\$/* bench_literal */\n%s\$bench\$);\n" \
		"$(cat "$WORK/statements/bench_literal.sql")" | query -f - >/dev/null
}

# Writes script $1.  Each other argument is a line: a statement with its parameters.
script()
{
	local name=$1

	shift
	printf '%s\n' "$@" >"$WORK/scripts/$name"
}

# What a request of the gateway begins with.
AUTHENTICATE="authenticate :KEY read 192.0.2.1 bench :count"
