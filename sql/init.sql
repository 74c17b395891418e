-- What every other test builds on: the extension, two organizations that must
-- never see each other, and logins of each kind.  The fixtures' secrets are in
-- a table, so that each file can load them.
SET client_min_messages = warning;
DROP ROLE IF EXISTS regress_app, regress_gateway, regress_connector, regress_worker, regress_admin, regress_nobody;
CREATE EXTENSION wa_apikeys;
REVOKE TEMPORARY ON DATABASE :DBNAME FROM PUBLIC;
-- Connectors that tests are themselves.
ALTER DATABASE :DBNAME SET wa.connectors = 'sandbox, actions, answers, conversations';

CREATE ROLE regress_app LOGIN IN ROLE wa_app;
CREATE ROLE regress_gateway LOGIN IN ROLE wa_gateway;
CREATE ROLE regress_connector LOGIN IN ROLE wa_connector;
CREATE ROLE regress_worker LOGIN IN ROLE wa_worker;
CREATE ROLE regress_admin LOGIN IN ROLE wa_admin;
CREATE ROLE regress_nobody LOGIN;
ALTER ROLE regress_gateway SET search_path = pg_catalog, pg_temp;
ALTER ROLE regress_gateway SET statement_timeout = '10s';
ALTER ROLE regress_gateway SET idle_in_transaction_session_timeout = '5s';
ALTER ROLE regress_connector SET search_path = pg_catalog, pg_temp;
ALTER ROLE regress_connector SET statement_timeout = '10s';
ALTER ROLE regress_connector SET idle_in_transaction_session_timeout = '5s';
ALTER ROLE regress_worker SET search_path = pg_catalog, pg_temp;
ALTER ROLE regress_worker SET statement_timeout = '10s';
ALTER ROLE regress_worker SET idle_in_transaction_session_timeout = '5s';
SELECT current_setting('server_version_num')::integer >= 170000 AS has_transaction_timeout \gset
\if :has_transaction_timeout
ALTER ROLE regress_gateway SET transaction_timeout = '30s';
ALTER ROLE regress_connector SET transaction_timeout = '30s';
ALTER ROLE regress_worker SET transaction_timeout = '30s';
\endif

CREATE TABLE public.fixture (name text PRIMARY KEY, value text NOT NULL);
GRANT SELECT ON public.fixture TO regress_app, regress_admin;

-- What an error says, field by field; psql shows some of it only together with
-- source line numbers.
CREATE FUNCTION public.error_of(statement text, OUT state text, OUT message text, OUT constraint_name text, OUT column_name text)
	LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE statement;
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT,
		constraint_name = CONSTRAINT_NAME, column_name = COLUMN_NAME;
END $$;

-- A statement's plan, with the values of sub-plans as all releases write them.
CREATE FUNCTION public.plan_of(statement text) RETURNS SETOF text
	LANGUAGE plpgsql AS $$
DECLARE
	line text;
BEGIN
	FOR line IN EXECUTE 'EXPLAIN (COSTS OFF) ' || statement LOOP
		CONTINUE WHEN line ~ '^ *Window: '; -- said since 18
		line := regexp_replace(line, ' \(returns \$\d+\)', '');
		FOR i IN 1..12 LOOP
			line := replace(line, format('(InitPlan %s).col1', i), '$' || i - 1);
		END LOOP;
		RETURN NEXT regexp_replace(line, 'ROW\(epoch, ordinal\) < ROW\(.*\)\)$', 'ROW(epoch, ordinal) < ROW(…)))');
	END LOOP;
END $$;

-- What binds an organization as the programs' own processes do, by its fixture's name.
CREATE FUNCTION public.act_for(org text) RETURNS void LANGUAGE sql AS $$ SELECT wa.act_for(value::uuid) FROM public.fixture WHERE name = org $$;

-- Two organizations, with a key for each permission and one with all four.
INSERT INTO fixture SELECT org, wa.create_org(org)::text FROM unnest('{acme,beta}'::text[]) org;
INSERT INTO fixture
SELECT f.name || '_' || key_name, made.secret
FROM fixture f
	CROSS JOIN (VALUES ('all', '{read,send,manage,events}'::wa.permissions), ('read', '{read}'),
				('send', '{send}'), ('manage', '{manage}'), ('events', '{events}')) k (key_name, permissions)
	CROSS JOIN LATERAL wa.create_key(f.value::uuid, key_name, permissions) made
WHERE f.name IN ('acme', 'beta');

-- A session in each, with a message that came in.
DO $$
DECLARE
	org text;
	session uuid;
BEGIN
	FOREACH org IN ARRAY ARRAY['acme', 'beta'] LOOP
		INSERT INTO wa.session (org_id, label, status)
		SELECT value::uuid, org || ' phone', 'working' FROM fixture WHERE name = org
		RETURNING id INTO session;
		INSERT INTO fixture VALUES (org || '_session', session);
		INSERT INTO wa.chat (org_id, session_id, jid, type)
		SELECT value::uuid, session, '15550001111@s.whatsapp.net', 'dm' FROM fixture WHERE name = org;
		WITH made AS (
			INSERT INTO wa.message (org_id, session_id, chat_jid, direction, type, body, status)
			SELECT value::uuid, session, '15550001111@s.whatsapp.net', 'in', 'text', 'secret of ' || org, 'delivered'
			FROM fixture WHERE name = org RETURNING id)
		INSERT INTO fixture SELECT org || '_message', id FROM made;
	END LOOP;
END $$;

-- Everything that isolation rests on is in place.
SELECT name, detail FROM wa.self_check() WHERE NOT passed AND name <> 'library is preloaded';
-- Every object says what it is for.
SELECT p.oid::regprocedure FROM pg_proc p
WHERE p.pronamespace = 'wa'::regnamespace AND obj_description(p.oid, 'pg_proc') IS NULL;
SELECT a.attrelid::regclass, a.attname FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
WHERE c.relnamespace = 'wa'::regnamespace AND c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped
	AND col_description(a.attrelid, a.attnum) IS NULL;
