-- wa.self_check(): whether everything that the extension depends on is still true.  The
-- gateway refuses to start while any of its rows has not passed.

-- Members of the sealed roles that can log in.
CREATE FUNCTION wa.sealed_logins() RETURNS SETOF pg_roles
	LANGUAGE sql STABLE STRICT PARALLEL SAFE
AS $$
	SELECT r.* FROM pg_roles r
	WHERE r.rolcanlogin AND NOT r.rolsuper AND (
		pg_has_role(r.oid, 'wa_gateway', 'MEMBER') OR pg_has_role(r.oid, 'wa_worker', 'MEMBER')
		OR pg_has_role(r.oid, 'wa_connector', 'MEMBER'))
$$;
COMMENT ON FUNCTION wa.sealed_logins() IS 'logins that are members of a sealed role';

CREATE FUNCTION wa.self_check() RETURNS TABLE (name text, passed boolean, detail text)
	LANGUAGE sql STABLE STRICT PARALLEL RESTRICTED SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	-- Names are compared as text, whatever the database's owner has set.
	SET quote_all_identifiers = off
AS $$
	WITH group_role AS MATERIALIZED (
		SELECT r.* FROM pg_roles r
		WHERE r.rolname IN ('wa_owner', 'wa_claim', 'wa_gateway', 'wa_worker', 'wa_connector', 'wa_app', 'wa_admin', 'wa_monitor')
	), login_setting AS MATERIALIZED (
		-- The settings with which a sealed login starts.  A setting for this database
		-- precedes one for all.
		SELECT DISTINCT ON (l.oid, setting.name) l.oid AS login, setting.name, substr(config, length(setting.name) + 2) AS value
		FROM wa.sealed_logins() l JOIN pg_db_role_setting s ON s.setrole = l.oid
			CROSS JOIN unnest(s.setconfig) config CROSS JOIN split_part(config, '=', 1) setting (name)
		WHERE s.setdatabase IN (0, (SELECT d.oid FROM pg_database d WHERE d.datname = current_database()))
		ORDER BY l.oid, setting.name, s.setdatabase DESC
	), failure (name, object) AS (
		SELECT 'library is preloaded', 'add wa_apikeys to shared_preload_libraries'
		WHERE NOT wa.preloaded()
	UNION ALL
		SELECT 'server release', current_setting('server_version') || ' has known holes'
		WHERE current_setting('server_version_num')::integer < wa.minimum_release()
	UNION ALL
		SELECT 'superusers hold no sealed role', r.rolname FROM pg_roles r
		WHERE r.rolsuper AND r.oid IN (
			WITH RECURSIVE holder (role) AS (
				VALUES ('wa_gateway'::regrole::oid), ('wa_worker'::regrole), ('wa_connector'::regrole)
			UNION
				SELECT m.member FROM pg_auth_members m JOIN holder ON m.roleid = holder.role)
			SELECT holder.role FROM holder)
	UNION ALL
		SELECT 'group roles are unprivileged', g.rolname FROM group_role g
		WHERE g.rolsuper OR g.rolbypassrls OR g.rolcanlogin OR g.rolcreaterole OR g.rolcreatedb OR g.rolreplication
	UNION ALL
		SELECT 'sealed logins are unprivileged', l.rolname FROM wa.sealed_logins() l
		-- Its own attributes, and those of each role that it is a member of, by however many others.
		WHERE EXISTS (SELECT FROM pg_roles r
				WHERE (r.rolsuper OR r.rolbypassrls OR r.rolcreaterole OR r.rolcreatedb OR r.rolreplication) AND pg_has_role(l.oid, r.oid, 'MEMBER'))
			OR pg_has_role(l.oid, 'wa_owner', 'MEMBER') OR pg_has_role(l.oid, 'wa_claim', 'MEMBER')
			OR pg_has_role(l.oid, 'wa_admin', 'MEMBER') OR pg_has_role(l.oid, 'wa_app', 'MEMBER')
			-- PostgreSQL's own roles, such as pg_read_all_data.
			OR EXISTS (SELECT FROM pg_roles r WHERE r.rolname LIKE E'pg\\_%' AND pg_has_role(l.oid, r.oid, 'MEMBER'))
	UNION ALL
		SELECT 'sealed logins have timeouts', format('%I: ALTER ROLE %1$I SET %s', l.rolname, needed.setting)
		FROM wa.sealed_logins() l
			JOIN (VALUES ('statement_timeout', 150000), ('idle_in_transaction_session_timeout', 150000),
				('transaction_timeout', 170000)) needed (setting, since)
				ON current_setting('server_version_num')::integer >= needed.since
			LEFT JOIN login_setting s ON s.login = l.oid AND s.name = needed.setting
		-- Only a plain number is accepted, because the server takes 100us and 00 for "none"
		-- too.
		WHERE COALESCE(s.value !~ E'^ *[1-9]\\d* *(ms|s|min|h|d)?$', true)
	UNION ALL
		-- The library's own are for postgresql.conf, where they hold for all sealed logins.
		SELECT 'sealed logins have timeouts', format('%s: ALTER %s%s RESET %s', COALESCE(l.rolname, 'all'),
			CASE WHEN l.oid IS NOT NULL THEN format('ROLE %I', l.rolname) WHEN s.setdatabase = 0 THEN 'ROLE ALL' ELSE format('DATABASE %I', d.datname) END,
			CASE WHEN l.oid IS NOT NULL AND s.setdatabase <> 0 THEN format(' IN DATABASE %I', d.datname) END, setting.name)
		FROM pg_db_role_setting s LEFT JOIN wa.sealed_logins() l ON l.oid = s.setrole LEFT JOIN pg_database d ON d.oid = s.setdatabase
			CROSS JOIN unnest(s.setconfig) config CROSS JOIN split_part(config, '=', 1) setting (name)
		WHERE setting.name IN ('wa.transaction_timeout', 'wa.idle_in_transaction_timeout') AND (s.setrole = 0 OR l.oid IS NOT NULL)
			AND (s.setdatabase = 0 OR d.datname = current_database())
	UNION ALL
		SELECT 'sealed logins search pg_catalog', format('%I: its search_path is another one', l.rolname)
		FROM wa.sealed_logins() l LEFT JOIN login_setting s ON s.login = l.oid AND s.name = 'search_path'
		WHERE COALESCE(s.value NOT IN ('pg_catalog', 'pg_catalog, pg_temp'), true)
	UNION ALL
		-- The hook that hides why a text was refused is called only for errors that are
		-- logged.
		SELECT 'sealed logins log their errors', format('%I: ALTER ROLE %1$I SET log_min_messages = warning', l.rolname)
		FROM wa.sealed_logins() l LEFT JOIN login_setting s ON s.login = l.oid AND s.name = 'log_min_messages'
			LEFT JOIN pg_settings g ON g.name = 'log_min_messages'
		WHERE lower(COALESCE(s.value, g.reset_val)) IN ('log', 'fatal', 'panic')
	UNION ALL
		SELECT 'owners hold their objects only by role', r.rolname FROM pg_auth_members m
			JOIN pg_roles r ON r.oid = m.member
		WHERE m.roleid IN ('wa_owner'::regrole, 'wa_claim'::regrole) AND NOT r.rolsuper
	UNION ALL
		SELECT 'temporary tables are closed to PUBLIC',
			format('REVOKE TEMPORARY ON DATABASE %I FROM PUBLIC', current_database())
		WHERE has_database_privilege('wa_gateway', current_database(), 'TEMPORARY')
			OR has_database_privilege('wa_app', current_database(), 'TEMPORARY')
	UNION ALL
		SELECT 'row security is forced', c.oid::regclass::text FROM pg_class c
		WHERE c.relnamespace = 'wa'::regnamespace AND c.relkind IN ('r', 'p') AND c.relname <> 'statement'
			AND NOT (c.relrowsecurity AND c.relforcerowsecurity)
	UNION ALL
		SELECT 'policies restrict to the organization', g.id::regclass::text
		FROM wa.guards(ARRAY(
			SELECT c.oid FROM pg_class c
			WHERE c.relnamespace = 'wa'::regnamespace AND c.relkind IN ('r', 'p')
				AND c.relname NOT IN ('org', 'api_key', 'api_key_usage', 'api_key_hour', 'audit', 'statement', 'event_epoch', 'housekeeping_place', 'media_scan',
					'app_user', 'member', 'sign_in', 'device', 'user_token', 'invitation', 'ticket', 'realtime', 'ended', 'ended_sign_in',
					'unrestored', 'scanner_key', 'own_permission', 'connector_capability', 'connector_key', 'unknown_key'))) g
		WHERE g.guard <> 'protected'
	UNION ALL
		SELECT 'policies are those of wa.policies()', w FROM wa.wrong_policies() w
	UNION ALL
		SELECT 'indexes and foreign keys lead with the organization',
			concat(leak.id::regclass || ': ', NULLIF(leak.object, leak.id::regclass::text) || ': ', leak.reason)
		FROM (SELECT array_agg(c.oid) AS tables, array_agg('org_id'::name) AS org_columns FROM pg_class c
			  WHERE c.relnamespace = 'wa'::regnamespace AND c.relkind IN ('r', 'p')
				  AND c.relname NOT IN ('org', 'statement', 'event_epoch', 'housekeeping_place', 'media_scan', 'unrestored', 'scanner_key', 'own_permission', 'connector_capability', 'connector_key', 'unknown_key',
					  'app_user', 'sign_in', 'device', 'ended_sign_in')) ours
			CROSS JOIN LATERAL wa.table_leaks(ours.tables, ours.org_columns) leak
		-- Only the library looks up digests.  A person's organizations are looked up for
		-- people.  The work that waits in all organizations is looked up by wa_claim, in
		-- tables that nobody else may read.  How each of these is defined is in wa.objects().
		WHERE NOT EXISTS (
			SELECT FROM (VALUES
				('wa.api_key', 'wa.api_key_digest_key'), ('wa.user_token', 'wa.user_token_digest_key'), ('wa.invitation', 'wa.invitation_digest_key'),
				('wa.ticket', 'wa.ticket_digest_key'), ('wa.realtime', 'wa.realtime_digest_key'),
				('wa.member', 'wa.member_of_user'), ('wa.member', 'member_user_id_fkey'),
				('wa.session_wanted', 'wa.session_wanted_held'), ('wa.session_wanted', 'wa.session_wanted_until'), ('wa.session_wanted', 'wa.session_wanted_waiting'),
				('wa.session_credentials', 'wa.session_credentials_number'), ('wa.session_credentials', 'wa.session_credentials_phone'), ('wa.session_credentials', 'wa.session_credentials_app'),
				('wa.webhook_lane', 'wa.webhook_lane_held'), ('wa.webhook_lane', 'wa.webhook_lane_until')
			) allowed (relation, object)
			WHERE leak.id = allowed.relation::regclass AND leak.object = allowed.object)
	UNION ALL
		SELECT 'privileges are those of wa.granted()', w FROM wa.wrong_privileges() w
	UNION ALL
		SELECT 'default privileges open nothing', format('ALTER DEFAULT PRIVILEGES FOR ROLE %s%s REVOKE %s ON %s FROM %s',
			d.defaclrole::regrole, CASE WHEN d.defaclnamespace <> 0 THEN ' IN SCHEMA wa' END, acl.privilege_type,
			CASE d.defaclobjtype WHEN 'r' THEN 'TABLES' WHEN 'S' THEN 'SEQUENCES' WHEN 'f' THEN 'FUNCTIONS'
				WHEN 'T' THEN 'TYPES' WHEN 'n' THEN 'SCHEMAS' ELSE 'LARGE OBJECTS' END,
			CASE acl.grantee WHEN 0 THEN 'PUBLIC' ELSE acl.grantee::regrole::text END)
		FROM pg_default_acl d CROSS JOIN aclexplode(d.defaclacl) acl
		-- Every role can have default privileges for the schema.  They take effect only for
		-- roles that may create objects there.
		WHERE (d.defaclnamespace = 'wa'::regnamespace AND has_schema_privilege(d.defaclrole, 'wa', 'CREATE')
				OR d.defaclnamespace = 0 AND d.defaclrole IN ('wa_owner'::regrole, 'wa_claim'::regrole))
			AND acl.grantee <> d.defaclrole
			-- The privileges that PostgreSQL gives without any default privileges.
			AND NOT (d.defaclnamespace = 0 AND acl.grantee = 0 AND NOT acl.is_grantable
				AND (d.defaclobjtype, acl.privilege_type) IN (('f', 'EXECUTE'), ('T', 'USAGE')))
	UNION ALL
		SELECT 'group roles are members of no role', format('REVOKE %s FROM %s', m.roleid::regrole, m.member::regrole)
		FROM pg_auth_members m JOIN group_role g ON g.oid = m.member
	UNION ALL
		SELECT 'protected tables stay protected', f.object FROM wa.protection_failures() f
	UNION ALL
		SELECT 'credentials are stored nowhere', format('%s.%I', a.attrelid::regclass, a.attname)
		FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
		WHERE a.atttypid IN ('wa.secret'::regtype, 'wa.secret[]'::regtype, 'wa.password'::regtype, 'wa.password[]'::regtype)
			AND NOT a.attisdropped
			AND c.relkind IN ('r', 'p', 'm', 'f')
			-- Applications may store credentials in their own tables, and could do so as text too.
			AND (c.relowner IN (SELECT m.role FROM wa.administrators() m) OR c.oid IN (SELECT w.id FROM wa.watched_tables() w))
	UNION ALL
		SELECT 'objects are those of wa.objects()', w FROM wa.wrong_objects() w
	UNION ALL
		SELECT 'restored dumps are complete', u.name FROM wa.unrestored u
	), checks (name) AS (VALUES
		('library is preloaded'), ('server release'), ('superusers hold no sealed role'),
		('group roles are unprivileged'), ('sealed logins are unprivileged'), ('sealed logins have timeouts'),
		('sealed logins search pg_catalog'), ('sealed logins log their errors'),
		('owners hold their objects only by role'), ('temporary tables are closed to PUBLIC'),
		('row security is forced'), ('policies restrict to the organization'),
		('policies are those of wa.policies()'), ('indexes and foreign keys lead with the organization'),
		('objects are those of wa.objects()'),
		('privileges are those of wa.granted()'), ('default privileges open nothing'),
		('group roles are members of no role'), ('protected tables stay protected'),
		('credentials are stored nowhere'),
		('restored dumps are complete'))
	SELECT name, count(f.object) = 0, string_agg(f.object, ', ' ORDER BY f.object)
	FROM checks c FULL JOIN failure f USING (name)
	GROUP BY name
	ORDER BY count(f.object) = 0, name
$$;
COMMENT ON FUNCTION wa.self_check() IS
	'checks what isolation rests on: roles, grants, policies, settings, and every object of schema wa. Every row must have passed; '
	'docs/operations.md says what to do about each';
