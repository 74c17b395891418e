-- Roles.  They belong to the cluster and not to a database, so a second database or a
-- restored dump finds them already there.  DROP EXTENSION leaves them.  The comment of each
-- role says what it is for; docs/reference.md shows the comments.
--
-- A role that may create roles could have made one of these before, with more rights than it
-- should have: attributes, members who would own everything, the right to add members, or
-- memberships of its own.  In that case nothing is created.
DO $$
DECLARE
	owners constant name[] := ARRAY['wa_owner', 'wa_claim'];
	ours name[] := '{}';
	-- These two roles may read statistics.  The roles of tenants may not.
	watchers constant name[] := ARRAY['wa_admin', 'wa_monitor'];
	statistics constant name[] := ARRAY['pg_monitor', 'pg_read_all_settings', 'pg_read_all_stats', 'pg_stat_scan_tables'];
	role_name name;
	purpose text;
	flaw record;
BEGIN
	FOR role_name, purpose IN VALUES
		('wa_owner', 'owns every object and runs the function bodies, under row security; grant it to nobody'),
		('wa_claim', 'owns the functions that look for work in every organization; grant it to nobody'),
		('wa_gateway', 'login of the HTTP gateway; sealed'),
		('wa_worker', 'login of the worker, `wa-worker`; sealed'),
		('wa_connector', 'logins of connectors; sealed'),
		('wa_app', 'applications that send their own SQL under a key: row security, no seal'),
		('wa_admin', 'people who make organizations and keys in psql, and protect tables of their own; sees no message and no digest'),
		('wa_monitor', 'may run `wa.self_check()` and `wa.delivery_stats()`; sees no row')
	LOOP
		ours := pg_catalog.array_append(ours, role_name);
		IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles r WHERE r.rolname = role_name) THEN
			EXECUTE pg_catalog.format('CREATE ROLE %I NOLOGIN NOSUPERUSER NOBYPASSRLS NOCREATEROLE NOCREATEDB NOREPLICATION', role_name);
			EXECUTE pg_catalog.format('COMMENT ON ROLE %I IS %L', role_name, purpose);
		END IF;
	END LOOP;

	SELECT r.rolname AS role_name, 'has attributes that wa_apikeys cannot accept' AS reason,
		'It must be NOLOGIN, NOSUPERUSER, NOBYPASSRLS, NOCREATEROLE, NOCREATEDB and NOREPLICATION.' AS hint INTO flaw
	FROM pg_catalog.pg_roles r
	WHERE r.rolname = ANY (ours) AND (r.rolcanlogin OR r.rolsuper OR r.rolbypassrls OR r.rolcreaterole OR r.rolcreatedb OR r.rolreplication)
UNION ALL
	SELECT r.rolname, pg_catalog.format('has the member "%s"', m.rolname), pg_catalog.format('REVOKE %I FROM %I.', r.rolname, m.rolname)
	FROM pg_catalog.pg_auth_members a
		JOIN pg_catalog.pg_roles r ON r.oid = a.roleid
		JOIN pg_catalog.pg_roles m ON m.oid = a.member
	WHERE r.rolname = ANY (owners) AND NOT m.rolsuper
UNION ALL
	SELECT r.rolname, pg_catalog.format('can be granted by "%s"', m.rolname),
		pg_catalog.format('REVOKE ADMIN OPTION FOR %I FROM %I.', r.rolname, m.rolname)
	FROM pg_catalog.pg_auth_members a
		JOIN pg_catalog.pg_roles r ON r.oid = a.roleid
		JOIN pg_catalog.pg_roles m ON m.oid = a.member
	WHERE r.rolname = ANY (ours) AND a.admin_option AND NOT m.rolsuper
UNION ALL
	SELECT r.rolname, pg_catalog.format('is a member of "%s"', g.rolname),
		'REVOKE the membership, which may be through another role; pg_database_owner is the owner of the database.'
	FROM pg_catalog.pg_roles r
		JOIN pg_catalog.pg_roles g ON g.oid <> r.oid AND pg_catalog.pg_has_role(r.oid, g.oid, 'MEMBER')
	WHERE r.rolname = ANY (ours) AND NOT r.rolsuper AND NOT (r.rolname = ANY (watchers) AND g.rolname = ANY (statistics))
		AND (g.rolname = ANY (ours) OR g.rolname LIKE 'pg\_%'
			OR g.rolsuper OR g.rolbypassrls OR g.rolcreaterole OR g.rolcreatedb OR g.rolreplication)
	LIMIT 1;
	IF FOUND THEN
		RAISE EXCEPTION 'role "%" exists and %', flaw.role_name, flaw.reason
			USING ERRCODE = 'object_not_in_prerequisite_state', HINT = flaw.hint;
	END IF;
END $$;
