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

DELETE FROM wa.session WHERE connector = 'reports';
DROP FUNCTION public.report(uuid, json), public.queue(uuid, uuid, text), public.queue_action(uuid, uuid, uuid, text, jsonb), public.presences(uuid, integer), public.savepoints(uuid, json);
