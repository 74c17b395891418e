-- Housekeeping when one organization has much that is over, and statistics that say that each
-- has one row.  Counted are the rows that a call reads, never time; and organizations take turns.
\set superuser :USER
SET client_min_messages = warning;
SET plan_cache_mode = force_generic_plan;
DO $$ BEGIN FOR i IN 1..20 LOOP PERFORM wa.housekeep(task, 10000) FROM unnest('{events,deliveries,tickets,sockets,user_tokens,sign_ins,idempotency,key_hours,deleted_sessions,read_chats}'::text[]) task; END LOOP; END $$;

-- What earlier tests have left and is over in the middle of this one.
DELETE FROM wa.ticket;
DELETE FROM wa.realtime;
SELECT wa.create_org('much') AS much, wa.create_org('little') AS little \gset
SELECT id AS key FROM wa.create_key(:'much', 'much', '{read}') \gset
CREATE PROCEDURE public.add_over(org uuid, key uuid, rows integer)
	LANGUAGE plpgsql AS $$
DECLARE
	session uuid;
	hook uuid;
BEGIN
	INSERT INTO wa.event (org_id, epoch, ordinal, type, envelope, created_at) SELECT org, 1, i, 'message', '{}', now() - interval '30 days' FROM generate_series(1, rows) i;
	INSERT INTO wa.idempotency (org_id, key, request_digest, message_id, created_at) SELECT org, 'k' || i, sha256('r'), wa.uuid7(), now() - interval '2 days' FROM generate_series(1, rows) i;
	INSERT INTO wa.ticket (org_id, digest, key_id, expires_at) SELECT org, sha256((org || ' ' || i)::bytea), wa.uuid7(), now() - interval '2 days' FROM generate_series(1, rows) i;
	INSERT INTO wa.realtime (org_id, digest, key_id, expires_at) SELECT org, sha256((org || ' ' || i)::bytea), wa.uuid7(), now() - interval '2 days' FROM generate_series(1, rows) i;
	INSERT INTO wa.api_key_hour (org_id, key_id, hour) SELECT org, key, now() - interval '40 days' - i * interval '1 hour' FROM generate_series(1, rows) i WHERE key IS NOT NULL;
	INSERT INTO wa.media_bytes (org_id, sha256, size, files, uploads, unused_at) SELECT org, sha256(i::text::bytea), 1, 0, 0, now() - interval '2 days' FROM generate_series(1, rows) i;
	-- As much that is not over yet.
	INSERT INTO wa.idempotency (org_id, key, request_digest, message_id) SELECT org, 'live' || i, sha256('r'), wa.uuid7() FROM generate_series(1, rows) i;
	INSERT INTO wa.ticket (org_id, digest, key_id, expires_at) SELECT org, sha256(('live ' || org || i)::bytea), wa.uuid7(), now() + interval '1 hour' FROM generate_series(1, rows) i;
	INSERT INTO wa.realtime (org_id, digest, key_id, expires_at) SELECT org, sha256(('live ' || org || i)::bytea), wa.uuid7(), now() + interval '1 hour' FROM generate_series(1, rows) i;
	INSERT INTO wa.user_token (org_id, user_id, sign_in_id, digest) SELECT org, wa.uuid7(), wa.uuid7(), sha256(('live ' || org || i)::bytea) FROM generate_series(1, rows) i;
	FOR lane IN 1..3 LOOP
		INSERT INTO wa.webhook (org_id, url, secret, active) VALUES (org, 'https://e.com/', 'secret', false) RETURNING id INTO hook;
		INSERT INTO wa.webhook_lane (org_id, webhook_id) VALUES (org, hook);
		INSERT INTO wa.delivery (org_id, webhook_id, id, event_id, epoch, ordinal, type)
		SELECT org, hook, ('01500000-0000-7000-8000-' || lpad(i::text, 12, '0'))::uuid, wa.uuid7(), 1, 1, 'message' FROM generate_series(1, rows / 3) i;
	END LOOP;
	FOR n IN 1..2 LOOP
		INSERT INTO wa.session (org_id, label, status, connector) VALUES (org, 'sweeps', 'stopped', 'none') RETURNING id INTO session;
		INSERT INTO wa.chat (org_id, session_id, jid, type) SELECT org, session, 1555000 + i || '@s.whatsapp.net', 'dm' FROM generate_series(1, 100) i;
		INSERT INTO wa.contact (org_id, session_id, jid, name) SELECT org, session, 1555000 + i || '@s.whatsapp.net', 'somebody' FROM generate_series(1, 100) i;
		INSERT INTO wa.message (org_id, session_id, chat_jid, direction, type, status)
		SELECT org, session, '1555001@s.whatsapp.net', 'in', 'text', 'delivered' FROM generate_series(1, rows) i;
		INSERT INTO wa.message_action (org_id, session_id, message_id, type, status)
		SELECT org, session, m.id, 'react', 'done' FROM wa.message m WHERE m.org_id = org AND m.session_id = session LIMIT rows / 3;
		EXIT WHEN n = 2;
		UPDATE wa.chat c SET read_to = wa.uuid7() WHERE c.org_id = org AND c.session_id = session AND c.jid = '1555001@s.whatsapp.net';
	END LOOP;
	PERFORM wa.hide_session(org, session);
END $$;
CALL add_over(:'much', :'key', 3000);
CALL add_over(:'little', NULL, 30);
INSERT INTO wa.user_token (org_id, user_id, sign_in_id, digest, expires_at) SELECT :'much', wa.uuid7(), wa.uuid7(), sha256(i::text::bytea), now() - interval '1 hour' FROM generate_series(1, 3000) i;
SELECT format('ALTER TABLE wa.%s ALTER org_id SET (n_distinct = -1)', t) FROM unnest('{event,idempotency,ticket,realtime,api_key_hour,delivery,webhook,chat,contact,message,message_action,user_token,media_bytes}'::text[]) t \gexec
VACUUM ANALYZE wa.org, wa.event, wa.idempotency, wa.ticket, wa.realtime, wa.api_key_hour, wa.delivery, wa.webhook, wa.chat, wa.contact, wa.message, wa.message_action, wa.user_token, wa.media_bytes, wa.housekeeping_place;

CREATE FUNCTION public.rows_read() RETURNS numeric LANGUAGE sql VOLATILE AS $$
	SELECT sum(CASE c.relkind WHEN 'r' THEN pg_stat_get_xact_tuples_returned(c.oid) ELSE 0 END + pg_stat_get_xact_tuples_fetched(c.oid))
	FROM pg_class c LEFT JOIN pg_index i ON i.indexrelid = c.oid JOIN pg_class t ON t.oid = COALESCE(i.indrelid, c.oid)
	WHERE t.relnamespace = 'wa'::regnamespace AND t.relname <> 'org'
$$;
CREATE FUNCTION public.most_read(task text, OUT most numeric, OUT gone integer) LANGUAGE plpgsql AS $$
DECLARE
	before numeric;
BEGIN
	most := 0;
	gone := 0;
	FOR i IN 1..3 LOOP
		before := public.rows_read();
		gone := gone + CASE task WHEN 'bytes' THEN (SELECT count(*) FROM wa.take_unused_bytes(100)) ELSE wa.housekeep(task, 100) END;
		most := GREATEST(most, public.rows_read() - before);
	END LOOP;
END $$;
-- A call that removes 100 rows reads no more than a few for each of them, and nothing of what is
-- not over, nor does one that finds nothing.
BEGIN;
SELECT task, m.most < 3000 AS bounded, CASE WHEN m.most >= 3000 THEN m.most END AS rows_read, m.gone
FROM unnest('{events,deliveries,tickets,sockets,user_tokens,idempotency,key_hours,deleted_sessions,read_chats,bytes}'::text[]) task CROSS JOIN LATERAL public.most_read(task) m;
DELETE FROM wa.idempotency WHERE created_at < now() - interval '1 day';
DELETE FROM wa.ticket WHERE expires_at < now();
DELETE FROM wa.realtime WHERE expires_at < now();
DELETE FROM wa.user_token WHERE expires_at < now();
DELETE FROM wa.api_key_hour WHERE hour < now() - interval '30 days';
SELECT task, m.most < 1000 AS bounded, CASE WHEN m.most >= 1000 THEN m.most END AS rows_read, m.gone
FROM unnest('{tickets,sockets,user_tokens,idempotency,key_hours}'::text[]) task CROSS JOIN LATERAL public.most_read(task) m;
ROLLBACK;
-- Nor does a worker read the deliveries of a webhook that are to be tried again later.
BEGIN;
UPDATE wa.webhook SET active = true WHERE org_id = :'much';
UPDATE wa.delivery SET status = 'failed', attempts = 1, next_attempt_at = now() + interval '1 hour' WHERE org_id = :'much';
UPDATE wa.webhook_lane SET lease_owner = 'sweeps', lease_until = now() + interval '1 hour' WHERE org_id = :'much';
SELECT wa.act_for(:'much');
CREATE TEMPORARY TABLE taken AS SELECT public.rows_read() AS before;
SELECT count(t.*) AS taken FROM wa.webhook w, LATERAL wa.take_deliveries('sweeps', w.id, 10) t WHERE w.org_id = :'much';
SELECT public.rows_read() - before < 300 AS bounded FROM taken;
ROLLBACK;

-- What the organization with little has is gone after a few calls, and calls go on at the other one.
UPDATE wa.housekeeping_place p SET org_id = (SELECT o.id FROM wa.org o WHERE o.id < :'much'::uuid ORDER BY o.id DESC LIMIT 1);
SELECT task, sum(c.gone) AS gone, bool_and(c.gone >= 50) AS without_pause FROM unnest('{events,deliveries,tickets,sockets,idempotency,deleted_sessions,read_chats}'::text[]) task,
	LATERAL (SELECT wa.housekeep(task, 100) AS gone FROM generate_series(1, 10)) c GROUP BY task ORDER BY task;
SELECT 'events' AS task, count(*) FILTER (WHERE org_id = :'little') AS little, count(*) FILTER (WHERE org_id = :'much') AS much FROM wa.event WHERE envelope = '{}'
UNION ALL SELECT 'deliveries', count(*) FILTER (WHERE org_id = :'little'), count(*) FILTER (WHERE org_id = :'much') FROM wa.delivery
UNION ALL SELECT 'tickets', count(*) FILTER (WHERE org_id = :'little'), count(*) FILTER (WHERE org_id = :'much') FROM wa.ticket WHERE expires_at < now()
UNION ALL SELECT 'sockets', count(*) FILTER (WHERE org_id = :'little'), count(*) FILTER (WHERE org_id = :'much') FROM wa.realtime WHERE expires_at < now()
UNION ALL SELECT 'idempotency', count(*) FILTER (WHERE org_id = :'little'), count(*) FILTER (WHERE org_id = :'much') FROM wa.idempotency WHERE key LIKE 'k%';
DO $$ BEGIN FOR i IN 1..40 LOOP PERFORM wa.housekeep(task, 1000) FROM unnest('{events,deliveries,tickets,sockets,user_tokens,idempotency,key_hours,deleted_sessions,read_chats}'::text[]) task; END LOOP; END $$;
SELECT (SELECT count(*) FROM wa.event WHERE envelope = '{}') + (SELECT count(*) FROM wa.delivery WHERE org_id IN (:'much', :'little')) + (SELECT count(*) FROM wa.ticket WHERE org_id IN (:'much', :'little') AND expires_at < now())
	+ (SELECT count(*) FROM wa.realtime WHERE org_id IN (:'much', :'little') AND expires_at < now()) + (SELECT count(*) FROM wa.idempotency WHERE key LIKE 'k%' AND org_id IN (:'much', :'little')) AS left,
	(SELECT count(*) FROM wa.message WHERE org_id IN (:'much', :'little') AND status <> 'read') AS unread,
	(SELECT count(*) FROM wa.chat WHERE org_id IN (:'much', :'little') AND read_to IS NOT NULL) AS being_read,
	(SELECT count(*) FROM wa.housekeeping_place WHERE backlog_org IS NOT NULL) AS backlogs;

-- Nor does an organization keep the turn whose events leave many copies to deliveries.
INSERT INTO wa.webhook (org_id, url, secret, active) SELECT :'much', 'https://e.com/', 'secret', true FROM generate_series(1, 30);
INSERT INTO wa.event (org_id, epoch, ordinal, type, envelope, created_at)
SELECT o, 1, i, 'message', '{}', now() - interval '30 days' FROM unnest(ARRAY[:'much', :'little']::uuid[]) o, generate_series(10001, 10200) i;
INSERT INTO wa.delivery (org_id, webhook_id, event_id, epoch, ordinal, type, next_attempt_at)
SELECT e.org_id, w.id, e.id, 1, 1, 'message', now() + interval '1 day' FROM wa.event e JOIN wa.webhook w ON w.org_id = e.org_id AND w.active WHERE e.org_id = :'much' AND e.envelope = '{}';
UPDATE wa.housekeeping_place SET org_id = :'much', backlog_org = :'much' WHERE task = 'events';
SELECT wa.housekeep('events', 100) > 0 AS gone FROM generate_series(1, 2);
SELECT count(*) FILTER (WHERE org_id = :'little') AS little, count(*) FILTER (WHERE org_id = :'much') > 50 AS much FROM wa.event WHERE envelope = '{}';
DELETE FROM wa.delivery WHERE org_id = :'much';
DELETE FROM wa.event WHERE envelope = '{}';

SELECT format('ALTER TABLE wa.%s ALTER org_id RESET (n_distinct)', t) FROM unnest('{event,idempotency,ticket,realtime,api_key_hour,delivery,webhook,chat,contact,message,message_action,user_token,media_bytes}'::text[]) t \gexec
SELECT count(wa.hide_session(s.org_id, s.id)) FROM wa.session s WHERE s.label = 'sweeps';
DO $$ BEGIN FOR i IN 1..50 LOOP PERFORM wa.housekeep('deleted_sessions', 1000); END LOOP; END $$;
DELETE FROM wa.webhook WHERE org_id IN (:'much', :'little');
DELETE FROM wa.media_bytes WHERE org_id IN (:'much', :'little');
DELETE FROM wa.ticket WHERE org_id IN (:'much', :'little');
DELETE FROM wa.realtime WHERE org_id IN (:'much', :'little');
DELETE FROM wa.user_token WHERE org_id IN (:'much', :'little');
DELETE FROM wa.idempotency WHERE org_id IN (:'much', :'little');
