-- Keys that nobody has: counted by their first characters, the most frequent ones for each hour,
-- and the rest together.  And why a key is refused, for administrators.
\set superuser :USER
\set SHOW_CONTEXT never
SELECT wa.preloaded();
SELECT value AS acme FROM fixture WHERE name = 'acme' \gset
SELECT value AS acme_all FROM fixture WHERE name = 'acme_all' \gset
DO $$ BEGIN PERFORM wa.flush_key_usage(); END $$;
DELETE FROM wa.unknown_key;
-- Guesses in the form of keys that another system issued, which need no checksum.
CREATE FUNCTION public.guess(beginning text, times integer) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	FOR i IN 1..times LOOP
		BEGIN
			PERFORM wa.authenticate((beginning || '-and-some-more-' || i)::wa.secret, 'read');
		EXCEPTION WHEN invalid_authorization_specification THEN NULL;
		END;
	END LOOP;
END $$;
GRANT EXECUTE ON FUNCTION public.guess(text, integer) TO regress_app;

-- ---- Counted, whatever becomes of the transaction; a known key and other credentials are not ----
\c - regress_app
\set SHOW_CONTEXT never
SELECT wa.authenticate('wa_abcde-and-some-more', 'read');
BEGIN;
SELECT public.guess('wa_abcde', 9);
ROLLBACK;
SELECT public.guess('wa_fghij', 3);
SELECT wa.authenticate((SELECT value FROM fixture WHERE name = 'acme_all')::wa.secret) IS NOT NULL AS accepted;
SELECT * FROM wa.unknown_key;
SELECT * FROM wa.take_guesses();
SELECT wa.flush_guesses();
\c - regress_admin
\set SHOW_CONTEXT never
SELECT count(*) FROM wa.unknown_key;
BEGIN;
SELECT wa.flush_key_usage() >= 0 AS flushed;
SELECT prefix, sum(denied) AS denied FROM wa.unknown_key GROUP BY prefix ORDER BY prefix;
ROLLBACK;
SELECT count(*) FROM wa.unknown_key;
SELECT wa.flush_key_usage() >= 0 AS flushed;
SELECT prefix, sum(denied) AS denied FROM wa.unknown_key GROUP BY prefix ORDER BY prefix;
-- The counts are for reading.
DELETE FROM wa.unknown_key;

-- ---- Who guesses at random does not hide who is guessed at ----
\c - regress_app
DO $$ BEGIN
	FOR i IN 1..2000 LOOP
		PERFORM public.guess('wa_' || lpad(i::text, 5, '0'), 1);
		IF i % 20 = 0 THEN
			PERFORM public.guess('wa_aimed', 1);
		END IF;
	END LOOP;
END $$;
\c - regress_admin
SELECT wa.flush_key_usage() >= 0 AS flushed;
SELECT count(*) <= 65 * 2 AS bounded, sum(denied) AS denied, sum(denied) FILTER (WHERE prefix = 'wa_aimed') BETWEEN 60 AND 103 AS kept,
	count(DISTINCT prefix) FILTER (WHERE prefix = '') AS rest FROM wa.unknown_key;
\c - regress_app
DO $$ BEGIN FOR i IN 1..100 LOOP PERFORM public.guess('wa_x' || lpad(i::text, 4, '0'), 2); END LOOP; END $$;
\c - regress_admin
SELECT wa.flush_key_usage() >= 0 AS flushed;
SELECT count(*) <= 65 * 2 AS bounded, sum(denied) AS denied FROM wa.unknown_key;
\c - :superuser
\set SHOW_CONTEXT never
INSERT INTO wa.unknown_key VALUES (date_bin('1 hour', now(), '2000-01-01+00') - interval '721 hours', 'wa_old', 1);
SELECT wa.housekeep('key_hours') >= 0 AS kept;
SELECT count(*) FROM wa.unknown_key WHERE prefix = 'wa_old';
DELETE FROM wa.unknown_key;
DROP FUNCTION public.guess(text, integer);

-- ---- Why was it refused? ----
SELECT wa.authenticate(:'acme_all') IS NOT NULL \; SELECT id AS mine FROM wa.create_session('explained') \gset
SELECT wa.authenticate(:'acme_all') IS NOT NULL \; SELECT id AS other FROM wa.create_session('not explained') \gset
SELECT id AS key, secret FROM wa.create_key(:'acme', 'explained', '{read,send}', sessions => ARRAY[:'mine']::uuid[], addresses => '{203.0.113.0/24}',
	per_minute => 1, burst => 1) \gset
\c - regress_admin
\set SHOW_CONTEXT never
SELECT reason, detail, org_id IS NULL AS no_org, key, name FROM wa.explain_denial('wa_abcde-and-some-more');
SELECT reason, detail, org_id = :'acme' AS of_acme, key = :'key' AS it, name FROM wa.explain_denial(:'secret', 'read', :'mine', '203.0.113.9');
SELECT reason, regexp_replace(detail, 'sess_.*', 'sess_…') AS detail FROM wa.explain_denial(:'secret', 'manage', :'other');
SELECT reason, detail FROM wa.explain_denial(:'secret', address => '::ffff:203.0.113.9');
SELECT reason, detail FROM wa.explain_denial(:'secret', NULL, '00000000-0000-7000-8000-000000000001', '203.0.113.9');
SELECT wa.explain_denial(NULL);
-- A permission of one's own, and a word that is none.
BEGIN;
SELECT wa.define_permission('explained:read', 'Reads') IS NOT NULL AND wa.define_permission('explained:write', 'Writes') IS NOT NULL AS defined;
SELECT wa.set_own_permissions(:'key', '{explained:read}');
SELECT reason, detail FROM wa.explain_denial(:'secret', 'explained:read', NULL, '203.0.113.9');
SELECT reason, detail FROM wa.explain_denial(:'secret', 'explained:write', NULL, '203.0.113.9');
SELECT reason, detail FROM wa.explain_denial(:'secret', 'events', NULL, '203.0.113.9');
SELECT state, message FROM error_of(format('SELECT * FROM wa.explain_denial(%L, ''explained:wirte'')', :'secret'));
SELECT state, message FROM error_of(format('SELECT * FROM wa.explain_denial(%L, ''{read,send}'')', :'secret'));
ROLLBACK;
-- It is no use of the key, counts nothing and takes nothing of its rate.
SELECT last_used_at, (SELECT count(*) FROM wa.key_usage u WHERE u.key_id = k.id) AS hours FROM wa.keys k WHERE k.id = :'key';
\c - regress_app
\set SHOW_CONTEXT never
SELECT wa.authenticate(:'secret', 'read', '203.0.113.9') IS NOT NULL AS accepted;
SELECT wa.explain_denial(:'secret');
SELECT wa.allows_address('{203.0.113.0/24}', '203.0.113.9');
SELECT wa.key_rate_wait(:'acme', :'key', 1, 1);
\c - regress_admin
SELECT reason, detail ~ '^makes its next request in (60|[1-5]?[0-9]) seconds, at a rate of 1 a minute$' AS says FROM wa.explain_denial(:'secret', 'read', NULL, '203.0.113.9');
SELECT wa.disable_key(:'key'), wa.revoke_key_with_reason(:'key', 'found in a log');
SELECT reason, regexp_replace(detail, ' at .* by ', ' by ') AS detail FROM wa.explain_denial(:'secret', 'read', NULL, '203.0.113.9') WHERE reason <> 'rate';
\c - :superuser
UPDATE wa.api_key SET expires_at = now() - interval '1 day' WHERE id = :'key';
SELECT reason FROM wa.explain_denial(:'secret', 'events', :'other') WHERE reason <> 'rate';
SELECT r.rolname AS role, f.name AS may_call
FROM pg_roles r CROSS JOIN (VALUES ('wa.explain_denial(wa.secret,text,wa.session_id,text)'), ('wa.take_guesses()'), ('wa.flush_guesses()'),
	('wa.allows_address(cidr[],text)'), ('wa.key_rate_wait(uuid,uuid,integer,integer)')) f (name)
WHERE r.rolname LIKE 'wa\_%' AND has_function_privilege(r.rolname, f.name, 'EXECUTE') ORDER BY 1, 2;
