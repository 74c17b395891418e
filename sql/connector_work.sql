-- What connectors are given to work with, by the statements that their login is sealed to:
-- all that a message or an action needs, and of what they have claimed only.
\set VERBOSITY terse
\set SHOW_CONTEXT never
SET client_min_messages = warning;
SELECT value AS acme FROM fixture WHERE name = 'acme' \gset
SELECT value AS beta FROM fixture WHERE name = 'beta' \gset
SELECT value AS acme_send FROM fixture WHERE name = 'acme_send' \gset
SELECT replace(source, '$1, $2, $3, $4', '''work'', ''one'', 100, ''5 min''') AS sessions FROM wa.statement WHERE role_name = 'wa_connector' AND name = 'sessions' \gset
SELECT replace(source, '$1, $2, $3, $4', '''work'', ''one'', 100, ''5 min''') AS claim FROM wa.statement WHERE role_name = 'wa_connector' AND name = 'claim' \gset
SELECT replace(source, '$1, $2, $3, $4', '''work'', ''one'', 100, ''5 min''') AS actions FROM wa.statement WHERE role_name = 'wa_connector' AND name = 'actions' \gset
CREATE TABLE public.claimed AS :claim;
CREATE TABLE public.acted AS :actions;

INSERT INTO wa.session (org_id, label, status, connector, auto_read, presence_typing) VALUES (:'acme', 'work', 'starting', 'work', true, true) RETURNING id AS session \gset
SELECT label, status, auto_read, presence_typing FROM (:sessions) s;
SELECT wa.act_for(:'acme') \; SELECT wa.connector_session(:'session', 'one', 'working', '15550000001', '15550000001@s.whatsapp.net');
CREATE FUNCTION public.work_receive(org uuid, session uuid, id text, chat text, at timestamptz) RETURNS uuid LANGUAGE plpgsql AS $$
BEGIN
	PERFORM wa.act_for(org);
	RETURN wa.connector_receive(session, id, chat, '15553330000@s.whatsapp.net', 'Ann', 'text', 'a question', NULL, at);
END $$;
SELECT work_receive(:'acme', :'session', 'R1', '120363000000000001@g.us', '2026-01-02 03:04:05+00') AS question \gset

-- Every type of message.  The answer quotes a message of somebody else.
INSERT INTO wa.media (org_id, sha256, size, mimetype, filename) VALUES (:'acme', decode(repeat('ab', 32), 'hex'), 5, 'application/pdf', 'a.pdf') RETURNING id AS file, wa.typeid('med', id) AS file_id \gset
CREATE FUNCTION public.work_send(key text, session uuid, type text, content jsonb, reply_to uuid DEFAULT NULL, mentions text[] DEFAULT NULL) RETURNS uuid LANGUAGE plpgsql AS $$
BEGIN
	PERFORM wa.authenticate(key::wa.secret);
	RETURN (SELECT s.id FROM wa.send_message(session, '120363000000000001@g.us', type, content, reply_to, mentions) s);
END $$;
SELECT work_send(:'acme_send', :'session', 'text', '{"text":"an answer"}', :'question', '{15554440000}') AS answer \gset
SELECT work_send(:'acme_send', :'session', 'document', jsonb_build_object('media', jsonb_build_object('id', :'file_id', 'filename', 'b.pdf'), 'caption', 'look')) AS document \gset
SELECT work_send(:'acme_send', :'session', 'image', '{"media":{"data":"AAEC","mimetype":"image/png"}}') AS image \gset
SELECT work_send(:'acme_send', :'session', 'location', '{"latitude":1.5,"longitude":-2,"name":"Here"}') AS location \gset
SELECT work_send(:'acme_send', :'session', 'contact', '{"contact":{"displayName":"Ann","vcard":"BEGIN:VCARD\nEND:VCARD"}}') AS contact \gset
SELECT work_send(:'acme_send', :'session', 'poll', '{"name":"When?","options":["now","then"],"selectableCount":1}') AS poll \gset
INSERT INTO public.claimed :claim;
SELECT type, body, content, mentions, quoted_wa_message_id, quoted_sender_jid, quoted_from_me, typing_wa_message_id FROM public.claimed ORDER BY message_id;
SELECT type, mimetype, filename, media_size, encode(media_sha256, 'hex') AS sha256, media_id = :'file_id' AS is_the_file FROM public.claimed WHERE media_size IS NOT NULL ORDER BY message_id;
-- Each column has a value in one of these.
SELECT string_agg(c.name, ', ') AS never_set FROM (SELECT json_object_keys(row_to_json(c)) AS name FROM public.claimed c LIMIT 1) n (name), LATERAL (
	SELECT n.name WHERE NOT EXISTS (SELECT FROM public.claimed c WHERE row_to_json(c) ->> n.name IS NOT NULL)) c;
-- An answer to one's own message has no sender.  Without a message that was received lately, there is none to be typing for.
SELECT wa.act_for(:'acme') \; SELECT wa.connector_sent(m.id, 'S' || row_number() OVER (ORDER BY m.id), '2026-01-02 03:05:00+00') FROM wa.message m WHERE m.session_id = :'session' AND m.direction = 'out';
TRUNCATE public.claimed;
SELECT work_send(:'acme_send', :'session', 'text', '{"text":"and another"}', :'answer') IS NOT NULL AS sent;
INSERT INTO public.claimed :claim;
SELECT quoted_wa_message_id, quoted_sender_jid, quoted_from_me, typing_wa_message_id FROM public.claimed;
INSERT INTO wa.message (org_id, session_id, pairing, chat_jid, direction, type, body, status, sent_at) SELECT :'acme', :'session', 1, '120363000000000001@g.us', 'out', 'text', 'one of many', 'sent', '2026-01-02 04:00:00+00' FROM generate_series(1, 32);
UPDATE wa.message SET status = 'sent', lease_until = NULL WHERE session_id = :'session' AND status = 'sending';
TRUNCATE public.claimed;
SELECT work_send(:'acme_send', :'session', 'text', '{"text":"long after"}') IS NOT NULL AS sent;
INSERT INTO public.claimed :claim;
SELECT typing_wa_message_id FROM public.claimed;
-- Nobody is told of it who does not show it.
UPDATE wa.message SET sent_at = '2026-01-02 05:00:00+00' WHERE session_id = :'session' AND wa_message_id = 'R1';
UPDATE wa.message SET status = 'sent', lease_until = NULL WHERE session_id = :'session' AND status = 'sending';
UPDATE wa.session SET presence_typing = false WHERE id = :'session';
TRUNCATE public.claimed;
SELECT work_send(:'acme_send', :'session', 'text', '{"text":"silently"}') IS NOT NULL AS sent;
INSERT INTO public.claimed :claim;
SELECT typing_wa_message_id FROM public.claimed;

-- The bytes of an attachment that is in no store: for who has the message, as long as he has it.
UPDATE wa.message SET status = 'queued', wa_message_id = NULL WHERE id = :'image';
TRUNCATE public.claimed;
INSERT INTO public.claimed :claim;
SELECT media_size, media_sha256 FROM public.claimed;
CREATE FUNCTION public.work_attachment(org uuid, claimed uuid, owner text) RETURNS bytea LANGUAGE plpgsql AS $$
BEGIN
	PERFORM wa.act_for(org);
	RETURN wa.connector_attachment(claimed, owner);
END $$;
SELECT work_attachment(:'acme', :'image', 'one') AS mine, work_attachment(:'acme', :'image', 'two') AS of_another, work_attachment(:'acme', :'document', 'one') AS none;
SELECT work_attachment(:'beta', :'image', 'one') AS for_another_organization;
UPDATE wa.message SET lease_until = now() - interval '1 s' WHERE id = :'image';
SELECT work_attachment(:'acme', :'image', 'one') AS after_the_lease;
SELECT wa.connector_attachment(:'image', 'one');
SELECT r.rolname, has_function_privilege(r.oid, 'wa.connector_attachment(uuid, text)', 'EXECUTE') AS may FROM pg_roles r
WHERE r.rolname IN ('wa_admin', 'wa_app', 'wa_claim', 'wa_connector', 'wa_gateway', 'wa_monitor', 'wa_worker', 'regress_nobody') ORDER BY 1;
UPDATE wa.message SET status = 'sent', wa_message_id = 'S3', lease_until = NULL, lease_owner = NULL WHERE id = :'image';

-- Actions: whom they are about, and what is copied.
SELECT wa.authenticate(:'acme_send') IS NOT NULL \; SELECT status FROM wa.react_to_message(:'session', :'question', '👍') \; SELECT status FROM wa.edit_message(:'session', :'answer', 'the answer') \; SELECT status FROM wa.forward_message(:'session', :'image', '15554440000') \; SELECT status FROM wa.forward_message(:'session', :'document', '15554440000') \; SELECT status FROM wa.forward_message(:'session', :'location', '15554440000') \; SELECT status FROM wa.revoke_message(:'session', :'poll');
INSERT INTO public.acted :actions;
SELECT type, wa_message_id, sender_jid, from_me, emoji, text, "to", copy IS NOT NULL AS copy, message_type, body, content FROM public.acted ORDER BY action_id;
SELECT type, mimetype, filename, media_size, encode(media_sha256, 'hex') AS sha256, media_id = :'file_id' AS is_the_file FROM public.acted WHERE media_size IS NOT NULL ORDER BY action_id;
SELECT string_agg(c.name, ', ') AS never_set FROM (SELECT json_object_keys(row_to_json(c)) AS name FROM public.acted c LIMIT 1) n (name), LATERAL (
	SELECT n.name WHERE NOT EXISTS (SELECT FROM public.acted c WHERE row_to_json(c) ->> n.name IS NOT NULL)) c;
SELECT type, work_attachment(:'acme', action_id, 'one') AS mine FROM public.acted ORDER BY action_id;
SELECT type, work_attachment(:'acme', action_id, 'two') AS of_another FROM public.acted WHERE media_size = 3;
UPDATE wa.message_action SET lease_until = now() - interval '1 s' WHERE session_id = :'session' AND status = 'sending';
SELECT type, work_attachment(:'acme', action_id, 'one') AS after_the_lease FROM public.acted WHERE media_size = 3;
UPDATE wa.message_action SET status = 'done' WHERE session_id = :'session';

-- Read: the newest message that was received is told, once.
SELECT work_receive(:'acme', :'session', 'R' || n, '15553330000@s.whatsapp.net', now()) IS NOT NULL AS received FROM generate_series(2, 3) n;
-- auto_read is the connector's to tell.
SELECT count(*) FROM (:actions) a;
UPDATE wa.session SET auto_read = false WHERE id = :'session';
SELECT work_receive(:'acme', :'session', 'R' || n, '15553330000@s.whatsapp.net', now()) IS NOT NULL AS received FROM generate_series(4, 5) n;
CREATE FUNCTION public.work_read(key text, session uuid) RETURNS integer LANGUAGE plpgsql AS $$
BEGIN
	PERFORM wa.authenticate(key::wa.secret);
	RETURN (SELECT c.unread_count FROM wa.read_chat(session, '15553330000') c);
END $$;
SELECT work_read(:'acme_send', :'session'), work_read(:'acme_send', :'session');
TRUNCATE public.acted;
INSERT INTO public.acted :actions;
SELECT type, chat_jid, wa_message_id, sender_jid, from_me, message_type, body FROM public.acted;
SELECT wa.act_for(:'acme') \; SELECT wa.connector_action_done(action_id, NULL, now()) FROM public.acted;
SELECT type, status FROM wa.message_action WHERE id IN (SELECT action_id FROM public.acted);
-- A chat is read whether WhatsApp can be told or not.
SELECT work_receive(:'acme', :'session', 'R6', '15553330000@s.whatsapp.net', now()) IS NOT NULL AS received;
SELECT wa.set_org_limit(:'acme', 'queued_messages', 1);
SELECT wa.authenticate(:'acme_send') IS NOT NULL \; SELECT status FROM wa.react_to_message(:'session', :'question', '🙏');
SELECT work_read(:'acme_send', :'session');
SELECT type FROM wa.message_action WHERE session_id = :'session' AND status = 'queued';
SELECT wa.set_org_limit(:'acme', 'queued_messages', NULL);
UPDATE wa.message_action SET status = 'done' WHERE session_id = :'session';
SELECT work_receive(:'acme', :'session', 'R7', '15553330000@s.whatsapp.net', now()) IS NOT NULL AS received;
SELECT wa.act_for(:'acme') \; SELECT wa.connector_session(:'session', 'one', 'working', '15550000002', '15550000002@s.whatsapp.net');
SELECT work_read(:'acme_send', :'session');
SELECT count(*) FROM wa.message_action WHERE session_id = :'session' AND status = 'queued';
SELECT work_receive(:'acme', :'session', 'R8', '15553330000@s.whatsapp.net', now()) IS NOT NULL AS received;
SELECT wa.act_for(:'acme') \; SELECT wa.connector_session(:'session', 'one', 'logged_out');
SELECT work_read(:'acme_send', :'session');
SELECT count(*) FROM wa.message_action WHERE session_id = :'session' AND status = 'queued';
