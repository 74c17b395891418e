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
ALTER ROLE bench_app SET statement_timeout = '10s';
ALTER ROLE bench_app SET idle_in_transaction_session_timeout = '5s';
ALTER ROLE bench_sealed SET search_path = pg_catalog, pg_temp;
ALTER ROLE bench_sealed SET plan_cache_mode = 'force_generic_plan';
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
