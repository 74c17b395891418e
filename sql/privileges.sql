-- Nobody holds a privilege in schema wa but those of wa.granted(), whatever the
-- default privileges of whoever installed the extension; and wa.self_check() finds
-- every privilege too many or too few.  (In a database of its own.)
\set superuser :USER
SET client_min_messages = warning;
SELECT current_database() AS home \gset
DROP ROLE IF EXISTS regress_hostile, "regress hostile, ""PUBLIC", "PUBLIC";
CREATE ROLE regress_hostile LOGIN;
CREATE ROLE "regress hostile, ""PUBLIC";
CREATE ROLE "PUBLIC";
CREATE DATABASE regress_privileges;
\c regress_privileges
SET client_min_messages = warning;
REVOKE TEMPORARY ON DATABASE regress_privileges FROM PUBLIC;

-- Hostile default privileges of every kind: to everybody, to our own roles, to roles
-- of any name, with the right to hand them on, and less than usual for the owner.
SELECT format('ALTER DEFAULT PRIVILEGES GRANT ALL ON %s TO %s', kind, grantee)
FROM unnest('{TABLES,SEQUENCES,FUNCTIONS,TYPES,SCHEMAS}'::text[]) kind,
	unnest(ARRAY['PUBLIC', 'wa_app', 'wa_monitor', 'regress_hostile WITH GRANT OPTION', 'wa_owner WITH GRANT OPTION',
				 '"regress hostile, ""PUBLIC"', '"PUBLIC"']) grantee \gexec
ALTER DEFAULT PRIVILEGES REVOKE ALL ON FUNCTIONS FROM CURRENT_USER;
ALTER DEFAULT PRIVILEGES REVOKE ALL ON TABLES FROM CURRENT_USER;
SELECT format('ALTER DEFAULT PRIVILEGES IN SCHEMA %s GRANT ALL ON %s TO PUBLIC, regress_hostile', place, kind)
FROM unnest('{public,pg_catalog}'::text[]) place, unnest('{TABLES,SEQUENCES,FUNCTIONS,TYPES}'::text[]) kind \gexec

-- Nor does it matter whether the database's owner has all names quoted.
ALTER DATABASE regress_privileges SET quote_all_identifiers = on;
\c regress_privileges
SET client_min_messages = warning;
SELECT 'pg_class'::regclass AS quoted;
CREATE EXTENSION wa_apikeys;
SELECT name, detail FROM wa.self_check()
WHERE NOT passed AND name NOT IN ('library is preloaded', 'sealed logins have timeouts');
SELECT wa.reset_privileges();
SELECT count(*) AS wrong FROM wa.wrong_privileges();
ALTER DATABASE regress_privileges RESET quote_all_identifiers;
\c regress_privileges
SET client_min_messages = warning;

-- The control: what the same user makes is open.
CREATE TABLE public.open (id int);
CREATE FUNCTION public.open() RETURNS int LANGUAGE sql RETURN 1;
CREATE SCHEMA open;
SELECT has_table_privilege('regress_hostile', 'public.open', 'SELECT') AS "table",
	has_function_privilege('regress hostile, "PUBLIC', 'public.open()', 'EXECUTE') AS function,
	has_schema_privilege('wa_app', 'open', 'CREATE') AS schema;
-- But nothing of the extension is, and nothing is missing.
SELECT name, detail FROM wa.self_check()
WHERE NOT passed AND name NOT IN ('library is preloaded', 'sealed logins have timeouts');
-- (One function belongs to the superuser who made it.)
SELECT object FROM wa.privileges()
WHERE grantee NOT LIKE 'wa\_%' AND grantee <> 'PUBLIC' AND object <> 'wa.close_children()' OR grantable;
\c - regress_hostile
SELECT wa.version();
SELECT * FROM wa.org;
\c - regress_app
SELECT wa.version();
SELECT wa.make_secret('api_key');
SELECT wa.create_user('eve@example.com', 'Eve', 'correct horse');
SELECT wa.act_for('00000000-0000-7000-8000-000000000000');
SELECT wa.reset_privileges();
SELECT wa.put_owner_policies('true', 'wa.message');
SELECT wa.put_invalidation('wa.message', 'INSERT', 'none');
SELECT wa.put_durability('wa.message', 'INSERT', 'none');
SELECT count(*) FROM wa.api_key;
INSERT INTO wa.org (name) VALUES ('eve');
CREATE FUNCTION wa.mine() RETURNS int LANGUAGE sql RETURN 1;
SELECT count(*) FROM wa.granted();
\c - regress_admin
SELECT grantees, privileges FROM wa.granted() WHERE object = 'wa.act_for(uuid)';
SELECT wa.make_secret('api_key');
SELECT wa.put_owner_policies('true', 'wa.message');
SELECT wa.put_invalidation('wa.message', 'INSERT', 'none');
SELECT wa.put_durability('wa.message', 'INSERT', 'none');
\c - :superuser

-- Each group role can do what the list says, function by function and column by
-- column, also by what PUBLIC or another role gives it; and nothing else.
CREATE VIEW public.group_role AS
	SELECT r.oid, r.rolname::text AS name FROM pg_roles r
	WHERE r.rolname IN ('wa_claim', 'wa_gateway', 'wa_worker', 'wa_connector', 'wa_app', 'wa_admin', 'wa_monitor');
SELECT count(*) AS roles FROM group_role;
WITH can AS (
	SELECT r.name, p.oid::regprocedure::text AS object FROM group_role r CROSS JOIN pg_proc p
	WHERE p.pronamespace = 'wa'::regnamespace AND p.proowner <> r.oid AND has_function_privilege(r.oid, p.oid, 'EXECUTE')
), may AS (
	SELECT r.name, g.object FROM group_role r JOIN wa.granted_privileges() g ON g.grantee IN ('PUBLIC', r.name)
	WHERE g.kind = 'FUNCTION' AND NOT EXISTS (
		SELECT FROM pg_proc p WHERE p.oid = g.object::regprocedure AND p.proowner = r.oid)
)
SELECT 'not in the list' AS wrong, c.* FROM (TABLE can EXCEPT TABLE may) c
UNION ALL SELECT 'not granted', m.* FROM (TABLE may EXCEPT TABLE can) m;
WITH can AS (
	SELECT r.name, c.oid::regclass::text AS object, a.attname, privilege
	FROM group_role r CROSS JOIN pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
		CROSS JOIN unnest('{SELECT,INSERT,UPDATE,REFERENCES}'::text[]) privilege
	WHERE c.relnamespace = 'wa'::regnamespace AND c.relkind IN ('r', 'v') AND NOT a.attisdropped
		AND has_column_privilege(r.oid, c.oid, a.attnum, privilege)
), may AS (
	SELECT r.name, g.object, a.attname, g.privilege
	FROM group_role r JOIN wa.granted_privileges() g ON g.grantee IN ('PUBLIC', r.name)
		JOIN pg_attribute a ON a.attrelid = to_regclass(g.object) AND NOT a.attisdropped
			AND a.attname = COALESCE(g.column_name, a.attname)
	WHERE g.kind = 'TABLE' AND g.privilege IN ('SELECT', 'INSERT', 'UPDATE', 'REFERENCES')
)
SELECT 'not in the list' AS wrong, c.* FROM (TABLE can EXCEPT TABLE may) c
UNION ALL SELECT 'not granted', m.* FROM (TABLE may EXCEPT TABLE can) m;
SELECT r.name, c.oid::regclass, privilege FROM group_role r CROSS JOIN pg_class c
	CROSS JOIN unnest('{DELETE,TRUNCATE,TRIGGER}'::text[]) privilege
WHERE c.relnamespace = 'wa'::regnamespace AND c.relkind IN ('r', 'v') AND has_table_privilege(r.oid, c.oid, privilege)
ORDER BY r.name, c.relname;

-- What the list may never say: that somebody else than wa_owner reads what stands
-- for a secret, that SQL under a key writes a table or reads people's accounts, that
-- a function with its owner's rights is everybody's.
SELECT g.grantee, g.object, a.attname
FROM wa.granted_privileges() g JOIN pg_attribute a ON a.attrelid = to_regclass(g.object) AND a.attname = COALESCE(g.column_name, a.attname)
WHERE g.kind = 'TABLE' AND g.grantee <> 'wa_owner' AND g.object <> 'wa.statement'
	AND a.attname IN ('digest', 'password_hash', 'secret', 'previous_secret');
SELECT DISTINCT grantee, object, privilege FROM wa.granted_privileges()
WHERE kind = 'TABLE' AND (grantee NOT IN ('wa_owner', 'wa_claim') AND privilege <> 'SELECT'
	OR grantee NOT IN ('wa_owner', 'wa_admin')
		AND object IN ('wa.api_key', 'wa.app_user', 'wa.member', 'wa.sign_in', 'wa.user_token', 'wa.invitation', 'wa.audit'));
SELECT g.object FROM wa.granted_privileges() g JOIN pg_proc p ON p.oid::regprocedure::text = g.object
WHERE g.grantee = 'PUBLIC' AND p.prosecdef;

-- Everything that the extension made and that can have privileges is in schema wa,
-- and they are its initial privileges: a dump carries none of them, and no role of
-- the past is remembered.
SELECT pg_describe_object(d.classid, d.objid, 0)
FROM pg_depend d JOIN pg_extension e ON e.oid = d.refobjid AND e.extname = 'wa_apikeys'
	CROSS JOIN LATERAL pg_identify_object(d.classid, d.objid, 0) i
WHERE d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e'
	AND i.schema IS DISTINCT FROM 'wa' AND i.type NOT IN ('cast', 'schema', 'event trigger');
SELECT pg_describe_object(classid, objid, held.objsubid) FROM (
	SELECT 'pg_class'::regclass, oid, 0, relacl FROM pg_class WHERE relnamespace = 'wa'::regnamespace AND relkind IN ('r', 'v', 'S')
	UNION ALL SELECT 'pg_class'::regclass, a.attrelid, a.attnum, a.attacl FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
		WHERE c.relnamespace = 'wa'::regnamespace
	UNION ALL SELECT 'pg_proc'::regclass, oid, 0, proacl FROM pg_proc WHERE pronamespace = 'wa'::regnamespace
	UNION ALL SELECT 'pg_type'::regclass, oid, 0, typacl FROM pg_type WHERE typnamespace = 'wa'::regnamespace AND typelem = 0
	UNION ALL SELECT 'pg_namespace'::regclass, oid, 0, nspacl FROM pg_namespace WHERE nspname = 'wa') held (classid, objid, objsubid, acl)
LEFT JOIN pg_init_privs noted ON noted.classoid = classid AND noted.objoid = objid AND noted.objsubid = held.objsubid
WHERE acl IS DISTINCT FROM initprivs;
-- None of them is the row type of a table or view: pg_dump would warn of it.
SELECT t.oid::regtype FROM pg_init_privs i JOIN pg_type t ON i.classoid = 'pg_type'::regclass AND t.oid = i.objoid
	JOIN pg_class c ON c.oid = t.typrelid
WHERE t.typnamespace = 'wa'::regnamespace AND c.relkind <> 'c';
\c :home
SET client_min_messages = warning;
DROP DATABASE regress_privileges;

-- Too much and too little: what wa.self_check() says of changes, one line for each,
-- and whether wa.reset_privileges() mends them all.
CREATE FUNCTION public.findings_after(VARIADIC changes text[]) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	change text;
	findings text[];
	mended boolean;
BEGIN
	BEGIN
		FOREACH change IN ARRAY changes LOOP
			EXECUTE change;
		END LOOP;
		findings := ARRAY(
			SELECT c.name || ': ' || finding
			FROM wa.self_check() c CROSS JOIN LATERAL regexp_split_to_table(c.detail, ', ') finding
			WHERE c.name IN ('privileges are those of wa.granted()', 'default privileges open nothing',
							 'group roles are members of no role', 'sealed logins are unprivileged')
			ORDER BY c.name, finding);
		IF EXISTS (SELECT FROM wa.wrong_privileges()) THEN
			BEGIN
				PERFORM wa.reset_privileges();
				mended := NOT EXISTS (SELECT FROM wa.wrong_privileges());
			EXCEPTION
				WHEN object_not_in_prerequisite_state THEN mended := false;
			END;
			findings := findings || format('wa.reset_privileges() mends it: %s', mended);
		END IF;
		RAISE SQLSTATE 'UNDO1';
	EXCEPTION
		WHEN SQLSTATE 'UNDO1' THEN NULL;
	END;
	RETURN QUERY SELECT replace(f, 'privileges are those of wa.granted(): ', '') FROM unnest(findings) f;
END $$;
-- The control: nothing is found where nothing was changed.
SELECT * FROM findings_after('SELECT');
-- functions
SELECT * FROM findings_after(
	'GRANT EXECUTE ON FUNCTION wa.make_secret(text) TO regress_hostile',
	'GRANT EXECUTE ON FUNCTION wa.create_user(text, text, wa.password) TO wa_app',
	'GRANT EXECUTE ON FUNCTION wa.act_for(uuid) TO PUBLIC',
	'GRANT EXECUTE ON FUNCTION wa.authenticate(wa.secret, wa.permissions, text, text) TO wa_app WITH GRANT OPTION',
	'GRANT EXECUTE ON FUNCTION wa.me() TO "PUBLIC"',
	'REVOKE EXECUTE ON FUNCTION wa.authenticate(wa.secret, wa.permissions, text, text) FROM wa_gateway',
	'REVOKE EXECUTE ON FUNCTION wa.uuid7() FROM PUBLIC',
	'REVOKE EXECUTE ON FUNCTION wa.find_session(uuid) FROM wa_owner',
	'REVOKE EXECUTE ON FUNCTION wa.connector_release(text) FROM wa_claim');
-- tables, views and columns
SELECT * FROM findings_after(
	'GRANT SELECT ON wa.api_key TO wa_monitor',
	'GRANT INSERT ON wa.message TO wa_gateway',
	'GRANT TRUNCATE ON wa.event TO wa_claim',
	'GRANT SELECT ON wa.keys TO wa_app',
	'GRANT SELECT (digest) ON wa.sign_in TO wa_admin',
	'GRANT UPDATE (permissions) ON wa.api_key TO regress_hostile WITH GRANT OPTION',
	'GRANT SELECT (ctid) ON wa.message TO wa_app',
	'GRANT SELECT (password_hash) ON wa.app_user TO PUBLIC',
	'REVOKE SELECT ON wa.session FROM wa_gateway',
	'REVOKE SELECT (id) ON wa.org FROM wa_admin',
	'REVOKE DELETE ON wa.message FROM wa_owner');
-- schema and types, row types as well
SELECT * FROM findings_after(
	'GRANT USAGE ON SCHEMA wa TO PUBLIC',
	'GRANT CREATE ON SCHEMA wa TO wa_app',
	'REVOKE USAGE ON SCHEMA wa FROM wa_connector',
	'GRANT USAGE ON TYPE wa.secret TO regress_hostile',
	'GRANT USAGE ON TYPE wa.session TO wa_app WITH GRANT OPTION',
	'REVOKE USAGE ON TYPE wa.keys FROM PUBLIC',
	'REVOKE USAGE ON TYPE wa.permission FROM PUBLIC');
-- what somebody adds
SELECT * FROM findings_after(
	'CREATE FUNCTION wa.back_door() RETURNS int LANGUAGE sql SECURITY DEFINER RETURN 1',
	'CREATE PROCEDURE wa.back_stairs() LANGUAGE sql AS ''''',
	'CREATE TYPE wa.back_type AS ENUM ()',
	'CREATE SEQUENCE wa.back_count; GRANT USAGE ON SEQUENCE wa.back_count TO wa_app',
	'CREATE MATERIALIZED VIEW wa.back_window AS SELECT * FROM wa.message; GRANT SELECT ON wa.back_window TO wa_app');
-- a role that is gone: only edited catalogs can hold it, and only they can lose it
SELECT * FROM findings_after(
	'UPDATE pg_proc SET proacl = proacl || makeaclitem(4294967295, proowner, ''EXECUTE'', false) WHERE oid = ''wa.me()''::regprocedure');
-- a privilege that was handed on
SELECT * FROM findings_after(
	'GRANT USAGE ON SCHEMA wa TO regress_hostile; GRANT SELECT ON wa.org TO regress_hostile WITH GRANT OPTION; SET LOCAL ROLE regress_hostile;
	 GRANT SELECT ON wa.org TO wa_monitor; RESET ROLE');
-- default privileges of the owners, and in schema wa of who may create there; but not
-- those of others, what an update will close anyway, nor less than usual
SELECT * FROM findings_after(
	'ALTER DEFAULT PRIVILEGES FOR ROLE wa_owner GRANT EXECUTE ON FUNCTIONS TO wa_app',
	'ALTER DEFAULT PRIVILEGES FOR ROLE wa_claim GRANT SELECT ON TABLES TO PUBLIC',
	'ALTER DEFAULT PRIVILEGES FOR ROLE wa_owner GRANT CREATE ON SCHEMAS TO regress_hostile',
	'ALTER DEFAULT PRIVILEGES IN SCHEMA wa GRANT USAGE ON TYPES TO wa_app',
	'ALTER DEFAULT PRIVILEGES FOR ROLE regress_hostile IN SCHEMA wa GRANT USAGE ON SEQUENCES TO PUBLIC',
	'ALTER DEFAULT PRIVILEGES IN SCHEMA wa GRANT EXECUTE ON FUNCTIONS TO PUBLIC',
	'ALTER DEFAULT PRIVILEGES FOR ROLE wa_owner REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC',
	'ALTER DEFAULT PRIVILEGES FOR ROLE regress_hostile GRANT SELECT ON TABLES TO PUBLIC');
SELECT * FROM findings_after(
	'GRANT CREATE ON SCHEMA wa TO regress_hostile',
	'ALTER DEFAULT PRIVILEGES FOR ROLE regress_hostile IN SCHEMA wa GRANT USAGE ON SEQUENCES TO PUBLIC');
-- rights by way of another role
SELECT * FROM findings_after(
	'GRANT wa_admin TO wa_app',
	'GRANT pg_read_all_data TO wa_monitor',
	'GRANT pg_read_all_data TO regress_gateway',
	'GRANT pg_read_all_data TO regress_app');

DROP FUNCTION public.findings_after(text[]);
DROP ROLE regress_hostile, "regress hostile, ""PUBLIC", "PUBLIC";
