-- Comparing the store with the rows of its files.
--
-- A scan lists the names in the store, a page at a time, and reports those that are older than a
-- day.  Bytes that no row knows are left of a program that died between storing them and their
-- row, or of a time after the dump that was restored.  They get a row without files.  From then
-- on they are unused bytes like others (92-media-removal.sql): they stay for a day, a worker takes
-- and removes them, and an upload of them is a file or gets 40001.  So a scan removes nothing, and
-- it makes no difference how old what it lists is by now.  Nor does it matter whether an upload
-- of the same bytes is under way: its row becomes this one, or is in the way of it.
--
-- Bytes that were removed a day ago and are there again are unused once more: an upload has stored
-- them after the removal, and its program died before the row.
--
-- Names of organizations that do not exist are left alone.  The store of another database is
-- full of them.  A database that was restored beside the one that it is a copy of has the same
-- organizations, and would take what the other one has stored since for unknown.  So bytes that
-- no row knows are only counted until an administrator has said that the store is this
-- database's own (wa.set_media_scan()), and no dump carries that.
--
-- Whoever has stolen the login of a worker could keep the row of the scan locked; so workers take
-- turns at it, as at other tasks.
--
-- The other way round, a worker takes rows that have files and looks for their bytes.  Nothing is
-- changed when these are missing, because they may come back: a folder was not mounted, or is
-- still being restored.  Whoever asks for such a file gets a 410 meanwhile.

CREATE FUNCTION wa.take_media_scan(owner text, lease interval) RETURNS TABLE (behind text)
	LANGUAGE plpgsql SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
	at timestamptz;
BEGIN
	PERFORM wa.refuse_bound();
	PERFORM wa.check_lease(owner, 1, lease);
	PERFORM wa.await_turn('media_scan');
	at := clock_timestamp();
	RETURN QUERY
	UPDATE wa.media_scan s SET lease_owner = take_media_scan.owner, lease_until = at + lease
	WHERE s.one = (
		SELECT l.one FROM wa.media_scan l
		WHERE (l.lease_until IS NULL OR l.lease_until <= at OR l.lease_owner = take_media_scan.owner)
			AND (l.ended_at IS NULL OR l.ended_at <= at - interval '1 day')
		FOR NO KEY UPDATE SKIP LOCKED)
	RETURNING s.behind;
END $$;
COMMENT ON FUNCTION wa.take_media_scan(text, interval) IS
	'takes the scan of the store for `owner`, and returns behind which name it goes on (empty: it begins). No row: another '
	'worker has it, or it came to its end within a day. `22023` (`owner`, `lease` 1 s to 1 h)';

-- Each organization by itself: bytes whose row somebody has locked are left to the next scan.
CREATE FUNCTION wa.claim_unknown_bytes(names jsonb, removes boolean, OUT unknown integer, OUT strange integer)
	LANGUAGE plpgsql STRICT SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	SET lock_timeout = '10ms'
	SET enable_seqscan = off SET enable_bitmapscan = off SET jit = off
AS $$
DECLARE
	unused_max constant integer := 10000;	-- of one organization
	found record;
	claimed integer;
BEGIN
	unknown := 0;
	strange := 0;
	FOR found IN
		SELECT r.organization, array_agg(DISTINCT decode(r.sha256, 'hex')) AS digests, count(*)::integer AS count,
			(SELECT true FROM wa.org o WHERE o.id = r.organization) AS exists
		FROM jsonb_to_recordset(names) AS r (organization uuid, sha256 text)
		GROUP BY r.organization ORDER BY r.organization
	LOOP
		IF found.exists IS NULL THEN
			strange := strange + found.count;
			CONTINUE;
		END IF;
		IF NOT removes THEN
			unknown := unknown + (SELECT count(*) FROM unnest(found.digests) d (digest)
				WHERE NOT EXISTS (SELECT FROM wa.media_bytes b WHERE b.org_id = found.organization AND b.sha256 = d.digest));
			CONTINUE;
		END IF;
		CONTINUE WHEN EXISTS (
			SELECT FROM wa.media_bytes b WHERE b.org_id = found.organization AND b.unused_at IS NOT NULL
			ORDER BY b.unused_at OFFSET unused_max - 1 LIMIT 1);
		BEGIN
			INSERT INTO wa.media_bytes AS b (org_id, sha256, files, uploads, unused_at)
			SELECT found.organization, d.digest, 0, 0, now() FROM unnest(found.digests) d (digest) ORDER BY d.digest
			ON CONFLICT (org_id, sha256) DO UPDATE SET unused_at = now()
			WHERE b.files = 0 AND b.unused_at IS NULL AND b.removal IS NULL AND b.removed_at < now() - interval '1 day';
			GET DIAGNOSTICS claimed = ROW_COUNT;
			unknown := unknown + claimed;
		EXCEPTION WHEN lock_not_available THEN
			NULL;
		END;
	END LOOP;
END $$;
COMMENT ON FUNCTION wa.claim_unknown_bytes(jsonb, boolean) IS
	'for wa.media_scanned(): makes bytes of the store that no row knows unused ones, or only counts them, and returns how many these are, and how many are of organizations that do not exist';

CREATE FUNCTION wa.media_scanned(owner text, names jsonb, behind text, is_end boolean, lease interval) RETURNS TABLE (unknown integer, strange integer)
	LANGUAGE plpgsql SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
	at timestamptz;
	removes boolean;
BEGIN
	PERFORM wa.refuse_bound();
	PERFORM wa.check_lease(owner, 1, lease);
	IF names IS NULL OR jsonb_typeof(names) <> 'array' OR jsonb_array_length(names) > 1000 THEN
		PERFORM wa.refuse_field('names', 'must be an array of at most 1000 objects');
	END IF;
	IF behind IS NULL OR octet_length(behind) > 1024 THEN
		PERFORM wa.refuse_field('behind', 'must be at most 1024 bytes');
	END IF;
	IF is_end IS NULL THEN
		PERFORM wa.refuse_field('is_end', 'must be true or false');
	END IF;
	PERFORM wa.await_turn('media_scan');
	at := clock_timestamp();
	UPDATE wa.media_scan s SET behind = CASE WHEN is_end THEN '' ELSE media_scanned.behind END,
		ended_at = CASE WHEN is_end THEN at ELSE s.ended_at END,
		lease_owner = CASE WHEN NOT is_end THEN s.lease_owner END, lease_until = CASE WHEN NOT is_end THEN at + lease END
	WHERE s.one = (
		SELECT l.one FROM wa.media_scan l WHERE l.lease_owner = media_scanned.owner AND l.lease_until > at FOR NO KEY UPDATE SKIP LOCKED)
	RETURNING s.removes_unknown INTO removes;
	IF FOUND THEN
		RETURN QUERY SELECT c.unknown, c.strange FROM wa.claim_unknown_bytes(names, removes) c;
	END IF;
END $$;
COMMENT ON FUNCTION wa.media_scanned(text, jsonb, text, boolean, interval) IS
	'reports a page of the scan that `owner` has: the names in the store that are older than a day, an array of at most 1000 objects '
	'with `organization` and `sha256` (in hexadecimal digits), behind which name the scan goes on, and whether it has come to its '
	'end. Bytes that no row knows are unused ones from now on, if wa.set_media_scan() has said so. Returns how many these are, at most about 10,000 of one organization '
	'at a time, and how many are of organizations that do not exist; no row: `owner` does not have the scan any more. '
	'`22023` (`owner`, `names`, `behind`, `is_end`, `lease`, a digest that is none)';

CREATE FUNCTION wa.set_media_scan(removes_unknown boolean) RETURNS void
	LANGUAGE plpgsql STRICT SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM wa.refuse_under_key();
	UPDATE wa.media_scan s SET removes_unknown = set_media_scan.removes_unknown;
END $$;
COMMENT ON FUNCTION wa.set_media_scan(boolean) IS
	'whether files in the store that no row knows are removed (`true`) or only counted (`false`, as from the beginning, and after a restore). Say `true` if no other database uses the store';

CREATE FUNCTION wa.stored_bytes_behind(org uuid, digest bytea, max integer) RETURNS SETOF wa.media_bytes
	LANGUAGE plpgsql STABLE STRICT SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	SET enable_seqscan = off SET enable_bitmapscan = off SET enable_sort = off SET jit = off
AS $$
BEGIN
	RETURN QUERY
	SELECT b.* FROM wa.media_bytes b WHERE (b.org_id, b.sha256) > (org, digest) ORDER BY b.org_id, b.sha256 LIMIT max;
END $$;
COMMENT ON FUNCTION wa.stored_bytes_behind(uuid, bytea, integer) IS
	'for wa.take_stored_bytes(): the bytes that come behind these, used or not';

CREATE FUNCTION wa.take_stored_bytes(max integer) RETURNS TABLE (org_id uuid, sha256 bytea, size bigint)
	LANGUAGE plpgsql SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
	place wa.media_scan;
	taken wa.media_bytes[];
BEGIN
	PERFORM wa.refuse_bound();
	IF max IS NULL OR max NOT BETWEEN 1 AND 1000 THEN
		PERFORM wa.refuse_field('max', 'must be between 1 and 1000');
	END IF;
	PERFORM wa.await_turn('media_scan');
	SELECT s.* INTO place FROM wa.media_scan s WHERE s.checked_at IS NULL OR s.checked_at <= now() - interval '7 days'
	FOR NO KEY UPDATE SKIP LOCKED;
	IF NOT FOUND THEN
		RETURN;
	END IF;
	SELECT COALESCE(array_agg(b ORDER BY b.org_id, b.sha256), '{}') INTO taken
	FROM wa.stored_bytes_behind(place.checked_org_id, place.checked_sha256, max) b;
	UPDATE wa.media_scan s SET checked_at = CASE WHEN cardinality(taken) < max THEN now() END,
		checked_org_id = CASE WHEN cardinality(taken) = max THEN taken[max].org_id ELSE '00000000-0000-0000-0000-000000000000' END,
		checked_sha256 = CASE WHEN cardinality(taken) = max THEN taken[max].sha256 ELSE '' END;
	RETURN QUERY SELECT b.org_id, b.sha256, b.size FROM unnest(taken) b WHERE b.files > 0;
END $$;
COMMENT ON FUNCTION wa.take_stored_bytes(integer) IS
	'takes bytes that the store has to have, because files are of them, of `max` rows: each call those behind the ones of the call '
	'before. No row also when another call is under way, and for 7 days after the last bytes. `22023` (`max` 1 to 1000)';
