-- Sealed roles: registered statements and nothing else.  Each attack of
-- threats.md that the seal answers is tried as the gateway's login.
SELECT wa.preloaded();
SELECT value AS acme_all FROM fixture WHERE name = 'acme_all' \gset
\set superuser :USER
\setenv PGDATABASE :DBNAME
-- One statement more, so that this file does not depend on the gateway's.
SELECT wa.register_statement('wa_gateway', 'regress', '/* regress */ SELECT wa.current_org() IS NULL AS nobody;');
-- pg_regress sets startup options for its own ends; a sealed login may not.
\setenv PGOPTIONS
\setenv PGTZ
\setenv PGDATESTYLE
\connect -reuse-previous=on "user=regress_gateway options=''"
\set SHOW_CONTEXT never

-- What is registered runs.
/* regress */ SELECT wa.current_org() IS NULL AS nobody;
-- Transactions are one statement long: none begins, and there is none to end.
BEGIN;
COMMIT;
START TRANSACTION;
ROLLBACK;
END;
ABORT;
-- The text counts, byte for byte.
SELECT  wa.current_org() IS NULL AS nobody;
select wa.current_org() IS NULL AS nobody;
/* regress */ SELECT wa.current_org() IS NULL AS nobody \; SELECT 1;
/* regress */ SELECT wa.current_org() IS NULL AS nobody -- comment
;
-- What a key would allow is refused as well: the text is not registered.
SELECT 1;
SELECT * FROM wa.session;
TABLE wa.message;
-- P01, P06: settings.
SET wa.org = 'x';
SET debug_print_plan = on;
SET client_min_messages = log;
SET log_parameter_max_length_on_error = -1;
RESET ALL;
SELECT set_config('x.y', 'z', false);
SHOW search_path;
UPDATE pg_settings SET setting = 'on' WHERE name = 'debug_print_plan';
-- P03, P05, P29: statistics and sizes.
SELECT * FROM pg_stat_xact_user_tables;
SELECT * FROM pg_stats;
SELECT pg_relation_size('wa.message');
SELECT pg_current_wal_lsn();
-- P04: plans.
EXPLAIN SELECT wa.current_org() IS NULL AS nobody;
EXPLAIN ANALYZE SELECT wa.current_org() IS NULL AS nobody;
-- P08: things that a later request runs into.
PREPARE x AS SELECT wa.current_org() IS NULL AS nobody;
DEALLOCATE ALL;
DISCARD ALL;
CREATE TEMP TABLE session (id int);
DECLARE c CURSOR WITH HOLD FOR SELECT 1;
LISTEN x;
SELECT pg_advisory_lock(1);
SAVEPOINT s;
BEGIN;
SAVEPOINT s;
COMMIT;
BEGIN ISOLATION LEVEL SERIALIZABLE;
BEGIN READ ONLY;
COMMIT AND CHAIN;
ROLLBACK AND CHAIN;
PREPARE TRANSACTION 'x';
-- P14, P15, P16: other connections.
SELECT query FROM pg_stat_activity;
SELECT pg_cancel_backend(1);
NOTIFY x;
UNLISTEN *;
-- P26: its own password and attributes.
ALTER ROLE CURRENT_USER PASSWORD 'x';
ALTER ROLE CURRENT_USER SET work_mem = '1TB';
SET ROLE wa_gateway;
SET SESSION AUTHORIZATION regress_app;
-- P28: rows of others and locks.
SELECT currtid2('wa.session', '(0,1)');
LOCK TABLE wa.session;
-- P30: large objects; P36: resources; P39: loopbacks.
SELECT lo_create(0);
SET work_mem = '1GB';
SELECT pg_sleep(1);
COPY wa.message TO STDOUT;
COPY (SELECT 1) TO STDOUT;
DO $$ BEGIN PERFORM 1; END $$;
CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1';
CREATE SCHEMA s;
VACUUM wa.message;
-- P07: startup options, which no statement hook sees.
\setenv PGOPTIONS '-c log_parameter_max_length_on_error=-1'
\! psql -X -U regress_gateway -c 'SELECT 1' 2>&1 | sed 's/^.*FATAL/FATAL/'
\! psql -X -U regress_app -Atc 'SHOW log_parameter_max_length_on_error' 2>&1
\setenv PGOPTIONS
\setenv PGTZ 'UTC'
\! psql -X -U regress_gateway -c 'SELECT 1' 2>&1 | sed 's/^.*FATAL/FATAL/'
\setenv PGTZ
\! psql -X -U regress_gateway -Atc '/* regress */ SELECT wa.current_org() IS NULL AS nobody;' 2>&1

-- Nor may the name that others see of a client hold a secret.
\setenv PGAPPNAME 'wa_AbCdEfGhIjKlMnOpQrSt1'
\! psql -X -U regress_gateway -c 'SELECT 1' 2>&1 | sed 's/^.*FATAL/FATAL/'
\setenv PGAPPNAME

-- A list that somebody makes in a database without the extension is no list.
\c - :superuser
SELECT current_database() AS home \gset
CREATE DATABASE regress_elsewhere;
\c regress_elsewhere
CREATE SCHEMA wa;
CREATE TABLE wa.statement (role_name name, digest bytea);
INSERT INTO wa.statement VALUES ('wa_gateway', sha256('SELECT 1;'));
GRANT USAGE ON SCHEMA wa TO PUBLIC;
\c - regress_gateway
SELECT 1;
\c - :superuser
DROP TABLE wa.statement;
CREATE VIEW wa.statement AS SELECT 1 AS role_name, 2 AS digest;
\c - regress_gateway
SELECT 1;
\c - :superuser
\c :home
DROP DATABASE regress_elsewhere;

-- Other sealed roles have other lists.
\c - regress_connector
/* regress */ SELECT wa.current_org() IS NULL AS nobody;
-- A membership at second hand seals, too, and so does SET ROLE.
\c - :superuser
CREATE ROLE regress_indirect LOGIN IN ROLE regress_gateway;
\c - regress_indirect
SELECT 1;
-- P46: where a sealed login would search other schemas than the server's, it runs nothing.
/* regress */ SELECT wa.current_org() IS NULL AS nobody;
\c - :superuser
ALTER ROLE regress_indirect SET search_path = public, pg_catalog;
\c - regress_indirect
/* regress */ SELECT wa.current_org() IS NULL AS nobody;
\c - :superuser
SELECT name, detail FROM wa.self_check() WHERE name = 'sealed logins search pg_catalog';
ALTER ROLE regress_indirect SET search_path = pg_catalog;
SELECT name, detail FROM wa.self_check() WHERE name = 'sealed logins search pg_catalog';
\c - regress_indirect
/* regress */ SELECT wa.current_org() IS NULL AS nobody;
\c - :superuser
-- What it begins with in this database is what counts, and its timeouts must be on.
CREATE FUNCTION public.set_for(setting text, everywhere text, here text, OUT told boolean) LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE format('ALTER ROLE regress_indirect SET %I = %s', setting, everywhere);
	IF here IS NULL THEN
		EXECUTE format('ALTER ROLE regress_indirect IN DATABASE %I RESET %I', current_database(), setting);
	ELSE
		EXECUTE format('ALTER ROLE regress_indirect IN DATABASE %I SET %I = %s', current_database(), setting, here);
	END IF;
	SELECT COALESCE(bool_or(c.detail ~ format('regress_indirect: .*%s', setting)), false) INTO told FROM wa.self_check() c
	WHERE c.name LIKE 'sealed logins %';
END $$;
SELECT v.*, set_for(v.setting, v.everywhere, v.here) AS told FROM (VALUES
	('search_path', 'pg_catalog', 'public, pg_catalog'), ('search_path', 'public', 'pg_catalog, pg_temp'), ('search_path', 'pg_catalog', NULL),
	('statement_timeout', '''10s''', NULL), ('statement_timeout', '150', NULL), ('statement_timeout', '0', NULL), ('statement_timeout', '''0ms''', NULL),
	-- whatever the server takes for none
	('statement_timeout', '''0 ms''', NULL), ('statement_timeout', '''00''', NULL), ('statement_timeout', '0.4', NULL), ('statement_timeout', '''100us''', NULL), ('statement_timeout', '''0x0''', NULL),
	('statement_timeout', '0', '''1 min'''), ('statement_timeout', '''1 min''', '0'),
	('idle_in_transaction_session_timeout', '''10 s''', NULL), ('idle_in_transaction_session_timeout', '''0s''', NULL),
	('log_min_messages', 'warning', NULL), ('log_min_messages', 'error', NULL), ('log_min_messages', 'log', NULL), ('log_min_messages', 'FATAL', NULL), ('log_min_messages', 'panic', 'debug1')) v (setting, everywhere, here);
DROP FUNCTION public.set_for(text, text, text);
DROP ROLE regress_indirect;
-- The control: the same statements run for one who is not sealed.
\c - regress_app
SELECT 1 AS control;
SELECT count(*) > 0 AS control FROM pg_stat_activity;
\c - :superuser
DELETE FROM wa.statement WHERE name = 'regress';
\c - regress_gateway
/* regress */ SELECT wa.current_org() IS NULL AS nobody;
