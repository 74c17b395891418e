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
FROM wa.authenticate(:'acme_all'), (VALUES ('15558880000'), ('+15558880000'), ('15558880000@c.us'), ('15558880000@s.whatsapp.net')) w (written),
	wa.update_chat(:'session', w.written, pinned => true) c, wa.read_chat(:'session', w.written) r;
SELECT status FROM wa.message WHERE wa_message_id = 'C1';
-- What is no address names nothing, and another organization's chat is not there in any form.
SELECT w.written, wa.chat_jid(w.written), e.state, e.message
FROM wa.authenticate(:'acme_all'), (VALUES ('nobody'), (''), ('15558880000@lid'), (' 15558880000')) w (written), error_of(format('SELECT wa.read_chat(%L, %L)', :'session', w.written)) e;
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
