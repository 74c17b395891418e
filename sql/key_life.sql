-- The life of a key between made and revoked: switched off and on, revoked with a reason or
-- with all others, how long it may live, and who is warned.  Each privilege beside those who
-- do not have it.
\set superuser :USER
\set SHOW_CONTEXT never
SELECT wa.create_org('Life') AS life, wa.create_org('Elsewhere') AS elsewhere \gset
SELECT id AS owen FROM wa.create_user('owen@life.example', 'Owen', 'correct horse') \gset
SELECT id AS ada FROM wa.create_user('ada@life.example', 'Ada', 'correct horse') \gset
SELECT id AS max FROM wa.create_user('max@life.example', 'Max', 'correct horse') \gset
SELECT wa.add_member(:'life', :'owen', 'owner'), wa.add_member(:'life', :'ada', 'admin'), wa.add_member(:'life', :'max', 'member');
SELECT cookie AS owen_cookie FROM wa.sign_in('owen@life.example', 'correct horse', '192.0.2.9', 'x') \gset
SELECT cookie AS ada_cookie FROM wa.sign_in('ada@life.example', 'correct horse', '192.0.2.9', 'x') \gset
SELECT cookie AS max_cookie FROM wa.sign_in('max@life.example', 'correct horse', '192.0.2.9', 'x') \gset
SELECT token AS owen_token FROM wa.mint_user_token(:'owen_cookie') \gset
SELECT token AS ada_token FROM wa.mint_user_token(:'ada_cookie') \gset
SELECT token AS max_token FROM wa.mint_user_token(:'max_cookie') \gset
SELECT id AS other, secret AS other_secret FROM wa.create_key(:'elsewhere', 'other', '{read,manage}') \gset

\c - regress_admin
\set SHOW_CONTEXT never
SELECT id AS key, secret FROM wa.create_key(:'life', 'worker', '{read,manage}') \gset
SELECT id AS revoked FROM wa.create_key(:'life', 'revoked', '{read}') \gset
SELECT id AS rotated, secret AS rotated_secret FROM wa.create_key(:'life', 'rotated', '{read}') \gset
SELECT id AS successor FROM wa.rotate_key(:'rotated', '1 hour') \gset
SELECT wa.revoke_key(:'revoked');

-- Off: refused like a key that nobody knows, while it keeps its name.  Twice is no news.
SELECT wa.disable_key(:'key') AS switched, wa.disable_key(:'key') AS again;
SELECT name, status, disabled_at IS NOT NULL AS is_off, disabled_by FROM wa.keys WHERE id = :'key';
SELECT * FROM error_of(format('SELECT wa.create_key(%L, ''Worker'', ''{read}'')', :'life'));
-- It is not rotated: the successor would work.
SELECT * FROM error_of(format('SELECT wa.rotate_key(%L)', :'key'));
\c - regress_app
\set SHOW_CONTEXT never
SELECT * FROM error_of(format('SELECT wa.authenticate(%L)', :'secret'));
\c - regress_admin
\set SHOW_CONTEXT never
SELECT wa.enable_key(:'key') AS switched, wa.enable_key(:'key') AS again;
\c - regress_app
\set SHOW_CONTEXT never
SELECT wa.authenticate(:'secret') = :'key' AS accepted;

-- What is over stays so.  A rotated key can be switched off before its time, and not on.
\c - regress_admin
\set SHOW_CONTEXT never
SELECT what, e.state, e.message
FROM (VALUES (1, 'disable', :'revoked'), (2, 'enable', :'revoked'), (3, 'disable', :'rotated'), (4, 'enable', :'rotated'),
		(5, 'disable', '00000000-0000-7000-8000-000000000000'), (6, 'enable', NULL)) k (place, what, id),
	LATERAL error_of(format('SELECT wa.%s_key(%L)', k.what, k.id)) e
ORDER BY k.place;
\c - regress_app
\set SHOW_CONTEXT never
SELECT * FROM error_of(format('SELECT wa.authenticate(%L)', :'rotated_secret'));

-- While somebody has the row locked it is switched off by wa.ended (specs/ends.spec), and on
-- again by whoever has the row.
\c - :superuser
\set SHOW_CONTEXT never
INSERT INTO wa.ended (org_id, subject, kind, actor) VALUES (:'life', :'key', 'disabled', 'somebody');
SELECT name, status, disabled_by FROM wa.keys WHERE id = :'key';
\c - regress_app
\set SHOW_CONTEXT never
SELECT * FROM error_of(format('SELECT wa.authenticate(%L)', :'secret'));
\c - regress_admin
\set SHOW_CONTEXT never
SELECT * FROM error_of(format('SELECT wa.rotate_key(%L)', :'key'));
SELECT wa.enable_key(:'key') AS switched;
SELECT name, status, disabled_by FROM wa.keys WHERE id = :'key';

-- People: whoever manages the keys switches them off and on, with other changes or alone.
\c - regress_app
\set SHOW_CONTEXT never
BEGIN;
SELECT wa.authenticate(:'ada_token') IS NOT NULL AS accepted;
SELECT wa.update_api_key(:'key', enabled => false) = :'key' AS changed;
SELECT name, disabled_at IS NOT NULL AS is_off FROM wa.show_api_key(:'key');
SELECT wa.update_api_key(:'key', name => 'Worker 2', enabled => true) = :'key' AS changed;
SELECT name, disabled_at IS NOT NULL AS is_off FROM wa.list_api_keys(NULL, 10) WHERE id = :'key';
SELECT * FROM error_of(format('SELECT wa.update_api_key(%L, enabled => true)', :'revoked'));
SELECT * FROM error_of(format('SELECT wa.update_api_key(%L, enabled => false)', :'other'));
SELECT * FROM error_of(format('SELECT wa.revoke_api_key(%L, ''mine'')', :'other'));
COMMIT;
-- Members and keys do not, whatever the key's permissions, and nobody without a credential.
BEGIN;
SELECT wa.authenticate(:'max_token') IS NOT NULL AS accepted;
SELECT what, e.state, e.message
FROM (VALUES (1, 'update_api_key(%L, enabled => false)'), (2, 'revoke_api_key(%L, ''x'')'), (3, 'revoke_api_keys(true)'),
		(4, 'show_key_policy()'), (5, 'update_key_policy(1, 2)')) c (place, what),
	LATERAL error_of('SELECT wa.' || format(c.what, :'key')) e
ORDER BY c.place;
COMMIT;
BEGIN;
SELECT wa.authenticate(:'secret') IS NOT NULL AS accepted;
SELECT what, e.state, e.message
FROM (VALUES (1, 'update_api_key(%L, enabled => false)'), (2, 'revoke_api_key(%L, ''x'')'), (3, 'revoke_api_keys(true)'),
		(4, 'show_key_policy()'), (5, 'update_key_policy(1, 2)')) c (place, what),
	LATERAL error_of('SELECT wa.' || format(c.what, :'key')) e
ORDER BY c.place;
COMMIT;
SELECT what, e.state, e.message
FROM (VALUES (1, 'revoke_api_keys(true)'), (2, 'show_key_policy()'), (3, 'disable_key(%L)'), (4, 'enable_key(%L)'),
		(5, 'revoke_key_with_reason(%L, ''x'')'), (6, 'revoke_keys(%L)'), (7, 'set_key_policy(%L, 1, 2)'), (8, 'warn_of_expiry(1)')) c (place, what),
	LATERAL error_of('SELECT wa.' || format(c.what, :'key')) e
ORDER BY c.place;
SELECT e.state, e.message FROM wa.authenticate(:'other_secret'), error_of('SELECT * FROM wa.key_policy') e;
SELECT e.state, e.message FROM wa.authenticate(:'other_secret'), error_of('SELECT * FROM wa.key_warning') e;

-- Revoked for a reason, which people see.
\c - regress_admin
\set SHOW_CONTEXT never
SELECT place, e.state, e.message, e.column_name
FROM (VALUES (1, ''), (2, repeat('x', 201)), (3, E'two\nlines')) r (place, reason),
	LATERAL error_of(format('SELECT wa.revoke_key_with_reason(%L, %L)', :'key', r.reason)) e
ORDER BY r.place;
SELECT wa.revoke_key_with_reason(:'key', 'found in a public repository') AS revoked, wa.revoke_key_with_reason(:'key', 'again') AS again;
SELECT name, status, revoked_reason FROM wa.keys WHERE id = :'key';
SELECT count(*) FROM wa.create_key(:'life', 'named', '{read}');
SELECT wa.revoke_key(:'life', 'named', 'by name');
SELECT name, revoked_reason FROM wa.keys WHERE org_id = :'life' AND name = 'named';

-- All that a person has made, or all there are.
\c - regress_app
\set SHOW_CONTEXT never
BEGIN;
SELECT wa.authenticate(:'ada_token') IS NOT NULL AS accepted;
SELECT count(*) FROM unnest('{ada 1,ada 2}'::text[]) n, wa.create_api_key(n, '{read}');
COMMIT;
BEGIN;
SELECT wa.authenticate(:'owen_token') IS NOT NULL AS accepted;
SELECT count(*) FROM wa.create_api_key('owen 1', '{read}');
SELECT place, e.state, e.message, e.column_name
FROM (VALUES (1, 'NULL'), (2, 'false'), (3, format('true, %L', :'ada'))) a (place, arguments),
	LATERAL error_of(format('SELECT wa.revoke_api_keys(%s)', a.arguments)) e
ORDER BY a.place;
SELECT wa.revoke_api_keys(NULL, :'ada', 'left') AS revoked;
SELECT name, revoked_reason FROM wa.list_api_keys(NULL, 100) WHERE name ~ '^(ada|owen)' ORDER BY name;
SELECT wa.revoke_api_keys(NULL, :'ada') AS again;
SELECT wa.revoke_api_keys(true) AS revoked;
SELECT count(*) AS left_over FROM wa.list_api_keys(NULL, 100) WHERE revoked_at IS NULL;
COMMIT;
\c - regress_admin
\set SHOW_CONTEXT never
SELECT name, status FROM wa.keys WHERE org_id = :'elsewhere';
SELECT wa.revoke_keys(:'life') AS nothing_left;
SELECT * FROM error_of($$SELECT wa.revoke_keys('00000000-0000-7000-8000-000000000000')$$);

-- An event costs as much as the organization has webhooks for it, so of many keys most are written later.
SELECT count(*) AS made FROM generate_series(1, 25) i, wa.create_key(:'elsewhere', 'many ' || i, '{read}');
SELECT wa.revoke_keys(:'elsewhere', reason => 'all') >= 25 AS revoked;
SELECT count(*) AS live FROM wa.keys WHERE org_id = :'elsewhere' AND status = 'live';
\c - :superuser
\set SHOW_CONTEXT never
SELECT count(*) AS events FROM wa.event e WHERE e.org_id = :'elsewhere' AND e.type = 'key.revoked' AND e.envelope::jsonb -> 'payload' ->> 'revokedReason' = 'all';
SELECT wa.housekeep('ends') > 0 AS written;
SELECT count(*) - count(DISTINCT e.envelope::jsonb -> 'payload' ->> 'id') AS twice, count(*) FILTER (WHERE e.envelope::jsonb -> 'payload' ->> 'name' LIKE 'many %') AS of_many FROM wa.event e WHERE e.org_id = :'elsewhere' AND e.type = 'key.revoked' AND e.envelope::jsonb -> 'payload' ->> 'revokedReason' = 'all';
\c - regress_admin
\set SHOW_CONTEXT never

-- How long a key lives, by the organization's policy.
SELECT arguments, e.state, e.message, e.column_name
FROM (VALUES (1, '0, NULL'), (2, 'NULL, 0'), (3, 'NULL, 3651'), (4, '31, 30'), (5, '3651, NULL')) a (place, arguments),
	LATERAL error_of(format('SELECT wa.set_key_policy(%L, %s)', :'life', a.arguments)) e
ORDER BY a.place;
SELECT * FROM error_of($$SELECT wa.set_key_policy('00000000-0000-7000-8000-000000000000', 1, 2)$$);
SELECT id AS forever FROM wa.create_key(:'life', 'forever', '{read}') \gset
SELECT id AS long FROM wa.create_key(:'life', 'long', '{read}', now() + interval '60 days') \gset
-- A rotation gives no more time than the old key had left, also of a life that was cut short.
SELECT id AS short FROM wa.create_key(:'life', 'cut short', '{read}', now() + interval '300 days') \gset
SELECT wa.update_key(:'short', expires_at => now() + interval '3 days');
SELECT expires_at AS end_of_short FROM wa.keys WHERE id = :'short' \gset
SELECT id AS second, ends_at = :'end_of_short' AS as_before, old_ends_at - clock_timestamp() BETWEEN interval '50 min' AND interval '1 hour' AS in_an_hour
FROM wa.rotate_key(:'short', '1 hour') \gset
SELECT :'as_before' AS as_before, :'in_an_hour' AS in_an_hour, k.expires_at = :'end_of_short' AS stored FROM wa.keys k WHERE k.id = :'second';
SELECT id AS third, ends_at = :'end_of_short' AS as_before, old_ends_at <= clock_timestamp() AS at_once FROM wa.rotate_key(:'second', '0') \gset
SELECT :'as_before' AS as_before, :'at_once' AS at_once;
-- Another end is asked for, and is on record.
SELECT * FROM error_of(format('SELECT wa.rotate_key(%L, ''0'', now())', :'third'));
SELECT id AS fourth, ends_at - now() AS longer FROM wa.rotate_key(:'third', '0', now() + interval '10 days') \gset
SELECT :'longer' AS longer;
SELECT ends_at FROM wa.rotate_key(:'fourth', '0', 'infinity');
SELECT action, (detail ->> 'expiresAt')::timestamptz <= at + interval '61 min' AS old_ends, CASE detail ->> 'successorExpiresAt' WHEN 'never' THEN 'never'
	ELSE date_trunc('day', (detail ->> 'successorExpiresAt')::timestamptz - at + interval '1 hour')::text END AS successor_ends
FROM wa.audit WHERE org_id = :'life' AND action = 'key.rotated' AND detail ->> 'name' = 'cut short' ORDER BY id;
SELECT count(*) AS made, count(*) FILTER (WHERE detail ->> 'expiresAt' = 'never') AS without_end FROM wa.audit
WHERE org_id = :'life' AND action = 'key.created' AND detail ->> 'name' = 'cut short';
SELECT wa.set_key_policy(:'life', 7, 30);
SELECT default_days, max_days FROM wa.key_policy WHERE org_id = :'life';
SELECT count(*) FROM (VALUES ('default', NULL), ('shorter', now() + interval '1 day'), ('longest', now() + interval '30 days')) k (name, expires),
	wa.create_key(:'life', k.name, '{read}', k.expires);
SELECT expires, e.state, e.message, e.column_name
FROM (VALUES (1, 'now() + interval ''31 days'''), (2, '''infinity''')) x (place, expires),
	LATERAL error_of(format('SELECT wa.create_key(%L, ''too long'', ''{read}'', %s)', :'life', x.expires)) e
ORDER BY x.place;
SELECT * FROM error_of(format('SELECT wa.import_key(%L, ''too long'', sha256(''wa_x''), ''{read}'', ''infinity'')', :'life'));
-- A rotation does not lengthen it, whatever the old key had, unless it is asked to, within the same bound.
SELECT count(*) FROM unnest(ARRAY[:'forever', :'long']::uuid[]) k, wa.rotate_key(k, '1 hour');
SELECT name, status, extract(day FROM expires_at - created_at) AS days FROM wa.keys
WHERE org_id = :'life' AND status = 'live' AND expires_at IS NOT NULL ORDER BY name;
SELECT expires, e.state, e.message, e.column_name
FROM wa.keys k, (VALUES (1, 'now() + interval ''31 days'''), (2, '''infinity''')) x (place, expires),
	LATERAL error_of(format('SELECT wa.rotate_key(%L, ''0'', %s)', k.id, x.expires)) e
WHERE k.org_id = :'life' AND k.name = 'long' AND k.status = 'live' ORDER BY x.place;
-- Neither does a change, by whomever; a time before it is fine.
SELECT id AS default_key FROM wa.keys WHERE org_id = :'life' AND name = 'default' \gset
\c - regress_app
\set SHOW_CONTEXT never
BEGIN;
SELECT wa.authenticate(:'ada_token') IS NOT NULL AS accepted;
SELECT expires, e.state, e.message, e.column_name
FROM (VALUES (1, 'now() + interval ''31 days'''), (2, '''infinity'''), (3, '''-infinity'''), (4, 'now() + interval ''29 days''')) x (place, expires),
	LATERAL error_of(format('SELECT wa.update_api_key(%L, expires_at => %s)', :'default_key', x.expires)) e
ORDER BY x.place;
SELECT * FROM wa.show_key_policy();
-- An admin does not change the policy that binds them.
SELECT * FROM error_of('SELECT wa.update_key_policy(NULL, NULL)');
COMMIT;
BEGIN;
SELECT wa.authenticate(:'owen_token') IS NOT NULL AS accepted;
SELECT * FROM wa.update_key_policy(NULL, 90);
SELECT * FROM wa.show_key_policy();
COMMIT;
\c - regress_admin
\set SHOW_CONTEXT never
-- Without a default the longest life is the default; without either a key lives for ever.
SELECT id AS as_long FROM wa.create_key(:'life', 'as long', '{read}') \gset
SELECT wa.set_key_policy(:'life', 7, NULL);
SELECT id AS never FROM wa.create_key(:'life', 'never', '{read}', 'infinity') \gset
SELECT wa.set_key_policy(:'life', NULL, NULL);
SELECT id AS again FROM wa.create_key(:'life', 'never again', '{read}') \gset
SELECT name, extract(day FROM expires_at - created_at) AS days FROM wa.keys WHERE id IN (:'as_long', :'never', :'again') ORDER BY id;

-- Warnings: once with seven days left, once with one, and of the second only if that is what
-- is left when somebody looks.  Not of a key that was made for that time, is over or off.
\c - :superuser
\set SHOW_CONTEXT never
SELECT wa.revoke_keys(:'life') > 0 AS cleared;
DELETE FROM wa.event WHERE org_id = :'life' AND type = 'key.expiring';
INSERT INTO wa.api_key (org_id, name, digest, prefix, permissions, created_at, created_by, expires_at, holds_name, disabled_at, disabled_by)
SELECT :'life', name, sha256(convert_to('key_life ' || name, 'UTF8')), 'wa_', ARRAY['read']::wa.permissions, now() - old, 'test', now() + in_time, true,
	CASE WHEN name = 'off' THEN now() END, CASE WHEN name = 'off' THEN 'test' END
FROM (VALUES ('a week', interval '30 days', interval '6 days'), ('a day', '30 days', '23 hours'), ('later', '30 days', '8 days'),
	('made for two days', '1 hour', '47 hours'), ('made for an hour', '10 min', '50 min'), ('over', '30 days', '-1 hour'),
	('off', '30 days', '6 days'), ('off by an end', '30 days', '6 days')) k (name, old, in_time);
INSERT INTO wa.ended (org_id, subject, kind, actor) SELECT :'life', id, 'disabled', 'test' FROM wa.api_key WHERE org_id = :'life' AND name = 'off by an end';
SELECT wa.housekeep('key_warnings') AS warned, wa.housekeep('key_warnings') AS again;
SELECT k.name, w.days FROM wa.key_warning w JOIN wa.api_key k ON k.org_id = w.org_id AND k.id = w.key_id WHERE w.org_id = :'life' ORDER BY 1, 2;
SELECT e.envelope::jsonb -> 'payload' ->> 'name' AS name FROM wa.event e WHERE e.org_id = :'life' AND e.type = 'key.expiring' ORDER BY 1;
-- Time goes on.
UPDATE wa.api_key SET expires_at = expires_at - interval '5 days 12 hours' WHERE org_id = :'life' AND name = 'a week';
SELECT wa.housekeep('key_warnings') AS warned, wa.housekeep('key_warnings') AS again;
-- With another expiry it is warned of anew.
SELECT id AS week FROM wa.api_key WHERE org_id = :'life' AND name = 'a week' \gset
BEGIN;
SELECT wa.authenticate(:'ada_token') IS NOT NULL AS accepted;
SELECT wa.update_api_key(:'week', expires_at => now() + interval '5 days') IS NOT NULL AS changed;
COMMIT;
SELECT wa.housekeep('key_warnings') AS warned;

-- A key that expires while a transaction puts its expiry off stays expired, also if that
-- transaction has had its deferred triggers run before.
\c - :superuser
\set SHOW_CONTEXT never
SELECT clock_timestamp() + interval '10 s' AS ends \gset
SELECT id AS ending, secret AS ending_secret FROM wa.create_key(:'life', 'ending', '{read}', :'ends') \gset
\c - regress_app
\set SHOW_CONTEXT never
BEGIN;
SELECT wa.authenticate(:'ada_token') IS NOT NULL AS accepted;
SELECT wa.update_api_key(:'ending', expires_at => 'infinity') IS NOT NULL AS changed;
SET CONSTRAINTS ALL IMMEDIATE;
SELECT pg_sleep_until(:'ends');
COMMIT;
SELECT * FROM error_of(format('SELECT wa.authenticate(%L)', :'ending_secret'));
-- In time it is put off.
\c - :superuser
\set SHOW_CONTEXT never
SELECT id AS kept, secret AS kept_secret FROM wa.create_key(:'life', 'kept', '{read}', now() + interval '1 minute') \gset
\c - regress_app
\set SHOW_CONTEXT never
BEGIN;
SELECT wa.authenticate(:'ada_token') IS NOT NULL AS accepted;
SELECT wa.update_api_key(:'kept', expires_at => 'infinity') IS NOT NULL AS changed;
COMMIT;
SELECT expires_at FROM wa.authenticate(:'owen_token'), wa.show_api_key(:'kept');
\c - :superuser
\set SHOW_CONTEXT never

-- On record, and told to those who listen.
SELECT action, count(*), count(detail -> 'reason') AS with_reason FROM wa.audit
WHERE org_id = :'life' AND action ~ '^(key\.(dis|en)abled|key\.revoked|org\.changed)$' GROUP BY 1 ORDER BY 1;
SELECT e.type, count(*), count(e.envelope::jsonb #> '{payload,revokedReason}') AS with_reason FROM wa.event e
WHERE e.org_id = :'life' AND e.type ~ '^key\.(dis|en)abled|^key\.revoked' GROUP BY 1 ORDER BY 1;
