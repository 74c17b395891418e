# shellcheck shell=bash
#
# What the scripts of this folder share; they source it, it runs nothing.
#
# Words: ROOT is the checkout.  The *unprivileged user* is who PostgreSQL runs
# as: the caller, or, when the caller is root (PostgreSQL refuses to run as
# root), "postgres" where that user exists, else "nobody".  A *place* is a
# folder of mode 0700 that this user owns: cluster, socket and programs.

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
SCRIPTS=$ROOT/scripts
PG_CONFIG=${PG_CONFIG:-pg_config}

# A unix socket's whole path has to fit into 107 bytes; this is what is left
# for the place in front of "/socket/.s.PGSQL.5432".
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
# Runs a command, says under its name how it went, and counts that in the caller's passed
# and failed.  What it prints goes to the file OUTPUT, the end of it is shown if it fails.
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

# Prints a place: the wished folder, or, where the unprivileged user cannot get
# at it (a checkout below a folder of mode 0700) or its path is too long for a
# socket, a new one under /var/tmp.  The caller removes it if it is not to stay.
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

# A place for one run of tests, always new.
make_test_place()
{
	local place

	place=$(mktemp -d /var/tmp/wa_apikeys.XXXXXX)
	chown "$(unprivileged_user)" "$place"
	printf '%s\n' "$place"
}

# Whether process $1 still runs and is the program $2.  A process id alone says
# nothing after a restart of the machine.
is_running()
{
	[ -n "$1" ] && [ "$(cat "/proc/$1/comm" 2>/dev/null)" = "$2" ] &&
		! grep -q '^State:[[:space:]]*Z' "/proc/$1/status" 2>/dev/null
}

# Ends program $2 with process id $1: asks, waits up to $3 seconds, then kills.
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

# Installs the extension into PostgreSQL's own folders, which takes root unless
# they are writable.
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

# psql as a superuser.  The search path of the database or of the login is not
# used: others may create in its schemas, and what matches best is called.
query()
{
	PGOPTIONS='-c search_path=pg_catalog,pg_temp' "$("$PG_CONFIG" --bindir)/psql" -X -q -A -t -v ON_ERROR_STOP=1 "$@"
}

# What the tests need from npm, by the lock file; asked for only when it has changed.
install_test_packages()
{
	local packages=$ROOT/gateway/tests

	if ! cmp -s "$packages/package-lock.json" "$packages/node_modules/.installed-lock.json"
	then
		(cd "$packages" && npm ci --no-audit --no-fund --loglevel=error) || die "could not install the packages of gateway/tests"
		cp "$packages/package-lock.json" "$packages/node_modules/.installed-lock.json"
	fi
}
