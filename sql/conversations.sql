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
SELECT wa.act_for(:'acme') \; SELECT wa.connector_receive(:'session', 'F1', '15558880000@s.whatsapp.net', '15558880000@s.whatsapp.net', 'Zoë', 'text', 'hello', NULL, now()) IS NOT NULL AS received;
SELECT w.written, wa.chat_jid(w.written), c.pinned, r.unread_count
FROM wa.authenticate(:'acme_all'), (VALUES ('15558880000'), ('+15558880000'), ('15558880000@c.us'), ('15558880000@s.whatsapp.net')) w (written),
	wa.update_chat(:'session', w.written, pinned => true) c, wa.read_chat(:'session', w.written) r;
SELECT status FROM wa.message WHERE wa_message_id = 'F1';
-- What is no address names nothing, and another organization's chat is not there in any form.
SELECT w.written, wa.chat_jid(w.written), e.state, e.message
FROM wa.authenticate(:'acme_all'), (VALUES ('nobody'), (''), ('15558880000@lid'), (' 15558880000')) w (written), error_of(format('SELECT wa.read_chat(%L, %L)', :'session', w.written)) e;
SELECT e.state, e.message FROM wa.authenticate(:'beta_all'), error_of(format('SELECT wa.read_chat(%L, %L)', :'session', '+15558880000')) e;
