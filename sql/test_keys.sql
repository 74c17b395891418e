-- Test keys: API keys that reach sessions of the sandbox and nothing of the others.  Each denied
-- case stands beside the allowed one.  key_sessions.sql tests every table and function for keys
-- that are restricted by a list, which the same policies restrict.
SET search_path = wa, public, pg_temp;
\set SHOW_CONTEXT never
\set superuser :USER
CREATE FUNCTION public.outcome(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	e record;
BEGIN
	e := public.error_of(statement);
	RETURN CASE WHEN e.state IS NULL THEN 'done'
		ELSE concat_ws(' ', e.state, e.message, '(' || NULLIF(e.constraint_name || e.column_name, '') || ')') END;
END $$;
GRANT EXECUTE ON FUNCTION public.outcome(text), public.error_of(text) TO PUBLIC;

SELECT wa.create_org('Tests') AS org \gset
SELECT secret AS live FROM wa.create_key(:'org', 'live', '{read,send,manage,events}') \gset
SELECT wa.authenticate(:'live') IS NOT NULL \; SELECT id AS mine, connector FROM wa.create_session('of the sandbox') \gset
SELECT wa.authenticate(:'live') IS NOT NULL \; SELECT id AS other FROM wa.create_session('of another connector', connector => 'answers') \gset
SELECT wa.uuid7() AS invented, '00000000-0000-0000-0000-000000000000' AS nobody \gset

-- ---- The key and its kind ----
SELECT id AS key, secret FROM wa.create_key(:'org', 'test', '{read,send,manage,events}', test => true) \gset
SELECT :'secret' ~ '^wa_test_[0-9A-Za-z]{49}$' AS well_formed, :'secret'::wa.secret::text = left(:'secret', 13) || '…' AS masked,
	k.prefix = left(:'secret', 13) AS shown, k.test FROM wa.keys k WHERE k.id = :'key';
SELECT name, test, prefix ~ '^wa_test_' AS is_shown_as_such FROM wa.keys WHERE org_id = :'org' ORDER BY id;
SELECT matched, name FROM wa.find_key(left(:'secret', 12) || '…') WHERE org_id = :'org';
SELECT matched, name FROM wa.find_key(:'secret');
SELECT detail ->> 'name' AS name, detail -> 'test' AS test FROM wa.audit WHERE org_id = :'org' AND action = 'key.created' ORDER BY id;
SELECT envelope::json #>> '{payload,name}' AS name, envelope::json #> '{payload,test}' AS test FROM wa.event WHERE org_id = :'org' AND type = 'key.created' ORDER BY id;
SELECT wa.authenticate(:'secret') = :'key' AS accepted \; SELECT key_id = :'key' AS is_key, test FROM wa.me();
SELECT wa.authenticate(:'secret') IS NOT NULL \; SELECT kind, name, permissions FROM wa.whoami();
SELECT wa.authenticate(:'live') IS NOT NULL \; SELECT kind FROM wa.whoami();
-- One character changed is a typing mistake, and a key of another system can begin like one.
SELECT (overlay(:'secret' PLACING CASE substr(:'secret', 20, 1) WHEN 'x' THEN 'y' ELSE 'x' END FROM 20 FOR 1))::wa.secret;
SELECT wa.import_key(:'org', 'imported', sha256('wa_test_of-another-system'), '{read}', prefix => 'wa_test_of-an') IS NOT NULL AS live;
SELECT wa.import_key(:'org', 'imported test', sha256('wa_test-of-another-system'), '{read}', test => true) IS NOT NULL AS test;
SELECT wa.authenticate('wa_test_of-another-system') IS NOT NULL \; SELECT kind FROM wa.whoami();
SELECT wa.authenticate('wa_test-of-another-system') IS NOT NULL \; SELECT kind FROM wa.whoami();

-- ---- Rows of both sessions ----
SELECT wa.authenticate(:'live') IS NOT NULL \; SELECT id AS my_hook FROM wa.create_webhook('https://tests.example/mine', session => :'mine') \gset
SELECT wa.authenticate(:'live') IS NOT NULL \; SELECT id AS other_hook FROM wa.create_webhook('https://tests.example/other', session => :'other') \gset
SELECT wa.authenticate(:'live') IS NOT NULL \; SELECT id AS org_hook FROM wa.create_webhook('https://tests.example/all') \gset
SELECT wa.authenticate(:'live') IS NOT NULL \; SELECT id AS other_message FROM wa.send_message(:'other', '15550001', 'text', '{"text":"of the other"}', idempotency_key => 'order-1') \gset
SELECT wa.authenticate(:'secret') IS NOT NULL \; SELECT id AS my_message FROM wa.send_message(:'mine', '15550001', 'text', '{"text":"of mine"}') \gset
INSERT INTO wa.contact (org_id, session_id, jid) VALUES (:'org', :'mine', '15550001@s.whatsapp.net'), (:'org', :'other', '15550001@s.whatsapp.net');
UPDATE wa.message SET wa_message_id = 'W' || id, status = 'sent' WHERE org_id = :'org';
SELECT wa.authenticate(:'live') IS NOT NULL \; SELECT count(*) FROM wa.react_to_message(:'mine', :'my_message', '👍') a, wa.react_to_message(:'other', :'other_message', '👍') b;
INSERT INTO wa.session_pairing (org_id, session_id, qr_code) SELECT :'org', unnest(ARRAY[:'mine', :'other']::uuid[]), 'code';
SELECT wa.authenticate(:'live') IS NOT NULL \; SELECT count(*) FROM wa.test_webhook(:'my_hook') a, wa.test_webhook(:'other_hook') b, wa.test_webhook(:'org_hook') c;
SELECT wa.authenticate(:'live') IS NOT NULL \; SELECT id AS media FROM wa.create_media(sha256('of somebody'), 1, 'image/png', NULL) \gset
CREATE FUNCTION public.test_seen(mine uuid, my_hook uuid) RETURNS TABLE (relation text, own bigint, others bigint) LANGUAGE sql AS $$
	SELECT 'session', count(*) FILTER (WHERE id = mine), count(*) FILTER (WHERE id <> mine) FROM wa.session UNION ALL
	SELECT 'session_pairing', count(*) FILTER (WHERE session_id = mine), count(*) FILTER (WHERE session_id <> mine) FROM wa.session_pairing UNION ALL
	SELECT 'chat', count(*) FILTER (WHERE session_id = mine), count(*) FILTER (WHERE session_id <> mine) FROM wa.chat UNION ALL
	SELECT 'contact', count(*) FILTER (WHERE session_id = mine), count(*) FILTER (WHERE session_id <> mine) FROM wa.contact UNION ALL
	SELECT 'message', count(*) FILTER (WHERE session_id = mine), count(*) FILTER (WHERE session_id <> mine) FROM wa.message UNION ALL
	SELECT 'message_action', count(*) FILTER (WHERE session_id = mine), count(*) FILTER (WHERE session_id <> mine) FROM wa.message_action UNION ALL
	SELECT 'media', 0, count(*) FROM wa.media UNION ALL
	SELECT 'event', sign(count(*) FILTER (WHERE session_id = mine)), sign(count(*) FILTER (WHERE (session_id = mine) IS NOT TRUE)) FROM wa.event UNION ALL
	SELECT 'webhook', count(*) FILTER (WHERE id = my_hook), count(*) FILTER (WHERE id <> my_hook) FROM wa.webhook UNION ALL
	SELECT 'delivery', sign(count(*) FILTER (WHERE webhook_id = my_hook)), sign(count(*) FILTER (WHERE webhook_id <> my_hook)) FROM wa.delivery
$$;
GRANT EXECUTE ON FUNCTION public.test_seen(uuid, uuid) TO PUBLIC;
SET ROLE wa_app;
SELECT wa.authenticate(:'live') IS NOT NULL \; SELECT * FROM test_seen(:'mine', :'my_hook');
SELECT wa.authenticate(:'secret') IS NOT NULL \; SELECT * FROM test_seen(:'mine', :'my_hook');
RESET ROLE;
-- As a function body sees them.
SET ROLE wa_owner;
SELECT wa.authenticate(:'secret') IS NOT NULL \; SELECT * FROM test_seen(:'mine', :'my_hook') WHERE others <> 0 OR own = 0;
RESET ROLE;

-- ---- Each function: a session of another connector is as one that is invented ----
CREATE FUNCTION public.test_calls(session uuid, message uuid, hook uuid, delivery uuid) RETURNS TABLE (name text, statement text) LANGUAGE sql AS $$
	VALUES ('update_session', format('SELECT wa.update_session(%L, label => ''x'')', session)),
		('delete_session', format('SELECT wa.delete_session(%L)', session)),
		('control_session', format('SELECT wa.control_session(%L, ''restart'')', session)),
		('session_qr', format('SELECT wa.session_qr(%L)', session)),
		('request_pairing_code', format('SELECT wa.request_pairing_code(%L, ''15550009'')', session)),
		('update_chat', format('SELECT wa.update_chat(%L, ''15550001'', archived => true)', session)),
		('read_chat', format('SELECT wa.read_chat(%L, ''15550001'')', session)),
		('send_message', format('SELECT wa.send_message(%L, ''15550001'', ''text'', ''{"text":"x"}'')', session)),
		('react_to_message', format('SELECT wa.react_to_message(%L, %L, ''👍'')', session, message)),
		('edit_message', format('SELECT wa.edit_message(%L, %L, ''x'')', session, message)),
		('forward_message', format('SELECT wa.forward_message(%L, %L, ''15550002'')', session, message)),
		('revoke_message', format('SELECT wa.revoke_message(%L, %L)', session, message)),
		('create_webhook', format('SELECT wa.create_webhook(''https://tests.example/new'', session => %L)', session)),
		('create_ticket', format('SELECT wa.create_ticket(session => %L)', session)),
		('test_webhook', format('SELECT wa.test_webhook(%L)', hook)),
		('update_webhook', format('SELECT wa.update_webhook(%L, active => true)', hook)),
		('rotate_webhook_secret', format('SELECT wa.rotate_webhook_secret(%L)', hook)),
		('read_delivery', format('SELECT wa.read_delivery(%L, %L)', hook, delivery)),
		('replay_delivery', format('SELECT wa.replay_delivery(%L, %L)', hook, delivery)),
		('delete_webhook', format('SELECT wa.delete_webhook(%L)', hook))
$$;
SELECT d.id AS my_delivery FROM wa.delivery d WHERE d.webhook_id = :'my_hook' LIMIT 1 \gset
SELECT d.id AS other_delivery FROM wa.delivery d WHERE d.webhook_id = :'other_hook' LIMIT 1 \gset
SELECT d.id AS org_delivery FROM wa.delivery d WHERE d.webhook_id = :'org_hook' LIMIT 1 \gset
SET ROLE wa_app;
BEGIN;
SELECT wa.authenticate(:'secret') IS NOT NULL;
SELECT c.name, outcome(c.statement) FROM test_calls(:'other', :'other_message', :'other_hook', :'other_delivery') c;
SELECT c.name FROM test_calls(:'other', :'other_message', :'other_hook', :'other_delivery') c JOIN test_calls(:'invented', :'invented', :'invented', :'invented') i USING (name)
WHERE outcome(c.statement) IS DISTINCT FROM outcome(i.statement);
-- A webhook of the whole organization, and a message of another session under its own.
SELECT c.name FROM test_calls(:'mine', :'other_message', :'org_hook', :'org_delivery') c JOIN test_calls(:'mine', :'invented', :'invented', :'invented') i USING (name)
WHERE c.name ~ 'message$|webhook|delivery' AND c.name NOT IN ('send_message', 'create_webhook') AND (outcome(c.statement) IS DISTINCT FROM outcome(i.statement) OR outcome(c.statement) = 'done');
COMMIT;
BEGIN;
SELECT wa.authenticate(:'secret') IS NOT NULL;
SELECT c.name, outcome(c.statement) FROM test_calls(:'mine', :'my_message', :'my_hook', :'my_delivery') c WHERE c.name NOT IN ('delete_session', 'revoke_message');
ROLLBACK;
RESET ROLE;

-- ---- Sessions that it makes ----
SELECT wa.authenticate(:'secret') IS NOT NULL \; SELECT id AS made, label, connector FROM wa.create_session('made by a test key') \gset
SELECT :'label' AS label, :'connector' AS connector;
SELECT wa.authenticate(:'secret') IS NOT NULL \; SELECT label, connector FROM wa.create_session('said', connector => 'sandbox');
SELECT wa.authenticate(:'secret') IS NOT NULL \; SELECT outcome($$SELECT wa.create_session('live', connector => 'answers')$$) AS another, outcome($$SELECT wa.create_session('none', connector => 'none')$$) AS unknown,
	outcome($$SELECT wa.create_webhook('https://tests.example/every')$$) AS every_session, outcome(format($$SELECT wa.update_webhook(%L, session => %L)$$, :'my_hook', :'nobody')) AS opened;
SELECT count(*) AS left_over FROM wa.session WHERE org_id = :'org' AND label IN ('live', 'none');
-- Those that it does not reach count against the limit, too.
SELECT wa.set_org_limit(:'org', 'sessions', (SELECT count(*) FROM wa.session WHERE org_id = :'org' AND deleted_at IS NULL)::integer);
SELECT wa.authenticate(:'secret') IS NOT NULL \; SELECT outcome($$SELECT wa.create_session('beyond')$$);
SELECT wa.set_org_limit(:'org', 'sessions', NULL);
SELECT wa.authenticate(:'secret') IS NOT NULL \; SELECT wa.delete_session(:'made');
SELECT wa.authenticate(:'secret') IS NOT NULL \; SELECT DISTINCT outcome(format('SELECT wa.control_session(%L, ''stop'')', s)) FROM unnest(ARRAY[:'made', :'invented']) s;
-- Function bodies can add no other either: the policy looks at the new row.
SET ROLE wa_owner;
SELECT wa.authenticate(:'secret') IS NOT NULL \; SELECT outcome(format($$INSERT INTO wa.session (org_id, connector) VALUES (%L, 'answers')$$, :'org')) AS added,
	outcome(format($$UPDATE wa.session SET connector = 'answers' WHERE id = %L$$, :'mine')) AS turned, outcome(format($$UPDATE wa.session SET connector = 'sandbox' WHERE id = %L$$, :'other')) AS pulled;
RESET ROLE;
SELECT connector FROM wa.session WHERE id IN (:'mine', :'other') ORDER BY id;

-- ---- With a list of sessions ----
SELECT outcome(format($$SELECT wa.create_key(%L, 'both', '{read}', sessions => ARRAY[%L, %L], test => true)$$, :'org', :'mine', :'other'));
SELECT wa.authenticate(:'live') IS NOT NULL \; SELECT id AS mine2 FROM wa.create_session('another of the sandbox') \gset
SELECT id AS listed_key, secret AS listed FROM wa.create_key(:'org', 'both', '{read,manage}', sessions => ARRAY[:'mine']::session_id[], test => true) \gset
SELECT wa.authenticate(:'listed') IS NOT NULL \; SELECT wa.reaches(:'mine') AS mine, wa.reaches(:'mine2') AS mine2, wa.reaches(:'other') AS other, wa.reaches(NULL) AS none;
SELECT wa.authenticate(:'listed') IS NOT NULL \; SELECT outcome($$SELECT wa.create_session('new')$$);
-- A list that names others, as an update of the table could make it, opens nothing.
UPDATE wa.api_key SET sessions = ARRAY[:'other']::uuid[] WHERE id = :'listed_key';
SET ROLE wa_app;
SELECT wa.authenticate(:'listed') IS NOT NULL \; SELECT count(*) FROM wa.session;
RESET ROLE;
SELECT secret AS elsewhere FROM wa.create_key(:'org', 'both and an address', '{read}', addresses => '{192.0.2.1}', test => true) \gset
SELECT outcome(format('SELECT wa.authenticate(%L, address => %L)', :'elsewhere', a)) FROM unnest('{192.0.2.1,192.0.2.2}'::text[]) a;

-- ---- Events and sockets ----
SELECT e.id AS my_event FROM wa.event e WHERE e.org_id = :'org' AND e.session_id = :'mine' ORDER BY e.id LIMIT 1 \gset
SELECT e.id AS other_event FROM wa.event e WHERE e.org_id = :'org' AND e.session_id = :'other' ORDER BY e.id LIMIT 1 \gset
SELECT e.id AS key_event FROM wa.event e WHERE e.org_id = :'org' AND e.type = 'key.created' ORDER BY e.id LIMIT 1 \gset
SELECT wa.authenticate(:'secret') IS NOT NULL \; SELECT count(*) > 0 AS some, bool_and(e.envelope::json ->> 'session' <> wa.typeid('sess', :'other')) AS none_of_the_other, bool_and(e.envelope::json ->> 'session' IS NOT NULL) AS of_sessions
FROM wa.read_events(max => 1000) e;
SELECT wa.authenticate(:'secret') IS NOT NULL \; SELECT v.what, outcome(format('SELECT wa.event_position(%L)', v.event)) FROM (VALUES ('mine', :'my_event'), ('other', :'other_event'), ('key', :'key_event'), ('invented', :'invented')) v (what, event);
SELECT wa.authenticate(:'secret') IS NOT NULL \; SELECT ticket FROM wa.create_ticket() \gset
SELECT socket FROM wa.redeem_ticket(:'ticket') \gset
SET ROLE wa_app;
SELECT wa.authenticate(:'socket', 'events') IS NOT NULL \; SELECT count(*) > 0 AS some, count(*) FILTER (WHERE session_id = :'other' OR session_id IS NULL) AS others FROM wa.event;
RESET ROLE;
-- An Idempotency-Key that somebody has used in another session is unused.
SELECT wa.authenticate(:'secret') IS NOT NULL \; SELECT outcome(format($$SELECT wa.send_message(%L, '15550001', 'text', '{"text":"another text"}', idempotency_key => 'order-1')$$, :'mine'));

-- ---- The tables of applications ----
CREATE SCHEMA shop;
CREATE TABLE shop.invoice (org_id uuid NOT NULL, number integer NOT NULL, PRIMARY KEY (org_id, number));
INSERT INTO shop.invoice VALUES (:'org', 1);
GRANT USAGE ON SCHEMA shop TO wa_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON shop.invoice TO wa_app;
SELECT wa.protect('shop.invoice');
CREATE FUNCTION public.test_uses(org uuid) RETURNS TABLE (name text, tried text) LANGUAGE sql AS $$
	SELECT v.name, public.outcome(v.statement) FROM (VALUES ('read', 'SELECT * FROM shop.invoice'),
		('insert', format('INSERT INTO shop.invoice VALUES (%L, 2)', org)), ('update', 'UPDATE shop.invoice SET number = 3 WHERE number = 2'),
		('delete', 'DELETE FROM shop.invoice WHERE number = 3')) v (name, statement) $$;
GRANT EXECUTE ON FUNCTION public.test_uses(uuid) TO PUBLIC;
SELECT relation, guard, test_keys FROM wa.protected WHERE relation = 'shop.invoice'::regclass;
SET ROLE wa_app;
SELECT wa.authenticate(:'live') IS NOT NULL \; SELECT * FROM test_uses(:'org');
SELECT wa.authenticate(:'secret') IS NOT NULL \; SELECT * FROM test_uses(:'org');
SELECT wa.authenticate(:'secret') IS NOT NULL \; SELECT number FROM shop.invoice;
-- So it is with policies that an application has written, and with the messages of its own functions.
SELECT wa.authenticate(:'secret') IS NOT NULL \; SELECT outcome($$SELECT wa.org_for('read')$$) AS refused, outcome($$SELECT wa.org_for_any_key('read')$$) AS allowed, outcome($$SELECT wa.org_for_any_key(NULL)$$) AS null_permission;
SELECT wa.authenticate(:'live') IS NOT NULL \; SELECT wa.org_for('read') = wa.org_for_any_key('read') AS same;
SELECT wa.authenticate(:'secret', 'send') IS NOT NULL \; SELECT outcome($$SELECT wa.org_for_any_key('read')$$) AS not_asked_for;
SELECT outcome($$SELECT wa.org_for_any_key('read')$$) AS nobody;
RESET ROLE;
-- Opened on purpose, with its partitions and children; the check of the installation takes both for protected.
SELECT wa.protect('shop.invoice', test_keys => true);
SELECT relation, guard, read, test_keys FROM wa.protected WHERE relation = 'shop.invoice'::regclass;
SELECT count(*) AS failures FROM wa.self_check() WHERE NOT passed AND (name ~ 'protected' OR name ~ 'polic');
SET ROLE wa_app;
SELECT wa.authenticate(:'secret') IS NOT NULL \; SELECT * FROM test_uses(:'org');
SELECT wa.authenticate(:'secret', 'send') IS NOT NULL \; SELECT * FROM test_uses(:'org') WHERE name = 'read';
RESET ROLE;
-- own_permissions.sql has the same for permissions of one's own.
SELECT wa.protect('shop.invoice', test_keys => NULL);
DROP SCHEMA shop CASCADE;

-- ---- Why it is refused ----
SELECT v.what, e.reason, e.detail FROM (VALUES ('mine', :'mine'), ('other', :'other'), ('invented', :'invented')) v (what, session)
	CROSS JOIN LATERAL wa.explain_denial(:'secret', 'read', v.session::session_id) e;
SELECT wa.flush_key_usage(1000) IS NOT NULL AS flushed;
SELECT sum(session) > 0 AS counted FROM wa.key_usage WHERE org_id = :'org' AND key_id = :'key';

-- ---- What it is, it stays ----
SELECT id AS person FROM wa.create_user('tests@example.com', 'Tess', 'a long password') \gset
SELECT wa.add_member(:'org', :'person', 'owner');
SELECT cookie FROM wa.sign_in('tests@example.com', 'a long password', '192.0.2.1', 'regress') \gset
SELECT wa.set_active_org(:'cookie', :'org') IS NOT NULL;
SELECT token FROM wa.mint_user_token(:'cookie') \gset
SELECT wa.authenticate(:'token') IS NOT NULL \; SELECT m.id AS made_key, m.secret ~ '^wa_test_[0-9A-Za-z]{49}$' AS well_formed FROM wa.create_api_key('made by a person', '{read}', test => true) m \gset
SELECT :'well_formed' AS well_formed;
SELECT wa.authenticate(:'token') IS NOT NULL \; SELECT name, test FROM wa.list_api_keys(NULL, 2);
SELECT wa.authenticate(:'token') IS NOT NULL \; SELECT outcome(format($$SELECT wa.update_api_key(%L, sessions => ARRAY[%L]::uuid[])$$, :'made_key', s)) FROM unnest(ARRAY[:'mine', :'other']) s;
SELECT wa.authenticate(:'token') IS NOT NULL \; SELECT wa.update_api_key(:'made_key', name => 'renamed', sessions => ARRAY[:'nobody']::uuid[]) = :'made_key' AS changed;
SELECT id AS successor, secret ~ '^wa_test_' AS test FROM wa.rotate_key(:'made_key') \gset
SELECT :'test' AS test;
SELECT wa.authenticate(:'token') IS NOT NULL \; SELECT name, test, prefix ~ '^wa_test_' AS is_shown_as_such FROM wa.show_api_key(:'successor');
-- People of the organization, and who acts for nobody, reach everything.
SELECT wa.authenticate(:'token') IS NOT NULL \; SELECT wa.reaches(:'other'), wa.reaches(NULL), wa.reaches_session(:'other', 'answers');
SELECT wa.reaches(:'other'), wa.reaches(NULL), wa.reaches_session(:'other', 'answers');
-- No key makes keys, and nobody but administrators reads of what kind they are.
SELECT wa.authenticate(:'secret') IS NOT NULL \; SELECT outcome(format($$SELECT wa.create_key(%L, 'more', '{read}', test => false)$$, :'org')), outcome($$SELECT wa.create_api_key('more', '{read}')$$);
SET ROLE wa_app;
SELECT wa.authenticate(:'secret') IS NOT NULL \; SELECT outcome('SELECT is_test FROM wa.api_key'), outcome('UPDATE wa.api_key SET is_test = false');
RESET ROLE;
-- A session that an operator moves to another connector is out of reach at once.
UPDATE wa.session SET connector = 'answers' WHERE id = :'mine2';
SELECT wa.authenticate(:'secret') IS NOT NULL \; SELECT wa.reaches(:'mine2');
DROP FUNCTION public.test_seen, public.test_calls, public.test_uses, public.outcome;
