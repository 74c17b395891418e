-- Files that are uploaded: who may note one, who sees it, and who may send it.  The bytes are
-- the gateway's matter.
SET search_path = wa, public, pg_temp;
\set SHOW_CONTEXT never
\set superuser :USER
SELECT wa.create_org('Files') AS org \gset
SELECT wa.create_org('Other files') AS other_org \gset
SELECT secret AS every FROM wa.create_key(:'org', 'all', '{read,send,manage,events}') \gset
SELECT id AS send_key, secret AS send FROM wa.create_key(:'org', 'send', '{send}') \gset
SELECT secret AS read FROM wa.create_key(:'org', 'read', '{read}') \gset
SELECT secret AS manage FROM wa.create_key(:'org', 'manage', '{manage,events}') \gset
SELECT secret AS foreign FROM wa.create_key(:'other_org', 'all', '{read,send,manage,events}') \gset
SELECT wa.authenticate(:'every') IS NOT NULL \; SELECT id AS mine FROM wa.create_session('mine') \gset
SELECT wa.authenticate(:'every') IS NOT NULL \; SELECT id AS others FROM wa.create_session('others') \gset
SELECT wa.authenticate(:'foreign') IS NOT NULL \; SELECT id AS foreign_session FROM wa.create_session('foreign') \gset
SELECT id AS restricted_key, secret AS restricted FROM wa.create_key(:'org', 'restricted', '{read,send}', sessions => ARRAY[:'mine']::uuid[]) \gset
CREATE FUNCTION public.try_media(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	e record;
BEGIN
	e := public.error_of(statement);
	RETURN CASE WHEN e.state IS NULL THEN 'done' ELSE concat_ws(' ', e.state, e.message, '(' || NULLIF(e.column_name, '') || ')') END;
END $$;
GRANT EXECUTE ON FUNCTION public.try_media(text), public.error_of(text) TO PUBLIC;

-- ---- A row for a file ----
-- The gateway's statements are sealed; the function's owner may execute it, too.
SET ROLE wa_owner;
SELECT wa.authenticate(:'send') IS NOT NULL \; SELECT m.id AS picture, m.org_id = :'org' AS own, m.size, m.mimetype, m.filename, m.key_id = :'send_key' AND m.user_id IS NULL AS by_key FROM wa.create_media(sha256('picture'), 7, 'IMAGE/Png', 'view.png') m \gset p_
\echo :p_own :p_size :p_mimetype :p_filename :p_by_key
-- The same bytes once more: another file of the same bytes.
SELECT wa.authenticate(:'send') IS NOT NULL \; SELECT m.id <> :'p_picture' AS another, m.sha256 = sha256('picture') AS of_same_bytes, m.filename FROM wa.create_media(sha256('picture'), 7, 'image/png', NULL) m;
-- It needs send.
SELECT wa.authenticate(:'read') IS NOT NULL \; SELECT wa.create_media(sha256('x'), 1, 'image/png', NULL);
SELECT wa.authenticate(:'manage') IS NOT NULL \; SELECT wa.create_media(sha256('x'), 1, 'image/png', NULL);
SELECT wa.create_media(sha256('x'), 1, 'image/png', NULL);
-- The question before the bytes are taken: the same permission, the same checks.
SELECT wa.authenticate(:'send') IS NOT NULL \; SELECT wa.begin_media(NULL, NULL, NULL) = :'org' AND wa.begin_media('image/png', 'view.png', NULL) = :'org' AS whose;
SELECT wa.authenticate(:'read') IS NOT NULL \; SELECT wa.begin_media(NULL, NULL, NULL);
SELECT wa.begin_media(NULL, NULL, NULL);
SELECT wa.authenticate(:'send') IS NOT NULL \; SELECT wa.begin_media('image/png', 'a/b', NULL);
SELECT wa.authenticate(:'send') IS NOT NULL \; SELECT wa.begin_media('png', NULL, NULL);
-- The room for files, in MiB: files of the same bytes count once.  Administrators set it.
RESET ROLE;
SELECT wa.set_org_limit(:'org', 'media_mebibytes', 1);
SET ROLE wa_owner;
SELECT wa.authenticate(:'send') IS NOT NULL \; SELECT wa.count_media_bytes(:'org') AS of_org, wa.count_media_bytes(:'other_org') AS of_other_org;
-- Received files are not counted.
SELECT wa.act_for(:'org') IS NULL AS x \; INSERT INTO wa.media (org_id, state, sha256, size, mimetype) VALUES (:'org', 'stored', sha256('received'), 1048576, 'image/png');
SELECT wa.authenticate(:'send') IS NOT NULL \; SELECT wa.begin_media(NULL, NULL, 1048576 - 7) IS NOT NULL AS fits;
SELECT wa.authenticate(:'send') IS NOT NULL \; SELECT state, message, constraint_name FROM error_of('SELECT wa.begin_media(NULL, NULL, 1048576 - 6)');
SELECT wa.authenticate(:'send') IS NOT NULL \; SELECT state, constraint_name FROM error_of('SELECT wa.begin_media(NULL, NULL, 9223372036854775807)');
SELECT wa.authenticate(:'send') IS NOT NULL \; SELECT state, constraint_name FROM error_of($$SELECT wa.create_media(sha256('large'), 1048576 - 6, 'image/png', NULL)$$);
BEGIN;
SELECT wa.authenticate(:'send') IS NOT NULL;
SELECT m.size FROM wa.create_media(sha256('large'), 1048576 - 7, 'image/png', NULL) m;
SELECT state, constraint_name FROM error_of('SELECT wa.begin_media(NULL, NULL, NULL)');
ROLLBACK;
-- A key that is restricted to sessions sees none of these files, but all of them count.
SELECT wa.authenticate(:'restricted') IS NOT NULL \; SELECT state, constraint_name FROM error_of('SELECT wa.begin_media(NULL, NULL, 1048576 - 6)');
SELECT wa.authenticate(:'foreign') IS NOT NULL \; SELECT wa.begin_media(NULL, NULL, 1048576) IS NOT NULL AS of_other_org;
RESET ROLE;
SELECT wa.set_org_limit(:'org', 'media_mebibytes', NULL);
SET ROLE wa_owner;
-- What is wrong with one.
BEGIN;
SELECT wa.authenticate(:'send') IS NOT NULL;
SELECT n.name, try_media(format('SELECT wa.create_media(sha256(''x''), 1, ''image/png'', %L)', n.name)) FROM (VALUES
	('a/b'), ('..\b'), ('../../etc/passwd'), ('.'), ('..'), (''), (E'a\nb'), (repeat('x', 256)), (repeat('x', 255)), ('...'), ('été 🏖.png')) n (name);
SELECT t.type, try_media(format('SELECT wa.create_media(sha256(''x''), 1, %L, NULL)', t.type)) FROM (VALUES
	('png'), ('image/*'), (''), (NULL), (E'image/png\r\nX: y'), ('text/plain; charset=utf-8')) t (type);
SELECT try_media($$SELECT wa.create_media('\x00', 1, 'image/png', NULL)$$), try_media($$SELECT wa.create_media(sha256('x'), 0, 'image/png', NULL)$$),
	try_media($$SELECT wa.create_media(NULL, 1, 'image/png', NULL)$$);
ROLLBACK;
RESET ROLE;
-- Applications that send their own SQL cannot store bytes, and so note no file.
SET ROLE wa_app;
SELECT wa.authenticate(:'every') IS NOT NULL \; SELECT wa.create_media(sha256('x'), 1, 'image/png', NULL);
SELECT wa.authenticate(:'every') IS NOT NULL \; SELECT wa.begin_media('image/png', NULL, NULL);
SELECT wa.authenticate(:'every') IS NOT NULL \; INSERT INTO wa.media (org_id, sha256, size, mimetype) VALUES (:'org', sha256('x'), 1, 'image/png');
SELECT wa.authenticate(:'every') IS NOT NULL \; UPDATE wa.media SET sha256 = sha256('other');
SELECT wa.authenticate(:'every') IS NOT NULL \; DELETE FROM wa.media;

-- ---- Who sees it ----
SELECT * FROM wa.media;
SELECT wa.authenticate(:'read') IS NOT NULL \; SELECT count(*), count(*) FILTER (WHERE id = :'p_picture') AS picture FROM wa.media;
SELECT wa.authenticate(:'send') IS NOT NULL \; SELECT count(*) FROM wa.media;
SELECT wa.authenticate(:'manage') IS NOT NULL \; SELECT count(*) FROM wa.media WHERE size = 0;
SELECT wa.authenticate(:'foreign') IS NOT NULL \; SELECT count(*) FROM wa.media;
SELECT wa.authenticate(:'restricted') IS NOT NULL \; SELECT count(*) FROM wa.media;
RESET ROLE;

-- ---- Who may send it ----
SELECT wa.typeid('med', :'p_picture') AS picture, wa.typeid('med', wa.uuid7()) AS invented, wa.typeid('msg', :'p_picture') AS as_message \gset
SET ROLE wa_app;
SELECT wa.authenticate(:'send') IS NOT NULL \; SELECT s.id AS sent FROM wa.send_message(:'others', '15550001', 'image', jsonb_build_object('media', jsonb_build_object('id', :'picture'), 'caption', 'look')) s \gset
SELECT wa.authenticate(:'send') IS NOT NULL \; SELECT s.id AS renamed FROM wa.send_message(:'others', '15550001', 'document', jsonb_build_object('media', jsonb_build_object('id', :'picture', 'filename', 'other name.png'))) s \gset
-- Somebody else's file, an invented one and what is none are refused with the same words.
BEGIN;
SELECT wa.authenticate(:'foreign') IS NOT NULL;
SELECT e.message, e.column_name FROM (VALUES (:'picture'), (:'invented'), (:'as_message'), ('med_x'), (''), ('med_zzzzzzzzzzzzzzzzzzzzzzzzzz'), (:'p_picture')) i (id),
	error_of(format('SELECT wa.send_message(%L, ''15550001'', ''image'', %L)', :'foreign_session', jsonb_build_object('media', jsonb_build_object('id', i.id)))) e;
COMMIT;
-- A restricted key cannot send what others have uploaded ...
SELECT wa.authenticate(:'restricted') IS NOT NULL \; SELECT message, column_name FROM error_of(format('SELECT wa.send_message(%L, ''15550001'', ''image'', %L)', :'mine', jsonb_build_object('media', jsonb_build_object('id', :'picture'))));
-- Its fields.
BEGIN;
SELECT wa.authenticate(:'send') IS NOT NULL;
SELECT m.media, try_media(format('SELECT wa.send_message(%L, ''15550001'', ''image'', %L)', :'mine', jsonb_build_object('media', m.media || jsonb_build_object('id', :'picture')))) FROM (VALUES
	('{"url":"https://example.com/"}'::jsonb), ('{"data":"AAEC"}'), ('{"mimetype":"image/png"}'), ('{"filename":"../x"}'), ('{"size":7}')) m (media);
SELECT try_media(format('SELECT wa.send_message(%L, ''15550001'', ''image'', ''{"media":{"id":7}}'')', :'mine'));
COMMIT;
RESET ROLE;
SELECT type, media - 'id' AS media, media ->> 'id' = :'picture' AS has_id, media_id = :'p_picture' AS picture, media_data FROM wa.message WHERE id IN (:'sent', :'renamed') ORDER BY id;

-- ---- A key that is restricted to sessions ----
SET ROLE wa_owner;
SELECT wa.authenticate(:'restricted') IS NOT NULL \; SELECT id AS own FROM wa.create_media(sha256('own'), 3, 'text/plain', 'own.txt') \gset
RESET ROLE;
SET ROLE wa_app;
-- ... but it sees and sends its own,
SELECT wa.authenticate(:'restricted') IS NOT NULL \; SELECT filename FROM wa.media;
SELECT wa.authenticate(:'restricted') IS NOT NULL \; SELECT count(*) FROM wa.send_message(:'mine', '15550001', 'document', jsonb_build_object('media', jsonb_build_object('id', wa.typeid('med', :'own'))));
-- and what a message of its session carries.
SELECT wa.authenticate(:'send') IS NOT NULL \; SELECT s.id AS reached FROM wa.send_message(:'mine', '15550001', 'image', jsonb_build_object('media', jsonb_build_object('id', :'picture'))) s \gset
SELECT wa.authenticate(:'restricted') IS NOT NULL \; SELECT filename FROM wa.media ORDER BY 1;
SELECT wa.authenticate(:'restricted') IS NOT NULL \; SELECT count(*) FROM wa.send_message(:'mine', '15550002', 'image', jsonb_build_object('media', jsonb_build_object('id', :'picture')));
RESET ROLE;
-- A message that was deleted for everyone carries nothing any more.
UPDATE wa.message SET wa_message_id = 'M' || id, status = 'sent' WHERE org_id = :'org' AND media_id = :'p_picture' AND session_id = :'mine';
SET ROLE wa_owner;
SELECT wa.act_for(:'org') \; SELECT wa.connector_change(:'mine', 'M' || m.id, NULL, 'revoke', NULL, true) FROM wa.message m WHERE m.session_id = :'mine' AND m.media_id = :'p_picture';
RESET ROLE;
SELECT count(*) FROM wa.message WHERE session_id = :'mine' AND media_id = :'p_picture';
SET ROLE wa_app;
SELECT wa.authenticate(:'restricted') IS NOT NULL \; SELECT filename FROM wa.media;
RESET ROLE;
\set VERBOSITY terse
-- What a file name may be does not depend on how the caller's session reads literals.
\c - regress_app
SET standard_conforming_strings = off;
SET escape_string_warning = off;
SELECT wa.authenticate(:'send') IS NOT NULL \; SELECT status FROM wa.send_message(:'mine', '15550001', 'document', '{"media":{"url":"https://example.com/","filename":"../x"}}');
\c - :superuser
-- No message refers to another organization's file, whoever writes it.
INSERT INTO wa.media (org_id, sha256, size, mimetype) VALUES (:'other_org', sha256('theirs'), 1, 'text/plain') RETURNING id AS theirs \gset
UPDATE wa.message SET media_id = :'theirs' WHERE id = :'sent';
-- A file that a message carries is not deleted.
DELETE FROM wa.media WHERE id = :'p_picture';
