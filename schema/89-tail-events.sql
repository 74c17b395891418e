-- What administrators see of the events of an organization: that something happens, and when.
-- The envelope is not shown.  It has what people write to each other, and that of an auth.* event
-- is enough to take a session over.  Whoever needs it makes a key of the organization, which its
-- audit log then has.

CREATE FUNCTION wa.tail_events(org wa.org_id, behind uuid DEFAULT NULL, types text[] DEFAULT NULL, max integer DEFAULT 100)
	RETURNS TABLE (id uuid, type text, session wa.session_id, at timestamptz)
	LANGUAGE plpgsql SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
	since record;
	wanted constant text[] := CASE WHEN NOT '*' = ANY (types) THEN types END;
BEGIN
	PERFORM wa.refuse_under_key();
	PERFORM wa.refuse_unknown_org(org);
	PERFORM wa.check_event_types(types, 'types');
	IF (max BETWEEN 1 AND 1000) IS NOT TRUE THEN
		PERFORM wa.refuse_field('max', 'must be between 1 and 1000');
	END IF;
	PERFORM wa.observe_writers();
	IF behind IS NULL THEN
		RETURN QUERY
		SELECT latest.id, CASE WHEN wanted IS NULL OR latest.type = ANY (wanted) THEN latest.type END, latest.session_id::wa.session_id, latest.created_at
		FROM (SELECT e.* FROM wa.event e, wa.event_horizon(org) horizon
			WHERE e.org_id = org AND (e.epoch, e.ordinal) < (horizon.epoch, horizon.ordinal)
			ORDER BY e.epoch DESC, e.ordinal DESC, e.id DESC LIMIT max) latest
		ORDER BY latest.epoch, latest.ordinal, latest.id;
		RETURN;
	END IF;
	SELECT e.epoch, e.ordinal, e.id INTO since FROM wa.event e WHERE e.org_id = org AND e.id = behind
	UNION ALL SELECT o.expired_epoch, o.expired_ordinal, o.expired_event FROM wa.org o WHERE o.id = org AND o.expired_event = behind
	UNION ALL SELECT 0, 0, behind WHERE behind = '00000000-0000-0000-0000-000000000000' LIMIT 1;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'event is not known, or not kept any more' USING ERRCODE = 'WA001';
	END IF;
	RETURN QUERY
	SELECT e.id, CASE WHEN wanted IS NULL OR e.type = ANY (wanted) THEN e.type END, e.session_id::wa.session_id, e.created_at
	FROM wa.event e, wa.event_horizon(org) horizon
	WHERE e.org_id = org AND (e.epoch, e.ordinal, e.id) > (since.epoch, since.ordinal, since.id)
		AND (e.epoch, e.ordinal) < (horizon.epoch, horizon.ordinal)
	ORDER BY e.epoch, e.ordinal, e.id LIMIT max;
END $$;
COMMENT ON FUNCTION wa.tail_events(wa.org_id, uuid, text[], integer) IS
	'which events of an organization come behind one of them, or behind none if it is all zeros, or the latest `max` (1 to 1000) for NULL: in order, each once, '
	'however late its transaction commits. What they say is not shown. `type` is NULL for an event of another type than `types`, by whose id to go on. '
	'`22023` (`types`, `max`), `P0002`, `WA001` (the event is not kept)';
