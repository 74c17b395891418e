-- Removing bytes from the store that no file is of any more.
--
-- A worker takes such bytes (a removal), removes them from the store, and reports that.  Whoever
-- stores bytes does so before it writes their row, and another removal may happen between the
-- two.  So that no row promises bytes that are not there:
--
-- - Bytes are taken only while no file is of them, under the lock of their row, which the writer
--   of a file locks, too (wa.count_file()).  From then on until the removal has ended no file can
--   be of them: its writer gets 40001.
-- - When a removal has ended its time stays in the row, which stays for longer than an upload may
--   last.  A writer says a time before it stored the bytes: when its upload was begun, or the
--   file was taken to be fetched.  If a removal has ended since then, the bytes that it stored
--   may be those that were removed, and it gets 40001.
-- - If the last removal ended before that time, the bytes were stored after it, and no other
--   removal can begin once the writer has the lock.
--
-- The begin of a removal is on disk before the worker is told of it, whatever synchronous_commit
-- says (wa.put_durability()).  A removal never ends by itself, and is not given up: a store may carry out a request long after
-- the worker stopped waiting for it.  If a worker dies, or the store does not answer, the bytes
-- are taken again after ten minutes, under the name of another removal; a report with the old
-- name has no effect.  A worker that removes bytes later than five minutes after it asked for
-- them would be wrong (gateway/webhooks/removals.c).
--
-- Bytes stay for a day after their last file, so that a copy of the store that is made after one
-- of the database has the bytes of all its rows.

-- How long an upload may last; the rows of removed bytes are kept for a day longer.
CREATE FUNCTION wa.upload_days() RETURNS integer
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
	AS $$ SELECT 7 $$;
COMMENT ON FUNCTION wa.upload_days() IS 'for function bodies: how many days after its begin an upload can still become a file';

CREATE FUNCTION wa.refuse_removed(org uuid, digest bytea, begun timestamptz) RETURNS void
	LANGUAGE plpgsql SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF begun < now() - wa.upload_days() * interval '1 day'
		OR EXISTS (SELECT FROM wa.media_bytes b
				   WHERE b.org_id = org AND b.sha256 = digest AND b.removed_at >= COALESCE(begun, '-infinity')) THEN
		PERFORM wa.refuse_removal();
	END IF;
END $$;
COMMENT ON FUNCTION wa.refuse_removed(uuid, bytea, timestamptz) IS
	'for function bodies that have written a file: raises 40001 if its bytes were removed from the store since it was begun (NULL: that is not known), or may have been';

CREATE FUNCTION wa.claim_unused_bytes(behind uuid, max integer, OUT claimed wa.media_bytes[], OUT last uuid)
	LANGUAGE plpgsql STRICT SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	SET enable_seqscan = off SET enable_bitmapscan = off SET enable_sort = off
AS $$
DECLARE
	of_one constant integer := 16;
	at constant timestamptz := clock_timestamp();
	orgs constant uuid[] := wa.orgs_behind(behind);
	org uuid;
	taken wa.media_bytes[];
BEGIN
	claimed := '{}';
	FOREACH org IN ARRAY orgs LOOP
		EXIT WHEN cardinality(claimed) >= max;
		last := org;
		WITH removing AS (
			UPDATE wa.media_bytes b SET removal = wa.uuid7(), removing_at = clock_timestamp()
			WHERE b.ctid = ANY (ARRAY(
				SELECT due.ctid FROM wa.media_bytes due
				WHERE due.org_id = org AND due.unused_at < now() - interval '1 day'
					AND (due.removal IS NULL OR due.removing_at < at - interval '10 minutes')
				ORDER BY due.unused_at LIMIT LEAST(of_one, max - cardinality(claimed)) FOR UPDATE SKIP LOCKED))
			RETURNING b AS bytes)
		SELECT array_agg(r.bytes) INTO taken FROM removing r;
		claimed := claimed || taken;
		DELETE FROM wa.media_bytes b WHERE b.ctid = ANY (ARRAY(
			SELECT old.ctid FROM wa.media_bytes old
			WHERE old.org_id = org AND old.files = 0 AND old.unused_at IS NULL
				AND old.removed_at < now() - (wa.upload_days() + 1) * interval '1 day'
			ORDER BY old.removed_at LIMIT 100 FOR UPDATE SKIP LOCKED));
	END LOOP;
END $$;
COMMENT ON FUNCTION wa.claim_unused_bytes(uuid, integer) IS
	'for wa.take_unused_bytes(): takes at most 16 bytes of each organization, of at most 500 organizations behind the one that is given, and returns the last one; forgets removals that are long over';

CREATE FUNCTION wa.take_unused_bytes(max integer) RETURNS TABLE (org_id uuid, sha256 bytea, removal uuid)
	LANGUAGE plpgsql SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
	place wa.housekeeping_place;
	taken record;
BEGIN
	PERFORM wa.refuse_bound();
	IF max IS NULL OR max NOT BETWEEN 1 AND 1000 THEN
		PERFORM wa.refuse_field('max', 'must be between 1 and 1000');
	END IF;
	PERFORM wa.await_turn('media_bytes');
	place := wa.take_place('media_bytes');
	SELECT c.claimed, c.last INTO taken FROM wa.claim_unused_bytes(place.org_id, max) c;
	IF taken.last IS NOT NULL THEN
		PERFORM wa.put_place('media_bytes', taken.last, place.webhook_id);
	END IF;
	RETURN QUERY SELECT b.org_id, b.sha256, b.removal FROM unnest(taken.claimed) b;
END $$;
COMMENT ON FUNCTION wa.take_unused_bytes(integer) IS
	'takes bytes to remove from the store: of files that were all removed more than a day ago. Organizations take turns, with '
	'at most 16 of each. Until `wa.bytes_removed()` nobody can note a file of them; after ten minutes they are given out again, so '
	'the caller removes them within five minutes or not at all. `22023` (`max` 1 to 1000)';

CREATE FUNCTION wa.end_removals(removals jsonb) RETURNS integer
	LANGUAGE plpgsql STRICT SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	ended integer;
BEGIN
	WITH reported AS (
		SELECT b.org_id, b.sha256
		FROM jsonb_to_recordset(removals) AS r (organization uuid, sha256 text, removal uuid)
		JOIN wa.media_bytes b ON b.org_id = r.organization AND b.sha256 = decode(r.sha256, 'hex') AND b.removal = r.removal
		ORDER BY b.org_id, b.sha256 FOR UPDATE OF b)
	UPDATE wa.media_bytes b
	SET unused_at = NULL, removal = NULL, removing_at = NULL, removed_at = clock_timestamp()
	FROM reported WHERE b.org_id = reported.org_id AND b.sha256 = reported.sha256;
	GET DIAGNOSTICS ended = ROW_COUNT;
	RETURN ended;
END $$;
COMMENT ON FUNCTION wa.end_removals(jsonb) IS 'for wa.bytes_removed(): ends removals, and returns how many';

CREATE FUNCTION wa.bytes_removed(removals jsonb) RETURNS integer
	LANGUAGE plpgsql SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM wa.refuse_bound();
	IF removals IS NULL OR jsonb_typeof(removals) <> 'array' OR jsonb_array_length(removals) > 1000 THEN
		PERFORM wa.refuse_field('removals', 'must be an array of at most 1000 objects');
	END IF;
	RETURN wa.end_removals(removals);
END $$;
COMMENT ON FUNCTION wa.bytes_removed(jsonb) IS
	'reports that bytes of `wa.take_unused_bytes()` are in the store no more: an array of at most 1000 objects with '
	'`organization`, `sha256` (in hexadecimal digits) and `removal`. Returns how many removals have ended; others were not the caller''s, or were given out again. `22023` (`removals`)';
