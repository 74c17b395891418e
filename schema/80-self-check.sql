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
		-- tables that nobody else may read.
		WHERE NOT EXISTS (
			SELECT FROM (VALUES
				('wa.api_key', 'wa.api_key_digest_key', 'CREATE UNIQUE INDEX api_key_digest_key ON wa.api_key USING btree (digest)'),
				('wa.user_token', 'wa.user_token_digest_key', 'CREATE UNIQUE INDEX user_token_digest_key ON wa.user_token USING btree (digest)'),
				('wa.invitation', 'wa.invitation_digest_key', 'CREATE UNIQUE INDEX invitation_digest_key ON wa.invitation USING btree (digest)'),
				('wa.ticket', 'wa.ticket_digest_key', 'CREATE UNIQUE INDEX ticket_digest_key ON wa.ticket USING btree (digest)'),
				('wa.realtime', 'wa.realtime_digest_key', 'CREATE UNIQUE INDEX realtime_digest_key ON wa.realtime USING btree (digest)'),
				('wa.member', 'wa.member_of_user', 'CREATE INDEX member_of_user ON wa.member USING btree (user_id, org_id)'),
				('wa.member', 'member_user_id_fkey', 'FOREIGN KEY (user_id) REFERENCES wa.app_user(id)'),
				('wa.session_wanted', 'wa.session_wanted_held',
					'CREATE INDEX session_wanted_held ON wa.session_wanted USING btree (lease_owner, connector) WHERE (lease_owner IS NOT NULL)'),
				('wa.session_wanted', 'wa.session_wanted_until',
					'CREATE INDEX session_wanted_until ON wa.session_wanted USING btree (lease_until) WHERE (lease_owner IS NOT NULL)'),
				('wa.session_wanted', 'wa.session_wanted_waiting',
					'CREATE INDEX session_wanted_waiting ON wa.session_wanted USING btree (connector, uuid_hash(org_id), org_id, session_id) WHERE (lease_owner IS NULL)'),
				('wa.session_credentials', 'wa.session_credentials_number',
					'CREATE UNIQUE INDEX session_credentials_number ON wa.session_credentials USING btree (phone_number_id) WHERE has_number'),
				('wa.session_credentials', 'wa.session_credentials_phone',
					'CREATE INDEX session_credentials_phone ON wa.session_credentials USING btree (phone_number_id)'),
				('wa.session_credentials', 'wa.session_credentials_app',
					'CREATE INDEX session_credentials_app ON wa.session_credentials USING btree (app_id)'),
				('wa.webhook_lane', 'wa.webhook_lane_held',
					'CREATE INDEX webhook_lane_held ON wa.webhook_lane USING btree (lease_owner) WHERE (lease_owner IS NOT NULL)'),
				('wa.webhook_lane', 'wa.webhook_lane_until',
					'CREATE INDEX webhook_lane_until ON wa.webhook_lane USING btree (due_at) WHERE (due_at > ''-infinity''::timestamp with time zone)')
			) allowed (relation, object, definition)
			WHERE leak.id = allowed.relation::regclass AND leak.object = allowed.object
				AND allowed.definition IN (
					SELECT CASE WHEN wa.stays_inside(i.tableoid, i.oid) THEN pg_get_indexdef(i.oid) END
					FROM pg_class i WHERE i.oid = to_regclass(leak.object) AND i.relkind = 'i'
				UNION ALL
					SELECT pg_get_constraintdef(k.oid) FROM pg_constraint k WHERE k.conrelid = leak.id AND k.conname = leak.object AND k.contype = 'f'))
	UNION ALL
		SELECT 'objects belong to wa_owner', c.oid::regclass::text FROM pg_class c
		WHERE c.relnamespace = 'wa'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f')
			AND c.relowner <> 'wa_owner'::regrole
	UNION ALL
		SELECT 'functions belong to wa_owner', p.oid::regprocedure::text FROM pg_proc p
		WHERE p.pronamespace = 'wa'::regnamespace AND p.proowner IS DISTINCT FROM CASE
			WHEN p.proname IN ('connector_sessions', 'connector_credentials', 'connector_receivers', 'count_sealed', 'give_up_number', 'take_number', 'connector_release', 'connector_claim', 'connector_actions', 'connector_media', 'claim_webhooks', 'wait_for_deliveries', 'delivery_stats',
				'hide_session', 'sweep_deleted_sessions', 'sweep_read_chats', 'sweep_unsent', 'sweep_media', 'note_unused_media',
				'count_sessions', 'count_webhooks', 'count_tests', 'count_media', 'count_media_bytes', 'count_received_bytes', 'refuse_removed', 'claim_unused_bytes', 'end_removals', 'claim_unknown_bytes', 'stored_bytes_behind', 'event_rows', 'stray_session') THEN 'wa_claim'::regrole
			-- This one belongs to a superuser, because it runs within everybody's commands.
			WHEN p.proname = 'close_children' THEN (SELECT r.oid FROM pg_roles r WHERE r.oid = p.proowner AND r.rolsuper)
			ELSE 'wa_owner'::regrole END
	UNION ALL
		SELECT 'functions pin their search path', p.oid::regprocedure::text FROM pg_proc p
			JOIN pg_language l ON l.oid = p.prolang
		WHERE p.pronamespace = 'wa'::regnamespace AND l.lanname <> 'c'
			AND NOT COALESCE(p.proconfig, '{}') @> ARRAY['search_path=pg_catalog, pg_temp']
	UNION ALL
		SELECT 'getters are stable and stay out of parallel workers', p.oid::regprocedure::text FROM pg_proc p
		WHERE p.pronamespace = 'wa'::regnamespace
			AND p.proname IN ('current_org', 'current_key', 'current_user_id', 'current_sign_in', 'current_expiry', 'current_address', 'member_role',
							  'current_rate', 'current_rate_left', 'current_rate_full_in', 'is_socket', 'event_horizon',
							  'current_permissions', 'current_own_permissions', 'has_own_permission', 'require_own_permission', 'org_for_own', 'org_for_own_any_key',
							  'has_permission', 'holds_permission', 'require_org', 'require_permission', 'org_for', 'org_for_any_key',
							  'reaches', 'reaches_session', 'reaches_webhook', 'is_restricted_to_sessions')
			AND (p.provolatile <> 's' OR p.proparallel <> 'r')
	UNION ALL
		SELECT 'binding functions are volatile and never parallel', p.oid::regprocedure::text FROM pg_proc p
		WHERE p.pronamespace = 'wa'::regnamespace AND p.proname IN ('authenticate', 'authenticate_for', 'act_for')
			AND (p.provolatile <> 'v' OR p.proparallel <> 'u')
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
		SELECT 'passwords are hashed by pgcrypto', needed.function
		FROM (VALUES ('wa.bcrypt(text,text)', 'pg_crypt'), ('wa.bcrypt_salt(text,integer)', 'pg_gen_salt_rounds')) needed (function, symbol)
		WHERE NOT EXISTS (
			SELECT FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang
			WHERE p.oid = to_regprocedure(needed.function) AND l.lanname = 'c'
				AND p.probin = '$libdir/pgcrypto' AND p.prosrc = needed.symbol)
	UNION ALL
		SELECT 'credentials are stored nowhere', format('%s.%I', a.attrelid::regclass, a.attname)
		FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
		WHERE a.atttypid IN ('wa.secret'::regtype, 'wa.secret[]'::regtype, 'wa.password'::regtype, 'wa.password[]'::regtype)
			AND NOT a.attisdropped
			AND c.relkind IN ('r', 'p', 'm', 'f')
			-- Applications may store credentials in their own tables, and could do so as text too.
			AND (c.relowner IN (SELECT m.role FROM wa.administrators() m) OR c.oid IN (SELECT w.id FROM wa.watched_tables() w))
	UNION ALL
		SELECT 'changes reach every backend', format('%s on wa.%s', needed.name, needed.relation)
		FROM (
			SELECT t.relation, t.relation || '_invalidate' AS name, format('CREATE TRIGGER %1$s_invalidate AFTER %2$s ON wa.%1$s '
				'FOR EACH ROW EXECUTE FUNCTION wa.invalidate(%3$s)', t.relation, t.changes, quote_literal(t.wakes)) AS definition
			FROM (VALUES
				('api_key', 'DELETE OR UPDATE', 'org_id'), ('app_user', 'DELETE OR UPDATE', 'person'), ('member', 'DELETE OR UPDATE', 'org_id'),
				('sign_in', 'DELETE OR UPDATE OF user_id, id, digest, expires_at, ended_at, generation', 'user_id'),
				('user_token', 'DELETE OR UPDATE', NULL), ('ended', 'INSERT OR DELETE OR UPDATE', 'org_id'),
				('ended_sign_in', 'INSERT OR DELETE OR UPDATE', 'user_id'), ('event_epoch', 'INSERT OR DELETE OR UPDATE', NULL),
				('statement', 'INSERT OR DELETE OR UPDATE', NULL), ('own_permission', 'DELETE OR UPDATE', NULL)) t (relation, changes, wakes)
		UNION ALL
			SELECT t, t || '_invalidate_all', format('CREATE TRIGGER %1$s_invalidate_all AFTER TRUNCATE ON wa.%1$s '
				'FOR EACH STATEMENT EXECUTE FUNCTION wa.invalidate()', t)
			FROM unnest('{api_key,app_user,member,sign_in,user_token,ended,ended_sign_in,event_epoch,statement,own_permission}'::text[]) t
		UNION ALL
			SELECT t.relation, t.relation || '_durable', format('CREATE TRIGGER %1$s_durable AFTER %2$s ON wa.%1$s '
				'FOR EACH ROW EXECUTE FUNCTION wa.commit_durably()', t.relation, t.changes)
			FROM (VALUES
				('org', 'UPDATE OF event_days, media_days'), ('org_limits', 'INSERT OR DELETE OR UPDATE'), ('key_policy', 'INSERT OR DELETE OR UPDATE'),
				('scanner_key', 'DELETE OR UPDATE'), ('session', 'UPDATE OF status, pairing, deleted_at'),
				('webhook', 'DELETE OR UPDATE OF session_id, url, events, custom_headers, active, secret, previous_secret, previous_secret_until, disabled_at'),
				('invitation', 'DELETE OR UPDATE OF accepted_at, withdrawn_at'), ('ticket', 'UPDATE OF used_at'), ('realtime', 'DELETE')) t (relation, changes)
		UNION ALL VALUES
			('audit', 'audit_append_only',
				'CREATE TRIGGER audit_append_only BEFORE DELETE OR UPDATE ON wa.audit FOR EACH ROW EXECUTE FUNCTION wa.refuse_change()'),
			('audit', 'audit_append_only_all',
				'CREATE TRIGGER audit_append_only_all BEFORE TRUNCATE ON wa.audit FOR EACH STATEMENT EXECUTE FUNCTION wa.refuse_change()')) needed
		WHERE NOT EXISTS (
			SELECT FROM pg_trigger t
			WHERE t.tgrelid = format('wa.%I', needed.relation)::regclass AND t.tgname = needed.name AND t.tgenabled = 'A'
				AND CASE WHEN wa.stays_inside(t.tableoid, t.oid) THEN pg_get_triggerdef(t.oid) END = needed.definition)
	UNION ALL
		-- These write events and keep the lists of what waits; none may be missing, and no other disabled.
		SELECT 'triggers are enabled', format('%s on wa.%s', needed.name, needed.relation)
		FROM (VALUES
			('session', 'session_made'), ('session', 'session_changed'), ('session', 'session_made_wanted'), ('session', 'session_changed_wanted'), ('session', 'session_ended_number'),
			('session_pairing', 'session_pairing_made'), ('session_pairing', 'session_pairing_changed'), ('chat', 'chat_made'), ('chat', 'chat_changed'),
			('contact', 'contact_made'), ('contact', 'contact_changed'), ('message', 'message_made'), ('message', 'message_changed'),
			('api_key', 'api_key_made'), ('api_key', 'api_key_ended'), ('ended', 'ended_key'),
			('delivery', 'delivery_made_due'), ('delivery', 'delivery_put_off')) needed (relation, name)
		WHERE NOT EXISTS (
			SELECT FROM pg_trigger t
			WHERE t.tgrelid = format('wa.%I', needed.relation)::regclass AND t.tgname = needed.name)
	UNION
		-- Those of foreign keys have names of their own.
		SELECT 'triggers are enabled', format('%s on %s', COALESCE(k.conname, t.tgname), t.tgrelid::regclass)
		FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid LEFT JOIN pg_constraint k ON k.oid = t.tgconstraint
		WHERE c.relnamespace = 'wa'::regnamespace AND t.tgenabled NOT IN ('O', 'A')
	UNION ALL
		SELECT 'restored dumps are complete', u.name FROM wa.unrestored u
	), checks (name) AS (VALUES
		('library is preloaded'), ('server release'), ('superusers hold no sealed role'),
		('group roles are unprivileged'), ('sealed logins are unprivileged'), ('sealed logins have timeouts'),
		('sealed logins search pg_catalog'), ('sealed logins log their errors'),
		('owners hold their objects only by role'), ('temporary tables are closed to PUBLIC'),
		('row security is forced'), ('policies restrict to the organization'),
		('policies are those of wa.policies()'), ('indexes and foreign keys lead with the organization'),
		('objects belong to wa_owner'), ('functions belong to wa_owner'), ('functions pin their search path'),
		('getters are stable and stay out of parallel workers'),
		('binding functions are volatile and never parallel'), ('privileges are those of wa.granted()'),
		('default privileges open nothing'), ('group roles are members of no role'),
		('protected tables stay protected'),
		('passwords are hashed by pgcrypto'),
		('credentials are stored nowhere'), ('changes reach every backend'), ('triggers are enabled'),
		('restored dumps are complete'))
	SELECT name, count(f.object) = 0, string_agg(f.object, ', ' ORDER BY f.object)
	FROM checks c FULL JOIN failure f USING (name)
	GROUP BY name
	ORDER BY count(f.object) = 0, name
$$;
COMMENT ON FUNCTION wa.self_check() IS
	'checks what isolation rests on: roles, owners, grants, policies, indexes, settings. Every row must have passed; '
	'docs/operations.md says what to do about each';
