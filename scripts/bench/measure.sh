# shellcheck shell=bash
#
# Single measurements, and the table.  bench/run sources this.
#
# Every measurement adds lines "NAME VALUE" to $WORK/values.  A ratio is computed within one
# round, and the median of the rounds is printed.  So a machine that is slower for a while
# slows both sides of a ratio.

# What else ran before.
LOAD_BEFORE=$(cut -d ' ' -f 1 /proc/loadavg)

note()
{
	printf '%s %s\n' "$1" "$2" >>"$WORK/values"
}

# The median of numbers, one a line; nothing if there is none.
median_of()
{
	sort -g | awk '{ v[NR] = $1 } END { if (NR > 0) print (v[int((NR + 1) / 2)] + v[int(NR / 2) + 1]) / 2 }'
}

# The median of the values with this name.
median()
{
	awk -v name="$1" '$1 == name { print $2 }' "$WORK/values" | median_of
}

# The median over the rounds of value $1 divided by value $2.
ratio()
{
	awk -v a="$1" -v b="$2" '
		$1 == a { x[++m] = $2 }
		$1 == b { y[++n] = $2 }
		END { for (i = 1; i <= m && i <= n; i++) if (y[i] > 0) print x[i] / y[i] }' "$WORK/values" | median_of
}

# The median over the rounds of value $1 minus value $2.
difference()
{
	awk -v a="$1" -v b="$2" '
		$1 == a { x[++m] = $2 }
		$1 == b { y[++n] = $2 }
		END { for (i = 1; i <= m && i <= n; i++) print x[i] - y[i] }' "$WORK/values" | median_of
}

# LOGIN PREFIX CLIENT-OPTIONS -- SCRIPT ...
#
# Runs scripts, and notes for each its mean time in microseconds as PREFIX_SCRIPT, and
# PREFIX_SCRIPT_rate (a second), PREFIX_SCRIPT_p50 and PREFIX_SCRIPT_p99.
load()
{
	local login=$1 prefix=$2 options=()

	shift 2
	while [ "$1" != -- ]
	do
		options+=("$1")
		shift
	done
	shift
	PGUSER=$login "$WORK/client" -s "$WORK/statements" -s "$STATEMENTS/$(folder_of "$login")" "${options[@]}" \
		"${@/#/$WORK/scripts/}" >"$WORK/client.out"
	awk -v prefix="$prefix" '
		{
			print prefix "_" $1, $4
			print prefix "_" $1 "_rate", $3
			print prefix "_" $1 "_p50", $5
			print prefix "_" $1 "_p99", $6
			print prefix "_" $1 "_rows", $8
		}' "$WORK/client.out" >>"$WORK/values"
}

# NAME ROWS: ends the run unless the measured answers had so many rows.
had_rows()
{
	[ "$(median "$1_rows")" = "$2" ] || die "$GROUP: $1 has $(median "$1_rows") rows and not $2"
}

# Whose statements a login runs.
folder_of()
{
	case $1 in
		wa_worker_login) echo worker ;;
		wa_sandbox_login) echo connector ;;
		*) echo gateway ;;
	esac
}

# The processor time that a process has used, in nanoseconds.
processor_time()
{
	cut -d ' ' -f 1 "/proc/$1/schedstat"
}

# The median of microseconds, in milliseconds.
milliseconds()
{
	median "$1" | awk '{ print $1 / 1000 }'
}

# PREFIX CONNECTIONS SECONDS PATH
#
# Runs wrk against the gateway under $KEY, for longer if no request ends in that time.  Notes the
# requests a second as PREFIX, and PREFIX_p99 in microseconds.  Sets REQUESTS and FAILED to their
# numbers; the caller may allow failures by MAY_FAIL=yes.  WRK_PATHS and WRK_BODY are for wrk.lua.
through_gateway()
{
	local time p99 seconds=$3

	REQUESTS=0
	while [ "${REQUESTS:-0}" -eq 0 ] && [ "$seconds" -lt 60 ]
	do
		read -r REQUESTS time FAILED p99 < <(WA_API_KEY=$KEY wrk -t 1 -c "$2" -d "$seconds" --timeout 10 -s "$FOLDER/wrk.lua" "$URL$4" |
			sed -n 's/^result //p')
		seconds=$((seconds * 3))
	done
	[ -n "${MAY_FAIL:-}" ] || [ "${FAILED:-1}" -eq 0 ] || die "$GROUP: ${FAILED:-all} of ${REQUESTS:-the} requests failed"
	note "$1" "$(awk -v n="$REQUESTS" -v us="$time" 'BEGIN { print n * 1000000 / us }')"
	note "$1_p99" "$p99"
}

# ---- The table: lines of $WORK/rows are "GROUP ID TITLE VALUE UNIT AIM MET" with tabs ----

# Starts a part of the table.
heading()
{
	HEADING=$1
}

# ID TITLE VALUE UNIT [AIM]
#
# Adds a row.  A value that is no number means that something was not measured; that ends
# the run.  AIM is "<= NUMBER" or ">= NUMBER".
row()
{
	local met=""

	awk -v value="$3" 'BEGIN { exit value !~ /^-?[0-9]+(\.[0-9]+)?(e[-+]?[0-9]+)?$/ }' ||
		die "$GROUP: no value of $1: \"$3\""
	if [ -n "${5:-}" ]
	then
		met=$(awk -v value="$3" -v aim="$5" 'BEGIN { split(aim, a, " "); print (a[1] == "<=" ? value + 0 <= a[2] + 0 : value + 0 >= a[2] + 0) ? "yes" : "no" }')
	fi
	printf '%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n' "$GROUP" "$1" "$HEADING" "$2" "$3" "$4" "${5:-}" "$met" >>"$WORK/rows"
}

# ID TITLE REASON: a row that cannot be measured here.
no_row()
{
	printf '%s\t%s\t%s\t%s\t\t%s\t\t\n' "$GROUP" "$1" "$HEADING" "$2" "$3" >>"$WORK/rows"
}

print_table()
{
	cat <<-END

		wa_apikeys on PostgreSQL $(query -d postgres -c "SHOW server_version"), $(nproc) processors, $ROUNDS rounds; medians.
		Other work before: a load average of $LOAD_BEFORE.
	END
	awk -F '\t' '
		$3 != heading { heading = $3; printf "\n%-62s %12s %-8s %-10s %s\n", heading, "", "", "aim", "met" }
		$5 == "" { printf "  %-60s %s\n", $4, $6; next }
		{
			digits = $5 + 0 >= 100 ? 0 : $5 + 0 >= 10 ? 1 : $5 + 0 >= 1 ? 2 : 3
			printf "  %-60s %12.*f %-8s %-10s %s\n", $4, digits, $5, $6, $7, $8
		}' "$WORK/rows" | sed 's/ *$//'
}

print_json()
{
	jq -n -R --arg postgresql "$(query -d postgres -c "SHOW server_version")" --arg extension "$(query -c "SELECT wa.version()")" \
		--arg date "$(date -u +%F)" --argjson processors "$(nproc)" --argjson rounds "$ROUNDS" \
		--argjson load "$LOAD_BEFORE" '
		{ $extension, $postgresql, $processors, $rounds, $load, $date, rows: [ inputs | split("\t") |
			{ group: .[0], id: .[1], heading: .[2], title: .[3] }
			+ (if .[4] == "" then { value: null, reason: .[5] } else { value: (.[4] | tonumber), unit: .[5] } end)
			+ (if .[6] == "" then {} else { aim: .[6], met: (.[7] == "yes") } end) ] }' <"$WORK/rows"
}
