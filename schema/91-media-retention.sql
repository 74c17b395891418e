-- How long files are kept.  A file is removed when no message carries it any more: at once when
-- the last one is deleted or revoked, and after 7 days if none ever did.  An organization may
-- keep its files for a shorter time than its messages (wa.set_media_days()).

-- Runs as wa_claim, which sees the files of deleted sessions.
CREATE FUNCTION wa.note_unused_media() RETURNS trigger
	LANGUAGE plpgsql SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	UPDATE wa.media f SET unused_at = now() WHERE f.org_id = OLD.org_id AND f.id = OLD.media_id;
	RETURN NULL;
END $$;
COMMENT ON FUNCTION wa.note_unused_media() IS 'trigger: has wa.free_media() look whether another message carries the file';
CREATE TRIGGER message_deleted_media AFTER DELETE ON wa.message
	FOR EACH ROW WHEN (OLD.media_id IS NOT NULL) EXECUTE FUNCTION wa.note_unused_media();
COMMENT ON TRIGGER message_deleted_media ON wa.message IS 'its file may be one that no message carries';
CREATE TRIGGER message_changed_media AFTER UPDATE OF media_id ON wa.message
	FOR EACH ROW WHEN (OLD.media_id IS NOT NULL AND NEW.media_id IS DISTINCT FROM OLD.media_id)
	EXECUTE FUNCTION wa.note_unused_media();
COMMENT ON TRIGGER message_changed_media ON wa.message IS 'its file may be one that no message carries';

-- Whoever writes a message holds a lock on its file (wa.find_media(), or the foreign key), so
-- that its file is skipped here, and a message that is committed is seen by the next statement.
CREATE FUNCTION wa.free_media(org uuid, max integer) RETURNS integer
	LANGUAGE plpgsql STRICT
AS $$
DECLARE
	file record;
	seen integer := 0;
BEGIN
	-- One by one, and by the place of the row, which is locked: a join, or another index that
	-- begins with the organization, may be one of all its files.
	FOR file IN
		SELECT f.id, f.ctid AS place FROM wa.media f WHERE f.org_id = org AND f.unused_at <= now()
		ORDER BY f.unused_at LIMIT max FOR UPDATE SKIP LOCKED
	LOOP
		seen := seen + 1;
		PERFORM FROM wa.message m WHERE m.org_id = org AND m.media_id = file.id LIMIT 1;
		IF FOUND THEN
			UPDATE wa.media f SET unused_at = NULL WHERE f.ctid = file.place;
		ELSE
			DELETE FROM wa.media f WHERE f.ctid = file.place;
		END IF;
	END LOOP;
	RETURN seen;
END $$;
COMMENT ON FUNCTION wa.free_media(uuid, integer) IS
	'for function bodies of wa_claim: removes files of an organization that no message carries, and returns at how many it has looked';

-- A plan with the values of the array would prefer the index of the queue, with all that the
-- organization has queued.
CREATE FUNCTION wa.is_media_in_use(org uuid, file uuid, state text) RETURNS boolean
	LANGUAGE plpgsql STABLE STRICT
	SET plan_cache_mode = force_generic_plan
AS $$
DECLARE
	unsent constant text[] := '{queued,sending}';
BEGIN
	IF state = 'stored' THEN
		PERFORM FROM wa.message m
		WHERE m.org_id = org AND m.media_id = file AND COALESCE(m.media ->> 'state', '') = ANY ('{"",pending,stored,failed}')
			AND m.status = ANY (unsent)
		LIMIT 1;
	ELSE
		PERFORM FROM wa.media_fetch t
		WHERE t.org_id = org AND t.media_id = file AND t.lease_owner IS NOT NULL AND t.lease_until > now();
	END IF;
	RETURN FOUND;
END $$;
COMMENT ON FUNCTION wa.is_media_in_use(uuid, uuid, text) IS
	'for function bodies of wa_claim: whether a stored file is still to be sent, or a pending one is being fetched';

CREATE FUNCTION wa.expiry_reason(org uuid, file uuid, state text) RETURNS text
	LANGUAGE plpgsql STABLE STRICT
AS $$
DECLARE
	of_url constant boolean := (SELECT t.url IS NOT NULL FROM wa.media_fetch t WHERE t.org_id = org AND t.media_id = file);
BEGIN
	RETURN CASE
		WHEN state = 'stored' THEN format('it was kept for %s days', (SELECT o.media_days FROM wa.org o WHERE o.id = org))
		WHEN NOT of_url AND NOT wa.has_received_room(org, 1) THEN wa.received_room_error(org)
		WHEN of_url AND NOT wa.has_media_room(org, 1) THEN wa.media_room_error(org)
		ELSE 'the session did not fetch it in time' END;
END $$;
COMMENT ON FUNCTION wa.expiry_reason(uuid, uuid, text) IS
	'for function bodies of wa_claim: why a file expires that was kept for long enough, or was not fetched';

-- The messages that show a file are written before its row, as many in a call as their events
-- allow.  A message that waits for its file fails with it.  A file that is fetched at this moment,
-- or of which bytes are still to be sent, is looked at again a day later, so that a call reads no
-- more than it may write, however many of these there are.
CREATE FUNCTION wa.expire_media(org uuid, kept text, cutoff timestamptz, max integer) RETURNS integer
	LANGUAGE plpgsql STRICT
AS $$
DECLARE
	holding constant boolean := wa.hold_events();
	file record;
	reason text;
	written integer := 0;
	changed integer;
BEGIN
	FOR file IN
		SELECT f.id, f.ctid AS place FROM wa.media f WHERE f.org_id = org AND f.state = kept AND f.kept_from < cutoff
		ORDER BY f.kept_from LIMIT max FOR NO KEY UPDATE SKIP LOCKED
	LOOP
		EXIT WHEN written >= max;
		IF wa.is_media_in_use(org, file.id, kept) THEN
			UPDATE wa.media f SET kept_from = cutoff + interval '1 day' WHERE f.ctid = file.place;
			written := written + 1;
			CONTINUE;
		END IF;
		reason := wa.expiry_reason(org, file.id, kept);
		WITH showing AS (
			SELECT m.id, COALESCE(m.status = 'queued' AND m.lease_until = 'infinity', false) AS waits FROM wa.message m
			WHERE m.org_id = org AND m.media_id = file.id AND COALESCE(m.media ->> 'state', '') = ANY ('{"",pending,stored,failed}')
			LIMIT max - written FOR NO KEY UPDATE)
		UPDATE wa.message m SET media = m.media || jsonb_build_object('state', 'expired', 'error', reason),
			status = CASE WHEN s.waits THEN 'failed' ELSE m.status END,
			error = CASE WHEN s.waits THEN 'the file could not be fetched: ' || reason ELSE m.error END,
			lease_until = CASE WHEN NOT s.waits THEN m.lease_until END
		FROM showing s WHERE m.org_id = org AND m.id = s.id;
		GET DIAGNOSTICS changed = ROW_COUNT;
		written := written + changed;
		EXIT WHEN written >= max;
		UPDATE wa.media f SET state = 'expired', sha256 = NULL, size = NULL, error = reason WHERE f.ctid = file.place;
		DELETE FROM wa.media_fetch t WHERE t.org_id = org AND t.media_id = file.id;
		written := written + 1;
	END LOOP;
	PERFORM wa.write_claimed_events();
	RETURN written;
END $$;
COMMENT ON FUNCTION wa.expire_media(uuid, text, timestamptz, integer) IS
	'for function bodies of wa_claim: makes files of an organization that are in this state and older than this expired, and the messages that show them, and returns how many rows it wrote';

-- A call looks at 500 organizations, and goes on behind the last one.  It has the bounds of
-- wa.sweep_unsent(), because each message that loses its file is an event.  Files are removed
-- last: uploads of their organization wait from then on until the call ends.  Each look is one
-- along an index, and never a join, which would read the files of all.
CREATE FUNCTION wa.sweep_media(behind uuid, max integer, OUT gone integer, OUT last uuid)
	LANGUAGE plpgsql STRICT SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	SET lock_timeout = '10ms'
	SET enable_seqscan = off SET enable_bitmapscan = off SET enable_sort = off SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off
AS $$
DECLARE
	pending_cutoff constant timestamptz := now() - wa.fetch_days() * interval '1 day' - interval '1 hour';
	orgs constant uuid[] := wa.orgs_behind(behind);
	swept record;
	rows_left integer := wa.event_rows_max();
	gone_before integer;
	expired integer;
	removed integer := 0;
	complete boolean := true;
BEGIN
	gone := 0;
	FOR swept IN
		SELECT o.id AS org_id, o.media_days, now() - o.media_days * interval '1 day' AS cutoff
		FROM unnest(orgs) WITH ORDINALITY turn (id, nth) JOIN wa.org o ON o.id = turn.id
		WHERE (SELECT true FROM wa.media f WHERE f.org_id = o.id AND f.state = 'pending' AND f.kept_from < pending_cutoff LIMIT 1)
			OR (SELECT true FROM wa.media f WHERE f.org_id = o.id AND f.state = 'stored' AND f.kept_from < now() - o.media_days * interval '1 day' LIMIT 1)
		ORDER BY turn.nth
	LOOP
		complete := gone < max AND rows_left > 0 AND wa.event_room() > 0;
		EXIT WHEN NOT complete;
		last := swept.org_id;
		gone_before := gone;
		BEGIN
			expired := wa.expire_media(swept.org_id, 'pending', pending_cutoff, wa.events_at_once(swept.org_id, max, rows_left));
			rows_left := rows_left - expired * wa.event_rows(swept.org_id);
			gone := gone + expired;
			IF swept.media_days IS NOT NULL AND rows_left > 0 THEN
				expired := wa.expire_media(swept.org_id, 'stored', swept.cutoff, wa.events_at_once(swept.org_id, max, rows_left));
				rows_left := rows_left - expired * wa.event_rows(swept.org_id);
				gone := gone + expired;
			END IF;
		EXCEPTION WHEN lock_not_available OR foreign_key_violation THEN
			gone := gone_before;
		END;
	END LOOP;
	IF complete THEN
		last := orgs[cardinality(orgs)];
	END IF;
	FOR swept IN
		SELECT turn.id AS org_id FROM unnest(orgs) WITH ORDINALITY turn (id, nth)
		WHERE turn.nth <= array_position(orgs, last)
			AND (SELECT true FROM wa.media f WHERE f.org_id = turn.id AND f.unused_at <= now() LIMIT 1)
		ORDER BY turn.nth
	LOOP
		BEGIN
			removed := removed + wa.free_media(swept.org_id, max - removed);
		EXCEPTION WHEN lock_not_available OR foreign_key_violation THEN
			NULL;
		END;
		IF removed >= max THEN
			last := swept.org_id;
			EXIT;
		END IF;
	END LOOP;
	gone := gone + removed;
END $$;
COMMENT ON FUNCTION wa.sweep_media(uuid, integer) IS
	'for wa.housekeep(): removes files that no message carries, lets others expire, and returns how many rows it wrote and where it ended';

CREATE FUNCTION wa.set_media_days(org wa.org_id, days integer) RETURNS void
	LANGUAGE plpgsql SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM wa.refuse_under_key();
	IF days NOT BETWEEN 1 AND 3650 THEN
		PERFORM wa.refuse_field('days', 'must be between 1 and 3650');
	END IF;
	UPDATE wa.org o SET media_days = days WHERE o.id = org;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'organization does not exist' USING ERRCODE = 'no_data_found';
	END IF;
	PERFORM wa.note(org, 'org.changed', org, jsonb_build_object('mediaDays', days));
END $$;
COMMENT ON FUNCTION wa.set_media_days(wa.org_id, integer) IS
	'how many days an organization''s files are kept, 1 to 3650; NULL: as long as the messages that carry them. `22023` (`days`), `P0002`';
