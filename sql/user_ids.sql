-- People whom WhatsApp knows by an id, with or without their number, and numbers that are
-- written in two ways: one person is one contact and one chat.
\set QUIET off
\set VERBOSITY terse
SET client_min_messages = warning;
SELECT set_config('search_path', 'pg_catalog, public, pg_temp', false) IS NULL AS x \gset
SELECT value AS acme FROM fixture WHERE name = 'acme' \gset
SELECT value AS beta FROM fixture WHERE name = 'beta' \gset
SELECT value AS acme_all FROM fixture WHERE name = 'acme_all' \gset
INSERT INTO wa.session (org_id, label, status, connector) VALUES (:'acme', 'people', 'working', 'people') RETURNING id AS session \gset
INSERT INTO wa.session (org_id, label, status, connector) VALUES (:'beta', 'people', 'working', 'people') RETURNING id AS of_beta \gset

-- The addresses of people without a number.
SELECT r, wa.recipient_jid(r), wa.chat_type(wa.recipient_jid(r))
FROM unnest(ARRAY['US.1000200030004000@bsuid', 'BR.a1B2@BSUID', 'US.ENT.77@bsuid', 'US.' || repeat('9', 128) || '@bsuid',
	'US.' || repeat('9', 129) || '@bsuid', 'US.@bsuid', 'US.ENT.@bsuid', 'US.ENTx@bsuid', 'us.1@bsuid', 'USA.1@bsuid', 'U1.1@bsuid', 'US1@bsuid', 'US.1.2@bsuid',
	'US.ENT.1.2@bsuid', 'US.1 @bsuid', 'US.ä@bsuid', 'US.1@bsuid@bsuid', '@bsuid', 'US.1', '15551234567@bsuid']) r;

-- Numbers that are written in two ways.  What is neither has no other.
SELECT n, split_part(wa.other_jid(n || '@s.whatsapp.net'), '@', 1) AS other, wa.other_jid(wa.other_jid(n || '@s.whatsapp.net')) = n || '@s.whatsapp.net' AS back
FROM unnest(ARRAY['5511987654321', '551187654321', '551132654321', '5511932654321', '5215512345678', '525512345678', '5491112345678', '541112345678',
	'549112345678', '15551234567', '4915112345678', '55119876', '5511087654321']) n;
SELECT wa.other_jid('5511987654321@g.us') AS no_group, wa.other_jid('5511987654321') AS no_address, wa.other_jid('') AS nothing;

-- As the connector's login does it.
CREATE FUNCTION public.told(org uuid, list jsonb) RETURNS TABLE (place bigint, changed boolean, error_code text, error text) LANGUAGE plpgsql AS $$
BEGIN
	PERFORM wa.act_for(org);
	RETURN QUERY SELECT r.ordinality, r.changed, r.error_code, r.error FROM wa.connector_report(list::json) WITH ORDINALITY r;
END $$;
CREATE FUNCTION public.from_person(session uuid, id text, jid text, more jsonb DEFAULT '{}') RETURNS jsonb LANGUAGE sql AS $$
	SELECT jsonb_build_object('report', 'receive', 'session', session, 'wa_message_id', id, 'chat_jid', jid, 'sender_jid', jid, 'type', 'text', 'body', id, 'at', '2026-01-02 03:04:05+00') || more
$$;
CREATE FUNCTION public.people(session uuid) RETURNS TABLE (jid text, phone_number text, user_id text, username text, name text, messages text) LANGUAGE sql AS $$
	SELECT c.jid, c.phone_number, c.user_id, c.username, c.name,
		(SELECT string_agg(m.wa_message_id, ' ' ORDER BY m.wa_message_id) FROM wa.message m WHERE m.session_id = session AND m.chat_jid = c.jid AND m.sender_jid = c.jid)
	FROM wa.contact c WHERE c.session_id = session ORDER BY c.jid
$$;

-- First without a number, then with it: in one list, and in another.
SELECT * FROM told(:'acme', jsonb_build_array(
	from_person(:'session', 'A1', 'US.1@bsuid', '{"user_id":"US.1","username":"ann","sender_name":"Ann"}'),
	from_person(:'session', 'A2', '15550001111@s.whatsapp.net', '{"user_id":"US.1"}'),
	from_person(:'session', 'B1', '15550002222@s.whatsapp.net', '{"user_id":"US.2"}'),
	from_person(:'session', 'B2', 'US.2@bsuid', '{"user_id":"US.2","username":"bob"}')));
SELECT * FROM told(:'acme', jsonb_build_array(from_person(:'session', 'A3', '15550001111@s.whatsapp.net', '{"user_id":"US.1","username":"ann.new"}')));
SELECT * FROM told(:'acme', jsonb_build_array(from_person(:'session', 'B3', 'US.2@bsuid', '{"user_id":"US.2"}')));
SELECT * FROM people(:'session');

-- One by one, because one of the list is wrong, it is the same.
SELECT * FROM told(:'acme', jsonb_build_array(
	from_person(:'session', 'C1', 'US.3@bsuid', '{"user_id":"US.3"}'), from_person(:'session', 'C2', '15550003333@s.whatsapp.net', '{"user_id":"US.3"}'), '{"report":"none"}'::jsonb));
SELECT * FROM people(:'session') WHERE user_id = 'US.3';

-- Another organization, and another session, know nothing of it.
SELECT * FROM told(:'beta', jsonb_build_array(from_person(:'of_beta', 'A1', '15550001111@s.whatsapp.net', '{"user_id":"US.1"}')));
SELECT * FROM people(:'of_beta');
SELECT * FROM told(:'beta', jsonb_build_array(from_person(:'session', 'X1', 'US.1@bsuid', '{"user_id":"US.1"}'))) WHERE changed IS NOT TRUE;

-- A number that is written in two ways: whoever is known by one of them is not met again.
SELECT * FROM told(:'acme', jsonb_build_array(
	from_person(:'session', 'D1', '551187654321@s.whatsapp.net'), from_person(:'session', 'D2', '5215512345678@s.whatsapp.net')));
SELECT * FROM told(:'acme', jsonb_build_array(
	from_person(:'session', 'D3', '5511987654321@s.whatsapp.net'), from_person(:'session', 'D4', '525512345678@s.whatsapp.net')));
SELECT jid, messages FROM people(:'session') WHERE jid ~ '^5';
-- Also if it is the key that has written first.
SELECT wa.authenticate(:'acme_all') IS NOT NULL \; SELECT count(*) FROM wa.send_message(:'session', '5491112345678', 'text', '{"text":"hello"}');
SELECT * FROM told(:'acme', jsonb_build_array(from_person(:'session', 'E1', '541112345678@s.whatsapp.net')));
SELECT jid FROM wa.chat WHERE session_id = :'session' AND jid LIKE '54%';

-- What they do to messages is theirs under either address, and what the owner writes to them on
-- a phone is in the same chat.
SELECT * FROM told(:'acme', jsonb_build_array(
	jsonb_build_object('report', 'change', 'session', :'session', 'wa_message_id', 'A1', 'sender_jid', '15550001111@s.whatsapp.net', 'user_id', 'US.1', 'type', 'edit', 'value', 'edited'),
	jsonb_build_object('report', 'change', 'session', :'session', 'wa_message_id', 'D1', 'sender_jid', '5511987654321@s.whatsapp.net', 'type', 'react', 'value', '👍'),
	jsonb_build_object('report', 'change', 'session', :'session', 'wa_message_id', 'A2', 'sender_jid', '15550002222@s.whatsapp.net', 'user_id', 'US.2', 'type', 'edit', 'value', 'not theirs'),
	from_person(:'session', 'A4', '15550001111@s.whatsapp.net', '{"user_id":"US.1","from_me":true,"sender_jid":"15559990000@s.whatsapp.net"}')));
SELECT wa_message_id, chat_jid, direction, body, reactions FROM wa.message WHERE session_id = :'session' AND wa_message_id IN ('A1', 'A2', 'A4', 'D1') ORDER BY 1;

-- What a message answers, and whether it was forwarded; the types that are only received.
SELECT * FROM told(:'acme', jsonb_build_array(
	from_person(:'session', 'F1', '15550001111@s.whatsapp.net', '{"quoted":"A1"}'), from_person(:'session', 'F2', '15550001111@s.whatsapp.net', '{"quoted":"none","forwarded":true}')));
SELECT * FROM told(:'acme', jsonb_build_array(from_person(:'session', 'F3', '15550001111@s.whatsapp.net', '{"quoted":"A1","forwarded":true,"type":"unsupported","content":{"unsupported":"poll_creation"}}')));
SELECT * FROM told(:'acme', jsonb_build_array(
	from_person(:'session', 'F4', '15550001111@s.whatsapp.net', '{"type":"order"}'), from_person(:'session', 'F5', '15550001111@s.whatsapp.net', '{"type":"system"}'),
	from_person(:'session', 'F6', '15550001111@s.whatsapp.net', '{"type":"hologram"}')));
SELECT m.wa_message_id, m.type, m.forwarded, q.wa_message_id AS quoted FROM wa.message m LEFT JOIN wa.message q ON q.org_id = m.org_id AND q.id = m.quoted_message_id
WHERE m.session_id = :'session' AND m.wa_message_id LIKE 'F%' ORDER BY 1;
SELECT wa.authenticate(:'acme_all') IS NOT NULL \; SELECT t.type, e.state, e.column_name FROM (VALUES ('order'), ('system'), ('unsupported')) t (type), error_of(format('SELECT wa.send_message(%L, ''15551112222'', %L, ''{}'')', :'session', t.type)) e;

-- Nobody calls the functions for function bodies.
SELECT p.oid::regprocedure FROM pg_proc p, pg_roles r
WHERE p.pronamespace = 'wa'::regnamespace AND p.proname IN ('person_jid', 'find_people', 'note_people', 'quoted_message')
	AND r.rolname IN ('wa_app', 'wa_gateway', 'wa_connector', 'wa_worker') AND has_function_privilege(r.oid, p.oid, 'EXECUTE');

DELETE FROM wa.message WHERE session_id IN (:'session', :'of_beta');
DELETE FROM wa.session WHERE id IN (:'session', :'of_beta');
DROP FUNCTION public.told, public.from_person, public.people;
