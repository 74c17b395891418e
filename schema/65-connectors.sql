-- The functions that connectors call.  A connector is a process that connects sessions to
-- WhatsApp.  It takes sessions and messages under a lease and reports the results.  The
-- functions that look for work see every organization and are owned by wa_claim.  All others
-- act for the organization that wa.act_for() has bound.  Functions that see every
-- organization skip rows that somebody has locked, so that nobody can delay the work of
-- another organization.
--
-- A message is "queued", and "sending" from the moment when a connector takes it.  If the
-- lease runs out before the connector reports, nobody knows whether WhatsApp got the message.
-- The next connector is told so (maybe_sent).  It must find out, or send the message in a way
-- that WhatsApp recognizes as the same one.

-- Indexes for: what a connector holds, whose leases have run out, and what waits for a
-- connector.  The last one orders organizations by a hash, so that nobody can choose their
-- place.  (wa.protect() would refuse the table with these indexes.)
CREATE INDEX session_wanted_held ON wa.session_wanted (lease_owner, connector) WHERE lease_owner IS NOT NULL;
CREATE INDEX session_wanted_until ON wa.session_wanted (lease_until) WHERE lease_owner IS NOT NULL;
CREATE INDEX session_wanted_waiting ON wa.session_wanted (connector, uuid_hash(org_id), org_id, session_id)
	WHERE lease_owner IS NULL;

-- Rows of the copy are written under the lock of the session's row, so that nobody waits for
-- them.  Row security is switched on, because pg_restore may have switched it off.
CREATE FUNCTION wa.note_wanted() RETURNS trigger
	LANGUAGE plpgsql SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	SET row_security = on
AS $$
DECLARE
	is_wanted constant boolean := NEW.status IN ('starting', 'scan_qr_code', 'working');
BEGIN
	IF is_wanted OR NEW.lease_owner IS NOT NULL THEN
		INSERT INTO wa.session_wanted (org_id, session_id, connector, is_wanted, lease_owner, lease_until)
		VALUES (NEW.org_id, NEW.id, NEW.connector, is_wanted, NEW.lease_owner, NEW.lease_until)
		ON CONFLICT (org_id, session_id) DO UPDATE
		SET connector = EXCLUDED.connector, is_wanted = EXCLUDED.is_wanted, lease_owner = EXCLUDED.lease_owner,
			lease_until = EXCLUDED.lease_until;
	ELSE
		DELETE FROM wa.session_wanted w WHERE w.org_id = NEW.org_id AND w.session_id = NEW.id;
	END IF;
	RETURN NULL;
END $$;
COMMENT ON FUNCTION wa.note_wanted() IS 'trigger: keeps wa.session_wanted';
CREATE TRIGGER session_made_wanted AFTER INSERT ON wa.session
	FOR EACH ROW WHEN (NEW.status IN ('starting', 'scan_qr_code', 'working') OR NEW.lease_owner IS NOT NULL)
	EXECUTE FUNCTION wa.note_wanted();
COMMENT ON TRIGGER session_made_wanted ON wa.session IS 'keeps wa.session_wanted: a new session';
CREATE TRIGGER session_changed_wanted AFTER UPDATE OF status, connector, lease_owner, lease_until ON wa.session
	FOR EACH ROW WHEN (NEW.status IS DISTINCT FROM OLD.status OR NEW.connector IS DISTINCT FROM OLD.connector
		OR NEW.lease_owner IS DISTINCT FROM OLD.lease_owner OR NEW.lease_until IS DISTINCT FROM OLD.lease_until)
	EXECUTE FUNCTION wa.note_wanted();
COMMENT ON TRIGGER session_changed_wanted ON wa.session IS 'keeps wa.session_wanted: another status or lease';
-- A restore may have disabled all other triggers.
ALTER TABLE wa.session ENABLE ALWAYS TRIGGER session_made_wanted, ENABLE ALWAYS TRIGGER session_changed_wanted;

CREATE FUNCTION wa.check_lease(owner text, max integer, lease interval) RETURNS void
	LANGUAGE plpgsql PARALLEL SAFE
AS $$
BEGIN
	IF COALESCE(owner, '') = '' OR char_length(owner) > 200 THEN
		PERFORM wa.refuse_field('owner', 'must be 1 to 200 characters');
	END IF;
	IF max IS NULL OR max < 1 OR max > 1000 THEN
		PERFORM wa.refuse_field('max', 'must be between 1 and 1000');
	END IF;
	IF lease IS NULL OR lease < interval '1 second' OR lease > interval '1 hour' THEN
		PERFORM wa.refuse_field('lease', 'must be between a second and an hour');
	END IF;
END $$;
COMMENT ON FUNCTION wa.check_lease(text, integer, interval) IS 'for function bodies: raises 22023 unless these can be a lease';

-- The functions by which connectors and workers find work switch some plans off, for
-- themselves and for the functions that they call.  Nested loops along an index, in its
-- order, are right whatever the statistics say, because queues are empty one minute and long
-- the next.

-- A lease is renewed only in its second half, so that polling writes little.  A lease that
-- has run out is given up for its owner, who may be gone.
CREATE FUNCTION wa.renew_sessions(connector text, owner text, lease interval) RETURNS void
	LANGUAGE plpgsql STRICT
AS $$
DECLARE
	at constant timestamptz := clock_timestamp();
BEGIN
	WITH due AS (
		SELECT s.org_id, s.id FROM wa.session_wanted w CROSS JOIN LATERAL (
			SELECT s.org_id, s.id FROM wa.session s
			WHERE s.org_id = w.org_id AND s.id = w.session_id AND s.lease_owner = renew_sessions.owner
				AND s.status IN ('starting', 'scan_qr_code', 'working')
			LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED) s
		WHERE w.connector = renew_sessions.connector AND w.lease_owner = renew_sessions.owner
			AND w.is_wanted AND w.lease_until < at + lease / 2)
	UPDATE wa.session s SET lease_until = at + lease
	FROM due WHERE s.org_id = due.org_id AND s.id = due.id;
	WITH over AS (
		SELECT s.org_id, s.id
		FROM (SELECT * FROM wa.session_wanted w
			  WHERE w.lease_owner IS NOT NULL AND w.lease_until < at ORDER BY w.lease_until LIMIT 1000) w CROSS JOIN LATERAL (
			SELECT s.org_id, s.id FROM wa.session s
			WHERE s.org_id = w.org_id AND s.id = w.session_id AND s.lease_until < at
			LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED) s)
	UPDATE wa.session s SET lease_owner = NULL, lease_until = NULL
	FROM over WHERE s.org_id = over.org_id AND s.id = over.id;
END $$;
COMMENT ON FUNCTION wa.renew_sessions(text, text, interval) IS
	'for wa.connector_sessions(): renews the leases of the owner, and ends those that have run out, whoever had them';

-- Starts at a random place and goes around once.  If more organizations than "max" wait, each
-- has the same chance.
CREATE FUNCTION wa.waiting_organizations(connector text, start integer, max integer) RETURNS SETOF uuid
	LANGUAGE plpgsql STRICT ROWS 10
AS $$
DECLARE
	hash integer := start;
	org uuid := '00000000-0000-0000-0000-000000000000';
	around boolean := false;
	found_count integer := 0;
BEGIN
	WHILE found_count < max LOOP
		SELECT uuid_hash(w.org_id), w.org_id INTO hash, org FROM wa.session_wanted w
		WHERE w.connector = waiting_organizations.connector AND w.lease_owner IS NULL
			AND (uuid_hash(w.org_id), w.org_id) > (hash, org)
		ORDER BY w.connector, uuid_hash(w.org_id), w.org_id LIMIT 1;
		IF FOUND THEN
			EXIT WHEN around AND hash >= start;
			found_count := found_count + 1;
			RETURN NEXT org;
		ELSE
			EXIT WHEN around;
			around := true;
			hash := -2147483648;
			org := '00000000-0000-0000-0000-000000000000';
		END IF;
	END LOOP;
END $$;
COMMENT ON FUNCTION wa.waiting_organizations(text, integer, integer) IS
	'for wa.connector_sessions(): organizations of which a session waits for such a connector, at most so many';

-- The organization with the fewest sessions here gets the next place.  If no place is free,
-- the newest session of the organization with the most is given up for a session of an
-- organization that would still have fewer.  At most 16 are swapped at once, because each of
-- them has to connect again elsewhere.  Rows are locked before they are counted, so that
-- holding a lock on a session never moves other sessions.
CREATE FUNCTION wa.take_sessions(connector text, owner text, max integer, lease interval) RETURNS void
	LANGUAGE plpgsql STRICT
AS $$
#variable_conflict use_column
DECLARE
	at constant timestamptz := clock_timestamp();
	swaps_max constant integer := 16;
	waiting constant uuid[] := ARRAY(SELECT w FROM wa.waiting_organizations(connector, (random() * 4294967295 - 2147483648)::bigint::integer, 64) w);
BEGIN
	IF waiting = '{}' THEN
		RETURN;
	END IF;
	WITH held AS MATERIALIZED (
		SELECT w.org_id, w.session_id AS id, row_number() OVER (PARTITION BY w.org_id ORDER BY w.session_id) AS nth
		FROM wa.session_wanted w
		WHERE w.lease_owner = take_sessions.owner AND w.connector = take_sessions.connector AND w.is_wanted), place AS MATERIALIZED (
		SELECT GREATEST(max - count(*), 0) AS free FROM held), offered AS MATERIALIZED (
		SELECT w.org_id, w.session_id AS id, has.sessions + row_number() OVER (PARTITION BY w.org_id ORDER BY w.session_id) AS nth
		FROM place CROSS JOIN unnest(waiting) o (org) CROSS JOIN LATERAL (
			SELECT count(*) AS sessions FROM held h WHERE h.org_id = o.org) has CROSS JOIN LATERAL (
			SELECT w.org_id, w.session_id FROM wa.session_wanted w
			WHERE w.connector = take_sessions.connector AND w.lease_owner IS NULL AND w.org_id = o.org
				AND uuid_hash(w.org_id) = uuid_hash(o.org)
			ORDER BY w.connector, uuid_hash(w.org_id), w.org_id, w.session_id
			LIMIT (place.free + swaps_max) / cardinality(waiting) + 1) w), asking AS MATERIALIZED (
		SELECT o.*, row_number() OVER (ORDER BY o.nth, random()) - place.free AS beyond FROM offered o CROSS JOIN place
		), most AS MATERIALIZED (
		SELECT h.*, row_number() OVER (ORDER BY h.nth DESC, h.id DESC) AS beyond FROM held h
		ORDER BY beyond LIMIT swaps_max), taken AS MATERIALIZED (
		SELECT s.org_id, s.id, a.nth, row_number() OVER (ORDER BY a.nth, s.id) - place.free AS beyond
		FROM asking a CROSS JOIN place LEFT JOIN most m ON m.beyond = a.beyond CROSS JOIN LATERAL (
			SELECT s.org_id, s.id FROM wa.session s
			WHERE s.org_id = a.org_id AND s.id = a.id AND s.lease_owner IS NULL
				AND s.status IN ('starting', 'scan_qr_code', 'working')
			LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED) s
		WHERE a.beyond <= 0 OR m.nth > a.nth), given AS MATERIALIZED (
		SELECT s.org_id, s.id, m.nth, row_number() OVER (ORDER BY m.beyond) AS beyond
		FROM most m CROSS JOIN LATERAL (
			SELECT s.org_id, s.id FROM wa.session s
			WHERE s.org_id = m.org_id AND s.id = m.id AND s.lease_owner = take_sessions.owner
			LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED) s
		WHERE m.beyond <= (SELECT count(*) FILTER (WHERE t.beyond > 0) FROM taken t)), swap AS MATERIALIZED (
		SELECT t.org_id, t.id, g.org_id AS from_org, g.id AS from_id
		FROM taken t JOIN given g ON g.beyond = t.beyond AND g.nth > t.nth), given_back AS (
		UPDATE wa.session s SET lease_owner = NULL, lease_until = NULL
		FROM swap WHERE s.org_id = swap.from_org AND s.id = swap.from_id)
	UPDATE wa.session s SET lease_owner = take_sessions.owner, lease_until = at + lease
	FROM (SELECT t.org_id, t.id FROM taken t WHERE t.beyond <= 0 UNION ALL SELECT w.org_id, w.id FROM swap w) won
	WHERE s.org_id = won.org_id AND s.id = won.id;
END $$;
COMMENT ON FUNCTION wa.take_sessions(text, text, integer, interval) IS
	'for wa.connector_sessions(): takes the lease of sessions that wait, organizations in turns, and gives back what an organization has more than its share of when another one waits';

CREATE FUNCTION wa.connector_sessions(connector text, owner text, max integer, lease interval)
	RETURNS TABLE (org_id uuid, session_id uuid, status text, label text, phone_number text, auto_read boolean,
				   presence_typing boolean, pairing_phone text, pairing_code text, credentials_at timestamptz)
	LANGUAGE plpgsql SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	SET enable_seqscan = off SET enable_bitmapscan = off SET enable_sort = off SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off
AS $$
#variable_conflict use_column
BEGIN
	PERFORM wa.check_lease(owner, max, lease);
	PERFORM wa.renew_sessions(connector, owner, lease);
	PERFORM wa.take_sessions(connector, owner, max, lease);
	RETURN QUERY
	SELECT s.org_id, s.id, s.status, s.label, s.phone_number, s.auto_read, s.presence_typing, p.phone, p.code, c.updated_at
	FROM wa.session_wanted w JOIN wa.session s ON s.org_id = w.org_id AND s.id = w.session_id
		LEFT JOIN wa.session_pairing p ON p.org_id = s.org_id AND p.session_id = s.id
		LEFT JOIN wa.session_credentials c ON c.org_id = s.org_id AND c.session_id = s.id
	WHERE w.lease_owner = connector_sessions.owner AND w.connector = connector_sessions.connector
		AND w.is_wanted AND w.lease_until > clock_timestamp()
	ORDER BY s.id;
END $$;
COMMENT ON FUNCTION wa.connector_sessions(text, text, integer, interval) IS
	'takes the lease of sessions of this connector that are `starting`, `scan_qr_code` or `working` and that nobody '
	'runs, renews those of `owner` that are past their half, and lists all that `owner` has. It never gives more than '
	'`max`. Organizations take turns: while another one waits, `owner` gives back sessions of one that has more, and '
	'they are not listed any more. `auto_read`: tell WhatsApp of each received message that it was read; `presence_typing`: show "typing" before a message is sent. `pairing_phone` and `pairing_code`: somebody asked for pairing by code. `credentials_at`: since when the session has its credentials (`wa.connector_credentials()`); '
	'another time means other ones. `22023` (`owner`, `max` 1 to '
	'1000, `lease` 1 s to 1 h)';

CREATE FUNCTION wa.connector_release(owner text) RETURNS integer
	LANGUAGE plpgsql STRICT SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	released integer;
BEGIN
	WITH held AS (
		SELECT s.org_id, s.id FROM wa.session_wanted w CROSS JOIN LATERAL (
			SELECT s.org_id, s.id FROM wa.session s
			WHERE s.org_id = w.org_id AND s.id = w.session_id AND s.lease_owner = connector_release.owner
			LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED) s
		WHERE w.lease_owner = connector_release.owner)
	UPDATE wa.session s SET lease_owner = NULL, lease_until = NULL
	FROM held WHERE s.org_id = held.org_id AND s.id = held.id;
	GET DIAGNOSTICS released = ROW_COUNT;
	RETURN released;
END $$;
COMMENT ON FUNCTION wa.connector_release(text) IS
	'gives back the leases of all sessions of `owner`, when it stops, and returns how many. Others can then take them '
	'at once; the lease of a session that somebody changes at this moment runs out';

-- A claim costs as much as it takes, and one look at the queue of each session that the owner
-- holds, however many messages wait there.  Each of these looks names the order of the queue's
-- index: without it, the planner may expect to find one soon in another index.  Each busy session offers some of the messages
-- that are due; at most half of these were tried before.  Then organizations take turns,
-- those with the fewest messages in sending first, and within an organization its sessions
-- take turns.  No organization holds more than a share of the places that an owner has for
-- what waits for WhatsApp.
CREATE FUNCTION wa.connector_claim(connector text, owner text, max integer, lease interval)
	RETURNS TABLE (org_id uuid, message_id uuid, session_id uuid, chat_jid text, type text, body text, content jsonb,
				   media jsonb, media_sha256 bytea, media_size bigint, quoted_wa_message_id text, quoted_sender_jid text,
				   quoted_from_me boolean, mentions text[], typing_wa_message_id text, attempt integer, maybe_sent boolean)
	LANGUAGE plpgsql SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	SET enable_seqscan = off SET enable_bitmapscan = off SET enable_sort = off SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off
AS $$
#variable_conflict use_column
DECLARE
	at constant timestamptz := clock_timestamp();
	sending_max constant integer := 100;	-- of one session at once
	org_sending_max constant integer := 512;	-- of one organization, by one owner
	seen_max constant integer := 32;	-- of the messages of a chat
BEGIN
	PERFORM wa.check_lease(owner, max, lease);
	RETURN QUERY
	WITH busy AS MATERIALIZED (
		SELECT s.org_id, s.id, s.pairing, s.phone_number, s.presence_typing, sending.count AS sending
		FROM wa.session_wanted w JOIN wa.session s ON s.org_id = w.org_id AND s.id = w.session_id CROSS JOIN LATERAL (
			(SELECT FROM wa.message m
			WHERE m.org_id = s.org_id AND m.session_id = s.id AND m.pairing = s.pairing AND m.status = 'queued'
			ORDER BY m.lease_until NULLS FIRST, m.id LIMIT 1)
			UNION ALL
			(SELECT FROM wa.message m
			WHERE m.org_id = s.org_id AND m.session_id = s.id AND m.pairing = s.pairing AND m.status = 'sending'
			ORDER BY m.lease_until NULLS FIRST, m.id LIMIT 1)
			LIMIT 1) waiting CROSS JOIN LATERAL (
			SELECT count(*) FROM (
				SELECT FROM wa.message m
				WHERE m.org_id = s.org_id AND m.session_id = s.id AND m.pairing = s.pairing
					AND m.status = 'sending' AND m.lease_until > at
				ORDER BY m.lease_until NULLS FIRST, m.id LIMIT sending_max) taken) sending
		WHERE w.lease_owner = connector_claim.owner AND w.connector = connector_claim.connector
			AND w.lease_until > at AND s.status = 'working'), shared AS (
		SELECT b.*, sum(b.sending) OVER (PARTITION BY b.org_id) AS org_sending, GREATEST(
			2 * max / (SELECT count(DISTINCT o.org_id) FROM busy o), LEAST(max, 16)) / count(*) OVER (PARTITION BY b.org_id) + 2 AS offers
		FROM busy b), offered AS MATERIALIZED (
		SELECT b.org_id, b.id AS session_id, b.phone_number, b.presence_typing, b.org_sending, m.id, m.quoted_message_id,
			b.sending + row_number() OVER (PARTITION BY b.org_id, b.id ORDER BY m.id) AS nth
		FROM shared b CROSS JOIN LATERAL (
			(SELECT m.id, m.quoted_message_id FROM wa.message m
			WHERE m.org_id = b.org_id AND m.session_id = b.id AND m.pairing = b.pairing
				AND m.status = 'sending' AND m.lease_until <= at
			ORDER BY m.lease_until NULLS FIRST, m.id LIMIT b.offers / 2)
			UNION ALL
			(SELECT m.id, m.quoted_message_id FROM wa.message m
			WHERE m.org_id = b.org_id AND m.session_id = b.id AND m.pairing = b.pairing
				AND m.status = 'queued' AND m.lease_until <= at
			ORDER BY m.lease_until NULLS FIRST, m.id LIMIT b.offers / 2)
			UNION ALL
			(SELECT m.id, m.quoted_message_id FROM wa.message m
			WHERE m.org_id = b.org_id AND m.session_id = b.id AND m.pairing = b.pairing
				AND m.status = 'queued' AND m.lease_until IS NULL
			ORDER BY m.lease_until NULLS FIRST, m.id LIMIT b.offers)
			LIMIT LEAST(b.offers, sending_max - b.sending)) m), checked AS MATERIALIZED (
		-- An answer waits until WhatsApp has the message that it quotes.  If that message
		-- fails, so does the answer.
		SELECT o.*, (
			SELECT q.status FROM wa.message q
			WHERE q.org_id = o.org_id AND q.id = o.quoted_message_id AND q.wa_message_id IS NULL
				AND q.status IN ('queued', 'sending', 'failed')) AS quoted
		FROM offered o), failing AS MATERIALIZED (
		-- A failure is an event.  More answers fail in the next claims, and those of more
		-- organizations, or this transaction would delay the events of all
		-- (wa.events_at_once(), src/event_writers.c).
		SELECT f.org_id, f.id FROM (
			SELECT c.org_id, c.id, sum(o.event_rows) OVER (ORDER BY c.nth, c.id) - o.event_rows AS rows_before
			FROM (SELECT s.org_id, wa.event_rows(s.org_id) AS event_rows
				FROM (SELECT DISTINCT c.org_id FROM checked c WHERE c.quoted = 'failed') s
				ORDER BY random() LIMIT (SELECT wa.event_room())) o
				JOIN checked c ON c.org_id = o.org_id AND c.quoted = 'failed') f
		WHERE f.rows_before < wa.event_rows_max()), early AS (
		SELECT m.org_id, m.id, c.quoted
		FROM checked c CROSS JOIN LATERAL (
			SELECT m.org_id, m.id FROM wa.message m
			WHERE m.org_id = c.org_id AND m.id = c.id AND m.status = 'queued'
			LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED) m
		WHERE c.quoted <> 'failed' OR (c.org_id, c.id) IN (SELECT f.org_id, f.id FROM failing f)), put_off AS (
		-- wa.wake_answers() ends this wait earlier.
		UPDATE wa.message m
		SET status = CASE e.quoted WHEN 'failed' THEN 'failed' ELSE m.status END,
			error = CASE e.quoted WHEN 'failed' THEN 'the message that it answers was not sent' ELSE m.error END,
			lease_until = CASE WHEN e.quoted <> 'failed' THEN at + interval '1 second' END
		FROM early e WHERE m.org_id = e.org_id AND m.id = e.id), chosen AS (
		SELECT t.* FROM (
			SELECT c.*, row_number() OVER (PARTITION BY c.org_id ORDER BY c.nth, c.id) + c.org_sending AS turn
			FROM checked c WHERE c.quoted IS NULL) t
		WHERE t.turn <= org_sending_max
		ORDER BY t.turn, random()
		LIMIT max), due AS (
		SELECT m.org_id, m.id, m.status = 'sending' AS maybe_sent, c.presence_typing,
			COALESCE(c.phone_number, m.session_phone_number) AS session_phone_number
		FROM chosen c CROSS JOIN LATERAL (
			SELECT m.org_id, m.id, m.status, m.session_phone_number FROM wa.message m
			WHERE m.org_id = c.org_id AND m.id = c.id AND m.status IN ('queued', 'sending')
				AND (m.lease_until IS NULL OR m.lease_until <= at)
			LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED) m), taken AS (
		UPDATE wa.message m
		SET status = 'sending', attempts = m.attempts + 1, lease_owner = connector_claim.owner,
			lease_until = at + lease, session_phone_number = due.session_phone_number
		FROM due WHERE m.org_id = due.org_id AND m.id = due.id
		RETURNING m.*, due.maybe_sent, due.presence_typing)
	-- Oldest first: the order of rows from an UPDATE is undefined.
	SELECT m.org_id, m.id, m.session_id, m.chat_jid, m.type, m.body, m.content, m.media, f.sha256,
		COALESCE(f.size, octet_length(m.media_data)), q.wa_message_id, q.sender_jid, q.direction = 'out', m.mentions,
		CASE WHEN m.presence_typing THEN (
			SELECT r.wa_message_id FROM (
				SELECT r.wa_message_id, r.direction FROM wa.message r
				WHERE r.org_id = m.org_id AND r.session_id = m.session_id AND r.chat_jid = m.chat_jid
				ORDER BY r.sent_at DESC, r.id DESC LIMIT seen_max) r
			WHERE r.direction = 'in' LIMIT 1) END,
		m.attempts, m.maybe_sent
	FROM taken m LEFT JOIN LATERAL (
		SELECT f.sha256, f.size FROM wa.media f WHERE f.org_id = m.org_id AND f.id = m.media_id LIMIT 1) f ON true LEFT JOIN LATERAL (
		SELECT q.wa_message_id, q.sender_jid, q.direction FROM wa.message q
		WHERE q.org_id = m.org_id AND q.id = m.quoted_message_id LIMIT 1) q ON true
	ORDER BY m.id;
END $$;
COMMENT ON FUNCTION wa.connector_claim(text, text, integer, interval) IS
	'takes messages to send of the working sessions that `owner` leases; they become `sending`. What was queued '
	'before a logout, or for another phone number, is not among them. Organizations take turns, and then sessions, of '
	'which each has at most 100 on their way, and an organization at most 512 by one owner. An answer is not taken before WhatsApp has the '
	'message that it quotes, and fails if that one has failed. `maybe_sent`: an earlier lease ran out, so an earlier '
	'connector may have sent it. `media_sha256`: the attachment is a file in the store, under the '
	'organization and this digest; without it, `wa.connector_attachment()` has the bytes. `quoted_…`: of the message that it answers; '
	'no sender if `quoted_from_me`. `typing_wa_message_id`, if the session shows "typing": the last message that was received in the chat, if it is among the newest 32. `22023` (`owner`, `max` 1 to 1000, `lease` 1 s to 1 h)';

CREATE FUNCTION wa.connector_actions(connector text, owner text, max integer, lease interval)
	RETURNS TABLE (org_id uuid, action_id uuid, session_id uuid, type text, payload jsonb, chat_jid text,
				   wa_message_id text, sender_jid text, from_me boolean, attempt integer, maybe_sent boolean, message_type text,
				   body text, content jsonb, media jsonb, media_sha256 bytea, media_size bigint)
	LANGUAGE plpgsql SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	SET enable_seqscan = off SET enable_bitmapscan = off SET enable_sort = off SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off
AS $$
#variable_conflict use_column
DECLARE
	at constant timestamptz := clock_timestamp();
	sending_max constant integer := 100;	-- of one session at once
	org_sending_max constant integer := 128;	-- of one organization, by one owner
BEGIN
	PERFORM wa.check_lease(owner, max, lease);
	RETURN QUERY
	WITH busy AS MATERIALIZED (
		SELECT s.org_id, s.id, s.pairing, s.phone_number, sending.count AS sending
		FROM wa.session_wanted w JOIN wa.session s ON s.org_id = w.org_id AND s.id = w.session_id CROSS JOIN LATERAL (
			(SELECT FROM wa.message_action a
			WHERE a.org_id = s.org_id AND a.session_id = s.id AND a.pairing = s.pairing AND a.status = 'queued'
			ORDER BY a.lease_until NULLS FIRST, a.id LIMIT 1)
			UNION ALL
			(SELECT FROM wa.message_action a
			WHERE a.org_id = s.org_id AND a.session_id = s.id AND a.pairing = s.pairing AND a.status = 'sending'
			ORDER BY a.lease_until NULLS FIRST, a.id LIMIT 1)
			LIMIT 1) waiting CROSS JOIN LATERAL (
			SELECT count(*) FROM (
				SELECT FROM wa.message_action a
				WHERE a.org_id = s.org_id AND a.session_id = s.id AND a.pairing = s.pairing
					AND a.status = 'sending' AND a.lease_until > at
				ORDER BY a.lease_until NULLS FIRST, a.id LIMIT sending_max) taken) sending
		WHERE w.lease_owner = connector_actions.owner AND w.connector = connector_actions.connector
			AND w.lease_until > at AND s.status = 'working'), shared AS (
		SELECT b.*, sum(b.sending) OVER (PARTITION BY b.org_id) AS org_sending, GREATEST(
			2 * max / (SELECT count(DISTINCT o.org_id) FROM busy o), LEAST(max, 16)) / count(*) OVER (PARTITION BY b.org_id) + 2 AS offers
		FROM busy b), offered AS MATERIALIZED (
		SELECT b.org_id, b.id AS session_id, b.phone_number, b.org_sending, a.id, a.message_id,
			b.sending + row_number() OVER (PARTITION BY b.org_id, b.id ORDER BY a.id) AS nth
		FROM shared b CROSS JOIN LATERAL (
			(SELECT a.id, a.message_id FROM wa.message_action a
			WHERE a.org_id = b.org_id AND a.session_id = b.id AND a.pairing = b.pairing
				AND a.status = 'sending' AND a.lease_until <= at
			ORDER BY a.lease_until NULLS FIRST, a.id LIMIT b.offers / 2)
			UNION ALL
			(SELECT a.id, a.message_id FROM wa.message_action a
			WHERE a.org_id = b.org_id AND a.session_id = b.id AND a.pairing = b.pairing
				AND a.status = 'queued' AND a.lease_until <= at
			ORDER BY a.lease_until NULLS FIRST, a.id LIMIT b.offers / 2)
			UNION ALL
			(SELECT a.id, a.message_id FROM wa.message_action a
			WHERE a.org_id = b.org_id AND a.session_id = b.id AND a.pairing = b.pairing
				AND a.status = 'queued' AND a.lease_until IS NULL
			ORDER BY a.lease_until NULLS FIRST, a.id LIMIT b.offers)
			LIMIT LEAST(b.offers, sending_max - b.sending)) a), checked AS MATERIALIZED (
		SELECT o.*, (SELECT m.revoked FROM wa.message m WHERE m.org_id = o.org_id AND m.id = o.message_id) AS revoked
		FROM offered o), overtaken AS (
		-- Actions on a message that has been deleted meanwhile are not executed any more.
		SELECT a.org_id, a.id
		FROM checked c CROSS JOIN LATERAL (
			SELECT a.org_id, a.id FROM wa.message_action a
			WHERE a.org_id = c.org_id AND a.id = c.id AND a.status = 'queued' AND a.type <> 'revoke'
			LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED) a
		WHERE c.revoked), failed AS (
		UPDATE wa.message_action a SET status = 'failed', error = 'message was deleted', lease_until = NULL
		FROM overtaken WHERE a.org_id = overtaken.org_id AND a.id = overtaken.id
		RETURNING a.org_id, a.id), chosen AS (
		SELECT t.* FROM (
			SELECT c.*, row_number() OVER (PARTITION BY c.org_id ORDER BY c.nth, c.id) + c.org_sending AS turn
			FROM checked c WHERE NOT EXISTS (SELECT FROM failed f WHERE f.org_id = c.org_id AND f.id = c.id)) t
		WHERE t.turn <= org_sending_max
		ORDER BY t.turn, random()
		LIMIT max), due AS (
		SELECT a.org_id, a.id, a.status = 'sending' AS maybe_sent
		FROM chosen c CROSS JOIN LATERAL (
			SELECT a.org_id, a.id, a.status FROM wa.message_action a
			WHERE a.org_id = c.org_id AND a.id = c.id AND a.status IN ('queued', 'sending')
				AND (a.lease_until IS NULL OR a.lease_until <= at)
			LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED) a), taken AS (
		UPDATE wa.message_action a
		SET status = 'sending', attempts = a.attempts + 1, lease_owner = connector_actions.owner,
			lease_until = at + lease
		FROM due WHERE a.org_id = due.org_id AND a.id = due.id
		RETURNING a.*, due.maybe_sent)
	SELECT a.org_id, a.id, a.session_id, a.type, a.payload, m.chat_jid, m.wa_message_id, m.sender_jid, m.direction = 'out',
		a.attempts, a.maybe_sent, m.type, c.body, c.content, c.media, f.sha256, COALESCE(f.size, octet_length(c.media_data))
	FROM taken a JOIN wa.message m ON m.org_id = a.org_id AND m.id = a.message_id LEFT JOIN LATERAL (
		-- What is copied.  Nothing else needs it.
		SELECT m.body, m.content, m.media, m.media_data, m.media_id WHERE a.type = 'forward') c ON true LEFT JOIN LATERAL (
		SELECT f.sha256, f.size FROM wa.media f WHERE f.org_id = m.org_id AND f.id = c.media_id LIMIT 1) f ON true
	ORDER BY a.id;
END $$;
COMMENT ON FUNCTION wa.connector_actions(text, text, integer, interval) IS
	'takes message actions to carry out, as `wa.connector_claim()` takes messages, each with the id, chat, sender and type of the '
	'message that it is about: `react` (`emoji` in `payload`; empty takes the reaction back), `edit` (`text`), `revoke`, `forward` (`to`, and `copy`, the id of the '
	'message that it makes) with all that is copied, and `read`: tell WhatsApp that this message and those before it in the chat were read. An organization has at most 128 on their way by one owner. `22023` as there';

CREATE FUNCTION wa.connector_attachment(claimed uuid, owner text) RETURNS bytea
	LANGUAGE plpgsql STABLE STRICT SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	org constant uuid := wa.require_org();
	copied uuid;
BEGIN
	SELECT a.message_id INTO copied FROM wa.message_action a
	WHERE a.org_id = org AND a.id = claimed AND a.type = 'forward' AND a.status = 'sending'
		AND a.lease_owner = connector_attachment.owner AND a.lease_until > clock_timestamp();
	RETURN (SELECT m.media_data FROM wa.message m
		WHERE m.org_id = org AND m.id = COALESCE(copied, claimed) AND (copied IS NOT NULL
			OR m.status = 'sending' AND m.lease_owner = connector_attachment.owner AND m.lease_until > clock_timestamp()));
END $$;
COMMENT ON FUNCTION wa.connector_attachment(uuid, text) IS
	'the bytes of the attachment of a message, or of what an action forwards, if they are not a file in the store: those of a claim that has a `media_size` and no `media_sha256`. '
	'NULL: there are none, or `owner` has the message or action no longer';

CREATE FUNCTION wa.connector_session(session uuid, owner text, status text, phone_number text DEFAULT NULL,
									 wa_jid text DEFAULT NULL, qr_code text DEFAULT NULL,
									 qr_expires_at timestamptz DEFAULT NULL, status_reason text DEFAULT NULL,
									 credentials_at timestamptz DEFAULT NULL)
	RETURNS boolean
	LANGUAGE plpgsql SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	reason text := left(NULLIF(btrim(status_reason), ''), 500);
	given_at timestamptz;
	old wa.session;
	ended text;
BEGIN
	SELECT s.* INTO old FROM wa.session s
	WHERE s.org_id = wa.require_org() AND s.id = session
		AND s.lease_owner = connector_session.owner AND s.lease_until > clock_timestamp()
		AND s.status IN ('starting', 'scan_qr_code', 'working')
	FOR NO KEY UPDATE;
	IF NOT FOUND THEN
		RETURN false;
	END IF;
	-- A report about earlier credentials says nothing about these.
	SELECT c.updated_at INTO given_at FROM wa.session_credentials c WHERE c.org_id = old.org_id AND c.session_id = old.id;
	IF credentials_at <> given_at OR connector_session.status = 'working' AND credentials_at IS DISTINCT FROM given_at THEN
		RETURN false;
	END IF;
	IF connector_session.status = 'working' AND given_at IS NOT NULL AND NOT wa.take_number(old.org_id, old.id) THEN
		status := 'failed';
		phone_number := NULL;
		wa_jid := NULL;
		reason := 'another session is connected with this phone number';
	END IF;
	-- NULL: the queued messages stay as they are.
	ended := CASE
		WHEN connector_session.status = 'logged_out' THEN 'session was logged out'
		WHEN COALESCE(connector_session.phone_number <> old.phone_number, connector_session.wa_jid <> old.wa_jid)
			THEN 'session was paired with another phone number' END;
	UPDATE wa.session s
	SET status = connector_session.status, status_reason = reason,
		phone_number = CASE WHEN connector_session.status = 'logged_out' THEN NULL
			WHEN ended IS NULL THEN COALESCE(connector_session.phone_number, old.phone_number)
			ELSE connector_session.phone_number END,
		wa_jid = CASE WHEN connector_session.status = 'logged_out' THEN NULL
			WHEN ended IS NULL THEN COALESCE(connector_session.wa_jid, old.wa_jid)
			ELSE connector_session.wa_jid END,
		last_connected_at = CASE WHEN connector_session.status = 'working' AND s.status <> 'working'
			THEN now() ELSE s.last_connected_at END,
		updated_at = CASE WHEN connector_session.status <> s.status OR reason IS DISTINCT FROM s.status_reason THEN now()
			ELSE s.updated_at END
	WHERE s.org_id = wa.require_org() AND s.id = session;
	PERFORM wa.end_pairing(session, ended);

	IF connector_session.status = 'scan_qr_code' AND qr_code IS NOT NULL THEN
		INSERT INTO wa.session_pairing AS p (org_id, session_id, qr_code, qr_expires_at)
		VALUES (wa.require_org(), session, connector_session.qr_code, connector_session.qr_expires_at)
		ON CONFLICT (org_id, session_id) DO UPDATE
			SET qr_code = EXCLUDED.qr_code, qr_expires_at = EXCLUDED.qr_expires_at;
	ELSE
		DELETE FROM wa.session_pairing p WHERE p.org_id = wa.require_org() AND p.session_id = session;
	END IF;
	RETURN true;
END $$;
COMMENT ON FUNCTION wa.connector_session(uuid, text, text, text, text, text, timestamptz, text, timestamptz) IS
	'reports where a session stands. `status_reason` says why, in words for people (its first 500 characters count); a report without one takes away what an earlier report said. `logged_out` forgets the phone; that, and another phone number than the session '
	'had, fails what is queued as a logout does. `credentials_at`: of the credentials with which it was connected (`wa.connector_credentials()`). If the session has credentials, '
	'`working` needs it, and gives the session their phone number id: while another session of the installation has it, `working` counts as `failed`. False if the lease is gone, if somebody stopped the session, or if '
	'it has other credentials by now. `23514`: '
	'no such status';

-- A claim postpones an answer that comes too early.  When the quoted message has been sent or
-- has failed, this makes the answer due.  If somebody has the answer locked, or a claim is
-- postponing it at this moment, the next look at it is after a second.
CREATE FUNCTION wa.wake_answers(VARIADIC messages uuid[]) RETURNS void
	LANGUAGE plpgsql STRICT
AS $$
BEGIN
	WITH answer AS (
		SELECT a.id FROM unnest(messages) u (message) CROSS JOIN LATERAL (
			SELECT m.id FROM wa.message m
			WHERE m.org_id = wa.require_org() AND m.quoted_message_id = u.message AND m.status = 'queued'
				AND m.attempts = 0 AND m.lease_until < 'infinity'
			LIMIT 1000
			FOR NO KEY UPDATE SKIP LOCKED) a)
	UPDATE wa.message m SET lease_until = NULL
	FROM answer WHERE m.org_id = wa.require_org() AND m.id = answer.id;
END $$;
COMMENT ON FUNCTION wa.wake_answers(uuid[]) IS
	'for function bodies: lets the next claim look at the answers that wait for these messages';

-- A message whose outcome was unknown has failed, and WhatsApp may say later that it has it after
-- all: here, below and in wa.mark_sent() this counts.  A webhook is signed by the app of one
-- session, so what it says of the messages of other sessions does not count.
CREATE FUNCTION wa.connector_sent(message uuid, wa_message_id text, at timestamptz, session uuid DEFAULT NULL) RETURNS boolean
	LANGUAGE plpgsql SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF num_nulls(message, wa_message_id, at) > 0 THEN
		RETURN NULL;
	END IF;
	UPDATE wa.message m
	SET status = 'sent', wa_message_id = connector_sent.wa_message_id, sent_at = connector_sent.at,
		lease_owner = NULL, lease_until = NULL, error = NULL, error_code = NULL
	WHERE m.org_id = wa.require_org() AND m.id = message AND (session IS NULL OR m.session_id = session)
		AND (m.status IN ('queued', 'sending') OR m.status = 'failed' AND m.error_code = 'outcome_unknown' AND m.wa_message_id IS NULL);
	IF NOT FOUND THEN
		RETURN false;
	END IF;
	PERFORM wa.wake_answers(message);
	RETURN true;
END $$;
COMMENT ON FUNCTION wa.connector_sent(uuid, text, timestamptz, uuid) IS
	'reports that WhatsApp took a message, whoever leases it by now; false if it was not on its way, nor failed with '
	'`outcome_unknown`, or if it is not of `session` (NULL: of whichever)';

CREATE FUNCTION wa.check_error_code(error_code text) RETURNS void
	LANGUAGE plpgsql PARALLEL SAFE
AS $$
BEGIN
	IF error_code !~ '^[A-Za-z0-9._:-]{1,64}$' THEN
		PERFORM wa.refuse_field('error_code', 'must be 1 to 64 of A to Z, a to z, 0 to 9, ., _, : and -');
	END IF;
END $$;
COMMENT ON FUNCTION wa.check_error_code(text) IS 'for function bodies: raises 22023 for what is no code of an error; NULL is none';

CREATE FUNCTION wa.retry_pause(attempts integer) RETURNS interval
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
	AS $$ SELECT LEAST(interval '1 hour', interval '1 second' * power(2, LEAST(attempts, 12))) $$;
COMMENT ON FUNCTION wa.retry_pause(integer) IS
	'how long to wait before the next attempt: 2, 4, 8, … seconds, at most an hour';

-- After its pairing has ended, a message is not tried again.  It fails like those that were
-- still queued in that pairing.  A late success counts, because WhatsApp has the message; a late
-- failure does not, because another connector may be sending it.
CREATE FUNCTION wa.connector_failed(message uuid, error text, retry boolean DEFAULT false, attempt integer DEFAULT NULL,
									maybe_sent boolean DEFAULT false, error_code text DEFAULT NULL) RETURNS boolean
	LANGUAGE plpgsql SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	became text;
BEGIN
	IF message IS NULL OR error IS NULL OR retry IS NULL OR maybe_sent IS NULL THEN
		RETURN NULL;
	END IF;
	PERFORM wa.check_error_code(error_code);
	UPDATE wa.message m
	-- What is "sending" without an owner is claimed with maybe_sent.
	SET status = CASE WHEN NOT retry OR m.pairing <> s.pairing THEN 'failed' WHEN maybe_sent THEN 'sending' ELSE 'queued' END,
		error = COALESCE(CASE WHEN retry AND m.pairing < s.pairing THEN s.queue_error || ' before it was sent' END,
			left(connector_failed.error, 500)),
		error_code = CASE WHEN NOT retry OR m.pairing >= s.pairing THEN connector_failed.error_code END,
		lease_owner = NULL,
		lease_until = CASE WHEN retry AND m.pairing = s.pairing THEN clock_timestamp() + wa.retry_pause(m.attempts) END
	FROM wa.session s
	WHERE m.org_id = wa.require_org() AND m.id = message AND m.status IN ('queued', 'sending')
		AND (attempt IS NULL OR m.status = 'sending' AND m.attempts = attempt)
		AND s.org_id = m.org_id AND s.id = m.session_id
	RETURNING m.status INTO became;
	IF became = 'failed' THEN
		PERFORM wa.wake_answers(message);
	END IF;
	RETURN became IS NOT NULL;
END $$;
COMMENT ON FUNCTION wa.connector_failed(uuid, text, boolean, integer, boolean, text) IS
	'reports that a message was certainly not sent: for good, or, with `retry`, to be tried again after 2, 4, 8 … '
	'seconds (at most an hour); a pairing that has ended tries nothing again. `attempt` is that of the claim: the report '
	'counts only while no later claim has the message; NULL: whoever has it. `maybe_sent`, with `retry`: it is not known whether an '
	'earlier connector has sent it, and the next claim says so again. `error_code`: under which WhatsApp lists the error. `22023` (`error_code`)';

-- Reports may arrive out of order and never move a message back.  A function in SQL would be
-- planned at each report.
CREATE FUNCTION wa.statuses_before(status text) RETURNS text[]
	LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
AS $$
BEGIN
	RETURN CASE status
		WHEN 'failed' THEN ARRAY['queued', 'sending', 'sent']
		WHEN 'delivered' THEN ARRAY['queued', 'sending', 'sent']
		WHEN 'read' THEN ARRAY['queued', 'sending', 'sent', 'delivered']
		WHEN 'played' THEN ARRAY['queued', 'sending', 'sent', 'delivered', 'read']
	END;
END $$;
COMMENT ON FUNCTION wa.statuses_before(text) IS
	'the statuses of a message that come before one that a connector reports; NULL for one that it does not report so';

-- A status can be here before the report that WhatsApp took the message.  It then counts as
-- that report, too, if it names the message.
CREATE FUNCTION wa.overtake_sent(session uuid, message uuid, wa_message_id text, status text, at timestamptz, error text,
								 error_code text) RETURNS boolean
	LANGUAGE plpgsql
AS $$
BEGIN
	UPDATE wa.message m
	SET status = overtake_sent.status, wa_message_id = overtake_sent.wa_message_id, sent_at = overtake_sent.at,
		lease_owner = NULL, lease_until = NULL, error = overtake_sent.error, error_code = overtake_sent.error_code
	WHERE m.org_id = wa.require_org() AND m.id = message AND m.session_id = session
		AND (m.status IN ('queued', 'sending') OR m.status = 'failed' AND m.error_code = 'outcome_unknown' AND m.wa_message_id IS NULL);
	IF NOT FOUND THEN
		RETURN false;
	END IF;
	PERFORM wa.wake_answers(message);
	RETURN true;
END $$;
COMMENT ON FUNCTION wa.overtake_sent(uuid, uuid, text, text, timestamptz, text, text) IS
	'for wa.connector_status(): gives a message that is on its way, or failed with `outcome_unknown`, its id and status; false if it is neither';

CREATE FUNCTION wa.connector_status(session uuid, wa_message_id text, status text, at timestamptz, message uuid DEFAULT NULL,
									error text DEFAULT NULL, error_code text DEFAULT NULL) RETURNS boolean
	LANGUAGE plpgsql SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	before constant text[] := wa.statuses_before(status);
	has_failed constant boolean := status = 'failed';
BEGIN
	IF num_nulls(session, wa_message_id, status, at) > 0 OR has_failed AND error IS NULL THEN
		RETURN NULL;
	END IF;
	IF before IS NULL THEN
		PERFORM wa.refuse_field('status', 'must be delivered, read, played or failed');
	END IF;
	IF error_code IS NOT NULL THEN
		PERFORM wa.check_error_code(error_code);
	END IF;
	error := CASE WHEN has_failed THEN left(error, 500) END;
	error_code := CASE WHEN has_failed THEN error_code END;
	UPDATE wa.message m
	SET status = connector_status.status, error = connector_status.error, error_code = connector_status.error_code
	WHERE m.org_id = wa.require_org() AND m.session_id = session
		AND m.wa_message_id = connector_status.wa_message_id AND m.status = ANY (before);
	RETURN FOUND OR message IS NOT NULL AND wa.overtake_sent(session, message, wa_message_id, status, at, error, error_code);
END $$;
COMMENT ON FUNCTION wa.connector_status(uuid, text, text, timestamptz, uuid, text, text) IS
	'reports `delivered`, `read` or `played`, or `failed` with `error`, and with `error_code` under which WhatsApp lists it; false if that is no news, since a status never goes back, '
	'and what was delivered does not fail. `message`: the message, if WhatsApp says which one it is; the status then counts as well if it comes before the report that WhatsApp took the message, and as that report. `22023` '
	'(`status`, `error_code`)';

CREATE FUNCTION wa.connector_action_done(action uuid, wa_message_id text, at timestamptz) RETURNS boolean
	LANGUAGE plpgsql SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	done wa.message_action;
BEGIN
	UPDATE wa.message_action a SET status = 'done', error = NULL, lease_owner = NULL, lease_until = NULL
	WHERE a.org_id = wa.require_org() AND a.id = action AND a.status IN ('queued', 'sending')
	RETURNING * INTO done;
	IF NOT FOUND THEN
		RETURN false;
	END IF;
	PERFORM wa.apply_action(done, connector_action_done.wa_message_id, at);
	RETURN true;
END $$;
COMMENT ON FUNCTION wa.connector_action_done(uuid, text, timestamptz) IS
	'reports that WhatsApp took an action, and makes the message show it. `wa_message_id` is that of a forwarded '
	'copy. False: it was done or had failed already';

CREATE FUNCTION wa.connector_action_failed(action uuid, error text, retry boolean DEFAULT false, attempt integer DEFAULT NULL,
										   maybe_sent boolean DEFAULT false) RETURNS boolean
	LANGUAGE plpgsql SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF action IS NULL OR error IS NULL OR retry IS NULL OR maybe_sent IS NULL THEN
		RETURN NULL;
	END IF;
	UPDATE wa.message_action a
	SET status = CASE WHEN NOT retry OR a.pairing <> s.pairing THEN 'failed' WHEN maybe_sent THEN 'sending' ELSE 'queued' END,
		error = COALESCE(CASE WHEN retry AND a.pairing < s.pairing THEN s.queue_error || ' before it was carried out' END,
			left(connector_action_failed.error, 500)),
		lease_owner = NULL,
		lease_until = CASE WHEN retry AND a.pairing = s.pairing THEN clock_timestamp() + wa.retry_pause(a.attempts) END
	FROM wa.session s
	WHERE a.org_id = wa.require_org() AND a.id = action AND a.status IN ('queued', 'sending')
		AND (attempt IS NULL OR a.status = 'sending' AND a.attempts = attempt)
		AND s.org_id = a.org_id AND s.id = a.session_id;
	RETURN FOUND;
END $$;
COMMENT ON FUNCTION wa.connector_action_failed(uuid, text, boolean, integer, boolean) IS
	'reports that an action was certainly not carried out; `retry`, `attempt` and `maybe_sent` as in `wa.connector_failed()`';

-- What somebody else did to a message that is stored here.  With from_me it was the owner of
-- the session's number, on a phone.
CREATE FUNCTION wa.connector_change(session uuid, wa_message_id text, sender_jid text, type text, value text,
									from_me boolean DEFAULT false)
	RETURNS boolean
	LANGUAGE plpgsql SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF type NOT IN ('react', 'edit', 'revoke') THEN
		PERFORM wa.refuse_field('type', 'must be react, edit or revoke');
	END IF;
	IF char_length(value) > (CASE type WHEN 'react' THEN 64 ELSE 65536 END) THEN
		PERFORM wa.refuse_field('value', 'must be at most 64 characters for a reaction, and 65536 for a text');
	END IF;
	-- Everyone may react.  Only the sender may edit or revoke a text.
	UPDATE wa.message m
	SET reactions = CASE connector_change.type WHEN 'react' THEN wa.with_reaction(m.reactions, CASE WHEN from_me THEN 'me' ELSE connector_change.sender_jid END, value)
			ELSE m.reactions END,
		body = CASE connector_change.type WHEN 'edit' THEN value WHEN 'react' THEN m.body END,
		content = CASE WHEN connector_change.type <> 'revoke' THEN m.content END,
		media = CASE WHEN connector_change.type <> 'revoke' THEN m.media END,
		media_id = CASE WHEN connector_change.type <> 'revoke' THEN m.media_id END,
		edited = m.edited OR connector_change.type = 'edit',
		revoked = m.revoked OR connector_change.type = 'revoke'
	WHERE m.org_id = wa.require_org() AND m.session_id = session AND m.wa_message_id = connector_change.wa_message_id
		AND NOT m.revoked AND (connector_change.type = 'react' OR CASE WHEN from_me THEN m.direction = 'out'
			ELSE m.direction = 'in' AND m.sender_jid = connector_change.sender_jid END);
	RETURN FOUND;
END $$;
COMMENT ON FUNCTION wa.connector_change(uuid, text, text, text, text, boolean) IS
	'reports what somebody else did to a message, or with `from_me` the owner of the session''s number on a phone: '
	'`react` (`value` is the emoji, empty takes it back), `edit` (`value` is the text), `revoke`. Only the sender can '
	'edit or revoke. False if that changes nothing. `22023` (`type`)';

-- from_me: written on a phone with the session's own number.  Such a message counts as sent:
-- its sender is the session, it is not unread, and it can be edited and revoked.
CREATE FUNCTION wa.connector_receive(session uuid, wa_message_id text, chat_jid text, sender_jid text, sender_name text,
									 type text, body text, content jsonb, at timestamptz,
									 from_me boolean DEFAULT false, media jsonb DEFAULT NULL,
									 quoted text DEFAULT NULL, forwarded boolean DEFAULT false)
	RETURNS uuid
	LANGUAGE plpgsql SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	org constant uuid := wa.require_org();
	receiver wa.session;
	message uuid;
	file record;
BEGIN
	SELECT s.* INTO receiver FROM wa.session s
	WHERE s.org_id = org AND s.id = session FOR KEY SHARE;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'session does not exist' USING ERRCODE = 'no_data_found';
	END IF;
	PERFORM wa.require_jid(chat_jid, 'chat_jid');
	PERFORM wa.require_jid(sender_jid, 'sender_jid');
	IF COALESCE(connector_receive.wa_message_id, '') = '' THEN
		PERFORM wa.refuse_field('wa_message_id', 'must not be empty');
	END IF;
	IF char_length(body) > 65536 THEN
		PERFORM wa.refuse_field('body', 'must be at most 65536 characters');
	END IF;
	IF octet_length(content::text) > 262144 THEN
		PERFORM wa.refuse_field('content', 'must be at most 256 KiB');
	END IF;
	-- A repeated report finds the message here.  A simultaneous one collides in the index.
	SELECT m.id INTO message FROM wa.message m
	WHERE m.org_id = org AND m.session_id = session AND m.wa_message_id = connector_receive.wa_message_id;
	IF FOUND THEN
		RETURN message;
	END IF;
	-- The session's number is forgotten, so the message would be stored for the next number.
	IF receiver.status = 'logged_out' THEN
		RAISE EXCEPTION 'session is logged out' USING ERRCODE = 'object_not_in_prerequisite_state';
	END IF;

	file := wa.receive_media(session, type, media);
	PERFORM wa.touch_chat(session, chat_jid, at, CASE WHEN receiver.auto_read OR from_me THEN 0 ELSE 1 END);
	IF from_me THEN
		INSERT INTO wa.message (org_id, session_id, pairing, session_phone_number, chat_jid, wa_message_id, direction,
								type, body, content, quoted_message_id, media, media_id, status, forwarded, sent_at)
		VALUES (org, session, receiver.pairing, receiver.phone_number, connector_receive.chat_jid,
				connector_receive.wa_message_id, 'out', connector_receive.type, connector_receive.body,
				connector_receive.content, wa.quoted_message(session, quoted), file.shown, file.media_id, 'sent',
				connector_receive.forwarded, connector_receive.at)
		RETURNING id INTO message;
		RETURN message;
	END IF;
	INSERT INTO wa.contact AS c (org_id, session_id, jid, phone_number, name, first_seen_at, last_seen_at)
	VALUES (org, session, connector_receive.sender_jid,
			wa.phone_of(connector_receive.sender_jid),
			NULLIF(left(connector_receive.sender_name, 200), ''), at, at)
	ON CONFLICT (org_id, session_id, jid) DO UPDATE SET
		name = COALESCE(EXCLUDED.name, c.name),
		last_seen_at = GREATEST(c.last_seen_at, EXCLUDED.last_seen_at);
	INSERT INTO wa.message (org_id, session_id, pairing, session_phone_number, chat_jid, wa_message_id, direction,
							sender_jid, sender_name, type, body, content, quoted_message_id, media, media_id, status, forwarded, sent_at)
	VALUES (org, session, receiver.pairing, receiver.phone_number, connector_receive.chat_jid,
			connector_receive.wa_message_id, 'in', connector_receive.sender_jid, NULLIF(left(connector_receive.sender_name, 200), ''),
			connector_receive.type, connector_receive.body, connector_receive.content, wa.quoted_message(session, quoted),
			file.shown, file.media_id, CASE WHEN receiver.auto_read THEN 'read' ELSE 'delivered' END,
			connector_receive.forwarded, connector_receive.at)
	RETURNING id INTO message;
	RETURN message;
END $$;
COMMENT ON FUNCTION wa.connector_receive(uuid, text, text, text, text, text, text, jsonb, timestamptz, boolean, jsonb, text, boolean) IS
	'stores a received message with its chat and contact, once for each `wa_message_id`, and returns its id. '
	'`from_me`: it was written on a phone of the session''s own number, and not sent by the connector; it is a '
	'message that was sent, with no sender but the session. `media`: it carries a file, which `wa.connector_media()` '
	'then gives out to be fetched: `reference` is what the connector calls it, 1 to 2048 characters; `mimetype`, `sha256` '
	'(hexadecimal digits), `size` and `filename` are what WhatsApp has announced, each may be missing. `quoted`: '
	'WhatsApp''s id of the message that it answers, if that one is known here; `forwarded`: it is the copy of another message. `P0002` (no such '
	'session), `55000` (session is logged out), `22023` (`chat_jid`, `sender_jid`, `media`)';
