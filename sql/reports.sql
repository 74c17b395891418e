-- What connectors report comes in lists: one statement and one commit, an answer for each
-- report.
\set QUIET off
\set VERBOSITY terse
SET client_min_messages = warning;
SELECT set_config('search_path', 'pg_catalog, public, pg_temp', false) IS NULL AS x \gset
SELECT value AS acme FROM fixture WHERE name = 'acme' \gset
SELECT value AS beta FROM fixture WHERE name = 'beta' \gset
SELECT value AS beta_session FROM fixture WHERE name = 'beta_session' \gset
INSERT INTO wa.session (org_id, label, status, connector, rate_per_min, rate_per_hour) VALUES (:'acme', 'reports', 'working', 'reports', 0, 0) RETURNING id AS session \gset
INSERT INTO wa.session (org_id, label, status, connector) VALUES (:'acme', 'out', 'logged_out', 'reports') RETURNING id AS logged_out \gset

-- A message of either organization that a connector has taken, and an action.
CREATE FUNCTION public.queue(org uuid, session uuid, body text) RETURNS uuid LANGUAGE plpgsql AS $$
DECLARE
	id uuid;
BEGIN
	INSERT INTO wa.chat (org_id, session_id, jid, type) VALUES (org, session, '15551110000@s.whatsapp.net', 'dm') ON CONFLICT DO NOTHING;
	INSERT INTO wa.message AS m (org_id, session_id, chat_jid, direction, type, body, status)
	VALUES (org, session, '15551110000@s.whatsapp.net', 'out', 'text', body, 'sending') RETURNING m.id INTO id;
	RETURN id;
END $$;
CREATE FUNCTION public.queue_action(org uuid, session uuid, message uuid, type text, payload jsonb) RETURNS uuid LANGUAGE sql AS $$
	INSERT INTO wa.message_action (org_id, session_id, message_id, type, payload, status) VALUES (org, session, message, type, payload, 'sending') RETURNING id
$$;
SELECT queue(:'acme', :'session', 'first') AS first, queue(:'acme', :'session', 'second') AS second, queue(:'acme', :'session', 'third') AS third, queue(:'beta', :'beta_session', 'of beta') AS of_beta \gset
SELECT queue_action(:'acme', :'session', :'first', 'react', '{"emoji":"👍"}') AS reaction, queue_action(:'acme', :'session', :'first', 'edit', '{"text":"better"}') AS edit \gset

-- As the connector's login does it.
CREATE FUNCTION public.report(org uuid, list json) RETURNS TABLE (place bigint, changed boolean, has_message boolean, error_code text, error text) LANGUAGE plpgsql AS $$
BEGIN
	PERFORM wa.act_for(org);
	RETURN QUERY SELECT row_number() OVER (), r.changed, r.message_id IS NOT NULL, r.error_code, r.error FROM wa.connector_report(list) r;
END $$;
GRANT EXECUTE ON FUNCTION public.report(uuid, json) TO regress_connector, regress_worker, regress_gateway;

-- The whole life of a message, in one list and in its order.
SELECT * FROM report(:'acme', json_build_array(
	json_build_object('report', 'sent', 'message', :'first', 'wa_message_id', 'R1', 'at', '2026-01-02 03:04:05+00'),
	json_build_object('report', 'status', 'session', :'session', 'wa_message_id', 'R1', 'status', 'delivered', 'at', '2026-01-02 03:04:06+00'),
	json_build_object('report', 'status', 'session', :'session', 'wa_message_id', 'R1', 'status', 'read', 'at', '2026-01-02 03:04:07+00'),
	json_build_object('report', 'status', 'session', :'session', 'wa_message_id', 'R1', 'status', 'delivered', 'at', '2026-01-02 03:04:08+00'),
	json_build_object('report', 'change', 'session', :'session', 'wa_message_id', 'R1', 'sender_jid', '15551110000@s.whatsapp.net', 'type', 'react', 'value', '🎉'),
	json_build_object('report', 'receive', 'session', :'session', 'wa_message_id', 'R2', 'chat_jid', '15551110000@s.whatsapp.net', 'sender_jid', '15551110000@s.whatsapp.net', 'sender_name', 'Ann', 'type', 'text', 'body', 'first', 'at', '2026-01-02 03:04:09+00'),
	json_build_object('report', 'receive', 'session', :'session', 'wa_message_id', 'R2', 'chat_jid', '15551110000@s.whatsapp.net', 'sender_jid', '15551110000@s.whatsapp.net', 'sender_name', 'Ann', 'type', 'text', 'body', 'first', 'at', '2026-01-02 03:04:09+00'),
	json_build_object('report', 'receive', 'session', :'session', 'wa_message_id', 'R3', 'chat_jid', '15551110000@s.whatsapp.net', 'type', 'text', 'body', 'typed', 'at', '2026-01-02 03:04:10+00', 'from_me', true),
	json_build_object('report', 'action_done', 'action', :'reaction', 'at', '2026-01-02 03:04:11+00'),
	json_build_object('report', 'action_failed', 'action', :'edit', 'error', 'too old'),
	json_build_object('report', 'presence', 'session', :'session', 'chat_jid', '15551110000@s.whatsapp.net', 'sender_jid', '15551110000@s.whatsapp.net', 'presence', 'composing'),
	json_build_object('report', 'poll_vote', 'session', :'session', 'wa_message_id', 'R1', 'sender_jid', '15551110000@s.whatsapp.net', 'options', json_build_array('yes'), 'at', '2026-01-02 03:04:12+00'),
	json_build_object('report', 'failed', 'message', :'second', 'error', 'no network', 'retry', true)));
SELECT body, direction, status, error, reactions, wa_message_id, sent_at AT TIME ZONE 'UTC' AS sent_at FROM wa.message WHERE session_id = :'session' AND wa_message_id IS NOT NULL ORDER BY wa_message_id;
SELECT status, error, lease_until > now() AS later FROM wa.message WHERE id = :'second';
SELECT type, status, error FROM wa.message_action WHERE session_id = :'session' ORDER BY type;
-- Events have the order of the list, although they are of one transaction.
SELECT type, envelope::json -> 'payload' ->> 'status' AS status FROM wa.event WHERE session_id = :'session' AND envelope LIKE '%"' || wa.typeid('msg', :'first') || '"%' AND type <> 'message.from_me' ORDER BY epoch, ordinal, id;

-- A report that is wrong changes nothing and says why.  The others count, those behind it too.
SELECT * FROM report(:'acme', json_build_array(
	json_build_object('report', 'sent', 'message', :'third', 'wa_message_id', 'R4', 'at', now()),
	json_build_object('report', 'status', 'session', :'session', 'wa_message_id', 'R4', 'status', 'queued', 'at', now()),
	json_build_object('report', 'sent', 'message', 'no uuid', 'wa_message_id', 'R5', 'at', now()),
	json_build_object('report', 'sent', 'message', :'second', 'wa_message_id', 'R4', 'at', now()),
	json_build_object('report', 'sent', 'message', :'second', 'at', now()),
	json_build_object('report', 'receive', 'session', :'session', 'wa_message_id', 'R5', 'chat_jid', 'nobody', 'sender_jid', 'nobody', 'type', 'text', 'body', 'x', 'at', now()),
	json_build_object('report', 'receive', 'session', :'session', 'wa_message_id', 'R5', 'chat_jid', '15551110000@s.whatsapp.net', 'sender_jid', '15551110000@s.whatsapp.net', 'type', 'letter', 'body', 'x', 'at', now()),
	json_build_object('report', 'receive', 'session', :'session', 'wa_message_id', 'R5', 'chat_jid', '15551110000@s.whatsapp.net', 'sender_jid', '15551110000@s.whatsapp.net', 'type', 'text', 'body', repeat('x', 65537), 'at', now()),
	json_build_object('report', 'receive', 'session', :'logged_out', 'wa_message_id', 'R5', 'chat_jid', '15551110000@s.whatsapp.net', 'sender_jid', '15551110000@s.whatsapp.net', 'type', 'text', 'body', 'x', 'at', now()),
	'{"report":"receive","body":"\u0000"}'::json,
	json_build_object('report', 'session', 'session', :'session'), '{}'::json,
	json_build_object('report', 'status', 'session', :'session', 'wa_message_id', 'R4', 'status', 'played', 'at', now())));
SELECT body, status, wa_message_id FROM wa.message WHERE id IN (:'second', :'third') ORDER BY body;
SELECT count(*) AS not_one FROM wa.message WHERE session_id = :'session' AND wa_message_id = 'R5';
SELECT envelope::json -> 'payload' ->> 'status' AS status FROM wa.event WHERE type = 'message.status' AND envelope LIKE '%"' || wa.typeid('msg', :'third') || '"%' ORDER BY epoch, ordinal, id;

SELECT place, changed, error_code FROM report(:'acme', '[null, 17, [], "sent"]');

-- Of another organization there is nothing to report about.
SELECT * FROM report(:'acme', json_build_array(
	json_build_object('report', 'sent', 'message', :'of_beta', 'wa_message_id', 'B1', 'at', now()),
	json_build_object('report', 'failed', 'message', :'of_beta', 'error', 'stolen'),
	json_build_object('report', 'receive', 'session', :'beta_session', 'wa_message_id', 'B2', 'chat_jid', '15551110000@s.whatsapp.net', 'sender_jid', '15551110000@s.whatsapp.net', 'type', 'text', 'body', 'x', 'at', now()),
	json_build_object('report', 'presence', 'session', :'beta_session', 'chat_jid', '15551110000@s.whatsapp.net', 'sender_jid', '15551110000@s.whatsapp.net', 'presence', 'composing'),
	json_build_object('report', 'failed', 'message', :'second', 'error', 'no network')));
SELECT status, wa_message_id FROM wa.message WHERE id = :'of_beta';
SELECT status FROM wa.message WHERE id = :'second';
SELECT * FROM report(:'beta', json_build_array(json_build_object('report', 'sent', 'message', :'of_beta', 'wa_message_id', 'B1', 'at', now())));

-- Bounds of a list.
CREATE FUNCTION public.presences(session uuid, many integer) RETURNS json LANGUAGE sql AS $$
	SELECT json_agg(json_build_object('report', 'presence', 'session', session, 'chat_jid', '15551110000@s.whatsapp.net', 'presence', 'available')) FROM generate_series(1, many)
$$;
SELECT count(*) FILTER (WHERE r.changed) AS longest FROM report(:'acme', presences(:'session', 500)) r;
SELECT e.* FROM error_of(format('SELECT report(%L, presences(%L, 501))', :'acme', :'session')) e;
SELECT e.* FROM (VALUES (NULL), ('{}'), ('null'), ('"sent"')) l (list), error_of(format('SELECT report(%L, %L)', :'acme', l.list)) e;
SELECT count(*) AS of_none FROM report(:'acme', '[]');
-- More organizations do not fit into a transaction.
BEGIN;
SELECT count(*) FROM report(:'acme', '[]');
SELECT count(*) FROM report(:'beta', '[]');
ROLLBACK;

-- Without an organization: denied.  By others than connectors, too.
SELECT * FROM wa.connector_report('[]');
SELECT r.rolname, has_function_privilege(r.oid, 'wa.connector_report(json)', 'EXECUTE') AS may FROM pg_roles r
WHERE r.rolname IN ('wa_admin', 'wa_app', 'wa_claim', 'wa_connector', 'wa_gateway', 'wa_monitor', 'wa_worker', 'regress_nobody') ORDER BY 1;
SET ROLE regress_app;
SELECT * FROM wa.connector_report('[]');
RESET ROLE;

-- As long as nothing is wrong there is one savepoint, and else one for each report.  A row
-- shows in which of them it was written.
CREATE FUNCTION public.savepoints(org uuid, list json) RETURNS bigint LANGUAGE plpgsql AS $$
BEGIN
	PERFORM report(org, list);
	RETURN (SELECT count(DISTINCT e.xmin::text) FROM wa.event e WHERE e.org_id = org AND e.type = 'presence.update'
		AND (e.epoch, e.ordinal) = (SELECT l.epoch, l.ordinal FROM wa.event l WHERE l.org_id = org ORDER BY l.epoch DESC, l.ordinal DESC LIMIT 1));
END $$;
SELECT savepoints(:'acme', presences(:'session', 20)) AS all_is_well;
SELECT savepoints(:'acme', (presences(:'session', 20)::jsonb || '[{"report":"none"}]')::json) AS one_is_wrong;

-- Reports of one kind that follow each other are a run, which writes each table by one
-- statement, however many they are.
CREATE TABLE public.statements (relation text, operation text);
CREATE FUNCTION public.count_statement() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
	INSERT INTO public.statements VALUES (TG_TABLE_NAME, TG_OP);
	RETURN NULL;
END $$;
CREATE TRIGGER counts AFTER INSERT OR UPDATE ON wa.message FOR EACH STATEMENT EXECUTE FUNCTION public.count_statement();
CREATE TRIGGER counts AFTER INSERT OR UPDATE ON wa.chat FOR EACH STATEMENT EXECUTE FUNCTION public.count_statement();
CREATE TRIGGER counts AFTER INSERT OR UPDATE ON wa.contact FOR EACH STATEMENT EXECUTE FUNCTION public.count_statement();
CREATE TRIGGER counts AFTER INSERT ON wa.event FOR EACH STATEMENT EXECUTE FUNCTION public.count_statement();
CREATE TRIGGER counts AFTER INSERT ON wa.delivery FOR EACH STATEMENT EXECUTE FUNCTION public.count_statement();
CREATE FUNCTION public.statements_of(org uuid, list json) RETURNS TABLE (changed bigint, messages bigint, new_messages bigint, chats bigint, contacts bigint, events bigint, deliveries bigint)
LANGUAGE plpgsql AS $$
BEGIN
	TRUNCATE public.statements;
	SELECT count(*) FILTER (WHERE r.changed) INTO changed FROM report(org, list) r;
	-- An INSERT that may update ends both kinds of statement.
	SELECT count(*) FILTER (WHERE s.relation = 'message' AND s.operation = 'UPDATE'), count(*) FILTER (WHERE s.relation = 'message' AND s.operation = 'INSERT'),
		count(*) FILTER (WHERE s.relation = 'chat' AND s.operation = 'INSERT'), count(*) FILTER (WHERE s.relation = 'contact' AND s.operation = 'INSERT'),
		count(*) FILTER (WHERE s.relation = 'event'), count(*) FILTER (WHERE s.relation = 'delivery')
	INTO messages, new_messages, chats, contacts, events, deliveries FROM public.statements s;
	RETURN NEXT;
END $$;
INSERT INTO wa.webhook (org_id, url, secret) VALUES (:'acme', 'https://reports.example/', 'secret') RETURNING id AS webhook \gset
CREATE TABLE public.hundred AS SELECT n, queue(:'acme', :'session', 'of a hundred ' || n) AS id FROM generate_series(1, 100) n;
SELECT json_agg(json_build_object('report', 'sent', 'message', id, 'wa_message_id', 'H' || n, 'at', now()) ORDER BY n) AS sent,
	json_agg(json_build_object('report', 'status', 'session', :'session', 'wa_message_id', 'H' || n, 'status', 'delivered', 'at', now()) ORDER BY n) AS delivered,
	json_agg(json_build_object('report', 'receive', 'session', :'session', 'wa_message_id', 'I' || n, 'chat_jid', 15552220000 + n || '@s.whatsapp.net',
		'sender_jid', 15552220000 + n || '@s.whatsapp.net', 'type', 'text', 'body', 'of many', 'at', now()) ORDER BY n) AS received FROM public.hundred \gset
-- The 2 updates of messages: the messages, and the answers that wait for them (none).
SELECT * FROM statements_of(:'acme', :'sent');
SELECT * FROM statements_of(:'acme', :'delivered');
SELECT * FROM statements_of(:'acme', :'received');
-- Each has its event and its delivery, in the order of the list.
SELECT e.type, count(*), count(d.id) AS deliveries, bool_and(e.in_order) AS in_order FROM (
	SELECT e.*, (e.envelope::json #>> '{payload,waMessageId}' = e.letter || row_number() OVER (PARTITION BY e.type, e.epoch, e.ordinal ORDER BY e.id)) AS in_order
	FROM (SELECT v.*, left(v.envelope::json #>> '{payload,waMessageId}', 1) AS letter FROM wa.event v WHERE v.session_id = :'session' AND v.type IN ('message', 'message.status')) e
	WHERE e.letter IN ('H', 'I')) e LEFT JOIN wa.delivery d ON d.org_id = e.org_id AND d.event_id = e.id AND d.webhook_id = :'webhook'
GROUP BY e.type ORDER BY e.type;
DROP TRIGGER counts ON wa.message;
DROP TRIGGER counts ON wa.chat;
DROP TRIGGER counts ON wa.contact;
DROP TRIGGER counts ON wa.event;
DROP TRIGGER counts ON wa.delivery;

-- A run leaves the same as its reports one by one, which a wrong report at the end of the
-- list causes: repeated messages, chats and senders, new names, older times, what was typed
-- on the phone, and a status that is no news.
INSERT INTO wa.session (org_id, label, status, connector, rate_per_min, rate_per_hour) VALUES (:'acme', 'as a run', 'working', 'reports', 0, 0) RETURNING id AS as_run \gset
INSERT INTO wa.session (org_id, label, status, connector, rate_per_min, rate_per_hour) VALUES (:'acme', 'one by one', 'working', 'reports', 0, 0) RETURNING id AS one_by_one \gset
CREATE FUNCTION public.same_list(org uuid, session uuid) RETURNS json LANGUAGE sql AS $$
	WITH queued AS (SELECT n, queue(org, session, 'message ' || n) AS id FROM generate_series(1, 3) n)
	SELECT (SELECT json_agg(r.report) FROM (
		SELECT json_build_object('report', 'sent', 'message', q.id, 'wa_message_id', 'S' || n || CASE times WHEN 2 THEN ' again' ELSE '' END, 'at', '2026-03-01 10:00:0' || n || '+00') AS report
		FROM queued q, generate_series(1, 2) times
	UNION ALL
		SELECT json_build_object('report', 'status', 'session', session, 'wa_message_id', w.id, 'status', w.status, 'at', '2026-03-01 10:00:00+00') FROM (VALUES
			('S1', 'delivered'), ('S2', 'delivered'), ('S1', 'delivered'), ('S9', 'delivered'), ('S1', 'read'), ('S3', 'read'), ('S1', 'delivered'), ('S2', 'played')) w (id, status)
	UNION ALL
		SELECT json_build_object('report', 'receive', 'session', session, 'wa_message_id', w.id, 'chat_jid', '12036300000000000' || w.chat || '@g.us', 'sender_jid', w.sender || '@s.whatsapp.net',
			'sender_name', w.name, 'type', 'text', 'body', 'text of ' || w.id, 'at', '2026-03-01 11:00:' || w.second || '+00', 'from_me', w.from_me) FROM (VALUES
			('A', 1, 15553330001, 'Ann', 10, false), ('B', 1, 15553330001, 'Ann', 20, false), ('C', 2, 15553330001, NULL, 15, false), ('A', 1, 15553330001, 'Ann', 10, false),
			('D', 1, 15553330001, 'Anna', 12, false), ('E', 2, 15553330002, 'Bob', 30, false), ('F', 2, NULL, NULL, 40, true), ('G', 1, 15553330001, 'Ann', 50, false),
			('S1', 1, 15553330001, 'Ann', 50, false), ('H', 3, NULL, 'not shown', 5, true)) w (id, chat, sender, name, second, from_me)) r)
$$;
CREATE TABLE public.answers (session uuid, place bigint, changed boolean, has_message boolean);
INSERT INTO public.answers SELECT :'as_run', r.place, r.changed, r.has_message FROM report(:'acme', same_list(:'acme', :'as_run')) r;
INSERT INTO public.answers SELECT :'one_by_one', r.place, r.changed, r.has_message FROM report(:'acme', (same_list(:'acme', :'one_by_one')::jsonb || '[{"report":"none"}]')::json) r;
SELECT session = :'as_run' AS as_run, count(*), string_agg(CASE WHEN changed THEN 'yes' WHEN NOT changed THEN 'no' ELSE 'wrong' END, ' ' ORDER BY place) FROM public.answers GROUP BY session ORDER BY 1 DESC;
-- What was left, without ids and times of their own.
CREATE FUNCTION public.left_behind(session uuid) RETURNS TABLE (what text, nth bigint, said text) LANGUAGE sql AS $$
	SELECT 'message', row_number() OVER (ORDER BY m.id), (to_jsonb(m) - '{id,session_id,created_at,lease_until}'::text[])::text FROM wa.message m WHERE m.session_id = left_behind.session
UNION ALL
	SELECT 'chat', row_number() OVER (ORDER BY c.jid), (to_jsonb(c) - 'session_id'::text - CASE jid WHEN '15551110000@s.whatsapp.net' THEN '{active_at}'::text[] ELSE '{}' END)::text FROM wa.chat c WHERE c.session_id = left_behind.session
UNION ALL
	SELECT 'contact', row_number() OVER (ORDER BY c.jid), (to_jsonb(c) - 'session_id'::text)::text FROM wa.contact c WHERE c.session_id = left_behind.session
UNION ALL
	-- A run makes chats, then contacts, new names last, and then messages.
	SELECT e.type, row_number() OVER (PARTITION BY e.type, e.envelope::json #>> '{payload,jid}' ORDER BY e.epoch, e.ordinal, e.id),
		regexp_replace((e.envelope::jsonb -> 'payload')::text, '"(id|sessionId)": "(msg|sess)_[^"]*"|"createdAt": [0-9]+', '', 'g')
	FROM wa.event e WHERE e.session_id = left_behind.session AND e.type <> 'session.status' AND e.envelope::json #>> '{payload,status}' IS DISTINCT FROM 'queued'
$$;
CREATE TEMP TABLE run_left AS SELECT * FROM left_behind(:'as_run');
CREATE TEMP TABLE each_left AS SELECT * FROM left_behind(:'one_by_one');
SELECT what, count(*) FROM run_left GROUP BY what ORDER BY what;
(TABLE run_left EXCEPT TABLE each_left) UNION ALL (TABLE each_left EXCEPT TABLE run_left) ORDER BY 1, 2;

-- What WhatsApp took can still fail, with a code, and until it was delivered.  Its event says so.
SELECT queue(:'acme', :'session', 'to fail') AS to_fail, queue(:'acme', :'session', 'to fail at once') AS at_once, queue(:'acme', :'session', 'to arrive') AS to_arrive \gset
SELECT * FROM report(:'acme', json_build_array(
	json_build_object('report', 'sent', 'message', :'to_fail', 'wa_message_id', 'F1', 'at', '2026-01-02 03:04:05+00'),
	json_build_object('report', 'sent', 'message', :'to_arrive', 'wa_message_id', 'F2', 'at', '2026-01-02 03:04:05+00'),
	json_build_object('report', 'status', 'session', :'session', 'wa_message_id', 'F1', 'status', 'failed', 'error', 'not on WhatsApp', 'error_code', 131026, 'at', now()),
	json_build_object('report', 'status', 'session', :'session', 'wa_message_id', 'F1', 'status', 'failed', 'error', 'again', 'error_code', 1, 'at', now()),
	json_build_object('report', 'status', 'session', :'session', 'wa_message_id', 'F1', 'status', 'delivered', 'at', now()),
	json_build_object('report', 'status', 'session', :'session', 'wa_message_id', 'F2', 'status', 'delivered', 'error', 'none', 'error_code', 'none', 'at', now()),
	json_build_object('report', 'status', 'session', :'session', 'wa_message_id', 'F2', 'status', 'failed', 'error', 'on one of two phones', 'at', now()),
	json_build_object('report', 'failed', 'message', :'at_once', 'error', repeat('x', 600), 'error_code', 'not-authorized')));
SELECT wa_message_id, status, error_code, left(error, 20) AS error, length(error) FROM wa.message WHERE id IN (:'to_fail', :'at_once', :'to_arrive') ORDER BY id;
SELECT e.payload ->> 'waMessageId' AS id, e.payload ->> 'status' AS status, e.payload ->> 'errorCode' AS code, left(e.payload ->> 'error', 20) AS error
FROM (SELECT e.*, e.envelope::json -> 'payload' AS payload FROM wa.event e WHERE e.session_id = :'session' AND e.type = 'message.status') e
WHERE e.payload ->> 'status' = 'failed' AND e.payload ->> 'errorCode' IS NOT NULL ORDER BY e.epoch, e.ordinal, e.id;
-- One that is tried again keeps the code as long as the error.
SELECT queue(:'acme', :'session', 'to try again') AS again \gset
SELECT * FROM report(:'acme', json_build_array(json_build_object('report', 'failed', 'message', :'again', 'error', 'too fast', 'error_code', 130429, 'retry', true)));
SELECT status, error, error_code FROM wa.message WHERE id = :'again';
SELECT * FROM report(:'acme', json_build_array(json_build_object('report', 'sent', 'message', :'again', 'wa_message_id', 'F3', 'at', now())));
SELECT status, error, error_code FROM wa.message WHERE id = :'again';
-- Wrong ones.
SELECT * FROM report(:'acme', json_build_array(
	json_build_object('report', 'status', 'session', :'session', 'wa_message_id', 'F3', 'status', 'failed', 'at', now()),
	json_build_object('report', 'status', 'session', :'session', 'wa_message_id', 'F3', 'status', 'failed', 'error', 'x', 'error_code', '', 'at', now()),
	json_build_object('report', 'status', 'session', :'session', 'wa_message_id', 'F3', 'status', 'failed', 'error', 'x', 'error_code', 'a b', 'at', now()),
	json_build_object('report', 'failed', 'message', :'again', 'error', 'x', 'error_code', repeat('1', 65)),
	json_build_object('report', 'status', 'session', :'session', 'wa_message_id', 'F3', 'status', 'sent', 'at', now())));

-- A status that overtakes the report that WhatsApp took the message, and names it, is that
-- report, too, in a run as by itself.  It names messages of its session only.
SELECT queue(:'acme', :'session', 'overtaken ' || n) AS id, n INTO TEMP overtaken FROM generate_series(1, 6) n;
UPDATE wa.message m SET lease_owner = 'one', lease_until = now() + interval '1 min' FROM overtaken o WHERE m.id = o.id;
INSERT INTO wa.message (org_id, session_id, chat_jid, direction, type, body, status, quoted_message_id, lease_until)
SELECT :'acme', :'session', '15551110000@s.whatsapp.net', 'out', 'text', 'answers ' || n, 'queued', id, now() + interval '1 s' FROM overtaken;
SELECT * FROM report(:'acme', (SELECT json_agg(json_build_object('report', 'status', 'session', :'session', 'message', o.id, 'wa_message_id', 'O' || o.n, 'status', 'delivered', 'at', '2026-01-02 03:04:06+00') ORDER BY o.n)
	FROM overtaken o WHERE o.n <= 2));
SELECT * FROM report(:'acme', (SELECT json_agg(json_build_object('report', 'status', 'session', :'session', 'message', o.id, 'wa_message_id', 'O' || o.n, 'status', 'read', 'at', '2026-01-02 03:04:07+00') ORDER BY o.n)
	FROM overtaken o WHERE o.n IN (2, 3)));
SELECT * FROM report(:'acme', (SELECT json_agg(json_build_object('report', 'status', 'session', :'session', 'message', o.id, 'wa_message_id', 'O' || o.n, 'status', 'failed', 'error', 'no', 'error_code', 1, 'at', '2026-01-02 03:04:07+00'))
	FROM overtaken o WHERE o.n = 4));
SELECT * FROM report(:'acme', (SELECT json_agg(json_build_object('report', 'sent', 'message', o.id, 'wa_message_id', 'O' || o.n, 'at', '2026-01-02 03:04:05+00') ORDER BY o.n) FROM overtaken o WHERE o.n <= 4));
SELECT * FROM report(:'acme', (SELECT json_agg(json_build_object('report', 'status', 'session', CASE o.n WHEN 5 THEN :'logged_out' ELSE :'session' END, 'message', o.id, 'wa_message_id', 'O' || o.n, 'status', 'read', 'at', now()) ORDER BY o.n)
	FROM overtaken o WHERE o.n = 5));
SELECT * FROM report(:'beta', (SELECT json_agg(json_build_object('report', 'status', 'session', :'session', 'message', o.id, 'wa_message_id', 'O' || o.n, 'status', 'read', 'at', now())) FROM overtaken o WHERE o.n = 6));
SELECT o.n, m.wa_message_id, m.status, m.error, m.error_code, m.lease_owner, m.lease_until IS NULL AS ended, CASE WHEN o.n <= 4 THEN m.sent_at END AS sent_at, a.lease_until IS NULL AS answer_woken
FROM overtaken o JOIN wa.message m ON m.id = o.id JOIN wa.message a ON a.quoted_message_id = o.id ORDER BY o.n;

-- Events that are held back: those of a savepoint that is rolled back are dropped, and
-- nothing is committed before they are written.
SET SESSION AUTHORIZATION regress_app;
SELECT wa.hold_events();
SELECT wa.write_events();
RESET SESSION AUTHORIZATION;
BEGIN;
SELECT wa.hold_events();
SELECT wa.emit(:'acme', 'session.status', NULL, '{"held":1}') IS NOT NULL AS made;
SAVEPOINT s;
SELECT wa.emit(:'acme', 'session.status', NULL, '{"held":2}') IS NOT NULL AS made;
SAVEPOINT t;
SELECT wa.emit(:'acme', 'session.status', NULL, '{"held":3}') IS NOT NULL AS made;
RELEASE t;
ROLLBACK TO s;
SELECT wa.emit(:'acme', 'session.status', NULL, '{"held":4}') IS NOT NULL AS made;
-- Of another organization: written at once.
SELECT wa.emit(:'beta', 'session.status', NULL, '{"held":5}') IS NOT NULL AS made;
SELECT count(*) AS before FROM wa.event WHERE envelope LIKE '%{"held":%';
SELECT wa.write_events();
SELECT wa.emit(:'acme', 'session.status', NULL, '{"held":6}') IS NOT NULL AS made;
COMMIT;
SELECT org_id = :'acme' AS of_acme, envelope::json #>> '{payload,held}' AS held FROM wa.event WHERE envelope LIKE '%{"held":%' ORDER BY 1, epoch, ordinal, id;
BEGIN;
SELECT wa.hold_events();
SELECT wa.hold_events();
ROLLBACK;
BEGIN;
SELECT wa.hold_events();
COMMIT;
-- A savepoint that began it ends it.
BEGIN;
SAVEPOINT s;
SELECT wa.hold_events();
SELECT wa.emit(:'acme', 'session.status', NULL, '{"held":7}') IS NOT NULL AS made;
ROLLBACK TO s;
SELECT wa.emit(:'acme', 'session.status', NULL, '{"held":8}') IS NOT NULL AS made;
COMMIT;
SELECT envelope::json #>> '{payload,held}' AS held FROM wa.event WHERE envelope ~ '{"held":[78]' ORDER BY epoch, ordinal, id;

-- The events of chats and contacts are written in C, in the bytes that these expressions
-- make, whatever the columns hold.
INSERT INTO wa.session (org_id, label) VALUES (:'acme', 'texts of events') RETURNING id AS told \gset
INSERT INTO wa.chat (org_id, session_id, jid, type, name, last_message_at, unread_count, archived, pinned, muted_until) VALUES
	(:'acme', :'told', '15550000001@s.whatsapp.net', 'dm', NULL, NULL, 0, false, false, NULL),
	(:'acme', :'told', '120363000000000001@g.us', 'group', E'"quoted"\\ \t\n\u0001 </script> ä 👍', '1969-12-31 23:59:59.9995+00', 2147483647, true, true, 'infinity'),
	(:'acme', :'told', '120363000000000002@newsletter', 'newsletter', '', '-infinity', 1, true, false, '2026-02-03 04:05:06.789012+00');
UPDATE wa.chat SET name = 'another', pinned = NOT pinned WHERE session_id = :'told';
INSERT INTO wa.contact (org_id, session_id, jid, phone_number, name, business_name, first_seen_at, last_seen_at) VALUES
	(:'acme', :'told', '15550000001@s.whatsapp.net', NULL, NULL, NULL, '2026-02-03 04:05:06.7+00', 'infinity'),
	(:'acme', :'told', '15550000002@s.whatsapp.net', '15550000002', E'"Ann"\\\n', E'\u00e9 & Co. <b>', '-infinity', '2026-02-03 04:05:06.9999+00');
UPDATE wa.contact SET business_name = 'another' WHERE session_id = :'told';
WITH shown AS (
	SELECT 'chat.update' AS type, c.jid, json_strip_nulls(json_build_object(
		'jid', c.jid, 'id', c.jid, 'sessionId', wa.typeid('sess', c.session_id), 'type', c.type,
		'name', c.name, 'lastMessageAt', wa.epoch_ms(c.last_message_at), 'unreadCount', c.unread_count,
		'archived', c.archived, 'pinned', c.pinned, 'mutedUntil', wa.epoch_ms(c.muted_until)))::text AS payload
	FROM (SELECT * FROM wa.chat UNION ALL
		SELECT n.* FROM wa.chat c, jsonb_populate_record(c, jsonb_build_object('pinned', NOT c.pinned, 'name', CASE c.jid
			WHEN '120363000000000001@g.us' THEN E'"quoted"\\ \t\n\u0001 </script> ä 👍' WHEN '120363000000000002@newsletter' THEN '' END)) n) c
	WHERE c.session_id = :'told'
UNION ALL
	SELECT 'contact.update', c.jid, json_strip_nulls(json_build_object(
		'jid', c.jid, 'phoneNumber', c.phone_number, 'name', c.name, 'businessName', c.business_name,
		'firstSeenAt', wa.epoch_ms(c.first_seen_at), 'lastSeenAt', wa.epoch_ms(c.last_seen_at)))::text
	FROM (SELECT * FROM wa.contact UNION ALL
		SELECT n.* FROM wa.contact c, jsonb_populate_record(c, jsonb_build_object('business_name', CASE c.jid
			WHEN '15550000002@s.whatsapp.net' THEN E'\u00e9 & Co. <b>' END)) n) c
	WHERE c.session_id = :'told')
SELECT e.type, count(*) AS events, count(s.payload) AS same
FROM wa.event e LEFT JOIN shown s ON s.type = e.type AND e.envelope LIKE '%,"payload":%' AND right(e.envelope, length(s.payload) + 11) = '"payload":' || s.payload || '}'
WHERE e.session_id = :'told' AND e.type <> 'session.status' GROUP BY e.type ORDER BY e.type;
DELETE FROM wa.session WHERE id = :'told';

-- A message whose outcome was unknown was sent after all, when a webhook says so: by a report of
-- its own, in a run, and by a status.  What has failed for another reason stays so.
SELECT queue(:'acme', :'session', 'unknown ' || n) AS id, n INTO TEMPORARY unknown FROM generate_series(1, 5) n;
UPDATE wa.message m SET status = 'failed', error = 'not known', error_code = CASE u.n WHEN 5 THEN '131047' ELSE 'outcome_unknown' END FROM unknown u WHERE m.id = u.id;
SELECT id AS unknown_1 FROM unknown WHERE n = 1 \gset
SELECT id AS unknown_4 FROM unknown WHERE n = 4 \gset
SELECT * FROM report(:'acme', json_build_array(json_build_object('report', 'sent', 'session', :'session', 'message', :'unknown_1', 'wa_message_id', 'U1', 'at', now())));
SELECT * FROM report(:'acme', (SELECT json_agg(json_build_object('report', 'sent', 'session', :'session', 'message', u.id, 'wa_message_id', 'U' || u.n, 'at', now()) ORDER BY u.n) FROM unknown u WHERE u.n IN (1, 2, 3, 5)));
SELECT * FROM report(:'acme', json_build_array(json_build_object('report', 'status', 'session', :'session', 'message', :'unknown_4', 'wa_message_id', 'U4', 'status', 'read', 'at', now())));
SELECT m.body, m.status, m.error, m.error_code, m.wa_message_id FROM wa.message m JOIN unknown u USING (id) ORDER BY u.n;

-- Who signs for one session says nothing about the messages of another, alone or in a run.
INSERT INTO wa.session (org_id, label, status, connector, rate_per_min, rate_per_hour) VALUES (:'acme', 'of another app', 'working', 'reports', 0, 0) RETURNING id AS another_app \gset
SELECT queue(:'acme', :'session', 'theirs ' || n) AS id, n INTO TEMPORARY theirs FROM generate_series(1, 3) n;
SELECT * FROM report(:'acme', (SELECT json_agg(json_build_object('report', 'sent', 'session', :'another_app', 'message', t.id, 'wa_message_id', 'T1', 'at', now())) FROM theirs t WHERE t.n = 1));
SELECT * FROM report(:'acme', (SELECT json_agg(json_build_object('report', 'sent', 'session', CASE t.n WHEN 2 THEN :'session' ELSE :'another_app' END, 'message', t.id, 'wa_message_id', 'T' || t.n, 'at', now()) ORDER BY t.n) FROM theirs t));
SELECT m.body, m.status, m.wa_message_id FROM wa.message m JOIN theirs t USING (id) ORDER BY t.n;
UPDATE wa.message SET status = 'failed' WHERE id IN (SELECT id FROM theirs);

DELETE FROM wa.webhook WHERE url = 'https://reports.example/';
DELETE FROM wa.delivery WHERE webhook_id = :'webhook';
DROP TABLE public.statements, public.hundred, public.answers, run_left, each_left;
DROP FUNCTION public.statements_of, public.count_statement, public.same_list, public.left_behind;
DELETE FROM wa.session WHERE connector = 'reports';
DROP FUNCTION public.report(uuid, json), public.queue(uuid, uuid, text), public.queue_action(uuid, uuid, uuid, text, jsonb), public.presences(uuid, integer), public.savepoints(uuid, json);
