-- Message actions: queued by a key with send, carried out by the connector,
-- shown by the message; and what others do to messages.
SELECT value AS acme FROM fixture WHERE name = 'acme' \gset
SELECT value AS acme_all FROM fixture WHERE name = 'acme_all' \gset
SELECT value AS acme_send FROM fixture WHERE name = 'acme_send' \gset
SELECT value AS acme_read FROM fixture WHERE name = 'acme_read' \gset
SELECT value AS beta_message FROM fixture WHERE name = 'beta_message' \gset
SELECT value AS beta_session FROM fixture WHERE name = 'beta_session' \gset
\set superuser :USER
\set SHOW_CONTEXT never

-- A working session with a text and a picture that were sent, and one text received.
SELECT wa.authenticate(:'acme_all') IS NOT NULL \; SELECT id AS session FROM wa.create_session('actions', connector => 'actions') \gset
SELECT count(*) FROM wa.connector_sessions('actions', 'one', 10, '5 min');
SELECT wa.act_for(:'acme') \; SELECT wa.connector_session(:'session', 'one', 'working', '15550000001', '15550000001@s.whatsapp.net');
SELECT wa.authenticate(:'acme_send') IS NOT NULL \; SELECT t.id AS text, p.id AS picture FROM wa.send_message(:'session', '15553330000', 'text', '{"text":"teh text"}') t, wa.send_message(:'session', '15553330000', 'image', '{"media":{"data":"AAEC","mimetype":"image/png"},"caption":"look"}') p \gset
-- Nothing can be done to a message that WhatsApp does not have yet.
SELECT c.call, e.state, e.message FROM (VALUES ('react_to_message(%L, %L, ''👍'')'), ('edit_message(%L, %L, ''x'')'), ('revoke_message(%L, %L)'), ('forward_message(%L, %L, ''15554440000'')')) c (call),
	wa.authenticate(:'acme_send'), error_of(format('SELECT wa.' || call, :'session', :'text')) e;
SELECT body, media_size FROM wa.connector_claim('actions', 'one', 10, '5 min') ORDER BY body;
SELECT wa.act_for(:'acme') \; SELECT wa.connector_sent(:'text', 'T1', now()), wa.connector_sent(:'picture', 'P1', now());
SELECT wa.act_for(:'acme') \; SELECT wa.connector_receive(:'session', 'R1', '15553330000@s.whatsapp.net', '15553330000@s.whatsapp.net', 'Ann', 'text', 'an answer', NULL, now()) AS received \gset

-- Somebody else's message can't be changed; a caption of one's own can.
SELECT c.call, e.state, e.message FROM (VALUES ('edit_message(%L, %L, ''x'')'), ('revoke_message(%L, %L)')) c (call),
	wa.authenticate(:'acme_send'), error_of(format('SELECT wa.' || call, :'session', :'received')) e;
SELECT e.state, e.message FROM wa.authenticate(:'acme_send'), error_of(format('SELECT wa.edit_message(%L, %L, ''x'')', :'session', :'picture')) e;
-- Wrong fields.
SELECT e.state, e.column_name, e.message FROM wa.authenticate(:'acme_send'), unnest(ARRAY['edit_message(%L, %L, '''')', 'edit_message(%L, %L, NULL)', 'react_to_message(%L, %L, ''ok'')', 'react_to_message(%L, %L, NULL)', 'forward_message(%L, %L, ''x'')']) c, error_of(format('SELECT wa.' || c, :'session', :'text')) e;
-- psql's releases disagree about how wide these are.
\pset format unaligned
SELECT emoji, e.state FROM wa.authenticate(:'acme_send'), unnest(ARRAY['👍', '❤️', '👩‍👩‍👧‍👦', '🇩🇪', '1️⃣', '', 'x', '👍 👍', '<b>']) emoji, error_of(format('SELECT wa.react_to_message(%L, %L, %L)', :'session', :'text', emoji)) e;
\pset format aligned
DELETE FROM wa.message_action;
-- As many wait as messages may.
SELECT wa.set_org_limit(:'acme', 'queued_messages', 2);
SELECT wa.authenticate(:'acme_send') IS NOT NULL \; SELECT e.state, e.constraint_name FROM unnest(ARRAY['👍', '🙏', '']) emoji, error_of(format('SELECT wa.react_to_message(%L, %L, %L)', :'session', :'text', emoji)) e;
UPDATE wa.message_action SET status = 'done' WHERE id = (SELECT id FROM wa.message_action ORDER BY id LIMIT 1);
SELECT wa.authenticate(:'acme_send') IS NOT NULL \; SELECT e.state, e.constraint_name FROM (VALUES ('wa.edit_message(%L, %L, ''x'')'), ('wa.forward_message(%L, %L, ''15554440000'')')) c (call), error_of(format('SELECT ' || call, :'session', :'text')) e;
SELECT wa.set_org_limit(:'acme', 'queued_messages', NULL);
DELETE FROM wa.message_action;

-- Queued, taken, done.
SELECT wa.authenticate(:'acme_send') IS NOT NULL \; SELECT id IS NOT NULL AS queued, message_id = :'text' AS of_text, status FROM wa.react_to_message(:'session', :'text', '👍') \; SELECT status FROM wa.react_to_message(:'session', :'received', '🙏') \; SELECT status FROM wa.edit_message(:'session', :'text', 'the text') \; SELECT message_id AS copy FROM wa.forward_message(:'session', :'picture', '15554440000') \gset
SELECT wa.authenticate(:'acme_send') IS NOT NULL \; SELECT status FROM wa.revoke_message(:'session', :'picture');
-- Nothing more is asked of a message that is about to go.
SELECT c.call, e.state, e.message FROM (VALUES ('react_to_message(%L, %L, ''👍'')'), ('revoke_message(%L, %L)'), ('forward_message(%L, %L, ''15554440000'')')) c (call),
	wa.authenticate(:'acme_send'), error_of(format('SELECT wa.' || call, :'session', :'picture')) e;
SELECT count(*) AS for_another FROM wa.connector_actions('actions', 'two', 10, '5 min');
SELECT action_id, type, payload - 'copy' AS payload, chat_jid, wa_message_id, from_me, attempt, maybe_sent, message_type, body, media_size INTO TEMP taken FROM wa.connector_actions('actions', 'one', 10, '5 min');
SELECT type, payload, wa_message_id, from_me, attempt, maybe_sent, message_type, body, media_size FROM taken ORDER BY action_id;
SELECT count(*) AS twice FROM wa.connector_actions('actions', 'one', 10, '5 min');
UPDATE wa.message_action SET lease_until = now() - interval '1 s' WHERE type = 'edit';
SELECT type, attempt, maybe_sent FROM wa.connector_actions('actions', 'one', 10, '5 min');
SELECT wa.act_for(:'acme') \; SELECT type, wa.connector_action_failed(action_id, 'no network', true) AS retried FROM taken WHERE type = 'edit' \; SELECT type, wa.connector_action_done(action_id, CASE type WHEN 'forward' THEN 'F1' END, now()) AS done FROM (SELECT * FROM taken ORDER BY action_id) t;
SELECT wa.act_for(:'acme') \; SELECT count(*) AS done_twice FROM taken WHERE wa.connector_action_done(action_id, NULL, now());
SELECT body, edited, revoked, reactions, media, media_data FROM wa.message WHERE session_id = :'session' AND id IN (:'text', :'picture', :'received') ORDER BY wa_message_id;
SELECT id = :'copy' AS is_the_copy, chat_jid, type, body, forwarded, status, wa_message_id, octet_length(media_data) AS data FROM wa.message WHERE wa_message_id = 'F1';
-- A deleted message takes no more actions; an empty emoji takes a reaction back.
SELECT e.state, e.message FROM wa.authenticate(:'acme_send'), error_of(format('SELECT wa.react_to_message(%L, %L, ''👍'')', :'session', :'picture')) e;
SELECT wa.authenticate(:'acme_send') IS NOT NULL \; SELECT status FROM wa.react_to_message(:'session', :'text', '');
SELECT wa.act_for(:'acme') \; SELECT wa.connector_action_done((SELECT action_id FROM wa.connector_actions('actions', 'one', 10, '5 min')), NULL, now());
SELECT reactions FROM wa.message WHERE id = :'text';

-- What was asked for before a deletion, and is overtaken by it, is not done.
INSERT INTO wa.message_action (org_id, session_id, message_id, type, payload) VALUES (:'acme', :'session', :'picture', 'edit', '{"text":"undead"}');
SELECT count(*) FROM wa.connector_actions('actions', 'one', 10, '5 min');
SELECT status, error FROM wa.message_action WHERE payload ->> 'text' = 'undead';

-- What others do: anyone reacts, only the sender edits and revokes.
SELECT wa.act_for(:'acme') \; SELECT wa.connector_change(:'session', 'T1', '15553330000@s.whatsapp.net', 'react', '🎉') AS reacted, wa.connector_change(:'session', 'T1', '15553330000@s.whatsapp.net', 'edit', 'forged') AS edited_mine;
SELECT wa.act_for(:'acme') \; SELECT wa.connector_change(:'session', 'R1', '15559990000@s.whatsapp.net', 'revoke', NULL) AS by_a_stranger, wa.connector_change(:'session', 'R1', '15553330000@s.whatsapp.net', 'edit', 'a better answer') AS edited;
SELECT body, edited, revoked, reactions FROM wa.message WHERE wa_message_id IN ('T1', 'R1') ORDER BY wa_message_id;
SELECT wa.act_for(:'acme') \; SELECT wa.connector_change(:'session', 'R1', '15553330000@s.whatsapp.net', 'revoke', NULL) AS revoked, wa.connector_change(:'session', 'unknown', 'x', 'revoke', NULL) AS unknown;
SELECT body, revoked FROM wa.message WHERE wa_message_id = 'R1';

-- Chats: archived, muted, read by a key with send.
SELECT wa.authenticate(:'acme_send') IS NOT NULL \; SELECT archived, pinned, muted_until AT TIME ZONE 'UTC' AS muted FROM wa.update_chat(:'session', '15553330000@s.whatsapp.net', archived => true, muted_until => '2100-01-01 00:00:00+00') \; SELECT archived, pinned, muted_until FROM wa.update_chat(:'session', '15553330000@s.whatsapp.net', pinned => true, muted_until => 'epoch');
SELECT wa.act_for(:'acme') \; SELECT wa.connector_receive(:'session', 'R2', '15553330000@s.whatsapp.net', '15553330000@s.whatsapp.net', 'Ann', 'text', 'unread', NULL, now()) IS NOT NULL AS received;
SELECT wa.authenticate(:'acme_send') IS NOT NULL \; SELECT unread_count FROM wa.read_chat(:'session', '15553330000@s.whatsapp.net');
SELECT status FROM wa.message WHERE wa_message_id = 'R2';
SELECT e.state, e.message FROM wa.authenticate(:'acme_send'), unnest(ARRAY['update_chat', 'read_chat']) f, error_of(format('SELECT wa.%I(%L, ''nobody'')', f, :'session')) e;

-- Each needs send, and a message of this organization.
SELECT c.call, e.state, e.constraint_name FROM (VALUES ('react_to_message(%L, %L, ''👍'')'), ('edit_message(%L, %L, ''x'')'), ('revoke_message(%L, %L)'), ('forward_message(%L, %L, ''15554440000'')'), ('update_chat(%L, %L)'), ('read_chat(%L, %L)')) c (call),
	wa.authenticate(:'acme_read'), error_of(format('SELECT wa.' || call, :'session', :'text')) e;
SELECT c.call, e.state, e.message FROM (VALUES ('react_to_message(%L, %L, ''👍'')'), ('edit_message(%L, %L, ''x'')'), ('revoke_message(%L, %L)'), ('forward_message(%L, %L, ''15554440000'')')) c (call),
	wa.authenticate(:'acme_send'), error_of(format('SELECT wa.' || call, :'beta_session', :'beta_message')) e;
SELECT c.call, e.state, e.message FROM (VALUES ('react_to_message(%L, %L, ''👍'')'), ('edit_message(%L, %L, ''x'')'), ('revoke_message(%L, %L)'), ('forward_message(%L, %L, ''15554440000'')')) c (call),
	wa.authenticate(:'acme_send'), error_of(format('SELECT wa.' || call, :'session', :'beta_message')) e;
\c - regress_app
SELECT wa.connector_actions('actions', 'one', 10, '5 min');
SELECT wa.connector_action_done(:'text', NULL, now());
SELECT wa.connector_action_failed(:'text', 'x');
SELECT wa.connector_change(:'session', 'T1', 'x', 'react', 'x');
SELECT wa.queue_action(NULL, 'react', '{}');
SELECT wa.apply_action(NULL, NULL, NULL);
SELECT media_data FROM wa.message;
