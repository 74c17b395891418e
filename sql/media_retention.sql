-- How long files are kept: as long as a message carries them, or as their organization says.
\set SHOW_CONTEXT never
\set VERBOSITY terse
SET client_min_messages = warning;
SELECT wa.create_org('Keeps') AS org \gset
SELECT wa.create_org('Keeps too') AS other_org \gset
SELECT secret AS every FROM wa.create_key(:'org', 'all', '{read,send,manage,events}') \gset
INSERT INTO wa.session (org_id, label, status, connector) VALUES (:'org', 'keeps', 'working', 'keeps') RETURNING id AS session \gset
INSERT INTO wa.session (org_id, label, status, connector) VALUES (:'org', 'stays', 'working', 'keeps') RETURNING id AS stays \gset
INSERT INTO wa.session (org_id, label, status, connector) VALUES (:'other_org', 'foreign', 'working', 'keeps') RETURNING id AS foreign_session \gset
CREATE FUNCTION public.keep_file(org uuid, name text, state text DEFAULT 'stored', unused_at timestamptz DEFAULT NULL, age interval DEFAULT '0') RETURNS uuid LANGUAGE sql AS $$
	INSERT INTO wa.media (org_id, state, sha256, size, mimetype, filename, unused_at, created_at, kept_from)
	VALUES (org, state, CASE state WHEN 'stored' THEN sha256(name::bytea) END, CASE state WHEN 'stored' THEN 7 END, 'image/png', name, unused_at, now() - age, now() - age) RETURNING id
$$;
CREATE FUNCTION public.carry(org uuid, session uuid, name text, media uuid, status text DEFAULT 'sent') RETURNS uuid LANGUAGE sql AS $$
	INSERT INTO wa.chat (org_id, session_id, jid, type) VALUES (org, session, '15551110000@s.whatsapp.net', 'dm') ON CONFLICT DO NOTHING;
	INSERT INTO wa.message (org_id, session_id, chat_jid, wa_message_id, direction, type, status, media_id, media)
	VALUES (org, session, '15551110000@s.whatsapp.net', name, 'out', 'image', status, media, '{"state":"stored"}') RETURNING id
$$;
CREATE VIEW public.kept_files AS SELECT f.org_id, f.filename, f.state, f.unused_at IS NOT NULL AS unused FROM wa.media f
	JOIN wa.org o ON o.id = f.org_id WHERE o.name LIKE 'Keeps%';
CREATE PROCEDURE public.sweep_all() LANGUAGE plpgsql AS $$ BEGIN FOR i IN 1..40 LOOP PERFORM wa.housekeep('media', 1000); END LOOP; END $$;
CALL sweep_all();

-- ---- A file that no message carries ----
-- Who uploads one has 7 days to send it.
INSERT INTO wa.media (org_id, sha256, size, mimetype, filename) VALUES (:'org', sha256('x'), 1, 'image/png', 'default') RETURNING unused_at = now() + interval '7 days' AS week;
SELECT keep_file(:'org', 'fresh', unused_at => now() + interval '1 minute') IS NOT NULL;
SELECT keep_file(:'org', 'unused', unused_at => now()) IS NOT NULL;
SELECT keep_file(:'org', 'sent', unused_at => now()) AS sent \gset
SELECT keep_file(:'other_org', 'foreign', unused_at => now() - interval '1 day') IS NOT NULL;
SELECT carry(:'org', :'stays', 'M1', :'sent') AS m1 \gset
CALL sweep_all();
SELECT filename, state, unused FROM kept_files ORDER BY 1;
-- It cannot be sent after that, and one that is about to be removed can.
SELECT wa.typeid('med', (SELECT id FROM wa.media WHERE filename = 'fresh' AND org_id = :'org')) AS fresh \gset
UPDATE wa.media SET unused_at = now() WHERE filename = 'fresh' AND org_id = :'org';
SELECT wa.authenticate(:'every') IS NOT NULL \; SELECT s.id AS m2 FROM wa.send_message(:'stays', '15550001', 'image', jsonb_build_object('media', jsonb_build_object('id', :'fresh'))) s \gset
CALL sweep_all();
SELECT filename, state, unused FROM kept_files ORDER BY 1;

-- ---- What messages carried ----
SELECT keep_file(:'org', 'both') AS both \gset
SELECT carry(:'org', :'session', 'M3', :'both'), carry(:'org', :'stays', 'M4', :'both') \gset m_
SELECT keep_file(:'org', 'of session') AS of_session \gset
SELECT carry(:'org', :'session', 'M5', :'of_session') IS NOT NULL;
SELECT keep_file(:'org', 'revoked') AS revoked \gset
INSERT INTO wa.message (org_id, session_id, chat_jid, wa_message_id, direction, sender_jid, type, status, media_id, media)
VALUES (:'org', :'stays', '15551110000@s.whatsapp.net', 'M6', 'in', '15551110000@s.whatsapp.net', 'image', 'delivered', :'revoked', '{"state":"stored"}');
SELECT wa.act_for(:'org') \; SELECT wa.connector_change(:'stays', 'M6', '15551110000@s.whatsapp.net', 'revoke', NULL);
-- A deleted session's files go with its messages, but for those that others carry.
SELECT wa.authenticate(:'every') IS NOT NULL \; SELECT wa.delete_session(:'session') IS NOT NULL;
SELECT wa.housekeep('deleted_sessions', 1000) > 0;
SELECT filename, state, unused FROM kept_files ORDER BY 1;
CALL sweep_all();
SELECT filename, state, unused FROM kept_files ORDER BY 1;
DELETE FROM wa.message WHERE media_id = :'both';
CALL sweep_all();
SELECT filename, state, unused FROM kept_files ORDER BY 1;

-- ---- The days of an organization ----
SELECT wa.set_media_days(:'org', 0);
SELECT wa.set_media_days(:'org', 3651);
SELECT wa.set_media_days(gen_random_uuid(), 30);
SELECT wa.authenticate(:'every') IS NOT NULL \; SELECT wa.set_media_days(:'org', 30);
SELECT r.role FROM unnest('{wa_gateway,wa_app,wa_worker,wa_admin,wa_monitor,wa_connector}'::text[]) r (role) WHERE has_function_privilege(r.role, 'wa.set_media_days(wa.org_id, integer)', 'EXECUTE');
SELECT keep_file(:'org', 'old', age => '31 days') AS old, keep_file(:'org', 'young', age => '29 days') AS young, keep_file(:'org', 'waits', age => '31 days') AS waits,
	keep_file(:'other_org', 'old of others', age => '31 days') AS others \gset
SELECT carry(:'org', :'stays', 'M7', :'old'), carry(:'org', :'stays', 'M8', :'old'), carry(:'org', :'stays', 'M9', :'young'), carry(:'org', :'stays', 'M10', :'waits', 'queued'),
	carry(:'other_org', :'foreign_session', 'M11', :'others') \gset n_
CALL sweep_all();
SELECT filename, state FROM kept_files WHERE filename LIKE '%old%' OR filename IN ('young', 'waits') ORDER BY 1;
SELECT wa.set_media_days(:'org', 30);
CALL sweep_all();
SELECT filename, state FROM kept_files WHERE filename LIKE '%old%' OR filename IN ('young', 'waits') ORDER BY 1;
SELECT state, sha256, size, error FROM wa.media WHERE id = :'old';
SELECT wa_message_id, media FROM wa.message WHERE wa_message_id IN ('M7', 'M8', 'M9', 'M10', 'M11') ORDER BY 1;
SELECT e.type, count(*) FROM wa.event e WHERE e.org_id = :'org' AND e.envelope LIKE '%it was kept for 30 days%' GROUP BY 1;
SELECT wa.set_media_days(:'org', NULL);
SELECT detail - 'by' AS detail FROM wa.audit WHERE org_id = :'org' AND action = 'org.changed' ORDER BY id;
-- Messages of one file are written in parts.
SELECT wa.set_media_days(:'org', 28);
SELECT count(carry(:'org', :'stays', 'P' || i, :'young')) FROM generate_series(1, 25) i;
CREATE FUNCTION public.most_written() RETURNS TABLE (calls bigint, most integer) LANGUAGE sql AS $$
	SELECT count(*), max(gone) FROM (SELECT wa.housekeep('media', 10) AS gone FROM generate_series(1, 60)) g WHERE gone > 0
$$;
SELECT * FROM most_written();
SELECT state FROM wa.media WHERE id = :'young';
SELECT count(*) FROM wa.message WHERE media_id = :'young' AND media ->> 'state' = 'expired';

-- ---- A pending file of a session that does not run ----
SELECT keep_file(:'org', 'never fetched', 'pending', age => '7 days 2 hours') AS never, keep_file(:'org', 'still fetched', 'pending', age => '6 days') AS still,
	keep_file(:'org', 'being fetched', 'pending', age => '8 days') AS taken \gset
SELECT carry(:'org', :'stays', 'F1', :'never'), carry(:'org', :'stays', 'F2', :'still'), carry(:'org', :'stays', 'F3', :'taken') \gset f_
INSERT INTO wa.media_fetch (org_id, media_id, session_id, reference, lease_owner, lease_until) VALUES (:'org', :'never', :'stays', 'x', 'gone', now()),
	(:'org', :'still', :'stays', 'x', NULL, NULL), (:'org', :'taken', :'stays', 'x', 'one', now() + interval '1 minute');
UPDATE wa.session SET status = 'stopped' WHERE id = :'stays';
-- Messages that wait for the file of a URL fail with it, and one that is sent anyway does not.
SELECT keep_file(:'org', 'URL never fetched', 'pending', age => '7 days 2 hours') AS url, keep_file(:'org', 'another URL never fetched', 'pending', age => '7 days 2 hours') AS sent_url \gset
SELECT carry(:'org', :'stays', 'F4', :'url', 'queued') AS f4, carry(:'org', :'stays', 'F5', :'sent_url') AS f5 \gset
UPDATE wa.message SET lease_until = 'infinity' WHERE id = :'f4';
INSERT INTO wa.media_fetch (org_id, media_id, session_id, url) VALUES (:'org', :'url', :'stays', 'https://e.com/1'), (:'org', :'sent_url', :'stays', 'https://e.com/2');
CALL sweep_all();
SELECT m.wa_message_id, m.status, m.error, m.lease_until FROM wa.message m WHERE m.id IN (:'f4', :'f5') ORDER BY 1;
SELECT e.type, count(*) FROM wa.event e WHERE e.org_id = :'org' AND e.envelope LIKE '%could not be fetched: the session did not%' GROUP BY 1;
-- What is fetched, or still to be sent, is looked at again a day later.
SELECT f.filename, f.kept_from - f.created_at > interval '1 day' AS later FROM wa.media f WHERE f.id IN (:'taken', :'waits', :'still') ORDER BY 1;
SELECT f.filename, f.state, f.error, t.media_id IS NOT NULL AS fetch, m.media FROM wa.media f LEFT JOIN wa.media_fetch t ON t.org_id = f.org_id AND t.media_id = f.id JOIN wa.message m ON m.org_id = f.org_id AND m.media_id = f.id WHERE f.filename LIKE '%fetched' ORDER BY 1;

-- ---- Who may remove ----
SELECT r.role, f.function FROM unnest('{wa_gateway,wa_app,wa_worker,wa_admin,wa_monitor,wa_connector}'::text[]) r (role),
	unnest('{free_media,is_media_in_use,expiry_reason,expire_media,sweep_media,note_unused_media}'::text[]) f (function)
WHERE has_function_privilege(r.role, (SELECT p.oid FROM pg_proc p WHERE p.pronamespace = 'wa'::regnamespace AND p.proname = f.function), 'EXECUTE');
SELECT r.role FROM unnest('{wa_gateway,wa_app,wa_worker,wa_admin,wa_monitor,wa_connector}'::text[]) r (role)
WHERE has_any_column_privilege(r.role, 'wa.media', 'INSERT, UPDATE') OR has_table_privilege(r.role, 'wa.media', 'DELETE');
-- wa_claim's rights end at what is in use.
SET ROLE wa_claim;
DELETE FROM wa.media WHERE org_id = :'org' AND unused_at IS NULL;
RESET ROLE;
SELECT count(*) > 0 AS left FROM kept_files WHERE NOT unused;
DROP VIEW kept_files;
DROP PROCEDURE sweep_all();
DROP FUNCTION keep_file, carry, most_written;
DELETE FROM wa.media_fetch WHERE org_id = :'org';
