-- The database that each group of measurements begins with: the extension, the logins, and
-- functions that make data.  To be run by a superuser in an empty database of a separate
-- cluster, after scripts/logins.sql.
\set ON_ERROR_STOP on
SET search_path = pg_catalog, pg_temp;
SET client_min_messages = warning;

-- An application that sends its own SQL, and one whose statements are registered.  Both have
-- the settings of a gateway's login (scripts/logins.sql).
CREATE ROLE bench_app LOGIN IN ROLE wa_app;
CREATE ROLE bench_sealed LOGIN IN ROLE wa_gateway;
ALTER ROLE bench_app SET plan_cache_mode = 'force_generic_plan';
ALTER ROLE bench_app SET jit = off;
ALTER ROLE bench_app SET statement_timeout = '10s';
ALTER ROLE bench_app SET idle_in_transaction_session_timeout = '5s';
ALTER ROLE bench_sealed SET search_path = pg_catalog, pg_temp;
ALTER ROLE bench_sealed SET plan_cache_mode = 'force_generic_plan';
ALTER ROLE bench_sealed SET jit = off;
ALTER ROLE bench_sealed SET statement_timeout = '10s';
ALTER ROLE bench_sealed SET idle_in_transaction_session_timeout = '5s';

CREATE SCHEMA bench;
GRANT USAGE ON SCHEMA bench TO bench_app, bench_sealed;

CREATE TABLE bench.key (org_id uuid PRIMARY KEY, secret text);

-- The sessions without row security: the caller names the organization.
CREATE TABLE bench.session (LIKE wa.session INCLUDING ALL);
GRANT SELECT ON bench.session TO bench_app, bench_sealed;

-- The sessions in a common design: the server in between names the organization in a setting.
-- The database trusts it and checks no key.
CREATE TABLE bench.claims_session (LIKE wa.session INCLUDING ALL);
ALTER TABLE bench.claims_session ENABLE ROW LEVEL SECURITY;
CREATE POLICY claims ON bench.claims_session FOR SELECT USING (
	org_id = (current_setting('request.jwt.claims', true)::jsonb ->> 'org_id')::uuid
	AND current_setting('request.jwt.claims', true)::jsonb -> 'permissions' ? 'read');
GRANT SELECT ON bench.claims_session TO bench_app, bench_sealed;

-- A sealed login's statements may use only objects of the server and of the extension.
ALTER EXTENSION wa_apikeys ADD TABLE bench.session;
ALTER EXTENSION wa_apikeys ADD TABLE bench.claims_session;

CREATE FUNCTION bench.make_orgs(count integer, sessions integer) RETURNS void
	LANGUAGE sql
BEGIN ATOMIC
	INSERT INTO bench.key
		SELECT o.id, k.secret
		FROM (SELECT wa.create_org('Organization ' || n) AS id FROM generate_series(1, count) AS n) AS o,
			LATERAL wa.create_key(o.id, 'bench', '{read,send,manage,events}') AS k;
	INSERT INTO wa.session (org_id, label, status, phone_number, wa_jid, last_connected_at, rate_per_min, rate_per_hour)
		SELECT org_id, 'Session ' || n, 'working', '1555000' || n, '1555000' || n || '@s.whatsapp.net', now(), 0, 0
		FROM bench.key, generate_series(1, sessions) AS n;
END;
COMMENT ON FUNCTION bench.make_orgs IS 'makes organizations with a key and sessions without a limit of sending';

CREATE FUNCTION bench.make_messages(count integer) RETURNS void
	LANGUAGE sql
BEGIN ATOMIC
	INSERT INTO wa.chat (org_id, session_id, jid, type, name, last_message_at)
		SELECT org_id, id, '15551234567@s.whatsapp.net', 'dm', 'Somebody', now() FROM wa.session;
	INSERT INTO wa.message (org_id, session_id, chat_jid, direction, type, body, status, sent_at)
		SELECT org_id, session_id, jid, 'out', 'text', 'message ' || n, 'read', now()
		FROM wa.chat, generate_series(1, count) AS n;
END;
COMMENT ON FUNCTION bench.make_messages IS 'makes a chat in each session, with so many messages';

-- What is only there in large numbers is put into the tables as a restore does it: without the
-- triggers that write events.
CREATE PROCEDURE bench.add_orgs(count integer)
	LANGUAGE plpgsql
AS $$
BEGIN
	SET LOCAL session_replication_role = replica;
	WITH made AS (
		INSERT INTO wa.org (name) SELECT 'Another ' || n FROM generate_series(1, count) AS n RETURNING id
	), key AS (
		INSERT INTO wa.api_key (org_id, name, digest, prefix, permissions, created_by)
		SELECT id, 'bench', sha256(id::text::bytea), 'wa_bench', '{read,send,manage,events}', 'bench' FROM made
	)
	INSERT INTO wa.session (org_id, label, status, phone_number, rate_per_min, rate_per_hour)
	SELECT id, 'Session ' || n, 'stopped', '1555000' || n, 0, 0 FROM made, generate_series(1, 5) AS n;
END $$;
COMMENT ON PROCEDURE bench.add_orgs IS 'adds organizations with a key and 5 sessions';

CREATE PROCEDURE bench.add_work(count integer)
	LANGUAGE plpgsql
AS $$
BEGIN
	SET LOCAL session_replication_role = replica;
	WITH made AS (
		INSERT INTO wa.org (name) SELECT 'At work ' || n FROM generate_series(1, count) AS n RETURNING id
	), logged AS (
		INSERT INTO wa.event (org_id, epoch, ordinal, type, envelope) SELECT id, 0, 1, 'message', '{}' FROM made
	), hook AS (
		INSERT INTO wa.webhook (org_id, url, secret, active) SELECT id, 'https://receiver.example/', 'secret', true FROM made
		RETURNING org_id, id
	), lane AS (
		INSERT INTO wa.webhook_lane (org_id, webhook_id) SELECT org_id, id FROM hook
	), asked AS (
		INSERT INTO wa.idempotency (org_id, key, request_digest, message_id) SELECT id, 'key', sha256('request'), wa.uuid7() FROM made
	)
	INSERT INTO wa.delivery (org_id, webhook_id, event_id, epoch, ordinal, type)
	SELECT org_id, id, wa.uuid7(), 0, 1, 'message' FROM hook;
END $$;
COMMENT ON PROCEDURE bench.add_work IS 'adds organizations with an event, a webhook and a delivery that waits';

CREATE PROCEDURE bench.add_messages(session uuid, count bigint, status text)
	LANGUAGE plpgsql
AS $$
BEGIN
	SET LOCAL session_replication_role = replica;
	INSERT INTO wa.message (org_id, session_id, chat_jid, direction, type, body, status, sent_at)
	SELECT c.org_id, c.session_id, c.jid, 'out', 'text', 'a message of some length, as people write them ' || n, add_messages.status,
		now() - interval '365 days' + n * interval '365 days' / count
	FROM wa.chat AS c, generate_series(1, count) AS n WHERE c.session_id = add_messages.session;
END $$;
COMMENT ON PROCEDURE bench.add_messages IS 'adds messages of the last year to the chats of a session';

CREATE PROCEDURE bench.add_events(org uuid, count bigint)
	LANGUAGE plpgsql
AS $$
BEGIN
	INSERT INTO wa.event (org_id, epoch, ordinal, type, envelope)
	SELECT org, 0, n, 'message', '{"event":"message","payload":"' || repeat('x', 400) || '"}' FROM generate_series(1, count) AS n;
END $$;
COMMENT ON PROCEDURE bench.add_events IS 'adds events of one type to an organization';

CREATE FUNCTION bench.undone(statement text, times integer) RETURNS float8
	LANGUAGE plpgsql
AS $$
DECLARE
	took float8[] = '{}';
	since timestamptz;
BEGIN
	-- Once more than counted: the first plans.
	FOR i IN 0 .. times LOOP
		BEGIN
			since := clock_timestamp();
			EXECUTE statement;
			took := took || extract(epoch FROM clock_timestamp() - since)::float8 * 1000;
			RAISE EXCEPTION USING ERRCODE = 'BE001';
		EXCEPTION WHEN SQLSTATE 'BE001' THEN
			CONTINUE;
		END;
	END LOOP;
	RETURN (SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY t) FROM unnest(took[2:]) AS t);
END $$;
COMMENT ON FUNCTION bench.undone IS
	'runs a statement several times, each time as if the others had not been, and returns the median of the milliseconds';

-- What a message and its event write, with the same indexes and foreign keys between these
-- tables, and nothing else.
CREATE TABLE bench.chat (LIKE wa.chat INCLUDING ALL);
CREATE TABLE bench.message (LIKE wa.message INCLUDING ALL,
	FOREIGN KEY (org_id, session_id, chat_jid) REFERENCES bench.chat);
CREATE TABLE bench.event (LIKE wa.event INCLUDING ALL);

CREATE PROCEDURE bench.add_sessions(count integer, owner text)
	LANGUAGE plpgsql
AS $$
BEGIN
	SET LOCAL session_replication_role = replica;
	WITH made AS (
		INSERT INTO wa.session (org_id, label, status, lease_owner, lease_until)
		SELECT k.org_id, 'Held ' || n, 'working', owner || ' ' || n / 1000, now() + interval '1 hour'
		FROM (SELECT org_id, row_number() OVER () AS nth, count(*) OVER () AS orgs FROM bench.key) AS k JOIN generate_series(0, count - 1) AS n
			ON n % k.orgs = k.nth - 1
		RETURNING *
	)
	INSERT INTO wa.session_wanted (org_id, session_id, connector, is_wanted, lease_owner, lease_until)
	SELECT org_id, id, connector, true, lease_owner, lease_until FROM made;
END $$;
COMMENT ON PROCEDURE bench.add_sessions IS
	'adds sessions that connectors run, each a thousand of them: OWNER 0, OWNER 1 and so on';
