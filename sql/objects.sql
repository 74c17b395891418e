-- Whatever of the extension's own objects is missing, changed, disabled or added is a
-- finding of wa.self_check(): it compares all of them with one list, wa.objects().
SET client_min_messages = warning;
SET search_path = pg_catalog, pg_temp;
\pset format unaligned
\pset tuples_only on
CREATE SCHEMA elsewhere;
CREATE FUNCTION elsewhere.nothing() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
CREATE ROLE regress_maker IN ROLE wa_app;
-- The list of objects after a change alone.
CREATE FUNCTION elsewhere.wrong_after(change text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	found text[];
BEGIN
	BEGIN
		EXECUTE change;
		found := ARRAY(SELECT w FROM wa.wrong_objects() w ORDER BY w COLLATE "C");
		RAISE SQLSTATE 'UNDO1';
	EXCEPTION
		WHEN SQLSTATE 'UNDO1' THEN NULL;
	END;
	RETURN QUERY SELECT unnest(found);
END $$;
-- The same as a row of wa.self_check().
CREATE FUNCTION elsewhere.told_after(change text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	told text;
BEGIN
	EXECUTE change;
	RAISE SQLSTATE 'UNDO1' USING MESSAGE = COALESCE(
		(SELECT c.detail FROM wa.self_check() c WHERE NOT c.passed AND c.name = 'objects are those of wa.objects()'), 'nothing');
EXCEPTION
	WHEN SQLSTATE 'UNDO1' THEN
		GET STACKED DIAGNOSTICS told = MESSAGE_TEXT;
		RETURN told;
END $$;
SELECT elsewhere.told_after(change) FROM unnest(ARRAY['SELECT', 'DROP TRIGGER media_bytes_durable ON wa.media_bytes']) change;
SELECT c.what, COALESCE(f.found, 'nothing') FROM (VALUES
	(1, 'trigger gone', 'DROP TRIGGER media_bytes_durable ON wa.media_bytes; DROP TRIGGER message_deleted_media ON wa.message'),
	(2, 'trigger disabled', 'ALTER TABLE wa.media DISABLE TRIGGER media_made_counted'),
	(3, 'trigger for replicas only', 'ALTER TABLE wa.media ENABLE REPLICA TRIGGER media_made_counted'),
	(4, 'trigger no more in replicas', 'ALTER TABLE wa.media_bytes ENABLE TRIGGER media_bytes_durable; ALTER TABLE wa.session ENABLE TRIGGER session_made_wanted'),
	(5, 'trigger for less', 'DROP TRIGGER media_deleted_counted ON wa.media;
		CREATE TRIGGER media_deleted_counted AFTER DELETE ON wa.media FOR EACH ROW WHEN (false) EXECUTE FUNCTION wa.count_media()'),
	(6, 'trigger of another function', 'DROP TRIGGER chat_made ON wa.chat;
		CREATE TRIGGER chat_made AFTER INSERT ON wa.chat FOR EACH ROW EXECUTE FUNCTION elsewhere.nothing()'),
	(7, 'trigger added', 'CREATE TRIGGER zz BEFORE INSERT ON wa.message FOR EACH ROW EXECUTE FUNCTION wa.refuse_change()'),
	(8, 'trigger of somebody''s function added', 'CREATE TRIGGER zz BEFORE INSERT ON wa.message FOR EACH ROW EXECUTE FUNCTION elsewhere.nothing()'),
	(10, 'unique index gone', 'DROP INDEX wa.session_credentials_number'),
	(11, 'unique index not unique', 'DROP INDEX wa.session_credentials_number;
		CREATE INDEX session_credentials_number ON wa.session_credentials (phone_number_id) WHERE has_number'),
	(12, 'unique index invalid', 'UPDATE pg_index SET indisvalid = false WHERE indexrelid = ''wa.session_credentials_number''::regclass'),
	(13, 'index added', 'CREATE INDEX zz ON wa.message (org_id, id)'),
	(14, 'key gone', 'ALTER TABLE wa.ticket DROP CONSTRAINT ticket_digest_key'),
	(15, 'key deferrable', 'ALTER TABLE wa.ticket DROP CONSTRAINT ticket_digest_key, ADD CONSTRAINT ticket_digest_key UNIQUE (digest) DEFERRABLE'),
	(20, 'foreign key gone', 'ALTER TABLE wa.chat DROP CONSTRAINT chat_org_id_session_id_fkey'),
	(21, 'foreign key without cascade', 'ALTER TABLE wa.chat DROP CONSTRAINT chat_org_id_session_id_fkey,
		ADD CONSTRAINT chat_org_id_session_id_fkey FOREIGN KEY (org_id, session_id) REFERENCES wa.session (org_id, id)'),
	(22, 'foreign key disabled', 'ALTER TABLE wa.session_rate DISABLE TRIGGER ALL'),
	(23, 'check gone', 'ALTER TABLE wa.org_limits DROP CONSTRAINT org_limits_name_check'),
	(24, 'check of nothing', 'ALTER TABLE wa.org_limits DROP CONSTRAINT org_limits_name_check, ADD CONSTRAINT org_limits_name_check CHECK (true)'),
	(25, 'check not valid', 'ALTER TABLE wa.chat ADD CONSTRAINT zz CHECK (jid <> '''') NOT VALID'),
	(30, 'NOT NULL gone', 'ALTER TABLE wa.message ALTER status DROP NOT NULL'),
	(31, 'default gone', 'ALTER TABLE wa.app_user ALTER created_at DROP DEFAULT'),
	(32, 'default of somebody''s function', 'CREATE FUNCTION elsewhere.id() RETURNS uuid LANGUAGE sql RETURN ''00000000-0000-0000-0000-000000000000''::uuid;
		ALTER TABLE wa.invitation ALTER id SET DEFAULT elsewhere.id()'),
	(33, 'another type', 'ALTER TABLE wa.unknown_key ALTER denied TYPE numeric'),
	(34, 'column added', 'ALTER TABLE wa.message ADD copy text'),
	(40, 'function gone', 'ALTER EXTENSION wa_apikeys DROP FUNCTION wa.wrong_policies(); DROP FUNCTION wa.wrong_policies()'),
	(41, 'function added', 'CREATE FUNCTION wa.me(text) RETURNS text LANGUAGE sql SET search_path = pg_catalog, pg_temp RETURN 1; ALTER FUNCTION wa.me(text) OWNER TO wa_owner'),
	(42, 'function with its owner''s rights', 'ALTER FUNCTION wa.leaks(regclass, name) SECURITY DEFINER'),
	(43, 'function without its setting', 'ALTER FUNCTION wa.give_up_number() RESET row_security'),
	(44, 'function for null', 'ALTER FUNCTION wa.typeid(text, uuid) CALLED ON NULL INPUT'),
	(45, 'function said to leak nothing', 'ALTER FUNCTION wa.has_permission(wa.permission) LEAKPROOF'),
	(46, 'function of another language', 'CREATE OR REPLACE FUNCTION wa.preloaded() RETURNS boolean LANGUAGE sql STABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp RETURN true'),
	(47, 'function of another library', 'CREATE OR REPLACE FUNCTION wa.preloaded() RETURNS boolean LANGUAGE c STABLE STRICT PARALLEL SAFE AS ''$libdir/wa_apikeys'', ''wa_uuid7'''),
	(48, 'function of another owner', 'ALTER FUNCTION wa.me() OWNER TO regress_maker'),
	(50, 'view of its owner''s rights', 'ALTER VIEW wa.people RESET (security_invoker)'),
	(51, 'view without barrier', 'ALTER VIEW wa.keys SET (security_barrier = false)'),
	(52, 'rule added', 'CREATE RULE zz AS ON INSERT TO wa.audit DO INSTEAD NOTHING'),
	(53, 'table not logged', 'ALTER TABLE wa.scanner_key SET UNLOGGED'),
	(54, 'table written into the log as a whole', 'ALTER TABLE wa.scanner_key REPLICA IDENTITY FULL'),
	(55, 'table of another owner', 'ALTER TABLE wa.scanner_key OWNER TO regress_maker'),
	(56, 'table below another', 'CREATE TABLE wa.zz (name name); ALTER TABLE wa.unrestored INHERIT wa.zz'),
	(57, 'sequence added', 'CREATE SEQUENCE wa.zz'),
	(60, 'type of another owner', 'ALTER TYPE wa.permission OWNER TO regress_maker'),
	(61, 'permission added', 'ALTER TYPE wa.permission ADD VALUE ''zz'''),
	(62, 'domain added', 'CREATE DOMAIN wa.zz AS text CHECK (VALUE <> '''')'),
	(63, 'operator gone', 'ALTER EXTENSION wa_apikeys DROP OPERATOR wa.&& (wa.permissions, wa.permissions); DROP OPERATOR wa.&& (wa.permissions, wa.permissions)'),
	(64, 'cast gone', 'ALTER EXTENSION wa_apikeys DROP CAST (text AS wa.key_id); DROP CAST (text AS wa.key_id)'),
	(65, 'cast without asking', 'ALTER EXTENSION wa_apikeys DROP CAST (text[] AS wa.permissions); DROP CAST (text[] AS wa.permissions); CREATE CAST (text[] AS wa.permissions) WITH INOUT AS IMPLICIT'),
	-- An administrator may store the tables as it suits the machine.
	(70, 'table of other settings', 'ALTER TABLE wa.delivery SET (autovacuum_vacuum_scale_factor = 0.5); ALTER TABLE wa.message ALTER id SET STATISTICS 1000')
	) c (place, what, change) LEFT JOIN LATERAL elsewhere.wrong_after(c.change) f (found) ON true
ORDER BY c.place, f.found COLLATE "C";
-- Whoever owns a type can make a cast between it and one of ours.  That stops nobody's programs.
CREATE SCHEMA theirs AUTHORIZATION regress_maker;
SELECT count(*) FROM elsewhere.wrong_after('SET LOCAL ROLE regress_maker; CREATE TYPE theirs.zz AS ENUM (''a''); CREATE CAST (theirs.zz AS wa.org_id) WITH INOUT AS IMPLICIT; RESET ROLE');
DROP SCHEMA theirs;

-- The settings of whoever asks make no difference.
SELECT count(*) FROM elsewhere.wrong_after('SET LOCAL quote_all_identifiers = on; SET LOCAL standard_conforming_strings = off; SET LOCAL datestyle = ''German''; SET LOCAL intervalstyle = iso_8601;
	SET LOCAL timezone = ''Asia/Tokyo''; SET LOCAL bytea_output = escape; SET LOCAL extra_float_digits = -15; SET LOCAL search_path = wa, public');

-- Each trigger, index, key, check, default and NOT NULL is found, whichever it is, when it is gone.
CREATE FUNCTION elsewhere.told(kind text, gone text) RETURNS TABLE (told text) LANGUAGE sql AS $$
	SELECT format('%s of %s', count(*) FILTER (WHERE w LIKE kind || ' %'), (SELECT count(*) FROM wa.objects() o WHERE o.kind = told.kind))
	FROM elsewhere.wrong_after(gone) w
$$;
SELECT told = (SELECT format('%1$s of %1$s', count(*)) FROM wa.objects() o WHERE o.kind = 'trigger') FROM elsewhere.told('trigger', (
	SELECT string_agg(format('DROP TRIGGER %I ON %s', t.tgname, t.tgrelid::regclass), '; ') FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
	WHERE c.relnamespace = 'wa'::regnamespace AND NOT t.tgisinternal));
SELECT told = (SELECT format('%1$s of %1$s', count(*)) FROM wa.objects() o WHERE o.kind = 'constraint') FROM elsewhere.told('constraint', (
	SELECT string_agg(format('ALTER TABLE %s DROP CONSTRAINT IF EXISTS %I CASCADE', k.conrelid::regclass, k.conname), '; ') FROM pg_constraint k
	WHERE k.connamespace = 'wa'::regnamespace AND k.contype <> 'n'));
SELECT told = (SELECT format('%1$s of %1$s', count(*)) FROM wa.objects() o WHERE o.kind = 'index') FROM elsewhere.told('index', (
	SELECT string_agg(format('DROP INDEX %s', i.indexrelid::regclass), '; ') FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid
	WHERE c.relnamespace = 'wa'::regnamespace AND NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = i.indexrelid)));
SELECT count(*) = (SELECT count(*) FROM wa.objects() o WHERE o.kind = 'column' AND o.definition ~ ' DEFAULT ')
FROM elsewhere.wrong_after((
	SELECT string_agg(format('ALTER TABLE %s ALTER %I DROP DEFAULT', d.adrelid::regclass, a.attname), '; ')
	FROM pg_attrdef d JOIN pg_class c ON c.oid = d.adrelid JOIN pg_attribute a ON a.attrelid = d.adrelid AND a.attnum = d.adnum
	WHERE c.relnamespace = 'wa'::regnamespace)) w WHERE w LIKE 'column %';

-- pg_upgrade makes every object from what the server prints of it.  What is printed then is the
-- same, so the list holds there, too.  It would not for a comparison of rows, or for a BETWEEN
-- beside an AND, which the server prints in one form and reads as another.
SELECT elsewhere.wrong_after((
	SELECT string_agg(made.anew, '; ' ORDER BY made.place) FROM (
		SELECT 1 AS place, format('DROP TRIGGER %I ON %s; %3$s; ALTER TABLE %2$s %4$s TRIGGER %1$I', t.tgname, t.tgrelid::regclass, pg_get_triggerdef(t.oid), wa.firing(t.tgenabled)) AS anew
		FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid WHERE c.relnamespace = 'wa'::regnamespace AND NOT t.tgisinternal
	UNION ALL
		SELECT 2, format('ALTER TABLE %s DROP CONSTRAINT %I; ALTER TABLE %1$s ADD CONSTRAINT %2$I %s', k.conrelid::regclass, k.conname, pg_get_constraintdef(k.oid))
		FROM pg_constraint k WHERE k.connamespace = 'wa'::regnamespace AND k.contype IN ('c', 'f')
	UNION ALL
		SELECT 3, format('DROP INDEX %s; %s', i.indexrelid::regclass, pg_get_indexdef(i.indexrelid))
		FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid
		WHERE c.relnamespace = 'wa'::regnamespace AND NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = i.indexrelid)
	UNION ALL
		SELECT 4, format('ALTER TABLE %s ALTER %I SET DEFAULT %s', d.adrelid::regclass, a.attname, pg_get_expr(d.adbin, d.adrelid))
		FROM pg_attrdef d JOIN pg_class c ON c.oid = d.adrelid JOIN pg_attribute a ON a.attrelid = d.adrelid AND a.attnum = d.adnum
		WHERE c.relnamespace = 'wa'::regnamespace AND a.attgenerated = '') made));

-- Only owners and superusers read the list.
SET ROLE regress_maker;
SELECT count(*) FROM wa.objects();
SELECT count(*) FROM wa.wrong_objects();
RESET ROLE;
DROP SCHEMA elsewhere CASCADE;
DROP ROLE regress_maker;
