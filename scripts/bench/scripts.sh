# shellcheck shell=bash
#
# The pgbench scripts.  They are made from the gateway's own statements, so that the
# measured statements are those that really run.  bench/run sources this.
#
# Each script is one pipeline, which is one round trip and one transaction, like a request
# of the gateway.  "needs", "key", "org" and so on are pgbench variables, which are sent as
# parameters.

STATEMENTS=$ROOT/gateway/statements/gateway

# A statement of the gateway without comments, with variables for its parameters.
gateway_statement()
{
	sed -e '/^--/d' "$STATEMENTS/$1.sql"
}

authenticate_statement()
{
	gateway_statement authenticate | sed -e "s/\$1/:key/; s/\$2/:needs/; s/\$3/:address/; s/\$4/:request/"
}

list_statement()
{
	gateway_statement session_list | sed -e "s/\$1/:status/g; s/\$2/:cursor/g; s/\$3/:rows/g"
}

# The same list from table $1, for the organization that the caller names.
literal_statement()
{
	list_statement | sed -e 's/FROM wa\.session /FROM bench.session /' -e 's/^WHERE /WHERE s.org_id = :org AND /'
}

claims_statement()
{
	list_statement | sed -e 's/FROM wa\.session /FROM bench.claims_session /'
}

# Writes script $1 of a pgbench run as a pipeline of statements.  Each statement begins with
# the name under which pgbench prepares it, which consists of the numbers of the script and
# of the command.  A sealed login can prepare a statement under its own name only.
pipeline()
{
	local script=$1 command=0 statement

	shift
	printf '%s\n' '\startpipeline'
	for statement in "$@"
	do
		command=$((command + 1))
		printf '/* P%d_%d */ %s;\n' "$script" $command "$statement"
	done
	printf '%s\n' '\endpipeline'
}

# The scripts of a run, sorted by their numbers.
BENCH_SCRIPTS="key literal_pair literal claims one authenticate"

# Writes NAME.sql for each of them into folder $1.
make_scripts()
{
	local authenticate list literal

	authenticate=$(authenticate_statement)
	list=$(list_statement)
	literal=$(literal_statement)
	pipeline 0 "$authenticate" "$list" >"$1/key.sql"
	pipeline 2 "$literal" >"$1/literal.sql"
	pipeline 1 "SELECT 1" "$literal" >"$1/literal_pair.sql"
	pipeline 3 "SELECT set_config('request.jwt.claims', :claims, true)" "$(claims_statement)" >"$1/claims.sql"
	pipeline 4 "SELECT 1" >"$1/one.sql"
	pipeline 5 "$authenticate" >"$1/authenticate.sql"
	printf '%s;\n' "UPDATE wa.api_key SET name = name WHERE false" "$authenticate" >"$1/invalidated.sql"
	check_scripts "$1"
}

# If a statement of the gateway changes its form, this fails instead of measuring something
# else.
check_scripts()
{
	grep -q ':key, :needs' "$1/key.sql" || die "cannot read the gateway's authenticate.sql"
	grep -q 'FROM wa\.session AS s' "$1/key.sql" || die "cannot read the gateway's session_list.sql"
	grep -q ':org AND' "$1/literal.sql" || die "cannot put an organization into session_list.sql"
}

# The statements of a script as pgbench sends them, with one call of wa.register_statement()
# each.  They keep their semicolons, and their variables become $1, $2, ... in order.
register_script()
{
	awk -v quote="\$bench\$" '
		/^\\/ { next }
		{
			gsub(/::/, "\001")
			while (match($0, /:[a-z]+/))
				$0 = substr($0, 1, RSTART - 1) "$" ++parameters substr($0, RSTART + RLENGTH)
			gsub(/\001/, "::")
			text = text (text == "" ? "" : "\n") $0
			if (text ~ /;$/) {
				split(text, word, " ")
				printf "SELECT wa.register_statement(%swa_gateway%s, %s%s%s, %s%s%s);\n",
					quote, quote, quote, word[2], quote, quote, text, quote
				text = ""
				parameters = 0
			}
		}' "$1"
}
