-- What grows with what is stored: work that runs all the time looks at a bounded part
-- of it, and comes to the rest in turn.  Counted are pages of memory, never time.
\set superuser :USER
SELECT value AS acme FROM fixture WHERE name = 'acme' \gset
SET client_min_messages = warning;
SET max_parallel_workers_per_gather = 0;

CREATE FUNCTION public.pages_of(statement text) RETURNS integer
	LANGUAGE plpgsql AS $$
DECLARE
	plan jsonb;
BEGIN
	EXECUTE 'EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) ' || statement INTO plan;
	RETURN (plan -> 0 -> 'Plan' ->> 'Shared Hit Blocks')::integer + (plan -> 0 -> 'Plan' ->> 'Shared Read Blocks')::integer;
END $$;

-- Organizations with an event, a file, a webhook, its lane and a delivery each, of which nothing is over.
CREATE PROCEDURE public.add_organizations(wanted integer)
	LANGUAGE plpgsql AS $$
BEGIN
	WITH made AS (
		INSERT INTO wa.org (name) SELECT 'growth' FROM generate_series(1, wanted) RETURNING id
	), logged AS (
		INSERT INTO wa.event (org_id, epoch, ordinal, type, envelope) SELECT id, 1, 1, 'message', '{}' FROM made
	), hook AS (
		INSERT INTO wa.webhook (org_id, url, secret, active) SELECT id, 'https://e.com/', 'secret', true FROM made RETURNING org_id, id
	), lane AS (
		INSERT INTO wa.webhook_lane (org_id, webhook_id) SELECT org_id, id FROM hook
	), file AS (
		INSERT INTO wa.media (org_id, sha256, size, mimetype) SELECT id, sha256('x'), 1, 'image/png' FROM made
	), asked AS (
		INSERT INTO wa.idempotency (org_id, key, request_digest, message_id) SELECT id, 'key', sha256('request'), wa.uuid7() FROM made
	)
	INSERT INTO wa.delivery (org_id, webhook_id, event_id, epoch, ordinal, type) SELECT org_id, id, wa.uuid7(), 1, 1, 'message' FROM hook;
END $$;

CREATE TABLE public.cost (organizations integer, task text, pages integer);
CREATE PROCEDURE public.measure(size integer)
	LANGUAGE plpgsql AS $$
BEGIN
	-- once before, so that every plan is made; and from where the last one ended
	FOR i IN 1..2 LOOP
		DELETE FROM public.cost WHERE organizations = size;
		INSERT INTO public.cost SELECT size, task, public.pages_of(format('SELECT wa.housekeep(%L)', task))
		FROM unnest('{events,deliveries,tickets,sockets,user_tokens,sign_ins,idempotency,deleted_sessions,read_chats,unsent,media}'::text[]) task;
	END LOOP;
END $$;
-- What earlier tests have left is over.
DO $$ BEGIN FOR i IN 1..20 LOOP PERFORM wa.housekeep(task, 10000) FROM unnest('{events,deliveries,tickets,sockets,user_tokens,sign_ins,idempotency}'::text[]) task; END LOOP; END $$;
CALL add_organizations(600);
VACUUM ANALYZE wa.org, wa.event, wa.webhook, wa.webhook_lane, wa.delivery, wa.idempotency, wa.media, wa.housekeeping_place;
CALL measure(600);
CALL add_organizations(5400);
VACUUM ANALYZE wa.org, wa.event, wa.webhook, wa.webhook_lane, wa.delivery, wa.idempotency, wa.media, wa.housekeeping_place;
CALL measure(6000);
-- Ten times as many organizations, and no task costs twice as much.
SELECT task, many.pages < 2 * few.pages + 100 AS flat FROM cost few JOIN cost many USING (task)
WHERE few.organizations = 600 AND many.organizations = 6000 ORDER BY task;
-- Rounds until all organizations had their turn: whatever is over somewhere is found.
UPDATE wa.event e SET created_at = now() - interval '30 days' FROM wa.org o WHERE o.id = e.org_id AND o.name = 'growth';
UPDATE wa.idempotency SET created_at = now() - interval '30 days';
UPDATE wa.webhook SET active = false WHERE url = 'https://e.com/' AND secret = 'secret';
DO $$ BEGIN FOR i IN 1..30 LOOP PERFORM wa.housekeep(task, 400) FROM unnest('{events,deliveries,idempotency}'::text[]) task; END LOOP; END $$;
SELECT count(*) FILTER (WHERE EXISTS (SELECT FROM wa.event e WHERE e.org_id = o.id)) AS events,
	count(*) FILTER (WHERE EXISTS (SELECT FROM wa.idempotency i WHERE i.org_id = o.id)) AS keys
FROM wa.org o WHERE o.name = 'growth';
DELETE FROM wa.webhook WHERE url = 'https://e.com/' AND secret = 'secret';
DO $$ BEGIN FOR i IN 1..30 LOOP PERFORM wa.housekeep('deliveries', 400); END LOOP; END $$;
SELECT count(*) FILTER (WHERE EXISTS (SELECT FROM wa.delivery d WHERE d.org_id = o.id)) AS deliveries,
	count(*) FILTER (WHERE EXISTS (SELECT FROM wa.webhook_lane l WHERE l.org_id = o.id)) AS lanes
FROM wa.org o WHERE o.name = 'growth';
-- What is left behind a full batch is the first thing of the next one, with half of it.
INSERT INTO wa.idempotency (org_id, key, request_digest, message_id, created_at)
SELECT :'acme', 'full ' || i, sha256('request'), wa.uuid7(), now() - interval '2 days' FROM generate_series(1, 30) i;
SELECT count(*) AS calls, max(gone) FROM (SELECT wa.housekeep('idempotency', 10) AS gone FROM generate_series(1, 20)) g WHERE gone > 0;

-- Events that went are not walked again, though the table was not vacuumed since; and one that
-- committed late, before those that went, goes as well.
SELECT wa.create_org('retention') AS org \gset
ALTER TABLE wa.event SET (autovacuum_enabled = false);
INSERT INTO wa.event (org_id, epoch, ordinal, type, envelope, created_at)
SELECT :'org', 1, i, 'message', '{}', now() - interval '30 days' FROM generate_series(1, 20030) i;
CREATE PROCEDURE public.begin_with(org uuid) LANGUAGE sql AS $$
	UPDATE wa.housekeeping_place p SET backlog_org = NULL, org_id = (SELECT o.id FROM wa.org o WHERE o.id < org ORDER BY o.id DESC LIMIT 1) WHERE task = 'events'
$$;
CALL begin_with(:'org');
SELECT wa.housekeep('events', 10) AS gone \gset front_
CALL begin_with(:'org');
SELECT pages_of('SELECT wa.housekeep(''events'', 10)') AS pages \gset front_
DO $$ BEGIN FOR i IN 1..4 LOOP PERFORM wa.housekeep('events', 10000); END LOOP; END $$;
INSERT INTO wa.event (org_id, epoch, ordinal, type, envelope, created_at)
SELECT :'org', 1, i, 'message', '{}', now() - interval '30 days' FROM generate_series(30001, 30010) i;
CALL begin_with(:'org');
SELECT pages_of('SELECT wa.housekeep(''events'', 10)') < :front_pages + 50 AS not_walked;
INSERT INTO wa.event (org_id, epoch, ordinal, type, envelope, created_at) VALUES (:'org', 1, 7, 'message', '{}', now() - interval '30 days');
INSERT INTO wa.event (org_id, epoch, ordinal, type, envelope) VALUES (:'org', 1, 40000, 'message', '{}');
CALL begin_with(:'org');
SELECT array_agg(wa.housekeep('events', 10)) AS gone FROM generate_series(1, 2);
SELECT count(*) AS kept, max(ordinal) FROM wa.event WHERE org_id = :'org' AND epoch = 1;
SELECT expired_epoch, expired_ordinal FROM wa.org WHERE id = :'org';
DELETE FROM wa.event WHERE org_id = :'org';
ALTER TABLE wa.event RESET (autovacuum_enabled);

-- The number of open deliveries is counted up to a bound, and many that were delivered cost nothing.
INSERT INTO wa.webhook (org_id, url, secret, active) VALUES (:'acme', 'https://e.com/', 'secret', true) RETURNING id AS webhook \gset
SELECT wa.delivery_stats() IS NOT NULL AS planned, pages_of('SELECT wa.delivery_stats()') AS pages, (SELECT pending FROM wa.delivery_stats()) AS pending \gset few_
INSERT INTO wa.delivery (org_id, webhook_id, event_id, epoch, ordinal, type, status)
SELECT :'acme', :'webhook', wa.uuid7(), 1, 1, 'message', CASE WHEN i % 2000 = 0 THEN 'pending' ELSE 'delivered' END FROM generate_series(1, 60000) i;
VACUUM ANALYZE wa.delivery;
SELECT wa.delivery_stats() IS NOT NULL AS planned \gset
SELECT pages_of('SELECT wa.delivery_stats()') < :few_pages + 500 AS flat;
SELECT pending - :few_pending AS counted FROM wa.delivery_stats();
UPDATE wa.delivery SET status = 'pending' WHERE webhook_id = :'webhook';
SELECT pending BETWEEN 9900 AND 10000 AS bounded FROM wa.delivery_stats();
DELETE FROM wa.delivery WHERE webhook_id = :'webhook';
DELETE FROM wa.webhook WHERE id = :'webhook';

-- Events of a rare type: a page ends behind 5,000 that were looked at, and says where.
SELECT wa.create_org('rare') AS rare \gset
SELECT secret AS rare_key FROM wa.create_key(:'rare', 'reader', '{events}') \gset
DELETE FROM wa.event WHERE org_id = :'rare';
INSERT INTO wa.event (org_id, epoch, ordinal, type, envelope)
SELECT :'rare', 1, i, CASE WHEN i IN (4000, 11000) THEN 'presence.update' ELSE 'message' END, '{"i":' || i || '}' FROM generate_series(1, 12000) i;
VACUUM ANALYZE wa.event;
SELECT source AS event_list FROM wa.statement WHERE role_name = 'wa_gateway' AND name = 'event_list' \gset
\c - regress_app
\set SHOW_CONTEXT never
SET plan_cache_mode = force_generic_plan;
PREPARE event_list(uuid, text, uuid, int4, uuid, int4) AS :event_list;
BEGIN;
SELECT wa.authenticate(:'rare_key') IS NOT NULL;
SELECT r.ordinal, r.envelope FROM wa.read_events(types => '{presence.update}') r;
SELECT id AS at FROM wa.read_events(types => '{presence.update}') ORDER BY ordinal DESC LIMIT 1 \gset
SELECT r.ordinal, r.envelope FROM wa.read_events(:'at', types => '{presence.update}') r;
SELECT id AS at FROM wa.read_events(:'at', types => '{presence.update}') ORDER BY ordinal DESC LIMIT 1 \gset
-- The last one: what is there, and no place to go on behind.
SELECT r.ordinal, r.envelope FROM wa.read_events(:'at', types => '{presence.update}') r;
SELECT count(*) AS places FROM wa.read_events(:'at', types => '{presence.update}') WHERE envelope IS NULL;
-- A full page needs none, and neither does one without a filter; nor is one of another session's longer.
SELECT ordinal, envelope FROM wa.read_events(types => '{presence.update}', max => 1);
SELECT count(*), count(envelope) FROM wa.read_events(max => 1000);
SELECT ordinal, envelope FROM wa.read_events(session => wa.uuid7());
SELECT pages_of('EXECUTE event_list(NULL, ''presence.update'', NULL, NULL, NULL, 51)') IS NOT NULL AS first,
	pages_of('EXECUTE event_list(NULL, ''presence.update'', NULL, NULL, NULL, 51)') < 1000 AS bounded,
	pages_of(format('EXECUTE event_list(NULL, NULL, %L, NULL, NULL, 51)', wa.uuid7())) < 1000 AS bounded_too;
COMMIT;
DEALLOCATE ALL;
\c - :superuser
DELETE FROM wa.event WHERE org_id = :'rare';

-- What a sweep leaves is not read by each call: deliveries that are still open, files that are
-- still to be sent.  Counted are the rows that it reads.
CREATE FUNCTION public.rows_read() RETURNS numeric LANGUAGE sql VOLATILE AS $$
	SELECT sum(CASE c.relkind WHEN 'r' THEN pg_stat_get_xact_tuples_returned(c.oid) ELSE 0 END + pg_stat_get_xact_tuples_fetched(c.oid))
	FROM pg_class c LEFT JOIN pg_index i ON i.indexrelid = c.oid
	WHERE COALESCE(i.indrelid, c.oid) IN ('wa.delivery'::regclass, 'wa.media'::regclass, 'wa.message'::regclass)
$$;
CREATE FUNCTION public.most_read(task text) RETURNS numeric
	LANGUAGE plpgsql AS $$
DECLARE
	before numeric;
	most numeric := 0;
BEGIN
	FOR i IN 1..30 LOOP
		before := public.rows_read();
		PERFORM wa.housekeep(task, 100);
		most := GREATEST(most, public.rows_read() - before);
	END LOOP;
	RETURN most;
END $$;
INSERT INTO wa.webhook (org_id, url, secret, active) VALUES (:'acme', 'https://e.com/', 'secret', true) RETURNING id AS webhook \gset
INSERT INTO wa.delivery (org_id, webhook_id, id, event_id, epoch, ordinal, type, status)
SELECT :'acme', :'webhook', ('01500000-0000-7000-8000-' || lpad(i::text, 12, '0'))::uuid, wa.uuid7(), 1, 1, 'message', CASE WHEN i > 500 THEN 'pending' ELSE 'delivered' END FROM generate_series(1, 40000) i;
VACUUM ANALYZE wa.delivery;
SELECT most_read('deliveries') BETWEEN 500 AND 5000 AS bounded;
SELECT count(*) AS left FROM wa.delivery WHERE webhook_id = :'webhook';
DELETE FROM wa.delivery WHERE webhook_id = :'webhook';
DELETE FROM wa.webhook WHERE id = :'webhook';
INSERT INTO wa.org (name, media_days) VALUES ('growth', 1) RETURNING id AS org \gset
INSERT INTO wa.session (org_id, label, status, connector) VALUES (:'org', 'stopped', 'stopped', 'none') RETURNING id AS session \gset
INSERT INTO wa.chat (org_id, session_id, jid, type) VALUES (:'org', :'session', '15551110000@s.whatsapp.net', 'dm');
INSERT INTO wa.media (org_id, sha256, size, mimetype, unused_at, kept_from) SELECT :'org', sha256(i::text::bytea), 1, 'image/png', NULL, now() - interval '2 days' FROM generate_series(1, 3000) i;
INSERT INTO wa.message (org_id, session_id, chat_jid, direction, type, status, media_id, media)
SELECT org_id, :'session', '15551110000@s.whatsapp.net', 'out', 'image', 'queued', id, '{"state":"stored"}' FROM wa.media WHERE org_id = :'org';
VACUUM ANALYZE wa.media, wa.message;
SELECT most_read('media') BETWEEN 100 AND 2000 AS bounded;
SELECT count(*) FILTER (WHERE kept_from > now() - interval '1 day') >= 100 AS in_parts, count(*) FILTER (WHERE state <> 'stored') AS expired FROM wa.media WHERE org_id = :'org';
-- Nor are messages that a file has left already, when many carry it.
UPDATE wa.media SET kept_from = now() WHERE org_id = :'org';
SELECT id AS carried FROM wa.media WHERE org_id = :'org' LIMIT 1 \gset
UPDATE wa.message SET media_id = :'carried', status = 'sent', media = '{"state":"expired"}' WHERE org_id = :'org';
INSERT INTO wa.message (org_id, session_id, chat_jid, direction, type, status, media_id, media)
SELECT :'org', :'session', '15551110000@s.whatsapp.net', 'out', 'image', 'sent', :'carried', '{"state":"stored"}' FROM generate_series(1, 150);
SELECT most_read('media') BETWEEN 100 AND 2000 AS bounded;
UPDATE wa.media SET unused_at = NULL, kept_from = CASE WHEN id = :'carried' THEN now() - interval '2 days' ELSE now() END WHERE org_id = :'org';
VACUUM ANALYZE wa.message;
SELECT most_read('media') BETWEEN 100 AND 2000 AS bounded;
SELECT state, (SELECT count(*) FROM wa.message m WHERE m.media_id = f.id AND m.media ->> 'state' = 'stored') AS shown FROM wa.media f WHERE id = :'carried';
DELETE FROM wa.message WHERE org_id = :'org';
DELETE FROM wa.chat WHERE org_id = :'org';
DELETE FROM wa.session WHERE org_id = :'org';
DELETE FROM wa.event WHERE org_id = :'org';

DELETE FROM wa.media f USING wa.org o WHERE o.id = f.org_id AND o.name = 'growth';
DELETE FROM wa.media_bytes b USING wa.org o WHERE o.id = b.org_id AND o.name = 'growth';
DELETE FROM wa.media_room r USING wa.org o WHERE o.id = r.org_id AND o.name = 'growth';
DELETE FROM wa.org WHERE name = 'growth';
DROP PROCEDURE public.add_organizations, public.measure;
DROP FUNCTION public.pages_of, public.rows_read, public.most_read;
DROP TABLE public.cost;
VACUUM ANALYZE wa.org, wa.event, wa.webhook, wa.webhook_lane, wa.delivery, wa.idempotency, wa.media, wa.housekeeping_place;
