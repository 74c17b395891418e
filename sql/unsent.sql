-- What housekeeping fails for many organizations in one transaction holds up the events of
-- those alone: at most 64, or it would hold up everybody's.
\set VERBOSITY terse
CREATE TEMP TABLE bulk AS SELECT wa.create_org('bulk ' || i) AS org FROM generate_series(1, 70) i;
INSERT INTO wa.session (org_id, status, connector) SELECT org, 'stopped', 'none' FROM bulk;
INSERT INTO wa.chat (org_id, session_id, jid, type, active_at)
SELECT s.org_id, s.id, jid, wa.chat_type(jid), now()
FROM bulk JOIN wa.session s ON s.org_id = org, (VALUES ('15551112222@s.whatsapp.net')) v (jid);
INSERT INTO wa.message (org_id, session_id, pairing, chat_jid, direction, type, body, status)
SELECT s.org_id, s.id, s.pairing, '15551112222@s.whatsapp.net', 'out', 'text', 'x', 'queued' FROM bulk JOIN wa.session s ON s.org_id = org;
UPDATE wa.session s SET pairing = s.pairing + 1, queue_error = 'session was logged out' FROM bulk WHERE s.org_id = org;
CREATE FUNCTION pg_temp.failed() RETURNS bigint LANGUAGE sql AS
	$$ SELECT count(*) FROM bulk JOIN wa.message m ON m.org_id = org WHERE m.status = 'failed' $$;
-- A second call in the same transaction adds none.
BEGIN;
SELECT wa.housekeep('unsent', 10000) > 0 AS wrote, pg_temp.failed();
SELECT wa.housekeep('unsent', 10000) AS wrote, pg_temp.failed();
SELECT count(DISTINCT org_id) FROM wa.event_writers() WHERE pid = pg_backend_pid();
COMMIT;
-- The next transaction does the rest.
SELECT wa.housekeep('unsent', 10000) > 0 AS wrote, pg_temp.failed();
SELECT wa.housekeep('unsent', 10000) AS wrote, pg_temp.failed();
