-- Conversations as WhatsApp's users know them: chats by every form of an address.
SELECT value AS acme FROM fixture WHERE name = 'acme' \gset
SELECT value AS acme_all FROM fixture WHERE name = 'acme_all' \gset
SELECT value AS beta_all FROM fixture WHERE name = 'beta_all' \gset
\set superuser :USER
\set SHOW_CONTEXT never
SELECT wa.authenticate(:'acme_all') IS NOT NULL \; SELECT id AS session FROM wa.create_session('conversations', connector => 'conversations') \gset
SELECT count(*) FROM wa.connector_sessions('conversations', 'one', 10, '5 min');
SELECT wa.act_for(:'acme') \; SELECT wa.connector_session(:'session', 'one', 'working', '15550000001', '15550000001@s.whatsapp.net');

-- A chat is found, changed and read under each form that a recipient may be written in.
SELECT wa.act_for(:'acme') \; SELECT wa.connector_receive(:'session', 'C1', '15558880000@s.whatsapp.net', '15558880000@s.whatsapp.net', 'Zoë', 'text', 'hello', NULL, now()) IS NOT NULL AS received;
SELECT w.written, wa.chat_jid(w.written), c.pinned, r.unread_count
FROM wa.authenticate(:'acme_all'), (VALUES ('15558880000'), ('+15558880000'), ('15558880000@c.us'), ('15558880000@C.US'), ('15558880000@s.whatsapp.net')) w (written),
	wa.update_chat(:'session', w.written, pinned => true) c, wa.read_chat(:'session', w.written) r;
SELECT status FROM wa.message WHERE wa_message_id = 'C1';
-- What is no address names nothing, and another organization's chat is not there in any form.
SELECT w.written, wa.chat_jid(w.written), e.state, e.message
FROM wa.authenticate(:'acme_all'), (VALUES ('nobody'), (''), ('15558880000@lid'), ('15558880000@LID'), (' 15558880000')) w (written), error_of(format('SELECT wa.read_chat(%L, %L)', :'session', w.written)) e;
SELECT e.state, e.message FROM wa.authenticate(:'beta_all'), error_of(format('SELECT wa.read_chat(%L, %L)', :'session', '+15558880000')) e;

-- Written on a phone of the session's own number: sent, unread to nobody, no contact is met, and the session can edit and revoke it.
SELECT wa.act_for(:'acme') \; SELECT wa.connector_receive(:'session', 'P1', '15558881111@s.whatsapp.net', NULL, NULL, 'text', 'from my phone', NULL, now(), from_me => true) AS typed \gset
SELECT wa.act_for(:'acme') \; SELECT wa.connector_receive(:'session', 'P1', '15558881111@s.whatsapp.net', NULL, NULL, 'text', 'from my phone', NULL, now(), from_me => true) = :'typed' AS once;
SELECT m.direction, m.sender_jid, m.status, m.body, c.unread_count FROM wa.message m JOIN wa.chat c ON c.org_id = m.org_id AND c.session_id = m.session_id AND c.jid = m.chat_jid WHERE m.id = :'typed';
SELECT count(*) AS contacts FROM wa.contact WHERE session_id = :'session' AND jid = '15558881111@s.whatsapp.net';
SELECT e.state FROM wa.authenticate(:'acme_all'), (VALUES ('edit_message(%L, %L, ''better'')'), ('revoke_message(%L, %L)')) c (call), error_of(format('SELECT wa.' || c.call, :'session', :'typed')) e;
SELECT type FROM wa.message_action WHERE message_id = :'typed' ORDER BY id;
-- There it is edited and revoked too, as is what the session sent itself; a reaction is the session's own.
SELECT wa.act_for(:'acme') \; SELECT wa.connector_change(:'session', 'P1', NULL, 'edit', 'by somebody', false) AS by_somebody, wa.connector_change(:'session', 'P1', NULL, 'edit', 'better', true) AS edited, wa.connector_change(:'session', 'P1', '15550000001@s.whatsapp.net', 'react', '👍', true) AS reacted;
SELECT body, edited, reactions ->> 'me' = '👍' AS reacted FROM wa.message WHERE id = :'typed';
SELECT wa.act_for(:'acme') \; SELECT wa.connector_change(:'session', 'P1', NULL, 'revoke', NULL, true) AS revoked;
-- What others wrote is not the session's to change there.
SELECT wa.act_for(:'acme') \; SELECT wa.connector_change(:'session', 'C1', '15550000001@s.whatsapp.net', 'edit', 'forged', true) AS edited, wa.connector_change(:'session', 'C1', NULL, 'revoke', NULL, true) AS revoked;

-- A forward with an Idempotency-Key is queued once, also when the message was deleted since; another request with that key is refused.
SELECT wa.act_for(:'acme') \; SELECT wa.connector_receive(:'session', 'W1', '15558880000@s.whatsapp.net', '15558880000@s.whatsapp.net', 'Zoë', 'text', 'pass it on', NULL, now()) AS passed \gset
SELECT wa.authenticate(:'acme_all') IS NOT NULL \; SELECT message_id AS copy, id AS action FROM wa.forward_message(:'session', :'passed', '15558882222', 'forward once') \gset
UPDATE wa.message SET revoked = true WHERE id = :'passed';
SELECT wa.authenticate(:'acme_all') IS NOT NULL \; SELECT message_id = :'copy' AS same_copy, id = :'action' AS same_action, session_id = :'session' AS same_session, status, replayed FROM wa.forward_message(:'session', :'passed', '+15558882222', 'forward once');
SELECT e.state, e.message FROM wa.authenticate(:'acme_all'), (VALUES ('15558883333', 'forward once'), ('15558882222', 'another')) f (recipient, key), error_of(format('SELECT wa.forward_message(%L, %L, %L, %L)', :'session', :'passed', f.recipient, f.key)) e;
SELECT e.state, e.column_name FROM wa.authenticate(:'acme_all'), error_of(format('SELECT wa.forward_message(%L, %L, %L, %L)', :'session', :'passed', '15558882222', '')) e;
SELECT e.state, e.message FROM wa.authenticate(:'beta_all'), error_of(format('SELECT wa.forward_message(%L, %L, %L, %L)', :'session', :'passed', '15558882222', 'forward once')) e;
SELECT count(*) FROM wa.message_action WHERE message_id = :'passed';

-- An empty label takes the label away, a session of zeros the webhook's session, null its header fields.
SELECT wa.authenticate(:'acme_all') IS NOT NULL \; SELECT label FROM wa.update_session(:'session', label => 'named') \; SELECT label FROM wa.update_session(:'session', auto_read => false) \; SELECT label FROM wa.update_session(:'session', label => '');
SELECT wa.authenticate(:'acme_all') IS NOT NULL \; SELECT id AS hook FROM wa.create_webhook('https://hooks.example/', session => :'session', custom_headers => '{"x-a": "1"}') \gset
SELECT wa.authenticate(:'acme_all') IS NOT NULL \; SELECT session_id = :'session' AS kept, custom_headers FROM wa.update_webhook(:'hook', active => true) \; SELECT session_id, custom_headers FROM wa.update_webhook(:'hook', session => '00000000-0000-0000-0000-000000000000', custom_headers => 'null');
SELECT wa.authenticate(:'acme_all') IS NOT NULL \; SELECT wa.delete_webhook(:'hook');

-- A late message stands where WhatsApp's time puts it, and arrival decides between messages of one second.
SELECT wa.act_for(:'acme') \; SELECT wa.connector_receive(:'session', n.id, '15558884444@s.whatsapp.net', '15558884444@s.whatsapp.net', 'Ann', 'text', n.id, NULL, n.at) IS NOT NULL AS received FROM (VALUES ('second', timestamptz '2026-03-01 10:00:02+00'), ('third', '2026-03-01 10:00:02+00'), ('fourth', '2026-03-01 10:00:03+00'), ('first, late', '2026-03-01 10:00:01+00')) n (id, at);
SELECT source AS message_list FROM wa.statement WHERE role_name = 'wa_gateway' AND name = 'message_list' \gset
PREPARE message_list(uuid, text, uuid, timestamptz, uuid, timestamptz, timestamptz, uuid, int4) AS :message_list;
CREATE FUNCTION pg_temp.listed(session uuid, before text DEFAULT NULL, after text DEFAULT NULL, before_at text DEFAULT NULL, after_at text DEFAULT NULL, page integer DEFAULT 200) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	row record;
	at timestamptz;
	id uuid;
	found text[];
	before_id constant uuid := (SELECT m.id FROM wa.message m WHERE m.wa_message_id = before);
	after_id constant uuid := (SELECT m.id FROM wa.message m WHERE m.wa_message_id = after);
BEGIN
	-- page by page, as the gateway does
	LOOP
		FOR row IN EXECUTE format('EXECUTE message_list(%L, ''15558884444'', %L, %L, %L, %L, %L, %L, %s)',
			session, before_id, before_at, after_id, after_at, at, id, page) LOOP
			EXIT WHEN row.id IS NULL;
			found := found || row.body;
			at := row."timestamp";
			id := row.id;
		END LOOP;
		EXIT WHEN row.id IS NULL OR page = 200;
	END LOOP;
	RETURN array_to_string(found, '; ');
END $$;
SELECT l.page, pg_temp.listed(:'session', page => l.page) FROM wa.authenticate(:'acme_all'), (VALUES (1), (2), (3), (200)) l (page);
SELECT pg_temp.listed(:'session', before => 'third') AS before_third, pg_temp.listed(:'session', after => 'second') AS after_second, pg_temp.listed(:'session', after => 'first, late', before => 'fourth') AS between,
	pg_temp.listed(:'session', before_at => '2026-03-01 10:00:02+00') AS before_time, pg_temp.listed(:'session', after_at => '2026-03-01 10:00:01+00') AS after_time
FROM wa.authenticate(:'acme_all');
SELECT last_message_at AT TIME ZONE 'UTC' AS last_message_at FROM wa.chat WHERE session_id = :'session' AND jid = '15558884444@s.whatsapp.net';
