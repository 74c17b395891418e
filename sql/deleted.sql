-- What has millions of rows is deleted, or marked as read, by marking one: the rows
-- are written later, a few at a time, and nobody sees them until then.  What a
-- request may write is counted, not timed.
\set superuser :USER
\set SHOW_CONTEXT never
SELECT value AS acme FROM fixture WHERE name = 'acme' \gset
SELECT value AS acme_all FROM fixture WHERE name = 'acme_all' \gset
SELECT value AS beta_all FROM fixture WHERE name = 'beta_all' \gset
CREATE VIEW public.written AS
	SELECT relname, n_tup_ins AS inserted, n_tup_upd AS updated, n_tup_del AS deleted FROM pg_stat_xact_user_tables
	WHERE schemaname = 'wa' AND n_tup_ins + n_tup_upd + n_tup_del > 0
		AND relname IN ('session', 'session_rate', 'deleted_session', 'chat', 'contact', 'message', 'message_action', 'webhook');
GRANT SELECT ON public.written TO regress_app;

-- What others have deleted is not counted here.
SELECT wa.housekeep('deleted_sessions', 1000) < 1000 AS done;

-- A session with everything: 2,600 messages in 4 chats, contacts, an action, a webhook.
-- Without events, as in a restore.
SET row_security = off;
INSERT INTO wa.session (org_id, label, status) VALUES (:'acme', 'big', 'working') RETURNING id AS big \gset
INSERT INTO wa.session (org_id, label, status) VALUES (:'acme', 'kept', 'working') RETURNING id AS kept \gset
INSERT INTO wa.session_rate (org_id, session_id) VALUES (:'acme', :'big');
INSERT INTO wa.contact (org_id, session_id, jid) SELECT :'acme', s::uuid, '1555000' || i || '@s.whatsapp.net' FROM unnest(ARRAY[:'big', :'kept']) s, generate_series(1, 4) i;
INSERT INTO wa.chat (org_id, session_id, jid, type, unread_count)
SELECT :'acme', s::uuid, '1555000' || i || '@s.whatsapp.net', 'dm', CASE i WHEN 1 THEN 2300 ELSE 100 END FROM unnest(ARRAY[:'big', :'kept']) s, generate_series(1, 4) i;
INSERT INTO wa.message (org_id, session_id, chat_jid, direction, type, body, status)
SELECT c.org_id, c.session_id, c.jid, 'in', 'text', 'message ' || i, 'delivered' FROM wa.chat c, generate_series(1, c.unread_count) i WHERE c.session_id IN (:'big', :'kept');
SELECT id AS msg FROM wa.message WHERE session_id = :'big' LIMIT 1 \gset
INSERT INTO wa.message_action (org_id, session_id, message_id, type) VALUES (:'acme', :'big', :'msg', 'react');
INSERT INTO wa.webhook (org_id, session_id, url, secret) VALUES (:'acme', :'big', 'https://example.com/', 'whsec_0123456789abcdef'), (:'acme', :'kept', 'https://example.com/', 'whsec_0123456789abcdef');
RESET row_security;

-- A chat of 2,300 unread messages: 1,000 are written, all of them count as read.
\c - regress_app
\set SHOW_CONTEXT never
BEGIN;
SELECT wa.authenticate(:'acme_all') IS NOT NULL AS accepted;
SELECT unread_count, read_to IS NOT NULL AS goes_on FROM wa.read_chat(:'big', '15550001@s.whatsapp.net');
SELECT * FROM written ORDER BY relname;
COMMIT;
-- A small one is done with.
BEGIN;
SELECT wa.authenticate(:'acme_all') IS NOT NULL AS accepted;
SELECT unread_count, read_to IS NOT NULL AS goes_on FROM wa.read_chat(:'big', '15550002@s.whatsapp.net');
SELECT * FROM written ORDER BY relname;
COMMIT;
-- What comes meanwhile is unread, and the newest are those that were marked.
\c - :superuser
\set SHOW_CONTEXT never
INSERT INTO wa.message (org_id, session_id, chat_jid, direction, type, body, status) VALUES (:'acme', :'big', '15550001@s.whatsapp.net', 'in', 'text', 'after', 'delivered');
SELECT status, id <= read_to AS counts_as_read, count(*), bool_and(body <> 'after') AS of_before FROM wa.message JOIN wa.chat USING (org_id, session_id) WHERE session_id = :'big' AND jid = '15550001@s.whatsapp.net' AND chat_jid = jid GROUP BY 1, 2 ORDER BY 2, 1;
-- The gateway's statements say it as it counts.
SELECT replace(replace(source, '$1::uuid', quote_literal(:'big')), '$2::uuid', quote_literal(id)) AS get_oldest FROM wa.statement s, (SELECT id FROM wa.message WHERE session_id = :'big' AND chat_jid = '15550001@s.whatsapp.net' ORDER BY id LIMIT 1) m WHERE s.name = 'message_get' \gset
SELECT status FROM (:get_oldest) m;
SELECT status, count(*) FROM (SELECT CASE WHEN m.status = 'delivered' AND m.direction = 'in' AND m.id <= c.read_to THEN 'read' ELSE m.status END AS status FROM wa.message m JOIN wa.chat c ON c.org_id = m.org_id AND c.session_id = m.session_id AND c.jid = m.chat_jid WHERE m.session_id = :'big') s GROUP BY 1 ORDER BY 1;
-- Housekeeping goes through in parts, and comes to an end.
SELECT wa.housekeep('read_chats', 700), wa.housekeep('read_chats', 700), wa.housekeep('read_chats', 700);
SELECT status, count(*) FROM wa.message WHERE session_id = :'big' GROUP BY 1 ORDER BY 1;
SELECT count(*) AS being_read FROM wa.chat WHERE read_to IS NOT NULL;
-- Both find what they do along an index, in order.
SET enable_seqscan = off; SET enable_bitmapscan = off; SET plan_cache_mode = force_generic_plan;
PREPARE unread(uuid, uuid, text) AS SELECT m.id FROM wa.message m WHERE m.org_id = $1 AND m.session_id = $2 AND m.chat_jid = $3 AND m.direction = 'in' AND m.status = 'delivered' ORDER BY m.id DESC LIMIT 1000;
PREPARE deleted(uuid, uuid) AS SELECT m.id FROM wa.message m WHERE m.org_id = $1 AND m.session_id = $2 ORDER BY m.chat_jid, m.sent_at DESC, m.id DESC LIMIT 500;
EXPLAIN (COSTS OFF) EXECUTE unread(NULL, NULL, NULL);
EXPLAIN (COSTS OFF) EXECUTE deleted(NULL, NULL);
RESET enable_seqscan; RESET enable_bitmapscan; RESET plan_cache_mode;

-- Deleting the session writes to none of its messages, chats and contacts.
\c - regress_app
\set SHOW_CONTEXT never
BEGIN;
SELECT wa.authenticate(:'acme_all') IS NOT NULL AS accepted;
SELECT wa.delete_session(:'big');
SELECT * FROM written ORDER BY relname;
-- ... in the same transaction nothing of it is there any more ...
SELECT (SELECT count(*) FROM wa.session WHERE id = :'big') AS sessions, (SELECT count(*) FROM wa.chat WHERE session_id = :'big') AS chats,
	(SELECT count(*) FROM wa.contact WHERE session_id = :'big') AS contacts, (SELECT count(*) FROM wa.message WHERE session_id = :'big') AS messages,
	(SELECT count(*) FROM wa.message WHERE id = :'msg') AS message, (SELECT count(*) FROM wa.message_action WHERE session_id = :'big') AS actions,
	(SELECT count(*) FROM wa.webhook WHERE session_id = :'big') AS webhooks;
COMMIT;
-- ... nor behind it, whatever is called.
BEGIN;
SELECT wa.authenticate(:'acme_all') IS NOT NULL AS accepted;
SELECT count(*) FILTER (WHERE session_id = :'big') AS deleted, count(*) FILTER (WHERE session_id = :'kept') AS kept FROM wa.message;
SELECT call, e.state, e.message
FROM (VALUES (1, 'wa.delete_session(%L)'), (2, 'wa.update_session(%L, ''again'')'), (3, 'wa.control_session(%L, ''start'')'), (4, 'wa.session_qr(%L)'),
	(5, 'wa.send_message(%L, ''15550001'', ''text'', ''{"text":"hi"}'')'), (6, 'wa.read_chat(%L, ''15550001@s.whatsapp.net'')'), (7, 'wa.update_chat(%L, ''15550001@s.whatsapp.net'', true)'),
	(8, 'wa.create_webhook(''https://example.com/'', ''{*}'', %L)'), (9, 'wa.create_ticket(''session'', %L)')) c (place, call),
	LATERAL error_of('SELECT ' || format(call, :'big')) e
ORDER BY place;
COMMIT;
-- A connector that had it has it no more, and reports about it as about a session that is gone.
\c - :superuser
\set SHOW_CONTEXT never
SELECT count(*) FILTER (WHERE session_id = :'big') AS deleted, count(*) FILTER (WHERE session_id = :'kept') AS kept FROM wa.connector_sessions('sandbox', 'deleted', 1000, '1 minute');
SELECT wa.connector_release('deleted') > 0 AS released;
SELECT wa.act_for(:'acme') IS NULL AS x \; SELECT what, call, e.state, e.message
FROM (VALUES (1, 'deleted', :'big'), (2, 'never there', '00000000-0000-7000-8000-0000000000dd')) w (place, what, session),
	(VALUES (1, 'wa.connector_receive(%L, ''wa-1'', ''15550001@s.whatsapp.net'', ''15550001@s.whatsapp.net'', ''X'', ''text'', ''hello'', NULL, now())'),
		(2, 'wa.connector_session(%L, ''deleted'', ''working'')'), (3, 'wa.connector_status(%L, ''wa-1'', ''read'', now())')) c (place, call),
	LATERAL error_of('SELECT ' || format(call, session)) e
ORDER BY c.place, w.place;
SELECT wa.act_for(:'acme') IS NULL AS x \; SELECT wa.connector_sent(:'msg', 'wa-2', now()) AS sent, wa.connector_session(:'big', 'deleted', 'working') AS session;
-- No event told of it: nothing has changed but that it is gone.
SELECT count(*) FROM wa.event WHERE session_id = :'big' AND type = 'session.status' AND envelope LIKE '%stopped%';

-- Housekeeping takes the rows away in parts, those of this session only.
SELECT wa.housekeep('deleted_sessions', 1000) AS first, (SELECT count(*) FROM wa.message WHERE session_id = :'big') AS not_seen_by_this_statement;
SELECT count(*) AS messages FROM wa.message WHERE session_id = :'big';
SELECT wa.housekeep('deleted_sessions', 1000) AS second, wa.housekeep('deleted_sessions', 1000) AS rest, wa.housekeep('deleted_sessions', 1000) AS done;
SELECT (SELECT count(*) FROM wa.session WHERE id = :'big') AS sessions, (SELECT count(*) FROM wa.deleted_session) AS deleted,
	(SELECT count(*) FROM wa.chat WHERE session_id = :'big') AS chats, (SELECT count(*) FROM wa.contact WHERE session_id = :'big') AS contacts,
	(SELECT count(*) FROM wa.message WHERE session_id = :'big') AS messages, (SELECT count(*) FROM wa.message_action WHERE session_id = :'big') AS actions;
SELECT (SELECT count(*) FROM wa.chat WHERE session_id = :'kept') AS chats, (SELECT count(*) FROM wa.contact WHERE session_id = :'kept') AS contacts, (SELECT count(*) FROM wa.message WHERE session_id = :'kept') AS messages;

-- Denied: Beta deletes nothing of Acme's, nobody calls what hides and sweeps, and
-- wa_claim itself deletes nothing that is not hidden.
SELECT wa.authenticate(:'beta_all') IS NOT NULL \; SELECT error_of(format('SELECT wa.delete_session(%L)', :'kept'));
SET ROLE wa_claim;
DELETE FROM wa.message WHERE session_id = :'kept';
DELETE FROM wa.message_action WHERE session_id = :'kept';
DELETE FROM wa.chat WHERE session_id = :'kept';
DELETE FROM wa.contact WHERE session_id = :'kept';
DELETE FROM wa.session WHERE id = :'kept';
RESET ROLE;
\c - regress_app
\set SHOW_CONTEXT never
SELECT wa.hide_session(:'acme', :'kept');
SELECT wa.sweep_deleted_sessions(:'acme', 1);
SELECT wa.sweep_read_chats(:'acme', 1);
INSERT INTO wa.deleted_session VALUES (:'acme', :'kept');
SELECT wa.authenticate(:'beta_all') IS NOT NULL \; SELECT count(*) FROM wa.deleted_session;
\c - :superuser
SELECT count(*) AS kept FROM wa.message WHERE session_id = :'kept';
DELETE FROM wa.session WHERE id = :'kept';
DROP VIEW public.written;

-- Nobody has so much that the others wait for it: what goes with a message counts, too, and the
-- next call begins behind the organization at which one has ended.
\set SHOW_CONTEXT never
SELECT value AS beta FROM fixture WHERE name = 'beta' \gset
SET row_security = off;
INSERT INTO wa.session (org_id, label) SELECT o::uuid, 'gone' FROM unnest(ARRAY[:'acme', :'beta']) o;
INSERT INTO wa.chat (org_id, session_id, jid, type) SELECT s.org_id, s.id, '15550001@s.whatsapp.net', 'dm' FROM wa.session s WHERE s.label = 'gone';
INSERT INTO wa.message (org_id, session_id, chat_jid, direction, type, body, status)
SELECT s.org_id, s.id, '15550001@s.whatsapp.net', 'out', 'text', 'x', 'sent' FROM wa.session s, generate_series(1, 10) WHERE s.label = 'gone';
INSERT INTO wa.message_action (org_id, session_id, message_id, type)
SELECT m.org_id, m.session_id, m.id, 'react' FROM wa.message m JOIN wa.session s ON s.org_id = m.org_id AND s.id = m.session_id, generate_series(1, CASE s.org_id WHEN :'acme' THEN 100 ELSE 1 END)
WHERE s.label = 'gone';
RESET row_security;
SELECT count(*) AS hidden FROM (SELECT wa.hide_session(s.org_id, s.id) FROM wa.session s WHERE s.label = 'gone') hidden;
UPDATE wa.housekeeping_place SET org_id = '00000000-0000-0000-0000-000000000000' WHERE task = 'deleted_sessions';
SELECT wa.housekeep('deleted_sessions', 100) AS of_acme;
SELECT count(*) AS left FROM wa.message_action a JOIN wa.session s ON s.org_id = a.org_id AND s.id = a.session_id WHERE s.label = 'gone';
SELECT wa.housekeep('deleted_sessions', 100) AS of_both;
SELECT s.org_id = :'acme' AS acme, (SELECT count(*) FROM wa.message_action a WHERE a.org_id = s.org_id AND a.session_id = s.id) AS actions, (SELECT count(*) FROM wa.message m WHERE m.org_id = s.org_id AND m.session_id = s.id) AS messages FROM wa.session s WHERE s.label = 'gone';
SELECT sum(wa.housekeep('deleted_sessions', 100)) AS gone FROM generate_series(1, 12);
SELECT count(*) AS left FROM wa.session s WHERE s.label = 'gone';
