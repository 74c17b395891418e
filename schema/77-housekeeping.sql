-- Housekeeping deletes what is over, a few rows at a time, so that no transaction delays
-- others.  The worker calls wa.housekeep() again as long as it finds something.  Rows that
-- somebody has locked stay until a later call, so that no organization delays the others.
--
-- A task that searches by organization looks at 500 of them in a call.  The next call
-- goes on after the last one, and begins again after all.  So a call costs the same however
-- many organizations there are.  With 100,000, a worker with the default period comes to
-- each within two hours.
--
-- A call that is full ends at the organization that has filled it, and goes on behind it.  What
-- is left there is the first thing that the next call does, with half of what a call may remove.
-- So one organization's backlog is worked off without a pause, and keeps nobody from a turn.
--
-- A time is compared with a variable: clock_timestamp() may be another one for each row, so an
-- index would be read to its end, through everything that is not over yet.

CREATE TABLE wa.housekeeping_place (
	task text NOT NULL,
	org_id uuid NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000',
	webhook_id uuid NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000',
	backlog_org uuid,
	PRIMARY KEY (task)
);
COMMENT ON TABLE wa.housekeeping_place IS 'whose turn it is at a task of housekeeping, by a lock of its row, and where a task goes on that looks at some organizations in a call. Part of no dump';
COMMENT ON COLUMN wa.housekeeping_place.task IS 'what is looked for';
COMMENT ON COLUMN wa.housekeeping_place.org_id IS 'the last organization whose turn it was; it may be gone by now';
COMMENT ON COLUMN wa.housekeeping_place.webhook_id IS 'the last webhook of that organization, where the task looks at webhooks';
COMMENT ON COLUMN wa.housekeeping_place.backlog_org IS 'an organization that had more than a call may remove';
INSERT INTO wa.housekeeping_place (task) VALUES
	('events'), ('deliveries'), ('lanes'), ('tickets'), ('sockets'), ('user_tokens'), ('sign_ins'), ('idempotency'),
	('key_warnings'), ('ends'), ('key_hours'), ('deleted_sessions'), ('read_chats'), ('unsent'), ('media'), ('media_bytes'), ('media_scan'), ('key_usage'), ('failed_sign_ins'), ('audit');
ALTER TABLE wa.housekeeping_place ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY wa_owner_open ON wa.housekeeping_place TO wa_owner USING (true);

-- Workers take turns at a task, in the order in which they ask.  Somebody who has stolen the
-- login of one could otherwise keep all that is over locked, by one connection after another,
-- and the others would never find anything.  A transaction keeps its turn for about a second
-- after its work (src/session_watch.c).  A worker that has waited for too long goes on without
-- a turn, with the rows that nobody has locked.
CREATE FUNCTION wa.await_turn(task text) RETURNS void
	LANGUAGE plpgsql STRICT
	SET lock_timeout = '10s'
AS $$
BEGIN
	PERFORM FROM wa.housekeeping_place p WHERE p.task = await_turn.task FOR NO KEY UPDATE;
EXCEPTION WHEN lock_not_available THEN
	NULL;
END $$;
COMMENT ON FUNCTION wa.await_turn(text) IS 'for wa.housekeep() and wa.flush_key_usage(): waits until no other transaction is at a task, for ten seconds at most';

-- Without a turn a worker begins anywhere.
CREATE FUNCTION wa.take_place(task text) RETURNS wa.housekeeping_place
	LANGUAGE plpgsql STRICT
AS $$
DECLARE
	place wa.housekeeping_place;
BEGIN
	SELECT p.* INTO place FROM wa.housekeeping_place p WHERE p.task = take_place.task FOR NO KEY UPDATE SKIP LOCKED;
	IF NOT FOUND THEN
		place.task := take_place.task;
		place.org_id := wa.random_uuid((SELECT o.id FROM wa.org o ORDER BY o.id LIMIT 1), (SELECT o.id FROM wa.org o ORDER BY o.id DESC LIMIT 1));
		place.webhook_id := '00000000-0000-0000-0000-000000000000';
	END IF;
	RETURN place;
END $$;
COMMENT ON FUNCTION wa.take_place(text) IS 'for function bodies: locks and returns where a task goes on, or any place while another transaction has it';

CREATE FUNCTION wa.put_place(task text, org uuid, webhook uuid, backlog uuid DEFAULT NULL) RETURNS void
	LANGUAGE sql
AS $$
	UPDATE wa.housekeeping_place p SET org_id = org, webhook_id = webhook, backlog_org = backlog
	WHERE p.task = (SELECT l.task FROM wa.housekeeping_place l WHERE l.task = put_place.task
			AND (l.org_id, l.webhook_id, l.backlog_org) IS DISTINCT FROM (org, webhook, backlog) FOR NO KEY UPDATE SKIP LOCKED)
$$;
COMMENT ON FUNCTION wa.put_place(text, uuid, uuid, uuid) IS 'for function bodies: notes where a task goes on, unless another transaction has that locked';

CREATE FUNCTION wa.orgs_behind(org uuid) RETURNS uuid[]
	LANGUAGE sql STABLE STRICT PARALLEL RESTRICTED
AS $$
	SELECT ARRAY(
		SELECT turn.id FROM (
			(SELECT 1 AS round, o.id FROM wa.org o WHERE o.id > org ORDER BY o.id LIMIT 500)
			UNION ALL
			(SELECT 2, o.id FROM wa.org o WHERE o.id <= org ORDER BY o.id LIMIT 500)) turn
		ORDER BY turn.round, turn.id LIMIT 500)
$$;
COMMENT ON FUNCTION wa.orgs_behind(uuid) IS 'for function bodies: the 500 organizations whose turn it is behind this one, which comes last';

-- The lowest id that could have been made at that time.
CREATE FUNCTION wa.uuid7_floor(at timestamptz) RETURNS uuid
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
	AS $$ SELECT (lpad(to_hex(wa.epoch_ms(at)), 12, '0') || repeat('0', 20))::uuid $$;
COMMENT ON FUNCTION wa.uuid7_floor(timestamptz) IS 'for function bodies: below every UUIDv7 that was made at this time or after it';

-- Events are deleted only from the beginning of the log.  A reader whose position is at or
-- after the last deleted one has lost nothing, and every other reader is told to start again.
-- An open delivery of a deleted event stores its envelope.
--
-- The index keeps entries of deleted events until the table is vacuumed.  So the search
-- begins after the last deleted event.  An event before that position is late: its
-- transaction was open for days.
CREATE FUNCTION wa.expire_events_of(org uuid, cutoff timestamptz, is_late boolean, max integer) RETURNS integer
	LANGUAGE plpgsql
AS $$
DECLARE
	bytes_max constant bigint := 16777216;
	position record;
	expired uuid[];
	places tid[]; -- of the expired events
	kept tid[];   -- deliveries that take a copy
	kept_number integer;
	unneeded bigint;
BEGIN
	SELECT CASE WHEN is_late THEN 0 ELSE o.expired_epoch END AS epoch, o.expired_ordinal AS ordinal, o.expired_event AS id INTO position
	FROM wa.org o WHERE o.id = org;
	SELECT array_agg(front.id ORDER BY front.nth), array_agg(front.place ORDER BY front.nth) INTO expired, places FROM (
		SELECT e.id, e.place, row_number() OVER event AS nth, bool_and(e.created_at < cutoff) OVER event AS old
		FROM (SELECT *, e.ctid AS place FROM wa.event e
			WHERE e.org_id = org AND (e.epoch, e.ordinal, e.id) > (position.epoch, position.ordinal, position.id)
			ORDER BY e.epoch, e.ordinal, e.id LIMIT max) e
		WINDOW event AS (ORDER BY e.epoch, e.ordinal, e.id)) front
	WHERE front.old;
	IF expired IS NULL THEN
		RETURN 0;
	END IF;
	PERFORM FROM wa.org o WHERE o.id = org FOR NO KEY UPDATE NOWAIT;
	-- From here on these rows stay where they are.
	IF EXISTS (
		SELECT x.id FROM unnest(expired) x (id)
		EXCEPT
		SELECT e.id FROM (SELECT e.id FROM wa.event e WHERE e.ctid = ANY (places) FOR UPDATE NOWAIT OFFSET 0) e) THEN
		RETURN 0;
	END IF;
	-- The copies of an event are as many as its organization has webhooks, so they have bounds of
	-- their own.
	SELECT array_agg(open.place) INTO kept FROM (
		SELECT d.place, row_number() OVER delivery AS nth, sum(e.bytes) OVER delivery AS bytes
		FROM unnest(expired, places) WITH ORDINALITY x (id, place, nth)
			CROSS JOIN LATERAL (
				SELECT d.webhook_id, d.id, d.ctid AS place FROM wa.delivery d
				WHERE d.org_id = org AND d.event_id = x.id AND d.status <> 'delivered' AND d.envelope IS NULL OFFSET 0) d
			CROSS JOIN LATERAL (SELECT octet_length(e.envelope) AS bytes FROM wa.event e WHERE e.ctid = x.place) e
		WINDOW delivery AS (ORDER BY x.nth, d.webhook_id, d.id)) open
	WHERE open.nth = 1 OR open.nth <= wa.event_rows_max() AND open.bytes <= bytes_max;
	kept := ARRAY(
		SELECT d.place FROM (
			SELECT d.org_id, d.status, d.envelope, d.ctid AS place FROM wa.delivery d WHERE d.ctid = ANY (kept) FOR NO KEY UPDATE NOWAIT OFFSET 0) d
		WHERE d.org_id = org AND d.status <> 'delivered' AND d.envelope IS NULL);
	UPDATE wa.delivery d SET envelope = (SELECT e.envelope FROM wa.event e WHERE e.org_id = d.org_id AND e.id = d.event_id)
	WHERE d.ctid = ANY (kept);
	GET DIAGNOSTICS kept_number = ROW_COUNT;
	-- Those up to the first that is needed for more deliveries.
	SELECT count(*) INTO unneeded FROM (
		SELECT count(open.id) OVER (ORDER BY x.nth) > 0 AS needed
		FROM unnest(expired) WITH ORDINALITY x (id, nth) LEFT JOIN LATERAL (
			SELECT d.id FROM wa.delivery d
			WHERE d.org_id = org AND d.event_id = x.id AND d.status <> 'delivered' AND d.envelope IS NULL LIMIT 1) open ON true) x
	WHERE NOT x.needed;
	-- A reader who still reads from an earlier position has missed something and is told so.
	UPDATE wa.org o SET expired_epoch = newest.epoch, expired_ordinal = newest.ordinal, expired_event = newest.id
	FROM (SELECT e.epoch, e.ordinal, e.id FROM wa.event e WHERE e.ctid = places[unneeded]) newest
	WHERE o.id = org AND (o.expired_epoch, o.expired_ordinal, o.expired_event) < (newest.epoch, newest.ordinal, newest.id);
	DELETE FROM wa.event e WHERE e.ctid = ANY (places[1:unneeded]);
	RETURN unneeded + kept_number;
EXCEPTION WHEN lock_not_available THEN
	-- If any of these rows is locked, all of them stay until the next call.
	RETURN 0;
END $$;
COMMENT ON FUNCTION wa.expire_events_of(uuid, timestamptz, boolean, integer) IS
	'for function bodies: removes an organization''s events from before this time, and returns how many rows it has removed, or written where an event is still to be delivered; none while somebody has locked what goes with them';

CREATE FUNCTION wa.expire_events(max integer) RETURNS integer
	LANGUAGE plpgsql
AS $$
DECLARE
	place constant wa.housekeeping_place := wa.take_place('events');
	orgs constant uuid[] := wa.orgs_behind(place.org_id);
	organization record;
	at constant timestamptz := clock_timestamp();
	behind uuid := orgs[cardinality(orgs)];
	backlog uuid;
	part integer;
	removed integer;
	counted integer := 0;
	gone integer := 0;
BEGIN
	-- Most organizations have nothing to delete: one look at the beginning of each log.
	FOR organization IN
		SELECT o.id, at - o.event_days * interval '1 day' AS cutoff, turn.nth,
			front.created_at IS NULL OR front.created_at >= at - o.event_days * interval '1 day' AS is_late
		FROM unnest(place.backlog_org || orgs) WITH ORDINALITY turn (id, nth) JOIN wa.org o ON o.id = turn.id LEFT JOIN LATERAL (
			SELECT e.created_at FROM wa.event e
			WHERE e.org_id = o.id AND (e.epoch, e.ordinal, e.id) > (o.expired_epoch, o.expired_ordinal, o.expired_event)
			ORDER BY e.epoch, e.ordinal, e.id LIMIT 1) front ON true
		WHERE CASE WHEN front.created_at < at - o.event_days * interval '1 day' THEN true
			ELSE (SELECT e.created_at FROM wa.event e WHERE e.org_id = o.id ORDER BY e.epoch, e.ordinal, e.id LIMIT 1)
				< at - o.event_days * interval '1 day' END
		ORDER BY turn.nth
	LOOP
		part := CASE WHEN organization.nth = 1 THEN max / 2 ELSE max - counted END;
		removed := wa.expire_events_of(organization.id, organization.cutoff, organization.is_late, part);
		IF removed >= part THEN
			backlog := organization.id;
		END IF;
		gone := gone + removed;
		-- It may be more, with copies for deliveries.  The others have their part all the same.
		counted := counted + LEAST(removed, part);
		IF counted >= max THEN
			behind := organization.id;
			EXIT;
		END IF;
	END LOOP;
	IF behind IS NOT NULL THEN
		PERFORM wa.put_place('events', behind, place.webhook_id, backlog);
	END IF;
	RETURN gone;
END $$;
COMMENT ON FUNCTION wa.expire_events(integer) IS
	'for function bodies: removes events that are older than their organization keeps them, and returns how many';

-- One look for each webhook, however much there is of it.  An incremental sort would read 32
-- deliveries for each.
CREATE FUNCTION wa.delivered_behind(org uuid, webhook uuid) RETURNS TABLE (org_id uuid, webhook_id uuid, first_id uuid)
	LANGUAGE sql STABLE STRICT ROWS 500
	SET enable_seqscan = off SET enable_bitmapscan = off SET enable_sort = off SET enable_incremental_sort = off
AS $$
	WITH RECURSIVE lanes AS (
		(SELECT d.org_id, d.webhook_id, d.id, 1 AS nth FROM wa.delivery d WHERE (d.org_id, d.webhook_id) > (org, webhook)
		ORDER BY d.org_id, d.webhook_id, d.id LIMIT 1)
		UNION ALL
		SELECT next.org_id, next.webhook_id, next.id, lanes.nth + 1
		FROM lanes CROSS JOIN LATERAL (
			SELECT d.org_id, d.webhook_id, d.id FROM wa.delivery d
			WHERE (d.org_id, d.webhook_id) > (lanes.org_id, lanes.webhook_id)
			ORDER BY d.org_id, d.webhook_id, d.id LIMIT 1) next
		WHERE lanes.nth < 500)
	SELECT l.org_id, l.webhook_id, l.id FROM lanes l
$$;
COMMENT ON FUNCTION wa.delivered_behind(uuid, uuid) IS
	'for function bodies: the 500 webhooks behind this one that have deliveries, with the oldest of each';

CREATE FUNCTION wa.expire_deliveries_of(org uuid, webhook uuid, below uuid, active boolean, max integer, OUT removed integer, OUT seen integer)
	LANGUAGE plpgsql STRICT
	SET enable_seqscan = off SET enable_bitmapscan = off SET enable_sort = off
AS $$
DECLARE
	over uuid[];
BEGIN
	SELECT array_agg(oldest.id) FILTER (WHERE NOT active OR oldest.status IN ('delivered', 'dead')), count(*) INTO over, seen FROM (
		SELECT d.id, d.status FROM wa.delivery d
		WHERE d.org_id = org AND d.webhook_id = webhook AND d.id < below
		ORDER BY d.id LIMIT 1000) oldest;
	DELETE FROM wa.delivery d WHERE d.ctid = ANY (ARRAY(
		SELECT p.place FROM unnest(over[1:max]) u (id) CROSS JOIN LATERAL (
			SELECT o.ctid AS place FROM wa.delivery o
			WHERE o.org_id = org AND o.webhook_id = webhook AND o.id = u.id AND (NOT active OR o.status IN ('delivered', 'dead'))
			LIMIT 1 FOR UPDATE SKIP LOCKED) p));
	GET DIAGNOSTICS removed = ROW_COUNT;
END $$;
COMMENT ON FUNCTION wa.expire_deliveries_of(uuid, uuid, uuid, boolean, integer) IS
	'for function bodies: looks at the 1000 oldest deliveries of a webhook below this id, removes those that are over (all, unless it is active), and returns how many it has removed, and looked at';

-- The deliveries of a webhook are found by their ids, which ascend with time.  Open
-- deliveries are deleted only if their webhook is gone or not active.  A call reads a bounded
-- number of those that stay: a slow receiver may leave any number of them.  The webhooks of
-- the organization with the backlog come in any order, so that each has its turn.
CREATE FUNCTION wa.expire_deliveries(max integer) RETURNS integer
	LANGUAGE plpgsql
AS $$
DECLARE
	nobody constant uuid := '00000000-0000-0000-0000-000000000000';
	last_webhook constant uuid := 'ffffffff-ffff-ffff-ffff-ffffffffffff';
	seen_max constant integer := 20000;
	place constant wa.housekeeping_place := wa.take_place('deliveries');
	behind wa.housekeeping_place := place;
	lane record;
	part record;
	gone integer := 0;
	seen bigint := 0;
BEGIN
	behind.backlog_org := NULL;
	FOR lane IN
		SELECT turn.org_id, turn.webhook_id, turn.first_id, turn.round = 0 AS is_backlog, COALESCE(w.active, false) AS active,
			CASE WHEN w.id IS NULL THEN last_webhook
				ELSE wa.uuid7_floor(clock_timestamp() - o.event_days * interval '1 day') END AS below
		FROM (
			(SELECT l.*, 0 AS round FROM wa.delivered_behind(place.backlog_org, nobody) l WHERE l.org_id = place.backlog_org)
			UNION ALL
			(SELECT walk.* FROM (
				(SELECT l.*, 1 FROM wa.delivered_behind(place.org_id, place.webhook_id) l)
				UNION ALL
				(SELECT l.*, 2 FROM wa.delivered_behind(nobody, nobody) l
				WHERE (l.org_id, l.webhook_id) <= (place.org_id, place.webhook_id))
				LIMIT 500) walk)) turn
			JOIN wa.org o ON o.id = turn.org_id
			LEFT JOIN wa.webhook w ON w.org_id = turn.org_id AND w.id = turn.webhook_id
		ORDER BY turn.round, CASE turn.round WHEN 0 THEN random() END, turn.org_id, turn.webhook_id
	LOOP
		CONTINUE WHEN lane.is_backlog AND behind.backlog_org IS NOT NULL;
		IF lane.first_id < lane.below THEN
			SELECT p.* INTO part FROM wa.expire_deliveries_of(lane.org_id, lane.webhook_id, lane.below, lane.active,
				CASE WHEN lane.is_backlog THEN max / 2 ELSE max END - gone) p;
			gone := gone + part.removed;
			seen := seen + part.seen;
			IF gone >= max OR lane.is_backlog AND (gone >= max / 2 OR seen >= seen_max / 2) THEN
				behind.backlog_org := lane.org_id;
			END IF;
		END IF;
		CONTINUE WHEN lane.is_backlog;
		behind.org_id := lane.org_id;
		behind.webhook_id := CASE WHEN gone < max THEN lane.webhook_id ELSE last_webhook END;
		EXIT WHEN gone >= max OR seen >= seen_max;
	END LOOP;
	PERFORM wa.put_place('deliveries', behind.org_id, behind.webhook_id, behind.backlog_org);
	RETURN gone;
END $$;
COMMENT ON FUNCTION wa.expire_deliveries(integer) IS
	'for function bodies: removes deliveries that are over and older than their organization keeps events, and those of webhooks that are gone; returns how many';

-- With the last delivery of a deleted webhook its lane is deleted too.
CREATE FUNCTION wa.expire_lanes() RETURNS void
	LANGUAGE plpgsql
AS $$
DECLARE
	nobody constant uuid := '00000000-0000-0000-0000-000000000000';
	place wa.housekeeping_place;
	last record;
BEGIN
	place := wa.take_place('lanes');
	SELECT turn.org_id, turn.webhook_id, count(*) OVER () AS number INTO last FROM (
		SELECT l.org_id, l.webhook_id FROM wa.webhook_lane l
		WHERE (l.org_id, l.webhook_id) > (place.org_id, place.webhook_id)
		ORDER BY l.org_id, l.webhook_id LIMIT 500) turn
	ORDER BY turn.org_id DESC, turn.webhook_id DESC LIMIT 1;
	WITH over AS (
		SELECT l.org_id, l.webhook_id FROM wa.webhook_lane l
		WHERE (l.org_id, l.webhook_id) > (place.org_id, place.webhook_id)
			AND (l.org_id, l.webhook_id) <= (last.org_id, last.webhook_id)
			AND (SELECT true FROM wa.webhook w WHERE w.org_id = l.org_id AND w.id = l.webhook_id) IS NULL
			AND (SELECT true FROM wa.delivery d WHERE d.org_id = l.org_id AND d.webhook_id = l.webhook_id ORDER BY d.id LIMIT 1) IS NULL
		FOR UPDATE OF l SKIP LOCKED)
	DELETE FROM wa.webhook_lane l USING over WHERE l.org_id = over.org_id AND l.webhook_id = over.webhook_id;
	-- Behind the last one it is the first one's turn.
	IF last.number = 500 THEN
		PERFORM wa.put_place('lanes', last.org_id, last.webhook_id);
	ELSE
		PERFORM wa.put_place('lanes', nobody, nobody);
	END IF;
END $$;
COMMENT ON FUNCTION wa.expire_lanes() IS 'for function bodies: removes lanes of webhooks that are gone and have no delivery left';

-- Tables whose rows each have a time at which they are over.  The rows are found by
-- organization, along an index that begins with it, and removed by their place: a join by the
-- key may read all rows of the organization for each of them, if statistics are old.
CREATE FUNCTION wa.expire_rows(task text, max integer) RETURNS integer
	LANGUAGE plpgsql
	SET enable_seqscan = off SET enable_bitmapscan = off SET enable_sort = off
AS $$
DECLARE
	place constant wa.housekeeping_place := wa.take_place(task);
	at constant timestamptz := clock_timestamp();
	orgs constant uuid[] := array_remove(wa.orgs_behind(place.org_id), place.backlog_org);
	behind uuid := COALESCE(orgs[cardinality(orgs)], place.org_id);
	backlog uuid;
	removed uuid[]; -- the organization of each row
BEGIN
	CASE task
		WHEN 'tickets' THEN
			WITH gone AS (
				DELETE FROM wa.ticket d WHERE d.ctid = ANY (ARRAY(
					SELECT old.place FROM unnest(place.backlog_org || orgs) WITH ORDINALITY turn (org, nth) CROSS JOIN LATERAL (
						SELECT t.ctid AS place FROM wa.ticket t
						WHERE t.org_id = turn.org AND t.expires_at < at - interval '1 minute'
						ORDER BY t.expires_at LIMIT CASE turn.nth WHEN 1 THEN max / 2 ELSE max END FOR UPDATE SKIP LOCKED) old
					LIMIT max))
				RETURNING d.org_id)
			SELECT array_agg(g.org_id) INTO removed FROM gone g;
		WHEN 'sockets' THEN
			WITH gone AS (
				DELETE FROM wa.realtime d WHERE d.ctid = ANY (ARRAY(
					SELECT old.place FROM unnest(place.backlog_org || orgs) WITH ORDINALITY turn (org, nth) CROSS JOIN LATERAL (
						SELECT r.ctid AS place FROM wa.realtime r WHERE r.org_id = turn.org AND r.expires_at < at
						ORDER BY r.expires_at LIMIT CASE turn.nth WHEN 1 THEN max / 2 ELSE max END FOR UPDATE SKIP LOCKED) old
					LIMIT max))
				RETURNING d.org_id)
			SELECT array_agg(g.org_id) INTO removed FROM gone g;
		WHEN 'user_tokens' THEN
			WITH gone AS (
				DELETE FROM wa.user_token d WHERE d.ctid = ANY (ARRAY(
					SELECT old.place FROM unnest(place.backlog_org || orgs) WITH ORDINALITY turn (org, nth) CROSS JOIN LATERAL (
						SELECT t.ctid AS place FROM wa.user_token t WHERE t.org_id = turn.org AND t.expires_at < at
						ORDER BY t.expires_at LIMIT CASE turn.nth WHEN 1 THEN max / 2 ELSE max END FOR UPDATE SKIP LOCKED) old
					LIMIT max))
				RETURNING d.org_id)
			SELECT array_agg(g.org_id) INTO removed FROM gone g;
		WHEN 'idempotency' THEN
			WITH gone AS (
				DELETE FROM wa.idempotency d WHERE d.ctid = ANY (ARRAY(
					SELECT old.place FROM unnest(place.backlog_org || orgs) WITH ORDINALITY turn (org, nth) CROSS JOIN LATERAL (
						SELECT i.ctid AS place FROM wa.idempotency i
						WHERE i.org_id = turn.org AND i.created_at < at - interval '24 hours'
						ORDER BY i.created_at LIMIT CASE turn.nth WHEN 1 THEN max / 2 ELSE max END FOR UPDATE SKIP LOCKED) old
					LIMIT max))
				RETURNING d.org_id)
			SELECT array_agg(g.org_id) INTO removed FROM gone g;
		WHEN 'key_hours' THEN
			WITH gone AS (
				DELETE FROM wa.api_key_hour d WHERE d.ctid = ANY (ARRAY(
					SELECT old.place FROM unnest(place.backlog_org || orgs) WITH ORDINALITY turn (org, nth) CROSS JOIN LATERAL (
						SELECT h.ctid AS place FROM wa.api_key_hour h
						WHERE h.org_id = turn.org AND h.hour < at - interval '720 hours'
						ORDER BY h.hour LIMIT CASE turn.nth WHEN 1 THEN max / 2 ELSE max END FOR UPDATE SKIP LOCKED) old
					LIMIT max))
				RETURNING d.org_id)
			SELECT array_agg(g.org_id) INTO removed FROM gone g;
	END CASE;
	IF cardinality(removed) >= max THEN
		behind := (SELECT turn.org FROM unnest(orgs) WITH ORDINALITY turn (org, nth) WHERE turn.org = ANY (removed) ORDER BY turn.nth DESC LIMIT 1);
		backlog := behind;
	ELSIF cardinality(array_positions(removed, place.backlog_org)) >= max / 2 THEN
		backlog := place.backlog_org;
	END IF;
	PERFORM wa.put_place(task, behind, place.webhook_id, backlog);
	RETURN COALESCE(cardinality(removed), 0);
END $$;
COMMENT ON FUNCTION wa.expire_rows(text, integer) IS
	'for function bodies: removes rows of one table that are over, and returns how many';

-- These three functions run as wa_claim, which sees the sessions that are hidden from
-- everybody else.  The messages of a deleted session are deleted first, because everything
-- else that can be many is deleted with them or with their chats by foreign keys.  Files that
-- were never fetched are deleted after the messages that carry them, and the session's own row
-- last.  Rows that are deleted by a foreign key cannot be skipped, so a session that has a
-- locked row is left until the next call.
CREATE FUNCTION wa.sweep_deleted_sessions(behind uuid, max integer, OUT gone integer, OUT last uuid)
	LANGUAGE plpgsql STRICT SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	SET lock_timeout = '10ms'
	SET enable_seqscan = off SET enable_bitmapscan = off SET enable_sort = off
AS $$
DECLARE
	swept record;
	removed integer;
	gone_before integer;
BEGIN
	gone := 0;
	FOR swept IN
		SELECT d.org_id, d.id FROM wa.deleted_session d ORDER BY d.org_id <= behind, d.org_id, d.id
		FOR UPDATE SKIP LOCKED
	LOOP
		gone_before := gone;
		BEGIN
			DELETE FROM wa.message_action a WHERE a.ctid = ANY (ARRAY(
				SELECT old.ctid FROM (
					SELECT m.id FROM wa.message m WHERE m.org_id = swept.org_id AND m.session_id = swept.id
					ORDER BY m.chat_jid, m.sent_at DESC, m.id DESC LIMIT max - gone) first
				CROSS JOIN LATERAL (
					SELECT of_message.ctid FROM wa.message_action of_message
					WHERE of_message.org_id = swept.org_id AND of_message.message_id = first.id OFFSET 0) old
				LIMIT max - gone));
			GET DIAGNOSTICS removed = ROW_COUNT;
			gone := gone + removed;
			EXIT WHEN gone >= max;
			DELETE FROM wa.message m WHERE m.ctid = ANY (ARRAY(
				SELECT old.ctid FROM wa.message old WHERE old.org_id = swept.org_id AND old.session_id = swept.id
				ORDER BY old.chat_jid, old.sent_at DESC, old.id DESC LIMIT max - gone));
			GET DIAGNOSTICS removed = ROW_COUNT;
			gone := gone + removed;
			EXIT WHEN gone >= max;
			DELETE FROM wa.chat c WHERE c.ctid = ANY (ARRAY(
				SELECT old.ctid FROM wa.chat old WHERE old.org_id = swept.org_id AND old.session_id = swept.id
				ORDER BY old.jid LIMIT max - gone));
			GET DIAGNOSTICS removed = ROW_COUNT;
			gone := gone + removed;
			EXIT WHEN gone >= max;
			DELETE FROM wa.contact c WHERE c.ctid = ANY (ARRAY(
				SELECT old.ctid FROM wa.contact old WHERE old.org_id = swept.org_id AND old.session_id = swept.id
				ORDER BY old.jid LIMIT max - gone));
			GET DIAGNOSTICS removed = ROW_COUNT;
			gone := gone + removed;
			EXIT WHEN gone >= max;
			DELETE FROM wa.media f WHERE f.ctid = ANY (ARRAY(
				SELECT file.ctid FROM (
					SELECT old.media_id FROM wa.media_fetch old WHERE old.org_id = swept.org_id AND old.session_id = swept.id
					ORDER BY old.media_id LIMIT max - gone) unfetched
				CROSS JOIN LATERAL (
					SELECT of_fetch.ctid FROM wa.media of_fetch
					WHERE of_fetch.org_id = swept.org_id AND of_fetch.id = unfetched.media_id LIMIT 1) file));
			GET DIAGNOSTICS removed = ROW_COUNT;
			gone := gone + removed;
			EXIT WHEN gone >= max;
			DELETE FROM wa.session s WHERE s.org_id = swept.org_id AND s.id = swept.id;
			gone := gone + 1;
		EXCEPTION WHEN lock_not_available THEN
			gone := gone_before;
		END;
	END LOOP;
	last := CASE WHEN gone >= max THEN swept.org_id END;
END $$;
COMMENT ON FUNCTION wa.sweep_deleted_sessions(uuid, integer) IS
	'for wa.housekeep(): removes rows of deleted sessions, and returns how many';

CREATE FUNCTION wa.sweep_read_chats(behind uuid, max integer, OUT gone integer, OUT last uuid)
	LANGUAGE plpgsql STRICT SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	SET lock_timeout = '10ms'
	SET enable_seqscan = off SET enable_bitmapscan = off SET enable_sort = off
AS $$
DECLARE
	swept record;
	marked integer;
	gone_before integer;
BEGIN
	gone := 0;
	FOR swept IN
		SELECT c.org_id, c.session_id, c.jid, c.read_to FROM wa.chat c WHERE c.read_to IS NOT NULL
		ORDER BY c.org_id <= behind, c.org_id, c.session_id, c.jid FOR NO KEY UPDATE SKIP LOCKED
	LOOP
		gone_before := gone;
		BEGIN
			UPDATE wa.message m SET status = 'read' WHERE m.ctid = ANY (ARRAY(
				SELECT old.ctid FROM wa.message old
				WHERE old.org_id = swept.org_id AND old.session_id = swept.session_id AND old.chat_jid = swept.jid
					AND old.direction = 'in' AND old.status = 'delivered' AND old.id <= swept.read_to
				ORDER BY old.id LIMIT max - gone));
			GET DIAGNOSTICS marked = ROW_COUNT;
			gone := gone + marked;
			EXIT WHEN gone >= max;
			-- A message that somebody has changed meanwhile is at another place, and left for the next call.
			UPDATE wa.chat c SET read_to = NULL
			WHERE c.org_id = swept.org_id AND c.session_id = swept.session_id AND c.jid = swept.jid
				AND NOT EXISTS (
					SELECT FROM wa.message m
					WHERE m.org_id = swept.org_id AND m.session_id = swept.session_id AND m.chat_jid = swept.jid
						AND m.direction = 'in' AND m.status = 'delivered' AND m.id <= swept.read_to);
			gone := gone + 1;
		EXCEPTION WHEN lock_not_available THEN
			gone := gone_before;
		END;
	END LOOP;
	last := CASE WHEN gone >= max THEN swept.org_id END;
END $$;
COMMENT ON FUNCTION wa.sweep_read_chats(uuid, integer) IS
	'for wa.housekeep(): marks messages of chats that were read, and returns how many it wrote';

-- A session's mark is removed when nothing is left and nobody can add to it: a transaction
-- that queues a message holds a lock on the session (wa.find_session()), and may have read an
-- earlier pairing.  Each failure is an event, and a transaction with the events of too many
-- organizations would delay those of all others (src/event_writers.c).  So a call ends before
-- that, and before it has written too much (wa.events_at_once()).  The next call begins behind
-- the last organization, so that each has its turn whatever another one has left.
CREATE FUNCTION wa.sweep_unsent(behind uuid, max integer, OUT gone integer, OUT last uuid)
	LANGUAGE plpgsql STRICT SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	SET lock_timeout = '10ms'
AS $$
DECLARE
	swept record;
	gone_before integer;
	rows_left integer := wa.event_rows_max();
BEGIN
	gone := 0;
	FOR swept IN
		(SELECT s.org_id, s.id, s.pairing, 1 AS round FROM wa.session s
		WHERE s.queue_error IS NOT NULL AND s.deleted_at IS NULL AND s.org_id > behind)
		UNION ALL
		(SELECT s.org_id, s.id, s.pairing, 2 FROM wa.session s
		WHERE s.queue_error IS NOT NULL AND s.deleted_at IS NULL AND s.org_id <= behind)
		ORDER BY round, org_id, id
	LOOP
		EXIT WHEN rows_left <= 0 OR wa.event_room() = 0;
		last := swept.org_id;
		gone_before := gone;
		BEGIN
			gone := gone + wa.fail_unsent(swept.org_id, swept.id, wa.events_at_once(swept.org_id, max - gone, rows_left));
			rows_left := rows_left - (gone - gone_before) * wa.event_rows(swept.org_id);
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
END $$;
COMMENT ON FUNCTION wa.sweep_unsent(uuid, integer) IS
	'for wa.housekeep(): fails what earlier pairings of sessions have left in the queue, and returns how many it wrote, and the last organization whose turn it was; it begins behind the one that is given';

-- The functions above belong to wa_claim, which knows no places.
CREATE FUNCTION wa.sweep_in_turns(task text, max integer) RETURNS integer
	LANGUAGE plpgsql
AS $$
DECLARE
	place constant wa.housekeeping_place := wa.take_place(task);
	swept record;
BEGIN
	CASE task
		WHEN 'unsent' THEN SELECT s.gone, s.last INTO swept FROM wa.sweep_unsent(place.org_id, max) s;
		WHEN 'deleted_sessions' THEN SELECT s.gone, s.last INTO swept FROM wa.sweep_deleted_sessions(place.org_id, max) s;
		WHEN 'read_chats' THEN SELECT s.gone, s.last INTO swept FROM wa.sweep_read_chats(place.org_id, max) s;
		WHEN 'media' THEN SELECT s.gone, s.last INTO swept FROM wa.sweep_media(place.org_id, max) s;
	END CASE;
	IF swept.last IS NOT NULL THEN
		PERFORM wa.put_place(task, swept.last, place.webhook_id);
	END IF;
	RETURN swept.gone;
END $$;
COMMENT ON FUNCTION wa.sweep_in_turns(text, integer) IS
	'for wa.housekeep(): a part of a sweep that goes on behind the organization at which the last one has ended';

-- The first one of each organization comes before the second one of any.
CREATE FUNCTION wa.tell_ends(max integer) RETURNS integer
	LANGUAGE plpgsql
AS $$
DECLARE
	untold record;
	ended wa.ended;
	written integer := 0;
	rows_left integer := wa.event_rows_max();
BEGIN
	FOR untold IN
		SELECT e.org_id, e.id FROM wa.ended e WHERE NOT e.is_told
		ORDER BY row_number() OVER (PARTITION BY e.org_id ORDER BY e.id), e.org_id LIMIT max
	LOOP
		-- More organizations would delay the events of all (src/event_writers.c).
		EXIT WHEN rows_left <= 0 OR wa.event_room() = 0;
		-- Another worker may have the row.
		SELECT e.* INTO ended FROM wa.ended e
		WHERE e.org_id = untold.org_id AND e.id = untold.id AND NOT e.is_told FOR NO KEY UPDATE SKIP LOCKED;
		CONTINUE WHEN NOT FOUND;
		UPDATE wa.ended e SET is_told = true WHERE e.org_id = ended.org_id AND e.id = ended.id;
		PERFORM wa.emit_end(ended);
		written := written + 1;
		rows_left := rows_left - wa.event_rows(ended.org_id);
	END LOOP;
	RETURN written;
END $$;
COMMENT ON FUNCTION wa.tell_ends(integer) IS
	'for wa.housekeep(): writes the events of keys that have ended without one, and returns how many';

CREATE FUNCTION wa.housekeep(task text, max integer DEFAULT 1000) RETURNS integer
	LANGUAGE plpgsql SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	present constant timestamptz := clock_timestamp();
	gone integer;
BEGIN
	PERFORM wa.refuse_bound();
	IF max IS NULL OR max < 1 OR max > 10000 THEN
		PERFORM wa.refuse_field('max', 'must be between 1 and 10000');
	END IF;
	PERFORM wa.await_turn(task);
	IF task = 'key_hours' THEN
		DELETE FROM wa.unknown_key u WHERE u.hour < present - interval '720 hours';
	END IF;
	IF task IN ('tickets', 'sockets', 'user_tokens', 'idempotency', 'key_hours') THEN
		RETURN wa.expire_rows(task, max);
	ELSIF task = 'events' THEN
		RETURN wa.expire_events(max);
	ELSIF task = 'deliveries' THEN
		gone := wa.expire_deliveries(max);
		PERFORM wa.expire_lanes();
		RETURN gone;
	ELSIF task = 'failed_sign_ins' THEN
		RETURN wa.write_failed_sign_ins(max);
	ELSIF task = 'audit' THEN
		RETURN wa.link_audit(max);
	ELSIF task = 'key_warnings' THEN
		RETURN wa.warn_of_expiry(max);
	ELSIF task = 'ends' THEN
		RETURN wa.tell_ends(max);
	ELSIF task IN ('deleted_sessions', 'read_chats', 'unsent', 'media') THEN
		RETURN wa.sweep_in_turns(task, max);
	ELSIF task = 'sign_ins' THEN
		-- Kept for a month, so that people can see where they were signed in.
		DELETE FROM wa.sign_in s WHERE s.ctid = ANY (ARRAY(
			SELECT old.ctid FROM wa.sign_in old
			WHERE old.expires_at < present - interval '30 days' ORDER BY old.expires_at LIMIT max
			FOR UPDATE SKIP LOCKED));
		GET DIAGNOSTICS gone = ROW_COUNT;
		-- No sign-in lasts this long.
		DELETE FROM wa.ended_sign_in e WHERE e.ctid = ANY (ARRAY(
			SELECT old.ctid FROM wa.ended_sign_in old
			WHERE old.at < present - interval '30 days' ORDER BY old.at LIMIT max
			FOR UPDATE SKIP LOCKED));
		RETURN gone;
	END IF;
	PERFORM wa.refuse_field('task', 'must be events, deliveries, tickets, sockets, user_tokens, sign_ins, idempotency, key_warnings, ends, key_hours, deleted_sessions, read_chats, unsent, media, failed_sign_ins or audit');
END $$;
COMMENT ON FUNCTION wa.housekeep(text, integer) IS
	'removes at most so many rows that are over, or writes so many events of `key_warnings` and `ends`, or writes the wrong passwords of so many accounts, or links so many entries of the `audit` log, and returns how many; looks at 500 organizations and goes on behind them when it is called again';
