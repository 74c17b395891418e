-- What is queued belongs to the phone number that it was queued for.  No other number
-- sends it, whatever ends the pairing, and what WhatsApp knows under one number cannot be
-- asked for under another.
\set superuser :USER
\set SHOW_CONTEXT never
SELECT value AS acme FROM fixture WHERE name = 'acme' \gset
SELECT value AS beta FROM fixture WHERE name = 'beta' \gset
SELECT value AS acme_all FROM fixture WHERE name = 'acme_all' \gset
SELECT value AS beta_all FROM fixture WHERE name = 'beta_all' \gset
-- Three sessions: one loses its number, one of the same organization and one of another do not.
INSERT INTO wa.session (org_id, label, status, connector) VALUES (:'acme', 'moves', 'starting', 'numbers') RETURNING id AS moves \gset
INSERT INTO wa.session (org_id, label, status, connector) VALUES (:'acme', 'stays', 'starting', 'numbers') RETURNING id AS stays \gset
INSERT INTO wa.session (org_id, label, status, connector) VALUES (:'beta', 'foreign', 'starting', 'numbers') RETURNING id AS foreign \gset
UPDATE wa.session SET rate_per_min = 0, rate_per_hour = 0 WHERE connector = 'numbers';
CREATE VIEW public.queue AS
	SELECT s.label, m.body, m.status, m.error, m.session_phone_number AS number, s.org_id FROM wa.session s JOIN wa.message m ON m.org_id = s.org_id AND m.session_id = s.id WHERE s.connector = 'numbers';
-- Asks a connector for work: the sessions, and then what it gets.
CREATE FUNCTION public.claimed() RETURNS TABLE (label text, claimed text) LANGUAGE plpgsql AS $$
BEGIN
	PERFORM wa.connector_sessions('numbers', 'one', 100, '5 min');
	RETURN QUERY
	SELECT s.label, c.what FROM (
		SELECT m.session_id, m.body FROM wa.connector_claim('numbers', 'one', 100, '5 min') m
		UNION ALL
		SELECT a.session_id, a.type FROM wa.connector_actions('numbers', 'one', 100, '5 min') a) c (session, what)
		JOIN wa.session s ON s.id = c.session
	ORDER BY 1, 2;
END $$;
CREATE FUNCTION public.pair(org uuid, session uuid, phone text) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
	PERFORM wa.connector_sessions('numbers', 'one', 100, '5 min');
	PERFORM wa.act_for(org);
	RETURN wa.connector_session(session, 'one', 'working', phone, phone || '@s.whatsapp.net');
END $$;
SELECT pair(:'acme', :'moves', '15550000001') AS moves;
SELECT pair(:'acme', :'stays', '15550000003') AS stays;
SELECT pair(:'beta', :'foreign', '15550000004') AS foreign;

-- Something that WhatsApp has, something that a connector has taken, an action that is
-- taken, and then of each kind what waits.
SELECT wa.authenticate(:'acme_all') IS NOT NULL \; SELECT id AS sent FROM wa.send_message(:'moves', '15551110000', 'text', '{"text":"sent"}') \gset
SELECT * FROM claimed();
SELECT wa.act_for(:'acme') IS NULL AS x \; SELECT wa.connector_sent(:'sent', 'N1', now());
SELECT wa.act_for(:'acme') IS NULL AS x \; SELECT wa.connector_receive(:'moves', 'N2', '15551110000@s.whatsapp.net', '15551110000@s.whatsapp.net', 'Ann', 'text', 'received', NULL, now()) AS received \gset
SELECT wa.authenticate(:'acme_all') IS NOT NULL \; SELECT id AS taken FROM wa.send_message(:'moves', '15551110000', 'text', '{"text":"taken"}') \gset
SELECT wa.authenticate(:'acme_all') IS NOT NULL \; SELECT id AS retried FROM wa.send_message(:'moves', '15551110000', 'text', '{"text":"to be retried"}') \gset
SELECT wa.authenticate(:'acme_all') IS NOT NULL \; SELECT id AS reaction FROM wa.react_to_message(:'moves', :'received', '👍') \gset
SELECT * FROM claimed();
SELECT wa.act_for(:'acme') IS NULL AS x \; SELECT wa.connector_failed(:'retried', 'network', true);
SELECT wa.authenticate(:'acme_all') IS NOT NULL \; SELECT count(*) AS queued FROM (VALUES (wa.send_message(:'moves', '15551110000', 'text', '{"text":"waits"}', idempotency_key => 'once')), (wa.send_message(:'moves', '15551110000', 'text', '{"text":"answers"}', :'received')),
	(wa.send_message(:'moves', '15551110000', 'text', '{"text":"answers what is taken"}', :'taken')), (wa.send_message(:'moves', '15551110000', 'poll', '{"name":"poll","options":["a","b"]}'))) m;
SELECT wa.authenticate(:'acme_all') IS NOT NULL \; SELECT count(*) AS queued FROM (VALUES (wa.edit_message(:'moves', :'sent', 'edited')), (wa.revoke_message(:'moves', :'sent'))) a;
SELECT wa.authenticate(:'acme_all') IS NOT NULL \; SELECT count(*) AS queued FROM (VALUES (wa.send_message(:'stays', '15551110000', 'text', '{"text":"of the neighbour"}'))) m;
SELECT wa.authenticate(:'beta_all') IS NOT NULL \; SELECT count(*) AS queued FROM (VALUES (wa.send_message(:'foreign', '15551110000', 'text', '{"text":"of Beta"}'))) m;

-- Denied: Beta logs out nothing of Acme's, and nobody calls what fails the queue.
\c - regress_app
\set SHOW_CONTEXT never
SELECT e.* FROM wa.authenticate(:'beta_all'), error_of(format('SELECT wa.control_session(%L, ''logout'')', :'moves')) e;
SELECT wa.fail_unsent(:'acme', :'moves', 1);
SELECT wa.end_pairing(:'moves', 'x');
SELECT wa.sweep_unsent(:'acme', 1);
SELECT wa.events_at_once(:'acme', 1);
SELECT wa.event_rows(:'acme');
-- Stop, start and restart keep what waits.
SELECT wa.authenticate(:'acme_all') IS NOT NULL \; SELECT c, (wa.control_session(:'moves', c)).status FROM unnest(ARRAY['stop', 'start', 'restart']) c;
\c - :superuser
\set SHOW_CONTEXT never
SELECT body, status, error FROM queue WHERE label = 'moves' AND status <> 'delivered' ORDER BY body;
-- So does a connector that reports the same number again, or none.
SELECT pair(:'acme', :'moves', '15550000001') AS paired;
SELECT wa.act_for(:'acme') IS NULL AS x \; SELECT wa.connector_session(:'moves', 'one', 'working') AS reported;
SELECT status, count(*) FROM queue WHERE label = 'moves' GROUP BY 1 ORDER BY 1;

-- A logout fails what waits in the same moment; what a connector has taken it may still report.
\c - regress_app
\set SHOW_CONTEXT never
SELECT wa.authenticate(:'acme_all') IS NOT NULL \; SELECT status, phone_number, wa_jid FROM wa.control_session(:'moves', 'logout');
\c - :superuser
\set SHOW_CONTEXT never
SELECT body, status, error, number FROM queue WHERE label = 'moves' ORDER BY body;
SELECT type, status, error FROM wa.message_action WHERE session_id = :'moves' ORDER BY type;
SELECT type, envelope::jsonb -> 'payload' ->> 'body' AS body, envelope::jsonb -> 'payload' ->> 'status' AS status, envelope::jsonb -> 'payload' ->> 'error' AS error, envelope::jsonb -> 'payload' ->> 'sessionPhoneNumber' AS number
FROM wa.event WHERE session_id = :'moves' AND type = 'message.status' AND envelope LIKE '%failed%' ORDER BY 2;
-- The others are untouched.
SELECT label, body, status, error FROM queue WHERE label <> 'moves' ORDER BY 1;
-- A second logout changes nothing, and while it lasts nothing is queued.  A request
-- that comes again gets its first answer, and makes no second message.
SELECT wa.authenticate(:'acme_all') IS NOT NULL \; SELECT status, pairing FROM wa.control_session(:'moves', 'logout');
SELECT e.state, e.message, call FROM wa.authenticate(:'acme_all'), (VALUES ('send_message(%1$L, ''15551110000'', ''text'', ''{"text":"x"}'')'), ('react_to_message(%1$L, %2$L, ''👍'')')) c (call), error_of(format('SELECT wa.' || call, :'moves', :'received')) e;
SELECT wa.authenticate(:'acme_all') IS NOT NULL \; SELECT status, replayed FROM wa.send_message(:'moves', '15551110000', 'text', '{"text":"waits"}', idempotency_key => 'once');
-- What a connector reports afterwards is true of what it took before, and of nothing else:
-- what WhatsApp has is sent, under the number that is gone, and the session stays logged out.
BEGIN;
SELECT wa.act_for(:'acme') IS NULL AS x;
SELECT wa.connector_sent(:'taken', 'N9', now()) AS sent, wa.connector_action_done(:'reaction', NULL, now()) AS done, wa.connector_session(:'moves', 'one', 'working', '15550000001') AS working;
SELECT body, m.status, number, s.status AS session, s.phone_number, s.lease_owner FROM queue q JOIN wa.message m USING (body) JOIN wa.session s ON s.id = m.session_id WHERE m.id = :'taken';
SELECT status, error FROM wa.message_action WHERE id = :'reaction';
ROLLBACK;
-- What was not sent is not tried again.
BEGIN;
SELECT wa.act_for(:'acme') IS NULL AS x;
SELECT wa.connector_failed(:'taken', 'network', true) AS message, wa.connector_action_failed(:'reaction', 'network', true) AS action;
SELECT status, error, lease_owner, lease_until FROM wa.message WHERE id = :'taken';
SELECT status, error, lease_owner, lease_until FROM wa.message_action WHERE id = :'reaction';
ROLLBACK;
BEGIN;
SELECT wa.act_for(:'acme') IS NULL AS x;
SELECT wa.connector_failed(:'taken', 'the number is not on WhatsApp') AS message;
SELECT status, error FROM wa.message WHERE id = :'taken';
ROLLBACK;
-- Nothing new is received: it would be the next number's.
SELECT count(*) AS messages, sum(unread_count) AS unread FROM wa.message m JOIN wa.chat c ON c.org_id = m.org_id AND c.session_id = m.session_id AND c.jid = m.chat_jid WHERE m.session_id = :'moves' \gset before_
SELECT e.state, e.message FROM wa.act_for(:'acme') x, (VALUES (false, '15551110000@s.whatsapp.net'), (true, NULL)) f (from_me, sender), error_of(format('SELECT wa.connector_receive(%L, ''N8'', ''15551110000@s.whatsapp.net'', %L, ''Ann'', ''text'', ''late'', NULL, now(), %L)', :'moves', f.sender, f.from_me)) e;
SELECT count(*) = :before_messages AS none, sum(unread_count) = :before_unread AS as_before FROM wa.message m JOIN wa.chat c ON c.org_id = m.org_id AND c.session_id = m.session_id AND c.jid = m.chat_jid WHERE m.session_id = :'moves';
-- The lease of what was taken is over: it fails, and says that WhatsApp may have it.
SELECT wa.housekeep('unsent') AS while_the_lease_runs;
SELECT queue_error FROM wa.session WHERE id = :'moves';
UPDATE wa.message SET lease_until = now() - interval '1 s' WHERE id = :'taken';
UPDATE wa.message_action SET lease_until = now() - interval '1 s' WHERE id = :'reaction';
SELECT wa.housekeep('unsent') AS written, wa.housekeep('unsent') AS done;
SELECT body, status, error, lease_owner FROM queue q JOIN wa.message USING (body, status, error) WHERE id = :'taken';
SELECT type, status, error FROM wa.message_action WHERE id = :'reaction';
SELECT queue_error FROM wa.session WHERE id = :'moves';

-- Paired with another number: what was queued since then goes out, and nothing else.
SELECT wa.authenticate(:'acme_all') IS NOT NULL \; SELECT status FROM wa.control_session(:'moves', 'start');
SELECT wa.authenticate(:'acme_all') IS NOT NULL \; SELECT count(*) FROM wa.send_message(:'moves', '15551110000', 'text', '{"text":"for the next number"}');
SELECT pair(:'acme', :'moves', '15550000002') AS paired;
SELECT * FROM claimed();
SELECT wa.act_for(:'acme') IS NULL AS x \; SELECT wa.connector_receive(:'moves', 'N3', '15551110000@s.whatsapp.net', '15551110000@s.whatsapp.net', 'Ann', 'text', 'received anew', NULL, now()) AS anew \gset
SELECT wa.act_for(:'acme') IS NULL AS x \; SELECT wa.connector_receive(:'moves', 'N4', '15551110000@s.whatsapp.net', NULL, NULL, 'text', 'typed anew', NULL, now(), true) IS NOT NULL AS typed;
-- The chat keeps the messages of both, and each says whose it is.
SELECT body, status, number FROM queue WHERE label = 'moves' AND status <> 'failed' ORDER BY number, body;
-- Under the new number nobody asks WhatsApp about a message of the former one.
SELECT e.state, e.message, what, call
FROM wa.authenticate(:'acme_all'), (VALUES (1, 'former', :'received', :'sent'), (2, 'new', :'anew', (SELECT id::text FROM wa.message WHERE wa_message_id = 'N4'))) m (place, what, received, own),
	(VALUES (1, 'react_to_message(%1$L, %2$L, ''👍'')'), (2, 'edit_message(%1$L, %3$L, ''x'')'), (3, 'forward_message(%1$L, %2$L, ''15552220000'')'), (4, 'send_message(%1$L, ''15551110000'', ''text'', ''{"text":"reply"}'', %2$L)'), (5, 'revoke_message(%1$L, %3$L)')) c (place, call),
	error_of(format('SELECT wa.' || call, :'moves', m.received, m.own)) e
ORDER BY m.place, c.place;
-- A forward says whose copy it is.
SELECT * FROM claimed();
SELECT wa.act_for(:'acme') IS NULL AS x \; SELECT wa.connector_action_done(a.id, 'N5', now()) FROM wa.message_action a WHERE a.session_id = :'moves' AND a.type = 'forward';
SELECT body, status, number FROM queue q JOIN wa.message m USING (body, status) WHERE m.wa_message_id = 'N5' AND q.number = m.session_phone_number;

-- WhatsApp logs the session out itself.
SELECT wa.authenticate(:'acme_all') IS NOT NULL \; SELECT count(*) FROM wa.send_message(:'moves', '15551110000', 'text', '{"text":"until WhatsApp logs out"}');
SELECT wa.act_for(:'acme') IS NULL AS x \; SELECT wa.connector_session(:'moves', 'two', 'logged_out') AS by_another_connector;
SELECT wa.act_for(:'acme') IS NULL AS x \; SELECT wa.connector_session(:'moves', 'one', 'logged_out') AS reported;
SELECT status, phone_number, wa_jid, pairing FROM wa.session WHERE id = :'moves';
SELECT body, status, error FROM queue WHERE body = 'until WhatsApp logs out';
-- With the first number back, its messages can be answered again.
SELECT wa.authenticate(:'acme_all') IS NOT NULL \; SELECT status FROM wa.control_session(:'moves', 'start');
SELECT e.state, e.message FROM wa.authenticate(:'acme_all'), error_of(format('SELECT wa.react_to_message(%L, %L, ''👍'')', :'moves', :'received')) e;
SELECT pair(:'acme', :'moves', '15550000001') AS paired;
SELECT wa.authenticate(:'acme_all') IS NOT NULL \; SELECT status FROM wa.react_to_message(:'moves', :'received', '👍');
-- Another number without a logout: by the number, or where none is told by the address.
SELECT wa.authenticate(:'acme_all') IS NOT NULL \; SELECT count(*) FROM wa.send_message(:'moves', '15551110000', 'text', '{"text":"until the number changes"}');
SELECT pair(:'acme', :'moves', '15550000005') AS paired;
SELECT * FROM claimed();
SELECT body, status, error FROM queue WHERE body = 'until the number changes';
SELECT wa.authenticate(:'acme_all') IS NOT NULL \; SELECT count(*) FROM wa.send_message(:'moves', '15551110000', 'text', '{"text":"until the address changes"}');
SELECT wa.act_for(:'acme') IS NULL AS x \; SELECT wa.connector_session(:'moves', 'one', 'working', NULL, '15550000006@s.whatsapp.net') AS reported;
SELECT phone_number, wa_jid FROM wa.session WHERE id = :'moves';
SELECT * FROM claimed();
SELECT body, status, error FROM queue WHERE body = 'until the address changes';

-- A long queue: 1,000 are written at once, and none of the others is to be had.
SELECT pair(:'acme', :'moves', '15550000006') AS paired;
SET row_security = off;
INSERT INTO wa.message (org_id, session_id, pairing, chat_jid, direction, type, body, status)
SELECT org_id, id, pairing, '15551110000@s.whatsapp.net', 'out', 'text', 'many', 'queued' FROM wa.session, generate_series(1, 2400) WHERE id = :'moves';
RESET row_security;
SELECT wa.authenticate(:'acme_all') IS NOT NULL \; SELECT status FROM wa.control_session(:'moves', 'logout');
SELECT status, count(*) FROM queue WHERE body = 'many' GROUP BY 1 ORDER BY 1;
SELECT wa.authenticate(:'acme_all') IS NOT NULL \; SELECT status FROM wa.control_session(:'moves', 'start');
SELECT wa.authenticate(:'acme_all') IS NOT NULL \; SELECT count(*) FROM wa.send_message(:'moves', '15551110000', 'text', '{"text":"behind many"}');
SELECT pair(:'acme', :'moves', '15550000006') AS paired;
SELECT * FROM claimed();
SELECT wa.housekeep('unsent', 1000) AS first, wa.housekeep('unsent', 1000) AS rest, wa.housekeep('unsent', 1000) AS done;
SELECT status, error, count(*) FROM queue WHERE body = 'many' GROUP BY 1, 2 ORDER BY 1;
-- The mark goes with the last that a connector had taken.
SELECT count(*) AS marked FROM wa.session WHERE queue_error IS NOT NULL;
UPDATE wa.message SET lease_until = now() - interval '1 s' WHERE session_id = :'moves' AND body <> 'behind many' AND status = 'sending';
UPDATE wa.message_action SET lease_until = now() - interval '1 s' WHERE session_id = :'moves' AND status = 'sending';
SELECT wa.housekeep('unsent') > 0 AS written;
SELECT count(*) AS marked FROM wa.session WHERE queue_error IS NOT NULL;
SELECT status FROM queue WHERE body = 'behind many';
-- A claim and what fails go along the queue's index.
SET enable_seqscan = off; SET enable_bitmapscan = off; SET plan_cache_mode = force_generic_plan;
PREPARE unsent(uuid, uuid, integer) AS SELECT m.id FROM wa.message m WHERE m.org_id = $1 AND m.session_id = $2 AND m.pairing < $3 AND (m.status = 'queued' OR m.status = 'sending' AND m.lease_until < clock_timestamp()) ORDER BY m.pairing, m.status, m.lease_until NULLS FIRST, m.id LIMIT 1000;
EXPLAIN (COSTS OFF) EXECUTE unsent(NULL, NULL, NULL);
RESET enable_seqscan; RESET enable_bitmapscan; RESET plan_cache_mode;

DROP VIEW public.queue;
DROP FUNCTION public.claimed(), public.pair(uuid, uuid, text);
DELETE FROM wa.session WHERE connector = 'numbers';
