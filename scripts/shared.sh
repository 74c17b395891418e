# shellcheck shell=bash
#
# What the scripts of this folder share.  They source this file; it runs nothing by itself.
#
# These words are used: ROOT is the checkout.  The *unprivileged user* is the one that
# PostgreSQL runs as.  It is the caller; if the caller is root, which PostgreSQL refuses, it
# is "postgres" if that user exists, else "nobody".  A *place* is a folder of mode 0700 that
# this user owns, for the cluster, the socket and the programs.

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
SCRIPTS=$ROOT/scripts
PG_CONFIG=${PG_CONFIG:-pg_config}

# The whole path of a Unix socket may have 107 bytes; this is what remains for the place
# before "/socket/.s.PGSQL.5432".
PLACE_MAX=80

say()
{
	printf '%s\n' "$*"
}

die()
{
	printf '%s: %s\n' "$(basename "$0")" "$*" >&2
	exit 1
}

# OUTPUT NAME COMMAND ...
#
# Runs a command, prints its result under its name, and counts it in the caller's variables
# passed and failed.  Its output goes to the file OUTPUT; if it fails, the end of the output
# is shown.
run_step()
{
	local output=$1 name=$2

	shift 2
	if "$@" >"$output" 2>&1
	then
		passed=$((passed + 1))
		say "ok      $name"
		return 0
	fi
	failed=$((failed + 1))
	say "FAILED  $name"
	tail -n 60 "$output"
	return 1
}

unprivileged_user()
{
	if [ "$(id -u)" -ne 0 ]
	then
		id -un
	elif id -u postgres >/dev/null 2>&1
	then
		echo postgres
	else
		echo nobody
	fi
}

as_root()
{
	if [ "$(id -u)" -eq 0 ]
	then
		"$@"
	else
		sudo "$@"
	fi
}

# Prints a place.  This is the wished folder, unless the unprivileged user has no access to
# it (a checkout below a folder of mode 0700) or its path is too long for a socket; then it
# is a new folder under /var/tmp, which the caller removes if it is not to stay.
make_place()
{
	local wish=$1 user place

	user=$(unprivileged_user)
	mkdir -p "$(dirname "$wish")"
	if [ ${#wish} -le $PLACE_MAX ] && "$SCRIPTS/as-user" test -x "$(dirname "$wish")"
	then
		place=$wish
		mkdir -p "$place"
	else
		place=$(mktemp -d /var/tmp/wa_apikeys.XXXXXX)
		say "$wish cannot be used by \"$user\" (or is too long for a socket): using $place" >&2
	fi
	chmod 0700 "$place"
	chown "$user" "$place"
	printf '%s\n' "$place"
}

# Makes a new place for one run of tests.
make_test_place()
{
	local place

	place=$(mktemp -d /var/tmp/wa_apikeys.XXXXXX)
	chown "$(unprivileged_user)" "$place"
	printf '%s\n' "$place"
}

# Whether process $1 still runs and is the program $2.  The process id alone proves nothing
# after a restart of the machine.
is_running()
{
	[ -n "$1" ] && [ "$(cat "/proc/$1/comm" 2>/dev/null)" = "$2" ] &&
		! grep -q '^State:[[:space:]]*Z' "/proc/$1/status" 2>/dev/null
}

# Ends program $2 with process id $1: sends SIGTERM, waits up to $3 seconds, then sends
# SIGKILL.
end_process()
{
	local left=$(($3 * 10))

	is_running "$1" "$2" || return 0
	kill -TERM "$1" 2>/dev/null
	while is_running "$1" "$2"
	do
		if [ $left -eq 0 ]
		then
			say "$2 ($1) did not end within $3 s: killed" >&2
			kill -KILL "$1" 2>/dev/null
			return 0
		fi
		left=$((left - 1))
		sleep 0.1
	done
}

# Installs the extension into PostgreSQL's own folders, which only root may do unless they
# are writable.
install_extension()
{
	local target

	target=$("$PG_CONFIG" --pkglibdir)
	if [ -w "$target" ]
	then
		make -s -C "$ROOT" install PG_CONFIG="$PG_CONFIG"
	elif command -v sudo >/dev/null
	then
		sudo make -s -C "$ROOT" install PG_CONFIG="$PG_CONFIG"
	else
		die "cannot install the extension: $target is not writable and there is no sudo"
	fi
}

# Runs psql as a superuser.  The search path of the database or of the login is not used:
# others may create objects in its schemas, and the best match is called.
query()
{
	PGOPTIONS='-c search_path=pg_catalog,pg_temp' "$("$PG_CONFIG" --bindir)/psql" -X -q -A -t -v ON_ERROR_STOP=1 "$@"
}

# Installs the npm packages of the tests, by the lock file; only if that has changed.  None of
# their scripts runs.
install_test_packages()
{
	local packages=$ROOT/gateway/tests

	if ! cmp -s "$packages/package-lock.json" "$packages/node_modules/.installed-lock.json"
	then
		(cd "$packages" && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error) || die "could not install the packages of gateway/tests"
		cp "$packages/package-lock.json" "$packages/node_modules/.installed-lock.json"
	fi
}
