-- What the connector of a session cannot do is refused at once, and says so; each refusal
-- stands beside a connector that can.
SET search_path = wa, public, pg_temp;
\set SHOW_CONTEXT never
\set superuser :USER
SELECT value AS acme_all FROM fixture WHERE name = 'acme_all' \gset

-- Built in: the sandbox can do everything.
SELECT connector, string_agg(capability, ',' ORDER BY array_position(wa.capabilities(), capability)) FILTER (WHERE is_supported) AS can,
	string_agg(capability, ',' ORDER BY array_position(wa.capabilities(), capability)) FILTER (WHERE NOT is_supported) AS cannot
FROM wa.connector_capability WHERE built_in GROUP BY connector ORDER BY connector;
SELECT * FROM error_of($$INSERT INTO wa.connector_capability VALUES ('sandbox', 'telepathy', true, true)$$);

-- A session of each kind, with a message that WhatsApp has, and one that somebody sent it.
SET wa.connectors = 'sandbox, cloud, answers, registered';
CREATE TABLE public.kind (connector text PRIMARY KEY, session uuid NOT NULL, own uuid, theirs uuid, poll uuid);
CREATE FUNCTION public.make_kind(connector text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	org constant uuid := (SELECT value FROM public.fixture WHERE name = 'acme');
	made constant uuid := (wa.create_session(connector, connector => make_kind.connector)).id;
	ids constant uuid[] := ARRAY[wa.uuid7(), wa.uuid7(), wa.uuid7()];
BEGIN
	INSERT INTO public.kind VALUES (connector, made, ids[1], ids[2], ids[3]);
	INSERT INTO wa.chat (org_id, session_id, jid, type) VALUES (org, made, '15550001111@s.whatsapp.net', 'dm');
	INSERT INTO wa.message (org_id, id, session_id, chat_jid, wa_message_id, direction, type, body, status) VALUES
		(org, ids[1], made, '15550001111@s.whatsapp.net', 'own', 'out', 'text', 'own', 'sent'),
		(org, ids[2], made, '15550001111@s.whatsapp.net', 'theirs', 'in', 'text', 'theirs', 'delivered'),
		(org, ids[3], made, '15550001111@s.whatsapp.net', 'poll', 'in', 'poll', NULL, 'delivered');
END $$;
SELECT wa.authenticate(:'acme_all') IS NOT NULL \; SELECT public.make_kind(k) FROM unnest('{sandbox,cloud,answers,registered}'::text[]) k;
GRANT SELECT ON public.kind TO regress_app;

-- Every request that a capability stands for.
CREATE FUNCTION public.requests(k public.kind) RETURNS TABLE (capability text, statement text) LANGUAGE sql AS $$
	SELECT r.type, format('SELECT wa.send_message(%L, ''15550001111'', %L, %L)', k.session, r.type, r.content)
	FROM (VALUES ('text', '{"text":"x"}'), ('image', '{"media":{"url":"https://x.example/"}}'), ('video', '{"media":{"url":"https://x.example/"}}'),
		('audio', '{"media":{"url":"https://x.example/"}}'), ('document', '{"media":{"url":"https://x.example/"}}'),
		('sticker', '{"media":{"url":"https://x.example/"}}'), ('location', '{"latitude":1,"longitude":1}'),
		('contact', '{"contact":{"displayName":"x","vcard":"BEGIN:VCARD\nEND:VCARD"}}'), ('poll', '{"name":"x","options":["a","b"]}')) r (type, content)
UNION ALL VALUES
	('reply', format('SELECT wa.send_message(%L, ''15550001111'', ''text'', ''{"text":"x"}'', reply_to => %L)', k.session, k.theirs)),
	('mentions', format('SELECT wa.send_message(%L, ''15550001111'', ''text'', ''{"text":"x"}'', mentions => ''{15550002222}'')', k.session)),
	('reaction', format('SELECT wa.react_to_message(%L, %L, ''👍'')', k.session, k.theirs)),
	('edit', format('SELECT wa.edit_message(%L, %L, ''y'')', k.session, k.own)),
	('revoke', format('SELECT wa.revoke_message(%L, %L)', k.session, k.own)),
	('forward', format('SELECT wa.forward_message(%L, %L, ''15550002222'')', k.session, k.theirs)),
	('forward of a poll', format('SELECT wa.forward_message(%L, %L, ''15550002222'')', k.session, k.poll)),
	('qr', format('SELECT wa.session_qr(%L)', k.session)),
	('pairing_code', format('SELECT wa.request_pairing_code(%L, ''15550009999'')', k.session))
$$;
CREATE FUNCTION public.refused(k public.kind) RETURNS TABLE (capability text, state text, message text) LANGUAGE plpgsql AS $$
DECLARE
	r record;
BEGIN
	FOR r IN SELECT * FROM public.requests(k) LOOP
		BEGIN
			EXECUTE r.statement;
			RAISE EXCEPTION 'done' USING ERRCODE = 'WA999';
		EXCEPTION WHEN SQLSTATE 'WA999' THEN
			NULL;
		WHEN OTHERS THEN
			RETURN QUERY SELECT r.capability, SQLSTATE::text, SQLERRM::text;
		END;
	END LOOP;
END $$;
GRANT EXECUTE ON FUNCTION public.requests(public.kind), public.refused(public.kind) TO regress_app;
-- No capability without a request here.
SELECT c FROM unnest(wa.capabilities()) c WHERE NOT EXISTS (SELECT FROM public.kind k CROSS JOIN LATERAL public.requests(k) r WHERE r.capability = c);

\c - regress_app
\set SHOW_CONTEXT never
-- (Nobody has shown a QR code.)
SELECT wa.authenticate(:'acme_all') IS NOT NULL \; SELECT r.* FROM public.kind k CROSS JOIN LATERAL public.refused(k) r WHERE k.connector = 'sandbox';
SELECT wa.authenticate(:'acme_all') IS NOT NULL \; SELECT r.* FROM public.kind k CROSS JOIN LATERAL public.refused(k) r WHERE k.connector = 'cloud';
-- Nothing is known of this one.
SELECT wa.authenticate(:'acme_all') IS NOT NULL \; SELECT r.* FROM public.kind k CROSS JOIN LATERAL public.refused(k) r WHERE k.connector = 'answers';

-- Administrators say what a kind can do; it has only that from then on.
\c - regress_admin
\set SHOW_CONTEXT never
SELECT wa.set_connector_capability('registered', 'text', true);
SELECT wa.set_connector_capability('registered', 'edit', true);
SELECT wa.set_connector_capability('registered', 'edit', false);
SELECT connector, capability, built_in, is_supported, set_by FROM wa.connector_capability WHERE NOT built_in ORDER BY capability;
\c - regress_app
\set SHOW_CONTEXT never
SELECT wa.authenticate(:'acme_all') IS NOT NULL \; SELECT r.* FROM public.kind k CROSS JOIN LATERAL public.refused(k) r WHERE k.connector = 'registered';
-- What they say counts more than what is built in, until they take it back.
\c - regress_admin
\set SHOW_CONTEXT never
SELECT wa.set_connector_capability('sandbox', 'text', false), wa.set_connector_capability('cloud', 'poll', true);
\c - regress_app
\set SHOW_CONTEXT never
SELECT wa.authenticate(:'acme_all') IS NOT NULL \; SELECT k.connector, r.* FROM public.kind k CROSS JOIN LATERAL public.refused(k) r WHERE k.connector IN ('sandbox', 'cloud') AND r.capability IN ('text', 'poll', 'forward', 'forward of a poll', 'reply');
\c - regress_admin
\set SHOW_CONTEXT never
SELECT wa.set_connector_capability('sandbox', 'text', NULL), wa.set_connector_capability('cloud', 'poll', NULL), wa.set_connector_capability('registered', 'edit', NULL);
SELECT connector, capability FROM wa.connector_capability WHERE NOT built_in;

-- What is no connector and no capability, and who may not.
SELECT wrong.connector, e.state, e.column_name, e.message FROM (VALUES (NULL), (''), ('Cloud'), ('9'), ('a b'), (E'cloud\n'), (repeat('a', 32))) wrong (connector)
	CROSS JOIN LATERAL error_of(format('SELECT wa.set_connector_capability(%L, ''text'', true)', wrong.connector)) e;
SELECT wrong.capability, e.state, e.column_name FROM (VALUES (NULL), (''), ('Text'), ('telepathy')) wrong (capability)
	CROSS JOIN LATERAL error_of(format('SELECT wa.set_connector_capability(''cloud'', %L, true)', wrong.capability)) e;
INSERT INTO wa.connector_capability VALUES ('cloud', 'poll', false, true, 'me');
\c - regress_app
\set SHOW_CONTEXT never
SELECT wa.authenticate(:'acme_all') IS NOT NULL \; SELECT wa.set_connector_capability('cloud', 'poll', true);
SELECT * FROM wa.connector_capability;

-- The list: of the kinds that sessions may have, for whoever may read.
SELECT wa.list_connectors();
SELECT value AS acme_send FROM fixture WHERE name = 'acme_send' \gset
SELECT wa.authenticate(:'acme_send') IS NOT NULL \; SELECT * FROM wa.list_connectors();
SELECT wa.authenticate(:'acme_all') IS NOT NULL \; SELECT name, cardinality(capabilities) AS capabilities FROM wa.list_connectors();
\c - :superuser
SET wa.connectors = 'registered, cloud, cloud, sandbox';
SELECT wa.authenticate(:'acme_all') IS NOT NULL \; SELECT name, capabilities FROM wa.list_connectors();

-- An Idempotency-Key that was used gets its first answer, whatever the connector can do by now.
SELECT session AS sandbox FROM public.kind WHERE connector = 'sandbox' \gset
SELECT wa.authenticate(:'acme_all') IS NOT NULL \; SELECT replayed FROM wa.send_message(:'sandbox', '15550001111', 'text', '{"text":"once"}', idempotency_key => 'capable');
-- (A program with a key cannot change it, whatever its login may do.)
SELECT wa.authenticate(:'acme_all') IS NOT NULL \; SELECT wa.set_connector_capability('sandbox', 'text', false);
SELECT wa.set_connector_capability('sandbox', 'text', false);
SELECT wa.authenticate(:'acme_all') IS NOT NULL \; SELECT replayed FROM wa.send_message(:'sandbox', '15550001111', 'text', '{"text":"once"}', idempotency_key => 'capable');
SELECT wa.authenticate(:'acme_all') IS NOT NULL \; SELECT replayed FROM wa.send_message(:'sandbox', '15550001111', 'text', '{"text":"once"}', idempotency_key => 'incapable');
SELECT wa.set_connector_capability('sandbox', 'text', NULL), wa.set_connector_capability('registered', 'text', NULL);
DELETE FROM wa.session WHERE id IN (SELECT session FROM public.kind);
DROP FUNCTION public.make_kind(text), public.requests(public.kind), public.refused(public.kind);
DROP TABLE public.kind;
