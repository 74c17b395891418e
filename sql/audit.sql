-- The audit log: what is written to it, who reads it, and the chain that shows a change.
\set superuser :USER
\set SHOW_CONTEXT never
SELECT value AS acme_manage FROM fixture WHERE name = 'acme_manage' \gset
SELECT wa.create_org('Ledger') AS ledger, wa.create_org('Other ledger') AS other \gset
SELECT secret AS manage, wa.typeid('key', id) AS manage_id FROM wa.create_key(:'ledger', 'manage', '{manage}') \gset
SELECT id AS lea, wa.typeid('usr', id) AS lea_id FROM wa.create_user('lea@example.org', 'Lea', 'correct horse') \gset
SELECT id AS max FROM wa.create_user('max@example.org', 'Max', 'correct horse') \gset
SELECT wa.add_member(:'ledger', :'lea', 'admin'), wa.add_member(:'ledger', :'max', 'member');
SELECT cookie AS lea_cookie FROM wa.sign_in('lea@example.org', 'correct horse', '192.0.2.1', 'x') \gset
SELECT token AS lea_token FROM wa.mint_user_token(:'lea_cookie') \gset
SELECT cookie AS max_cookie FROM wa.sign_in('max@example.org', 'correct horse', '192.0.2.1', 'x') \gset
SELECT token AS max_token FROM wa.mint_user_token(:'max_cookie') \gset

-- What is done to sessions and webhooks is written down, with who did it and from where;
-- what changes nothing is not.  No secret is: of a URL there is the origin, of header fields
-- there are the names, of a webhook's secret there is nothing.
\c - regress_app
\set SHOW_CONTEXT never
SELECT wa.authenticate(:'manage', NULL, '198.51.100.7') IS NOT NULL \; SELECT id AS session FROM wa.create_session('front desk', false) \gset
SELECT wa.authenticate(:'manage', NULL, '198.51.100.7') IS NOT NULL \; SELECT label FROM wa.update_session(:'session', rate_per_min => 5);
SELECT wa.authenticate(:'manage') IS NOT NULL \; SELECT label FROM wa.update_session(:'session', label => 'desk', auto_read => true);
SELECT wa.authenticate(:'manage') IS NOT NULL \; SELECT label FROM wa.update_session(:'session', label => 'desk', auto_read => true);
SELECT wa.authenticate(:'manage') IS NOT NULL \; SELECT status FROM wa.control_session(:'session', 'start');
SELECT wa.authenticate(:'manage') IS NOT NULL \; SELECT status FROM wa.control_session(:'session', 'start');
SELECT wa.authenticate(:'manage') IS NOT NULL \; SELECT wa.request_pairing_code(:'session', '+15551234567') IS NOT NULL AS code;
SELECT wa.authenticate(:'manage') IS NOT NULL \; SELECT status FROM wa.control_session(:'session', 'restart');
SELECT wa.authenticate(:'manage') IS NOT NULL \; SELECT status FROM wa.control_session(:'session', 'stop');
SELECT wa.authenticate(:'manage') IS NOT NULL \; SELECT status FROM wa.control_session(:'session', 'logout');
SELECT wa.authenticate(:'manage') IS NOT NULL \; SELECT id AS webhook FROM wa.create_webhook('https://hooks.example/secret-path', NULL, :'session', '{"X-Token":"secret-header"}', NULL, NULL, 'secret-of-webhook') \gset
SELECT wa.authenticate(:'manage') IS NOT NULL \; SELECT active FROM wa.update_webhook(:'webhook', active => false);
SELECT wa.authenticate(:'manage') IS NOT NULL \; SELECT active FROM wa.update_webhook(:'webhook', active => false);
SELECT wa.authenticate(:'manage') IS NOT NULL \; SELECT active FROM wa.update_webhook(:'webhook', 'https://hooks.example/other-secret', custom_headers => '{"X-Token":"another-secret"}');
SELECT wa.authenticate(:'manage') IS NOT NULL \; SELECT active FROM wa.update_webhook(:'webhook', custom_headers => 'null', session => '00000000-0000-0000-0000-000000000000');
SELECT wa.authenticate(:'manage') IS NOT NULL \; SELECT wa.rotate_webhook_secret(:'webhook', 'secret-of-webhook-2') IS NOT NULL AS rotated;
SELECT wa.authenticate(:'manage') IS NOT NULL \; SELECT wa.delete_webhook(:'webhook');
SELECT wa.authenticate(:'manage') IS NOT NULL \; SELECT wa.delete_session(:'session');
\c - :superuser
\set SHOW_CONTEXT never
SELECT a.action, a.detail - CASE a.action WHEN 'webhook.created' THEN 'sessionId' ELSE '' END AS detail, a.actor = :'manage_id' AND a.actor_name = 'manage' AS by_the_key, left(wa.audit_subject(a.action, a.subject), 5) AS subject
FROM wa.audit a WHERE a.org_id = :'ledger' AND (a.action LIKE 'session.%' OR a.action LIKE 'webhook.%') ORDER BY a.id;
SELECT count(*) AS secrets FROM wa.audit a WHERE a.detail::text LIKE '%secret%';
-- A row's time is its id's.
SELECT count(*) AS at_another_time FROM wa.audit a WHERE a.org_id = :'ledger' AND a.at <> wa.uuid7_time(a.id);

-- Wrong passwords are written down, with their number, for accounts only; the first at once,
-- others when an hour has passed.  A rollback loses none.
SELECT e.state FROM unnest('{lea@example.org,lea@example.org,nobody@example.org}'::text[]) email, error_of(format('SELECT wa.sign_in(%L, ''wrong password'', ''192.0.2.9'', ''x'')', email)) e;
BEGIN;
SELECT wa.housekeep('failed_sign_ins') > 0 AS some;
SELECT e.state FROM error_of($$SELECT wa.sign_in('lea@example.org', 'wrong password', '192.0.2.10', 'x')$$) e;
ROLLBACK;
BEGIN;
SAVEPOINT s;
SELECT wa.housekeep('failed_sign_ins') > 0 AS some;
ROLLBACK TO s;
COMMIT;
SELECT wa.housekeep('failed_sign_ins') > 0 AS some;
SELECT a.actor, a.action, wa.audit_subject(a.action, a.subject) = :'lea_id' AS lea, a.detail - 'since' AS detail, a.at - wa.uuid7_time(a.id) <= '0' AS at_the_last
FROM wa.audit a WHERE a.org_id = :'ledger' AND a.action = 'user.sign_in_failed';
SELECT e.column_name, e.message FROM error_of(format('SELECT wa.change_password(%L, ''wrong password'', ''another good password'')', :'lea_cookie')) e;
SELECT wa.housekeep('failed_sign_ins') AS accounts_within_the_hour;
SELECT user_id = :'lea' AS lea, count, last_from FROM wa.take_failed_sign_ins(10, clock_timestamp());
SELECT wa.housekeep('failed_sign_ins', 1) AS accounts;

-- RFC 8785: names in order, no blanks, numbers as short as they are.
SELECT wa.canonical_json(j) FROM (VALUES ('{"b": [1, 2.50, {"d": null, "aa": true}], "a": "é\"\\\u0001\n</", "B": {}}'::jsonb), ('[]'), ('-0.10'), ('100')) v (j);
SELECT wa.netstrings('a', NULL, 'é') AS netstrings, wa.netstrings('ab', '') <> wa.netstrings('a', 'b') AS unambiguous;

-- Entries have no place until housekeeping gives them one, in the order of their ids.
SELECT count(*) FILTER (WHERE sequence IS NOT NULL) AS linked FROM wa.audit WHERE org_id = :'ledger';
SELECT * FROM wa.audit_head(:'ledger');
SELECT wa.housekeep('audit', 10000) > 0 AS linked, wa.housekeep('audit', 10000) AS left;
SELECT count(*) = max(sequence) AND min(sequence) = 1 AS from_one_on, bool_and(in_order) AS in_order
FROM (SELECT sequence, sequence = row_number() OVER (ORDER BY id) AS in_order FROM wa.audit WHERE org_id = :'ledger') a;
SELECT count(*) AS without FROM wa.audit WHERE sequence IS NULL;
SELECT * FROM wa.verify_audit(:'ledger');
-- The first hash, from its definition.
SELECT a.hash = sha256(convert_to('18:wa_apikeys audit 1,0:,30:' || wa.typeid('org', a.org_id) || ',1:1,30:' || wa.typeid('aud', a.id) || ',13:' || wa.epoch_ms(a.at)
	|| ',' || length(a.actor) || ':' || a.actor || ',0:,11:org.created,30:' || wa.typeid('org', a.subject) || ',2:{},', 'UTF8')) AS as_defined
FROM wa.audit a WHERE a.org_id = :'ledger' AND a.sequence = 1;
-- Who commits late comes later, whatever the id says, and nothing waits for it.
SELECT wa.revoke_key(:'ledger', 'manage');
INSERT INTO wa.audit (org_id, id, actor, action) VALUES (:'ledger', '00000000-0000-7000-8000-000000000001', 'late', 'key.changed');
SELECT wa.housekeep('audit') AS linked;
SELECT a.action, a.actor, a.sequence = (wa.audit_head(:'ledger')).sequence AS is_head FROM wa.audit a WHERE a.org_id = :'ledger' ORDER BY a.sequence DESC LIMIT 2;
SELECT * FROM wa.verify_audit(:'ledger');
SELECT sequence AS kept, hash AS kept_hash FROM wa.audit_head(:'ledger') \gset

-- An organization with many entries does not keep others waiting, and gets the rest of a
-- batch that others do not need.
INSERT INTO wa.audit (org_id, actor, action) SELECT :'ledger', 'flood', 'key.changed' FROM generate_series(1, 400);
INSERT INTO wa.audit (org_id, actor, action) VALUES (:'other', 'calm', 'key.changed');
UPDATE wa.housekeeping_place SET org_id = '00000000-0000-0000-0000-000000000000' WHERE task = 'audit';
SELECT wa.housekeep('audit', 150) AS linked;
SELECT count(*) FILTER (WHERE org_id = :'ledger') AS flood, count(*) FILTER (WHERE org_id = :'other') AS calm FROM wa.audit WHERE sequence IS NULL;
SELECT wa.housekeep('audit', 1000) AS linked;
SELECT * FROM wa.verify_audit(:'ledger') UNION ALL SELECT * FROM wa.verify_audit(:'other');

-- The log is append-only, also for its owner.  An entry gets its place once, and nothing else
-- of it changes then, not even how a number is written.
SET ROLE wa_owner;
UPDATE wa.audit SET sequence = 100000 WHERE org_id = :'ledger' AND sequence = 1;
UPDATE wa.audit SET sequence = NULL, hash = NULL WHERE org_id = :'ledger' AND sequence = 1;
INSERT INTO wa.audit (org_id, actor, action, detail) VALUES (:'ledger', 'x', 'key.changed', '{"n": 1}');
UPDATE wa.audit SET sequence = 100000, hash = sha256('x'), detail = '{"n": 1.0}' WHERE org_id = :'ledger' AND sequence IS NULL;
UPDATE wa.audit SET sequence = 100000, hash = sha256('x'), actor_name = 'y' WHERE org_id = :'ledger' AND sequence IS NULL;
UPDATE wa.audit SET actor_name = 'y' WHERE org_id = :'ledger' AND sequence IS NULL;
DELETE FROM wa.audit WHERE org_id = :'ledger' AND sequence IS NULL;
RESET ROLE;
SELECT wa.housekeep('audit') AS linked;

-- A superuser can do everything, but not unseen.
BEGIN;
ALTER TABLE wa.audit DISABLE TRIGGER audit_append_only;
SAVEPOINT untouched;
UPDATE wa.audit SET actor = 'somebody else' WHERE org_id = :'ledger' AND sequence = 2;
SELECT * FROM wa.verify_audit(:'ledger');
ROLLBACK TO untouched;
UPDATE wa.audit SET detail = detail || '{"n": 1}' WHERE org_id = :'ledger' AND sequence = 3;
SELECT * FROM wa.verify_audit(:'ledger');
ROLLBACK TO untouched;
UPDATE wa.audit SET at = at + interval '1 millisecond' WHERE org_id = :'ledger' AND sequence = 4;
SELECT * FROM wa.verify_audit(:'ledger');
ROLLBACK TO untouched;
DELETE FROM wa.audit WHERE org_id = :'ledger' AND sequence IN (2, 3);
SELECT * FROM wa.verify_audit(:'ledger');
ROLLBACK TO untouched;
UPDATE wa.audit SET org_id = :'other' WHERE org_id = :'ledger' AND sequence = 403;
SELECT 'ledger' AS org, place = 404 AS place, problem FROM wa.verify_audit(:'ledger') UNION ALL SELECT 'other', place = 403, problem FROM wa.verify_audit(:'other');
ROLLBACK TO untouched;
-- The end of a chain can be cut off, and a chain written anew; then the kept hash is needed.
DELETE FROM wa.audit WHERE org_id = :'ledger' AND sequence >= :kept;
SELECT * FROM wa.verify_audit(:'ledger');
SELECT place = :kept AS place, problem FROM wa.verify_audit(:'ledger', :kept, :'kept_hash');
ROLLBACK TO untouched;
UPDATE wa.audit SET actor = 'somebody else' WHERE org_id = :'ledger' AND sequence = :kept;
UPDATE wa.audit SET sequence = NULL, hash = NULL WHERE org_id = :'ledger' AND sequence >= :kept;
SELECT wa.housekeep('audit', 10000) > 0 AS linked_anew;
SELECT * FROM wa.verify_audit(:'ledger');
SELECT place = :kept AS place, problem FROM wa.verify_audit(:'ledger', :kept, :'kept_hash');
ROLLBACK;
SELECT * FROM wa.verify_audit(:'ledger', :kept, :'kept_hash');
SELECT * FROM wa.verify_audit('00000000-0000-7000-8000-000000000000');

-- The log with filters: each alone, and together.
\c - regress_app
\set SHOW_CONTEXT never
SELECT wa.authenticate(:'lea_token') IS NOT NULL \; SELECT action, actor_name, subject_name, sequence IS NOT NULL AS linked FROM wa.list_audit(NULL, 3, of_action => 'member.added');
SELECT wa.authenticate(:'lea_token') IS NOT NULL \; SELECT action, actor_name FROM wa.list_audit(NULL, 3, of_actor => :'lea_id');
SELECT wa.authenticate(:'lea_token') IS NOT NULL \; SELECT action, subject = :'lea_id' AS lea FROM wa.list_audit(NULL, 9, of_subject => :'lea_id');
SELECT wa.authenticate(:'lea_token') IS NOT NULL \; SELECT count(*) FROM wa.list_audit(NULL, 9, of_subject => 'key_' || split_part(:'lea_id', '_', 2));
SELECT wa.authenticate(:'lea_token') IS NOT NULL \; SELECT action FROM wa.list_audit(NULL, 9, 'user.signed_in', :'lea_id', :'lea_id', now() - interval '1 hour', now() + interval '1 hour');
SELECT wa.authenticate(:'lea_token') IS NOT NULL \; SELECT count(*) FROM wa.list_audit(NULL, 9, since => now() + interval '1 hour');
SELECT wa.authenticate(:'lea_token') IS NOT NULL \; SELECT count(*), min(actor) FROM wa.list_audit(NULL, 9, until => now() - interval '1 hour');
SELECT wa.authenticate(:'lea_token') IS NOT NULL \; SELECT max(at) AS newest FROM wa.list_audit(NULL, 200, of_action => 'user.signed_in') \gset page_
SELECT wa.authenticate(:'lea_token') IS NOT NULL \; SELECT count(*) > 0 AS at_its_own_time FROM wa.list_audit(NULL, 200, since => :'page_newest', until => :'page_newest'::timestamptz + interval '1 millisecond');
SELECT wa.authenticate(:'lea_token') IS NOT NULL \; SELECT * FROM error_of('SELECT wa.list_audit(NULL, 9, of_subject => ''nobody'')');
-- Head and export.
SELECT wa.authenticate(:'lea_token') IS NOT NULL \; SELECT organization_id = :'ledger' AS ledger, sequence > :kept AS sequence, hash ~ '^[0-9a-f]{64}$' AS hash, at IS NOT NULL AS at FROM wa.show_audit_head();
SELECT wa.authenticate(:'lea_token') IS NOT NULL \; SELECT sequence, organization_id = :'ledger' AS ledger, actor_name, action, left(subject, 4) AS subject, hash ~ '^[0-9a-f]{64}$' AS hash FROM wa.export_audit(1, 3);
SELECT wa.authenticate(:'lea_token') IS NOT NULL \; SELECT count(*) AS behind_the_last FROM wa.export_audit(1000000, 3);
-- For owners and admins only: no member, no key, nobody.
SELECT c.call, e.state, e.constraint_name FROM unnest('{show_audit_head(),"export_audit(0, 9)","list_audit(NULL, 9)"}'::text[]) c (call), wa.authenticate(:'max_token'), error_of('SELECT wa.' || call) e;
SELECT c.call, e.state, e.constraint_name FROM unnest('{show_audit_head(),"export_audit(0, 9)","list_audit(NULL, 9)"}'::text[]) c (call), wa.authenticate(:'acme_manage'), error_of('SELECT wa.' || call) e;
SELECT c.call, e.state, e.message FROM unnest('{show_audit_head(),"export_audit(0, 9)","verify_audit(''00000000-0000-7000-8000-000000000000'')","audit_head(''00000000-0000-7000-8000-000000000000'')"}'::text[]) c (call), error_of('SELECT wa.' || call) e;

-- Each filter reads what it shows, however much else there is.
\c - :superuser
\set SHOW_CONTEXT never
SET client_min_messages = warning;
INSERT INTO wa.audit (org_id, actor, action, subject) SELECT :'ledger', 'busy', 'key.changed', wa.uuid7() FROM generate_series(1, 20000);
VACUUM ANALYZE wa.audit;
CREATE FUNCTION public.pages_of_list(filter text) RETURNS integer
	LANGUAGE plpgsql AS $$
DECLARE
	plan jsonb;
BEGIN
	EXECUTE 'EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) SELECT * FROM wa.list_audit(' || filter || ')' INTO plan;
	RETURN (plan -> 0 -> 'Plan' ->> 'Shared Hit Blocks')::integer + (plan -> 0 -> 'Plan' ->> 'Shared Read Blocks')::integer;
END $$;
SELECT wa.authenticate(:'lea_token') IS NOT NULL \; SELECT name, min(public.pages_of_list('NULL, 5' || filter)) < 100 AS few_pages
FROM (VALUES ('none', ''), ('action', ', of_action => ''org.created'''), ('actor', format(', of_actor => %L', :'lea_id')), ('subject', format(', of_subject => %L', :'lea_id')),
	('until', ', until => now() - interval ''1 hour''')) f (name, filter), generate_series(1, 2) GROUP BY name ORDER BY name;
DROP FUNCTION public.pages_of_list(text);
