-- The event log: what is written, in which order it is read, and by whom.
\set superuser :USER
SELECT value AS acme FROM fixture WHERE name = 'acme' \gset
SELECT value AS acme_all FROM fixture WHERE name = 'acme_all' \gset
SELECT value AS acme_read FROM fixture WHERE name = 'acme_read' \gset
SELECT value AS acme_manage FROM fixture WHERE name = 'acme_manage' \gset
SELECT value AS acme_events FROM fixture WHERE name = 'acme_events' \gset
SELECT value AS beta FROM fixture WHERE name = 'beta' \gset
SELECT value AS beta_all FROM fixture WHERE name = 'beta_all' \gset
SELECT value AS acme_session FROM fixture WHERE name = 'acme_session' \gset
SELECT value AS beta_session FROM fixture WHERE name = 'beta_session' \gset
SELECT value AS acme_message FROM fixture WHERE name = 'acme_message' \gset
UPDATE wa.session SET rate_per_min = 0, rate_per_hour = 0;

-- What was written since it was last asked, as seen by a superuser: type, and the
-- parts of the envelope that are the same each time.
CREATE TABLE public.seen (epoch integer, ordinal bigint, id uuid);
INSERT INTO public.seen VALUES (0, 0, '00000000-0000-0000-0000-000000000000');
CREATE FUNCTION public.news(VARIADIC shown text[] DEFAULT '{}') RETURNS TABLE (of_org text, type text, well_formed boolean, payload jsonb)
	LANGUAGE plpgsql AS $$
BEGIN
	RETURN QUERY
	SELECT o.name, e.type,
		e.envelope::jsonb - 'payload' = jsonb_strip_nulls(jsonb_build_object('schema', 'v1', 'id', wa.typeid('evt', e.id), 'event', e.type,
			'session', wa.typeid('sess', e.session_id), 'organization', wa.typeid('org', e.org_id),
			'timestamp', floor(extract(epoch FROM e.created_at) * 1000)::bigint))
		AND e.envelope LIKE '{"schema":"v1","id":"evt_%' AND e.ordinal > 0 AND e.type = ANY (wa.event_types()),
		(SELECT jsonb_object_agg(p.key, p.value) FROM jsonb_each(e.envelope::jsonb -> 'payload') p WHERE p.key = ANY (shown))
	FROM wa.event e JOIN wa.org o ON o.id = e.org_id
	WHERE (e.epoch, e.ordinal, e.id) > (SELECT s.epoch, s.ordinal, s.id FROM public.seen s)
	ORDER BY e.epoch, e.ordinal, e.id;
	UPDATE public.seen s SET (epoch, ordinal, id) = (SELECT e.epoch, e.ordinal, e.id FROM wa.event e ORDER BY e.epoch DESC, e.ordinal DESC, e.id DESC LIMIT 1);
END $$;
SELECT count(*) > 0 AS some, bool_and(well_formed) AS well_formed FROM news();

-- Each change writes its event; what nobody can see writes none.
SELECT wa.create_key(:'acme', 'event key', '{read}') IS NOT NULL AS made;
SELECT wa.revoke_key(:'acme', 'event key'), wa.revoke_key(id) AS again FROM wa.api_key WHERE name = 'event key';
SELECT * FROM news('name', 'permissions', 'createdBy');
SELECT wa.authenticate(:'acme_all') IS NOT NULL \; SELECT id AS session FROM wa.create_session('events') \gset
SELECT wa.authenticate(:'acme_all') IS NOT NULL \; SELECT (wa.update_session(:'session', 'other')).label, (wa.control_session(:'session', 'stop')).status, (wa.control_session(:'session', 'stop')).status, (wa.control_session(:'session', 'start')).status;
SELECT * FROM news('status', 'label', 'ratePerMin');
SELECT count(*) FROM wa.connector_sessions('sandbox', 'events', 10, '1 minute') WHERE session_id = :'session';
BEGIN; SELECT act_for('acme'); SELECT wa.connector_session(:'session', 'events', 'scan_qr_code', qr_code => 'qr-1', qr_expires_at => '2030-01-01'), wa.connector_session(:'session', 'events', 'scan_qr_code', qr_code => 'qr-1', qr_expires_at => '2030-01-01'), wa.connector_session(:'session', 'events', 'scan_qr_code', qr_code => 'qr-2', qr_expires_at => '2030-01-01'); COMMIT;
SELECT * FROM news('status', 'code', 'expiresAt');
SELECT wa.authenticate(:'acme_all') IS NOT NULL \; SELECT wa.request_pairing_code(:'session', '15551112222') AS code \gset
SELECT type, well_formed, payload = jsonb_build_object('code', :'code', 'phone', '15551112222') AS code FROM news('code', 'phone');
BEGIN; SELECT act_for('acme'); SELECT wa.connector_session(:'session', 'events', 'working', '15550009999', '15550009999@s.whatsapp.net'); COMMIT;
SELECT type, payload - 'lastConnectedAt' AS payload, payload ? 'lastConnectedAt' AS connected FROM news('status', 'phoneNumber', 'lastConnectedAt');
-- A reason is news too; a report without one takes it away.
BEGIN; SELECT act_for('acme'); SELECT wa.connector_session(:'session', 'events', 'working', status_reason => 'people have blocked this number'), wa.connector_session(:'session', 'events', 'working', status_reason => ' people have blocked this number '), wa.connector_session(:'session', 'events', 'working'), wa.connector_session(:'session', 'events', 'working', status_reason => ' '); COMMIT;
SELECT * FROM news('status', 'statusReason');

-- Messages: the first of a chat opens it.
BEGIN; SELECT act_for('acme'); SELECT wa.connector_receive(:'session', 'WA1', '15553334444@s.whatsapp.net', '15553334444@s.whatsapp.net', 'Ann', 'text', 'hello', NULL, now()) IS NOT NULL AS received, wa.connector_receive(:'session', 'WA1', '15553334444@s.whatsapp.net', '15553334444@s.whatsapp.net', 'Ann', 'text', 'hello', NULL, now()) IS NOT NULL AS again; COMMIT;
SELECT * FROM news('jid', 'name', 'body', 'direction', 'fromMe', 'hasMedia', 'unreadCount');
BEGIN; SELECT act_for('acme'); SELECT wa.connector_receive(:'session', 'WA2', '15553334444@s.whatsapp.net', '15553334444@s.whatsapp.net', 'Ann', 'image', 'look', NULL, now()) IS NOT NULL AS received; COMMIT;
SELECT * FROM news('body', 'media', 'hasMedia');
SELECT wa.authenticate(:'acme_all') IS NOT NULL \; SELECT (wa.read_chat(:'session', '15553334444@s.whatsapp.net')).unread_count, (wa.update_chat(:'session', '15553334444@s.whatsapp.net', pinned => true)).pinned, (wa.update_chat(:'session', '15553334444@s.whatsapp.net', pinned => true)).pinned;
SELECT * FROM news('jid', 'pinned', 'unreadCount', 'body');
SELECT wa.authenticate(:'acme_all') IS NOT NULL \; SELECT id AS sent FROM wa.send_message(:'session', '15553334444', 'text', '{"text":"hi"}') \gset
SELECT * FROM news('body', 'status', 'direction');
SELECT count(*) FROM wa.connector_claim('sandbox', 'events', 10, '1 minute');
SELECT * FROM news();
BEGIN; SELECT act_for('acme'); SELECT wa.connector_sent(:'sent', 'WA3', now()), wa.connector_status(:'session', 'WA3', 'delivered', now()), wa.connector_status(:'session', 'WA3', 'delivered', now()), wa.connector_status(:'session', 'WA3', 'read', now()); COMMIT;
SELECT * FROM news('body', 'status', 'waMessageId');
BEGIN; SELECT act_for('acme'); SELECT wa.connector_change(:'session', 'WA3', '15553334444@s.whatsapp.net', 'react', '👍'), wa.connector_change(:'session', 'WA3', '15553334444@s.whatsapp.net', 'react', ''), wa.connector_change(:'session', 'WA1', '15553334444@s.whatsapp.net', 'edit', 'hello!'), wa.connector_change(:'session', 'WA1', '15553334444@s.whatsapp.net', 'revoke', NULL); COMMIT;
SELECT * FROM news('body', 'reaction', 'reactions', 'edited', 'revoked');
BEGIN; SELECT act_for('acme'); SELECT wa.connector_presence(:'session', '15553334444@s.whatsapp.net', '15553334444@s.whatsapp.net', 'composing'); COMMIT;
SELECT wa.authenticate(:'acme_all') IS NOT NULL \; SELECT id AS poll FROM wa.send_message(:'session', '15553334444', 'poll', '{"name":"Lunch?","options":["yes","no"]}') \gset
BEGIN; SELECT act_for('acme'); SELECT wa.connector_sent(:'poll', 'WA4', now()), wa.connector_poll_vote(:'session', 'WA4', '15553334444@s.whatsapp.net', '{yes}', '2026-01-01'), wa.connector_poll_vote(:'session', 'WA3', '15553334444@s.whatsapp.net', '{yes}', '2026-01-01') AS no_poll; COMMIT;
SELECT type, well_formed, payload FROM news('presence', 'chatJid', 'senderJid', 'options', 'timestamp') WHERE type IN ('presence.update', 'poll.vote');
BEGIN; SELECT act_for('acme'); SELECT e.* FROM (VALUES ('connector_presence(%L, ''x'', ''y'', ''composing'')'), ('connector_presence(%L, ''15553334444@s.whatsapp.net'', ''15553334444@s.whatsapp.net'', ''asleep'')'), ('connector_presence(%L, NULL, ''15553334444@C.US'', ''composing'')'), ('connector_poll_vote(%L, ''WA4'', ''z'', ''{yes}'', now())'), ('connector_poll_vote(%L, ''WA4'', ''15553334444@s.whatsapp.net'', ''{yes,maybe,perhaps}'', now())'), ('connector_poll_vote(%L, ''WA4'', ''15553334444@s.whatsapp.net'', ''{no,NULL}'', now())'), ('connector_poll_vote(%L, ''WA4'', ''15553334444@s.whatsapp.net'', NULL, now())')) c (call), error_of(format('SELECT wa.' || call, :'session')) e; COMMIT;
SELECT * FROM news();

-- What is rolled back was never written.
BEGIN;
SELECT wa.authenticate(:'acme_all') IS NOT NULL;
SAVEPOINT s;
SELECT (wa.send_message(:'session', '15553334444', 'text', '{"text":"gone"}')).status;
ROLLBACK TO s;
SELECT (wa.send_message(:'session', '15553334444', 'text', '{"text":"kept"}')).status;
COMMIT;
SELECT type, payload FROM news('body');
BEGIN; SELECT wa.create_key(:'acme', 'never', '{read}') IS NOT NULL; ROLLBACK;
SELECT * FROM news();
-- A transaction that wrote events cannot outlive this run of the server.
BEGIN; SELECT wa.create_key(:'acme', 'never', '{read}') IS NOT NULL; PREPARE TRANSACTION 'x';
-- Nor one that took something away from somebody: its commit would wake nobody.
BEGIN; UPDATE wa.api_key SET expires_at = expires_at WHERE org_id = :'acme'; PREPARE TRANSACTION 'x';
-- The restore of a dump is no change; nobody can change anything in its disguise.
SET row_security = off;
INSERT INTO wa.message (org_id, session_id, chat_jid, direction, type, body, status) VALUES (:'acme', :'session', '15553334444@s.whatsapp.net', 'in', 'text', 'restored', 'delivered');
SELECT * FROM news();
RESET row_security;
-- What the gateway reads for a socket, as a function.
SELECT format('CREATE FUNCTION public.batch(integer, bigint, uuid, text[], uuid) RETURNS TABLE (id uuid, envelope text, epoch integer, ordinal bigint, more boolean, ends timestamptz) LANGUAGE sql AS %L', source)
FROM wa.statement WHERE role_name = 'wa_gateway' AND name = 'realtime_batch' \gexec
\c - regress_app
\set SHOW_CONTEXT never
SET row_security = off;
SELECT wa.authenticate(:'acme_all') IS NOT NULL \; SELECT (wa.send_message(:'acme_session', '15553334444', 'text', '{"text":"hi"}')).status;
RESET row_security;

-- Reading needs events, and nothing else does instead; auth.* needs manage too.
SELECT wa.read_events();
SELECT c.call, e.state, e.constraint_name FROM (VALUES ('read_events()'), ('event_position(NULL)'), ('event_limit(0, 0, ''00000000-0000-0000-0000-000000000000'')')) c (call), wa.authenticate(:'acme_manage'), error_of('SELECT wa.' || call) e;
SELECT wa.authenticate(:'acme_read', 'events');
SELECT wa.authenticate(:'acme_events', 'events') IS NOT NULL \; SELECT count(*) > 10 AS many, count(*) FILTER (WHERE envelope LIKE '%"event":"auth.%') AS auth FROM wa.read_events(session => :'session', max => 1000);
SELECT wa.authenticate(:'acme_all', 'events') IS NOT NULL \; SELECT count(*) > 10 AS many, count(*) FILTER (WHERE envelope LIKE '%"event":"auth.%') AS auth FROM wa.read_events(session => :'session', max => 1000);
-- Another organization's are not there, in no filter and behind no cursor.
SELECT wa.authenticate(:'beta_all', 'events') IS NOT NULL \; SELECT count(*) > 0 AS some, count(*) FILTER (WHERE envelope LIKE '%acme%') AS of_acme FROM wa.read_events(max => 1000);
SELECT wa.authenticate(:'beta_all', 'events') IS NOT NULL \; SELECT count(*) FROM wa.read_events(session => :'acme_session');
SELECT wa.authenticate(:'acme_events', 'events') IS NOT NULL \; SELECT id AS first FROM wa.read_events(max => 1) \gset
SELECT e.* FROM wa.authenticate(:'beta_all', 'events'), error_of(format('SELECT wa.read_events(%L)', :'first')) e
UNION ALL SELECT e.* FROM error_of('SELECT wa.read_events(wa.uuid7())') e;
SELECT e.* FROM wa.authenticate(:'beta_all', 'events'), error_of(format('SELECT wa.event_position(%L)', :'first')) e;
SELECT e.* FROM wa.authenticate(:'acme_all', 'events'), error_of('SELECT wa.read_events(types => ''{message,nonsense}'')') e;
SELECT e.* FROM wa.authenticate(:'acme_all', 'events'), error_of('SELECT wa.read_events(max => 1001)') e;
SELECT c.call, e.* FROM wa.authenticate(:'acme_all', 'events'), unnest('{0,1001}'::int[]) c (call), error_of(format('SELECT wa.read_events(last => %s)', c.call)) e;
-- The newest are those that all end with, and no more than there are.
SELECT wa.authenticate(:'acme_all', 'events') IS NOT NULL \; SELECT (SELECT array_agg(id) FROM wa.read_events(last => 3)) = (array_agg(e.id))[count(*) - 2:] AS newest, count(*) = (SELECT count(*) FROM wa.read_events(max => 1000, last => 1000)) AS all FROM wa.read_events(max => 1000) e;
SELECT wa.authenticate(:'acme_all', 'events') IS NOT NULL \; SELECT id AS last_but_one FROM wa.read_events(last => 2) LIMIT 1 \gset
SELECT wa.authenticate(:'acme_all', 'events') IS NOT NULL \; SELECT count(*) AS behind FROM wa.read_events(:'last_but_one', last => 3);
SELECT wa.authenticate(:'beta_all', 'events') IS NOT NULL \; SELECT count(*) > 0 AS some, count(*) FILTER (WHERE envelope LIKE '%acme%') AS of_acme FROM wa.read_events(max => 1000, last => 1000);
-- Types and session filter; pages of any size show the same, in the same order.
SELECT wa.authenticate(:'acme_all', 'events') IS NOT NULL \; SELECT DISTINCT envelope::jsonb ->> 'event' AS type, envelope::jsonb ->> 'session' = wa.typeid('sess', :'session') AS of_session FROM wa.read_events(types => '{message.status,auth.qr}', session => :'session', max => 1000) ORDER BY 1;
SELECT wa.authenticate(:'acme_all', 'events') IS NOT NULL \; WITH RECURSIVE page AS (
	SELECT array_agg(id) AS ids, (array_agg(id))[3] AS last FROM wa.read_events(max => 3)
	UNION ALL
	SELECT next.ids, next.ids[3] FROM page CROSS JOIN LATERAL (SELECT array_agg(id) AS ids FROM wa.read_events(page.last, max => 3)) next WHERE page.last IS NOT NULL)
SELECT (SELECT array_agg(id) FROM page, unnest(ids) id) = (SELECT array_agg(id) FROM wa.read_events(max => 1000)) AS same;
-- The batch of a socket: its first row says up to where nothing is left.
SELECT wa.authenticate(:'acme_all', 'events') IS NOT NULL \; SELECT id AS near FROM (SELECT id, row_number() OVER () AS place, count(*) OVER () AS events FROM wa.read_events(max => 1000)) e WHERE place >= events - 150 LIMIT 1 \gset
SELECT wa.authenticate(:'acme_all', 'events') IS NOT NULL \; SELECT epoch, ordinal, id FROM wa.event_position(:'near') \gset p_
SELECT wa.authenticate(:'acme_all', 'events') IS NOT NULL \; SELECT array_agg(id) FILTER (WHERE envelope IS NOT NULL) = (SELECT array_agg(id) FROM wa.read_events(:'near', max => 1000)) AS same, bool_or(more) AS more, (array_agg(envelope))[1] IS NULL AS limit_first, (array_agg(epoch))[1] AS epoch, (array_agg(ordinal))[1] AS ordinal, (array_agg(id))[1] AS id FROM batch(:p_epoch, :p_ordinal, :'p_id', NULL, NULL) \gset q_
SELECT :'q_same' AS same, :'q_more' AS more, :'q_limit_first' AS limit_first;
SELECT wa.authenticate(:'acme_all', 'events') IS NOT NULL \; SELECT count(envelope), bool_or(more) AS more FROM batch(:q_epoch, :q_ordinal, :'q_id', NULL, NULL);
SELECT wa.authenticate(:'acme_all', 'events') IS NOT NULL \; SELECT count(envelope), bool_or(more) AS more FROM wa.event_position(NULL) p, batch(p.epoch, p.ordinal, p.id, NULL, NULL);
SELECT wa.authenticate(:'acme_all', 'events') IS NOT NULL \; SELECT array_agg(id) FILTER (WHERE envelope IS NOT NULL) = (SELECT array_agg(id) FROM wa.read_events(:'near', types => '{message.status,auth.qr}', session => :'session', max => 1000)) AS same, count(envelope) > 0 AS some FROM batch(:p_epoch, :p_ordinal, :'p_id', '{message.status,auth.qr}', :'session');
SELECT wa.authenticate(:'acme_all', 'events') IS NOT NULL \; SELECT count(envelope) = (SELECT count(*) FROM wa.read_events(:'near', max => 1000)) AS all FROM batch(:p_epoch, :p_ordinal, :'p_id', '{auth.qr,*}', NULL);
SELECT wa.authenticate(:'acme_events', 'events') IS NOT NULL \; SELECT count(envelope) > 10 AS many, count(*) FILTER (WHERE envelope LIKE '%"event":"auth.%') AS auth FROM batch(0, 0, wa.uuid7(), NULL, :'session');
SELECT wa.authenticate(:'beta_all', 'events') IS NOT NULL \; SELECT count(envelope) > 0 AS some, count(*) FILTER (WHERE envelope LIKE '%acme%') AS of_acme FROM batch(0, 0, wa.uuid7(), NULL, NULL);
SELECT wa.authenticate(:'beta_all', 'events') IS NOT NULL \; SELECT count(envelope) FROM batch(0, 0, wa.uuid7(), NULL, :'acme_session');
-- Whom another snapshot has shown more does not go back.
SELECT wa.authenticate(:'acme_all', 'events') IS NOT NULL \; SELECT b.epoch = :q_epoch AND b.ordinal = :q_ordinal + 1000000 AND b.id = :'first' AS same_place, b.envelope, b.more FROM batch(:q_epoch, :q_ordinal + 1000000, :'first', NULL, NULL) b;
SELECT e.* FROM wa.authenticate(:'acme_all', 'events'), error_of('SELECT wa.event_limit(NULL, 0, wa.uuid7())') e;
-- Beneath it is the table, which shows every credential its own.
SELECT count(envelope) FROM wa.event;
SELECT e.* FROM wa.authenticate(:'acme_manage'), error_of('SELECT count(envelope) FROM wa.event') e;
SELECT wa.authenticate(:'acme_events') IS NOT NULL \; SELECT count(envelope) > 10 AS many, count(DISTINCT org_id) AS orgs, count(*) FILTER (WHERE type LIKE 'auth.%') AS auth FROM wa.event;
SELECT wa.authenticate(:'acme_all', 'events') IS NOT NULL \; SELECT count(envelope) > 10 AS many, count(DISTINCT org_id) AS orgs, count(*) FILTER (WHERE type LIKE 'auth.%') > 0 AS auth FROM wa.event;
SELECT wa.authenticate(:'beta_all') IS NOT NULL \; SELECT count(*) FROM wa.event WHERE id = :'first';
SELECT wa.authenticate(:'acme_all') IS NOT NULL \; SELECT count(created_at) FROM wa.event;
SELECT wa.authenticate(:'acme_all') IS NOT NULL \; UPDATE wa.event SET envelope = '{}';
SELECT wa.authenticate(:'acme_all') IS NOT NULL \; DELETE FROM wa.event;
-- A transaction does not see its own, as nobody does before it commits.
BEGIN;
SELECT wa.authenticate(:'acme_all') IS NOT NULL;
SELECT count(*) AS before FROM wa.read_events(max => 1000) \gset
SELECT (wa.send_message(:'session', '15553334444', 'text', '{"text":"own"}')).status;
SELECT count(*) = :before AS not_yet FROM wa.read_events(max => 1000);
COMMIT;
SELECT wa.authenticate(:'acme_all') IS NOT NULL \; SELECT count(*) - :before AS now FROM wa.read_events(max => 1000);

-- Nobody writes to the log, and the functions below are for function bodies.
SELECT wa.authenticate(:'acme_all') IS NOT NULL \; INSERT INTO wa.event (org_id, epoch, ordinal, type, envelope) VALUES (:'acme', 1, 1, 'message', '{}');
SELECT wa.emit(:'acme', 'message', NULL, '{}');
SELECT wa.next_event_position(:'acme');
SELECT wa.event_horizon(:'acme');
SELECT wa.observe_writers();
SELECT wa.event_writers();
SELECT wa.wait_for_events(gen_random_uuid(), '{}', 0);
SELECT wa.wait_for_change(0, 0);
SELECT wa.knock(gen_random_uuid());
SELECT wa.housekeep('events');
\c - :superuser
\set SHOW_CONTEXT never
SELECT p.proname, string_agg(r.rolname, ', ' ORDER BY r.rolname) AS callers
FROM pg_proc p JOIN pg_roles r ON r.rolname LIKE 'wa\_%' AND r.rolname <> 'wa_owner' AND has_function_privilege(r.oid, p.oid, 'EXECUTE')
WHERE p.pronamespace = 'wa'::regnamespace AND p.proname IN ('emit', 'envelope', 'next_event_position', 'event_horizon', 'observe_writers', 'event_writers', 'event_limit', 'event_position', 'read_events',
	'wait_for_events', 'wait_for_change', 'wait_for_deliveries', 'knock', 'housekeep', 'expire_events', 'set_event_days', 'connector_presence', 'connector_poll_vote', 'holds_permission')
GROUP BY 1 ORDER BY 1;

-- No event is larger than a socket has room for; what connectors report is bounded before that.
SELECT e.state, e.message FROM error_of(format('SELECT wa.emit(%L, ''message'', NULL, to_json(repeat(''x'', 4194303))::text)', :'acme')) e;
SELECT e.* FROM wa.act_for(:'acme'), (VALUES ('wa.connector_receive(%L, ''L1'', ''15553334444@s.whatsapp.net'', ''15553334444@s.whatsapp.net'', NULL, ''text'', repeat(''x'', 65537), NULL, now())'),
	('wa.connector_receive(%L, ''L2'', ''15553334444@s.whatsapp.net'', ''15553334444@s.whatsapp.net'', NULL, ''poll'', NULL, to_jsonb(repeat(''x'', 262144)), now())'),
	('wa.connector_change(%L, ''M1'', ''15553334444@s.whatsapp.net'', ''edit'', repeat(''x'', 65537))'),
	('wa.connector_change(%L, ''M1'', ''15553334444@s.whatsapp.net'', ''react'', repeat(''x'', 65))')) c (call), error_of('SELECT ' || format(call, :'session')) e;
SELECT wa.act_for(:'acme') \; SELECT wa.connector_receive(:'session', 'L3', '15553334444@s.whatsapp.net', '15553334444@s.whatsapp.net', NULL, 'text', repeat('x', 65536), NULL, now()) IS NOT NULL AS longest;
-- A batch ends with its 200th event, or with the one that brings it to 1 MiB.
SELECT wa.authenticate(:'acme_all', 'events') IS NOT NULL \; SELECT p.epoch, p.ordinal, p.id FROM wa.event_position(NULL) p \gset p_
SELECT count(wa.emit(:'acme', 'message', NULL, to_json(i)::text)) FROM generate_series(1, 201) i;
SELECT count(wa.emit(:'acme', 'chat.update', NULL, to_json(repeat('x', 600000))::text)) FROM generate_series(1, 3) i;
SET ROLE regress_app;
SELECT wa.authenticate(:'acme_all', 'events') IS NOT NULL \; SELECT count(envelope), count(*) FILTER (WHERE more) AS full, (array_agg(id))[201] = (array_agg(id) FILTER (WHERE more))[1] AS with_the_last FROM batch(:p_epoch, :p_ordinal, :'p_id', '{message}', NULL);
SELECT wa.authenticate(:'acme_all', 'events') IS NOT NULL \; SELECT b.epoch, b.ordinal, b.id FROM batch(:p_epoch, :p_ordinal, :'p_id', '{message}', NULL) b WHERE more \gset q_
SELECT wa.authenticate(:'acme_all', 'events') IS NOT NULL \; SELECT count(envelope), bool_or(more) AS more FROM batch(:q_epoch, :q_ordinal, :'q_id', '{message}', NULL);
SELECT wa.authenticate(:'acme_all', 'events') IS NOT NULL \; SELECT count(envelope), count(*) FILTER (WHERE more) AS full, (array_agg(id))[4] = (array_agg(id) FILTER (WHERE more))[1] AS with_the_last FROM batch(:q_epoch, :q_ordinal, :'q_id', NULL, NULL);
-- One that shows nothing says where to go on all the same.
SELECT wa.authenticate(:'acme_all', 'events') IS NOT NULL \; SELECT count(envelope), count(*) AS rows, (array_agg(id))[2] = :'q_id' AS same_place, bool_or(more) AS more FROM batch(:p_epoch, :p_ordinal, :'p_id', '{poll.vote}', NULL);
RESET ROLE;
DELETE FROM wa.event WHERE org_id = :'acme' AND (epoch, ordinal) >= (:p_epoch, :p_ordinal);

-- Another run of the server, or another server, begins another epoch: all that was
-- there comes first, whatever its transactions were numbered.
SELECT count(DISTINCT epoch) AS epochs, count(DISTINCT server) AS runs, bool_and(server = wa.server_run()) AS this_run FROM wa.event_epoch;
UPDATE wa.event_epoch SET server = 'elsewhere';
UPDATE wa.event SET ordinal = ordinal + 1000000000;
-- Until an epoch is noted for good nobody is given a place in it, but the end of the one before.
SELECT wa.authenticate(:'acme_all', 'events') IS NOT NULL \; SELECT p.epoch, p.ordinal = 9223372036854775807 AS its_end FROM wa.event_position(NULL) p;
BEGIN; INSERT INTO wa.session (org_id, label) VALUES (:'acme', 'rolled back');
SELECT wa.authenticate(:'acme_all', 'events') IS NOT NULL \; SELECT p.epoch, p.ordinal = 9223372036854775807 AS its_end FROM wa.event_position(NULL) p;
ROLLBACK;
INSERT INTO wa.session (org_id, label) VALUES (:'acme', 'younger');
INSERT INTO wa.session (org_id, label) VALUES (:'acme', 'youngest');
SELECT e.epoch, p.label FROM wa.authenticate(:'acme_all', 'events'), wa.read_events(max => 1000) e, jsonb_to_record(e.envelope::jsonb -> 'payload') p (label text) WHERE e.epoch > 1 OR p.label = 'acme phone' ORDER BY e.epoch, e.ordinal, e.id;
SELECT wa.authenticate(:'acme_all', 'events') IS NOT NULL \; SELECT p.epoch, p.ordinal = 9223372036854775807 AS its_end FROM wa.event_position(NULL) p;
SELECT epoch, server = wa.server_run() AS this_run, count(*) FROM wa.event_epoch GROUP BY 1, 2 ORDER BY 1;
SELECT wa.authenticate(:'acme_all', 'events') IS NOT NULL \; SELECT count(*), min(e.epoch) FROM wa.read_events(:'first', max => 1000) e WHERE e.epoch = 2;
DELETE FROM wa.session WHERE label LIKE 'young%';
-- An epoch that was noted in vain is noted again.
UPDATE wa.event_epoch SET server = 'elsewhere';
BEGIN; INSERT INTO wa.session (org_id, label) VALUES (:'acme', 'vain'); SELECT max(epoch) FROM wa.event_epoch; ROLLBACK;
SELECT max(epoch) FROM wa.event_epoch;
INSERT INTO wa.session (org_id, label) VALUES (:'acme', 'not in vain');
SELECT max(epoch) FROM wa.event_epoch;
DELETE FROM wa.session WHERE label = 'not in vain';

-- Who waits is told of the organizations whose credentials were handed over, and of nobody
-- else: neither where others write, nor that they do, nor how much (P50).
INSERT INTO wa.org (id, name) VALUES ('00000000-0000-7000-8000-0000000000e1', 'one'), ('00000000-0000-7000-8000-0000000000e2', 'two');
SELECT wa.import_key('00000000-0000-7000-8000-0000000000e1', 'wakes', sha256('wa_wakes-those-who-wait'), '{events}') IS NOT NULL,
	wa.import_key('00000000-0000-7000-8000-0000000000e1', 'second', sha256('wa_wakes-those-who-wait-2'), '{events}') IS NOT NULL,
	wa.import_key('00000000-0000-7000-8000-0000000000e1', 'deaf', sha256('wa_may-not-listen-to-events'), '{read}') IS NOT NULL;
\set gateway 00000000-0000-7000-8000-0000000000aa
CREATE FUNCTION public.woken(sockets text[] DEFAULT '{}', gateway uuid DEFAULT '00000000-0000-7000-8000-0000000000aa', timeout_ms integer DEFAULT 0)
	RETURNS TABLE (org text, watched boolean) LANGUAGE sql VOLATILE AS $$
	SELECT COALESCE(right(w.org_id::text, 2), 'known'), w.watched FROM wa.wait_for_events(gateway, sockets::wa.secret[], timeout_ms) w $$;
-- Begun anew; then nothing is handed over, or nothing that may listen.
SELECT * FROM woken();
SELECT * FROM woken('{wa_may-not-listen-to-events,wa_nobody-has-such-a-key-}');
INSERT INTO wa.session (org_id, label) VALUES ('00000000-0000-7000-8000-0000000000e1', 'wakes'), ('00000000-0000-7000-8000-0000000000e2', 'wakes not');
SELECT * FROM woken();
-- One is handed over: it is told at once, whatever there was before, and then when it has changed.
SELECT * FROM woken('{wa_wakes-those-who-wait}');
SELECT * FROM woken();
INSERT INTO wa.session (org_id, label) VALUES ('00000000-0000-7000-8000-0000000000e2', 'wakes not');
SELECT * FROM woken();
INSERT INTO wa.session (org_id, label) VALUES ('00000000-0000-7000-8000-0000000000e1', 'wakes'), ('00000000-0000-7000-8000-0000000000e2', 'wakes not');
SELECT * FROM woken();
BEGIN; INSERT INTO wa.session (org_id, label) VALUES ('00000000-0000-7000-8000-0000000000e1', 'wakes not'); ROLLBACK;
SELECT * FROM woken();
UPDATE wa.session SET label = 'silent' WHERE label LIKE 'wakes%';
SELECT * FROM woken();
-- What a credential rests on counts as well.
UPDATE wa.api_key SET permissions = permissions WHERE name = 'wakes';
SELECT * FROM woken();
-- A knock ends a wait and tells nothing; a gateway that names itself like an organization hears nothing of it.
SELECT wa.knock(:'gateway'), wa.knock('00000000-0000-7000-8000-0000000000e2');
SELECT clock_timestamp() AS before \gset
SELECT * FROM woken(timeout_ms => 60000);
SELECT clock_timestamp() - :'before' < interval '50 s' AS knocked;
-- A transaction knocks for a bounded number of gateways, and never for everybody.
SELECT count(wa.knock(gen_random_uuid())) FROM generate_series(1, 10);
SELECT count(wa.knock(gen_random_uuid())) FROM generate_series(1, 10000);
SELECT count(wa.knock(:'gateway')) FROM generate_series(1, 10000);
SELECT * FROM woken('{wa_wakes-those-who-wait}', '00000000-0000-7000-8000-0000000000e2');
INSERT INTO wa.session (org_id, label) VALUES ('00000000-0000-7000-8000-0000000000e2', 'silent');
SELECT clock_timestamp() AS before \gset
SELECT * FROM woken('{}', '00000000-0000-7000-8000-0000000000e2', 100);
SELECT clock_timestamp() - :'before' >= interval '0.1 s' AS waited;
-- What a gateway watches is nothing to another on the same connection.
SELECT * FROM woken('{wa_wakes-those-who-wait}');
INSERT INTO wa.session (org_id, label) VALUES ('00000000-0000-7000-8000-0000000000e1', 'silent');
SELECT * FROM woken('{}', gen_random_uuid());
SELECT * FROM woken();
-- Of a credential that has ended it is said that it did; from then on nothing.
SELECT * FROM woken('{wa_wakes-those-who-wait}');
SELECT wa.revoke_key('00000000-0000-7000-8000-0000000000e1', 'wakes') AS revoked;
SELECT * FROM woken();
INSERT INTO wa.session (org_id, label) VALUES ('00000000-0000-7000-8000-0000000000e1', 'silent');
SELECT * FROM woken();
-- Another one opens it again.
SELECT * FROM woken('{wa_wakes-those-who-wait-2}');
INSERT INTO wa.session (org_id, label) VALUES ('00000000-0000-7000-8000-0000000000e1', 'silent');
SELECT * FROM woken();
-- A transaction of very many organizations is one of everybody's.
SELECT count(wa.wake(gen_random_uuid())) FROM generate_series(1, 64);
SELECT * FROM woken();
SELECT count(wa.wake(gen_random_uuid())) FROM generate_series(1, 65);
SELECT * FROM woken();
SELECT * FROM woken();
-- So is what happened too long ago to be kept.
DO $$ BEGIN FOR i IN 1 .. 70 LOOP PERFORM wa.wake(gen_random_uuid()) FROM generate_series(1, 60); COMMIT; END LOOP; END $$;
SELECT * FROM woken();
-- Bounds.
SELECT e.* FROM error_of('SELECT wa.wait_for_events(gen_random_uuid(), array_fill(''wa_may-not-listen-to-events''::wa.secret, ARRAY[13, 5]), 0)') e;
SELECT e.* FROM error_of('SELECT wa.wait_for_events(NULL, NULL, 0)') e;
-- A person's sign-out is the business of the organizations where they are a member.
SELECT u.id AS person FROM wa.create_user('wakes@example.com', 'Wakes', 'correct horse battery') u \gset
INSERT INTO wa.member (org_id, user_id, role) VALUES ('00000000-0000-7000-8000-0000000000e2', :'person', 'admin');
INSERT INTO wa.sign_in (user_id, digest, active_org, expires_at) VALUES (:'person', sha256('wakes'), '00000000-0000-7000-8000-0000000000e2', now() + interval '1 hour');
SELECT * FROM woken('{wa_wakes-those-who-wait-2}');
UPDATE wa.sign_in SET ended_at = now() WHERE user_id = :'person';
SELECT wa.disable_user(:'person');
SELECT * FROM woken();
INSERT INTO wa.member (org_id, user_id, role) VALUES ('00000000-0000-7000-8000-0000000000e1', :'person', 'member');
UPDATE wa.app_user SET disabled_at = NULL WHERE id = :'person';
SELECT * FROM woken();
UPDATE wa.sign_in SET ended_at = NULL WHERE user_id = :'person';
SELECT * FROM woken();
-- The worker learns that something has changed, and where only of what it has claimed.
CREATE FUNCTION public.due(seen bigint) RETURNS TABLE (moved boolean, org text) LANGUAGE sql VOLATILE AS
	$$ SELECT w.generation > seen, right(w.org_id::text, 2) FROM wa.wait_for_deliveries('regress', seen, 0) w ORDER BY 2 NULLS FIRST $$;
SELECT w.generation FROM wa.wait_for_deliveries('regress', 0, 5000) w WHERE w.org_id IS NULL \gset
INSERT INTO wa.session (org_id, label) VALUES ('00000000-0000-7000-8000-0000000000e1', 'silent');
SELECT * FROM due(:generation);
INSERT INTO wa.webhook (org_id, url, events, secret) VALUES ('00000000-0000-7000-8000-0000000000e2', 'https://example.com', '{*}', 'whsec_regress');
INSERT INTO wa.webhook_lane (org_id, webhook_id, lease_owner, lease_until)
	SELECT w.org_id, w.id, 'regress', now() + interval '1 minute' FROM wa.webhook w WHERE w.org_id = '00000000-0000-7000-8000-0000000000e2'
	ON CONFLICT (org_id, webhook_id) DO UPDATE SET lease_owner = EXCLUDED.lease_owner, lease_until = EXCLUDED.lease_until;
INSERT INTO wa.session (org_id, label) VALUES ('00000000-0000-7000-8000-0000000000e2', 'silent');
SELECT * FROM due(:generation);
UPDATE wa.webhook_lane SET lease_until = now() WHERE lease_owner = 'regress';
SELECT * FROM due(:generation);
-- A generation that never was is as good as none; a wait ends at its time.
SELECT count(*) FROM wa.wait_for_deliveries('regress', 9223372036854775807, 10) w;
SELECT clock_timestamp() AS before \gset
SELECT count(*) FROM wa.wait_for_deliveries('regress', (SELECT w.generation FROM wa.wait_for_deliveries('regress', 0, 0) w WHERE w.org_id IS NULL), 200);
SELECT clock_timestamp() - :'before' >= '0.2 s' AS waited;
SET client_min_messages = error;
DELETE FROM wa.webhook WHERE org_id = '00000000-0000-7000-8000-0000000000e2';
DELETE FROM wa.session WHERE label = 'silent';
DELETE FROM wa.sign_in WHERE user_id = :'person';
DELETE FROM wa.member WHERE user_id = :'person';
DELETE FROM wa.app_user WHERE id = :'person';
DELETE FROM wa.api_key WHERE org_id::text LIKE '%0000000000e_';
ALTER TABLE wa.audit DISABLE TRIGGER audit_append_only;
DELETE FROM wa.audit WHERE org_id::text LIKE '%0000000000e_';
ALTER TABLE wa.audit ENABLE ALWAYS TRIGGER audit_append_only;
DELETE FROM wa.org WHERE name IN ('one', 'two');

-- Retention takes events from the front only, and a cursor that it took is no more.
SELECT wa.set_event_days(:'acme', 0);
SELECT wa.set_event_days(:'acme', 2);
SELECT epoch, ordinal, id FROM wa.event WHERE org_id = :'acme' ORDER BY epoch, ordinal, id OFFSET 5 LIMIT 1 \gset front_
SELECT count(*) AS count FROM wa.event WHERE org_id = :'acme' \gset before_
UPDATE wa.event SET created_at = now() - interval '3 days' WHERE org_id = :'acme' AND (epoch, ordinal, id) <> (:front_epoch, :front_ordinal, :'front_id');
SELECT wa.housekeep('events', 3), wa.housekeep('events', 100), wa.housekeep('events', 100);
SELECT count(*) = :before_count - 5 AS rest, min(id::text) = :'front_id' OR (SELECT count(*) FROM wa.event e WHERE e.org_id = :'acme' AND (e.epoch, e.ordinal, e.id) < (:front_epoch, :front_ordinal, :'front_id')) = 0 AS front FROM wa.event WHERE org_id = :'acme';
SELECT e.state, e.message FROM wa.authenticate(:'acme_all', 'events'), error_of(format('SELECT wa.read_events(%L)', :'first')) e;
SELECT wa.authenticate(:'acme_all', 'events') IS NOT NULL \; SELECT count(*) = :before_count - 6 AS all_behind FROM wa.read_events(:'front_id', max => 1000);
-- The last one that went is a good place still: whoever has had it has missed nothing.
SELECT o.expired_event AS last_gone FROM wa.org o WHERE o.id = :'acme' \gset
SELECT wa.authenticate(:'acme_all', 'events') IS NOT NULL \; SELECT count(*) = :before_count - 5 AS all_behind FROM wa.read_events(:'last_gone', max => 1000);
SELECT wa.authenticate(:'acme_all', 'events') IS NOT NULL \; SELECT count(envelope) FROM wa.event_position(:'last_gone') p, batch(p.epoch, p.ordinal, p.id, NULL, NULL) b WHERE b.id = :'front_id';
SELECT e.state FROM wa.authenticate(:'beta_all', 'events'), error_of(format('SELECT wa.event_position(%L)', :'last_gone')) e;
-- Whoever is still reading from before it is told, and not led past the gap.
SELECT e.state, e.message FROM wa.authenticate(:'acme_all', 'events'), error_of('SELECT batch(0, 0, ''00000000-0000-0000-0000-000000000000'', NULL, NULL)') e;
SELECT e.* FROM error_of('SELECT wa.housekeep(''nonsense'')') e UNION ALL SELECT e.* FROM error_of('SELECT wa.housekeep(''events'', 0)') e;
SELECT e.state, e.message FROM wa.authenticate(:'acme_all'), error_of('SELECT wa.housekeep(''events'')') e;

DELETE FROM wa.session WHERE id = :'session';
UPDATE wa.org SET event_days = 7;
DROP FUNCTION public.news(text[]), public.woken(text[], uuid, integer), public.due(bigint);
DROP TABLE public.seen;
