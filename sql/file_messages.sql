-- A file in a request: the gateway stores it before the message is queued, and SQL cannot.
SELECT wa.create_org('File messages') AS org \gset
SELECT wa.create_org('Foreign file messages') AS foreign_org \gset
SELECT secret AS send FROM wa.create_key(:'org', 'send', '{send}') \gset
SELECT secret AS read FROM wa.create_key(:'org', 'read', '{read,manage,events}') \gset
SELECT secret AS manage FROM wa.create_key(:'org', 'manage', '{manage}') \gset
SELECT secret AS foreign FROM wa.create_key(:'foreign_org', 'every', '{read,send,manage,events}') \gset
SELECT wa.authenticate(:'manage') IS NOT NULL \; SELECT id AS mine FROM wa.create_session('mine', false) \gset
SELECT wa.authenticate(:'manage') IS NOT NULL \; SELECT id AS hers FROM wa.create_session('hers', false) \gset
SELECT secret AS restricted FROM wa.create_key(:'org', 'restricted', '{send}', sessions => ARRAY[:'mine'::uuid]) \gset
\set SHOW_CONTEXT never
CREATE FUNCTION public.begin_error(session uuid, content text, key text DEFAULT NULL, recipient text DEFAULT '15550001', mentions text[] DEFAULT NULL) RETURNS text
	LANGUAGE plpgsql AS $$
DECLARE
	field text;
BEGIN
	PERFORM wa.begin_file_message(session, recipient, 'image', content::jsonb, NULL, mentions, key);
	RETURN 'none';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS field = COLUMN_NAME;
	RETURN concat_ws(' ', SQLSTATE, NULLIF(field, ''), SQLERRM);
END $$;

-- Whose it will be, of which type, and what the request is.
SELECT wa.authenticate(:'send') IS NOT NULL \; SELECT b.org_id = :'org' AS mine, b.mimetype, octet_length(b.request_digest) AS digest, b.id, b.replayed FROM (VALUES
	('{"media":{"data":"AAEC","mimetype":"IMAGE/png"}}'), ('{"media":{"data":"AAEC"}}'), ('{"media":{"url":"data:,hello"},"caption":"x"}'),
	('{"media":{"data":"data:image/gif;base64,AAEC"}}')) c (content), wa.begin_file_message(:'mine', '15550001', 'image', c.content::jsonb) b;
-- Nothing is written.
SELECT wa.authenticate(:'read') IS NOT NULL \; SELECT (SELECT count(*) FROM wa.message WHERE org_id = :'org') AS messages, (SELECT count(*) FROM wa.media WHERE org_id = :'org') AS files;

-- Who may not send, and what is wrong.
SELECT public.begin_error(:'mine', '{"media":{"data":"AAEC"}}');
SELECT wa.authenticate(:'read') IS NOT NULL \; SELECT public.begin_error(:'mine', '{"media":{"data":"AAEC"}}');
SELECT wa.authenticate(:'foreign') IS NOT NULL \; SELECT public.begin_error(s.session, '{"media":{"data":"AAEC"}}') FROM (VALUES (:'mine'::uuid), ('00000000-0000-7000-8000-000000000000')) s (session);
SELECT wa.authenticate(:'restricted') IS NOT NULL \; SELECT public.begin_error(s.session, '{"media":{"data":"AAEC"}}') FROM (VALUES (:'mine'::uuid), (:'hers'), ('00000000-0000-7000-8000-000000000000')) s (session);
SELECT wa.authenticate(:'send') IS NOT NULL \; SELECT public.begin_error(:'mine', c.content, c.key, c.recipient, c.mentions) FROM (VALUES
	('{"media":{"data":"AAB"}}', NULL, '15550001', NULL::text[]), ('{"media":{"data":"AAEC","filename":"a/b"}}', NULL, '15550001', NULL),
	('{"media":{"data":"AAEC"}}', 'é', '15550001', NULL), ('{"media":{"data":"AAEC"}}', NULL, 'nobody', NULL), ('{"media":{"data":"AAEC"}}', NULL, '15550001', '{x}'))
	c (content, key, recipient, mentions);

-- The room of the organization.
SELECT wa.set_org_limit(:'org', 'media_mebibytes', 0);
SELECT wa.authenticate(:'send') IS NOT NULL \; SELECT public.begin_error(:'mine', '{"media":{"data":"AAEC"}}');
SELECT wa.set_org_limit(:'org', 'media_mebibytes', NULL);

-- Then the message names the file, and with the digest it is the request that had the file.
SELECT wa.authenticate(:'send') IS NOT NULL \; SELECT b.request_digest AS digest FROM wa.begin_file_message(:'mine', '15550001', 'image', '{"media":{"data":"AAEC"}}', NULL, NULL, 'key') b \gset
SELECT wa.authenticate(:'send') IS NOT NULL \; SELECT jsonb_build_object('media', jsonb_build_object('id', wa.typeid('med', m.id))) AS stored FROM wa.create_media(sha256('\x000102'), 3, 'image/png', NULL) m \gset
SELECT wa.authenticate(:'send') IS NOT NULL \; SELECT id AS sent, replayed FROM wa.send_message(:'mine', '15550001', 'image', :'stored', NULL, NULL, 'key', :'digest') \gset
SELECT wa.authenticate(:'send') IS NOT NULL \; SELECT b.id = :'sent' AS same, b.replayed, b.session_id = :'mine' AS mine, b.status, b."timestamp" = (
	SELECT s."timestamp" FROM wa.send_message(:'mine', '15550001', 'image', '{"media":{"data":"AAEC"}}', NULL, NULL, 'key') s) AS same_time
	FROM wa.begin_file_message(:'mine', '15550001', 'image', '{"media":{"data":"AAEC"}}', NULL, NULL, 'key') b;
SELECT wa.authenticate(:'send') IS NOT NULL \; SELECT s.id = :'sent' AS same, s.replayed FROM wa.send_message(:'mine', '15550001', 'image', '{"media":{"data":"AAEC"}}', NULL, NULL, 'key') s;
SELECT wa.authenticate(:'send') IS NOT NULL \; SELECT public.begin_error(:'mine', '{"media":{"data":"AAED"}}', 'key');
-- Of a restricted key, the key is another one.
SELECT wa.authenticate(:'restricted') IS NOT NULL \; SELECT b.replayed FROM wa.begin_file_message(:'mine', '15550001', 'image', '{"media":{"data":"AAEC"}}', NULL, NULL, 'key') b;
SELECT wa.authenticate(:'foreign') IS NOT NULL \; SELECT public.begin_error(:'mine', '{"media":{"data":"AAEC"}}', 'key');
-- A digest that is none.
SELECT wa.authenticate(:'send') IS NOT NULL \; SELECT wa.send_message(:'mine', '15550001', 'image', :'stored', NULL, NULL, 'other key', '\x00');
-- After a day it is a new request.
UPDATE wa.idempotency SET created_at = now() - interval '25 hours' WHERE org_id = :'org';
SELECT wa.authenticate(:'send') IS NOT NULL \; SELECT b.id, b.replayed FROM wa.begin_file_message(:'mine', '15550001', 'image', '{"media":{"data":"AAED"}}', NULL, NULL, 'key') b;
SELECT media_data, media - 'id' AS media, content FROM wa.message WHERE org_id = :'org';

-- In SQL a file stays with its message, because there is no store, and nobody else begins one.
SET ROLE wa_app;
SELECT wa.authenticate(:'send') IS NOT NULL \; SELECT wa.begin_file_message(:'mine', '15550001', 'image', '{"media":{"data":"AAEC"}}');
SELECT wa.authenticate(:'send') IS NOT NULL \; SELECT status FROM wa.send_message(:'mine', '15550001', 'image', '{"media":{"data":"AAEC","mimetype":"image/png"}}');
RESET ROLE;
SELECT media_data, media, media_id FROM wa.message WHERE org_id = :'org' AND media_data IS NOT NULL;

DROP FUNCTION public.begin_error;
