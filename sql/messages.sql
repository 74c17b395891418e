-- Sessions and messages, from the key that asks for them to the connector that
-- carries them out.
SELECT value AS acme FROM fixture WHERE name = 'acme' \gset
SELECT value AS beta FROM fixture WHERE name = 'beta' \gset
SELECT value AS acme_all FROM fixture WHERE name = 'acme_all' \gset
SELECT value AS acme_session FROM fixture WHERE name = 'acme_session' \gset
SELECT value AS beta_session FROM fixture WHERE name = 'beta_session' \gset
SELECT value AS beta_message FROM fixture WHERE name = 'beta_message' \gset
\set superuser :USER
\set SHOW_CONTEXT never

-- Recipients.
SELECT r, wa.recipient_jid(r), wa.chat_type(wa.recipient_jid(r))
FROM unnest(ARRAY['15551234567', '+15551234567', '15551234567@c.us', '15551234567@s.whatsapp.net',
	'120363025246125486@g.us', '15551234567-1405018234@g.us', '120363025246125486@newsletter',
	'1234567@broadcast', 'status@broadcast', '100000012345678@lid',
	'', ' 15551234567', '05551234567', '123456', '1234567890123456', '15551234567@', '@c.us', 'x@g.us',
	E'15551234567\n', '15551234567@s.whatsapp.net.example', '15551234567@c.us@c.us',
	-- The server's name in any case; what stands in front of it as it is, and no letter that only folds to one.
	'15551234567@C.US', '15551234567@S.WhatsApp.Net', '120363025246125486@G.US', '120363025246125486@Newsletter',
	'1234567@BROADCAST', 'status@Broadcast', '100000012345678@LID',
	'STATUS@broadcast', '15551234567@c.uſ', '100000012345678@lİd']) r;

-- A second session of Acme that is not ready yet, and what can be wrong.
SELECT wa.authenticate(:'acme_all') IS NOT NULL \; SELECT id, status, auto_read, connector FROM wa.create_session('  Support  ', true, true) \gset
SELECT :'status' AS status, :'auto_read' AS auto_read, :'connector' AS connector;
\set support :id
SELECT wa.authenticate(:'acme_all') IS NOT NULL \; SELECT * FROM error_of($$SELECT wa.create_session('')$$);
SELECT e.column_name, e.message FROM wa.authenticate(:'acme_all'), (VALUES ('sandbux'), ('Sandbox'), ('No Such'), ('')) c (name), error_of(format($$SELECT wa.create_session('x', connector => %L)$$, c.name)) e;
-- A session without one needs the sandbox as one that names it does.
SET wa.connectors = 'actions';
SELECT e.column_name, e.message FROM wa.authenticate(:'acme_all'), error_of($$SELECT wa.create_session()$$) e;
RESET wa.connectors;
-- No login of ours can add one; what is no list of names is refused.
SET ROLE wa_app; SET wa.connectors = 'sandbux'; RESET ROLE;
SET wa.connectors = 'sandbox,';
SET wa.connectors = 'a b';
SET wa.connectors = '';
SELECT wa.authenticate(:'acme_all') IS NOT NULL \; SELECT status, label FROM wa.create_session(start => false);
SELECT wa.authenticate(:'acme_all') IS NOT NULL \; SELECT e.* FROM (VALUES
	($$'12', 'text', '{"text":"hi"}'$$), ($$NULL, 'text', '{"text":"hi"}'$$),
	($$'15551234567', 'text', '{"text":"hi"}', reply_to => '$$ || :'beta_message' || $$'$$),
	($$'15551234567', 'text', '{"text":"hi"}', mentions => '{x}'$$)) a (arguments),
	error_of(format('SELECT wa.send_message(%L, %s)', :'acme_session', arguments)) e;

-- Sent: queued, with its chat.
SELECT wa.authenticate(:'acme_all') IS NOT NULL \; SELECT id, status, session_id, replayed FROM wa.send_message(:'acme_session', '+15551230000', 'text', '{"text":"first"}', mentions => '{15557654321}') \gset first_
SELECT status, direction, chat_jid, body, content FROM wa.message WHERE id = :'first_id';
SELECT wa.authenticate(:'acme_all') IS NOT NULL \; SELECT jid, type, unread_count, last_message_at IS NOT NULL AS dated FROM wa.chat WHERE jid = '15551230000@s.whatsapp.net';
SELECT wa.authenticate(:'acme_all') IS NOT NULL \; SELECT count(*) FROM wa.send_message(:'support', '15551230000', 'text', '{"text":"waits"}');

-- The connector takes the sessions that want to run, of every organization,
-- and then the messages of those that work.
SELECT status, label FROM wa.connector_sessions('sandbox', 'one', 100, '30 s') WHERE session_id IN (:'acme_session', :'beta_session', :'support') ORDER BY label;
SELECT count(*) AS for_another_owner FROM wa.connector_sessions('sandbox', 'two', 10, '30 s');
SELECT count(*) AS for_another_connector FROM wa.connector_sessions('cloud', 'one', 10, '30 s');
SELECT * FROM error_of($$SELECT wa.connector_sessions('sandbox', '', 10, '30 s')$$);
SELECT * FROM error_of($$SELECT wa.connector_claim('sandbox', 'one', 0, '30 s')$$);
SELECT * FROM error_of($$SELECT wa.connector_claim('sandbox', 'one', 10, '0 s')$$);
SELECT count(*) AS without_the_session FROM wa.connector_claim('sandbox', 'two', 10, '30 s');
SELECT org_id = :'acme' AS of_acme, message_id = :'first_id' AS is_first, chat_jid, type, body, mentions, attempt, maybe_sent
FROM wa.connector_claim('sandbox', 'one', 100, '30 s') WHERE message_id >= :'first_id';
SELECT count(*) AS twice FROM wa.connector_claim('sandbox', 'one', 10, '30 s');

-- The lease ran out: somebody may have sent it.
UPDATE wa.message SET lease_until = now() - interval '1 s' WHERE id = :'first_id';
SELECT attempt, maybe_sent FROM wa.connector_claim('sandbox', 'one', 10, '30 s');

-- Reports act for one organization; another's message is not there.
BEGIN; SELECT wa.act_for(:'beta'); SET LOCAL ROLE wa_owner; SELECT wa.connector_sent(:'first_id', 'W1', now()) AS by_beta; ROLLBACK;
SELECT wa.connector_sent(:'first_id', 'W1', now());
SELECT wa.act_for(:'acme') \; SELECT wa.connector_failed(:'first_id', 'network', true) AS retried;
SELECT status, error, lease_until > now() AS later FROM wa.message WHERE id = :'first_id';
SELECT count(*) AS not_before_then FROM wa.connector_claim('sandbox', 'one', 10, '30 s');
SELECT wa.act_for(:'acme') \; SELECT wa.connector_sent(:'first_id', 'W1', '2026-01-02 03:04:05+00') AS sent, wa.connector_sent(:'first_id', 'W2', now()) AS twice;
-- Status reports arrive in any order and never take a message back.
SELECT wa.act_for(:'acme') \; SELECT wa.connector_status(:'acme_session', 'W1', 'read', now()) AS read, wa.connector_status(:'acme_session', 'W1', 'delivered', now()) AS back;
SELECT wa.act_for(:'acme') \; SELECT * FROM error_of(format($$SELECT wa.connector_status(%L, 'W1', 'queued', now())$$, :'acme_session'));
SELECT status, wa_message_id, sent_at AT TIME ZONE 'UTC' AS sent_at, lease_owner FROM wa.message WHERE id = :'first_id';

-- A session's report: only by the one who leases it, and not after a stop.
SELECT wa.act_for(:'acme') \; SELECT wa.connector_session(:'support', 'two', 'working') AS not_the_owner;
SELECT wa.act_for(:'acme') \; SELECT wa.connector_session(:'support', 'one', 'scan_qr_code', qr_code => 'QR', qr_expires_at => now() + interval '1 min') AS pairing;
SELECT wa.authenticate(:'acme_all') IS NOT NULL \; SELECT qr_code FROM wa.session_pairing WHERE session_id = :'support';
SELECT wa.act_for(:'acme') \; SELECT wa.connector_session(:'support', 'one', 'working', '15550009999', '15550009999@s.whatsapp.net') AS paired;
SELECT status, phone_number, last_connected_at IS NOT NULL AS connected FROM wa.session WHERE id = :'support';
SELECT count(*) AS pairings_left FROM wa.session_pairing;
SELECT body FROM wa.connector_claim('sandbox', 'one', 10, '30 s');
UPDATE wa.session SET status = 'stopped' WHERE id = :'support';
SELECT wa.act_for(:'acme') \; SELECT wa.connector_session(:'support', 'one', 'working') AS after_stop;

-- Received: once, with chat and contact, read at once where the session says so.
SELECT wa.act_for(:'acme') \; SELECT wa.connector_receive(:'acme_session', 'IN1', '15553334444@s.whatsapp.net', '15553334444@s.whatsapp.net', 'Ann', 'text', 'hello', NULL, now()) AS received \gset
SELECT wa.act_for(:'acme') \; SELECT wa.connector_receive(:'acme_session', 'IN1', '15553334444@s.whatsapp.net', '15553334444@s.whatsapp.net', 'Ann', 'text', 'hello', NULL, now()) = :'received' AS once;
SELECT wa.act_for(:'acme') \; SELECT wa.connector_receive(:'support', 'IN2', '15553334444@s.whatsapp.net', '15553334444@s.whatsapp.net', '', 'text', 'auto', NULL, now()) IS NOT NULL AS received;
SELECT direction, status, sender_name, body FROM wa.message WHERE wa_message_id IN ('IN1', 'IN2') ORDER BY wa_message_id;
SELECT phone_number, name FROM wa.contact ORDER BY name;
SELECT unread_count FROM wa.chat WHERE jid = '15553334444@s.whatsapp.net' ORDER BY unread_count;
SELECT wa.act_for(:'acme') \; SELECT * FROM error_of(format($$SELECT wa.connector_receive(%L, 'IN3', 'x', 'x', '', 'text', 'x', NULL, now())$$, :'acme_session'));
BEGIN; SELECT wa.act_for(:'acme'); SET LOCAL ROLE wa_owner; SELECT * FROM error_of(format($$SELECT wa.connector_receive(%L, 'IN3', '15553334444@s.whatsapp.net', '15553334444@s.whatsapp.net', '', 'text', 'x', NULL, now())$$, :'beta_session')); ROLLBACK;

-- A connector that stops gives its sessions back.
SELECT wa.connector_release('one') > 0 AS released;
SELECT count(*) AS left_over FROM wa.session WHERE lease_owner = 'one';
SELECT count(*) > 0 AS taken FROM wa.connector_sessions('sandbox', 'two', 1, '30 s');
SELECT count(*) AS never_more_than_asked_for FROM wa.connector_sessions('sandbox', 'two', 1, '30 s');
SELECT wa.connector_release('two') AS released;

-- An answer waits until WhatsApp has the message that it quotes, and then names it.
SELECT wa.authenticate(:'acme_all') IS NOT NULL \; SELECT id AS answers FROM wa.create_session('answers', connector => 'answers') \gset
SELECT count(*) FROM wa.connector_sessions('answers', 'one', 10, '5 min');
SELECT wa.act_for(:'acme') \; SELECT wa.connector_session(:'answers', 'one', 'working', '15550000002', '15550000002@s.whatsapp.net');
SELECT wa.authenticate(:'acme_all') IS NOT NULL \; SELECT id AS asked FROM wa.send_message(:'answers', '15557770000', 'text', '{"text":"question"}') \gset
SELECT wa.authenticate(:'acme_all') IS NOT NULL \; SELECT id AS answered FROM wa.send_message(:'answers', '15557770000', 'text', '{"text":"answer"}', :'asked') \gset
SELECT wa.authenticate(:'acme_all') IS NOT NULL \; SELECT id AS added FROM wa.send_message(:'answers', '15557770000', 'text', '{"text":"answer to the answer"}', :'answered') \gset
SELECT body, quoted_wa_message_id FROM wa.connector_claim('answers', 'one', 10, '5 min');
SELECT wa.act_for(:'acme') \; SELECT wa.connector_failed(:'asked', 'network', true);
SELECT count(*) AS while_it_is_tried_again FROM wa.connector_claim('answers', 'one', 10, '5 min');
SELECT wa.act_for(:'acme') \; SELECT wa.connector_sent(:'asked', 'Q1', now());
SELECT body, quoted_wa_message_id FROM wa.connector_claim('answers', 'one', 10, '5 min');
-- One that is never sent takes the answers with it, and nobody answers it any more.
SELECT wa.act_for(:'acme') \; SELECT wa.connector_failed(:'answered', 'no such number');
SELECT count(*) AS without_what_it_answers FROM wa.connector_claim('answers', 'one', 10, '5 min');
SELECT body, status, error FROM wa.message WHERE id = :'added';
SELECT e.state, e.message FROM wa.authenticate(:'acme_all'), error_of(format($$SELECT wa.send_message(%L, '15557770000', 'text', '{"text":"x"}', %L)$$, :'answers', :'answered')) e;
UPDATE wa.message SET revoked = true WHERE id = :'asked';
SELECT e.state, e.message FROM wa.authenticate(:'acme_all'), error_of(format($$SELECT wa.send_message(%L, '15557770000', 'text', '{"text":"x"}', %L)$$, :'answers', :'asked')) e;

-- Logged out: nothing can be sent, and nobody runs it.
UPDATE wa.session SET status = 'logged_out' WHERE id = :'support';
SELECT wa.authenticate(:'acme_all') IS NOT NULL \; SELECT * FROM error_of(format($$SELECT wa.send_message(%L, '15551230000', 'text', '{"text":"x"}')$$, :'support'));

-- Applications and administrators are no connectors.
\c - regress_app
\set SHOW_CONTEXT never
SELECT wa.connector_sessions('sandbox', 'x', 1, '30 s');
SELECT wa.connector_claim('sandbox', 'x', 1, '30 s');
SELECT wa.connector_release('one');
SELECT wa.connector_sent(:'first_id', 'x', now());
SELECT wa.connector_failed(:'first_id', 'x');
SELECT wa.connector_status(:'acme_session', 'x', 'read', now());
SELECT wa.connector_session(:'acme_session', 'x', 'working');
SELECT wa.connector_receive(:'acme_session', 'x', 'x', 'x', 'x', 'text', 'x', NULL, now());
\c - regress_admin
SELECT wa.act_for(:'acme');
SELECT * FROM wa.message;
SELECT * FROM wa.session;
