-- Row security.
--
-- Per command one RESTRICTIVE policy carries the organization and the
-- permission, so that whatever policy anyone adds later can only narrow, never
-- OR isolation away.  wa.org_for() raises instead of returning nothing, so that
-- a missing permission is an error and not an empty result.
--
-- The one permissive policy, without which nobody would see anything, compares
-- the organization as well: if a restrictive policy is lost, what is lost is a
-- permission, not isolation.  And it goes with the extension, as the others do,
-- when DROP EXTENSION … CASCADE takes what depends on it; a USING (true) would
-- stay and open the table.

-- The column that a table's policies compare with the organization: the one
-- column that all of them depend on.
CREATE FUNCTION wa.org_column_of(target regclass) RETURNS name
	LANGUAGE sql STABLE STRICT PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT min(a.attname::text)::name
	FROM pg_policy p
		JOIN pg_depend d ON d.classid = 'pg_policy'::regclass AND d.objid = p.oid
			AND d.refclassid = 'pg_class'::regclass AND d.refobjid = p.polrelid AND d.refobjsubid > 0
		JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
	WHERE p.polrelid = target
		AND p.polname IN ('wa_open', 'wa_read', 'wa_insert', 'wa_update', 'wa_delete')
	HAVING count(DISTINCT a.attname) = 1
$$;
COMMENT ON FUNCTION wa.org_column_of(regclass) IS
	'the column by which wa.protect() protects a table, NULL if it does not';

-- Each policy is compared as a whole: an expression that says more than
-- wa.protect() wrote, an OR say, is not the same policy.
CREATE FUNCTION wa.is_protected(target regclass) RETURNS boolean
	LANGUAGE sql STABLE STRICT PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT COALESCE(bool_and(c.relrowsecurity AND c.relforcerowsecurity), false) AND 4 = count(*) FILTER (WHERE
		NOT p.polpermissive
		AND (p.polname, p.polcmd) IN (('wa_read', 'r'), ('wa_insert', 'a'), ('wa_update', 'w'), ('wa_delete', 'd'))
		AND p.polroles @> ARRAY['wa_gateway'::regrole::oid, 'wa_app'::regrole::oid]
		AND (p.polqual IS NULL) = (p.polcmd = 'a')
		AND (p.polwithcheck IS NULL) = (p.polcmd IN ('r', 'd'))
		AND COALESCE(pg_get_expr(p.polqual, c.oid), allowed.expression) = allowed.expression
		AND COALESCE(pg_get_expr(p.polwithcheck, c.oid), allowed.expression) = allowed.expression)
	FROM pg_class c
		JOIN pg_policy p ON p.polrelid = c.oid
		CROSS JOIN LATERAL (
			SELECT format('(%I = wa.org_for(%L::wa.permission))', wa.org_column_of(c.oid), permission) AS expression
			FROM unnest(enum_range(NULL::wa.permission)) permission
			WHERE COALESCE(pg_get_expr(p.polqual, c.oid), pg_get_expr(p.polwithcheck, c.oid))
				= format('(%I = wa.org_for(%L::wa.permission))', wa.org_column_of(c.oid), permission)) allowed
	WHERE c.oid = target
$$;
COMMENT ON FUNCTION wa.is_protected(regclass) IS
	'whether a table has forced row security and the four restrictive policies of wa.protect()';

-- Indexes (primary keys and unique constraints included), foreign keys and
-- grants through which a table would tell one organization about another.  An
-- index of another kind than these two has no leading column.  TRUNCATE, TRIGGER
-- and REFERENCES (and MAINTAIN, since 17) are rights that row security does not
-- look at: a trigger sees other callers' rows, a foreign key tells what exists.
CREATE FUNCTION wa.leaks(target regclass, org_column name)
	RETURNS TABLE (object text, reason text)
	LANGUAGE sql STABLE STRICT PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
	WITH org AS (
		SELECT a.attnum, a.attname, a.attnotnull FROM pg_attribute a
		WHERE a.attrelid = target AND a.attname = org_column AND NOT a.attisdropped)
	SELECT i.indexrelid::regclass::text, format('index does not lead with %I', org_column)
	FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_am m ON m.oid = c.relam
	WHERE i.indrelid = target AND (m.amname NOT IN ('btree', 'hash') OR i.indkey[0] IS DISTINCT FROM (SELECT o.attnum FROM org o))
	UNION ALL
	SELECT k.conname::text, format('foreign key does not lead with %I', org_column)
	FROM pg_constraint k
	WHERE k.conrelid = target AND k.contype = 'f' AND k.conkey[1] IS DISTINCT FROM (SELECT o.attnum FROM org o)
	UNION ALL
	SELECT k.conname::text, format('foreign key leads %I to another column than that table''s organization', org_column)
	FROM pg_constraint k
	WHERE k.conrelid = target AND k.contype = 'f' AND k.confrelid <> target AND array_length(k.confkey, 1) > 1
		AND EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = k.confrelid AND p.polname = 'wa_read')
		AND wa.org_column_of(k.confrelid) IS DISTINCT FROM (
			SELECT a.attname FROM pg_attribute a WHERE a.attrelid = k.confrelid AND a.attnum = k.confkey[1])
	UNION ALL
	SELECT COALESCE(r.rolname, 'PUBLIC'), format('is granted %s', acl.privilege_type)
	FROM pg_class c CROSS JOIN aclexplode(c.relacl) acl LEFT JOIN pg_roles r ON r.oid = acl.grantee
	WHERE c.oid = target AND acl.grantee <> c.relowner
		AND acl.privilege_type IN ('TRUNCATE', 'TRIGGER', 'REFERENCES', 'MAINTAIN')
	UNION ALL
	SELECT COALESCE(r.rolname, 'PUBLIC'), format('is granted REFERENCES (%I)', a.attname)
	FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid CROSS JOIN aclexplode(a.attacl) acl
		LEFT JOIN pg_roles r ON r.oid = acl.grantee
	WHERE c.oid = target AND acl.grantee <> c.relowner AND acl.privilege_type = 'REFERENCES'
	UNION ALL
	SELECT o.attname::text, 'column can be null' FROM org o WHERE NOT o.attnotnull
$$;
COMMENT ON FUNCTION wa.leaks(regclass, name) IS
	'what of a table would let one organization infer or touch another''s rows: indexes and foreign keys that do not lead with the organization, rights that row security does not look at';

CREATE FUNCTION wa.protect(target regclass, org_column name DEFAULT 'org_id',
						   read wa.permission DEFAULT 'read', write wa.permission DEFAULT 'manage')
	RETURNS void
	LANGUAGE plpgsql VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	leak record;
	roles constant text := 'wa_gateway, wa_app';
	reads constant text := format('%I OPERATOR(pg_catalog.=) wa.org_for(%L)', org_column, read);
	writes constant text := format('%I OPERATOR(pg_catalog.=) wa.org_for(%L)', org_column, write);
BEGIN
	-- A table or column that does not exist must not look like a protected one.
	IF target IS NULL OR org_column IS NULL OR read IS NULL OR write IS NULL THEN
		RAISE EXCEPTION 'table, column and permissions must not be null'
			USING ERRCODE = 'null_value_not_allowed';
	END IF;
	IF NOT EXISTS (SELECT FROM pg_class c WHERE c.oid = target AND c.relkind IN ('r', 'p')) THEN
		RAISE EXCEPTION '% is not a table', target
			USING ERRCODE = 'wrong_object_type', HINT = 'Protect the tables that a view reads.';
	END IF;
	IF NOT EXISTS (SELECT FROM pg_attribute a
				   WHERE a.attrelid = target AND a.attname = org_column
					   AND a.atttypid = 'uuid'::regtype AND NOT a.attisdropped) THEN
		RAISE EXCEPTION 'table % has no column "%" of type uuid', target, org_column
			USING ERRCODE = 'undefined_column';
	END IF;
	-- What GRANT ALL gave away and nobody here needs is taken back.
	EXECUTE format('REVOKE TRUNCATE, TRIGGER, REFERENCES%s ON %s FROM PUBLIC, %s',
				   CASE WHEN current_setting('server_version_num')::integer >= 170000 THEN ', MAINTAIN' END, target, roles);
	FOR leak IN SELECT l.object, l.reason FROM wa.leaks(target, org_column) l LIMIT 1 LOOP
		RAISE EXCEPTION 'table % cannot be protected: %: %', target, leak.object, leak.reason
			USING ERRCODE = 'object_not_in_prerequisite_state',
			HINT = 'SELECT * FROM wa.leaks(…) lists all of them.';
	END LOOP;

	EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', target);
	PERFORM wa.unprotect(target, false);
	EXECUTE format('CREATE POLICY wa_open ON %s TO %s USING (%s) WITH CHECK (%3$s)', target, roles,
				   format('%I OPERATOR(pg_catalog.=) wa.require_org()', org_column));
	EXECUTE format('CREATE POLICY wa_read ON %s AS RESTRICTIVE FOR SELECT TO %s USING (%s)', target, roles, reads);
	EXECUTE format('CREATE POLICY wa_insert ON %s AS RESTRICTIVE FOR INSERT TO %s WITH CHECK (%s)', target, roles, writes);
	EXECUTE format('CREATE POLICY wa_update ON %s AS RESTRICTIVE FOR UPDATE TO %s USING (%s) WITH CHECK (%3$s)',
				   target, roles, writes);
	EXECUTE format('CREATE POLICY wa_delete ON %s AS RESTRICTIVE FOR DELETE TO %s USING (%s)', target, roles, writes);
END $$;
COMMENT ON FUNCTION wa.protect(regclass, name, wa.permission, wa.permission) IS
	'puts the organization and permission policies on a table of the caller''s; refuses one whose indexes, foreign keys or grants would leak';

CREATE FUNCTION wa.unprotect(target regclass, disable boolean DEFAULT true) RETURNS void
	LANGUAGE plpgsql VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	policy name;
BEGIN
	IF target IS NULL OR disable IS NULL THEN
		RAISE EXCEPTION 'table must not be null' USING ERRCODE = 'null_value_not_allowed';
	END IF;
	FOR policy IN SELECT p.polname FROM pg_policy p
		WHERE p.polrelid = target
			AND p.polname IN ('wa_open', 'wa_read', 'wa_insert', 'wa_update', 'wa_delete')
	LOOP
		EXECUTE format('DROP POLICY %I ON %s', policy, target);
	END LOOP;
	IF disable THEN
		EXECUTE format('ALTER TABLE %s NO FORCE ROW LEVEL SECURITY, DISABLE ROW LEVEL SECURITY', target);
	END IF;
END $$;
COMMENT ON FUNCTION wa.unprotect(regclass, boolean) IS
	'takes away what wa.protect() put on a table, and with disable its row security as a whole';

-- Our own tables, by the same function that others use for theirs.
SELECT wa.protect('wa.session', 'org_id', 'read', 'manage');
SELECT wa.protect('wa.session_pairing', 'org_id', 'manage', 'manage');
SELECT wa.protect('wa.chat', 'org_id', 'read', 'send');
SELECT wa.protect('wa.contact', 'org_id', 'read', 'send');
SELECT wa.protect('wa.message', 'org_id', 'read', 'send');
SELECT wa.protect('wa.message_action', 'org_id', 'read', 'send');
SELECT wa.protect('wa.session_rate', 'org_id', 'read', 'send');
SELECT wa.protect('wa.idempotency', 'org_id', 'send', 'send');
SELECT wa.protect('wa.webhook', 'org_id', 'manage', 'manage');

-- Function bodies run as wa_owner, which has row security forced on it: they
-- see the bound organization only.  The permission was checked by the function.
CREATE POLICY wa_owner_open ON wa.session TO wa_owner USING (true);
CREATE POLICY wa_owner_org ON wa.session AS RESTRICTIVE TO wa_owner USING (org_id = wa.require_org());
CREATE POLICY wa_owner_open ON wa.session_pairing TO wa_owner USING (true);
CREATE POLICY wa_owner_org ON wa.session_pairing AS RESTRICTIVE TO wa_owner USING (org_id = wa.require_org());
CREATE POLICY wa_owner_open ON wa.chat TO wa_owner USING (true);
CREATE POLICY wa_owner_org ON wa.chat AS RESTRICTIVE TO wa_owner USING (org_id = wa.require_org());
CREATE POLICY wa_owner_open ON wa.contact TO wa_owner USING (true);
CREATE POLICY wa_owner_org ON wa.contact AS RESTRICTIVE TO wa_owner USING (org_id = wa.require_org());
CREATE POLICY wa_owner_open ON wa.message TO wa_owner USING (true);
CREATE POLICY wa_owner_org ON wa.message AS RESTRICTIVE TO wa_owner USING (org_id = wa.require_org());
CREATE POLICY wa_owner_open ON wa.message_action TO wa_owner USING (true);
CREATE POLICY wa_owner_org ON wa.message_action AS RESTRICTIVE TO wa_owner USING (org_id = wa.require_org());
CREATE POLICY wa_owner_open ON wa.session_rate TO wa_owner USING (true);
CREATE POLICY wa_owner_org ON wa.session_rate AS RESTRICTIVE TO wa_owner USING (org_id = wa.require_org());
CREATE POLICY wa_owner_open ON wa.idempotency TO wa_owner USING (true);
-- Housekeeping, and an event that is written where no organization is bound, name
-- the organization themselves.
CREATE POLICY wa_owner_org ON wa.idempotency AS RESTRICTIVE TO wa_owner
	USING (wa.current_org() IS NULL OR org_id = wa.current_org());
CREATE POLICY wa_owner_open ON wa.webhook TO wa_owner USING (true);
CREATE POLICY wa_owner_org ON wa.webhook AS RESTRICTIVE TO wa_owner
	USING (wa.current_org() IS NULL OR org_id = wa.current_org());

-- Organizations, keys and the audit log are the administrators' business, who
-- have no key: their functions see all.  Under a key they see its organization.
ALTER TABLE wa.org ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY wa_owner_open ON wa.org TO wa_owner USING (true);
CREATE POLICY wa_owner_org ON wa.org AS RESTRICTIVE TO wa_owner
	USING (wa.current_org() IS NULL OR id = wa.current_org());
CREATE POLICY wa_admin_read ON wa.org FOR SELECT TO wa_admin USING (true);
ALTER TABLE wa.api_key ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY wa_owner_open ON wa.api_key TO wa_owner USING (true);
CREATE POLICY wa_owner_org ON wa.api_key AS RESTRICTIVE TO wa_owner
	USING (wa.current_org() IS NULL OR org_id = wa.current_org());
CREATE POLICY wa_admin_read ON wa.api_key FOR SELECT TO wa_admin USING (true);
ALTER TABLE wa.audit ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY wa_owner_open ON wa.audit TO wa_owner USING (true);
CREATE POLICY wa_owner_org ON wa.audit AS RESTRICTIVE TO wa_owner
	USING (wa.current_org() IS NULL OR org_id = wa.current_org());
CREATE POLICY wa_admin_read ON wa.audit FOR SELECT TO wa_admin USING (true);

-- The claim functions look for work in every organization.
CREATE POLICY wa_claim_all ON wa.session TO wa_claim USING (true);
CREATE POLICY wa_claim_all ON wa.session_pairing FOR SELECT TO wa_claim USING (true);
CREATE POLICY wa_claim_all ON wa.message TO wa_claim USING (true);
CREATE POLICY wa_claim_all ON wa.message_action TO wa_claim USING (true);
