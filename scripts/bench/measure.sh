# shellcheck shell=bash
#
# Single measurements and their evaluation.  bench/run sources this.
#
# Every measurement adds lines "NAME VALUE" to $WORK/values: microseconds per transaction,
# or requests per second.  A ratio is computed within one round, and the median of the
# rounds is printed.  So a machine that is slower for a while slows both sides of a ratio.

note()
{
	printf '%s %s\n' "$1" "$2" >>"$WORK/values"
}

# The median of the values with this name.
median()
{
	awk -v name="$1" '$1 == name { print $2 }' "$WORK/values" | sort -g |
		awk '{ v[NR] = $1 } END { if (NR == 0) print "nan"; else print (v[int((NR + 1) / 2)] + v[int(NR / 2) + 1]) / 2 }'
}

# The median over the rounds of value $1 divided by value $2.
ratio()
{
	awk -v a="$1" -v b="$2" '
		$1 == a { x[++m] = $2 }
		$1 == b { y[++n] = $2 }
		END { for (i = 1; i <= m && i <= n; i++) if (y[i] > 0) print x[i] / y[i] }' "$WORK/values" | sort -g |
		awk '{ v[NR] = $1 } END { if (NR == 0) print "nan"; else printf "%.3f", (v[int((NR + 1) / 2)] + v[int(NR / 2) + 1]) / 2 }'
}

# Runs pgbench as login $1 with the variables of this round; the other arguments are
# pgbench's.
bench()
{
	local login=$1

	shift
	"$BIN/pgbench" -n -U "$login" -M prepared -D needs=read -D address=192.0.2.1 -D request=1 -D "key=$KEY" -D "org=$ORG" -D "claims=$CLAIMS" \
		-D status=working -D cursor=ffffffff-ffff-ffff-ffff-ffffffffffff -D rows=51 "$@" wa \
		>"$WORK/pgbench.out" 2>"$WORK/pgbench.err" ||
		{ cat "$WORK/pgbench.err" >&2; die "pgbench failed"; }
	! grep -q 'ERROR\|aborted' "$WORK/pgbench.err" ||
		{ head -n 5 "$WORK/pgbench.err" >&2; die "a statement failed"; }
}

# One client runs the scripts in random order for $3 seconds.  Notes the mean time of a
# transaction of each script, in microseconds, as PREFIX_SCRIPT.  The slowest 5 % are left
# out, since something else ran during these.
in_turn()
{
	local login=$1 prefix=$2 seconds=$3 name
	local files=()

	shift 3
	for name in "$@"
	do
		files+=(-f "$WORK/$name.sql@1")
	done
	rm -f "$WORK"/log.*
	bench "$login" -c 1 -T "$seconds" -l --log-prefix="$WORK/log" "${files[@]}"
	cat "$WORK"/log.* | awk -v prefix="$prefix" -v names="$*" '
		BEGIN { count = split(names, name, " ") }
		{ seen[$4, $3]++; total[$4]++; if ($3 > longest) longest = $3 }
		END {
			for (s = 0; s < count; s++) {
				left = int(total[s] * 0.95); sum = 0; taken = 0
				for (us = 0; us <= longest && taken < left; us++) {
					n = seen[s, us] + 0
					if (n > left - taken) n = left - taken
					sum += n * us; taken += n
				}
				printf "%s_%s %.2f\n", prefix, name[s + 1], taken ? sum / taken : 0
			}
		}' >>"$WORK/values"
}

# $3 clients run one script at the same time for $4 seconds.  Notes transactions per second.
at_once()
{
	bench "$1" -c "$3" -j 2 -T "$4" -f "$WORK/$5.sql"
	note "$2" "$(sed -n 's/^tps = \([0-9.]*\).*/\1/p' "$WORK/pgbench.out")"
}

# Measures each authenticate that follows a change of the key table.
after_invalidation()
{
	bench postgres -c 1 -T "$1" -r -f "$WORK/invalidated.sql"
	note cold "$(awk '/wa\.authenticate/ { print $1 * 1000 }' "$WORK/pgbench.out")"
}

# The processor time that a process has used, in nanoseconds.
processor_time()
{
	cut -d ' ' -f 1 "/proc/$1/schedstat"
}

# Runs wrk with $1 connections for $2 seconds.  Notes requests per second, and the gateway's
# processor time for each request in microseconds.
through_gateway()
{
	local before result requests time failed

	before=$(processor_time "$GATEWAY")
	result=$(WA_API_KEY=$KEY wrk -t 1 -c "$1" -d "$2" -s "$BENCH/wrk.lua" "$URL/api/v1/sessions" |
		sed -n 's/^result //p')
	read -r requests time failed <<<"$result"
	[ "${failed:-1}" -eq 0 ] || die "${failed:-all} of ${requests:-the} requests failed"
	note gateway "$(awk -v n="$requests" -v us="$time" 'BEGIN { print n * 1000000 / us }')"
	note gateway_cpu "$(awk -v n="$requests" -v a="$before" -v b="$(processor_time "$GATEWAY")" \
		'BEGIN { print (b - a) / 1000 / n }')"
}
