-- Files that are sent by their URL: a connector fetches the file, and only then the message is due.
\set SHOW_CONTEXT never
SET client_min_messages = warning;
SELECT wa.create_org('Sends') AS org \gset
SELECT wa.create_org('Sends too') AS other_org \gset
SELECT secret AS every, id AS every_id FROM wa.create_key(:'org', 'all', '{read,send,manage,events}') \gset
SELECT secret AS foreign FROM wa.create_key(:'other_org', 'all', '{read,send,manage,events}') \gset
INSERT INTO wa.session (org_id, label, status, connector, phone_number) VALUES (:'org', 'sends', 'working', 'media', '15550009') RETURNING id AS session \gset
INSERT INTO wa.session (org_id, label, status, connector) VALUES (:'org', 'others', 'working', 'media') RETURNING id AS others \gset
SELECT secret AS restricted FROM wa.create_key(:'org', 'restricted', '{read,send}', sessions => ARRAY[:'session']::uuid[]) \gset
SELECT secret AS elsewhere FROM wa.create_key(:'org', 'elsewhere', '{read,send}', sessions => ARRAY[:'others']::uuid[]) \gset
SELECT count(*) FROM wa.connector_sessions('media', 'one', 10, '1 hour');

CREATE FUNCTION public.send(credential wa.secret, session uuid, url text, reply_to uuid DEFAULT NULL, mimetype text DEFAULT NULL) RETURNS uuid LANGUAGE plpgsql AS $$
BEGIN
	PERFORM wa.authenticate(credential);
	RETURN (SELECT s.id FROM wa.send_message(session, '15550001', 'image',
		jsonb_build_object('caption', 'look', 'media', jsonb_strip_nulls(jsonb_build_object('url', url, 'mimetype', mimetype))), reply_to) s);
END $$;
CREATE FUNCTION public.stored(org uuid, media uuid, attempt integer) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
	PERFORM wa.act_for(org);
	RETURN wa.connector_media_stored(media, 'one', attempt, sha256('picture'), 7, 'image/png');
END $$;
CREATE FUNCTION public.failed(org uuid, media uuid, attempt integer, retry boolean DEFAULT false) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
	PERFORM wa.act_for(org);
	RETURN wa.connector_media_failed(media, 'one', attempt, 'the answer has the status 404', retry);
END $$;
CREATE VIEW public.sent AS SELECT m.id, m.status, m.error, m.lease_until = 'infinity' AS waits, m.media - 'id' AS media, m.media ->> 'id' = wa.typeid('med', m.media_id) AS has_id, f.state, f.error AS file_error,
	(SELECT count(*) FROM wa.media_fetch t WHERE t.media_id = f.id) AS fetches
FROM wa.message m JOIN wa.media f ON f.org_id = m.org_id AND f.id = m.media_id WHERE m.session_id = (SELECT s.id FROM wa.session s WHERE s.label = 'sends') ORDER BY m.id;

-- ---- What may be sent ----
SELECT e.state, e.column_name, e.message FROM unnest(ARRAY['ftp://media.example/a', 'http://127.0.0.1/a', 'http://169.254.169.254/latest', 'https://[::1]/a', 'http://2130706433/a', 'http://media.example:25/a', 'http://user@media.example/a', 'http://media.example/a#b']) u (url),
	error_of(format('SELECT send(%L, %L, %L)', :'every', :'session', u.url)) e;
SELECT count(*) FROM wa.media WHERE org_id = :'org';
SELECT send(:'every', :'session', 'HTTPS://Müller.example/a.png', NULL, 'IMAGE/Png') AS message \gset
SELECT status, waits, media, has_id, state, fetches FROM sent;
SELECT f.url, f.reference, f.session_id = :'session' AS session, m.key_id = :'every_id' AS by_key FROM wa.media_fetch f JOIN wa.media m ON m.id = f.media_id WHERE f.org_id = :'org';
-- A data: URL leads nowhere.
SELECT send(:'every', :'session', 'data:image/png;base64,AAEC') IS NOT NULL AS sent;
SELECT count(*) FROM wa.media_fetch WHERE org_id = :'org';

-- ---- It waits for its file ----
-- What quotes it waits, too, and so does what has a file and quotes what was sent.
SELECT id AS first FROM wa.message WHERE org_id = :'org' AND media_id IS NULL \gset
SELECT send(:'every', :'session', 'https://media.example/b', :'first') AS answer \gset
SELECT media_size, media_sha256 FROM wa.connector_claim('media', 'one', 10, '1 min');
SELECT wa.act_for(:'org') \; SELECT wa.connector_sent(:'first', 'W0', now());
SELECT count(*) FROM wa.connector_claim('media', 'one', 10, '1 min');
-- Whoever has the session fetches it.
SELECT count(*) FROM wa.connector_media('media', 'two', 10, '1 min');
SELECT reference, url, mimetype, sha256, size, attempt FROM wa.connector_media('media', 'one', 10, '1 min');
SELECT media_id AS picture FROM wa.message WHERE id = :'message' \gset
SELECT media_id AS b FROM wa.message WHERE id = :'answer' \gset
SELECT stored(:'other_org', :'picture', 1), failed(:'other_org', :'picture', 1);
SELECT stored(:'org', :'picture', 2), failed(:'org', :'picture', 2);
SELECT stored(:'org', :'picture', 1);
SELECT status, waits, media, state, fetches FROM sent;
SELECT message_id = :'message' AS message, media_sha256 = sha256('picture') AS picture, media_size, media ->> 'mimetype' AS mimetype FROM wa.connector_claim('media', 'one', 10, '1 min');
SELECT wa.act_for(:'org') \; SELECT wa.connector_sent(:'message', 'W1', now());

-- ---- It fails with its file ----
SELECT send(:'every', :'session', 'https://media.example/c', :'answer') AS second \gset
SELECT failed(:'org', :'b', 1);
-- An organization without room for received files sends all the same.
SELECT wa.set_org_limit(:'org', 'received_mebibytes', 0);
SELECT media_id AS c, attempt FROM wa.connector_media('media', 'one', 10, '1 min') \gset
SELECT wa.set_org_limit(:'org', 'received_mebibytes', NULL);
SELECT stored(:'org', :'c', :attempt);
SELECT count(*) FROM wa.connector_claim('media', 'one', 10, '1 min');
SELECT status, error, waits, state, file_error, media -> 'error' AS shown FROM sent;
-- It is tried 8 times.
SELECT send(:'every', :'session', 'https://media.example/d') AS tried \gset
SELECT media_id AS d FROM wa.message WHERE id = :'tried' \gset
CREATE FUNCTION public.try_fetch(org uuid, file uuid) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	taken integer;
BEGIN
	UPDATE wa.media_fetch SET lease_until = now() - interval '1 second' WHERE media_id = file;
	SELECT m.attempt INTO taken FROM wa.connector_media('media', 'one', 10, '1 min') m;
	PERFORM failed(org, file, taken, true);
	RETURN (SELECT format('%s: %s', taken, s.status) FROM sent s JOIN wa.message m ON m.id = s.id WHERE m.media_id = file);
END $$;
SELECT try_fetch(:'org', :'d') FROM generate_series(1, 8);
SELECT error, state, fetches FROM sent WHERE id = :'tried';
-- After a logout it stays failed.
SELECT send(:'every', :'session', 'https://media.example/e') AS ended \gset
SELECT media_id AS e, attempt FROM wa.connector_media('media', 'one', 10, '1 min') \gset
UPDATE wa.message SET status = 'failed', error = 'session was logged out', lease_until = NULL WHERE id = :'ended';
SELECT stored(:'org', :'e', :attempt);
SELECT status, error, state FROM sent WHERE id = :'ended';
-- A message that was deleted meanwhile leaves no file.
SELECT send(:'every', :'session', 'https://media.example/f') AS gone \gset
SELECT media_id AS f, attempt FROM wa.connector_media('media', 'one', 10, '1 min') \gset
DELETE FROM wa.message WHERE id = :'gone';
SELECT stored(:'org', :'f', :attempt);
SELECT count(*) FROM wa.media WHERE id = :'f';

-- ---- Its events ----
SET ROLE wa_app;
SELECT wa.authenticate(:'every') IS NOT NULL \; SELECT e.type, e.envelope::json -> 'payload' ->> 'status' AS status, e.envelope::json -> 'payload' -> 'media' ->> 'state' AS state FROM wa.event e WHERE e.session_id = :'session' AND e.envelope::json -> 'payload' ->> 'id' = wa.typeid('msg', :'answer') ORDER BY e.epoch, e.ordinal, e.id;

-- ---- Who sees the file ----
SELECT wa.authenticate(:'every') IS NOT NULL \; SELECT count(*) FROM wa.media WHERE id = :'picture';
SELECT wa.authenticate(:'restricted') IS NOT NULL \; SELECT count(*) FROM wa.media WHERE id = :'picture';
SELECT wa.authenticate(:'elsewhere') IS NOT NULL \; SELECT count(*) FROM wa.media;
SELECT wa.authenticate(:'foreign') IS NOT NULL \; SELECT count(*) FROM wa.media;
SELECT wa.authenticate(:'every') IS NOT NULL \; SELECT url FROM wa.media_fetch;
RESET ROLE;
-- Who may send may send this, too.
SELECT send(:'restricted', :'session', 'https://media.example/g') IS NOT NULL AS sent;
SELECT * FROM error_of(format('SELECT send(%L, %L, ''https://media.example/g'')', :'elsewhere', :'session'));
SELECT r.role FROM unnest('{wa_gateway,wa_app,wa_worker,wa_admin,wa_monitor,wa_connector}'::text[]) r (role)
WHERE has_function_privilege(r.role, 'wa.begin_fetch(uuid, jsonb)', 'EXECUTE');

-- ---- A forwarded copy has the same file ----
SELECT wa.authenticate(:'every') IS NOT NULL \; SELECT id AS action FROM wa.forward_message(:'session', :'message', '15550002') \gset
SELECT type, media_sha256 = sha256('picture') AS picture, media_size FROM wa.connector_actions('media', 'one', 10, '1 min');
SELECT wa.act_for(:'org') \; SELECT wa.connector_action_done(:'action', 'W1-copy', now());
SELECT media_id = :'picture' AS same, media ->> 'state' AS state FROM wa.message WHERE wa_message_id = 'W1-copy';

-- ---- The room of the organization ----
SELECT wa.set_org_limit(:'org', 'media_mebibytes', 0);
SELECT * FROM error_of(format('SELECT send(%L, %L, ''https://media.example/h'')', :'every', :'session'));
SELECT wa.set_org_limit(:'org', 'media_mebibytes', NULL);

-- ---- No row without a place to fetch from ----
\set VERBOSITY terse
UPDATE wa.media_fetch SET url = NULL WHERE org_id = :'org';
UPDATE wa.media_fetch SET reference = 'x' WHERE org_id = :'org';
DROP VIEW sent;
-- Others look at all files and sessions.
DELETE FROM wa.message WHERE org_id = :'org';
DELETE FROM wa.media WHERE org_id = :'org';
DELETE FROM wa.session WHERE org_id = :'org';
DROP FUNCTION send, stored, failed, try_fetch;
