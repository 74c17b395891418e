-- What protects a table, and through what its rows can leak: the checks of wa.protect(),
-- wa.is_protected() and wa.self_check().
--
-- Terms.  A table's *tree* is the table with all its partitions and inheritance children,
-- direct and indirect.  Its *guard* says what an application gets that reads it by its own
-- name: 'protected' (exactly the policies of wa.protect()), 'closed' (no rows: row security
-- is forced, and no policy permits anything or that of wa.close_children() forbids it) or
-- 'open'.  The *application's roles* are those that a member of wa_app or wa_gateway has or
-- can become.
--
-- The functions take many tables at once, so that wa.self_check() checks all tables in one
-- query.  The functions that others call switch JIT off: these queries are short, but where
-- the planner estimates them as long they would be compiled for seconds.

CREATE FUNCTION wa.descendants(tables oid[]) RETURNS TABLE (id oid, depth integer)
	LANGUAGE sql STABLE STRICT PARALLEL SAFE
AS $$
	-- The rows of another session's temporary table are visible only to that session.
	WITH RECURSIVE tree (id, depth) AS (
		SELECT t, 0 FROM unnest(tables) t
	UNION
		SELECT i.inhrelid, tree.depth + 1
		FROM tree JOIN pg_inherits i ON i.inhparent = tree.id JOIN pg_class c ON c.oid = i.inhrelid
		WHERE NOT pg_is_other_temp_schema(c.relnamespace))
	SELECT tree.id, max(tree.depth) FROM tree GROUP BY tree.id
$$;
COMMENT ON FUNCTION wa.descendants(oid[]) IS
	'the tables themselves, their partitions and inheritance children, and theirs';

CREATE FUNCTION wa.ancestors(tables oid[]) RETURNS TABLE (id oid, ancestor oid, height integer)
	LANGUAGE sql STABLE STRICT PARALLEL SAFE
AS $$
	WITH RECURSIVE line (id, ancestor, height) AS (
		SELECT i.inhrelid, i.inhparent, 1 FROM unnest(tables) t JOIN pg_inherits i ON i.inhrelid = t
	UNION
		SELECT line.id, i.inhparent, line.height + 1
		FROM line JOIN pg_inherits i ON i.inhrelid = line.ancestor)
	SELECT line.id, line.ancestor, min(line.height) FROM line GROUP BY line.id, line.ancestor
$$;
COMMENT ON FUNCTION wa.ancestors(oid[]) IS
	'for each table those whose queries show its rows: its parents, and theirs';

-- The column that a table's policies compare with the organization: the only column that all
-- of them depend on.  A table without such policies has the column of the nearest parent that
-- has them.
CREATE FUNCTION wa.org_columns(tables oid[]) RETURNS TABLE (id oid, org_column name)
	LANGUAGE sql STABLE STRICT PARALLEL SAFE
AS $$
	WITH line AS (
		SELECT t AS id, t AS ancestor, 0 AS height FROM unnest(tables) t
	UNION ALL
		SELECT a.id, a.ancestor, a.height FROM wa.ancestors(tables) a)
	SELECT DISTINCT ON (line.id) line.id, own.org_column
	FROM line CROSS JOIN LATERAL (
		SELECT min(a.attname::text)::name AS org_column
		FROM pg_policy p
			JOIN pg_depend d ON d.classid = 'pg_policy'::regclass AND d.objid = p.oid
				AND d.refclassid = 'pg_class'::regclass AND d.refobjid = p.polrelid AND d.refobjsubid > 0
			JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
		WHERE p.polrelid = line.ancestor
			AND p.polname IN ('wa_open_read', 'wa_open_insert', 'wa_open_update', 'wa_open_delete',
				'wa_read', 'wa_insert', 'wa_update', 'wa_delete')
		HAVING count(DISTINCT a.attname) = 1) own
	ORDER BY line.id, line.height, own.org_column
$$;
COMMENT ON FUNCTION wa.org_columns(oid[]) IS
	'the column by which each of the tables, or its nearest parent, is protected; none for those that are not';

CREATE FUNCTION wa.org_column_of(target regclass) RETURNS name
	LANGUAGE sql STABLE STRICT PARALLEL SAFE
AS $$
	SELECT o.org_column FROM wa.org_columns(ARRAY[target::oid]) o
$$;
COMMENT ON FUNCTION wa.org_column_of(regclass) IS
	'the column by which `wa.protect()` protects a table, or its nearest parent, NULL if it does not';

-- Each policy is compared as a whole: an expression that contains more than wa.protect() has
-- written, such as an OR, is not the same policy.  The comparison uses the tree that the
-- server stores.  Printing it would take a lock on the table, which every role that may write
-- to the table can delay for as long as it likes.  So only policies of our own tables are
-- printed, as the model for all others.  The differences between two policies of the same
-- kind are removed: positions in the source text, the number of the organization's column,
-- and the permission.  wa.org_for_any_key() and its sibling for permissions of one's own, which
-- tables have that test keys may use, are replaced by wa.org_for() and wa.org_for_own(), and a
-- call of wa.org_for_own() with a constant by one of wa.org_for().
CREATE FUNCTION wa.guards(tables oid[]) RETURNS TABLE (id oid, org_column name, guard text)
	LANGUAGE sql STABLE STRICT PARALLEL SAFE
	SET jit = off
AS $$
	WITH asked AS MATERIALIZED (
		SELECT c.oid AS id, c.relnamespace = 'wa'::regnamespace AS ours FROM unnest(tables) t JOIN pg_class c ON c.oid = t
	UNION
		SELECT c.oid, true FROM pg_class c WHERE c.relnamespace = 'wa'::regnamespace AND c.relkind = 'r'
	), org AS MATERIALIZED (
		SELECT o.id, o.org_column,
			(SELECT a.attnum FROM pg_attribute a WHERE a.attrelid = o.id AND a.attname = o.org_column AND NOT a.attisdropped) AS attnum
		FROM wa.org_columns(ARRAY(SELECT a.id FROM asked a)) o
	), policy AS MATERIALIZED (
		SELECT p.polrelid AS id, a.ours, p.polname, p.polcmd, p.polqual, p.polqual::text AS qual, p.polwithcheck::text AS with_check,
			COALESCE(o.attnum, 0) AS attnum
		FROM asked a JOIN pg_policy p ON p.polrelid = a.id LEFT JOIN org o ON o.id = a.id
		WHERE NOT p.polpermissive AND p.polname IN ('wa_read', 'wa_insert', 'wa_update', 'wa_delete', 'wa_closed')
			AND p.polroles @> ARRAY['wa_gateway'::regrole::oid, 'wa_app'::regrole::oid]
	), kept (tree, attnum) AS (
		-- Thousands of policies have only a few different trees.
		SELECT p.qual, p.attnum FROM policy p UNION SELECT p.with_check, p.attnum FROM policy p
	), own (call, instead) AS (
		SELECT format(' :funcid %s (:funcresulttype 2950 :funcretset false :funcvariadic false :funcformat 0 :funccollid 0) :inputcollid 100 :args '
				|| E'\\(\\{CONST :consttype 25 :consttypmod -1 :constcollid 100 :constlen -1 :constbyval false :constisnull false (:constvalue) \\d+ (\\[[- \\d]*\\]\\}\\))',
				'wa.org_for_own(text)'::regprocedure::oid),
			format(E' :funcid %s \\1 :inputcollid 0 :args ({CONST :consttype %s :consttypmod -1 :constcollid 0 :constlen 4 :constbyval true :constisnull false \\2 4 \\3',
				'wa.org_for(wa.permission)'::regprocedure::oid, 'wa.permission'::regtype::oid)
	), any_key (any_key, any_key_instead, own_any_key, own_any_key_instead) AS (
		SELECT format(' :funcid %s ', 'wa.org_for_any_key(wa.permission)'::regprocedure::oid),
			format(' :funcid %s ', 'wa.org_for(wa.permission)'::regprocedure::oid),
			format(' :funcid %s ', 'wa.org_for_own_any_key(text)'::regprocedure::oid),
			format(' :funcid %s ', 'wa.org_for_own(text)'::regprocedure::oid)
	), expression AS MATERIALIZED (
		SELECT k.tree, k.attnum, plain.tree AS plain, regexp_replace(regexp_replace(plain.tree, format(E' (:varattno|:varattnosyn) %s\\M', k.attnum), E' \\1', 'g'),
			E' :constvalue 4 \\[[- \\d]*\\]', '') AS shape
		FROM kept k CROSS JOIN LATERAL (
			SELECT regexp_replace(replace(replace(regexp_replace(k.tree, E' :location -?\\d+', '', 'g'),
				a.any_key, a.any_key_instead), a.own_any_key, a.own_any_key_instead), own.call, own.instead, 'g') AS tree
			FROM own CROSS JOIN any_key a OFFSET 0) plain
	), model AS MATERIALIZED (
		SELECT e.shape FROM policy p JOIN expression e ON e.tree = p.qual AND e.attnum = p.attnum
		WHERE p.ours AND p.polname = 'wa_read'
			AND pg_get_expr(p.polqual, p.id) ~ E'^\\(org_id = wa\\.org_for_any_key\\(''\\w+''::wa\\.permission\\)\\)$'
	), found AS MATERIALIZED (
		SELECT p.id, bool_or(p.polname = 'wa_closed' AND p.polcmd = '*' AND p.with_check IS NULL
				AND q.plain ~ E'^{CONST :consttype 16 [^{}]*:constisnull false[^{}]*:constvalue 1 \\[ (0 )+\\]}$') AS closes,
			4 = count(*) FILTER (WHERE
				(p.polname, p.polcmd) IN (('wa_read', 'r'), ('wa_insert', 'a'), ('wa_update', 'w'), ('wa_delete', 'd'))
				AND (p.qual IS NULL) = (p.polcmd = 'a') AND (p.with_check IS NULL) = (p.polcmd IN ('r', 'd'))
				AND COALESCE(w.plain, q.plain) = COALESCE(q.plain, w.plain)
				AND COALESCE(w.shape, q.shape) IN (SELECT m.shape FROM model m)) AS complete
		FROM policy p LEFT JOIN expression q ON q.tree = p.qual AND q.attnum = p.attnum
			LEFT JOIN expression w ON w.tree = p.with_check AND w.attnum = p.attnum
		GROUP BY p.id
	)
	SELECT c.oid, o.org_column, CASE
		WHEN NOT (c.relrowsecurity AND c.relforcerowsecurity) THEN 'open'
		WHEN f.closes THEN 'closed'
		WHEN f.complete THEN 'protected'
		WHEN NOT EXISTS (SELECT FROM pg_policy y WHERE y.polrelid = c.oid AND y.polpermissive) THEN 'closed'
		ELSE 'open' END
	FROM (SELECT DISTINCT t FROM unnest(tables) t) asked JOIN pg_class c ON c.oid = asked.t
		LEFT JOIN org o ON o.id = c.oid LEFT JOIN found f ON f.id = c.oid
$$;
COMMENT ON FUNCTION wa.guards(oid[]) IS
	'for each table protected, closed or open, and the column by which it or its nearest parent is protected';

-- A table is protected if its rows are, whichever table of its tree or above it they are read
-- through.
CREATE FUNCTION wa.is_protected(target regclass) RETURNS boolean
	LANGUAGE sql STABLE STRICT PARALLEL SAFE
	SET jit = off
AS $$
	SELECT COALESCE(bool_and(g.guard <> 'open' AND (g.id <> target OR g.guard = 'protected')
		AND COALESCE(g.org_column = (SELECT wa.org_column_of(target)), true)), false)
	FROM wa.guards(ARRAY(
		SELECT d.id FROM wa.descendants(ARRAY[target::oid]) d
	UNION
		SELECT a.ancestor FROM wa.ancestors(ARRAY(SELECT d.id FROM wa.descendants(ARRAY[target::oid]) d)) a)) g
$$;
COMMENT ON FUNCTION wa.is_protected(regclass) IS
	'whether row security is forced on a table and the four restrictive policies of `wa.protect()` are there, to the '
	'letter, and no table below or above it is open';

CREATE FUNCTION wa.application_roles() RETURNS TABLE (role oid)
	LANGUAGE sql STABLE STRICT PARALLEL SAFE
AS $$
	-- Since 16 a membership can be for administering the role only.  Such a membership gives
	-- an application nothing.
	WITH RECURSIVE membership AS (
		SELECT m.roleid, m.member FROM pg_auth_members m CROSS JOIN to_jsonb(m) options
		WHERE COALESCE((options ->> 'inherit_option')::boolean, true) OR COALESCE((options ->> 'set_option')::boolean, true)
	), member (role) AS (
		SELECT r.oid FROM pg_roles r WHERE r.rolname IN ('wa_app', 'wa_gateway')
	UNION
		SELECT m.member FROM membership m JOIN member ON m.roleid = member.role
	), reachable (role) AS (
		SELECT member.role FROM member
	UNION
		SELECT m.roleid FROM membership m JOIN reachable ON m.member = reachable.role
	)
	SELECT reachable.role FROM reachable
$$;
COMMENT ON FUNCTION wa.application_roles() IS
	'the roles that a member of wa_app or wa_gateway has or can become';

CREATE FUNCTION wa.administrators() RETURNS TABLE (role oid)
	LANGUAGE sql STABLE STRICT PARALLEL SAFE
AS $$
	SELECT r.oid FROM pg_roles r
	WHERE r.rolsuper OR r.rolname IN ('wa_owner', 'wa_claim') OR pg_has_role(r.oid, 'wa_admin', 'MEMBER')
		OR r.oid = (SELECT d.datdba FROM pg_database d WHERE d.datname = current_database())
$$;
COMMENT ON FUNCTION wa.administrators() IS
	'superusers, the owner of the database, the owners of the extension''s objects, and the members of wa_admin';

CREATE FUNCTION wa.labelled_tables() RETURNS TABLE (id oid)
	LANGUAGE sql STABLE STRICT PARALLEL SAFE
AS $$
	SELECT s.objoid FROM pg_seclabel s
	WHERE s.classoid = 'pg_class'::regclass AND s.objsubid = 0 AND s.provider = 'wa_apikeys' AND s.label = 'protected'
$$;
COMMENT ON FUNCTION wa.labelled_tables() IS
	'the tables with the security label of wa.protect(), which only members of wa_admin can set and take away';

-- Tables with the label.  If an administrator owns the table, the policies alone are enough,
-- because a dump can have been restored without labels.
CREATE FUNCTION wa.watched_tables() RETURNS TABLE (id oid)
	LANGUAGE sql STABLE STRICT PARALLEL SAFE
AS $$
	SELECT d.id FROM wa.descendants(ARRAY(
		SELECT l.id FROM wa.labelled_tables() l
	UNION
		SELECT p.polrelid FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid
		WHERE p.polname IN ('wa_open_read', 'wa_open_insert', 'wa_open_update', 'wa_open_delete',
				'wa_read', 'wa_insert', 'wa_update', 'wa_delete', 'wa_closed')
			AND c.relowner IN (SELECT a.role FROM wa.administrators() a))) d
$$;
COMMENT ON FUNCTION wa.watched_tables() IS
	'the tables that wa.protect() was called for and what is below them, whatever others have made to look alike';

-- Row security does not apply to these roles, or they can grant themselves a role to which it
-- does not apply.
CREATE FUNCTION wa.role_leaks() RETURNS TABLE (object text, reason text)
	LANGUAGE sql STABLE STRICT PARALLEL SAFE
AS $$
	SELECT r.rolname::text, format('is a role of applications and %s', past.way)
	FROM wa.application_roles() a JOIN pg_roles r ON r.oid = a.role
		CROSS JOIN LATERAL (VALUES
			(r.rolsuper, 'is a superuser'), (r.rolbypassrls, 'has BYPASSRLS'), (r.rolreplication, 'has REPLICATION'),
			(r.rolcreaterole, 'has CREATEROLE'),
			(r.rolname IN ('pg_read_server_files', 'pg_write_server_files', 'pg_execute_server_program'),
			 'reaches the server''s files')) past (leaks, way)
	WHERE past.leaks
$$;
COMMENT ON FUNCTION wa.role_leaks() IS 'roles of applications that get past row security';

-- An index of another kind than these two has no leading column.
CREATE FUNCTION wa.index_leaks(tables oid[], org_columns name[]) RETURNS TABLE (id oid, object text, reason text)
	LANGUAGE sql STABLE STRICT PARALLEL SAFE
AS $$
	SELECT t.id, i.indexrelid::regclass::text, format('index does not lead with %I', t.org_column)
	FROM unnest(tables, org_columns) t (id, org_column)
		JOIN pg_index i ON i.indrelid = t.id JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_am m ON m.oid = c.relam
		LEFT JOIN pg_attribute a ON a.attrelid = t.id AND a.attname = t.org_column AND NOT a.attisdropped
	WHERE m.amname NOT IN ('btree', 'hash') OR i.indkey[0] IS DISTINCT FROM a.attnum
	UNION ALL
	SELECT t.id, a.attname::text, 'column can be null'
	FROM unnest(tables, org_columns) t (id, org_column)
		JOIN pg_attribute a ON a.attrelid = t.id AND a.attname = t.org_column AND NOT a.attisdropped
	WHERE NOT a.attnotnull
$$;
COMMENT ON FUNCTION wa.index_leaks(oid[], name[]) IS
	'indexes that do not lead with the organization, and an organization that can be null';

-- A foreign key reveals whether the referenced row exists, and prevents its deletion.  So it
-- must begin with the organization on both sides.
CREATE FUNCTION wa.foreign_key_leaks(tables oid[], org_columns name[]) RETURNS TABLE (id oid, object text, reason text)
	LANGUAGE sql STABLE STRICT PARALLEL SAFE
AS $$
	WITH asked AS MATERIALIZED (
		SELECT t.id, t.org_column, a.attnum
		FROM unnest(tables, org_columns) t (id, org_column)
			LEFT JOIN pg_attribute a ON a.attrelid = t.id AND a.attname = t.org_column AND NOT a.attisdropped
	), key AS MATERIALIZED (
		-- pg_constraint has no index on the referenced table.
		SELECT k.conname, k.conrelid, k.confrelid, k.conkey, k.confkey, k.conparentid
		FROM pg_constraint k
		WHERE k.contype = 'f' AND k.oid IN (
			SELECT d.objid FROM pg_depend d
			WHERE d.classid = 'pg_constraint'::regclass AND d.refclassid = 'pg_class'::regclass AND d.refobjid = ANY (tables))
	), other AS MATERIALIZED (
		SELECT o.id, (SELECT a.attnum FROM pg_attribute a WHERE a.attrelid = o.id AND a.attname = o.org_column) AS attnum
		FROM wa.org_columns(ARRAY(SELECT k.conrelid FROM key k UNION SELECT k.confrelid FROM key k EXCEPT SELECT t FROM unnest(tables) t)) o
	UNION ALL
		SELECT a.id, a.attnum FROM asked a
	)
	SELECT a.id, k.conname::text, format('foreign key does not lead with %I', a.org_column)
	FROM asked a JOIN key k ON k.conrelid = a.id
	WHERE k.conkey[1] IS DISTINCT FROM a.attnum
	UNION ALL
	SELECT a.id, k.conname::text, format('foreign key leads %I to another column than that table''s organization', a.org_column)
	FROM asked a JOIN key k ON k.conrelid = a.id JOIN other o ON o.id = k.confrelid
	WHERE k.conkey[1] = a.attnum AND k.confkey[1] IS DISTINCT FROM o.attnum
	UNION ALL
	SELECT a.id, k.conname::text, format('foreign key of %s does not lead from its organization to %I', k.conrelid::regclass, a.org_column)
	FROM asked a JOIN key k ON k.confrelid = a.id JOIN other o ON o.id = k.conrelid
	WHERE k.conparentid = 0 AND k.conrelid <> ALL (tables)
		AND (k.conkey[1] IS DISTINCT FROM o.attnum OR k.confkey[1] IS DISTINCT FROM a.attnum)
	UNION ALL
	SELECT a.id, k.conname::text, format('foreign key of %s that is not protected and that applications write', k.conrelid::regclass)
	FROM asked a JOIN key k ON k.confrelid = a.id LEFT JOIN other o ON o.id = k.conrelid
	WHERE k.conparentid = 0 AND CASE WHEN o.id IS NULL THEN EXISTS (
		SELECT FROM wa.application_roles() r WHERE has_any_column_privilege(r.role, k.conrelid, 'INSERT, UPDATE')) END
$$;
COMMENT ON FUNCTION wa.foreign_key_leaks(oid[], name[]) IS
	'foreign keys from and to the tables that do not lead from organization to organization';

-- Row security does not apply to TRUNCATE, TRIGGER and REFERENCES (and MAINTAIN, since 17): a
-- trigger sees the rows of other callers, a foreign key reveals what exists.  The owner of a
-- table can switch row security off, and the owner of a schema can drop its tables.  A
-- function that a default, check, index, policy or trigger of the table calls runs in
-- everybody's statements, and its owner can replace it.
CREATE FUNCTION wa.right_leaks(tables oid[]) RETURNS TABLE (id oid, object text, reason text)
	LANGUAGE sql STABLE STRICT PARALLEL SAFE
AS $$
	WITH application AS MATERIALIZED (
		SELECT a.role FROM wa.application_roles() a
	), caller AS MATERIALIZED (
		SELECT f.oid, r.rolname, d.classid, d.objid
		FROM pg_proc f JOIN pg_roles r ON r.oid = f.proowner
			JOIN pg_depend d ON d.refclassid = 'pg_proc'::regclass AND d.refobjid = f.oid
		WHERE f.proowner IN (SELECT a.role FROM application a)
	), part (id, classid, objid) AS (
		-- What belongs to a table, and not what mentions it: every role can write a function,
		-- or a policy of a table of its own, that mentions it.
		SELECT t, 'pg_class'::regclass, t FROM unnest(tables) t
	UNION ALL
		SELECT t, 'pg_class'::regclass, i.indexrelid FROM unnest(tables) t JOIN pg_index i ON i.indrelid = t
	UNION ALL
		SELECT t, 'pg_attrdef'::regclass, a.oid FROM unnest(tables) t JOIN pg_attrdef a ON a.adrelid = t
	UNION ALL
		SELECT t, 'pg_constraint'::regclass, k.oid FROM unnest(tables) t JOIN pg_constraint k ON k.conrelid = t
	UNION ALL
		SELECT t, 'pg_policy'::regclass, p.oid FROM unnest(tables) t JOIN pg_policy p ON p.polrelid = t
	UNION ALL
		SELECT t, 'pg_trigger'::regclass, g.oid FROM unnest(tables) t JOIN pg_trigger g ON g.tgrelid = t
	UNION ALL
		SELECT t, 'pg_statistic_ext'::regclass, x.oid FROM unnest(tables) t JOIN pg_statistic_ext x ON x.stxrelid = t
	)
	SELECT c.oid, COALESCE(r.rolname, 'PUBLIC'), format('is granted %s', acl.privilege_type)
	FROM pg_class c CROSS JOIN aclexplode(c.relacl) acl LEFT JOIN pg_roles r ON r.oid = acl.grantee
	WHERE c.oid = ANY (tables) AND acl.grantee <> c.relowner
		AND acl.privilege_type IN ('TRUNCATE', 'TRIGGER', 'REFERENCES', 'MAINTAIN')
	UNION ALL
	SELECT c.oid, COALESCE(r.rolname, 'PUBLIC'), format('is granted REFERENCES (%I)', a.attname)
	FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid CROSS JOIN aclexplode(a.attacl) acl
		LEFT JOIN pg_roles r ON r.oid = acl.grantee
	WHERE c.oid = ANY (tables) AND acl.grantee <> c.relowner AND acl.privilege_type = 'REFERENCES'
	UNION ALL
	SELECT c.oid, r.rolname, 'is a role of applications and owns the table'
	FROM pg_class c JOIN pg_roles r ON r.oid = c.relowner
	WHERE c.oid = ANY (tables) AND c.relowner IN (SELECT a.role FROM application a)
	UNION ALL
	SELECT c.oid, r.rolname, format('is a role of applications and owns schema %I', n.nspname)
	FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
		JOIN pg_database d ON d.datname = current_database()
		JOIN pg_roles r ON r.oid = CASE n.nspowner WHEN 'pg_database_owner'::regrole THEN d.datdba ELSE n.nspowner END
	WHERE c.oid = ANY (tables) AND r.oid IN (SELECT a.role FROM application a)
	UNION ALL
	SELECT p.id, f.oid::regprocedure::text,
		format('runs in statements on the table and belongs to %I of the applications', f.rolname)
	FROM caller f JOIN part p ON p.classid = f.classid AND p.objid = f.objid
	GROUP BY p.id, f.oid, f.rolname
$$;
COMMENT ON FUNCTION wa.right_leaks(oid[]) IS
	'rights on the tables, on their schemas and on functions they call that row security does not look at';

-- A view or rule that names a table reads it with the rights of the view's owner.  A view
-- with security_invoker reads it with the caller's rights, also through other views, and so
-- gives nobody more than its own sources do.  Row security must apply to the owner as well:
-- no superuser, no BYPASSRLS, and no permissive policy without a restrictive one.  A
-- materialized view keeps rows to which no policy is applied.  Views that applications cannot
-- reach are ignored.  Functions with their owner's rights cannot be analyzed.
--
-- PostgreSQL lets every role create a view or an empty materialized view of a table that the
-- role may not read.  So a view counts if its owner may read what it reads, and a
-- materialized view if it was filled.  Under forced row security a materialized view of an
-- unrelated role keeps nothing that its owner could not have copied elsewhere.  Every role
-- can create thousands of views.  So only those are followed that a suspect owns or fills: a
-- role to which row security might not apply.
CREATE FUNCTION wa.reader_leaks(tables oid[]) RETURNS TABLE (id oid, object text, reason text)
	LANGUAGE sql STABLE STRICT PARALLEL SAFE
AS $$
	WITH RECURSIVE asked AS MATERIALIZED (
		SELECT c.oid AS id, c.relowner, c.relrowsecurity AND c.relforcerowsecurity AS forced
		FROM pg_class c WHERE c.oid = ANY (tables)
	), administrator AS MATERIALIZED (
		SELECT a.role FROM wa.administrators() a
	), permitted AS MATERIALIZED (
		SELECT DISTINCT bound.role
		FROM asked a JOIN pg_policy p ON p.polrelid = a.id CROSS JOIN LATERAL unnest(p.polroles) bound (role)
		WHERE p.polpermissive AND NOT EXISTS (
			SELECT FROM pg_policy y
			WHERE y.polrelid = a.id AND NOT y.polpermissive AND y.polcmd IN ('*', 'r') AND y.polroles && ARRAY[0, bound.role])
	), suspect AS MATERIALIZED (
		SELECT o.oid AS role FROM pg_roles o
		WHERE o.rolsuper OR o.rolbypassrls OR o.oid IN (SELECT a.role FROM administrator a) OR o.oid IN (SELECT a.relowner FROM asked a)
			OR EXISTS (SELECT FROM permitted p WHERE p.role = 0 OR pg_has_role(o.oid, p.role, 'USAGE'))
			OR EXISTS (SELECT FROM asked a WHERE NOT a.forced)
	), below (id) AS (
		-- What a suspect's materialized view reads, with the rights of the role that fills
		-- it.
		SELECT m.oid FROM pg_class m
		WHERE m.relkind = 'm' AND m.relispopulated AND m.relowner IN (SELECT s.role FROM suspect s)
	UNION
		SELECT source.id FROM below b CROSS JOIN LATERAL (
			SELECT d.refobjid AS id FROM pg_rewrite r JOIN pg_depend d ON d.objid = r.oid
			WHERE r.ev_class = b.id AND d.classid = 'pg_rewrite'::regclass AND d.refclassid = 'pg_class'::regclass
			OFFSET 0) source
	), reader (id, reader, invoker, rights, keeps) AS (
		-- Null rights are the caller's.
		SELECT a.id, a.id, true, NULL::oid, false FROM asked a
	UNION
		SELECT p.id, e.reader, e.invoker, CASE WHEN p.rights IS NULL AND (e.keeps OR p.reader = p.id AND NOT e.invoker)
			THEN e.relowner ELSE p.rights END, p.keeps OR e.keeps
		FROM reader p CROSS JOIN LATERAL (
			SELECT DISTINCT c.oid AS reader, c.relowner, c.relkind = 'm' AS keeps, c.relispopulated AS filled, COALESCE(c.reloptions, '{}')
				&& '{security_invoker=true,security_invoker=on,security_invoker=1,security_invoker=yes}' AS invoker
			FROM pg_depend d JOIN pg_rewrite r ON r.oid = d.objid JOIN pg_class c ON c.oid = r.ev_class
			WHERE d.refclassid = 'pg_class'::regclass AND d.refobjid = p.reader AND d.classid = 'pg_rewrite'::regclass
				AND c.oid <> p.reader) e
		WHERE CASE WHEN p.rights IS NOT NULL THEN true
				WHEN e.keeps OR p.reader = p.id AND NOT e.invoker THEN e.relowner IN (SELECT s.role FROM suspect s)
				ELSE e.reader IN (SELECT b.id FROM below b) END
			AND CASE WHEN e.keeps THEN e.filled WHEN e.invoker THEN true
				ELSE has_any_column_privilege(e.relowner, p.reader, 'SELECT, INSERT, UPDATE')
					OR has_table_privilege(e.relowner, p.reader, 'DELETE') END
	), holder AS MATERIALIZED (
		SELECT a.id, o.oid AS role, o.rolname, o.rolsuper OR o.rolbypassrls OR COALESCE((
				SELECT bool_or(y.polpermissive) AND NOT bool_or(NOT y.polpermissive AND y.polcmd IN ('*', 'r'))
				FROM pg_policy y
				WHERE y.polrelid = a.id AND EXISTS (
					SELECT FROM unnest(y.polroles) bound WHERE bound = 0 OR pg_has_role(o.oid, bound, 'USAGE'))), false) AS sees_all,
			NOT a.forced OR o.oid = a.relowner OR o.oid IN (SELECT m.role FROM administrator m) AS saw_all
		FROM (SELECT DISTINCT p.id, p.rights FROM reader p) h JOIN asked a ON a.id = h.id JOIN pg_roles o ON o.oid = h.rights
	), unbound AS (
		SELECT p.id, p.reader, h.rolname, p.keeps
		FROM reader p JOIN holder h ON h.id = p.id AND h.role = p.rights
		WHERE NOT p.invoker AND (h.sees_all OR p.keeps AND h.saw_all)
	)
	SELECT u.id, u.reader::regclass::text, CASE WHEN u.keeps THEN 'keeps rows of the table and is granted to applications'
		ELSE format('reads the table with the rights of %I and is granted to applications', u.rolname) END
	FROM unbound u
	WHERE u.reader <> ALL (tables) AND EXISTS (
		SELECT FROM wa.application_roles() a
		WHERE has_any_column_privilege(a.role, u.reader, 'SELECT, INSERT, UPDATE') OR has_table_privilege(a.role, u.reader, 'DELETE'))
	UNION ALL
	SELECT r.ev_class, r.rulename::text, 'rule acts with the rights of the table''s owner'
	FROM pg_rewrite r WHERE r.ev_class = ANY (tables)
$$;
COMMENT ON FUNCTION wa.reader_leaks(oid[]) IS
	'rules of the tables, and views and materialized views that show applications their rows past row security';

-- The row security of a parent applies to queries of the parent.  Such queries show the rows
-- of its children, whatever policies the children have.
CREATE FUNCTION wa.tree_leaks(tables oid[], org_columns name[]) RETURNS TABLE (id oid, object text, reason text)
	LANGUAGE sql STABLE STRICT PARALLEL SAFE
AS $$
	WITH asked AS MATERIALIZED (
		SELECT t.id, t.org_column FROM unnest(tables, org_columns) t (id, org_column)
	), line AS MATERIALIZED (
		SELECT a.id, a.ancestor FROM wa.ancestors(tables) a
	), above AS MATERIALIZED (
		SELECT g.id, g.org_column, g.guard FROM wa.guards(ARRAY(SELECT DISTINCT l.ancestor FROM line l)) g
		WHERE g.id <> ALL (tables)
	UNION ALL
		SELECT a.id, a.org_column, NULL FROM asked a
	)
	SELECT c.oid, c.oid::regclass::text, 'is a foreign table, which has no row security'
	FROM pg_class c WHERE c.oid = ANY (tables) AND c.relkind = 'f'
	UNION ALL
	SELECT a.id, p.id::regclass::text, CASE WHEN p.guard = 'open' THEN 'shows the table''s rows and is not protected'
		ELSE format('shows the table''s rows and is protected by %I', p.org_column) END
	FROM asked a JOIN line l ON l.id = a.id JOIN above p ON p.id = l.ancestor
	WHERE p.guard = 'open' OR p.org_column <> a.org_column
$$;
COMMENT ON FUNCTION wa.tree_leaks(oid[], name[]) IS
	'foreign tables, and parents that show the tables'' rows and are open or protected by another column';

CREATE FUNCTION wa.table_leaks(tables oid[], org_columns name[]) RETURNS TABLE (id oid, object text, reason text)
	LANGUAGE sql STABLE STRICT PARALLEL SAFE
	SET jit = off
AS $$
	SELECT l.id, l.object, l.reason FROM wa.tree_leaks(tables, org_columns) l
	UNION ALL
	SELECT l.id, l.object, l.reason FROM wa.index_leaks(tables, org_columns) l
	UNION ALL
	SELECT l.id, l.object, l.reason FROM wa.foreign_key_leaks(tables, org_columns) l
	UNION ALL
	SELECT l.id, l.object, l.reason FROM wa.right_leaks(tables) l
	UNION ALL
	SELECT l.id, l.object, l.reason FROM wa.reader_leaks(tables) l
$$;
COMMENT ON FUNCTION wa.table_leaks(oid[], name[]) IS
	'what of each of the tables leaks, given the column of the organization for each; not what is below them';

CREATE FUNCTION wa.leaks(target regclass, org_column name)
	RETURNS TABLE (object text, reason text)
	LANGUAGE sql STABLE STRICT PARALLEL SAFE
	SET jit = off
AS $$
	WITH tree AS MATERIALIZED (SELECT d.id, d.depth FROM wa.descendants(ARRAY[target::oid]) d),
	leak AS (
		SELECT t.depth, CASE WHEN t.depth = 0 OR l.object = t.id::regclass::text THEN l.object
			ELSE format('%s of %s', l.object, t.id::regclass) END AS object, l.reason
		FROM tree t JOIN wa.table_leaks(ARRAY(SELECT m.id FROM tree m),
			ARRAY(SELECT org_column FROM tree m)) l ON l.id = t.id
	UNION ALL
		SELECT 0, r.object, r.reason FROM wa.role_leaks() r)
	SELECT l.object, l.reason FROM leak l ORDER BY l.depth, l.object, l.reason
$$;
COMMENT ON FUNCTION wa.leaks(regclass, name) IS
	'what would let one organization infer, read or touch another''s rows, of the table and of everything below it '
	'(`… of TABLE`)';

-- A table that any role could have made is not included: what is in it concerns only its
-- owner and must not keep the programs from starting.  The tables of schema wa are not
-- included either: wa.self_check() checks them in any case.
CREATE FUNCTION wa.protection_failures() RETURNS TABLE (object text)
	LANGUAGE sql STABLE STRICT PARALLEL SAFE
	SET jit = off
AS $$
	WITH member AS MATERIALIZED (
		SELECT c.oid AS id FROM wa.watched_tables() w JOIN pg_class c ON c.oid = w.id
		WHERE NOT (c.relnamespace = 'wa'::regnamespace AND c.relkind IN ('r', 'p'))
	), guard AS MATERIALIZED (
		SELECT g.id, g.org_column, g.guard FROM wa.guards(ARRAY(SELECT m.id FROM member m)) g
	), asked AS MATERIALIZED (
		SELECT array_agg(g.id) AS tables, array_agg(g.org_column) AS org_columns FROM guard g WHERE g.org_column IS NOT NULL
	)
	SELECT format('%s: policies of wa.protect() or forced row security are missing', g.id::regclass)
	FROM guard g JOIN pg_class c ON c.oid = g.id WHERE g.guard = 'open' AND c.relkind <> 'f'
	UNION ALL
	SELECT concat(l.id::regclass || ': ', NULLIF(l.object, l.id::regclass::text) || ': ', l.reason)
	FROM asked a CROSS JOIN LATERAL wa.table_leaks(a.tables, a.org_columns) l
	UNION ALL
	SELECT format('%s: %s', r.object, r.reason) FROM wa.role_leaks() r
	UNION ALL
	SELECT 'event trigger wa_close_children is missing or changed: later partitions are not closed'
	WHERE NOT EXISTS (
		SELECT FROM pg_event_trigger t
		WHERE t.evtname = 'wa_close_children' AND t.evtevent = 'ddl_command_end' AND t.evtenabled = 'A'
			AND t.evtfoid = to_regprocedure('wa.close_children()')
			AND t.evttags @> ARRAY['CREATE TABLE', 'ALTER TABLE', 'CREATE FOREIGN TABLE', 'ALTER FOREIGN TABLE',
								   'IMPORT FOREIGN SCHEMA', 'CREATE SCHEMA'])
$$;
COMMENT ON FUNCTION wa.protection_failures() IS
	'what of the tables that wa.protect() was called for, or of their partitions and children, is open or leaks; not of those of schema wa';
