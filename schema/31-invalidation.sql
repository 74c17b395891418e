-- Backends cache rows of some tables (keys, people, statements) and forget them when a table
-- changes.

CREATE FUNCTION wa.invalidate() RETURNS trigger
	LANGUAGE c
	AS 'MODULE_PATHNAME', 'wa_invalidate';
COMMENT ON FUNCTION wa.invalidate() IS
	'trigger: makes every backend forget, at commit, what it cached of the table';

-- Every change of a row reaches every backend when it commits.  The trigger is FOR EACH ROW,
-- because the workers of logical replication fire only row triggers.  It is ALWAYS, because
-- they fire no others.  wa.self_check() checks both triggers.
CREATE FUNCTION wa.put_invalidation(target regclass, changes text, purpose text, wakes text DEFAULT NULL) RETURNS void
	LANGUAGE plpgsql
AS $$
DECLARE
	name constant text := (SELECT c.relname FROM pg_class c WHERE c.oid = target) || '_invalidate';
BEGIN
	EXECUTE format('CREATE TRIGGER %I AFTER %s ON %s FOR EACH ROW EXECUTE FUNCTION wa.invalidate(%s)',
				   name, changes, target, quote_literal(wakes));
	EXECUTE format('CREATE TRIGGER %I AFTER TRUNCATE ON %s FOR EACH STATEMENT EXECUTE FUNCTION wa.invalidate()',
				   name || '_all', target);
	EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER %I, ENABLE ALWAYS TRIGGER %I', target, name, name || '_all');
	EXECUTE format('COMMENT ON TRIGGER %I ON %s IS %L', name, target, purpose);
	EXECUTE format('COMMENT ON TRIGGER %I ON %s IS %L', name || '_all', target, 'the same for TRUNCATE');
END $$;
COMMENT ON FUNCTION wa.put_invalidation(regclass, text, text, text) IS
	'for install and update scripts: makes the triggers that call `wa.invalidate()` after these `changes` of a table; '
	'`wakes`: the column with the organization whose sockets rest on the row, `user_id` if that person''s do, or `person` '
	'if the row is one';
