-- What has ended or was restricted stays so after a crash, whatever synchronous_commit says.
--
-- The triggers of wa.put_invalidation() see to that for the tables that backends cache.  These
-- are for all others, because an invalidation makes backends plan anew.

CREATE FUNCTION wa.commit_durably() RETURNS trigger
	LANGUAGE c
	AS 'MODULE_PATHNAME', 'wa_commit_durably';
COMMENT ON FUNCTION wa.commit_durably() IS
	'trigger: makes the commit of a change wait for the disk, so that no crash takes it back';

-- A TRUNCATE needs no trigger: its commit waits for the disk by itself.
CREATE FUNCTION wa.put_durability(target regclass, changes text, purpose text) RETURNS void
	LANGUAGE plpgsql STRICT
AS $$
DECLARE
	name constant text := (SELECT c.relname FROM pg_class c WHERE c.oid = target) || '_durable';
BEGIN
	EXECUTE format('CREATE TRIGGER %I AFTER %s ON %s FOR EACH ROW EXECUTE FUNCTION wa.commit_durably()', name, changes, target);
	EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER %I', target, name);
	EXECUTE format('COMMENT ON TRIGGER %I ON %s IS %L', name, target, purpose);
END $$;
COMMENT ON FUNCTION wa.put_durability(regclass, text, text) IS
	'for install and update scripts: makes the trigger that calls `wa.commit_durably()` after these `changes` of a table';
