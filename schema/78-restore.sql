-- Restoring a dump: which tables still wait for their rows (src/restore.c).

CREATE TABLE wa.unrestored (
	name name NOT NULL,
	PRIMARY KEY (name)
);
COMMENT ON TABLE wa.unrestored IS
	'tables whose rows are in a dump and have not been restored yet; empty otherwise. Filled by `CREATE EXTENSION` in '
	'a restore only, and reported by `wa.self_check()`. Part of no dump';
COMMENT ON COLUMN wa.unrestored.name IS 'the table, in schema wa';

-- Only the self check reads it.
ALTER TABLE wa.unrestored ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY wa_owner_open ON wa.unrestored TO wa_owner USING (true);

CREATE FUNCTION wa.restore_table() RETURNS trigger
	LANGUAGE c
	AS 'MODULE_PATHNAME', 'wa_restore_table';
COMMENT ON FUNCTION wa.restore_table() IS
	'trigger: takes a table that a dump is restored into off the list of those that wait, and leaves out what its foreign keys would check';

-- ALWAYS, because a restore may have disabled all other triggers.
DO $$
DECLARE
	carried record;
BEGIN
	FOR carried IN
		SELECT c.oid::regclass AS id, c.relname AS name
		FROM pg_catalog.pg_extension e CROSS JOIN LATERAL unnest(e.extconfig) WITH ORDINALITY config (id, place)
			JOIN pg_catalog.pg_class c ON c.oid = config.id
		WHERE e.extname = 'wa_apikeys' ORDER BY config.place
	LOOP
		EXECUTE pg_catalog.format('CREATE TRIGGER restore_table BEFORE INSERT ON %s FOR EACH STATEMENT EXECUTE FUNCTION wa.restore_table()', carried.id);
		EXECUTE pg_catalog.format('ALTER TABLE %s ENABLE ALWAYS TRIGGER restore_table', carried.id);
		EXECUTE pg_catalog.format('COMMENT ON TRIGGER restore_table ON %s IS %L', carried.id,
			'lets pg_restore load tables in any order, and knows which are missing');
		INSERT INTO wa.unrestored
		SELECT carried.name WHERE pg_catalog.current_setting('row_security') = 'off';
	END LOOP;
END $$;

CREATE FUNCTION wa.broken_foreign_keys() RETURNS SETOF text
	LANGUAGE plpgsql STABLE STRICT PARALLEL RESTRICTED
AS $$
DECLARE
	key record;
	is_broken boolean;
BEGIN
	FOR key IN
		SELECT c.conname AS name, c.conrelid::regclass AS id, c.confrelid::regclass AS refers_to,
			string_agg(format('r.%I = t.%I', r.attname, t.attname), ' AND ') AS same,
			string_agg(format('t.%I IS NOT NULL', t.attname), ' AND ') AS complete
		FROM pg_constraint c CROSS JOIN LATERAL unnest(c.conkey, c.confkey) k (here, there)
			JOIN pg_attribute t ON t.attrelid = c.conrelid AND t.attnum = k.here
			JOIN pg_attribute r ON r.attrelid = c.confrelid AND r.attnum = k.there
		WHERE c.contype = 'f' AND c.connamespace = 'wa'::regnamespace
		GROUP BY c.oid, c.conname, c.conrelid, c.confrelid ORDER BY c.conrelid::regclass::text, c.conname
	LOOP
		EXECUTE format('SELECT EXISTS (SELECT FROM %s t WHERE %s AND NOT EXISTS (SELECT FROM %s r WHERE %s))',
					   key.id, key.complete, key.refers_to, key.same) INTO is_broken;
		IF is_broken THEN
			RETURN NEXT format('%s of %s', key.name, key.id);
		END IF;
	END LOOP;
END $$;
COMMENT ON FUNCTION wa.broken_foreign_keys() IS
	'for superusers: the foreign keys of schema `wa` for which there are rows that refer to nothing; none, unless a '
	'dump was restored in part';

CREATE FUNCTION wa.finish_restore() RETURNS void
	LANGUAGE plpgsql STRICT
AS $$
DECLARE
	broken constant text := (SELECT string_agg(b, ', ') FROM wa.broken_foreign_keys() b);
BEGIN
	IF broken IS NOT NULL THEN
		RAISE EXCEPTION 'tables that were not restored are referred to'
			USING ERRCODE = 'foreign_key_violation', DETAIL = broken,
				HINT = 'Restore them with pg_restore --data-only --schema=wa --table=…';
	END IF;
	DELETE FROM wa.unrestored;
END $$;
COMMENT ON FUNCTION wa.finish_restore() IS
	'for superusers: accepts that tables which were not restored stay as they are (a dump without data, or of '
	'INSERTs). `23503` where rows refer to what is missing';
