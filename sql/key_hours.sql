-- How often a key was used in each hour, and why it was refused: counted in memory without a
-- write in the request, and each request once, however its transaction ends.
\set superuser :USER
\set SHOW_CONTEXT never
SELECT wa.preloaded();
SELECT value AS acme FROM fixture WHERE name = 'acme' \gset
SELECT value AS acme_all FROM fixture WHERE name = 'acme_all' \gset
SELECT wa.authenticate(:'acme_all') IS NOT NULL \; SELECT id AS mine FROM wa.create_session('counted') \gset
SELECT wa.authenticate(:'acme_all') IS NOT NULL \; SELECT id AS other FROM wa.create_session('not counted') \gset
CREATE TABLE public.counted (name text PRIMARY KEY, id uuid NOT NULL, secret text NOT NULL);
GRANT SELECT ON public.counted TO regress_app, regress_admin;
INSERT INTO public.counted SELECT 'plain', c.* FROM wa.create_key(:'acme', 'counts plain', '{read,send,manage}') c;
INSERT INTO public.counted SELECT 'expired', c.* FROM wa.create_key(:'acme', 'counts expired', '{read}') c;
INSERT INTO public.counted SELECT 'revoked', c.* FROM wa.create_key(:'acme', 'counts revoked', '{read}') c;
INSERT INTO public.counted SELECT 'disabled', c.* FROM wa.create_key(:'acme', 'counts disabled', '{read}') c;
INSERT INTO public.counted SELECT 'address', c.* FROM wa.create_key(:'acme', 'counts address', '{read}', addresses => '{203.0.113.0/24}') c;
INSERT INTO public.counted SELECT 'session', c.* FROM wa.create_key(:'acme', 'counts session', '{read,send,manage}', sessions => ARRAY[:'mine']::uuid[]) c;
INSERT INTO public.counted SELECT 'rate', c.* FROM wa.create_key(:'acme', 'counts rate', '{read}', per_minute => 1, burst => 1) c;
UPDATE wa.api_key SET expires_at = now() - interval '1 hour' WHERE name = 'counts expired';
SELECT wa.revoke_key(id) FROM public.counted WHERE name = 'revoked';
SELECT wa.disable_key(id) FROM public.counted WHERE name = 'disabled';
SELECT secret AS plain, id AS plain_id FROM public.counted WHERE name = 'plain' \gset
SELECT secret AS session, id AS session_id FROM public.counted WHERE name = 'session' \gset
SELECT secret AS rate FROM public.counted WHERE name = 'rate' \gset
-- What a key of this file shows, in whichever hours.
CREATE VIEW public.shown WITH (security_invoker = true) AS
	SELECT c.name, sum(u.allowed) AS allowed, sum(u.denied) AS denied, sum(u.expired) AS expired, sum(u.revoked) AS revoked,
		sum(u.disabled) AS disabled, sum(u.address) AS address, sum(u.permission) AS permission, sum(u.session) AS session, sum(u.rate) AS rate
	FROM public.counted c JOIN wa.key_usage u ON u.key_id = c.id GROUP BY c.name;
GRANT SELECT ON public.shown TO regress_admin;
CREATE PROCEDURE public.request(key text, times integer) LANGUAGE plpgsql AS $$
BEGIN
	FOR i IN 1..times LOOP
		PERFORM wa.authenticate(c.secret::wa.secret, 'read') FROM public.counted c WHERE c.name = key;
		COMMIT;
	END LOOP;
END $$;
DO $$ BEGIN WHILE wa.flush_key_usage() > 0 LOOP COMMIT; END LOOP; END $$;
SELECT * FROM public.shown;

-- ---- Each reason once ----
\c - regress_app
\set SHOW_CONTEXT never
SELECT c.name, e.state, e.message FROM public.counted c
	CROSS JOIN LATERAL error_of(format('SELECT wa.authenticate(%L, ''read'', ''192.0.2.1'')', c.secret)) e
WHERE c.name IN ('expired', 'revoked', 'disabled', 'address') ORDER BY c.name;
-- A request that lacks a permission when it comes, and one that turns out to lack it.
SELECT wa.authenticate(:'plain', 'events');
SELECT wa.authenticate(:'plain', 'send') IS NOT NULL AS accepted \; SELECT count(*) FROM wa.session;
-- To change what is out of reach; the session that it reaches, and one that it cannot make.
SELECT wa.authenticate(:'session') IS NOT NULL AS accepted \; SELECT wa.update_session(:'other', 'mine now');
SELECT wa.authenticate(:'session') IS NOT NULL AS accepted \; SELECT wa.delete_session(:'other');
SELECT wa.authenticate(:'session') IS NOT NULL AS accepted \; SELECT id FROM wa.create_session('one more');
-- To read from it finds nothing, and is allowed.
SELECT wa.authenticate(:'session', 'read') IS NOT NULL AS accepted \; SELECT count(*) FROM wa.session WHERE id = :'other';
SELECT wa.authenticate(:'rate', 'read') IS NOT NULL AS accepted;
\set VERBOSITY terse
SELECT wa.authenticate(:'rate', 'read');
\set VERBOSITY default
\c - regress_admin
SELECT * FROM public.shown ORDER BY name;

-- ---- Once each, whatever becomes of the transaction ----
\c - regress_app
\set SHOW_CONTEXT never
BEGIN;
SELECT wa.authenticate(:'plain', 'read') IS NOT NULL AS accepted;
SELECT wa.authenticate(:'plain', 'send') IS NOT NULL AS accepted;
-- No transaction id, and no row.
SELECT pg_current_xact_id_if_assigned() AS transaction_id, sum(n_tup_ins + n_tup_upd + n_tup_del) AS written
FROM pg_stat_xact_user_tables;
COMMIT;
BEGIN;
SELECT wa.authenticate(:'plain', 'read') IS NOT NULL AS accepted;
ROLLBACK;
BEGIN;
SAVEPOINT a;
SELECT wa.authenticate(:'plain', 'read') IS NOT NULL AS accepted;
ROLLBACK TO a;
COMMIT;
-- A loop in one transaction does not hide how often something was denied.
DO $$
DECLARE
	key constant wa.secret := (SELECT secret FROM public.counted WHERE name = 'plain');
BEGIN
	FOR i IN 1..10 LOOP
		BEGIN
			PERFORM wa.authenticate(key, 'events');
		EXCEPTION WHEN insufficient_privilege THEN NULL;
		END;
	END LOOP;
END $$;
-- A million requests write a handful of rows; a thousand of them do here.
CALL public.request('plain', 1000);
\c - regress_admin
SELECT allowed, denied, permission FROM public.shown WHERE name = 'plain';
SELECT count(*) FROM wa.api_key_hour h JOIN public.counted c ON c.id = h.key_id;

-- ---- Flushing ----
-- What a rolled back flush has taken comes back: that of a savepoint, and that of a transaction.
BEGIN;
SAVEPOINT a;
SELECT wa.flush_key_usage() > 0 AS wrote;
SELECT allowed, denied FROM public.shown WHERE name = 'plain';
ROLLBACK TO a;
SELECT allowed, denied FROM public.shown WHERE name = 'plain';
SAVEPOINT b;
SELECT wa.flush_key_usage() > 0 AS wrote;
RELEASE b;
SELECT count(*) FROM wa.unflushed_key_hours() h JOIN public.counted c ON c.id = h.key_id;
ROLLBACK;
SELECT allowed, denied FROM public.shown WHERE name = 'plain';
BEGIN;
SAVEPOINT a;
SELECT wa.flush_key_usage() > 0 AS wrote;
RELEASE a;
COMMIT;
SELECT count(*) BETWEEN 1 AND 2 AS a_row_an_hour, sum(h.allowed) AS allowed, sum(h.permission) AS permission
FROM wa.api_key_hour h WHERE h.key_id = :'plain_id';
SELECT count(*) FROM wa.unflushed_key_hours() h JOIN public.counted c ON c.id = h.key_id;
SELECT allowed, denied FROM public.shown WHERE name = 'plain';
-- The next one adds to the row.
\c - regress_app
SELECT wa.authenticate(:'plain') IS NOT NULL AS accepted;
\c - regress_admin
\set SHOW_CONTEXT never
SELECT wa.flush_key_usage() > 0 AS wrote;
SELECT count(*) BETWEEN 1 AND 2 AS a_row_an_hour, sum(h.allowed) AS allowed FROM wa.api_key_hour h WHERE h.key_id = :'plain_id';
-- Nobody knows what becomes of a prepared transaction.
\c - :superuser
\set SHOW_CONTEXT never
BEGIN;
SELECT count(*) >= 0 AS took FROM wa.take_key_hours(1);
PREPARE TRANSACTION 'flush';
-- In batches, of which each takes what the one before has left.
\c - regress_app
SELECT wa.authenticate(:'plain') IS NOT NULL AS accepted;
SELECT wa.authenticate(:'session') IS NOT NULL AS accepted;
\c - :superuser
SELECT sum(allowed) AS allowed FROM wa.take_key_hours(1);
SELECT sum(allowed) AS allowed FROM wa.take_key_hours(1);
SELECT count(*) FROM wa.take_key_hours(1);
SELECT count(*) FROM wa.take_key_hours(0);

-- ---- Who sees it ----
\c - regress_app
\set SHOW_CONTEXT never
SELECT wa.authenticate(:'plain') IS NOT NULL AS accepted \; SELECT * FROM wa.key_usage;
SELECT wa.authenticate(:'plain') IS NOT NULL AS accepted \; SELECT * FROM wa.api_key_hour;
SELECT wa.authenticate(:'plain') IS NOT NULL AS accepted \; SELECT * FROM wa.unflushed_key_hours();
SELECT wa.take_key_hours(1);
SELECT wa.flush_key_hours(1);
SELECT wa.count_denied_session(:'mine');
SELECT wa.authenticate(:'plain') IS NOT NULL AS accepted \; SELECT * FROM wa.show_key_usage(:'plain_id', 1);
UPDATE wa.api_key_hour SET allowed = 0;
SELECT r.rolname AS role, f.name AS may_call
FROM pg_roles r CROSS JOIN (VALUES ('wa.unflushed_key_hours()'), ('wa.take_key_hours(integer)'), ('wa.flush_key_hours(integer)'),
	('wa.count_denied_session(uuid)'), ('wa.show_key_usage(uuid, integer)')) f (name)
WHERE r.rolname LIKE 'wa\_%' AND has_function_privilege(r.rolname, f.name, 'EXECUTE') ORDER BY 1, 2;
-- People who manage keys see those of their organization: an admin, but no member and nobody of another organization.
\c - :superuser
\set SHOW_CONTEXT never
SELECT value AS beta FROM fixture WHERE name = 'beta' \gset
SELECT u.id AS hana FROM wa.create_user('hana@example.net', 'Hana', 'correct horse') u \gset
SELECT u.id AS hugo FROM wa.create_user('hugo@example.net', 'Hugo', 'correct horse') u \gset
SELECT u.id AS hilda FROM wa.create_user('hilda@example.net', 'Hilda', 'correct horse') u \gset
SELECT wa.add_member(:'acme', :'hana', 'admin'), wa.add_member(:'acme', :'hugo', 'member'), wa.add_member(:'beta', :'hilda', 'owner');
SELECT cookie FROM wa.sign_in('hana@example.net', 'correct horse', '192.0.2.1', 'x') \gset
SELECT token AS admin FROM wa.mint_user_token(:'cookie') \gset
SELECT cookie FROM wa.sign_in('hugo@example.net', 'correct horse', '192.0.2.1', 'x') \gset
SELECT token AS member FROM wa.mint_user_token(:'cookie') \gset
SELECT cookie FROM wa.sign_in('hilda@example.net', 'correct horse', '192.0.2.1', 'x') \gset
SELECT token AS stranger FROM wa.mint_user_token(:'cookie') \gset
\c - regress_app
\set SHOW_CONTEXT never
SELECT wa.authenticate(:'admin') IS NOT NULL AS accepted \; SELECT u.id = :'plain_id' AS it, u.last_used_at > now() - interval '1 hour' AS used,
	u.last_used_from, u.last_used_agent, (SELECT sum((h ->> 'allowed')::integer) FROM jsonb_array_elements(u.usage) h) AS allowed,
	(SELECT jsonb_agg(DISTINCT k) FROM jsonb_array_elements(u.usage) h, jsonb_object_keys(h -> 'denied') k) AS reasons,
	(SELECT bool_and((h ->> 'from')::bigint % 3600000 = 0) FROM jsonb_array_elements(u.usage) h) AS whole_hours
FROM wa.show_key_usage(:'plain_id', 24) u;
SELECT wa.authenticate(:'member') IS NOT NULL AS accepted \; SELECT * FROM wa.show_key_usage(:'plain_id', 24);
SELECT wa.authenticate(:'stranger') IS NOT NULL AS accepted \; SELECT * FROM wa.show_key_usage(:'plain_id', 24);
SELECT wa.authenticate(:'admin') IS NOT NULL AS accepted \; SELECT * FROM wa.show_key_usage('00000000-0000-7000-8000-000000000001', 24);

-- ---- The audit log ----
\c - :superuser
-- A key and a reason have one entry a day, however often and in however many flushes.
SELECT a.detail, a.actor = wa.typeid('key', a.subject) AS by_the_key, a.at = date_bin('1 hour', a.at, '2000-01-01+00') AS whole_hour
FROM wa.audit a WHERE a.action = 'key.denied' AND a.subject IN (SELECT k.id FROM wa.keys k WHERE k.org_id = :'acme') AND a.subject = :'plain_id' ORDER BY a.id;
SELECT count(*) > 0 AS entries, count(*) = count(DISTINCT (a.subject, r)) AS one_for_a_key_and_reason
FROM wa.audit a, jsonb_array_elements(a.detail -> 'reasons') r WHERE a.action = 'key.denied';

-- ---- The program ----
\c - regress_app
SELECT wa.authenticate(:'plain', 'read', '192.0.2.1', E'curl/8.1 \u202e\tx' || repeat('y', 200)) IS NOT NULL AS accepted;
\c - regress_admin
SELECT last_used_from, last_used_agent, length(last_used_agent) FROM wa.keys WHERE id = :'plain_id';
SELECT wa.flush_key_usage() > 0 AS wrote;
SELECT left(last_used_agent, 10) AS agent FROM wa.api_key_usage WHERE key_id = :'plain_id';
\c - regress_app
SELECT wa.authenticate(:'plain', 'read', '192.0.2.1') IS NOT NULL AS accepted;
\c - regress_admin
SELECT last_used_agent FROM wa.keys WHERE id = :'plain_id';

-- ---- What is over, and what is gone ----
\c - :superuser
INSERT INTO wa.api_key_hour (org_id, key_id, hour, allowed)
SELECT :'acme', :'plain_id', date_bin('1 hour', now(), '2000-01-01+00') - h * interval '1 hour', 1 FROM unnest('{718,720,721,800,9000}'::integer[]) h;
SELECT wa.housekeep('key_hours', 2), wa.housekeep('key_hours', 2), wa.housekeep('key_hours', 2);
SELECT count(*) FROM wa.api_key_hour h WHERE h.key_id = :'plain_id' AND h.hour < now() - interval '700 hours';
SELECT wa.flush_key_usage() >= 0 AS flushed;
SELECT wa.authenticate(:'session') IS NOT NULL AS accepted;
DELETE FROM wa.api_key WHERE id = :'session_id';
SELECT wa.flush_key_usage() >= 0 AS flushed;
SELECT count(*) FROM wa.key_usage WHERE key_id = :'session_id';
DELETE FROM wa.member WHERE user_id IN (:'hana', :'hugo', :'hilda');
DROP PROCEDURE public.request(text, integer);
DROP VIEW public.shown;
DROP TABLE public.counted;
