-- A table that becomes a partition or child of a protected one is closed in the same command:
-- no application reads or writes it by its own name until wa.protect() is called for the
-- parent again.  Queries of the parent include it at once, under the parent's policies.  The
-- command is refused if the table cannot be closed, or if another parent that is open would
-- show its rows.
--
-- This function runs as the role that creates the table, which may have no rights in schema
-- wa.  So it calls nothing there.  It also runs while a dump is restored.  There the policies
-- come last, but FORCE comes with the table.  A table with forced row security and no
-- permissive policy is closed as it is, and is not an open parent.
CREATE FUNCTION wa.close_children() RETURNS event_trigger
	LANGUAGE plpgsql
AS $$
DECLARE
	touched oid[];		-- tables that the command made or changed, and those below them
	family oid[];		-- these tables and those above them
	guarded oid[];		-- of the family: has the policies
	below oid[];		-- of the family: is below a guarded one
	shown oid[];		-- of the family: is below an open one
	child record;
	holder text;
	maintain constant text := CASE WHEN current_setting('server_version_num')::integer >= 170000 THEN ', MAINTAIN' END;
BEGIN
	-- One step after the other: for nested recursions the planner would estimate millions of
	-- rows and compile the query.
	touched := ARRAY(
		WITH RECURSIVE t (id) AS (
			SELECT o.objid FROM pg_event_trigger_ddl_commands() o WHERE o.classid = 'pg_class'::regclass
		UNION
			SELECT i.inhrelid FROM t JOIN pg_inherits i ON i.inhparent = t.id)
		SELECT t.id FROM t);
	family := ARRAY(
		WITH RECURSIVE f (id) AS (
			SELECT t FROM unnest(touched) t
		UNION
			SELECT i.inhparent FROM f JOIN pg_inherits i ON i.inhrelid = f.id)
		SELECT f.id FROM f);
	guarded := ARRAY(SELECT p.polrelid FROM pg_policy p
					 WHERE p.polrelid = ANY (family) AND p.polname IN ('wa_read', 'wa_closed') AND NOT p.polpermissive);
	IF guarded = '{}' THEN
		RETURN;
	END IF;
	below := ARRAY(
		WITH RECURSIVE b (id) AS (
			SELECT i.inhrelid FROM pg_inherits i WHERE i.inhparent = ANY (guarded)
		UNION
			SELECT i.inhrelid FROM b JOIN pg_inherits i ON i.inhparent = b.id)
		SELECT b.id FROM b WHERE b.id = ANY (family));
	shown := ARRAY(
		WITH RECURSIVE s (id) AS (
			SELECT i.inhrelid FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhparent
			WHERE c.oid = ANY (family) AND c.oid <> ALL (below) AND NOT c.relrowsecurity AND NOT c.relforcerowsecurity
		UNION
			SELECT i.inhrelid FROM s JOIN pg_inherits i ON i.inhparent = s.id)
		SELECT s.id FROM s WHERE s.id = ANY (touched) AND (s.id = ANY (guarded) OR s.id = ANY (below)) ORDER BY s.id);
	FOR child IN
		SELECT c.oid::regclass AS name, c.relkind = 'f' AS is_foreign, c.oid = ANY (guarded) OR denies AS denies
		FROM pg_class c CROSS JOIN LATERAL (
			SELECT c.relforcerowsecurity AND NOT EXISTS (
				SELECT FROM pg_policy p WHERE p.polrelid = c.oid AND p.polpermissive)) policy (denies)
		WHERE c.oid = ANY (touched) AND c.oid = ANY (below) AND c.relkind IN ('r', 'p', 'f')
			AND NOT pg_is_other_temp_schema(c.relnamespace)
			AND NOT (c.relrowsecurity AND c.relforcerowsecurity AND (c.oid = ANY (guarded) OR denies))
	LOOP
		IF child.is_foreign THEN
			RAISE EXCEPTION 'foreign table % cannot be a partition or child of a protected table', child.name
				USING ERRCODE = 'wrong_object_type', DETAIL = 'Foreign tables have no row security.';
		END IF;
		IF NOT child.denies THEN
			EXECUTE format('CREATE POLICY wa_closed ON %s AS RESTRICTIVE TO wa_gateway, wa_app USING (false)', child.name);
		END IF;
		EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', child.name);
		-- Rights to which row security does not apply.  Default privileges can have given
		-- them.
		FOR holder IN
			SELECT DISTINCT CASE acl.grantee WHEN 0 THEN 'PUBLIC' ELSE acl.grantee::regrole::text END
			FROM pg_class c CROSS JOIN LATERAL (
				SELECT c.relacl UNION ALL SELECT a.attacl FROM pg_attribute a WHERE a.attrelid = c.oid) granted (acls)
				CROSS JOIN aclexplode(granted.acls) acl
			WHERE c.oid = child.name AND acl.grantee <> c.relowner
		LOOP
			EXECUTE format('REVOKE TRUNCATE, TRIGGER, REFERENCES%s ON %s FROM %s CASCADE', maintain, child.name, holder);
		END LOOP;
	END LOOP;
	IF shown <> '{}' THEN
		RAISE EXCEPTION 'protected table % cannot have a parent that is not protected', shown[1]::regclass
			USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'Call wa.protect() for the parent first.';
	END IF;
END $$;
COMMENT ON FUNCTION wa.close_children() IS
	'event trigger: closes a table that became a partition or child of a protected one';

CREATE EVENT TRIGGER wa_close_children ON ddl_command_end
	WHEN TAG IN ('CREATE TABLE', 'ALTER TABLE', 'CREATE FOREIGN TABLE', 'ALTER FOREIGN TABLE',
				 'IMPORT FOREIGN SCHEMA', 'CREATE SCHEMA')
	EXECUTE FUNCTION wa.close_children();
-- Also with session_replication_role = replica.
ALTER EVENT TRIGGER wa_close_children ENABLE ALWAYS;
COMMENT ON EVENT TRIGGER wa_close_children IS
	'closes partitions and children that a protected table gets later, until wa.protect() is called again';
