-- When a key was last used, and from where: known right away, for accepted keys
-- only, without a write in the request; flushed by the worker.
\set superuser :USER
\set SHOW_CONTEXT never
SELECT wa.preloaded();
SELECT value AS acme FROM fixture WHERE name = 'acme' \gset
SELECT value AS beta FROM fixture WHERE name = 'beta' \gset
SELECT id AS used_id, secret AS used FROM wa.create_key(:'acme', 'used', '{read}') \gset
SELECT id AS idle_id, secret AS idle FROM wa.create_key(:'acme', 'idle', '{read}') \gset
SELECT id AS other_id, secret AS other FROM wa.create_key(:'beta', 'other', '{read,send}') \gset
SELECT id AS gone_id, secret AS gone FROM wa.create_key(:'acme', 'gone', '{read}') \gset
SELECT wa.revoke_key(:'gone_id') AS revoked;
-- What other tests have used is flushed, so that this one starts at nothing.
DO $$ BEGIN WHILE wa.flush_key_usage() > 0 LOOP COMMIT; END LOOP; END $$;
SELECT wa.flush_key_usage() AS left_over;

-- A request notes the use, and writes to no table: it gets no transaction id.
\c - regress_app
\set SHOW_CONTEXT never
BEGIN;
SELECT wa.authenticate(:'used', 'read', '192.0.2.7') = :'used_id' AS accepted;
SELECT pg_current_xact_id_if_assigned() AS transaction_id, sum(n_tup_ins + n_tup_upd + n_tup_del) AS written
FROM pg_stat_xact_user_tables;
ROLLBACK;
-- Refused: unknown, revoked, without the permission.  None of them is a use.
SELECT wa.authenticate('wa_never_made_by_anybody', 'read', '192.0.2.8');
SELECT wa.authenticate(:'gone', 'read', '192.0.2.8');
SELECT wa.authenticate(:'idle', 'send', '192.0.2.8');
-- Who uses one key can say nothing of another, nor see or flush what there is.
SELECT wa.authenticate(:'used', 'read') IS NOT NULL \; SELECT wa.confirm_key_usage(:'beta', :'other_id', now());
SELECT wa.remembered_key_use(:'beta', :'other_id');
SELECT wa.key_last_used(:'beta', :'other_id');
SELECT * FROM wa.unflushed_key_usage();
SELECT wa.flush_key_usage();
SELECT * FROM wa.api_key_usage;
UPDATE wa.api_key_usage SET last_used_at = now();
SELECT r.rolname AS role, f.name AS may_call
FROM pg_roles r CROSS JOIN (VALUES ('wa.flush_key_usage(integer)'), ('wa.unflushed_key_usage()'),
	('wa.confirm_key_usage(uuid,uuid,timestamptz)'), ('wa.remembered_key_use(wa.org_id,wa.key_id)'), ('wa.key_last_used(wa.org_id,wa.key_id)')) f (name)
WHERE r.rolname LIKE 'wa\_%' AND has_function_privilege(r.rolname, f.name, 'EXECUTE') ORDER BY 1, 2;

-- An administrator sees it before any flush.
\c - regress_admin
\set SHOW_CONTEXT never
SELECT name, now() - last_used_at BETWEEN '0' AND '1 min' AS just_now, last_used_from
FROM wa.keys WHERE id IN (:'used_id', :'idle_id', :'gone_id', :'other_id') ORDER BY name;
SELECT count(*) FROM wa.api_key_usage WHERE key_id = :'used_id';
-- A flush that rolls back loses nothing, nor does one that sees its own rows.
BEGIN;
SELECT wa.flush_key_usage() > 0 AS wrote;
SELECT wa.flush_key_usage() > 0 AS wrote;
ROLLBACK;
SELECT wa.flush_key_usage() > 0 AS wrote;
SELECT wa.flush_key_usage() > 0 AS wrote;
SELECT first_used_at = last_used_at AS same, first_used_from, last_used_from FROM wa.api_key_usage WHERE key_id = :'used_id';
SELECT a.actor = wa.typeid('key', :'used_id') AS by_the_key, a.action, a.detail, a.at = u.first_used_at::timestamptz(3) AS at_first_use
FROM wa.audit a JOIN wa.api_key_usage u ON u.key_id = a.subject
WHERE a.subject IN (:'used_id', :'idle_id', :'gone_id', :'other_id') AND a.action = 'key.used_first';

-- Later uses move the last one only.  A backend notes a key once a second at
-- most: the second of these two is not noted, the one behind the pause is.
\c - regress_app
SELECT wa.authenticate(:'used', 'read', '2001:db8::7') IS NOT NULL \; SELECT wa.authenticate(:'used', 'read', '192.0.2.9') IS NOT NULL;
\c - regress_admin
SELECT last_used_from FROM wa.keys WHERE id = :'used_id';
SELECT wa.flush_key_usage() > 0 AS wrote;
SELECT first_used_at < last_used_at AS later, first_used_from, last_used_from FROM wa.api_key_usage WHERE key_id = :'used_id';
SELECT count(*) FROM wa.audit WHERE subject = :'used_id' AND action = 'key.used_first';
\c - regress_app
SELECT wa.authenticate(:'used', 'read', '192.0.2.10') IS NOT NULL AS accepted;
SELECT pg_sleep(1.1);
SELECT wa.authenticate(:'used', 'read', '192.0.2.11') IS NOT NULL AS accepted;
\c - regress_admin
SELECT last_used_from FROM wa.keys WHERE id = :'used_id';
-- Each backend notes for itself, and what is no address is none.
\c - regress_app
SELECT wa.authenticate(:'used', 'read', 'nonsense') IS NOT NULL AS accepted;
\c - regress_admin
SELECT last_used_from, last_used_at > now() - interval '1 min' AS just_now FROM wa.keys WHERE id = :'used_id';
\c - regress_app
SELECT wa.authenticate(:'used', 'read', repeat('1', 1000)) IS NOT NULL AS accepted;
\c - regress_admin
SELECT last_used_from FROM wa.keys WHERE id = :'used_id';

-- In batches, within bounds, and for all organizations or not at all.
\c - regress_app
\set SHOW_CONTEXT never
SELECT wa.authenticate(:'used') IS NOT NULL AS accepted;
SELECT wa.authenticate(:'idle') IS NOT NULL AS accepted;
SELECT wa.authenticate(:'other') IS NOT NULL AS accepted;
\c - :superuser
\set SHOW_CONTEXT never
SELECT wa.flush_key_usage(0);
SELECT wa.flush_key_usage(NULL);
SELECT wa.flush_key_usage(10001);
SELECT wa.act_for(:'acme') \; SELECT wa.flush_key_usage() > 0 AS wrote;
SELECT wa.flush_key_usage(1);
SELECT wa.flush_key_usage(1);
SELECT wa.flush_key_usage(1);
-- Uses come first, then the counts of requests.
DO $$ BEGIN WHILE wa.flush_key_usage(1) > 0 LOOP COMMIT; END LOOP; END $$;
SELECT wa.flush_key_usage(1);
SELECT name, action, detail FROM wa.audit a JOIN wa.keys k ON k.id = a.subject
WHERE k.id IN (:'idle_id', :'other_id') AND action = 'key.used_first' ORDER BY name;
-- A flush makes nobody forget a key; a change of the key does.
CREATE FUNCTION public.look_ups(key wa.secret) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
	before constant bigint := pg_stat_get_xact_numscans('wa.api_key_digest_key'::regclass);
BEGIN
	PERFORM wa.authenticate(key);
	RETURN pg_stat_get_xact_numscans('wa.api_key_digest_key'::regclass) - before;
END $$;
SELECT look_ups(:'used');
SELECT look_ups(:'used');
SELECT wa.flush_key_usage() > 0 AS wrote;
SELECT look_ups(:'used');
UPDATE wa.api_key SET name = name WHERE id = :'used_id';
SELECT look_ups(:'used');
DROP FUNCTION look_ups(wa.secret);
-- A key that is gone by then is passed over, and takes its row with it.
SELECT id AS short_id, secret AS short FROM wa.create_key(:'acme', 'short', '{read}') \gset
SELECT wa.authenticate(:'short') IS NOT NULL AS accepted;
DELETE FROM wa.api_key WHERE id IN (:'short_id', :'other_id');
SELECT wa.flush_key_usage() > 0 AS wrote;
SELECT count(*) FROM wa.api_key_usage WHERE key_id IN (:'short_id', :'other_id');

-- People see it with their keys, and who made them.
SELECT id AS uma FROM wa.create_user('uma@example.net', 'Uma', 'correct horse') \gset
SELECT wa.add_member(:'acme', :'uma', 'admin');
SELECT cookie FROM wa.sign_in('uma@example.net', 'correct horse', '192.0.2.1', 'x') \gset
SELECT token FROM wa.mint_user_token(:'cookie') \gset
SELECT wa.authenticate(:'token') IS NOT NULL \; SELECT id AS uma_key, secret AS uma_secret FROM wa.create_api_key('by Uma', '{read}') \gset
SELECT wa.authenticate(:'token') IS NOT NULL \; SELECT id AS next_key FROM wa.rotate_api_key(:'uma_key') \gset
SELECT wa.authenticate(:'uma_secret') IS NOT NULL AS accepted;
SELECT wa.authenticate(:'token') IS NOT NULL \; SELECT name, created_by_name, last_used_at > now() - interval '1 min' AS just_now,
	rotated_to = :'next_key' AS rotated, id = :'next_key' AS successor
FROM wa.list_api_keys(NULL, 200) WHERE id IN (:'used_id', :'gone_id', :'uma_key', :'next_key') ORDER BY id DESC;
SELECT wa.authenticate(:'token') IS NOT NULL \; SELECT name, created_by_name, last_used_at > now() - interval '1 min' AS just_now,
	rotated_to = :'next_key' AS rotated FROM wa.show_api_key(:'uma_key');
-- A person's use of their token is no use of a key.
SELECT count(*) FROM wa.unflushed_key_usage() WHERE key_id = :'uma';

-- More keys than memory has places (8192).  What was used and flushed, or can't
-- be flushed, makes room first, however new; 50 keys that wait to be flushed stay.
CREATE FUNCTION public.use_keys(series text, how_many integer) RETURNS void LANGUAGE sql AS $$
	INSERT INTO wa.api_key (org_id, name, digest, prefix, permissions, created_by)
	SELECT f.value::uuid, series || i, sha256(('wa_usage_test_of_' || series || i)::bytea), 'wa_usage', '{read}', 'test'
	FROM fixture f, generate_series(1, how_many) i WHERE f.name = 'acme' $$;
CREATE PROCEDURE public.use_each(series text) LANGUAGE plpgsql AS $$
DECLARE
	key text;
BEGIN
	FOREACH key IN ARRAY ARRAY(SELECT 'wa_usage_test_of_' || k.name FROM wa.api_key k WHERE k.name ~ ('^' || series || '[0-9]+$')) LOOP
		COMMIT;
		PERFORM wa.authenticate(key::wa.secret);
	END LOOP;
END $$;
SELECT use_keys('many', 10000), use_keys('waiting', 50), use_keys('more', 500);
CALL use_each('many');
SELECT count(*) BETWEEN 4096 AND 8192 AS bounded FROM wa.unflushed_key_usage();
DO $$ BEGIN PERFORM wa.confirm_key_usage(m.org_id, m.key_id, 'infinity') FROM wa.unflushed_key_usage() m; END $$;
SELECT count(*) FROM wa.unflushed_key_usage();
SELECT count(*) >= 4096 AS taken FROM wa.take_key_hours(100000);
CALL use_each('waiting');
DELETE FROM wa.api_key k WHERE k.name ~ '^many' AND (wa.remembered_key_use(k.org_id, k.id)).last_used_at IS NULL;
\c - :superuser
CALL use_each('many');
SELECT count(*) >= 4096 AS taken FROM wa.take_key_hours(100000);
CALL use_each('more');
SELECT count(*) FROM wa.unflushed_key_usage() m JOIN wa.api_key k ON k.id = m.key_id WHERE k.name ~ '^waiting';
DELETE FROM wa.api_key WHERE name ~ '^(many|waiting|more)[0-9]+$';
DROP PROCEDURE use_each(text);
DROP FUNCTION use_keys(text, integer);

-- Another database of the cluster is another world, even with the same keys.
SELECT wa.authenticate(:'idle', NULL, '192.0.2.12') IS NOT NULL AS accepted;
\set original :DBNAME
\c postgres
CREATE DATABASE regression_usage_copy TEMPLATE :"original";
\c regression_usage_copy
SELECT last_used_from FROM wa.keys WHERE id = :'idle_id';
SELECT wa.flush_key_usage() > 0 AS wrote;
SELECT wa.authenticate(:'idle', NULL, '192.0.2.13') IS NOT NULL AS accepted;
-- So are attempts at a password.
\set VERBOSITY terse
SELECT wa.charge_attempt('source', 'in two databases') FROM generate_series(1, 10) \g /dev/null
SELECT wa.charge_attempt('source', 'in two databases');
\c :original
SELECT wa.charge_attempt('source', 'in two databases') FROM generate_series(1, 10) \g /dev/null
SELECT wa.charge_attempt('source', 'in two databases');
\set VERBOSITY default
DROP DATABASE regression_usage_copy;
SELECT last_used_from FROM wa.keys WHERE id = :'idle_id';
SELECT wa.flush_key_usage() > 0 AS flushed;
SELECT last_used_from FROM wa.api_key_usage WHERE key_id = :'idle_id';
