/*
 * commands.c
 *		The table of commands; see command.h.
 *
 * Statements call public functions, and read tables and views, that members of wa_admin may
 * use.  Columns have the names of the REST API.
 */
#include "cli/command.h"

#include <string.h>

#include "cli/connector_key.h"
#include "cli/help.h"

/* clang-format off */

#define ORG_COLUMNS \
	"wa.typeid('org', o.id) AS id, " \
	"o.name, " \
	"o.created_at AS \"createdAt\", " \
	"o.event_days AS \"eventDays\", o.media_days AS \"mediaDays\""

#define KEY_COLUMNS \
	"k.key AS id, " \
	"wa.typeid('org', k.org_id) AS \"organizationId\", " \
	"k.org AS organization, " \
	"k.name, " \
	"k.prefix, " \
	"to_json(k.permissions::text[] || k.own_permissions) AS permissions, " \
	"k.status, " \
	"k.created_at AS \"createdAt\", " \
	"k.created_by AS \"createdBy\", " \
	"k.expires_at AS \"expiresAt\", " \
	"k.last_used_at AS \"lastUsedAt\", " \
	"host(k.last_used_from) AS \"lastUsedFrom\", " \
	"k.disabled_at AS \"disabledAt\", " \
	"k.disabled_by AS \"disabledBy\", " \
	"k.revoked_at AS \"revokedAt\", " \
	"k.revoked_by AS \"revokedBy\", " \
	"k.revoked_reason AS \"revokedReason\", " \
	"to_json(wa.session_ids(k.sessions)) AS sessions, " \
	"to_json(k.addresses::text[]) AS addresses, " \
	"CASE WHEN k.per_minute IS NOT NULL " \
	"THEN json_build_object('requestsPerMinute', k.per_minute, 'burst', k.burst) END AS \"rateLimit\", " \
	"k.test"

#define USER_COLUMNS \
	"wa.typeid('usr', u.id) AS id, " \
	"u.email, " \
	"u.name, " \
	"u.created_at AS \"createdAt\", " \
	"u.disabled_at AS \"disabledAt\""

#define PERMISSION_COLUMNS \
	"p.name, " \
	"p.description, " \
	"p.grantable, " \
	"p.defined_at AS \"definedAt\", " \
	"p.defined_by AS \"definedBy\""

/* The names of $3, which are of the four and of one's own, as p.four and p.own. */
#define BOTH_KINDS \
	"(SELECT concat('{', string_agg(n, ',') FILTER (WHERE n NOT LIKE '%:%'), '}')::wa.permissions AS four, " \
	"array_agg(btrim(n)) FILTER (WHERE n LIKE '%:%') AS own FROM unnest(string_to_array(btrim($3, '{}'), ',')) n) p"

#define CONNECTOR_KEY_COLUMNS \
	"k.id, " \
	"k.connector, " \
	"encode(k.public_key, 'hex') AS \"publicKey\", " \
	"k.added_at AS \"addedAt\", " \
	"k.added_by AS \"addedBy\", " \
	"k.sessions"

#define SHOW_ORG "SELECT " ORG_COLUMNS " FROM wa.org o WHERE o.id = $1::wa.org_id"
#define SHOW_KEY "SELECT " KEY_COLUMNS " FROM wa.keys k WHERE k.id = $1::wa.key_id"
#define SHOW_USER "SELECT " USER_COLUMNS " FROM wa.app_user u WHERE u.id = $1::wa.user_id"
#define SHOW_PERMISSION "SELECT " PERMISSION_COLUMNS " FROM wa.own_permission p WHERE p.name = $1 AND p.dropped_at IS NULL"

#define ORG {.kind = PARAMETER_WORD, .name = "ORG", .help = "the id of an organization: org_…, or a UUID"}
#define KEY {.kind = PARAMETER_WORD, .name = "KEY", .help = "the id of a key: key_…, or a UUID", .send = SEND_PATH, .member = "key"}
#define USER {.kind = PARAMETER_WORD, .name = "USER", .help = "the id of a person: usr_…, or a UUID"}

const Command commands[] = {
	{.name = "check",
	 .summary = "check what the isolation of organizations rests on",
	 .more = "Prints each finding of wa.self_check() with what to do about it. The exit status is 1 if there are any.",
	 .parameters = {{.kind = PARAMETER_CONSTANT, .name = check_advice}},
	 .statement = "SELECT c.name, c.passed, c.detail, a.value AS advice "
		"FROM wa.self_check() c LEFT JOIN json_each_text($1::json) a ON a.key = c.name ORDER BY c.passed, c.name",
	 .shape = COMMAND_CHECKS},

	{.name = "org create",
	 .summary = "make an organization",
	 .parameters = {{.kind = PARAMETER_WORD, .name = "NAME", .help = "what people call it; names may repeat"}},
	 .statement = "SELECT wa.create_org($1)::wa.org_id AS id",
	 .show = SHOW_ORG},

	{.name = "org list",
	 .summary = "list the organizations, oldest first",
	 .statement = "SELECT " ORG_COLUMNS " FROM wa.org o ORDER BY o.id",
	 .shape = COMMAND_LIST},

	{.name = "org show",
	 .summary = "show an organization, its limits, and how many keys and members it has",
	 .parameters = {ORG},
	 .requires = SHOW_ORG,
	 .absent = "organization does not exist",
	 .statement = "SELECT " ORG_COLUMNS ", "
		"(SELECT count(*) FROM wa.keys k WHERE k.org_id = o.id AND k.status IN ('live', 'rotated')) AS \"liveKeys\", "
		"(SELECT count(*) FROM wa.live_member m WHERE m.org_id = o.id) AS members, "
		"p.default_days AS \"keyDefaultDays\", p.max_days AS \"keyMaxDays\", "
		"(SELECT json_object_agg(d.name, COALESCE(l.value, d.value) ORDER BY d.name) "
		"FROM wa.default_limits() d LEFT JOIN wa.org_limits l ON l.org_id = o.id AND l.name = d.name) AS limits "
		"FROM wa.org o LEFT JOIN wa.key_policy p ON p.org_id = o.id WHERE o.id = $1::wa.org_id"},

	{.name = "key create",
	 .summary = "make an API key",
	 .elsewhere = "add new issue",
	 .more = "The secret is printed once, as \"key\", and cannot be shown again. If it cannot be written, no key is made; over HTTP, one is made and named, to be revoked.",
	 .parameters = {ORG,
		{.kind = PARAMETER_WORD, .name = "NAME", .help = "how people find the key",
		 .send = SEND_TEXT, .member = "name"},
		{.kind = PARAMETER_WORD, .name = "PERMISSIONS", .words = "read send manage events",
		 .help = "one of read, send, manage, events, or of your own such as invoices:write, or several with commas between",
		 .send = SEND_LIST, .member = "permissions"},
		{.kind = PARAMETER_OPTION, .name = "expires", .argument = "TIME",
		 .help = "when it ends, in UTC: 2027-01-31, 2027-01-31T12:00:00Z, or infinity; default: as the organization's policy says",
		 .send = SEND_TIME, .member = "expiresAt"},
		{.kind = PARAMETER_OPTION, .name = "sessions", .argument = "LIST",
		 .help = "sess_…, or several with commas between: the only sessions that it reaches; default: all of the organization",
		 .send = SEND_LIST, .member = "sessions"},
		{.kind = PARAMETER_OPTION, .name = "addresses", .argument = "LIST",
		 .help = "the only addresses and networks that it is accepted from, such as 192.0.2.7,203.0.113.0/24; default: all",
		 .send = SEND_LIST, .member = "addresses"},
		{.kind = PARAMETER_OPTION, .name = "per-minute", .argument = "NUMBER",
		 .help = "how many requests a minute it may make; default: any number",
		 .send = SEND_NUMBER, .member = "rateLimit.requestsPerMinute"},
		{.kind = PARAMETER_OPTION, .name = "burst", .argument = "NUMBER",
		 .help = "with --per-minute: how many of them at once; default: as many as ten seconds allow",
		 .send = SEND_NUMBER, .member = "rateLimit.burst"},
		{.kind = PARAMETER_FLAG, .name = "test",
		 .help = "make a test key, which reaches only sessions of the sandbox",
		 .send = SEND_FLAG, .member = "test"}},
	 .statement = "SELECT c.id::wa.key_id AS id, c.secret AS key "
		"FROM " BOTH_KINDS ", wa.create_key($1::wa.org_id, $2, p.four, $4::timestamptz, "
		"string_to_array($5, ',')::wa.session_id[], string_to_array($6, ','), $7::integer, $8::integer, p.own, $9::boolean) c",
	 .show = SHOW_KEY,
	 .http = {.request = "POST /api-keys", .members = new_key_members},
	 .has_secret = true},

	{.name = "key change",
	 .summary = "change an API key that is in use, with effect right away",
	 .elsewhere = "update edit set",
	 .more = "Only what is given is changed; the secret stays. A key that is revoked, expired or rotated cannot be changed, and a test key stays one.",
	 .parameters = {KEY,
		{.kind = PARAMETER_OPTION, .name = "name", .argument = "NAME", .help = "how people find the key",
		 .send = SEND_TEXT, .member = "name"},
		{.kind = PARAMETER_OPTION, .name = "permissions", .argument = "LIST",
		 .help = "all that it may do from now on, such as read,send or read,invoices:write",
		 .send = SEND_LIST, .member = "permissions"},
		{.kind = PARAMETER_OPTION, .name = "expires", .argument = "TIME",
		 .help = "when it ends, in UTC: 2027-01-31, 2027-01-31T12:00:00Z, or infinity; at most as the organization's policy allows",
		 .send = SEND_TIME, .member = "expiresAt"},
		{.kind = PARAMETER_OPTION, .name = "sessions", .argument = "LIST", .help = "the only sessions that it reaches, or all",
		 .send = SEND_LIST, .member = "sessions", .none = "all"},
		{.kind = PARAMETER_OPTION, .name = "addresses", .argument = "LIST", .help = "the only addresses and networks that it is accepted from, or any",
		 .send = SEND_LIST, .member = "addresses", .none = "any"},
		{.kind = PARAMETER_OPTION, .name = "per-minute", .argument = "NUMBER", .help = "how many requests a minute it may make, or any",
		 .send = SEND_NUMBER, .member = "rateLimit.requestsPerMinute", .none = "any"},
		{.kind = PARAMETER_OPTION, .name = "burst", .argument = "NUMBER",
		 .help = "with --per-minute: how many of them at once; default: as many as ten seconds allow",
		 .send = SEND_NUMBER, .member = "rateLimit.burst"}},
	 .statement = "SELECT $1::wa.key_id AS id FROM " BOTH_KINDS ", "
		"wa.update_key($1::wa.key_id, $2, CASE WHEN $3 IS NOT NULL THEN p.four END, $4::timestamptz, "
		"string_to_array(NULLIF($5, 'all'), ',')::wa.session_id[], string_to_array(NULLIF($6, 'any'), ','), NULLIF($7, 'any')::integer, $8::integer, "
		"CASE WHEN $3 IS NOT NULL THEN COALESCE(p.own, '{}') END, "
		"array_remove(ARRAY[CASE $5 WHEN 'all' THEN 'sessions' END, CASE $6 WHEN 'any' THEN 'addresses' END, CASE $7 WHEN 'any' THEN 'rateLimit' END], NULL))",
	 .show = SHOW_KEY,
	 .http = {.request = "PATCH /api-keys/{}", .members = key_members}},

	{.name = "key policy",
	 .summary = "show how long the API keys of an organization live, or set it",
	 .more = "Keys that exist keep their expiry until it is changed. What is not given stays as it is; over HTTP, both or none are given.",
	 .parameters = {ORG,
		{.kind = PARAMETER_OPTION, .name = "default-days", .argument = "NUMBER", .help = "the days of a key for which no time is given, or none",
		 .send = SEND_NUMBER, .member = "defaultDays", .none = "none"},
		{.kind = PARAMETER_OPTION, .name = "max-days", .argument = "NUMBER", .help = "the most days of any key, counted from when it was made, or none",
		 .send = SEND_NUMBER, .member = "maxDays", .none = "none"}},
	 .requires = SHOW_ORG,
	 .absent = "organization does not exist",
	 .statement = "SELECT $1::wa.org_id AS id FROM (SELECT) one LEFT JOIN wa.key_policy p ON p.org_id = $1::wa.org_id "
		"LEFT JOIN LATERAL (SELECT wa.set_key_policy($1::wa.org_id, "
		"CASE WHEN $2::text IS NULL THEN p.default_days WHEN $2 <> 'none' THEN $2::integer END, "
		"CASE WHEN $3::text IS NULL THEN p.max_days WHEN $3 <> 'none' THEN $3::integer END) "
		"WHERE num_nonnulls($2::text, $3::text) > 0) s ON true",
	 .show = "SELECT wa.typeid('org', o.id) AS id, o.name, p.default_days AS \"defaultDays\", p.max_days AS \"maxDays\" "
		"FROM wa.org o LEFT JOIN wa.key_policy p ON p.org_id = o.id WHERE o.id = $1::wa.org_id",
	 .http = {.request = "GET /api-keys/policy", .change = "PUT /api-keys/policy", .members = key_policy_members}},

	{.name = "key list",
	 .summary = "list the API keys of an organization, or of all, oldest first",
	 .elsewhere = "ls",
	 .parameters = {{.kind = PARAMETER_OPTIONAL_WORD, .name = "ORG", .help = "the id of an organization: org_…, or a UUID"},
		{.kind = PARAMETER_OPTION, .name = "status", .argument = "STATUS", .words = "live rotated disabled expired revoked",
		 .help = "only those that are live, rotated, disabled, expired or revoked",
		 .send = SEND_FILTER, .member = "status"}},
	 .requires = "SELECT FROM wa.org o WHERE o.id = $1::wa.org_id UNION ALL SELECT WHERE $1 IS NULL",
	 .absent = "organization does not exist",
	 .statement = "SELECT " KEY_COLUMNS ", "
		"to_json(NULLIF(array_remove(ARRAY[CASE WHEN k.sessions IS NOT NULL THEN 'sessions' END, "
		"CASE WHEN k.addresses IS NOT NULL THEN 'addresses' END, "
		"CASE WHEN k.per_minute IS NOT NULL THEN 'rateLimit' END, CASE WHEN k.test THEN 'test' END], NULL), '{}')) AS \"restrictedBy\" "
		"FROM wa.keys k "
		"WHERE ($1::wa.org_id IS NULL OR k.org_id = $1::wa.org_id) AND ($2::text IS NULL OR k.status = $2) ORDER BY k.id",
	 .http = {.request = "GET /api-keys", .form = ROWS_PAGES, .newest_first = true, .members = key_list_members},
	 .shape = COMMAND_LIST,
	 .columns = "id organization name prefix permissions restrictedBy status expiresAt lastUsedAt"},

	{.name = "key show",
	 .summary = "show an API key",
	 .elsewhere = "get describe",
	 .parameters = {KEY},
	 .requires = SHOW_KEY,
	 .absent = "key does not exist",
	 .statement = SHOW_KEY,
	 .http = {.request = "GET /api-keys/{}", .members = key_members}},

	{.name = "key find",
	 .summary = "find the API keys that a text may mean, in all organizations",
	 .elsewhere = "whoami search lookup",
	 .more = "Of a key only its first characters and a digest are stored. So a beginning of a key is compared by these "
		"characters alone, and several keys may match; a whole key is found by its digest. Give a whole key on standard "
		"input (-), not as an argument: arguments of programs can be seen by others.",
	 .parameters = {{.kind = PARAMETER_SECRET_WORD, .name = "TEXT",
		.help = "the beginning of a key, as a log or code shows it, or an id, or a name; -: read it from standard input"}},
	 .statement = "SELECT f.matched, " KEY_COLUMNS " FROM wa.find_key($1) f JOIN wa.keys k ON k.org_id = f.org_id AND k.id = f.key ORDER BY k.id",
	 .shape = COMMAND_LIST,
	 .columns = "matched id organizationId organization name prefix status createdBy lastUsedAt"},

	{.name = "key usage",
	 .summary = "show how often an API key was used in each hour, and why requests were denied",
	 .elsewhere = "analytics stats verifications",
	 .more = "The oldest hour first; an hour without requests is left out. Counts are kept for 30 days.",
	 .parameters = {KEY,
		{.kind = PARAMETER_OPTION, .name = "hours", .argument = "NUMBER", .help = "only so many hours back, with the current one",
		 .send = SEND_NUMBER, .member = "hours"}},
	 .requires = SHOW_KEY,
	 .absent = "key does not exist",
	 .statement = "SELECT u.hour AS \"from\", u.allowed, u.denied, "
		"u.expired, u.revoked, u.disabled, u.address, u.permission, u.session, u.rate "
		"FROM wa.key_usage u JOIN wa.keys k ON k.org_id = u.org_id AND k.id = u.key_id "
		"WHERE k.id = $1::wa.key_id AND ($2::integer IS NULL OR u.hour > now() - $2::integer * interval '1 hour') ORDER BY u.hour",
	 .http = {.request = "GET /api-keys/{}/usage", .form = ROWS_MEMBER, .list = "hours", .members = key_hour_members},
	 .shape = COMMAND_LIST},

	{.name = "key guesses",
	 .summary = "show the beginnings of keys that were presented and that nobody has, and whose keys begin like that",
	 .more = "The most frequent ones come first. A row without a prefix is all others together. Counts are kept for 30 days.",
	 .parameters = {{.kind = PARAMETER_OPTION, .name = "hours", .argument = "NUMBER", .help = "only so many hours back, with the current one"}},
	 .statement = "SELECT NULLIF(u.prefix, '') AS prefix, sum(u.denied)::bigint AS denied, max(u.hour) AS \"latestHour\", "
		"(SELECT string_agg(k.key, ' ' ORDER BY k.id) FROM wa.keys k WHERE u.prefix <> '' AND starts_with(u.prefix, k.prefix) AND k.status <> 'revoked') AS keys "
		"FROM wa.unknown_key u WHERE $1::integer IS NULL OR u.hour > now() - $1::integer * interval '1 hour' "
		"GROUP BY u.prefix ORDER BY u.prefix = '', denied DESC, u.prefix",
	 .shape = COMMAND_LIST},

	{.name = "key explain",
	 .summary = "say why a request with an API key is denied",
	 .elsewhere = "verify validate check",
	 .more = "Give the key on standard input (-), not as an argument: arguments of programs can be seen by others. The first "
		"reason is the one for which it is denied. Nothing is counted, and it is no use of the key.",
	 .parameters = {{.kind = PARAMETER_SECRET_WORD, .name = "-", .help = "read the key from standard input, or ask for it on the terminal"},
		{.kind = PARAMETER_OPTION, .name = "permission", .argument = "NAME",
		 .help = "what the request needs: read, send, manage, events, or one of your own such as invoices:write"},
		{.kind = PARAMETER_OPTION, .name = "session", .argument = "SESSION", .help = "the session that it names: sess_…, or a UUID"},
		{.kind = PARAMETER_OPTION, .name = "address", .argument = "ADDRESS", .help = "where it comes from; without one a key that is restricted to addresses is refused"}},
	 .statement = "SELECT e.reason, e.detail, e.key AS id, e.name, e.org_id AS \"organizationId\" "
		"FROM wa.explain_denial($1::wa.secret, $2, $3::wa.session_id, $4) e",
	 .shape = COMMAND_LIST},

	{.name = "key revoke",
	 .summary = "end an API key for good, with effect right away",
	 .elsewhere = "delete remove",
	 .parameters = {KEY,
		{.kind = PARAMETER_OPTION, .name = "reason", .argument = "TEXT", .help = "what people then see beside the key",
		 .send = SEND_TEXT, .member = "reason"}},
	 .statement = "SELECT $1::wa.key_id AS id, wa.revoke_key_with_reason($1::wa.key_id, $2) AS changed",
	 .show = SHOW_KEY,
	 .http = {.request = "DELETE /api-keys/{}", .show = "GET /api-keys/{}", .members = key_members},
	 .done = "{id} (\"{name}\") is revoked",
	 .unchanged = "{id} (\"{name}\") was revoked before"},

	{.name = "key revoke-all",
	 .summary = "end all API keys of an organization, or those that one person has made, with effect right away",
	 .more = "A key that somebody makes or rotates at the same moment is not among them: take their role away first.",
	 .parameters = {ORG,
		{.kind = PARAMETER_OPTION, .name = "created-by", .argument = "USER", .help = "only those that this person has made: usr_…, or a UUID",
		 .send = SEND_INSTEAD, .member = "createdBy"},
		{.kind = PARAMETER_OPTION, .name = "reason", .argument = "TEXT", .help = "what people then see beside the keys",
		 .send = SEND_TEXT, .member = "reason"},
		{.kind = PARAMETER_CONFIRMATION, .name = "yes", .help = "that it is meant: without it nothing is done", .send = SEND_NOTHING}},
	 .statement = "SELECT wa.revoke_keys($1::wa.org_id, $2::wa.user_id, $3) AS revoked WHERE $4::boolean",
	 .http = {.request = "POST /api-keys/revoke", .constant = "all", .value = true, .members = revoked_members},
	 .done = "keys revoked: {revoked}"},

	{.name = "key revoke-secret",
	 .summary = "end the API key that somebody has found, whichever organization's it is",
	 .more = "Give the key on standard input (-), not as an argument: arguments of programs can be seen by others.",
	 .parameters = {{.kind = PARAMETER_SECRET_WORD, .name = "-", .help = "read the key from standard input, or ask for it on the terminal"},
		{.kind = PARAMETER_OPTION, .name = "reason", .argument = "TEXT", .help = "what people then see beside the key"}},
	 .statement = "SELECT r.key AS id, r.revoked AS changed FROM wa.revoke_secret($1::wa.secret, $2) r",
	 .show = SHOW_KEY,
	 .done = "{id} (\"{name}\" of {organization}) is revoked",
	 .unchanged = "{id} (\"{name}\" of {organization}) was revoked before"},

	{.name = "key disable",
	 .summary = "switch an API key off until it is enabled, with effect right away",
	 .parameters = {KEY},
	 .statement = "SELECT $1::wa.key_id AS id, wa.disable_key($1::wa.key_id) AS changed",
	 .show = SHOW_KEY,
	 .http = {.request = "PATCH /api-keys/{}", .constant = "enabled", .value = false, .members = key_members},
	 .done = "{id} (\"{name}\") is switched off",
	 .unchanged = "{id} (\"{name}\") was switched off before"},

	{.name = "key enable",
	 .summary = "switch an API key on again",
	 .parameters = {KEY},
	 .statement = "SELECT $1::wa.key_id AS id, wa.enable_key($1::wa.key_id) AS changed",
	 .show = SHOW_KEY,
	 .http = {.request = "PATCH /api-keys/{}", .constant = "enabled", .value = true, .members = key_members},
	 .done = "{id} (\"{name}\") is switched on",
	 .unchanged = "{id} (\"{name}\") was on"},

	{.name = "key rotate",
	 .summary = "make the successor of an API key",
	 .elsewhere = "reroll roll regenerate",
	 .more = "The successor has the name, the permissions and the restrictions of the old key, and it ends when the old one would "
		"have, or sooner if the organization's policy allows no longer life. The old key works until \"previousExpiresAt\", when the overlap is over. The new secret is printed once, as \"key\". If it cannot be written, nothing is changed; over HTTP, the successor is made and named, to be revoked.",
	 .parameters = {KEY,
		{.kind = PARAMETER_OPTION, .name = "overlap", .argument = "INTERVAL",
		 .help = "how long the old key goes on working, such as 0, \"1 hour\" or \"7 days\"; default: 1 day",
		 .send = SEND_SECONDS, .member = "overlapSeconds"},
		{.kind = PARAMETER_OPTION, .name = "expires", .argument = "TIME",
		 .help = "when the successor ends, in UTC: 2027-01-31, 2027-01-31T12:00:00Z, or infinity; default: when the old key would have",
		 .send = SEND_TIME, .member = "expiresAt"}},
	 .statement = "SELECT r.id::wa.key_id AS id, r.secret AS key, r.old_ends_at AS \"previousExpiresAt\" "
		"FROM wa.rotate_key($1::wa.key_id, COALESCE($2::interval, '1 day'), $3::timestamptz) r",
	 .show = SHOW_KEY,
	 .http = {.request = "POST /api-keys/{}/rotate", .members = rotated_key_members},
	 .has_secret = true},

	{.name = "import",
	 .summary = "take over API keys that another system issued",
	 .elsewhere = "migrate",
	 .more = "Only keys that begin with wa_ can be taken over. They go on working as they are: their digests are taken over, and each row says what became of it: imported, exists, "
		"expired, or refused with the reason. A row that cannot be taken over as it is changes nothing. The exit status is 1 if any is "
		"refused. See docs/moving-in.md.",
	 .parameters = {{.kind = PARAMETER_WORD, .name = "SOURCE", .words = "better-auth unkey list",
		 .help = "whose rows they are: better-auth, unkey or list"},
		{.kind = PARAMETER_WORD, .name = "ORG", .help = "the organization of rows that name none: org_…, or a UUID"},
		{.kind = PARAMETER_FILE, .name = "FILE", .help = "a list of JSON objects, or one on each line; -: read it from standard input"},
		{.kind = PARAMETER_OPTION, .name = "permissions", .argument = "LIST", .help = "the permissions of keys that have none there"},
		{.kind = PARAMETER_OPTION, .name = "names", .argument = "LIST",
		 .help = "our names for their permissions, such as messages:read=read,bills:write=invoices:write,files:read= to leave the last one out"},
		{.kind = PARAMETER_OPTION, .name = "rates", .argument = "RATES", .words = "keep drop",
		 .help = "keep or drop the rates of the keys; default: keep"},
		{.kind = PARAMETER_FLAG, .name = "dry-run", .help = "change nothing, and say what would be done"},
		{.kind = PARAMETER_FLAG, .name = "test",
		 .help = "make all of them test keys, which reach only sessions of the sandbox; without it those whose \"test\" is true"}},
	 .statement = "SELECT r.place, r.name, r.prefix, to_json(r.permissions) AS permissions, r.result, r.key AS id, r.reason "
		"FROM wa.import_keys($1, $2::wa.org_id, $3, string_to_array(NULLIF(btrim($4, '{}'), ''), ','), "
		"COALESCE((SELECT jsonb_object_agg(split_part(n, '=', 1), split_part(n, '=', 2)) FROM unnest(string_to_array($5, ',')) n), '{}'), "
		"$6::text IS DISTINCT FROM 'drop', $7::boolean IS TRUE, $8::boolean IS TRUE) r",
	 .shape = COMMAND_LIST,
	 .columns = "place name prefix permissions result id reason",
	 .failure = "refused"},

	{.name = "user create",
	 .summary = "make the account of a person",
	 .more = "Without --password a password is made up and printed once, as \"password\".",
	 .parameters = {{.kind = PARAMETER_WORD, .name = "EMAIL", .help = "what the person signs in with"},
		{.kind = PARAMETER_WORD, .name = "NAME", .help = "what others call them"},
		{.kind = PARAMETER_PASSWORD, .name = "password",
		 .help = "ask for a password on the terminal, or read it from standard input if that is none"}},
	 .statement = "SELECT c.id::wa.user_id AS id, c.initial_password AS password FROM wa.create_user($1, $2, $3::wa.password) c",
	 .show = SHOW_USER,
	 .has_secret = true},

	{.name = "user list",
	 .summary = "list the accounts, oldest first",
	 .statement = "SELECT " USER_COLUMNS " FROM wa.app_user u ORDER BY u.id",
	 .shape = COMMAND_LIST},

	{.name = "user reset-password",
	 .summary = "give a person a new password, and sign them out everywhere",
	 .more = "The new password is made up and printed once, as \"password\". If it cannot be written, nothing is changed.",
	 .parameters = {USER},
	 .statement = "SELECT $1::wa.user_id AS id, wa.reset_password($1::wa.user_id) AS password",
	 .show = SHOW_USER,
	 .has_secret = true},

	{.name = "user disable",
	 .summary = "close an account, and sign the person out everywhere",
	 .parameters = {USER},
	 .statement = "SELECT $1::wa.user_id AS id, wa.disable_user($1::wa.user_id) AS changed",
	 .show = SHOW_USER,
	 .done = "{id} ({email}) cannot sign in any more",
	 .unchanged = "{id} ({email}) was closed before"},

	{.name = "user enable",
	 .summary = "open a closed account again",
	 .parameters = {USER},
	 .statement = "SELECT $1::wa.user_id AS id, wa.enable_user($1::wa.user_id) AS changed",
	 .show = SHOW_USER,
	 .done = "{id} ({email}) can sign in again",
	 .unchanged = "{id} ({email}) was open"},

	{.name = "member add",
	 .summary = "make a person a member of an organization, or give a member another role",
	 .elsewhere = "invite",
	 .parameters = {ORG, USER,
		{.kind = PARAMETER_WORD, .name = "ROLE", .words = "owner admin member", .help = "owner, admin or member"}},
	 .statement = "SELECT $1::wa.org_id AS \"organizationId\", $2::wa.user_id AS \"userId\", $3::text AS role, "
		"wa.add_member($1::wa.org_id, $2::wa.user_id, $3) AS changed",
	 .done = "{userId} is {role} of {organizationId}",
	 .unchanged = "{userId} was {role} of {organizationId} before"},

	{.name = "member list",
	 .summary = "list the members of an organization",
	 .parameters = {ORG},
	 .requires = SHOW_ORG,
	 .absent = "organization does not exist",
	 .statement = "SELECT p.person AS \"userId\", p.email, p.name, p.role, p.member_since AS \"createdAt\", p.disabled_at AS \"disabledAt\" "
		"FROM wa.people p WHERE p.org_id = $1::wa.org_id ORDER BY p.id",
	 .shape = COMMAND_LIST},

	{.name = "member remove",
	 .summary = "remove a person from an organization, with effect right away",
	 .elsewhere = "delete",
	 .parameters = {ORG, USER},
	 .statement = "SELECT $1::wa.org_id AS \"organizationId\", $2::wa.user_id AS \"userId\", "
		"wa.remove_member($1::wa.org_id, $2::wa.user_id) AS changed",
	 .done = "{userId} is no member of {organizationId} any more",
	 .unchanged = "{userId} was no member of {organizationId}"},

	{.name = "permission define",
	 .summary = "define a permission of your own, for tables of an application",
	 .elsewhere = "create add",
	 .more = "Tables need it by wa.protect(). Defined again, it gets the new description, and who may give it is decided anew.",
	 .parameters = {{.kind = PARAMETER_WORD, .name = "NAME", .help = "words with a colon between, such as invoices:write"},
		{.kind = PARAMETER_WORD, .name = "DESCRIPTION", .help = "what it allows, for whoever makes a key"},
		{.kind = PARAMETER_FLAG, .name = "grantable",
		 .help = "let owners and admins give it to keys of their organizations; otherwise only administrators of the database can"}},
	 .statement = "SELECT $1::text AS name FROM wa.define_permission($1, $2, $3::boolean IS TRUE) n",
	 .show = SHOW_PERMISSION},

	{.name = "permission list",
	 .summary = "list the permissions: the four, and your own",
	 .statement = "SELECT d.name, d.description, true AS grantable, NULL::timestamptz AS \"definedAt\", NULL::text AS \"definedBy\" "
		"FROM wa.describe_permissions() d "
		"UNION ALL (SELECT " PERMISSION_COLUMNS " FROM wa.own_permission p WHERE p.dropped_at IS NULL ORDER BY p.name)",
	 .shape = COMMAND_LIST},

	{.name = "permission drop",
	 .summary = "drop a permission of your own: no key has it any more",
	 .elsewhere = "delete remove",
	 .parameters = {{.kind = PARAMETER_WORD, .name = "NAME", .help = "the name of the permission"}},
	 .statement = "SELECT $1::text AS name FROM wa.drop_permission($1) d",
	 .show = "SELECT p.name, p.dropped_at AS \"droppedAt\", p.dropped_by AS \"droppedBy\" FROM wa.own_permission p "
		"WHERE p.name = $1 AND p.dropped_at IS NOT NULL ORDER BY p.dropped_at DESC LIMIT 1"},

	{.name = "audit list",
	 .summary = "list the audit log of an organization, newest first",
	 .elsewhere = "log logs",
	 .parameters = {ORG,
		{.kind = PARAMETER_OPTION, .name = "action", .argument = "ACTION", .help = "only this action, such as key.created, or all that begin so, such as key (not over HTTP)",
		 .send = SEND_TEXT, .member = "action"},
		{.kind = PARAMETER_OPTION, .name = "actor", .argument = "ID", .help = "only what this person, key or role of the database did: usr_…, key_…, or a name",
		 .send = SEND_TEXT, .member = "actor"},
		{.kind = PARAMETER_OPTION, .name = "subject", .argument = "ID", .help = "only what was done to this, by its id",
		 .send = SEND_TEXT, .member = "subject"},
		{.kind = PARAMETER_OPTION, .name = "from", .argument = "TIME", .help = "only from this time on, in UTC: 2027-01-31, or 2027-01-31T12:00:00Z",
		 .send = SEND_TIME, .member = "from"},
		{.kind = PARAMETER_OPTION, .name = "to", .argument = "TIME", .help = "only before this time", .send = SEND_TIME, .member = "to"},
		{.kind = PARAMETER_OPTION, .name = "limit", .argument = "NUMBER", .help = "how many; default: 50", .send = SEND_LIMIT}},
	 .requires = SHOW_ORG,
	 .absent = "organization does not exist",
	 .statement = "SELECT a.at, a.actor, a.actor_name AS \"actorName\", a.action, wa.audit_subject(a.action, a.subject) AS subject, a.detail::json AS detail, a.sequence "
		"FROM wa.audit a WHERE a.org_id = $1::wa.org_id AND ($2::text IS NULL OR a.action = $2 OR starts_with(a.action, $2 || '.')) "
		"AND ($3::text IS NULL OR a.actor = $3) AND ($4::text IS NULL OR wa.audit_subject(a.action, a.subject) = $4) "
		"AND ($5::timestamptz IS NULL OR a.at >= $5) AND ($6::timestamptz IS NULL OR a.at < $6) "
		"ORDER BY a.id DESC LIMIT COALESCE($7::integer, 50)",
	 .http = {.request = "GET /audit", .form = ROWS_PAGES, .members = audit_members},
	 .shape = COMMAND_LIST,
	 .columns = "at actor action subject detail"},

	{.name = "audit head",
	 .summary = "show the newest entry in the chain of an organization's audit log, to be kept in another place",
	 .more = "\"audit verify\" takes it as --sequence and --hash, and shows every later change of the entries up to it.",
	 .parameters = {ORG},
	 .requires = SHOW_ORG,
	 .absent = "organization does not exist",
	 .statement = "SELECT wa.typeid('org', $1::wa.org_id) AS \"organizationId\", COALESCE(h.sequence, 0) AS sequence, encode(h.hash, 'hex') AS hash, h.at "
		"FROM wa.audit_head($1::wa.org_id) h",
	 .http = {.request = "GET /audit/head", .members = audit_head_members}},

	{.name = "audit verify",
	 .summary = "compute the chain of an organization's audit log anew, and say what was changed or removed",
	 .more = "Whoever can write to the table can also write a whole chain anew. Keep the sequence and the hash of a result in another "
		"place, and give them the next time: they show it. The exit status is 1 if something is wrong. A new entry gets its place "
		"in the chain within a minute.",
	 .parameters = {ORG,
		{.kind = PARAMETER_OPTION, .name = "sequence", .argument = "NUMBER", .help = "the place of an entry whose hash was kept"},
		{.kind = PARAMETER_OPTION, .name = "hash", .argument = "HASH", .help = "with --sequence: its hash as it was kept, in hexadecimal"}},
	 .statement = "WITH wrong AS MATERIALIZED (SELECT v.place, v.problem FROM wa.verify_audit($1::wa.org_id, $2::bigint, decode($3, 'hex')) v) "
		"SELECT 'broken' AS result, w.place AS sequence, w.problem, NULL::text AS hash FROM wrong w "
		"UNION ALL SELECT 'whole', COALESCE(h.sequence, 0), NULL, encode(h.hash, 'hex') FROM wa.audit_head($1::wa.org_id) h "
		"WHERE NOT EXISTS (SELECT FROM wrong) ORDER BY sequence",
	 .shape = COMMAND_LIST,
	 .failure = "broken"},

	{.name = "audit export",
	 .summary = "print the chain of an organization's audit log, a JSON object on each line",
	 .more = "The lines are those of GET /audit/export: all that the hashes are made of, in the order of the chain.",
	 .parameters = {ORG, {.kind = PARAMETER_OPTION, .name = "after", .argument = "NUMBER", .help = "only entries behind this sequence",
		 .send = SEND_NUMBER, .member = "after"}},
	 .requires = SHOW_ORG,
	 .absent = "organization does not exist",
	 .statement = "SELECT wa.typeid('org', a.org_id) AS \"organizationId\", a.sequence, wa.typeid('aud', a.id) AS id, wa.epoch_ms(a.at) AS at, "
		"a.actor, a.actor_name AS \"actorName\", a.action, wa.audit_subject(a.action, a.subject) AS subject, a.detail::json AS detail, "
		"encode(a.hash, 'hex') AS hash "
		"FROM wa.audit a WHERE a.org_id = $1::wa.org_id AND a.sequence > COALESCE($2::bigint, 0) ORDER BY a.sequence",
	 .http = {.request = "GET /audit/export", .form = ROWS_LINES, .members = audit_record_members},
	 .shape = COMMAND_LINES},

	{.name = "connector make-key",
	 .summary = "make a key pair that the credentials of a connector's sessions are sealed to",
	 .more = "The secret half is written to FILE, for the connector alone, and never shown. What is printed is the public half, for \"connector add-key\".",
	 .elsewhere = "keygen generate-key",
	 .parameters = {{.kind = PARAMETER_WORD, .name = "FILE", .help = "a file that does not exist yet; nobody but its owner can read it then"}},
	 .make = connector_key_make},

	{.name = "connector add-key",
	 .summary = "have credentials sealed to a public key of a connector from now on",
	 .more = "What is sealed to earlier keys stays, so the connector needs their secret halves too, until the credentials have been given anew.",
	 .parameters = {{.kind = PARAMETER_WORD, .name = "NAME", .help = "the kind of connector, as sessions name it"},
		{.kind = PARAMETER_WORD, .name = "KEY", .help = "the public half, in hexadecimal, as \"connector make-key\" prints it"}},
	 .statement = "SELECT wa.add_connector_key($1, decode($2, 'hex')) AS id",
	 .show = "SELECT " CONNECTOR_KEY_COLUMNS " FROM wa.connector_keys() k WHERE k.id = $1::uuid"},

	{.name = "connector list-keys",
	 .summary = "list the public keys of connectors, and how many sessions' credentials are sealed to each",
	 .more = "The newest key of a connector comes first, and seals.",
	 .statement = "SELECT " CONNECTOR_KEY_COLUMNS " FROM wa.connector_keys() k",
	 .shape = COMMAND_LIST},

	{.name = "connector remove-key",
	 .summary = "remove a public key of a connector, once no credentials are sealed to it",
	 .elsewhere = "retire-key delete-key",
	 .parameters = {{.kind = PARAMETER_WORD, .name = "ID", .help = "the id of the key, as \"connector list-keys\" shows it"}},
	 .statement = "SELECT $1::uuid AS id FROM wa.remove_connector_key($1::uuid)",
	 .done = "Removed the key {id}."},

	{.name = "tail",
	 .summary = "print the events of an organization as they happen, until it is interrupted",
	 .more = "A line for each event: when it was written, its id, its type and its session. What an event says is read with a key of the organization. "
		"The latest ten events come first. An event is looked for every second, and none is left out. The exit status is 1 if the connection breaks.",
	 .parameters = {ORG,
		{.kind = PARAMETER_OPTION, .name = "since", .argument = "EVENT", .help = "all that are kept behind this one, evt_…, in place of the latest ten"},
		{.kind = PARAMETER_OPTION, .name = "types", .argument = "LIST", .help = "only events of this type, such as message, or of several with commas between"}},
	 .statement = "SELECT t.at, wa.typeid('evt', t.id) AS id, t.type, t.session AS \"sessionId\" FROM wa.tail_events($1::wa.org_id, "
		"CASE WHEN $2 LIKE 'evt\\_%' THEN wa.from_typeid('evt', $2) ELSE $2::uuid END, string_to_array($3, ','), "
		"CASE WHEN $2 IS NULL THEN 10 ELSE 1000 END) t",
	 .shape = COMMAND_FOLLOW},

	{.name = "completion bash",
	 .summary = "print the completion of these commands for bash",
	 .more = "Use it as: eval \"$(wa completion bash)\"",
	 .print = help_completion},

	{.name = "manual",
	 .summary = "print the manual page, for man",
	 .print = help_manual},

	{.name = NULL},
};
/* clang-format on */

int
command_count_parameters(const Command *command)
{
	int count = 0;

	while (command->parameters[count].kind != PARAMETER_END)
		count++;
	return count;
}

bool
command_lists(const char *words, const char *name)
{
	const size_t len = strlen(name);

	for (const char *word = words; *word != '\0';)
	{
		size_t word_len = strcspn(word, " ");

		if (word_len == len && memcmp(word, name, len) == 0)
			return true;
		word += word_len + strspn(word + word_len, " ");
	}
	return false;
}
