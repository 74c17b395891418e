-- An API key that is restricted to some sessions of its organization: it reaches these and
-- nothing of the others.  Each denied case stands beside the allowed one.
SET search_path = wa, public, pg_temp;
\set SHOW_CONTEXT never
\set superuser :USER
CREATE FUNCTION public.try(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	e record;
BEGIN
	e := public.error_of(statement);
	RETURN CASE WHEN e.state IS NULL THEN 'done'
		ELSE concat_ws(' ', e.state, e.message, '(' || NULLIF(e.constraint_name || e.column_name, '') || ')') END;
END $$;

SELECT wa.create_org('Reach') AS org \gset
SELECT secret AS every FROM wa.create_key(:'org', 'every session', '{read,send,manage,events}') \gset
SELECT wa.authenticate(:'every') IS NOT NULL \; SELECT id AS mine FROM wa.create_session('mine') \gset
SELECT wa.authenticate(:'every') IS NOT NULL \; SELECT id AS mine2 FROM wa.create_session('mine too') \gset
SELECT wa.authenticate(:'every') IS NOT NULL \; SELECT id AS other FROM wa.create_session('other') \gset
SELECT wa.uuid7() AS invented, '00000000-0000-0000-0000-000000000000' AS nobody \gset

-- ---- The list ----
SELECT id AS key, secret FROM wa.create_key(:'org', 'restricted', '{read,send,manage,events}', sessions => ARRAY[:'mine2', :'mine', :'mine']::uuid[]) \gset
SELECT sessions = ARRAY[:'mine', :'mine2']::uuid[] AS each_once FROM wa.keys WHERE id = :'key';
SELECT try(format($$SELECT wa.create_key(%L, 'none', '{read}', sessions => '{}')$$, :'org'));
SELECT try(format($$SELECT wa.create_key(%L, 'many', '{read}', sessions => array_fill(%L::uuid, ARRAY[33]))$$, :'org', :'mine'));
SELECT try(format($$SELECT wa.create_key(%L, 'two dimensions', '{read}', sessions => ARRAY[ARRAY[%L::uuid]])$$, :'org', :'mine'));
-- Another organization's session is named like an invented one, and like what is none.
SELECT s.id AS foreign FROM wa.session s WHERE s.org_id <> :'org' AND s.deleted_at IS NULL LIMIT 1 \gset
SELECT DISTINCT try(format($$SELECT wa.create_key(%L, 'stray', '{read}', sessions => ARRAY[%L, %L]::uuid[])$$, :'org', :'mine', stray))
FROM (VALUES (:'foreign'), (:'invented'), (:'nobody'), (NULL)) s (stray);
SELECT try(format($$UPDATE wa.api_key SET sessions = '{}' WHERE id = %L$$, :'key'));
SELECT try(format($$UPDATE wa.api_key SET sessions = ARRAY[NULL]::uuid[] WHERE id = %L$$, :'key'));
-- Administrators write sessions as people see them, or as uuids.
SELECT id AS written FROM wa.create_key(:'org', 'as people see them', '{read}', sessions => ARRAY[wa.typeid('sess', :'mine'), :'mine2']) \gset
SELECT sessions = ARRAY[:'mine', :'mine2']::uuid[] AS both FROM wa.keys WHERE id = :'written';
SELECT try(format($$SELECT wa.create_key(%L, 'a key of a key', '{read}', sessions => '{%s}')$$, :'org', wa.typeid('key', :'key')));
-- Imported keys have it as well, and the audit log says so.
SELECT wa.import_key(:'org', 'imported', sha256('wa_imported-restricted-key'), '{read}', sessions => ARRAY[:'mine']::uuid[]) IS NOT NULL;
SELECT detail ->> 'name' AS name, detail -> 'sessions' = to_jsonb(wa.session_ids(k.sessions)) AS noted
FROM wa.audit a JOIN wa.api_key k ON k.org_id = a.org_id AND k.id = a.subject
WHERE a.org_id = :'org' AND a.action = 'key.created' ORDER BY a.id;
SELECT wa.from_session_ids(ARRAY[wa.typeid('sess', :'mine'), '', 'sess_x', 'key_01m866r8q9eakte20vs2hsprd2', wa.typeid('sess', :'nobody'), NULL])
	= ARRAY[:'mine', :'nobody', NULL, NULL, NULL, NULL]::uuid[] AS read;

-- ---- Rows of each kind in a session of its own and in another ----
SELECT wa.authenticate(:'every') IS NOT NULL \; SELECT id AS my_hook FROM wa.create_webhook('https://reach.example/mine', session => :'mine') \gset
SELECT wa.authenticate(:'every') IS NOT NULL \; SELECT id AS other_hook FROM wa.create_webhook('https://reach.example/other', session => :'other') \gset
SELECT wa.authenticate(:'every') IS NOT NULL \; SELECT id AS org_hook FROM wa.create_webhook('https://reach.example/all') \gset
SELECT wa.authenticate(:'every') IS NOT NULL \; SELECT id AS other_message FROM wa.send_message(:'other', '15550001', 'text', '{"text":"of the other"}', idempotency_key => 'order-1') \gset
SELECT wa.authenticate(:'secret') IS NOT NULL \; SELECT id AS my_message FROM wa.send_message(:'mine', '15550001', 'text', '{"text":"of mine"}') \gset
INSERT INTO wa.contact (org_id, session_id, jid) VALUES (:'org', :'mine', '15550001@s.whatsapp.net'), (:'org', :'other', '15550001@s.whatsapp.net');
UPDATE wa.message SET wa_message_id = 'W' || id, status = 'sent' WHERE org_id = :'org';
SELECT wa.authenticate(:'every') IS NOT NULL \; SELECT count(*) FROM wa.react_to_message(:'mine', :'my_message', '👍') a, wa.react_to_message(:'other', :'other_message', '👍') b;
INSERT INTO wa.session_pairing (org_id, session_id, qr_code) SELECT :'org', unnest(ARRAY[:'mine', :'other']::uuid[]), 'code';
SELECT wa.authenticate(:'every') IS NOT NULL \; SELECT count(*) FROM wa.test_webhook(:'my_hook') a, wa.test_webhook(:'other_hook') b, wa.test_webhook(:'org_hook') c;
INSERT INTO wa.webhook_lane (org_id, webhook_id) VALUES (:'org', :'my_hook'), (:'org', :'other_hook'), (:'org', :'org_hook');
SELECT wa.authenticate(:'every') IS NOT NULL \; SELECT id AS gone FROM wa.create_session('gone', false) \gset
SELECT wa.authenticate(:'every') IS NOT NULL \; SELECT wa.delete_session(:'gone');
SELECT count(*) FROM wa.create_key(:'org', 'one more', '{read}');
-- What the restricted key causes reaches the webhook of the whole organization too.
SELECT w.url, count(*) FROM wa.delivery d JOIN wa.webhook w ON w.org_id = d.org_id AND w.id = d.webhook_id
WHERE d.org_id = :'org' AND d.type = 'message.from_me' AND d.session_id = :'mine' GROUP BY 1 ORDER BY 1;

-- Each table, as an application and as a function body: rows of its own, of others, and of the
-- whole organization, as an unrestricted key and as the restricted one.
CREATE FUNCTION public.seen(mine uuid[], my_hook uuid) RETURNS TABLE (relation text, own bigint, others bigint) LANGUAGE sql AS $$
	SELECT 'session', count(*) FILTER (WHERE id = ANY (mine)), count(*) FILTER (WHERE id <> ALL (mine)) FROM wa.session UNION ALL
	SELECT 'deleted_session', 0, count(*) FROM wa.deleted_session UNION ALL
	SELECT 'session_pairing', count(*) FILTER (WHERE session_id = ANY (mine)), count(*) FILTER (WHERE session_id <> ALL (mine)) FROM wa.session_pairing UNION ALL
	SELECT 'chat', count(*) FILTER (WHERE session_id = ANY (mine)), count(*) FILTER (WHERE session_id <> ALL (mine)) FROM wa.chat UNION ALL
	SELECT 'contact', count(*) FILTER (WHERE session_id = ANY (mine)), count(*) FILTER (WHERE session_id <> ALL (mine)) FROM wa.contact UNION ALL
	SELECT 'message', count(*) FILTER (WHERE session_id = ANY (mine)), count(*) FILTER (WHERE session_id <> ALL (mine)) FROM wa.message UNION ALL
	SELECT 'message_action', count(*) FILTER (WHERE session_id = ANY (mine)), count(*) FILTER (WHERE session_id <> ALL (mine)) FROM wa.message_action UNION ALL
	SELECT 'event', sign(count(*) FILTER (WHERE session_id = ANY (mine))), sign(count(*) FILTER (WHERE (session_id = ANY (mine)) IS NOT TRUE)) FROM wa.event UNION ALL
	SELECT 'webhook', count(*) FILTER (WHERE id = my_hook), count(*) FILTER (WHERE id <> my_hook) FROM wa.webhook UNION ALL
	SELECT 'delivery', sign(count(*) FILTER (WHERE webhook_id = my_hook)), sign(count(*) FILTER (WHERE webhook_id <> my_hook)) FROM wa.delivery
$$;
GRANT EXECUTE ON FUNCTION public.seen(uuid[], uuid), public.try(text), public.error_of(text) TO PUBLIC;
SET ROLE wa_app;
SELECT wa.authenticate(:'every') IS NOT NULL \; SELECT * FROM seen(ARRAY[:'mine', :'mine2']::uuid[], :'my_hook');
SELECT wa.authenticate(:'secret') IS NOT NULL \; SELECT * FROM seen(ARRAY[:'mine', :'mine2']::uuid[], :'my_hook');
RESET ROLE;
-- wa_owner, as which function bodies run, has these two tables besides.
SET ROLE wa_owner;
SELECT wa.authenticate(:'every') IS NOT NULL \; SELECT * FROM seen(ARRAY[:'mine', :'mine2']::uuid[], :'my_hook') UNION ALL
SELECT 'session_rate', count(*) FILTER (WHERE session_id = ANY (ARRAY[:'mine', :'mine2']::uuid[])), count(*) FILTER (WHERE session_id = :'other') FROM wa.session_rate UNION ALL
SELECT 'session_wanted', count(*) FILTER (WHERE session_id = ANY (ARRAY[:'mine', :'mine2']::uuid[])), count(*) FILTER (WHERE session_id = :'other') FROM wa.session_wanted UNION ALL
SELECT 'webhook_lane', count(*) FILTER (WHERE webhook_id = :'my_hook'), count(*) FILTER (WHERE webhook_id <> :'my_hook') FROM wa.webhook_lane;
SELECT wa.authenticate(:'secret') IS NOT NULL \; SELECT * FROM seen(ARRAY[:'mine', :'mine2']::uuid[], :'my_hook') UNION ALL
SELECT 'session_rate', count(*) FILTER (WHERE session_id = ANY (ARRAY[:'mine', :'mine2']::uuid[])), count(*) FILTER (WHERE session_id = :'other') FROM wa.session_rate UNION ALL
SELECT 'session_wanted', count(*) FILTER (WHERE session_id = ANY (ARRAY[:'mine', :'mine2']::uuid[])), count(*) FILTER (WHERE session_id = :'other') FROM wa.session_wanted UNION ALL
SELECT 'webhook_lane', count(*) FILTER (WHERE webhook_id = :'my_hook'), count(*) FILTER (WHERE webhook_id <> :'my_hook') FROM wa.webhook_lane;
RESET ROLE;
-- No table whose rows belong to a session lacks the policy.  Tickets, which a key reaches by no
-- statement, are not among them, nor is the record of Idempotency-Keys.
SELECT c.relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname IN ('session_id', 'webhook_id')
WHERE c.relnamespace = 'wa'::regnamespace AND c.relkind = 'r'
	AND NOT EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = c.oid AND p.polname = 'wa_reach') ORDER BY 1;

-- ---- Each function: a session of another kind is as one that is invented ----
CREATE FUNCTION public.calls(session uuid, message uuid, hook uuid, delivery uuid) RETURNS TABLE (name text, statement text) LANGUAGE sql AS $$
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
		('create_webhook', format('SELECT wa.create_webhook(''https://reach.example/new'', session => %L)', session)),
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
SELECT c.name, try(c.statement) FROM calls(:'other', :'other_message', :'other_hook', :'other_delivery') c;
-- The same text for the one as for the other.
SELECT c.name FROM calls(:'other', :'other_message', :'other_hook', :'other_delivery') c JOIN calls(:'invented', :'invented', :'invented', :'invented') i USING (name)
WHERE try(c.statement) IS DISTINCT FROM try(i.statement);
-- A webhook of the whole organization, and a message of another session under its own.
SELECT c.name FROM calls(:'mine', :'other_message', :'org_hook', :'org_delivery') c JOIN calls(:'mine', :'invented', :'invented', :'invented') i USING (name)
WHERE c.name ~ 'message$|webhook|delivery' AND c.name NOT IN ('send_message', 'create_webhook') AND (try(c.statement) IS DISTINCT FROM try(i.statement) OR try(c.statement) = 'done');
SELECT try(format($$SELECT wa.send_message(%L, '15550001', 'text', '{"text":"x"}', reply_to => %L)$$, :'mine', m)) AS answer_to
FROM (VALUES (:'other_message'), (:'invented')) v (m);
SELECT try(format($$SELECT wa.replay_delivery(%L, %L)$$, :'my_hook', d)) AS replay FROM (VALUES (:'other_delivery'), (:'invented')) v (d);
COMMIT;
BEGIN;
SELECT wa.authenticate(:'secret') IS NOT NULL;
SELECT c.name, try(c.statement) FROM calls(:'mine', :'my_message', :'my_hook', :'my_delivery') c WHERE c.name NOT IN ('delete_session', 'revoke_message');
ROLLBACK;

-- ---- What it cannot do at all ----
BEGIN;
SELECT wa.authenticate(:'secret') IS NOT NULL;
SELECT try($$SELECT wa.create_session('new')$$);
SELECT try($$SELECT wa.create_webhook('https://reach.example/every')$$);
SELECT try(format($$SELECT wa.update_webhook(%L, session => %L)$$, :'my_hook', :'nobody'));
SELECT DISTINCT try(format($$SELECT wa.update_webhook(%L, session => %L)$$, :'my_hook', s)) FROM (VALUES (:'other'), (:'invented')) v (s);
SELECT try(format($$SELECT wa.update_webhook(%L, session => %L)$$, :'my_hook', :'mine2'));
SELECT try(format($$SELECT wa.update_api_key(%L, sessions => ARRAY[%L]::uuid[])$$, :'key', :'other'));
SELECT wa.reaches(:'mine'), wa.reaches(:'other'), wa.reaches(:'invented'), wa.reaches(NULL);
ROLLBACK;
-- Neither does it learn which Idempotency-Keys others have used, and each is known in a session.
SELECT wa.authenticate(:'secret') IS NOT NULL \; SELECT id AS sent FROM wa.send_message(:'mine', '15550001', 'text', '{"text":"one"}', idempotency_key => 'order-1') \gset
SELECT wa.authenticate(:'secret') IS NOT NULL \; SELECT id = :'sent' AS same, replayed FROM wa.send_message(:'mine', '15550001', 'text', '{"text":"one"}', idempotency_key => 'order-1');
SELECT wa.authenticate(:'secret') IS NOT NULL \; SELECT try(format($$SELECT wa.send_message(%L, '15550001', 'text', '{"text":"two"}', idempotency_key => 'order-1')$$, :'mine'));
SELECT wa.authenticate(:'secret') IS NOT NULL \; SELECT id <> :'sent' AS another, replayed FROM wa.send_message(:'mine2', '15550001', 'text', '{"text":"one"}', idempotency_key => 'order-1');
SELECT wa.authenticate(:'every') IS NOT NULL \; SELECT try(format($$SELECT wa.send_message(%L, '15550001', 'text', '{"text":"two"}', idempotency_key => 'order-1')$$, :'mine'));

RESET ROLE;

-- ---- Events ----
SELECT e.id AS my_event FROM wa.event e WHERE e.org_id = :'org' AND e.session_id = :'mine' ORDER BY e.id LIMIT 1 \gset
SELECT e.id AS other_event FROM wa.event e WHERE e.org_id = :'org' AND e.session_id = :'other' ORDER BY e.id LIMIT 1 \gset
SELECT e.id AS key_event FROM wa.event e WHERE e.org_id = :'org' AND e.type = 'key.created' ORDER BY e.id LIMIT 1 \gset
SELECT wa.authenticate(:'secret') IS NOT NULL \; SELECT count(*) > 0 AS some, count(*) FILTER (WHERE (e.envelope::json ->> 'session') = ANY (wa.session_ids(ARRAY[:'mine', :'mine2']::uuid[]))) = count(*) AS only_its_own
FROM wa.read_events(max => 1000) e;
SELECT wa.authenticate(:'secret') IS NOT NULL \; SELECT v.what, try(format('SELECT wa.event_position(%L)', v.event)) FROM (VALUES ('mine', :'my_event'), ('other', :'other_event'), ('key', :'key_event'), ('invented', :'invented')) v (what, event);
SELECT wa.authenticate(:'secret') IS NOT NULL \; SELECT count(*) FROM wa.read_events(session => :'other');
-- The last one that has expired is a place for those who reach all sessions.
BEGIN;
UPDATE wa.org SET expired_event = :'invented' WHERE id = :'org';
SELECT try(format('SELECT wa.event_position(%L)', :'invented')) FROM wa.authenticate(:'every');
ROLLBACK;
BEGIN;
UPDATE wa.org SET expired_event = :'invented' WHERE id = :'org';
SELECT try(format('SELECT wa.event_position(%L)', :'invented')) FROM wa.authenticate(:'secret');
ROLLBACK;
SELECT wa.authenticate(:'secret') IS NOT NULL \; SELECT l.pending FROM wa.event_limit(0, 0, :'nobody') l;
-- A socket has the reach of its key.
SELECT wa.authenticate(:'secret') IS NOT NULL \; SELECT ticket FROM wa.create_ticket() \gset
SELECT socket FROM wa.redeem_ticket(:'ticket') \gset
SET ROLE wa_app;
SELECT wa.authenticate(:'socket', 'events') IS NOT NULL \; SELECT count(*) > 0 AS some, bool_and(session_id IN (:'mine', :'mine2')) AS only_its_own FROM wa.event;
RESET ROLE;

-- ---- Limits count everything of the organization, whoever reaches it ----
SELECT wa.set_org_limit(:'org', 'webhooks', 3), wa.set_org_limit(:'org', 'webhook_tests', 3);
SELECT wa.authenticate(:'secret') IS NOT NULL \; SELECT try(format($$SELECT wa.create_webhook('https://reach.example/new', session => %L)$$, :'mine')) UNION ALL SELECT try(format($$SELECT wa.test_webhook(%L)$$, :'my_hook'));
SELECT wa.set_org_limit(:'org', 'webhooks', 4), wa.set_org_limit(:'org', 'webhook_tests', 4);
SELECT wa.authenticate(:'secret') IS NOT NULL \; SELECT try(format($$SELECT wa.create_webhook('https://reach.example/new', session => %L)$$, :'mine')) UNION ALL SELECT try(format($$SELECT wa.test_webhook(%L)$$, :'my_hook'));

-- ---- A webhook that was for another session, or for all of them, before ----
SELECT wa.authenticate(:'every') IS NOT NULL \; SELECT (wa.update_webhook(:'other_hook', session => :'mine')).url, (wa.update_webhook(:'org_hook', session => :'mine')).url;
SET ROLE wa_app;
SELECT wa.authenticate(:'every') IS NOT NULL \; SELECT w.url, sign(count(*) FILTER (WHERE d.session_id = :'other')) AS of_the_other, sign(count(*) FILTER (WHERE d.type LIKE 'key.%')) AS of_keys
FROM wa.webhook w JOIN wa.delivery d ON d.webhook_id = w.id WHERE w.id IN (:'other_hook', :'org_hook') GROUP BY 1 ORDER BY 1;
SELECT wa.authenticate(:'secret') IS NOT NULL \; SELECT w.url, count(*) FILTER (WHERE d.session_id = :'other') AS of_the_other, count(*) FILTER (WHERE d.type LIKE 'key.%') AS of_keys, sign(count(*)) AS rows
FROM wa.webhook w JOIN wa.delivery d ON d.webhook_id = w.id WHERE w.id IN (:'other_hook', :'org_hook') GROUP BY 1 ORDER BY 1;
RESET ROLE;

-- ---- Changing and rotating ----
SELECT id AS person FROM wa.create_user('reach@example.com', 'Rhea', 'a long password') \gset
SELECT wa.add_member(:'org', :'person', 'owner');
SELECT cookie FROM wa.sign_in('reach@example.com', 'a long password', '192.0.2.1', 'regress') \gset
SELECT wa.set_active_org(:'cookie', :'org') IS NOT NULL;
SELECT token FROM wa.mint_user_token(:'cookie') \gset
SELECT wa.authenticate(:'token') IS NOT NULL \; SELECT wa.update_api_key(:'key', sessions => ARRAY[:'mine2']::uuid[]) = :'key' AS changed;
SELECT wa.authenticate(:'secret') IS NOT NULL \; SELECT label FROM wa.session WHERE wa.reaches(id) AND org_id = :'org' AND deleted_at IS NULL;
SELECT wa.authenticate(:'token') IS NOT NULL \; SELECT DISTINCT try(format($$SELECT wa.update_api_key(%L, sessions => ARRAY[%L]::uuid[])$$, :'key', stray)) FROM (VALUES (:'foreign'), (:'invented'), (:'gone')) s (stray);
SELECT wa.authenticate(:'token') IS NOT NULL \; SELECT v.list, try(format('SELECT wa.update_api_key(%L, sessions => %s)', :'key', v.list)), try(format('SELECT wa.create_api_key(''never'', ''{read}'', sessions => %s)', v.list))
FROM (VALUES ('''{}'''), ('array_fill(wa.uuid7(), ARRAY[33])'), ('array_fill(wa.uuid7(), ARRAY[1, 4])'), ('array_fill(wa.uuid7(), ARRAY[2, 500000])'), ('ARRAY[NULL]::uuid[]')) v (list);
SELECT wa.authenticate(:'token') IS NOT NULL \; SELECT wa.update_api_key(:'key', name => 'still restricted') = :'key' AS renamed;
SELECT wa.authenticate(:'token') IS NOT NULL \; SELECT name, sessions = ARRAY[:'mine2']::uuid[] AS restricted FROM wa.show_api_key(:'key');
SELECT id AS successor FROM wa.rotate_key(:'key') \gset
SELECT wa.authenticate(:'token') IS NOT NULL \; SELECT name, sessions = ARRAY[:'mine2']::uuid[] AS restricted FROM wa.list_api_keys(NULL, 10) WHERE id = :'successor';
SELECT wa.authenticate(:'token') IS NOT NULL \; SELECT wa.update_api_key(:'successor', sessions => ARRAY[:'nobody']::uuid[]) = :'successor' AS opened;
SELECT sessions IS NULL AS all_of_them FROM wa.keys WHERE id = :'successor';
SELECT detail -> 'sessions' = to_jsonb(wa.session_ids(ARRAY[:'mine2']::uuid[])) AS narrowed, detail ->> 'sessions' = 'all' AS opened FROM wa.audit
WHERE org_id = :'org' AND action = 'key.changed' AND detail ? 'sessions' ORDER BY id;
-- People of the organization reach everything, and so does who acts for nobody.
SELECT wa.authenticate(:'token') IS NOT NULL \; SELECT wa.reaches(:'other'), wa.reaches(NULL);
SELECT wa.reaches(:'other'), wa.reaches(NULL), wa.is_restricted_to_sessions();
-- A session of the list that is deleted is no more; the list stays as it is.
SELECT secret AS gone_soon FROM wa.create_key(:'org', 'of one that goes', '{read,manage}', sessions => ARRAY[:'mine']::uuid[]) \gset
SELECT wa.authenticate(:'gone_soon') IS NOT NULL \; SELECT wa.delete_session(:'mine');
SELECT wa.authenticate(:'gone_soon') IS NOT NULL \; SELECT try(format('SELECT wa.delete_session(%L)', :'mine'));
SELECT cardinality(sessions) FROM wa.keys WHERE org_id = :'org' AND name = 'of one that goes';

-- ---- A webhook that was for all sessions sends nothing more of the others ----
SELECT wa.authenticate(:'every') IS NOT NULL \; SELECT id AS narrowed FROM wa.create_webhook('https://reach.example/narrowed') \gset
SELECT wa.authenticate(:'every') IS NOT NULL \; SELECT count(*) FROM wa.send_message(:'mine2', '15550001111', 'text', '{"text":"one"}') a, wa.send_message(:'other', '15550001111', 'text', '{"text":"two"}') b;
SELECT wa.authenticate(:'every') IS NOT NULL \; SELECT count(*) FROM wa.update_webhook(:'narrowed', session => :'mine2');
SELECT secret AS keeper FROM wa.create_key(:'org', 'keeper of a webhook', '{manage}', sessions => ARRAY[:'mine2']::uuid[]) \gset
SELECT wa.authenticate(:'keeper') IS NOT NULL \; SELECT count(*) FROM wa.update_webhook(:'narrowed', url => 'https://elsewhere.example/');
SELECT count(*) > 0 AS claimed FROM wa.claim_webhooks('reach', 250, '30 s');
BEGIN; SELECT wa.act_for(:'org');
SELECT d.type, d.session_id = :'mine2' AS is_mine, t.envelope IS NOT NULL AS has_text, t.hmac IS NOT NULL AS is_signed
FROM wa.take_deliveries('reach', :'narrowed', 100) t JOIN wa.delivery d USING (id) ORDER BY 1, 2;
ROLLBACK;
SELECT wa.authenticate(:'every') IS NOT NULL \; SELECT wa.delete_webhook(:'narrowed');
