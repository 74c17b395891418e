-- How many bytes an organization's files take: counted where they are written, so that nothing
-- is added up at an upload; and the limit of those that it receives.
\set SHOW_CONTEXT never
\set VERBOSITY terse
SET client_min_messages = warning;
SELECT wa.create_org('Counts') AS org \gset
SELECT wa.create_org('Counts too') AS other_org \gset
SELECT id AS key, secret AS every FROM wa.create_key(:'org', 'all', '{read,send,manage,events}') \gset
SELECT secret AS foreign FROM wa.create_key(:'other_org', 'all', '{read,send,manage,events}') \gset
INSERT INTO wa.session (org_id, label, status, connector) VALUES (:'org', 'counts', 'working', 'counts') RETURNING id AS session \gset
INSERT INTO wa.session (org_id, label, status, connector) VALUES (:'other_org', 'foreign', 'working', 'counts') RETURNING id AS foreign_session \gset
CREATE FUNCTION public.add_file(org uuid, key uuid, name text, size bigint) RETURNS uuid LANGUAGE sql AS $$
	INSERT INTO wa.media (org_id, sha256, size, mimetype, key_id) VALUES (org, sha256(name::bytea), size, 'image/png', key) RETURNING id
$$;
-- What is counted, beside what is there.
CREATE FUNCTION public.counted(org uuid) RETURNS TABLE (uploaded numeric, received numeric, files bigint, wrong bigint) LANGUAGE sql AS $$
	WITH bytes AS (
		SELECT f.sha256, max(f.size) AS size, count(*) AS files, count(*) FILTER (WHERE num_nonnulls(f.key_id, f.user_id) > 0) AS uploads
		FROM wa.media f WHERE f.org_id = org AND f.sha256 IS NOT NULL GROUP BY f.sha256)
	SELECT wa.count_media_bytes(org), wa.count_received_bytes(org), (SELECT count(*) FROM wa.media f WHERE f.org_id = org),
		(SELECT count(*) FROM bytes FULL JOIN (SELECT * FROM wa.media_bytes b WHERE b.org_id = org) b USING (sha256)
			WHERE COALESCE(bytes.files, 0) <> b.files OR COALESCE(bytes.uploads, 0) <> b.uploads OR b.files IS NULL OR bytes.size <> b.size)
		+ (SELECT count(*) FROM (SELECT sum(size) FILTER (WHERE uploads > 0) AS u, sum(size) FILTER (WHERE uploads = 0) AS r FROM bytes) s
			WHERE COALESCE(s.u, 0) <> wa.count_media_bytes(org) OR COALESCE(s.r, 0) <> wa.count_received_bytes(org))
$$;

-- ---- Each change of a file ----
SELECT * FROM counted(:'org');
SELECT add_file(:'org', :'key', 'a', 100) AS a, add_file(:'org', :'key', 'a', 100) AS again, add_file(:'org', NULL, 'b', 30) AS b, add_file(:'other_org', NULL, 'a', 100) AS foreign_a \gset
SELECT * FROM counted(:'org');
SELECT * FROM counted(:'other_org');
-- Received bytes that are uploaded, too, count as uploaded, and as received when that file is gone.
SELECT add_file(:'org', :'key', 'b', 30) AS b_upload \gset
SELECT * FROM counted(:'org');
DELETE FROM wa.media WHERE id = :'b_upload';
SELECT * FROM counted(:'org');
DELETE FROM wa.media WHERE id = :'a';
SELECT * FROM counted(:'org');
DELETE FROM wa.media WHERE id = :'again';
SELECT * FROM counted(:'org');
-- A file that is stored later, and one that has expired.
INSERT INTO wa.media (org_id, state) VALUES (:'org', 'pending') RETURNING id AS pending \gset
SELECT * FROM counted(:'org');
UPDATE wa.media SET state = 'stored', sha256 = sha256('c'), size = 7, mimetype = 'image/png' WHERE id = :'pending';
SELECT * FROM counted(:'org');
UPDATE wa.media SET state = 'expired', sha256 = NULL, size = NULL WHERE id IN (:'pending', :'b');
SELECT * FROM counted(:'org');
-- What is rolled back is not counted.
BEGIN;
SELECT add_file(:'org', :'key', 'd', 1000) IS NOT NULL;
SELECT * FROM counted(:'org');
ROLLBACK;
SELECT * FROM counted(:'org');
-- A dump that is restored brings its counts with it.
BEGIN;
SET LOCAL row_security = off;
SELECT add_file(:'org', :'key', 'e', 1000) IS NOT NULL;
RESET row_security;
SELECT uploaded FROM counted(:'org');
ROLLBACK;

-- ---- What an upload reads ----
SELECT count(add_file(:'org', :'key', 'many ' || i, 1)) FROM generate_series(1, 3000) i;
SELECT uploaded, received, wrong FROM counted(:'org');
VACUUM ANALYZE wa.media_room;
CREATE FUNCTION public.pages_read(statement text) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
	plan jsonb;
BEGIN
	EXECUTE 'EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) ' || statement INTO plan;
	RETURN (plan -> 0 -> 'Plan' ->> 'Shared Hit Blocks')::integer + (plan -> 0 -> 'Plan' ->> 'Shared Read Blocks')::integer;
END $$;
SELECT pages_read(format('SELECT wa.count_media_bytes(%L)', :'org')) IS NOT NULL AS planned;
SELECT pages_read(format('SELECT wa.count_media_bytes(%L)', :'org')) <= 10 AS few, (SELECT count(*) FROM wa.media_room WHERE org_id = :'org') <= 16 AS slots;
DELETE FROM wa.media WHERE org_id = :'org' AND size = 1;
SELECT * FROM counted(:'org');

-- ---- The limit of received files ----
CREATE FUNCTION public.receive_file(org uuid, session uuid, name text, size bigint) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	PERFORM wa.act_for(org);
	RETURN (SELECT COALESCE(r.error_code || ' ' || r.error, 'done') FROM wa.connector_report(json_build_array(json_strip_nulls(json_build_object(
		'report', 'receive', 'session', session, 'wa_message_id', name, 'chat_jid', '15551110000@s.whatsapp.net',
		'sender_jid', '15551110000@s.whatsapp.net', 'type', 'image', 'media', json_build_object('reference', name, 'size', size), 'at', now())))) r);
END $$;
SELECT wa.set_org_limit(:'org', 'received_mebibytes', 1);
SELECT add_file(:'org', NULL, 'half', 524288) IS NOT NULL AS received;
SELECT receive_file(:'org', :'session', n.name, n.size) FROM (VALUES ('R1', 524288), ('R2', 524289), ('R3', NULL)) n (name, size);
SELECT receive_file(:'other_org', :'foreign_session', 'R4', 1048577);
SELECT m.wa_message_id, m.media - 'id' AS media, f.state, f.error, t.media_id IS NOT NULL AS fetch FROM wa.message m JOIN wa.media f ON f.org_id = m.org_id AND f.id = m.media_id LEFT JOIN wa.media_fetch t ON t.org_id = f.org_id AND t.media_id = f.id WHERE m.wa_message_id IN ('R1', 'R2', 'R3', 'R4') ORDER BY 1;
-- Uploads have a room of their own.
SET ROLE wa_owner;
SELECT wa.authenticate(:'every') IS NOT NULL \; SELECT wa.begin_media(NULL, NULL, 1048577) IS NOT NULL AS fits;
RESET ROLE;
-- When it is full, nothing more is fetched, whatever is pending already, until there is room.
SELECT count(*) FROM wa.connector_sessions('counts', 'counter', 10, '1 min');
SELECT add_file(:'org', NULL, 'other half', 524288) AS half \gset
SELECT reference FROM wa.connector_media('counts', 'counter', 10, '1 min') ORDER BY 1;
-- Then a session is searched for its URLs alone, however many files it has received.
BEGIN;
WITH many AS (INSERT INTO wa.media (org_id, state, unused_at) SELECT :'org', 'pending', NULL FROM generate_series(1, 5000) RETURNING id)
INSERT INTO wa.media_fetch (org_id, media_id, session_id, reference) SELECT :'org', id, :'session', 'many' FROM many;
SELECT pages_read($$SELECT * FROM wa.connector_media('counts', 'counter', 10, '1 min')$$) IS NOT NULL AS planned;
SELECT pages_read($$SELECT * FROM wa.connector_media('counts', 'counter', 10, '1 min')$$) <= 100 AS few;
DROP INDEX wa.media_fetch_queue;
SELECT pages_read($$SELECT * FROM wa.connector_media('counts', 'counter', 10, '1 min')$$) > 150 AS without_the_index_many;
ROLLBACK;
SELECT receive_file(:'org', :'session', 'R5', NULL);
SELECT f.state, f.error FROM wa.media f JOIN wa.message m ON m.org_id = f.org_id AND m.media_id = f.id WHERE m.wa_message_id = 'R5';
DELETE FROM wa.media WHERE id = :'half';
SELECT reference FROM wa.connector_media('counts', 'counter', 10, '1 min') ORDER BY 1;
SELECT wa.connector_release('counter');
-- One that waited for it until it expired says so.
SELECT add_file(:'org', NULL, 'other half', 524288) AS half \gset
UPDATE wa.media f SET kept_from = now() - interval '8 days' FROM wa.media_fetch t WHERE t.org_id = f.org_id AND t.media_id = f.id AND t.reference = 'R1';
UPDATE wa.media_fetch SET lease_owner = NULL, lease_until = NULL WHERE reference = 'R1';
DO $$ BEGIN FOR i IN 1..40 LOOP PERFORM wa.housekeep('media', 1000); END LOOP; END $$;
SELECT f.state, f.error, m.media ->> 'state' AS shown FROM wa.media f JOIN wa.message m ON m.org_id = f.org_id AND m.media_id = f.id WHERE m.wa_message_id = 'R1';
-- URLs of files to send need the room of uploads: what was queued while there was some waits, too.
SELECT wa.set_org_limit(:'org', 'received_mebibytes', NULL);
SELECT wa.set_org_limit(:'org', 'media_mebibytes', 1);
DELETE FROM wa.media_fetch WHERE org_id = :'org';
INSERT INTO wa.media (org_id, state, filename) SELECT :'org', 'pending', 'url ' || i FROM generate_series(1, 3) i;
INSERT INTO wa.media_fetch (org_id, media_id, session_id, url) SELECT :'org', id, :'session', 'https://e.com/' || filename FROM wa.media WHERE org_id = :'org' AND filename LIKE 'url%';
INSERT INTO wa.media (org_id, state, filename) VALUES (:'org', 'pending', 'reference');
INSERT INTO wa.media_fetch (org_id, media_id, session_id, reference) SELECT :'org', id, :'session', 'R6' FROM wa.media WHERE org_id = :'org' AND filename = 'reference';
SELECT count(*) FROM wa.connector_sessions('counts', 'counter', 10, '1 min');
SELECT add_file(:'org', :'key', 'full', 1048576) AS full \gset
SELECT reference, url FROM wa.connector_media('counts', 'counter', 10, '1 min') ORDER BY 1, 2;
DELETE FROM wa.media WHERE id = :'full';
SELECT reference, url FROM wa.connector_media('counts', 'counter', 10, '1 min') ORDER BY 1, 2;
SELECT wa.connector_release('counter');
SELECT wa.set_org_limit(:'org', 'media_mebibytes', NULL);
SELECT wrong FROM counted(:'org');

-- ---- Who sees it ----
SELECT r.role, t.name FROM unnest('{wa_gateway,wa_app,wa_worker,wa_admin,wa_monitor,wa_connector}'::text[]) r (role), unnest('{wa.media_bytes,wa.media_room}'::text[]) t (name)
WHERE has_any_column_privilege(r.role, t.name, 'SELECT, INSERT, UPDATE') OR has_table_privilege(r.role, t.name, 'DELETE');
SELECT r.role, f.function FROM unnest('{wa_gateway,wa_app,wa_worker,wa_admin,wa_monitor,wa_connector}'::text[]) r (role),
	unnest('{count_media,count_file,count_media_bytes,count_received_bytes,has_received_room,received_room_error,has_media_room,media_room_error}'::text[]) f (function)
WHERE has_function_privilege(r.role, (SELECT p.oid FROM pg_proc p WHERE p.pronamespace = 'wa'::regnamespace AND p.proname = f.function), 'EXECUTE');
-- Bytes cannot be taken back twice.
UPDATE wa.media_bytes SET files = 0, uploads = 1 WHERE org_id = :'org';
UPDATE wa.media_room SET received = -1 WHERE org_id = :'org';
DROP FUNCTION add_file, counted, pages_read, receive_file;
DELETE FROM wa.media_fetch WHERE org_id IN (:'org', :'other_org');
