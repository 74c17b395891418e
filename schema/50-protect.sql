-- Row security: what wa.protect() adds to a table, and how it is removed.
--
-- For each command a RESTRICTIVE policy checks the organization and the permission.  A policy
-- that anyone adds later can therefore only narrow access, and cannot open it with OR.
-- wa.org_for() raises an error instead of returning nothing, so that a missing permission is
-- an error and not an empty result.  It refuses test keys; the policies of a table that test
-- keys may use have wa.org_for_any_key() in its place.
--
-- For each command a permissive policy, without which nobody would see anything, has the same
-- condition.  If a restrictive policy is lost, its permissive one still checks the same.  The
-- planner takes two equal conditions for one.  If they differed (by wa.require_org()), it
-- would compare the two organizations once for each scan, in a plan node of its own.  DROP
-- EXTENSION … CASCADE drops these policies with the others, because they depend on the
-- extension.  USING (true) would stay and open the table.

-- A misspelled permission must not look like one that nobody has been given yet.
CREATE FUNCTION wa.refuse_unknown_permission(permission text) RETURNS void
	LANGUAGE plpgsql STABLE STRICT
AS $$
BEGIN
	IF permission <> ALL (enum_range(NULL::wa.permission)::text[])
		AND NOT EXISTS (SELECT FROM wa.own_permission p WHERE p.name = permission AND p.dropped_at IS NULL) THEN
		RAISE EXCEPTION 'permission "%" does not exist', permission
			USING ERRCODE = 'undefined_object', DETAIL = 'The permissions are read, send, manage and events, and those in wa.own_permission.';
	END IF;
END $$;
COMMENT ON FUNCTION wa.refuse_unknown_permission(text) IS
	'for function bodies: raises 42704 for what is no permission; NULL is not looked at';

-- Protects a table and everything below it, with the same policies on each, because a query
-- of a partition or an inheritance child applies that table's own policies and not those of
-- its parent.
CREATE FUNCTION wa.protect(target regclass, org_column name DEFAULT 'org_id',
						   read text DEFAULT 'read', write text DEFAULT 'manage',
						   insert text DEFAULT NULL, update text DEFAULT NULL, delete text DEFAULT NULL,
						   test_keys boolean DEFAULT false)
	RETURNS void
	LANGUAGE plpgsql
AS $$
DECLARE
	leak record;
	member regclass;
	maintain constant text := CASE WHEN current_setting('server_version_num')::integer >= 170000 THEN ', MAINTAIN' END;
BEGIN
	-- A table or column that does not exist must not look like a protected one.
	IF target IS NULL OR org_column IS NULL OR read IS NULL OR write IS NULL OR test_keys IS NULL THEN
		RAISE EXCEPTION 'table, column, permissions and test_keys must not be null'
			USING ERRCODE = 'null_value_not_allowed';
	END IF;
	PERFORM wa.refuse_unknown_permission(p) FROM unnest(ARRAY[read, write, insert, update, delete]) p;
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
	-- No partition can be added in between.
	EXECUTE format('LOCK TABLE %s IN ACCESS EXCLUSIVE MODE', target);
	-- Revoke what GRANT ALL has given and nobody here needs.
	FOR member IN SELECT d.id FROM wa.descendants(ARRAY[target::oid]) d LOOP
		EXECUTE format('REVOKE TRUNCATE, TRIGGER, REFERENCES%s ON %s FROM PUBLIC, wa_gateway, wa_app', maintain, member);
	END LOOP;
	FOR leak IN SELECT l.object, l.reason FROM wa.leaks(target, org_column) l LIMIT 1 LOOP
		RAISE EXCEPTION 'table % cannot be protected: %: %', target, leak.object, leak.reason
			USING ERRCODE = 'object_not_in_prerequisite_state',
			HINT = 'SELECT * FROM wa.leaks(…) lists all of them.';
	END LOOP;
	-- Row security is enabled everywhere before any policy is created: wa.close_children()
	-- refuses an open parent of a table that has these policies.
	FOR member IN SELECT d.id FROM wa.descendants(ARRAY[target::oid]) d ORDER BY d.depth LOOP
		EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', member);
	END LOOP;
	FOR member IN SELECT d.id FROM wa.descendants(ARRAY[target::oid]) d LOOP
		PERFORM wa.put_policies(member, org_column, read,
			COALESCE(insert, write), COALESCE(update, write), COALESCE(delete, write), test_keys);
	END LOOP;
END $$;
COMMENT ON FUNCTION wa.protect(regclass, name, text, text, text, text, text, boolean) IS
	'protects a table, its partitions and inheritance children and theirs: enables and forces row security and makes '
	'eight policies for `wa_gateway` and `wa_app`: `wa_read`, `wa_insert`, `wa_update`, `wa_delete` (restrictive: the '
	'organization and a permission) and the same again with `wa_open_` (permissive); each table gets the security label '
	'`protected`. A permission is one of the four, or one that `wa.define_permission()` has defined. `insert`, `update` and `delete` are the permissions for one command each; NULL: that of `write`. A '
	'test key is refused with `42501` and `test` in the constraint-name field, unless `test_keys` is true: then it may do what its permissions allow. A '
	'change that reads, as `UPDATE` and `DELETE` with a condition and `RETURNING` do, needs the one to read as well. It '
	'takes TRUNCATE, TRIGGER, REFERENCES and MAINTAIN from `PUBLIC`, `wa_gateway` and `wa_app`. Again '
	'on the same table replaces the policies, and opens what it got meanwhile. Everything or nothing: it refuses the '
	'whole where `wa.leaks()` finds anything. It runs with the rights of its caller: a superuser, or the table''s '
	'owner who is a member of `wa_admin`. `22004`, `42704` (no such permission), `42809` (no table), `42703` (no such column of type uuid), `55000` '
	'(something would leak; the message names the first), `42501`';

CREATE FUNCTION wa.policy_condition(org_column name, permission text, test_keys boolean) RETURNS text
	LANGUAGE sql STABLE STRICT PARALLEL SAFE
	RETURN format(CASE WHEN permission = ANY (enum_range(NULL::wa.permission)::text[])
		THEN '%I OPERATOR(pg_catalog.=) wa.org_for%s(%L::wa.permission)'
		ELSE '%I OPERATOR(pg_catalog.=) wa.org_for_own%s(%L::text)' END, org_column,
		CASE WHEN test_keys THEN '_any_key' END, permission);
COMMENT ON FUNCTION wa.policy_condition(name, text, boolean) IS 'the condition of a policy of wa.protect() for a permission';

CREATE FUNCTION wa.put_policies(target regclass, org_column name, read text, insert text, update text, delete text, test_keys boolean)
	RETURNS void
	LANGUAGE plpgsql STRICT
AS $$
DECLARE
	roles constant text := 'wa_gateway, wa_app';
	kind text;
	prefix text;
BEGIN
	PERFORM wa.drop_policies(target);
	FOR kind, prefix IN VALUES ('PERMISSIVE', 'wa_open_'), ('RESTRICTIVE', 'wa_') LOOP
		EXECUTE format('CREATE POLICY %sread ON %s AS %s FOR SELECT TO %s USING (%s)',
					   prefix, target, kind, roles, wa.policy_condition(org_column, read, test_keys));
		EXECUTE format('CREATE POLICY %sinsert ON %s AS %s FOR INSERT TO %s WITH CHECK (%s)',
					   prefix, target, kind, roles, wa.policy_condition(org_column, insert, test_keys));
		EXECUTE format('CREATE POLICY %supdate ON %s AS %s FOR UPDATE TO %s USING (%s) WITH CHECK (%5$s)',
					   prefix, target, kind, roles, wa.policy_condition(org_column, update, test_keys));
		EXECUTE format('CREATE POLICY %sdelete ON %s AS %s FOR DELETE TO %s USING (%s)',
					   prefix, target, kind, roles, wa.policy_condition(org_column, delete, test_keys));
	END LOOP;
	-- The label belongs to the library, which may not be loaded yet without preload.  This
	-- loads it.
	PERFORM wa.preloaded();
	EXECUTE format('SECURITY LABEL FOR wa_apikeys ON TABLE %s IS %L', target, 'protected');
END $$;
COMMENT ON FUNCTION wa.put_policies(regclass, name, text, text, text, text, boolean) IS
	'makes the policies and the label of wa.protect() on one table; checks nothing, and leaves it to the caller to force row security';

CREATE FUNCTION wa.drop_policies(target regclass) RETURNS void
	LANGUAGE plpgsql STRICT
AS $$
DECLARE
	policy name;
BEGIN
	FOR policy IN SELECT p.polname FROM pg_policy p
		WHERE p.polrelid = target
			AND p.polname IN ('wa_open_read', 'wa_open_insert', 'wa_open_update', 'wa_open_delete',
				'wa_read', 'wa_insert', 'wa_update', 'wa_delete', 'wa_closed')
	LOOP
		EXECUTE format('DROP POLICY %I ON %s', policy, target);
	END LOOP;
	IF target IN (SELECT l.id FROM wa.labelled_tables() l) THEN
		PERFORM wa.preloaded();
		EXECUTE format('SECURITY LABEL FOR wa_apikeys ON TABLE %s IS NULL', target);
	END IF;
END $$;
COMMENT ON FUNCTION wa.drop_policies(regclass) IS 'takes the policies and the label of wa.protect() from one table';

-- A child that has another protected table as a parent keeps its policies.
CREATE FUNCTION wa.unprotect(target regclass, disable boolean DEFAULT true) RETURNS void
	LANGUAGE plpgsql
AS $$
DECLARE
	members oid[];
	member regclass;
BEGIN
	IF target IS NULL OR disable IS NULL THEN
		RAISE EXCEPTION 'table must not be null' USING ERRCODE = 'null_value_not_allowed';
	END IF;
	-- Parents first, in the order in which queries lock them.
	members := ARRAY(SELECT d.id FROM wa.descendants(ARRAY[target::oid]) d ORDER BY d.depth);
	members := ARRAY(
		SELECT m FROM unnest(members) WITH ORDINALITY u (m, place)
		WHERE NOT EXISTS (
			SELECT FROM wa.ancestors(members) a JOIN pg_policy p ON p.polrelid = a.ancestor
			WHERE a.id = m AND a.ancestor <> ALL (members) AND p.polname = 'wa_read')
		ORDER BY place);
	IF target <> ALL (members) THEN
		RAISE EXCEPTION 'table % is a partition or child of a protected table', target
			USING ERRCODE = 'object_not_in_prerequisite_state',
			HINT = 'Take the protection from the parent, or detach the table first.';
	END IF;
	FOREACH member IN ARRAY members LOOP
		PERFORM wa.drop_policies(member);
	END LOOP;
	IF disable THEN
		FOREACH member IN ARRAY members LOOP
			EXECUTE format('ALTER TABLE %s NO FORCE ROW LEVEL SECURITY, DISABLE ROW LEVEL SECURITY', member);
		END LOOP;
	END IF;
END $$;
COMMENT ON FUNCTION wa.unprotect(regclass, boolean) IS
	'takes the policies and the label of `wa.protect()` away, from partitions and children as well but for those that '
	'another protected table is a parent of; without `disable` row security stays on, and then nobody but a superuser '
	'sees a row. `55000`: the table is a partition or child of a protected one';

-- Read from the stored tree, and not by printing it, for the reason in schema/49-leaks.sql.
CREATE FUNCTION wa.policy_permission(condition pg_node_tree) RETURNS text
	LANGUAGE c STABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'wa_policy_permission';
COMMENT ON FUNCTION wa.policy_permission(pg_node_tree) IS
	'the permission that a policy of wa.protect() asks for; NULL for the condition of another policy';

-- The tables of schema wa are listed by wa.policies().
CREATE VIEW wa.protected WITH (security_invoker = true) AS
	SELECT g.id::regclass AS relation, g.guard, g.org_column, p.read, p.insert, p.update, p.delete, p.test_keys
	FROM wa.guards(ARRAY(
			SELECT w.id FROM wa.watched_tables() w JOIN pg_class c ON c.oid = w.id
			WHERE c.relnamespace <> 'wa'::regnamespace)) g
		CROSS JOIN LATERAL (
			SELECT max(a.permission) FILTER (WHERE a.polname = 'wa_read') AS read,
				max(a.permission) FILTER (WHERE a.polname = 'wa_insert') AS insert,
				max(a.permission) FILTER (WHERE a.polname = 'wa_update') AS update,
				max(a.permission) FILTER (WHERE a.polname = 'wa_delete') AS delete,
				bool_or(a.test_keys) FILTER (WHERE a.polname <> 'wa_closed') AS test_keys
			FROM (
				SELECT y.polname, wa.policy_permission(COALESCE(y.polqual, y.polwithcheck)) AS permission,
					COALESCE(y.polqual, y.polwithcheck)::text ~ format(' :funcid (%s|%s) ', 'wa.org_for_any_key(wa.permission)'::regprocedure::oid,
						'wa.org_for_own_any_key(text)'::regprocedure::oid) AS test_keys
				FROM pg_policy y WHERE y.polrelid = g.id AND NOT y.polpermissive) a) p;
COMMENT ON VIEW wa.protected IS
	'view: the tables that `wa.protect()` was called for, and what is below them, with the permission that each command needs';
COMMENT ON COLUMN wa.protected.relation IS 'the table, partition or inheritance child';
COMMENT ON COLUMN wa.protected.guard IS
	'what an application gets that names it: `protected`: its organization''s rows; `closed`: nothing, until `wa.protect()` is called for its parent '
	'again; `open`: what its grants allow, which `wa.self_check()` reports';
COMMENT ON COLUMN wa.protected.org_column IS 'the column with the organization';
COMMENT ON COLUMN wa.protected.read IS 'the permission that reading needs; NULL: it has no such policy';
COMMENT ON COLUMN wa.protected.insert IS 'the permission that adding rows needs';
COMMENT ON COLUMN wa.protected.update IS 'the permission that changing rows needs';
COMMENT ON COLUMN wa.protected.delete IS 'the permission that removing rows needs';
COMMENT ON COLUMN wa.protected.test_keys IS 'whether test keys may use it, as far as their permissions go';
