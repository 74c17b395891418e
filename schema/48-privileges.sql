-- What is granted on the objects of schema wa, and how all of it is revoked.  wa.granted()
-- (schema/85-granted.sql) lists what is to be granted.

-- All objects in schema wa that have privileges, whoever made them.  This includes columns,
-- and the row types of tables and views if somebody has changed their privileges.  Kind and
-- name are written as GRANT takes them.  "acl" has the privileges, "made_with" those that
-- PostgreSQL gives such an object without default privileges.  (ROWS is given here and below
-- because JIT, by the planner's own estimate, would compile for longer than the query runs.
-- Names are compared as text.  So no function here lets a setting of the database quote them.)
CREATE FUNCTION wa.acl_objects()
	RETURNS TABLE (kind text, object text, column_name name, owner oid, acl aclitem[], made_with aclitem[])
	LANGUAGE sql STABLE STRICT PARALLEL SAFE ROWS 500
	SET quote_all_identifiers = off
AS $$
	WITH found (kind, object, column_name, owner, acl, made_with) AS (
		SELECT 'SCHEMA', n.oid::regnamespace::text, NULL::name, n.nspowner, n.nspacl, acldefault('n', n.nspowner)
		FROM pg_namespace n WHERE n.nspname = 'wa'
	UNION ALL
		SELECT CASE c.relkind WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END, c.oid::regclass::text, NULL, c.relowner,
			c.relacl, acldefault(CASE c.relkind WHEN 'S' THEN 's' ELSE 'r' END::"char", c.relowner)
		FROM pg_class c
		WHERE c.relnamespace = 'wa'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
	UNION ALL
		SELECT 'TABLE', c.oid::regclass::text, a.attname, c.relowner, a.attacl, acldefault('c', c.relowner)
		FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
		WHERE c.relnamespace = 'wa'::regnamespace AND a.attacl IS NOT NULL AND NOT a.attisdropped
	UNION ALL
		SELECT CASE p.prokind WHEN 'p' THEN 'PROCEDURE' ELSE 'FUNCTION' END, p.oid::regprocedure::text, NULL, p.proowner,
			p.proacl, acldefault('f', p.proowner)
		FROM pg_proc p WHERE p.pronamespace = 'wa'::regnamespace
	UNION ALL
		-- An array type has the privileges of its element type.
		SELECT 'TYPE', t.oid::regtype::text, NULL, t.typowner, t.typacl, acldefault('T', t.typowner)
		FROM pg_type t LEFT JOIN pg_class c ON c.oid = t.typrelid AND c.relkind <> 'c'
		WHERE t.typnamespace = 'wa'::regnamespace AND t.typelem = 0 AND (c.oid IS NULL OR t.typacl IS NOT NULL))
	SELECT f.kind, f.object, f.column_name, f.owner, COALESCE(f.acl, f.made_with), f.made_with FROM found f
$$;
COMMENT ON FUNCTION wa.acl_objects() IS
	'every object of schema wa that has privileges; columns and row types where somebody has changed theirs';

-- A role that does not exist any more is shown by its number.
CREATE FUNCTION wa.privileges()
	RETURNS TABLE (kind text, object text, column_name name, privilege text, grantee text, grantable boolean)
	LANGUAGE sql STABLE STRICT PARALLEL SAFE ROWS 1000
	SET quote_all_identifiers = off
AS $$
	SELECT o.kind, o.object, o.column_name, held.privilege_type,
		CASE held.grantee WHEN 0 THEN 'PUBLIC' ELSE held.grantee::regrole::text END, held.is_grantable
	FROM wa.acl_objects() o CROSS JOIN aclexplode(o.acl) held
$$;
COMMENT ON FUNCTION wa.privileges() IS 'every privilege that anybody holds on an object of schema wa, the owner''s too';

-- REVOKE on a table also revokes the privileges on its columns.  CASCADE revokes what a
-- grantee has granted to others.  The owner's privileges are granted anew, because default
-- privileges can have changed them too.
CREATE FUNCTION wa.revoke_privileges() RETURNS void
	LANGUAGE plpgsql STRICT
AS $$
DECLARE
	-- All statements, before the first one changes what is read here.
	statements constant text[] := ARRAY(
		SELECT format('REVOKE ALL ON %s %s FROM %s CASCADE', p.kind, p.object, string_agg(DISTINCT p.grantee, ', '))
		FROM wa.privileges() p
		WHERE p.grantee !~ '^[0-9]+$'
		GROUP BY p.kind, p.object)
		|| ARRAY(
		SELECT format('GRANT ALL ON %s %s TO %s', o.kind, o.object, o.owner::regrole)
		FROM wa.acl_objects() o WHERE o.column_name IS NULL);
	statement text;
BEGIN
	FOREACH statement IN ARRAY statements LOOP
		EXECUTE statement;
	END LOOP;
END $$;
COMMENT ON FUNCTION wa.revoke_privileges() IS
	'for install and update scripts: takes every privilege on the objects of schema wa from everybody but their owners';

-- The default privileges of the role that runs this script may have opened the tables that
-- were created so far, and wa.protect() refuses a table with such a grant.
SELECT wa.revoke_privileges();
