-- What one statement writes is bounded by the deliveries of its events, and not by rows alone: how
-- many webhooks want an event is for the organization to choose.  Two organizations with 100 webhooks
-- and 1,000 queued messages, and one between them that has neither.
\set VERBOSITY terse
CREATE TEMP TABLE dear AS SELECT i, wa.create_org('dear ' || i) AS org FROM generate_series(1, 3) i;
INSERT INTO wa.webhook (org_id, url, events, secret)
SELECT org, 'https://example.com/' || w, '{message.status}', 'x' FROM dear, generate_series(1, 100) w WHERE i <> 2;
INSERT INTO wa.session (org_id, status, connector, phone_number) SELECT org, 'working', 'dear', '15550000001' FROM dear;
CREATE TEMP VIEW dear_session AS SELECT i, s.* FROM dear JOIN wa.session s ON s.org_id = org;
INSERT INTO wa.chat (org_id, session_id, jid, type, active_at)
SELECT s.org_id, s.id, jid, wa.chat_type(jid), now() FROM dear_session s, (VALUES ('15551112222@s.whatsapp.net')) v (jid);
CREATE FUNCTION pg_temp.queue(session uuid, messages integer) RETURNS void LANGUAGE sql AS $$
	INSERT INTO wa.message (org_id, session_id, pairing, session_phone_number, chat_jid, direction, type, body, status)
	SELECT s.org_id, s.id, s.pairing, s.phone_number, '15551112222@s.whatsapp.net', 'out', 'text', 'x', 'queued'
	FROM wa.session s, generate_series(1, messages) WHERE s.id = session $$;
CREATE TEMP VIEW dear_now AS
	SELECT i, count(*) FILTER (WHERE m.status = 'queued') AS queued, count(*) FILTER (WHERE m.status = 'failed') AS failed,
		(SELECT count(*) FROM wa.event e WHERE e.org_id = org AND e.type = 'message.status') AS events,
		(SELECT count(*) FROM wa.delivery d WHERE d.org_id = org AND d.type = 'message.status') AS deliveries
	FROM dear LEFT JOIN wa.message m ON m.org_id = org GROUP BY i, org;
SELECT pg_temp.queue(id, CASE i WHEN 2 THEN 3 ELSE 1000 END) FROM dear_session \g /dev/null
SELECT DISTINCT wa.event_rows(org), wa.event_rows_max(), wa.events_at_once(org, 1000), wa.events_at_once(org, 7), wa.events_at_once(org, 1000, 1) AS at_least
FROM dear ORDER BY 1;
-- A logout fails few by itself, whatever the organization has.
SELECT secret AS k1 FROM wa.create_key((SELECT org FROM dear WHERE i = 1), 'logs out', '{manage,send}') \gset
SELECT id AS s1, org_id AS o1 FROM dear_session WHERE i = 1 \gset
SELECT wa.authenticate(:'k1') IS NOT NULL \; SELECT status FROM wa.control_session(:'s1', 'logout');
SELECT * FROM dear_now WHERE i = 1;
-- So does a connector that says that another phone was paired.
SELECT id AS s3, org_id AS o3 FROM dear_session WHERE i = 3 \gset
UPDATE wa.session SET lease_owner = 'one', lease_until = now() + interval '1 hour' WHERE id = :'s3';
SELECT wa.act_for(:'o3') IS NULL AS x \; SELECT wa.connector_session(:'s3', 'one', 'working', '15550000009');
SELECT * FROM dear_now WHERE i = 3;
-- None of the rest is sent meanwhile: not in the session that was logged out, and not after a new
-- pairing, in which only what is queued in it goes out.
UPDATE wa.session SET lease_owner = 'one', lease_until = now() + interval '1 hour' WHERE id = :'s1';
SELECT count(*) AS claimed FROM wa.connector_claim('dear', 'one', 1000, interval '1 hour') WHERE org_id IN (:'o1', :'o3');
UPDATE wa.session SET status = 'starting' WHERE id = :'s1';
SELECT wa.act_for(:'o1') IS NULL AS x \; SELECT wa.connector_session(:'s1', 'one', 'working', '15550000008');
SELECT count(*) AS claimed FROM wa.connector_claim('dear', 'one', 1000, interval '1 hour') WHERE org_id IN (:'o1', :'o3');
SELECT wa.authenticate(:'k1') IS NOT NULL \; SELECT id AS new FROM wa.send_message(:'s1', '15551112222', 'text', '{"text":"new"}') \gset
SELECT count(*) AS claimed, bool_and(message_id = :'new') AS is_new
FROM wa.connector_claim('dear', 'one', 1000, interval '1 hour') WHERE org_id IN (:'o1', :'o3');
-- Housekeeping writes no more in a call, and organizations take turns: the one that left little has
-- its turn in the first call or the second, and each call gives its part to one of the others.
UPDATE wa.session SET pairing = pairing + 1, queue_error = 'session was logged out' WHERE id = (SELECT id FROM dear_session WHERE i = 2);
CREATE TEMP TABLE call (n integer, done integer, i integer, failed bigint, deliveries bigint);
INSERT INTO call SELECT 0, 0, i, failed, deliveries FROM dear_now;
SELECT format('INSERT INTO call SELECT %s, 0, i, failed, deliveries FROM dear_now', n), format('UPDATE call SET done = wa.housekeep(''unsent'', 500) WHERE n = %s AND i = 1', n)
FROM generate_series(1, 6) n \gexec
INSERT INTO call SELECT 7, 0, i, failed, deliveries FROM dear_now;
SELECT a.n, sum(b.deliveries - a.deliveries) AS deliveries, sum(b.deliveries - a.deliveries) <= 2000 + 101 AS bounded
FROM call a JOIN call b ON b.n = a.n + 1 AND b.i = a.i WHERE a.n > 0 GROUP BY a.n ORDER BY a.n;
SELECT i, failed FROM call WHERE n = 3 AND i = 2;
SELECT min(b.failed - a.failed) > 0 AS each_has_a_turn FROM call a JOIN call b ON b.n = a.n + 2 AND b.i = a.i WHERE a.i <> 2 AND a.n > 0;
-- It goes on until nothing is left, with an event each, and the faster the fewer webhooks there are.
UPDATE wa.webhook SET active = false WHERE org_id IN (SELECT org FROM dear) AND url NOT LIKE '%/1';
SELECT wa.housekeep('unsent', 500) > 100 AS more;
CREATE PROCEDURE pg_temp.finish(task text) LANGUAGE plpgsql AS $$ BEGIN WHILE wa.housekeep(task, 500) > 0 LOOP COMMIT; END LOOP; END $$;
CALL pg_temp.finish('unsent');
SELECT i, queued, failed, events FROM dear_now ORDER BY i;
SELECT count(*) AS marked FROM dear_session WHERE queue_error IS NOT NULL;
SELECT status, error, count(*) FROM wa.message WHERE org_id IN (SELECT org FROM dear) GROUP BY 1, 2 ORDER BY 1, 3;

UPDATE wa.webhook SET active = true WHERE org_id IN (SELECT org FROM dear);

-- A claim fails answers to a message that has failed: as few of them at once.
SELECT id AS failed FROM wa.message WHERE org_id = :'o3' AND status = 'failed' LIMIT 1 \gset
SELECT pg_temp.queue(:'s3', 60);
UPDATE wa.message SET quoted_message_id = :'failed' WHERE org_id = :'o3' AND status = 'queued';
SELECT deliveries AS before FROM dear_now WHERE i = 3 \gset
SELECT count(*) AS claimed FROM wa.connector_claim('dear', 'one', 1000, interval '1 hour') WHERE org_id = :'o3';
SELECT queued, deliveries - :before AS deliveries FROM dear_now WHERE i = 3;
DO $$ BEGIN FOR i IN 1..3 LOOP PERFORM wa.connector_claim('dear', 'one', 1000, interval '1 hour'); END LOOP; END $$;
SELECT queued, deliveries - :before AS deliveries FROM dear_now WHERE i = 3;

-- Warnings of keys that expire.
UPDATE wa.webhook SET events = '{key.expiring}' WHERE org_id IN (SELECT org FROM dear);
SET row_security = off;
INSERT INTO wa.api_key (org_id, name, digest, prefix, permissions, created_by, created_at, expires_at)
SELECT org, 'key ' || k, sha256(convert_to(org || ' ' || k, 'UTF8')), 'wa_xxxxx', '{read}', 'test', now() - interval '30 days', now() + interval '3 days'
FROM dear, generate_series(1, CASE i WHEN 2 THEN 3 ELSE 50 END) k;
RESET row_security;
CREATE TEMP VIEW warned AS
	SELECT i, count(e) AS events, (SELECT count(*) FROM wa.delivery d WHERE d.org_id = org AND d.type = 'key.expiring') AS deliveries
	FROM dear LEFT JOIN wa.event e ON e.org_id = org AND e.type = 'key.expiring' GROUP BY i, org;
SELECT wa.housekeep('key_warnings', 500) <= 23 AS bounded, (SELECT sum(deliveries) <= 2000 FROM warned) AS deliveries_bounded;
SELECT wa.housekeep('key_warnings', 500) <= 23 AS bounded, (SELECT sum(deliveries) <= 4000 FROM warned) AS deliveries_bounded;
SELECT min(events) > 0 AS each_has_a_turn FROM warned;
CALL pg_temp.finish('key_warnings');
SELECT * FROM warned ORDER BY i;
-- Ends of many keys: the call that revokes them writes few events, and housekeeping no more in a call.
UPDATE wa.webhook SET events = '{key.revoked}' WHERE org_id IN (SELECT org FROM dear);
CREATE TEMP VIEW ended_now AS
	SELECT i, count(e) AS events, (SELECT count(*) FROM wa.delivery d WHERE d.org_id = org AND d.type = 'key.revoked') AS deliveries
	FROM dear LEFT JOIN wa.event e ON e.org_id = org AND e.type = 'key.revoked' GROUP BY i, org;
SELECT i, wa.revoke_keys(org) >= 50 AS many FROM dear WHERE i <> 2 ORDER BY i;
SELECT i, events, deliveries FROM ended_now ORDER BY i;
SELECT wa.housekeep('ends', 500) AS told, (SELECT sum(deliveries) FROM ended_now) AS before;
SELECT sum(deliveries) AS deliveries FROM ended_now;
CALL pg_temp.finish('ends');
SELECT i, events >= 50 AS all_told FROM ended_now ORDER BY i;
-- Nothing of this is left to deliver for other tests.
DELETE FROM wa.delivery WHERE org_id IN (SELECT org FROM dear);
DELETE FROM wa.webhook_lane WHERE org_id IN (SELECT org FROM dear);
DELETE FROM wa.webhook WHERE org_id IN (SELECT org FROM dear);

-- An event that expires leaves its bytes to deliveries that are still open, in parts: rows and bytes
-- are bounded, so that each call does a part of it.  Two organizations have 30 events for 100 webhooks and one large one.
CREATE TEMP TABLE old AS SELECT i, wa.create_org('old ' || i) AS org FROM generate_series(1, 3) i;
INSERT INTO wa.webhook (org_id, url, events, secret) SELECT org, 'https://example.com/' || w, '{none}', 'x' FROM old, generate_series(1, 100) w WHERE i <> 2;
INSERT INTO wa.event (org_id, epoch, ordinal, type, envelope, created_at)
SELECT org, 1, nth, 'message', CASE nth WHEN 31 THEN '{"x":"' || repeat(md5(nth::text), 16384) || '"}' ELSE '{}' END, now() - interval '30 days'
FROM old, generate_series(1, 31) nth WHERE i <> 2 OR nth < 4 ORDER BY i, nth;
INSERT INTO wa.delivery (org_id, webhook_id, event_id, epoch, ordinal, type)
SELECT e.org_id, w.id, e.id, e.epoch, e.ordinal, e.type FROM wa.event e JOIN wa.webhook w ON w.org_id = e.org_id WHERE e.org_id IN (SELECT org FROM old) AND e.type = 'message' AND e.envelope NOT LIKE '%webhook%';
CREATE TEMP VIEW old_now AS
	SELECT i, (SELECT count(*) FROM wa.event e WHERE e.org_id = org AND e.created_at < now() - interval '8 days') AS events,
		(SELECT count(*) FROM wa.delivery d WHERE d.org_id = org AND d.type = 'message') AS deliveries,
		(SELECT count(*) FROM wa.delivery d WHERE d.org_id = org AND d.envelope IS NOT NULL) AS kept FROM old;
SELECT * FROM old_now ORDER BY i;
UPDATE wa.housekeeping_place SET org_id = (SELECT o.id FROM wa.org o JOIN old ON o.id < org AND i = 1 ORDER BY o.id DESC LIMIT 1) WHERE task = 'events';
SELECT wa.housekeep('events', 500);
SELECT * FROM old_now ORDER BY i;
SELECT wa.housekeep('events', 500);
SELECT * FROM old_now ORDER BY i;
CALL pg_temp.finish('events');
SELECT i, events, deliveries = kept AS all_kept FROM old_now ORDER BY i;
DELETE FROM wa.delivery WHERE org_id IN (SELECT org FROM old);
DELETE FROM wa.webhook WHERE org_id IN (SELECT org FROM old);
