-- Files that are received: the message comes first, its connector fetches the file, and only
-- then the row says that it is stored.
\set SHOW_CONTEXT never
SET client_min_messages = warning;
SELECT wa.create_org('Receives') AS org \gset
SELECT wa.create_org('Receives too') AS other_org \gset
SELECT secret AS every FROM wa.create_key(:'org', 'all', '{read,send,manage,events}') \gset
SELECT secret AS foreign FROM wa.create_key(:'other_org', 'all', '{read,send,manage,events}') \gset
INSERT INTO wa.session (org_id, label, status, connector) VALUES (:'org', 'receives', 'working', 'media') RETURNING id AS session \gset
INSERT INTO wa.session (org_id, label, status, connector) VALUES (:'org', 'others', 'working', 'media') RETURNING id AS others \gset
INSERT INTO wa.session (org_id, label, status, connector) VALUES (:'other_org', 'foreign', 'working', 'media') RETURNING id AS foreign_session \gset
SELECT secret AS restricted FROM wa.create_key(:'org', 'restricted', '{read,send}', sessions => ARRAY[:'session']::uuid[]) \gset
SELECT secret AS elsewhere FROM wa.create_key(:'org', 'elsewhere', '{read,send}', sessions => ARRAY[:'others']::uuid[]) \gset

-- What a connector reports.
CREATE FUNCTION public.receive(org uuid, session uuid, wa_message_id text, type text, media jsonb, from_me boolean DEFAULT false) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	PERFORM wa.act_for(org);
	RETURN (SELECT COALESCE(r.error_code || ' ' || r.error, 'done') FROM wa.connector_report(json_build_array(json_build_object(
		'report', 'receive', 'session', session, 'wa_message_id', wa_message_id, 'chat_jid', '15551110000@s.whatsapp.net',
		'sender_jid', CASE WHEN NOT from_me THEN '15551110000@s.whatsapp.net' END, 'type', type, 'body', 'caption',
		'media', media, 'at', now(), 'from_me', from_me))) r);
END $$;
CREATE FUNCTION public.stored(org uuid, media uuid, owner text, attempt integer, sha256 bytea DEFAULT sha256('picture'), size bigint DEFAULT 7) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	PERFORM wa.act_for(org);
	RETURN wa.connector_media_stored(media, owner, attempt, sha256, size, 'image/png');
EXCEPTION WHEN invalid_parameter_value OR check_violation THEN
	RETURN SQLSTATE || ' ' || SQLERRM;
END $$;
CREATE FUNCTION public.failed(org uuid, media uuid, owner text, attempt integer, retry boolean DEFAULT false, expired boolean DEFAULT false) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	PERFORM wa.act_for(org);
	RETURN wa.connector_media_failed(media, owner, attempt, 'the far side has failed', retry, expired);
END $$;
CREATE VIEW public.files AS SELECT m.wa_message_id, f.state, m.media - 'id' AS media, m.media ->> 'id' = wa.typeid('med', f.id) AS has_id, f.sha256 = sha256('picture') AS picture, f.size, f.mimetype, f.filename, f.error,
	(SELECT count(*) FROM wa.media_fetch t WHERE t.media_id = f.id) AS fetches
FROM wa.message m JOIN wa.media f ON f.org_id = m.org_id AND f.id = m.media_id
	JOIN wa.org o ON o.id = m.org_id AND o.name LIKE 'Receives%' WHERE m.wa_message_id IS NOT NULL ORDER BY m.id;

-- ---- A message with a file ----
SELECT receive(:'org', :'session', 'F1', 'image', jsonb_build_object('reference', 'secret-1', 'mimetype', 'IMAGE/Png', 'sha256', encode(sha256('picture'), 'hex'), 'size', 7, 'filename', 'view.png'));
-- Told again it is the same one.
SELECT receive(:'org', :'session', 'F1', 'image', '{"reference":"secret-1"}');
SELECT receive(:'org', :'session', 'F2', 'audio', '{"reference":"secret-2"}');
SELECT receive(:'org', :'session', 'F3', 'document', '{"reference":"secret-3","mimetype":"nonsense","filename":"..\\..\\etc/pass\u0001wd"}', true);
SELECT receive(:'other_org', :'foreign_session', 'F4', 'video', '{"reference":"secret-4"}');
-- What is wrong with one is the connector's fault; a name or type that the sender chose is not.
SELECT n.type, n.media, receive(:'org', :'session', 'W', n.type, n.media) FROM (VALUES
	('text', '{"reference":"x"}'::jsonb), ('image', '[]'), ('image', '{}'), ('image', '{"reference":""}'), ('image', '{"reference":"x","sha256":"00"}'), ('image', '{"reference":"x","size":0}'), ('image', '{"reference":"x","size":"7 "}')) n (type, media);
SELECT receive(:'org', :'foreign_session', 'W', 'image', '{"reference":"x"}');
SELECT * FROM files;
SELECT n.name, wa.sent_filename(n.name) FROM (VALUES ('a/b'), ('..'), ('x/..'), (''), ('a/'), (E'a\nb'), ('C:\x.pdf'), ('été.pdf')) n (name);
SELECT char_length(wa.sent_filename(repeat('x', 300)));
-- In a list with others.
SELECT wa.act_for(:'org') \; SELECT r.changed, r.error FROM wa.connector_report(json_build_array(
	json_build_object('report', 'receive', 'session', :'others', 'wa_message_id', 'L1', 'chat_jid', '15551110000@s.whatsapp.net', 'sender_jid', '15551110000@s.whatsapp.net', 'type', 'text', 'body', 'x', 'at', now()),
	json_build_object('report', 'receive', 'session', :'others', 'wa_message_id', 'L2', 'chat_jid', '15551110000@s.whatsapp.net', 'sender_jid', '15551110000@s.whatsapp.net', 'type', 'image', 'media', json_build_object('reference', 'l2'), 'at', now()),
	json_build_object('report', 'receive', 'session', :'others', 'wa_message_id', 'L3', 'chat_jid', '15551110000@s.whatsapp.net', 'sender_jid', '15551110000@s.whatsapp.net', 'type', 'text', 'body', 'y', 'at', now()))) r;
SELECT wa_message_id, type, media ->> 'state' AS state FROM wa.message WHERE session_id = :'others' ORDER BY id;

-- ---- Who fetches it ----
-- Only the process that has the session, and only while it works.
SELECT count(*) FROM wa.connector_media('media', 'one', 10, '1 min');
SELECT count(*) FROM wa.connector_sessions('media', 'one', 10, '1 min');
SELECT count(*) FROM wa.connector_media('media', 'two', 10, '1 min');
SELECT count(*) FROM wa.connector_media('sandbox', 'one', 10, '1 min');
UPDATE wa.session SET status = 'stopped' WHERE id = :'others';
SELECT org_id = :'org' AS own, session_id = :'session' AS session, reference, mimetype, sha256 = sha256('picture') AS picture, size, attempt FROM wa.connector_media('media', 'one', 10, '1 min');
-- It has them now.
SELECT count(*) FROM wa.connector_media('media', 'one', 10, '1 min');
UPDATE wa.session SET status = 'working' WHERE id = :'others';
SELECT f.media_id AS f1 FROM wa.media_fetch f WHERE f.reference = 'secret-1' \gset
SELECT f.media_id AS f2 FROM wa.media_fetch f WHERE f.reference = 'secret-2' \gset
SELECT f.media_id AS f3 FROM wa.media_fetch f WHERE f.reference = 'secret-3' \gset
SELECT f.media_id AS f4 FROM wa.media_fetch f WHERE f.reference = 'secret-4' \gset
SELECT f.media_id AS l2 FROM wa.media_fetch f WHERE f.reference = 'l2' \gset

-- ---- Reports ----
-- Of another organization, of another process, of another attempt, of what nobody has taken.
SELECT stored(:'other_org', :'f1', 'one', 1);
SELECT stored(:'org', :'f4', 'one', 1), stored(:'org', :'f1', 'two', 1), stored(:'org', :'f1', 'one', 2), stored(:'org', :'l2', 'one', 0), stored(:'org', gen_random_uuid(), 'one', 1);
SELECT failed(:'other_org', :'f1', 'one', 1);
SELECT failed(:'org', :'f4', 'one', 1), failed(:'org', :'f1', 'two', 1), failed(:'org', :'f1', 'one', 2), failed(:'org', :'l2', 'one', 0), failed(:'org', gen_random_uuid(), 'one', 1);
-- Other bytes than were announced, and no bytes.
SELECT stored(:'org', :'f1', 'one', 1, sha256('other')), stored(:'org', :'f2', 'one', 1, 'x'), stored(:'org', :'f2', 'one', 1, size => 0);
SELECT stored(:'org', :'f1', 'one', 1) AS stored, stored(:'org', :'f1', 'one', 1) AS again, failed(:'org', :'f1', 'one', 1) AS failed;
-- It may be tried again, after a pause.
SELECT clock_timestamp() AS failed_at \gset
SELECT failed(:'org', :'f2', 'one', 1, true) AS again, stored(:'org', :'f2', 'one', 1) AS late;
SELECT failed(:'org', :'f3', 'one', 1) AS for_good;
SELECT failed(:'other_org', :'f4', 'one', 1, false, true) AS expired;
SELECT * FROM files;
SELECT lease_owner, lease_until - interval '2 seconds' BETWEEN :'failed_at' AND now() AS paused, error FROM wa.media_fetch WHERE media_id = :'f2';
UPDATE wa.media_fetch SET lease_until = now() + interval '1 hour' WHERE media_id = :'f2';
SELECT count(*) FILTER (WHERE media_id = :'f2') FROM wa.connector_media('media', 'one', 10, '1 min');
UPDATE wa.media_fetch SET lease_until = now() - interval '1 second' WHERE media_id = :'f2';
SELECT attempt FROM wa.connector_media('media', 'one', 10, '1 min') WHERE media_id = :'f2';
-- A process has died: its lease runs out, and another attempt begins.
UPDATE wa.media_fetch SET lease_until = now() - interval '1 second' WHERE media_id = :'f2';
SELECT attempt FROM wa.connector_media('media', 'one', 10, '1 min') WHERE media_id = :'f2';
SELECT stored(:'org', :'f2', 'one', 2) AS of_the_dead, failed(:'org', :'f2', 'one', 2) AS of_the_dead;
-- After 7 days it is not tried again.
UPDATE wa.media SET created_at = now() - interval '8 days' WHERE id = :'f2';
SELECT failed(:'org', :'f2', 'one', 3, true);
SELECT wa_message_id, state, media -> 'error' AS error, fetches FROM files WHERE wa_message_id = 'F2';

-- ---- Its events ----
SET ROLE wa_app;
SELECT wa.authenticate(:'every') IS NOT NULL \; SELECT e.type, e.envelope::json -> 'payload' ->> 'waMessageId' AS message, (e.envelope::jsonb -> 'payload' -> 'media') - 'id' AS media FROM wa.event e WHERE e.session_id = :'session' AND e.type LIKE 'message%' ORDER BY e.epoch, e.ordinal, e.id;

-- ---- Who sees it, and who sends it on ----
SELECT wa.authenticate(:'foreign') IS NOT NULL \; SELECT state FROM wa.media ORDER BY 1;
SELECT wa.authenticate(:'restricted') IS NOT NULL \; SELECT state FROM wa.media ORDER BY 1;
SELECT wa.authenticate(:'elsewhere') IS NOT NULL \; SELECT state FROM wa.media ORDER BY 1;
SELECT wa.authenticate(:'every') IS NOT NULL \; SELECT reference FROM wa.media_fetch;
RESET ROLE;
SELECT wa.typeid('med', :'f1') AS f1_id, wa.typeid('med', :'l2') AS l2_id \gset
SELECT wa.authenticate(:'every') IS NOT NULL \; SELECT count(*) FROM wa.send_message(:'session', '15550001', 'image', jsonb_build_object('media', jsonb_build_object('id', :'f1_id')));
SELECT wa.authenticate(:'every') IS NOT NULL \; SELECT * FROM error_of(format('SELECT wa.send_message(%L, ''15550001'', ''image'', %L)', :'session', jsonb_build_object('media', jsonb_build_object('id', :'l2_id'))));
-- The connector learns where the bytes are of what it sends.
SELECT media_sha256 = sha256('picture') AS picture, media_size, media - 'id' AS media FROM wa.connector_claim('media', 'one', 10, '1 min');

-- ---- What is deleted meanwhile ----
-- A message that was deleted for everyone: nobody has the file any more.
SELECT receive(:'org', :'session', 'F5', 'image', '{"reference":"secret-5"}');
SELECT media_id AS f5, attempt FROM wa.connector_media('media', 'one', 10, '1 min') \gset
SELECT wa.act_for(:'org') \; SELECT wa.connector_change(:'session', 'F5', '15551110000@s.whatsapp.net', 'revoke', NULL);
SELECT stored(:'org', :'f5', 'one', 1);
SELECT count(*) FROM wa.media WHERE id = :'f5';
-- While the file is pending one message has it, and what becomes of it changes one row.
SELECT receive(:'org', :'session', 'F6', 'image', '{"reference":"secret-6"}');
SELECT m.id AS message, m.media_id AS f6 FROM wa.message m WHERE m.wa_message_id = 'F6' \gset
SELECT wa.authenticate(:'every') IS NOT NULL \; SELECT e.state, e.message FROM error_of(format('SELECT wa.forward_message(%L, %L, ''15550002'')', :'session', :'message')) e;
SELECT count(*) FROM wa.connector_media('media', 'one', 10, '1 min');
SELECT stored(:'org', :'f6', 'one', 1);
SELECT wa.authenticate(:'every') IS NOT NULL \; SELECT id AS action FROM wa.forward_message(:'session', :'message', '15550002') \gset
SELECT wa.act_for(:'org') \; SELECT wa.connector_action_done(:'action', 'F6-copy', now());
SELECT wa_message_id, media ->> 'state' AS state FROM wa.message WHERE media_id = :'f6' ORDER BY wa_message_id;
-- A session: its pending files go with it.
SELECT receive(:'org', :'session', 'F7', 'image', '{"reference":"secret-7"}');
SELECT media_id AS f7 FROM wa.connector_media('media', 'one', 10, '1 min') \gset
SELECT wa.authenticate(:'every') IS NOT NULL \; SELECT wa.delete_session(:'session') IS NOT NULL;
SELECT stored(:'org', :'f7', 'one', 1);
SELECT wa.housekeep('deleted_sessions', 1000) > 0;
SELECT count(*) FROM wa.media WHERE id = :'f7';

-- ---- Turns ----
SELECT receive(:'org', :'others', 'T' || i, 'image', jsonb_build_object('reference', 'many')) = 'done' AS done, count(*) FROM generate_series(1, 30) i GROUP BY 1;
SELECT receive(:'other_org', :'foreign_session', 'T', 'image', jsonb_build_object('reference', 'one'));
SELECT reference, count(*) FROM wa.connector_media('media', 'one', 4, '1 min') WHERE reference <> 'l2' GROUP BY 1 ORDER BY 1;
-- A session has at most 8 on their way.
SELECT count(*) <= 8 AS bounded FROM wa.connector_media('media', 'one', 100, '1 min');
SELECT count(*) FROM wa.media_fetch WHERE session_id = :'others' AND lease_owner = 'one';
SELECT count(*) FROM wa.connector_media('media', 'one', 100, '1 min');
-- Nor do more sessions of the organization get more.
INSERT INTO wa.session (org_id, label, status, connector) VALUES (:'org', 'third', 'working', 'media') RETURNING id AS third \gset
SELECT count(*) FROM wa.connector_sessions('media', 'one', 100, '1 min') s WHERE s.session_id = :'third';
SELECT receive(:'org', :'third', 'U' || i, 'image', jsonb_build_object('reference', 'third')) = 'done' AS done, count(*) FROM generate_series(1, 30) i GROUP BY 1;
SELECT count(*) FROM wa.connector_media('media', 'one', 100, '1 min');
DELETE FROM wa.media_fetch WHERE media_id = (SELECT media_id FROM wa.media_fetch WHERE session_id = :'others' AND lease_owner = 'one' LIMIT 1);
SELECT reference FROM wa.connector_media('media', 'one', 100, '1 min');

-- ---- No row promises what is not there ----
\set VERBOSITY terse
INSERT INTO wa.media (org_id, mimetype) VALUES (:'org', 'image/png');
INSERT INTO wa.media (org_id, state, sha256, size, mimetype) VALUES (:'org', 'pending', sha256('x'), 1, 'image/png');
UPDATE wa.media SET state = 'stored' WHERE id = :'l2';
UPDATE wa.media SET state = 'lost' WHERE id = :'l2';
-- Logins of others do not report.
SET ROLE wa_app;
SELECT wa.connector_media('media', 'one', 1, '1 min');
SELECT wa.connector_media_stored(:'l2', 'one', 1, sha256('x'), 1, 'image/png');
SELECT wa.connector_media_failed(:'l2', 'one', 1, 'x');
SELECT count(*) FROM wa.media_fetch;
RESET ROLE;
SELECT r.role, f.function FROM unnest('{wa_gateway,wa_app,wa_worker,wa_admin,wa_monitor,wa_connector}'::text[]) r (role),
	unnest('{connector_media,connector_media_stored,connector_media_failed,receive_media,end_fetch,find_fetch}'::text[]) f (function)
WHERE has_function_privilege(r.role, (SELECT p.oid FROM pg_proc p WHERE p.pronamespace = 'wa'::regnamespace AND p.proname = f.function), 'EXECUTE') ORDER BY 1, 2;
SELECT r.role FROM unnest('{wa_gateway,wa_app,wa_worker,wa_admin,wa_monitor,wa_connector}'::text[]) r (role) WHERE has_any_column_privilege(r.role, 'wa.media_fetch', 'SELECT, INSERT, UPDATE');
DROP VIEW files;
