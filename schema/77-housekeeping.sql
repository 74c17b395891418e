-- Housekeeping deletes what is over, a few rows at a time, so that no transaction delays
-- others.  The worker calls wa.housekeep() again as long as it finds something.  Rows that
-- somebody has locked stay until a later call, so that no organization delays the others.

-- The lowest id that could have been made at that time.
CREATE FUNCTION wa.uuid7_floor(at timestamptz) RETURNS uuid
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
	AS $$ SELECT (lpad(to_hex(wa.epoch_ms(at)), 12, '0') || repeat('0', 20))::uuid $$;
COMMENT ON FUNCTION wa.uuid7_floor(timestamptz) IS 'for function bodies: below every UUIDv7 that was made at this time or after it';

-- Events are deleted only from the beginning of the log.  A reader whose position is at or
-- after the last deleted one has lost nothing, and every other reader is told to start again.
-- An open delivery of a deleted event stores its envelope.
CREATE FUNCTION wa.expire_events_of(org uuid, cutoff timestamptz, max integer) RETURNS integer
	LANGUAGE plpgsql
AS $$
DECLARE
	expired uuid[];
BEGIN
	SELECT array_agg(front.id) INTO expired FROM (
		SELECT e.id, bool_and(e.created_at < cutoff) OVER (ORDER BY e.epoch, e.ordinal, e.id) AS old
		FROM (SELECT * FROM wa.event e WHERE e.org_id = org ORDER BY e.epoch, e.ordinal, e.id LIMIT max) e) front
	WHERE front.old;
	IF expired IS NULL THEN
		RETURN 0;
	END IF;
	PERFORM FROM wa.org o WHERE o.id = org FOR NO KEY UPDATE NOWAIT;
	PERFORM FROM wa.event e WHERE e.org_id = org AND e.id = ANY (expired) FOR UPDATE NOWAIT;
	PERFORM FROM wa.delivery d
	WHERE d.org_id = org AND d.status <> 'delivered' AND d.envelope IS NULL AND d.event_id = ANY (expired)
	FOR NO KEY UPDATE NOWAIT;
	-- A reader who still reads from an earlier position has missed something and is told so.
	UPDATE wa.org o SET (expired_epoch, expired_ordinal, expired_event) = (
		SELECT e.epoch, e.ordinal, e.id FROM wa.event e WHERE e.org_id = org AND e.id = ANY (expired)
		ORDER BY e.epoch DESC, e.ordinal DESC, e.id DESC LIMIT 1)
	WHERE o.id = org;
	UPDATE wa.delivery d SET envelope = e.envelope
	FROM wa.event e
	WHERE d.org_id = org AND d.status <> 'delivered' AND d.envelope IS NULL
		AND d.event_id = ANY (expired) AND e.org_id = org AND e.id = d.event_id;
	DELETE FROM wa.event e WHERE e.org_id = org AND e.id = ANY (expired);
	RETURN cardinality(expired);
EXCEPTION WHEN lock_not_available THEN
	-- If any of these rows is locked, all of them stay until the next call.
	RETURN 0;
END $$;
COMMENT ON FUNCTION wa.expire_events_of(uuid, timestamptz, integer) IS
	'for function bodies: removes an organization''s events from before this time, and returns how many; none while somebody has locked what goes with them';

CREATE FUNCTION wa.expire_events(max integer) RETURNS integer
	LANGUAGE plpgsql
AS $$
DECLARE
	organization record;
	gone integer := 0;
BEGIN
	FOR organization IN SELECT o.id, clock_timestamp() - o.event_days * interval '1 day' AS cutoff FROM wa.org o LOOP
		-- Most organizations have nothing to delete: one look at the beginning of each log.
		CONTINUE WHEN NOT COALESCE((
			SELECT e.created_at < organization.cutoff FROM wa.event e WHERE e.org_id = organization.id
			ORDER BY e.epoch, e.ordinal, e.id LIMIT 1), false);
		gone := gone + wa.expire_events_of(organization.id, organization.cutoff, max - gone);
		EXIT WHEN gone >= max;
	END LOOP;
	RETURN gone;
END $$;
COMMENT ON FUNCTION wa.expire_events(integer) IS
	'for function bodies: removes events that are older than their organization keeps them, and returns how many';

-- The deliveries of a webhook are found by their ids, which ascend with time.  Open
-- deliveries are deleted only if their webhook is gone.  With the last delivery of a deleted
-- webhook its lane is deleted too.
CREATE FUNCTION wa.expire_deliveries(max integer) RETURNS integer
	LANGUAGE plpgsql
AS $$
DECLARE
	lane record;
	removed integer;
	gone integer := 0;
BEGIN
	FOR lane IN
		WITH RECURSIVE lanes AS (
			(SELECT d.org_id, d.webhook_id FROM wa.delivery d ORDER BY d.org_id, d.webhook_id LIMIT 1)
			UNION ALL
			SELECT next.org_id, next.webhook_id
			FROM lanes CROSS JOIN LATERAL (
				SELECT d.org_id, d.webhook_id FROM wa.delivery d
				WHERE (d.org_id, d.webhook_id) > (lanes.org_id, lanes.webhook_id)
				ORDER BY d.org_id, d.webhook_id LIMIT 1) next)
		SELECT l.org_id, l.webhook_id, COALESCE(w.active, false) AS active,
			CASE WHEN w.id IS NULL THEN 'ffffffff-ffff-ffff-ffff-ffffffffffff'
				ELSE wa.uuid7_floor(clock_timestamp() - o.event_days * interval '1 day') END AS behind
		FROM lanes l JOIN wa.org o ON o.id = l.org_id
			LEFT JOIN wa.webhook w ON w.org_id = l.org_id AND w.id = l.webhook_id
	LOOP
		WITH over AS (
			SELECT old.id FROM wa.delivery old
			WHERE old.org_id = lane.org_id AND old.webhook_id = lane.webhook_id AND old.id < lane.behind
				AND (NOT lane.active OR old.status IN ('delivered', 'dead'))
			ORDER BY old.id LIMIT max - gone
			FOR UPDATE SKIP LOCKED)
		DELETE FROM wa.delivery d USING over
		WHERE d.org_id = lane.org_id AND d.webhook_id = lane.webhook_id AND d.id = over.id;
		GET DIAGNOSTICS removed = ROW_COUNT;
		gone := gone + removed;
		EXIT WHEN gone >= max;
	END LOOP;
	WITH over AS (
		SELECT l.org_id, l.webhook_id FROM wa.webhook_lane l
		WHERE NOT EXISTS (SELECT FROM wa.webhook w WHERE w.org_id = l.org_id AND w.id = l.webhook_id)
			AND NOT EXISTS (SELECT FROM wa.delivery d WHERE d.org_id = l.org_id AND d.webhook_id = l.webhook_id)
		LIMIT max
		FOR UPDATE OF l SKIP LOCKED)
	DELETE FROM wa.webhook_lane l USING over WHERE l.org_id = over.org_id AND l.webhook_id = over.webhook_id;
	RETURN gone;
END $$;
COMMENT ON FUNCTION wa.expire_deliveries(integer) IS
	'for function bodies: removes deliveries that are over and older than their organization keeps events, and those of webhooks that are gone; returns how many';

-- Tables whose rows each have a time at which they are over.  The rows are found by
-- organization, along an index that begins with it.
CREATE FUNCTION wa.expire_rows(task text, max integer) RETURNS integer
	LANGUAGE plpgsql
AS $$
DECLARE
	org uuid;
	removed integer;
	gone integer := 0;
BEGIN
	FOR org IN SELECT o.id FROM wa.org o LOOP
		CASE task
			WHEN 'tickets' THEN
				WITH over AS (
					SELECT old.id FROM wa.ticket old
					WHERE old.org_id = org AND old.expires_at < clock_timestamp() - interval '1 minute'
					ORDER BY old.expires_at LIMIT max - gone FOR UPDATE SKIP LOCKED)
				DELETE FROM wa.ticket t USING over WHERE t.org_id = org AND t.id = over.id;
			WHEN 'sockets' THEN
				WITH over AS (
					SELECT old.id FROM wa.realtime old WHERE old.org_id = org AND old.expires_at < clock_timestamp()
					ORDER BY old.expires_at LIMIT max - gone FOR UPDATE SKIP LOCKED)
				DELETE FROM wa.realtime r USING over WHERE r.org_id = org AND r.id = over.id;
			WHEN 'user_tokens' THEN
				WITH over AS (
					SELECT old.digest FROM wa.user_token old WHERE old.org_id = org AND old.expires_at < clock_timestamp()
					ORDER BY old.expires_at LIMIT max - gone FOR UPDATE SKIP LOCKED)
				DELETE FROM wa.user_token t USING over WHERE t.org_id = org AND t.digest = over.digest;
			WHEN 'idempotency' THEN
				WITH over AS (
					SELECT old.key FROM wa.idempotency old
					WHERE old.org_id = org AND old.created_at < clock_timestamp() - interval '24 hours'
					ORDER BY old.created_at LIMIT max - gone FOR UPDATE SKIP LOCKED)
				DELETE FROM wa.idempotency i USING over WHERE i.org_id = org AND i.key = over.key;
		END CASE;
		GET DIAGNOSTICS removed = ROW_COUNT;
		gone := gone + removed;
		EXIT WHEN gone >= max;
	END LOOP;
	RETURN gone;
END $$;
COMMENT ON FUNCTION wa.expire_rows(text, integer) IS
	'for function bodies: removes rows of one table that are over, and returns how many';

-- These three functions run as wa_claim, which sees the sessions that are hidden from
-- everybody else.  The messages of a deleted session are deleted first, because everything
-- else that can be many is deleted with them or with their chats by foreign keys.  The
-- session's own row is deleted last.  Rows that are deleted by a foreign key cannot be
-- skipped, so a session that has a locked row is left until the next call.
CREATE FUNCTION wa.sweep_deleted_sessions(max integer) RETURNS integer
	LANGUAGE plpgsql STRICT SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	SET lock_timeout = '10ms'
AS $$
DECLARE
	swept record;
	removed integer;
	gone integer := 0;
	gone_before integer;
BEGIN
	FOR swept IN SELECT d.org_id, d.id FROM wa.deleted_session d ORDER BY d.org_id, d.id FOR UPDATE SKIP LOCKED LOOP
		gone_before := gone;
		BEGIN
			DELETE FROM wa.message m WHERE m.org_id = swept.org_id AND m.id IN (
				SELECT old.id FROM wa.message old WHERE old.org_id = swept.org_id AND old.session_id = swept.id
				ORDER BY old.chat_jid, old.sent_at DESC, old.id DESC LIMIT max - gone);
			GET DIAGNOSTICS removed = ROW_COUNT;
			gone := gone + removed;
			EXIT WHEN gone >= max;
			DELETE FROM wa.chat c WHERE c.org_id = swept.org_id AND c.session_id = swept.id AND c.jid IN (
				SELECT old.jid FROM wa.chat old WHERE old.org_id = swept.org_id AND old.session_id = swept.id
				ORDER BY old.jid LIMIT max - gone);
			GET DIAGNOSTICS removed = ROW_COUNT;
			gone := gone + removed;
			EXIT WHEN gone >= max;
			DELETE FROM wa.contact c WHERE c.org_id = swept.org_id AND c.session_id = swept.id AND c.jid IN (
				SELECT old.jid FROM wa.contact old WHERE old.org_id = swept.org_id AND old.session_id = swept.id
				ORDER BY old.jid LIMIT max - gone);
			GET DIAGNOSTICS removed = ROW_COUNT;
			gone := gone + removed;
			EXIT WHEN gone >= max;
			DELETE FROM wa.session s WHERE s.org_id = swept.org_id AND s.id = swept.id;
			gone := gone + 1;
		EXCEPTION WHEN lock_not_available THEN
			gone := gone_before;
		END;
	END LOOP;
	RETURN gone;
END $$;
COMMENT ON FUNCTION wa.sweep_deleted_sessions(integer) IS
	'for wa.housekeep(): removes rows of deleted sessions, and returns how many';

CREATE FUNCTION wa.sweep_read_chats(max integer) RETURNS integer
	LANGUAGE plpgsql STRICT SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	SET lock_timeout = '10ms'
AS $$
DECLARE
	swept record;
	marked integer;
	gone integer := 0;
	gone_before integer;
BEGIN
	FOR swept IN
		SELECT c.org_id, c.session_id, c.jid, c.read_to FROM wa.chat c WHERE c.read_to IS NOT NULL
		ORDER BY c.org_id, c.session_id, c.jid FOR NO KEY UPDATE SKIP LOCKED
	LOOP
		gone_before := gone;
		BEGIN
			UPDATE wa.message m SET status = 'read' WHERE m.org_id = swept.org_id AND m.id IN (
				SELECT old.id FROM wa.message old
				WHERE old.org_id = swept.org_id AND old.session_id = swept.session_id AND old.chat_jid = swept.jid
					AND old.direction = 'in' AND old.status = 'delivered' AND old.id <= swept.read_to
				ORDER BY old.id LIMIT max - gone);
			GET DIAGNOSTICS marked = ROW_COUNT;
			gone := gone + marked;
			EXIT WHEN gone >= max;
			UPDATE wa.chat c SET read_to = NULL
			WHERE c.org_id = swept.org_id AND c.session_id = swept.session_id AND c.jid = swept.jid;
			gone := gone + 1;
		EXCEPTION WHEN lock_not_available THEN
			gone := gone_before;
		END;
	END LOOP;
	RETURN gone;
END $$;
COMMENT ON FUNCTION wa.sweep_read_chats(integer) IS
	'for wa.housekeep(): marks messages of chats that were read, and returns how many it wrote';

-- A session's mark is removed when nothing is left and nobody can add to it: a transaction
-- that queues a message holds a lock on the session (wa.find_session()), and may have read an
-- earlier pairing.
CREATE FUNCTION wa.sweep_unsent(max integer) RETURNS integer
	LANGUAGE plpgsql STRICT SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	SET lock_timeout = '10ms'
AS $$
DECLARE
	swept record;
	gone integer := 0;
	gone_before integer;
BEGIN
	FOR swept IN
		SELECT s.org_id, s.id, s.pairing FROM wa.session s WHERE s.queue_error IS NOT NULL AND s.deleted_at IS NULL
		ORDER BY s.org_id, s.id
	LOOP
		gone_before := gone;
		BEGIN
			gone := gone + wa.fail_unsent(swept.org_id, swept.id, max - gone);
			EXIT WHEN gone >= max;
			PERFORM FROM wa.session s
			WHERE s.org_id = swept.org_id AND s.id = swept.id AND s.pairing = swept.pairing FOR UPDATE SKIP LOCKED;
			CONTINUE WHEN NOT FOUND
				OR EXISTS (SELECT FROM wa.message m WHERE m.org_id = swept.org_id AND m.session_id = swept.id
						   AND m.pairing < swept.pairing AND m.status IN ('queued', 'sending'))
				OR EXISTS (SELECT FROM wa.message_action a WHERE a.org_id = swept.org_id AND a.session_id = swept.id
						   AND a.pairing < swept.pairing AND a.status IN ('queued', 'sending'));
			UPDATE wa.session s SET queue_error = NULL WHERE s.org_id = swept.org_id AND s.id = swept.id;
			gone := gone + 1;
		EXCEPTION WHEN lock_not_available THEN
			gone := gone_before;
		END;
	END LOOP;
	RETURN gone;
END $$;
COMMENT ON FUNCTION wa.sweep_unsent(integer) IS
	'for wa.housekeep(): fails what earlier pairings of sessions have left in the queue, and returns how many it wrote';

CREATE FUNCTION wa.housekeep(task text, max integer DEFAULT 1000) RETURNS integer
	LANGUAGE plpgsql SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	gone integer;
BEGIN
	PERFORM wa.refuse_bound();
	IF max IS NULL OR max < 1 OR max > 10000 THEN
		PERFORM wa.refuse_field('max', 'must be between 1 and 10000');
	END IF;
	IF task IN ('tickets', 'sockets', 'user_tokens', 'idempotency') THEN
		RETURN wa.expire_rows(task, max);
	ELSIF task = 'events' THEN
		RETURN wa.expire_events(max);
	ELSIF task = 'deliveries' THEN
		RETURN wa.expire_deliveries(max);
	ELSIF task = 'deleted_sessions' THEN
		RETURN wa.sweep_deleted_sessions(max);
	ELSIF task = 'read_chats' THEN
		RETURN wa.sweep_read_chats(max);
	ELSIF task = 'unsent' THEN
		RETURN wa.sweep_unsent(max);
	ELSIF task = 'sign_ins' THEN
		-- Kept for a month, so that people can see where they were signed in.
		WITH over AS (
			SELECT old.user_id, old.id FROM wa.sign_in old
			WHERE old.expires_at < clock_timestamp() - interval '30 days' ORDER BY old.expires_at LIMIT max
			FOR UPDATE SKIP LOCKED)
		DELETE FROM wa.sign_in s USING over WHERE s.user_id = over.user_id AND s.id = over.id;
		GET DIAGNOSTICS gone = ROW_COUNT;
		-- No sign-in lasts this long.
		DELETE FROM wa.ended_sign_in e WHERE e.at < clock_timestamp() - interval '30 days';
		RETURN gone;
	END IF;
	PERFORM wa.refuse_field('task', 'must be events, deliveries, tickets, sockets, user_tokens, sign_ins, idempotency, deleted_sessions, read_chats or unsent');
END $$;
COMMENT ON FUNCTION wa.housekeep(text, integer) IS
	'removes at most so many rows that are over, in every organization, and returns how many; to be called again until it returns 0';
