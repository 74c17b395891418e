-- What somebody does to the extension's own tables is a finding of wa.self_check(),
-- whatever of all that wa.leaks() knows it is.  Those that wa.protect() was called for
-- in other schemas are in protect.sql, leaks.sql and partitions.sql.
SET client_min_messages = warning;
CREATE SCHEMA elsewhere;
CREATE ROLE regress_maker IN ROLE wa_app;
CREATE FUNCTION elsewhere.runs(uuid) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT true';
ALTER FUNCTION elsewhere.runs(uuid) OWNER TO regress_maker;
-- The failed checks after a change alone, but for those of privileges.
CREATE FUNCTION public.failed_after(change text) RETURNS TABLE (check_name text, detail text) LANGUAGE plpgsql AS $$
DECLARE
	before jsonb := (SELECT jsonb_object_agg(c.name, COALESCE(c.detail, '')) FROM wa.self_check() c);
	found jsonb;
BEGIN
	BEGIN
		EXECUTE change;
		found := (
			SELECT jsonb_object_agg(c.name, c.detail) FROM wa.self_check() c
			WHERE NOT c.passed AND c.detail <> before ->> c.name
				AND c.name <> 'privileges are those of wa.granted()');
		RAISE SQLSTATE 'UNDO1';
	EXCEPTION
		WHEN SQLSTATE 'UNDO1' THEN NULL;
	END;
	RETURN QUERY SELECT f.key, f.value FROM jsonb_each_text(found) f;
END $$;
-- (Definitions are in objects.sql as a whole.)
SELECT c.what, f.check_name, left(f.detail, 250) AS detail FROM (VALUES
	(1, 'nothing', 'SELECT'),
	(2, 'row security', 'ALTER TABLE wa.message DISABLE ROW LEVEL SECURITY'),
	(3, 'force', 'ALTER TABLE wa.message NO FORCE ROW LEVEL SECURITY'),
	(4, 'policy gone', 'DROP POLICY wa_read ON wa.message'),
	(5, 'policy changed', 'ALTER POLICY wa_update ON wa.message USING (true)'),
	(6, 'index', 'CREATE INDEX loose ON wa.message (id)'),
	(7, 'null', 'ALTER TABLE wa.webhook DROP CONSTRAINT webhook_pkey CASCADE; ALTER TABLE wa.webhook ALTER org_id DROP NOT NULL'),
	(8, 'foreign key', 'CREATE UNIQUE INDEX loose ON wa.session (id); CREATE TABLE elsewhere.child (session uuid REFERENCES wa.session (id)); GRANT INSERT ON elsewhere.child TO wa_app'),
	(9, 'truncate', 'GRANT TRUNCATE ON wa.message TO wa_gateway'),
	(10, 'owner', 'ALTER TABLE wa.message OWNER TO regress_maker'),
	(11, 'function', 'ALTER TABLE wa.message ADD CHECK (elsewhere.runs(id))'),
	(12, 'view', 'CREATE VIEW elsewhere.view AS SELECT * FROM wa.message; GRANT SELECT ON elsewhere.view TO wa_app'),
	(13, 'materialized view', 'CREATE MATERIALIZED VIEW elsewhere.view AS SELECT * FROM wa.message; GRANT SELECT ON elsewhere.view TO wa_app'),
	(14, 'rule', 'CREATE RULE acts AS ON DELETE TO wa.message DO ALSO SELECT 1'),
	(15, 'parent', 'ALTER EVENT TRIGGER wa_close_children DISABLE; CREATE TABLE elsewhere.parent (LIKE wa.message); ALTER TABLE wa.message INHERIT elsewhere.parent; ALTER EVENT TRIGGER wa_close_children ENABLE ALWAYS'),
	(16, 'child elsewhere', 'ALTER EVENT TRIGGER wa_close_children DISABLE; CREATE TABLE elsewhere.child () INHERITS (wa.message); ALTER EVENT TRIGGER wa_close_children ENABLE ALWAYS'),
	(17, 'child beside it', 'ALTER EVENT TRIGGER wa_close_children DISABLE; CREATE TABLE wa.child () INHERITS (wa.message); ALTER EVENT TRIGGER wa_close_children ENABLE ALWAYS'),
	(18, 'foreign child', 'CREATE FOREIGN DATA WRAPPER w; CREATE SERVER s FOREIGN DATA WRAPPER w; ALTER EVENT TRIGGER wa_close_children DISABLE;
		CREATE FOREIGN TABLE wa.child () INHERITS (wa.message) SERVER s; ALTER EVENT TRIGGER wa_close_children ENABLE ALWAYS'),
	(19, 'role', 'ALTER ROLE regress_maker BYPASSRLS'),
	(20, 'owner''s policy gone', 'DROP POLICY wa_owner_org ON wa.message'),
	(21, 'owner''s policy changed', 'ALTER POLICY wa_owner_org ON wa.invitation USING (true)'),
	(22, 'owner''s table', 'CREATE TABLE wa.loose (org_id uuid PRIMARY KEY)'),
	(23, 'search path gone', 'ALTER FUNCTION wa.me() RESET search_path; ALTER FUNCTION wa.note_person(uuid, text, text, jsonb, timestamptz) RESET ALL'),
	(24, 'search path changed', 'ALTER FUNCTION wa.me() SET search_path = pg_catalog, public, pg_temp'),
	(25, 'search path never set', 'CREATE FUNCTION wa.loose() RETURNS int LANGUAGE sql RETURN 1; ALTER FUNCTION wa.loose() OWNER TO wa_owner'),
	(26, 'triggers gone', 'DROP TRIGGER member_invalidate ON wa.member; DROP TRIGGER sign_in_invalidate_all ON wa.sign_in'),
	(27, 'trigger not always', 'ALTER TABLE wa.user_token ENABLE TRIGGER user_token_invalidate; ALTER TABLE wa.webhook ENABLE TRIGGER webhook_durable'),
	-- What looks like the right one, by its name or by a part of it, is not it.
	(30, 'owner''s policy with an OR', 'ALTER POLICY wa_owner_org ON wa.message USING (org_id = wa.require_org() OR true)'),
	(31, 'owner''s policy of another kind', 'ALTER POLICY wa_owner_org ON wa.message USING (wa.current_org() IS NULL OR org_id = wa.current_org())'),
	(32, 'owner''s policy for another command', 'DROP POLICY wa_owner_org ON wa.message;
		CREATE POLICY wa_owner_org ON wa.message AS RESTRICTIVE FOR SELECT TO wa_owner USING (org_id = wa.require_org())'),
	(33, 'owner''s policy for another role', 'ALTER POLICY wa_owner_org ON wa.message TO wa_claim'),
	(34, 'owner''s policy for one role more', 'ALTER POLICY wa_owner_org ON wa.message TO wa_owner, wa_claim'),
	(35, 'owner''s policy permissive', 'DROP POLICY wa_owner_org ON wa.message;
		CREATE POLICY wa_owner_org ON wa.message TO wa_owner USING (org_id = wa.require_org())'),
	(36, 'owner''s policy with a check', 'ALTER POLICY wa_owner_org ON wa.message WITH CHECK (true)'),
	(37, 'second policy beside it', 'CREATE POLICY more ON wa.invitation TO wa_admin USING (true)'),
	(38, 'second restrictive policy', 'CREATE POLICY more ON wa.invitation AS RESTRICTIVE TO PUBLIC USING (false)'),
	(39, 'policy of a table of no organization', 'CREATE POLICY more ON wa.event_epoch TO wa_worker USING (true)'),
	(40, 'operator of somebody''s own', 'CREATE FUNCTION elsewhere.same(uuid, uuid) RETURNS boolean LANGUAGE sql RETURN true;
		CREATE OPERATOR elsewhere.= (FUNCTION = elsewhere.same, LEFTARG = uuid, RIGHTARG = uuid);
		ALTER POLICY wa_owner_org ON wa.message USING (org_id OPERATOR(elsewhere.=) wa.require_org())'),
	(41, 'another permission', 'ALTER POLICY wa_read ON wa.session_pairing USING (org_id = wa.org_for(''read''))'),
	(42, 'open to all organizations', 'ALTER POLICY wa_open_read ON wa.chat USING (true)'),
	(43, 'auth events for everybody', 'ALTER POLICY wa_read_auth ON wa.event USING (true)'),
	(44, 'deleted sessions are back', 'ALTER POLICY wa_not_deleted ON wa.session USING (deleted_at IS NULL OR true)'),
	(45, 'claims delete anything', 'DROP POLICY wa_claim_deleted ON wa.message'),
	(46, 'trigger of another function', 'DROP TRIGGER member_invalidate ON wa.member;
		CREATE TRIGGER member_invalidate AFTER UPDATE OR DELETE ON wa.member FOR EACH ROW EXECUTE FUNCTION wa.refuse_change();
		ALTER TABLE wa.member ENABLE ALWAYS TRIGGER member_invalidate'),
	(47, 'trigger with a condition', 'DROP TRIGGER api_key_invalidate ON wa.api_key;
		CREATE TRIGGER api_key_invalidate AFTER UPDATE ON wa.api_key FOR EACH ROW WHEN (false) EXECUTE FUNCTION wa.invalidate(''org_id'');
		ALTER TABLE wa.api_key ENABLE ALWAYS TRIGGER api_key_invalidate'),
	(48, 'audit log that can be deleted', 'DROP TRIGGER audit_append_only ON wa.audit;
		CREATE TRIGGER audit_append_only BEFORE UPDATE ON wa.audit FOR EACH ROW EXECUTE FUNCTION wa.refuse_change();
		ALTER TABLE wa.audit ENABLE ALWAYS TRIGGER audit_append_only'),
	(52, 'trigger of a function elsewhere', 'CREATE FUNCTION elsewhere.nothing() RETURNS trigger LANGUAGE plpgsql AS ''BEGIN RETURN NULL; END'';
		DROP TRIGGER member_invalidate ON wa.member;
		CREATE TRIGGER member_invalidate AFTER UPDATE OR DELETE ON wa.member FOR EACH ROW EXECUTE FUNCTION elsewhere.nothing();
		ALTER TABLE wa.member ENABLE ALWAYS TRIGGER member_invalidate'),
	(53, 'index of a function elsewhere', 'DROP INDEX wa.member_of_user; CREATE INDEX member_of_user ON wa.member (elsewhere.runs(user_id))'),
	(49, 'index of an allowed name', 'DROP INDEX wa.member_of_user; CREATE INDEX member_of_user ON wa.member (role)'),
	(50, 'foreign key of an allowed name', 'CREATE UNIQUE INDEX loose ON wa.session (id);
		ALTER TABLE wa.webhook ADD CONSTRAINT member_user_id_fkey FOREIGN KEY (session_id) REFERENCES wa.session (id)')
	) c (place, what, change) LEFT JOIN LATERAL failed_after(c.change) f ON true
ORDER BY c.place, f.check_name;
-- A superuser may hold a sealed role by way of another one, and is found with it.
SELECT f.* FROM failed_after('CREATE ROLE regress_between IN ROLE wa_gateway; CREATE ROLE regress_super SUPERUSER IN ROLE regress_between') f
WHERE f.check_name = 'superusers hold no sealed role';
-- A sealed login, of whatever kind, reaches the attributes of a role by way of others.
SELECT f.*, kind, attribute FROM (VALUES ('wa_gateway', 'SUPERUSER'), ('wa_worker', 'SUPERUSER'), ('wa_connector', 'SUPERUSER'), ('wa_worker', 'BYPASSRLS'), ('wa_connector', 'CREATEROLE'), ('wa_worker', 'NOSUPERUSER')) v (kind, attribute)
	LEFT JOIN LATERAL failed_after(format('CREATE ROLE regress_dba %s; CREATE ROLE regress_between IN ROLE regress_dba; CREATE ROLE regress_sealed LOGIN IN ROLE %I, regress_between', attribute, kind)) f
	ON f.check_name = 'sealed logins are unprivileged'
ORDER BY kind, attribute;
-- The timeouts of the library are those of postgresql.conf, for a login, for all and for the database.
SELECT v.change, f.detail ~ v.told AS told
FROM (VALUES ('ROLE regress_sealed SET wa.transaction_timeout = ''600s''', 'regress_sealed: ALTER ROLE regress_sealed RESET wa.transaction_timeout'),
	('ROLE regress_sealed SET wa.idle_in_transaction_timeout = ''600s''', 'regress_sealed: ALTER ROLE regress_sealed RESET wa.idle_in_transaction_timeout'),
	('ROLE regress_sealed IN DATABASE contrib_regression SET wa.transaction_timeout = ''600s''', 'ALTER ROLE regress_sealed IN DATABASE contrib_regression RESET wa.transaction_timeout'),
	('ROLE ALL SET wa.transaction_timeout = ''600s''', 'all: ALTER ROLE ALL RESET wa.transaction_timeout'),
	('DATABASE contrib_regression SET wa.idle_in_transaction_timeout = ''600s''', 'all: ALTER DATABASE contrib_regression RESET wa.idle_in_transaction_timeout'),
	('ROLE regress_maker SET wa.transaction_timeout = ''600s''', 'wa.transaction_timeout')) v (change, told)
	LEFT JOIN LATERAL failed_after('CREATE ROLE regress_sealed LOGIN IN ROLE wa_worker; ALTER ' || v.change) f ON f.check_name = 'sealed logins have timeouts'
ORDER BY v.change;
-- No function body is read in another way where standard_conforming_strings is off, as whoever
-- calls it may set: a backslash stands in an E'' literal, or in a comment.
SELECT p.oid::regprocedure AS other FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang
WHERE p.pronamespace = 'wa'::regnamespace AND l.lanname IN ('sql', 'plpgsql')
	AND regexp_replace(regexp_replace(p.prosrc, '--[^\n]*', '', 'g'), '\mE''([^''\\]|\\.|'''')*''', '', 'g') LIKE '%\\%';
-- So is each function of the library that says who is bound, once its result could be kept for others.
SELECT string_agg(p.proname, ', ' ORDER BY p.proname COLLATE "C") AS not_found
FROM (SELECT p.* FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang
		WHERE p.pronamespace = 'wa'::regnamespace AND l.lanname = 'c' AND p.provolatile = 's' AND p.proparallel = 'r') p, (
	SELECT string_agg(f.detail, ', ') AS details
	FROM (SELECT string_agg(format('ALTER FUNCTION %s IMMUTABLE', p.oid::regprocedure), '; ') AS change
		FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang
		WHERE p.pronamespace = 'wa'::regnamespace AND l.lanname = 'c' AND p.provolatile = 's' AND p.proparallel = 'r') getters, failed_after(getters.change) f
	WHERE f.check_name = 'objects are those of wa.objects()') found
WHERE position(p.oid::regprocedure::text IN COALESCE(found.details, '')) = 0;
-- A trigger that is disabled, or enabled for replicas only, is found, whichever it is.
SELECT string_agg(t.tgname || ' on ' || t.tgrelid::regclass, ', ' ORDER BY t.tgrelid::regclass::text COLLATE "C", t.tgname) AS not_found
FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid, (
	SELECT string_agg(f.detail, ', ') AS details
	FROM (SELECT string_agg(format('ALTER TABLE %s DISABLE TRIGGER USER', c.oid::regclass), '; ') AS change
		FROM pg_class c WHERE c.relnamespace = 'wa'::regnamespace AND c.relkind IN ('r', 'p') AND c.relhastriggers) all_tables, failed_after(all_tables.change) f
	WHERE f.check_name = 'objects are those of wa.objects()') found
WHERE c.relnamespace = 'wa'::regnamespace AND NOT t.tgisinternal
	AND position(format('%s on %s', t.tgname, t.tgrelid::regclass) IN COALESCE(found.details, '')) = 0;
SELECT f.check_name, left(f.detail, 100) AS detail FROM (VALUES ('ALTER TABLE wa.api_key DISABLE TRIGGER api_key_ended'), ('ALTER TABLE wa.message ENABLE REPLICA TRIGGER message_made'), ('DROP TRIGGER ended_key ON wa.ended'),
	('SELECT'), ('ALTER TABLE wa.chat ENABLE ALWAYS TRIGGER chat_made')) v (change), failed_after(v.change) f ORDER BY 1, 2;
DROP FUNCTION public.failed_after(text);
DROP SCHEMA elsewhere CASCADE;
DROP ROLE regress_maker;
