-- Lists: what a page costs does not depend on where in the list it is.
--
-- The statements are those that the gateway sends, from the list of registered
-- ones, so that none can change without its plan being seen here.
\set superuser :USER
SELECT value AS acme_all FROM fixture WHERE name = 'acme_all' \gset
SELECT value AS acme FROM fixture WHERE name = 'acme' \gset
SELECT value AS session FROM fixture WHERE name = 'acme_session' \gset

-- Many of everything; ids in the order in which they were made.  A few other sessions have
-- chats and contacts, too: a plan is made for any session, and one that has all is none.
BEGIN;
INSERT INTO wa.session (org_id, label) SELECT :'acme', 'page ' || i FROM generate_series(1, 2000) i;
INSERT INTO wa.chat (org_id, session_id, jid, type, active_at)
SELECT :'acme', :'session', (10000000000 + i) || '@s.whatsapp.net', 'dm', now() - i * interval '1 minute'
FROM generate_series(1, 5000) i;
INSERT INTO wa.chat (org_id, session_id, jid, type) SELECT org_id, id, '10000000000@s.whatsapp.net', 'dm' FROM wa.session WHERE label IN ('page 1', 'page 2', 'page 3', 'page 4', 'page 5', 'page 6');
INSERT INTO wa.contact (org_id, session_id, jid) SELECT org_id, session_id, jid FROM wa.chat WHERE jid = '10000000000@s.whatsapp.net';
INSERT INTO wa.contact (org_id, session_id, jid, phone_number, name, first_seen_at, last_seen_at)
SELECT :'acme', :'session', (10000000000 + i) || '@s.whatsapp.net', 10000000000 + i, 'Contact ' || i, '2026-01-01', '2026-01-02'
FROM generate_series(1, 5000) i;
INSERT INTO wa.message (org_id, session_id, chat_jid, direction, type, body, status, sent_at)
SELECT :'acme', :'session', '10000000001@s.whatsapp.net', 'in', 'text', 'page ' || i, 'read', now() - i / 3 * interval '1 minute'
FROM generate_series(1, 20000) i;
INSERT INTO wa.webhook (org_id, url, secret) SELECT :'acme', 'https://e.com/' || i, 'secret' FROM generate_series(1, 2000) i;
SELECT id AS webhook FROM wa.webhook WHERE url = 'https://e.com/1000' \gset
INSERT INTO wa.delivery (org_id, webhook_id, event_id, epoch, ordinal, type)
SELECT :'acme', :'webhook', wa.uuid7(), 1, 1, 'message' FROM generate_series(1, 20000);
COMMIT;
VACUUM ANALYZE wa.session, wa.chat, wa.contact, wa.message, wa.webhook, wa.event, wa.delivery;
-- The last rows but a page of each list.
SELECT id AS message_end, sent_at AS message_end_at FROM wa.message WHERE chat_jid = '10000000001@s.whatsapp.net' ORDER BY sent_at, id OFFSET 201 LIMIT 1 \gset
SELECT id AS session_end FROM wa.session WHERE org_id = :'acme' AND deleted_at IS NULL ORDER BY id OFFSET 201 LIMIT 1 \gset
SELECT id AS webhook_end FROM wa.webhook ORDER BY id OFFSET 201 LIMIT 1 \gset
SELECT jid AS chat_end, active_at AS chat_end_at FROM wa.chat WHERE session_id = :'session' ORDER BY active_at, jid DESC OFFSET 201 LIMIT 1 \gset
SELECT jid AS contact_end FROM wa.contact WHERE session_id = :'session' ORDER BY jid DESC OFFSET 201 LIMIT 1 \gset

SELECT id AS event_end FROM wa.event WHERE org_id = :'acme' ORDER BY epoch DESC, ordinal DESC, id DESC OFFSET 201 LIMIT 1 \gset
SELECT id AS delivery_end FROM wa.delivery WHERE webhook_id = :'webhook' ORDER BY id OFFSET 201 LIMIT 1 \gset

SELECT source AS message_list FROM wa.statement WHERE role_name = 'wa_gateway' AND name = 'message_list' \gset
SELECT source AS chat_list FROM wa.statement WHERE role_name = 'wa_gateway' AND name = 'chat_list' \gset
SELECT source AS message_search FROM wa.statement WHERE role_name = 'wa_gateway' AND name = 'message_search' \gset
SELECT source AS contact_list FROM wa.statement WHERE role_name = 'wa_gateway' AND name = 'contact_list' \gset
SELECT source AS session_list FROM wa.statement WHERE role_name = 'wa_gateway' AND name = 'session_list' \gset
SELECT source AS webhook_list FROM wa.statement WHERE role_name = 'wa_gateway' AND name = 'webhook_list' \gset
SELECT source AS event_list FROM wa.statement WHERE role_name = 'wa_gateway' AND name = 'event_list' \gset
SELECT source AS delivery_list FROM wa.statement WHERE role_name = 'wa_gateway' AND name = 'delivery_list' \gset
SELECT source AS realtime_batch FROM wa.statement WHERE role_name = 'wa_gateway' AND name = 'realtime_batch' \gset
SELECT epoch, ordinal, id FROM wa.event WHERE org_id = :'acme' ORDER BY epoch, ordinal, id LIMIT 1 \gset first_
SELECT epoch, ordinal, id FROM wa.event WHERE org_id = :'acme' ORDER BY epoch DESC, ordinal DESC, id DESC OFFSET 201 LIMIT 1 \gset last_
-- No list is forgotten here; those for people (keys, members, invitations, the audit log) are functions', and that of connectors is no longer than a setting.
SELECT name FROM wa.statement WHERE role_name = 'wa_gateway' AND name LIKE '%\_list' ORDER BY name;

-- Rows and pages of memory of a prepared statement's run.
CREATE FUNCTION public.cost_of(call text, OUT rows integer, OUT buffers integer)
	LANGUAGE plpgsql AS $$
DECLARE
	plan jsonb;
BEGIN
	EXECUTE 'EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) EXECUTE ' || call INTO plan;
	rows := (plan -> 0 -> 'Plan' ->> 'Actual Rows')::numeric; -- with a fraction, since 18
	buffers := (plan -> 0 -> 'Plan' ->> 'Shared Hit Blocks')::integer + (plan -> 0 -> 'Plan' ->> 'Shared Read Blocks')::integer;
END $$;

\c - regress_app
\set SHOW_CONTEXT never
SET plan_cache_mode = force_generic_plan;
PREPARE message_list(uuid, text, uuid, timestamptz, uuid, timestamptz, timestamptz, uuid, int4) AS :message_list;
PREPARE chat_list(uuid, text, bool, bool, timestamptz, text, int4) AS :chat_list;
PREPARE message_search(uuid, text, text, timestamptz, timestamptz, uuid, text, int4) AS :message_search;
PREPARE contact_list(uuid, text, text, int4) AS :contact_list;
PREPARE session_list(text, uuid, int4) AS :session_list;
PREPARE webhook_list(uuid, int4) AS :webhook_list;
PREPARE event_list(uuid, text, uuid, int4, uuid, int4) AS :event_list;
PREPARE delivery_list(uuid, text, uuid, int4) AS :delivery_list;
PREPARE realtime_batch(int4, int8, uuid, text[], uuid) AS :realtime_batch;

BEGIN;
SELECT wa.authenticate(:'acme_all') IS NOT NULL;
-- Organization, session and chat are index conditions, and so is the place that
-- the page begins at; the index has the order.  What is sorted is one page.
SELECT plan_of('EXECUTE message_list(NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 201)');
SELECT plan_of('EXECUTE chat_list(NULL, NULL, NULL, NULL, NULL, NULL, 201)');
SELECT plan_of('EXECUTE message_search(NULL, NULL, NULL, NULL, NULL, NULL, NULL, 201)');
SELECT plan_of('EXECUTE contact_list(NULL, NULL, NULL, 201)');
SELECT plan_of('EXECUTE session_list(NULL, NULL, 201)');
SELECT plan_of('EXECUTE webhook_list(NULL, 201)');
SELECT plan_of('EXECUTE delivery_list(NULL, NULL, NULL, 201)');

-- What a socket reads is a range of the primary key too, in its order.
SELECT plan_of(format('EXECUTE realtime_batch(%L, %L, %L, NULL, NULL)', :'first_epoch', :'first_ordinal', :'first_id'));
-- The first page and the last are full, and neither costs more than the other.
SELECT p.list, first.rows AS first_rows, last.rows AS last_rows,
	last.buffers <= 2 * first.buffers + 20 AS same_cost, first.buffers < 1000 AS cheap
FROM (VALUES
	('message_list', format('(%L, ''10000000001@s.whatsapp.net'', NULL, NULL, NULL, NULL, NULL, NULL, 201)', :'session'),
		format('(%L, ''10000000001@s.whatsapp.net'', NULL, NULL, NULL, NULL, %L, %L, 201)', :'session', :'message_end_at', :'message_end')),
	('message_list', format('(%L, ''10000000001@s.whatsapp.net'', NULL, NULL, NULL, NULL, NULL, NULL, 201)', :'session'),
		format('(%L, ''10000000001@s.whatsapp.net'', %L, NULL, NULL, NULL, NULL, NULL, 201)', :'session', :'message_end')),
	-- before a time, and after one: each is the bound of the index condition at its end
	('message_list', format('(%L, ''10000000001@s.whatsapp.net'', NULL, NULL, NULL, NULL, NULL, NULL, 201)', :'session'),
		format('(%L, ''10000000001@s.whatsapp.net'', NULL, %L, NULL, NULL, NULL, NULL, 201)', :'session', :'message_end_at')),
	('message_list', format('(%L, ''10000000001@s.whatsapp.net'', NULL, NULL, NULL, NULL, NULL, NULL, 201)', :'session'),
		format('(%L, ''10000000001@s.whatsapp.net'', NULL, NULL, NULL, %L, NULL, NULL, 201)', :'session', :'message_end_at')),
	('chat_list', format('(%L, NULL, NULL, NULL, NULL, NULL, 201)', :'session'), format('(%L, NULL, NULL, NULL, %L, %L, 201)', :'session', :'chat_end_at', :'chat_end')),
	('contact_list', format('(%L, NULL, NULL, 201)', :'session'), format('(%L, NULL, %L, 201)', :'session', :'contact_end')),
	('session_list', '(NULL, NULL, 201)', format('(NULL, %L, 201)', :'session_end')),
	('webhook_list', '(NULL, 201)', format('(%L, 201)', :'webhook_end')),
	('event_list', '(NULL, NULL, NULL, NULL, NULL, 201)', format('(%L, NULL, NULL, NULL, NULL, 201)', :'event_end')),
	('realtime_batch', format('(%L, %L, %L, NULL, NULL)', :'first_epoch', :'first_ordinal', :'first_id'),
		format('(%L, %L, %L, NULL, NULL)', :'last_epoch', :'last_ordinal', :'last_id')),
	('delivery_list', format('(%L, NULL, NULL, 201)', :'webhook'), format('(%L, NULL, %L, 201)', :'webhook', :'delivery_end'))) p (list, first_page, last_page),
	cost_of(p.list || p.first_page) first, cost_of(p.list || p.last_page) last;
-- A search looks at 5,000 of these 20,000 messages, whether it finds nothing, little or much, and of
-- 5,000 chats at all; wherever it goes on.
SELECT p.search, c.rows, c.buffers < 12000 AS bounded
FROM (VALUES
	('nothing', format('(%L, ''nowhere'', ''10000000001@s.whatsapp.net'', NULL, NULL, NULL, NULL, 201)', :'session')),
	('nothing in all chats', format('(%L, ''nowhere'', NULL, NULL, NULL, NULL, NULL, 201)', :'session')),
	('little', format('(%L, ''PAGE 4999'', ''10000000001@s.whatsapp.net'', NULL, NULL, NULL, NULL, 201)', :'session')),
	('much', format('(%L, ''page'', ''10000000001@s.whatsapp.net'', NULL, NULL, NULL, NULL, 201)', :'session')),
	('the rest', format('(%L, ''nowhere'', ''10000000001@s.whatsapp.net'', NULL, %L, %L, ''10000000001@s.whatsapp.net'', 201)', :'session', :'message_end_at', :'message_end'))
	) p (search, call), cost_of('message_search' || p.call) c;
SELECT c.rows, c.buffers < 12000 AS bounded FROM cost_of('chat_list' || format('(%L, ''nowhere'', NULL, NULL, NULL, NULL, 201)', :'session')) c;
COMMIT;
-- What is looked for in contacts is no pattern, and case does not matter.
SELECT wa.authenticate(:'acme_all') IS NOT NULL \; EXECUTE contact_list(:'session', 'cONTACT 500', NULL, 3);
SELECT wa.authenticate(:'acme_all') IS NOT NULL \; EXECUTE contact_list(:'session', '%', NULL, 3);
SELECT wa.authenticate(:'acme_all') IS NOT NULL \; EXECUTE contact_list(:'session', '_', NULL, 3);
SELECT wa.authenticate(:'acme_all') IS NOT NULL \; EXECUTE contact_list(:'session', '+10000000', NULL, 2);
DEALLOCATE ALL;

\c - :superuser
DROP FUNCTION public.cost_of(text);
DELETE FROM wa.session WHERE label LIKE 'page %';
DELETE FROM wa.chat WHERE jid LIKE '1000000%';
DELETE FROM wa.contact WHERE jid LIKE '1000000%';
DELETE FROM wa.webhook WHERE secret = 'secret';
DELETE FROM wa.delivery WHERE webhook_id = :'webhook';
VACUUM ANALYZE wa.session, wa.chat, wa.contact, wa.message, wa.webhook;
