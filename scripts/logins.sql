-- Creates the extension and the logins of a private cluster.  Run again after an upgrade it
-- changes nothing that exists.  To be run by a superuser in database "wa".
--
-- A sealed login is a role without other rights that is a member of exactly one group role.
-- Its limits are settings of the role, because a sealed session cannot SET.
--
-- The path is set because a superuser calls whatever matches best in it.
\set ON_ERROR_STOP on
SET search_path = pg_catalog, pg_temp;
SET client_min_messages = warning;

CREATE EXTENSION IF NOT EXISTS wa_apikeys;
ALTER EXTENSION wa_apikeys UPDATE;

REVOKE TEMPORARY ON DATABASE :"DBNAME" FROM PUBLIC;

SELECT 'CREATE ROLE wa_gateway_login LOGIN CONNECTION LIMIT 100 IN ROLE wa_gateway'
 WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'wa_gateway_login') \gexec
SELECT 'CREATE ROLE wa_worker_login LOGIN CONNECTION LIMIT 32 IN ROLE wa_worker'
 WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'wa_worker_login') \gexec
SELECT 'CREATE ROLE wa_sandbox_login LOGIN CONNECTION LIMIT 16 IN ROLE wa_connector'
 WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'wa_sandbox_login') \gexec

ALTER ROLE wa_gateway_login SET search_path = pg_catalog, pg_temp;
ALTER ROLE wa_gateway_login SET statement_timeout = '10s';
ALTER ROLE wa_gateway_login SET idle_in_transaction_session_timeout = '5s';
ALTER ROLE wa_gateway_login SET lock_timeout = '2s';
ALTER ROLE wa_gateway_login SET plan_cache_mode = 'force_generic_plan';
ALTER ROLE wa_gateway_login SET jit = off;
ALTER ROLE wa_gateway_login SET temp_file_limit = '64MB';

ALTER ROLE wa_worker_login SET search_path = pg_catalog, pg_temp;
ALTER ROLE wa_worker_login SET statement_timeout = '15s';
ALTER ROLE wa_worker_login SET idle_in_transaction_session_timeout = '5s';
ALTER ROLE wa_worker_login SET lock_timeout = '5s';
ALTER ROLE wa_worker_login SET plan_cache_mode = 'force_generic_plan';
ALTER ROLE wa_worker_login SET jit = off;
ALTER ROLE wa_worker_login SET temp_file_limit = '64MB';

ALTER ROLE wa_sandbox_login SET search_path = pg_catalog, pg_temp;
ALTER ROLE wa_sandbox_login SET statement_timeout = '10s';
ALTER ROLE wa_sandbox_login SET idle_in_transaction_session_timeout = '5s';
ALTER ROLE wa_sandbox_login SET plan_cache_mode = 'force_generic_plan';
ALTER ROLE wa_sandbox_login SET jit = off;
ALTER ROLE wa_sandbox_login SET temp_file_limit = '64MB';

-- PostgreSQL 17 has a timeout for whole transactions.
SELECT format('ALTER ROLE %I SET transaction_timeout = %L', login, '30s')
FROM unnest(ARRAY['wa_gateway_login', 'wa_worker_login', 'wa_sandbox_login']) login
WHERE current_setting('server_version_num')::integer >= 170000 \gexec
