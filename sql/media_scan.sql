-- Bytes in the store that no row knows become unused ones, and rows whose bytes are to be looked
-- for are given out in turns.
\set SHOW_CONTEXT never
\set VERBOSITY terse
SET client_min_messages = warning;
SELECT wa.create_org('Scans') AS org \gset
SELECT wa.create_org('Scans too') AS other_org \gset
SELECT secret AS send FROM wa.create_key(:'org', 'send', '{send}') \gset
UPDATE wa.media_bytes SET unused_at = now() + interval '1 day' WHERE unused_at IS NOT NULL;	-- of other tests
UPDATE wa.media_scan SET behind = '', lease_owner = NULL, lease_until = NULL, ended_at = NULL, checked_at = NULL, removes_unknown = false;
CREATE FUNCTION public.names(org uuid, VARIADIC names text[]) RETURNS jsonb LANGUAGE sql AS $$
	SELECT jsonb_agg(jsonb_build_object('organization', org, 'sha256', encode(sha256(n::bytea), 'hex'))) FROM unnest(names) n
$$;
CREATE FUNCTION public.add_file(org uuid, name text, size bigint DEFAULT 10) RETURNS uuid LANGUAGE sql AS $$
	INSERT INTO wa.media (org_id, sha256, size, mimetype) VALUES (org, sha256(name::bytea), size, 'image/png') RETURNING id
$$;
SELECT set_config('test.orgs', format('{%s,%s}', :'org', :'other_org'), false) IS NOT NULL AS set;
CREATE VIEW public.bytes AS
	SELECT b.org_id, b.files, b.size, b.unused_at IS NOT NULL AS unused, b.removal IS NOT NULL AS removing, b.removed_at IS NOT NULL AS removed FROM wa.media_bytes b
	WHERE b.org_id = ANY (current_setting('test.orgs')::uuid[]);

-- ---- One worker has the scan at a time ----
SELECT s.behind = '' AS began FROM wa.take_media_scan('first', '1 minute') s;
SELECT count(*) AS second FROM wa.take_media_scan('second', '1 minute');
SELECT count(*) AS first_again FROM wa.take_media_scan('first', '1 minute');
SELECT count(*) AS others_report FROM wa.media_scanned('second', names(:'org', 'left'), 'x', false, '1 minute');
SELECT count(*) AS unchanged FROM public.bytes;
SELECT * FROM wa.media_scanned('first', '[]', 'org_a/ab', false, '1 minute');
-- What no row knows is only counted until an administrator has said that the store is this database's own.
SELECT unknown, strange FROM wa.media_scanned('first', names(:'org', 'left', 'left too'), 'org_a/ab', false, '1 minute');
SELECT count(*) AS unchanged FROM public.bytes;
SELECT * FROM error_of('SET ROLE wa_app; SELECT wa.set_media_scan(true)');
SELECT wa.authenticate(:'send') IS NOT NULL AS bound \; SELECT * FROM error_of('SELECT wa.set_media_scan(true)');
SELECT wa.set_media_scan(NULL);
SELECT wa.set_media_scan(true);
UPDATE wa.media_scan SET lease_until = now() - interval '1 second';
SELECT count(*) AS late_report FROM wa.media_scanned('first', names(:'org', 'left'), 'x', false, '1 minute');
SELECT * FROM wa.take_media_scan('second', '1 minute');
SELECT * FROM wa.media_scanned('second', '[]', 'org_b', true, '1 minute');
SELECT behind, lease_owner, ended_at IS NOT NULL AS ended FROM wa.media_scan;
SELECT count(*) AS within_a_day FROM wa.take_media_scan('first', '1 minute');
UPDATE wa.media_scan SET ended_at = now() - interval '25 hours';
SELECT * FROM wa.take_media_scan('first', '1 hour');

-- ---- What no row knows is unused from now on, and removed like other bytes ----
SELECT add_file(:'org', 'used') IS NOT NULL AND add_file(:'org', 'gone') IS NOT NULL AS made;
DELETE FROM wa.media WHERE org_id = :'org' AND sha256 = sha256('gone');
UPDATE wa.media_bytes SET unused_at = now() - interval '3 hours' WHERE org_id = :'org' AND unused_at IS NOT NULL;
SELECT * FROM wa.media_scanned('first', names(:'org', 'used', 'gone', 'left', 'left') || names(:'other_org', 'left') || names('00000000-0000-7000-8000-00000000dead', 'a', 'b'), '', false, '1 hour');
SELECT org_id = :'org' AS ours, files, size, unused FROM public.bytes ORDER BY 1, 2, 3;
SELECT count(*) AS kept FROM wa.media_bytes WHERE org_id = :'org' AND unused_at < now() - interval '2 hours';
SELECT count(*) AS found_again FROM wa.media_scanned('first', names(:'org', 'left'), '', false, '1 hour') s WHERE s.unknown > 0;
SELECT count(*) AS taken_at_once FROM wa.take_unused_bytes(100);
UPDATE wa.media_bytes SET unused_at = now() - interval '25 hours' WHERE sha256 = sha256('left');
SELECT count(*) AS taken FROM wa.take_unused_bytes(100) t WHERE t.sha256 = sha256('left');

-- ---- Whoever stores the same bytes gets a file, and its size counts ----
SELECT * FROM wa.media_scanned('first', names(:'org', 'wanted'), '', false, '1 hour');
SELECT wa.authenticate(:'send') IS NOT NULL \; SELECT (wa.create_media(sha256('wanted'), 12345, 'image/png', NULL, clock_timestamp())).id IS NOT NULL AS stored;
SELECT files, size, unused FROM public.bytes WHERE size = 12345;
SELECT wa.count_media_bytes(:'org') AS counted;

-- ---- Bytes that are there although they were removed ----
UPDATE wa.media_bytes SET unused_at = NULL, removal = NULL, removing_at = NULL, removed_at = now() - interval '23 hours' WHERE sha256 = sha256('left');
SELECT unknown AS removed_just_now FROM wa.media_scanned('first', names(:'org', 'left'), '', false, '1 hour');
UPDATE wa.media_bytes SET removed_at = now() - interval '25 hours' WHERE sha256 = sha256('left');
SELECT unknown AS removed_long_ago FROM wa.media_scanned('first', names(:'org', 'left'), '', false, '1 hour');
-- A removal that is under way is not disturbed.
UPDATE wa.media_bytes SET unused_at = now() - interval '25 hours' WHERE sha256 = sha256('left');
SELECT count(*) AS taken FROM wa.take_unused_bytes(100) t WHERE t.sha256 = sha256('left') AND t.org_id = :'org';
SELECT unknown AS being_removed FROM wa.media_scanned('first', names(:'org', 'left'), '', false, '1 hour');

-- ---- Rows for bytes that nobody has stored are bounded ----
INSERT INTO wa.media_bytes (org_id, sha256, files, uploads, unused_at) SELECT :'org', sha256(i::text::bytea), 0, 0, now() FROM generate_series(1, 10000) i;
SELECT * FROM wa.media_scanned('first', names(:'org', 'one too many') || names(:'other_org', 'of another'), '', false, '1 hour');
DELETE FROM wa.media_bytes WHERE org_id = ANY (current_setting('test.orgs')::uuid[]) AND files = 0;

-- ---- Rows to check: each once, then none for a week ----
SELECT count(add_file(:'org', 'many ' || i)) AS many FROM generate_series(1, 5) i;
SELECT add_file(:'other_org', 'one', 77) IS NOT NULL AS one;
INSERT INTO wa.media_bytes (org_id, sha256, files, uploads, unused_at) VALUES (:'org', sha256('unused'), 0, 0, now());
CREATE TABLE public.checked AS SELECT 0 AS call, * FROM wa.take_stored_bytes(1000) LIMIT 0;
SELECT count(*) AS rows, count(*) FILTER (WHERE files > 0) AS stored FROM public.bytes;
-- Organizations of other tests come before these.
UPDATE wa.media_scan SET checked_org_id = :'org', checked_at = NULL;
INSERT INTO public.checked SELECT 1, t.* FROM wa.take_stored_bytes(1000) t;
SELECT count(*), count(DISTINCT (org_id, sha256)) AS different, count(*) FILTER (WHERE size = 77) AS other FROM public.checked;
SELECT count(*) AS too_early FROM wa.take_stored_bytes(1000);
UPDATE wa.media_scan SET checked_org_id = :'org', checked_at = now() - interval '8 days';
TRUNCATE public.checked;
INSERT INTO public.checked SELECT 1, t.* FROM wa.take_stored_bytes(3) t;
INSERT INTO public.checked SELECT 2, t.* FROM wa.take_stored_bytes(3) t;
SELECT checked_at IS NULL AS goes_on, checked_sha256 <> '' AS has_place FROM wa.media_scan;
INSERT INTO public.checked SELECT 3, t.* FROM wa.take_stored_bytes(4) t;
SELECT count(*), count(DISTINCT (org_id, sha256)) AS different, max(call) AS calls FROM public.checked;
SELECT checked_at IS NOT NULL AS ended, checked_sha256 = '' AS from_the_beginning FROM wa.media_scan;

-- ---- Who may ----
SELECT wa.take_media_scan('', '1 minute');
SELECT wa.take_media_scan('x', '2 hours');
SELECT wa.media_scanned('first', NULL, '', false, '1 minute');
SELECT wa.media_scanned('first', '{}', '', false, '1 minute');
SELECT wa.media_scanned('first', (SELECT jsonb_agg(i) FROM generate_series(1, 1001) i), '', false, '1 minute');
SELECT wa.media_scanned('first', '[]', repeat('x', 1025), false, '1 minute');
SELECT wa.media_scanned('first', '[]', '', NULL, '1 minute');
SELECT wa.media_scanned('first', '[{"organization": "00000000-0000-7000-8000-00000000dead", "sha256": "no digest"}]', '', false, '1 minute');
SELECT wa.media_scanned('first', jsonb_build_array(jsonb_build_object('organization', :'org', 'sha256', 'ab')), '', false, '1 minute');
SELECT wa.take_stored_bytes(0);
SELECT wa.take_stored_bytes(1001);
SELECT wa.take_stored_bytes(NULL);
SELECT wa.authenticate(:'send') IS NOT NULL \; SELECT wa.take_media_scan('x', '1 minute');
SELECT wa.authenticate(:'send') IS NOT NULL \; SELECT wa.media_scanned('first', '[]', '', false, '1 minute');
SELECT wa.authenticate(:'send') IS NOT NULL \; SELECT wa.take_stored_bytes(1);
SELECT r.role, f.function FROM unnest('{wa_gateway,wa_app,wa_worker,wa_admin,wa_monitor,wa_connector}'::text[]) r (role),
	unnest('{take_media_scan,media_scanned,take_stored_bytes,claim_unknown_bytes,stored_bytes_behind}'::text[]) f (function)
WHERE has_function_privilege(r.role, (SELECT p.oid FROM pg_proc p WHERE p.pronamespace = 'wa'::regnamespace AND p.proname = f.function), 'EXECUTE') ORDER BY 1, 2;
SELECT r.role FROM unnest('{wa_gateway,wa_app,wa_worker,wa_admin,wa_monitor,wa_connector,wa_claim}'::text[]) r (role)
WHERE has_any_column_privilege(r.role, 'wa.media_scan', 'SELECT, INSERT, UPDATE, REFERENCES');
INSERT INTO wa.media_bytes (org_id, sha256, files, uploads) VALUES (:'org', sha256('no size'), 1, 0);
DROP TABLE public.checked;
DROP VIEW public.bytes;
DROP FUNCTION names, add_file;
UPDATE wa.media_scan SET behind = '', lease_owner = NULL, lease_until = NULL, ended_at = NULL, checked_at = NULL;
DELETE FROM wa.media WHERE org_id IN (:'org', :'other_org');
DELETE FROM wa.media_bytes WHERE org_id IN (:'org', :'other_org');
