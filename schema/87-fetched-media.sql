-- Files that connectors fetch: those that are received, and those that senders have given the URL
-- of.  What is known of one, and what became of it.
--
-- The message comes first, with a file that is pending.  Its connector takes the file under a
-- lease, stores the bytes in the store of the gateway, and reports it.  A report counts only
-- while the connector has the file: it names itself and the attempt of its claim.  A message to
-- send is not due before its file is stored (lease_until is infinity), and fails if that fails.

-- A sender may choose any name.  The message must not be lost for that.
CREATE FUNCTION wa.sent_filename(filename text) RETURNS text
	LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
AS $$
DECLARE
	last_part constant text := left(regexp_replace(regexp_replace(filename, E'^.*[/\\\\]', ''), '[[:cntrl:]]', '', 'g'), 255);
BEGIN
	RETURN CASE WHEN last_part NOT IN ('', '.', '..') THEN last_part END;
END $$;
COMMENT ON FUNCTION wa.sent_filename(text) IS
	'for function bodies: what is a file name (wa.check_filename()) of the name that a sender gave a file; NULL if that is nothing';

CREATE FUNCTION wa.check_received_media(type text, media jsonb) RETURNS void
	LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
AS $$
BEGIN
	IF (type IN ('image', 'video', 'audio', 'document', 'sticker')) IS NOT TRUE THEN
		PERFORM wa.refuse_field('media', 'must be of an image, video, audio, document or sticker');
	END IF;
	IF jsonb_typeof(media) <> 'object' THEN
		PERFORM wa.refuse_field('media', 'must be an object');
	END IF;
	IF (char_length(media ->> 'reference') BETWEEN 1 AND 2048) IS NOT TRUE THEN
		PERFORM wa.refuse_field('media.reference', 'must be 1 to 2048 characters');
	END IF;
	IF media ->> 'sha256' !~ '^[0-9a-f]{64}$' THEN
		PERFORM wa.refuse_field('media.sha256', 'must be 64 hexadecimal digits');
	END IF;
	IF media ->> 'size' !~ '^[1-9][0-9]{0,17}$' THEN
		PERFORM wa.refuse_field('media.size', 'must be a number of bytes');
	END IF;
END $$;
COMMENT ON FUNCTION wa.check_received_media(text, jsonb) IS
	'for function bodies: raises 22023 unless this is what a connector can know of the file of a message';

CREATE FUNCTION wa.receive_media(session uuid, type text, media jsonb, OUT media_id uuid, OUT shown jsonb)
	LANGUAGE plpgsql
AS $$
DECLARE
	made wa.media;
	refused text;
BEGIN
	IF media IS NULL THEN
		RETURN;
	END IF;
	PERFORM wa.check_received_media(type, media);
	IF NOT wa.has_received_room(wa.require_org(), COALESCE((media ->> 'size')::bigint, 1)) THEN
		refused := wa.received_room_error(wa.require_org());
	END IF;
	INSERT INTO wa.media (org_id, state, mimetype, filename, error, unused_at)
	VALUES (wa.require_org(), CASE WHEN refused IS NULL THEN 'pending' ELSE 'failed' END, wa.read_media_type(media ->> 'mimetype'),
			wa.sent_filename(media ->> 'filename'), refused, NULL)
	RETURNING * INTO made;
	IF refused IS NULL THEN
		INSERT INTO wa.media_fetch (org_id, media_id, session_id, reference, sha256, size)
		VALUES (made.org_id, made.id, session, media ->> 'reference', decode(media ->> 'sha256', 'hex'), (media ->> 'size')::bigint);
	END IF;
	media_id := made.id;
	shown := jsonb_strip_nulls(jsonb_build_object('id', wa.typeid('med', made.id), 'state', made.state,
		'mimetype', made.mimetype, 'size', (media ->> 'size')::bigint, 'filename', made.filename, 'error', refused));
END $$;
COMMENT ON FUNCTION wa.receive_media(uuid, text, jsonb) IS
	'for wa.connector_receive(): makes a file that is pending, or failed if there is no room, if the message has one, and returns it and what the message shows of it';

-- The file counts against the sender's organization like one that was uploaded.
CREATE FUNCTION wa.begin_fetch(session uuid, media jsonb) RETURNS uuid
	LANGUAGE plpgsql STRICT
AS $$
DECLARE
	org constant uuid := wa.require_org();
	made uuid;
BEGIN
	PERFORM wa.refuse_more_media(org, 1);
	INSERT INTO wa.media (org_id, state, mimetype, filename, key_id, user_id, unused_at)
	VALUES (org, 'pending', media ->> 'mimetype', media ->> 'filename', wa.current_key(), wa.current_user_id(), NULL)
	RETURNING id INTO made;
	INSERT INTO wa.media_fetch (org_id, media_id, session_id, url) VALUES (org, made, session, media ->> 'url');
	RETURN made;
END $$;
COMMENT ON FUNCTION wa.begin_fetch(uuid, jsonb) IS
	'for wa.send_message(): makes a file that is pending for the URL of an attachment; raises 53400 if the organization has no room for files';

-- As in wa.connector_claim(), each session offers some of its files that are due, at most half
-- of them tried before, and organizations take turns.  The bounds are lower, because a file
-- takes longer than a message.  Received files and those of URLs are two queues.  That for which
-- an organization has no room is left out until it has some, and its files expire meanwhile.
CREATE FUNCTION wa.connector_media(connector text, owner text, max integer, lease interval)
	RETURNS TABLE (org_id uuid, media_id uuid, session_id uuid, reference text, url text, mimetype text, sha256 bytea,
				   size bigint, attempt integer)
	LANGUAGE plpgsql SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	SET enable_seqscan = off SET enable_bitmapscan = off SET enable_sort = off SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off
AS $$
#variable_conflict use_column
DECLARE
	at constant timestamptz := clock_timestamp();
	fetching_max constant integer := 8;	-- of one session at once, and of the sessions of one organization that "owner" leases
BEGIN
	PERFORM wa.check_lease(owner, max, lease);
	RETURN QUERY
	WITH busy AS MATERIALIZED (
		SELECT s.org_id, s.id, fetching.count AS fetching
		FROM wa.session_wanted w JOIN wa.session s ON s.org_id = w.org_id AND s.id = w.session_id CROSS JOIN LATERAL (
			SELECT FROM (VALUES (false), (true)) queue (is_url) CROSS JOIN LATERAL (
				SELECT f.lease_until FROM wa.media_fetch f
				WHERE f.org_id = s.org_id AND f.session_id = s.id AND (f.url IS NOT NULL) = queue.is_url
				ORDER BY f.lease_until NULLS FIRST, f.media_id LIMIT 1) next
			WHERE next.lease_until IS NULL OR next.lease_until <= at LIMIT 1) waiting CROSS JOIN LATERAL (
			SELECT count(*) FROM (
				SELECT FROM wa.media_fetch f
				WHERE f.org_id = s.org_id AND f.session_id = s.id AND f.lease_owner IS NOT NULL AND f.lease_until > at
				LIMIT fetching_max) taken) fetching
		WHERE w.lease_owner = connector_media.owner AND w.connector = connector_media.connector
			AND w.lease_until > at AND s.status = 'working'), shared AS (
		SELECT b.*, sum(b.fetching) OVER (PARTITION BY b.org_id) AS org_fetching,
			wa.has_received_room(b.org_id, 1) AS receives, wa.has_media_room(b.org_id, 1) AS sends
		FROM busy b), offered AS MATERIALIZED (
		SELECT b.org_id, b.org_fetching, f.media_id,
			b.fetching + row_number() OVER (PARTITION BY b.org_id, b.id ORDER BY f.media_id) AS nth
		FROM shared b CROSS JOIN LATERAL (
			SELECT f.media_id
			FROM (VALUES (false, b.receives), (true, b.sends)) queue (is_url, has_room) CROSS JOIN LATERAL (
				(SELECT f.media_id, row_number() OVER (ORDER BY f.lease_until NULLS FIRST, f.media_id) AS nth FROM wa.media_fetch f
				WHERE queue.has_room AND f.org_id = b.org_id AND f.session_id = b.id AND (f.url IS NOT NULL) = queue.is_url
					AND f.lease_until <= at
				ORDER BY f.lease_until NULLS FIRST, f.media_id LIMIT fetching_max / 2)
				UNION ALL
				(SELECT f.media_id, row_number() OVER (ORDER BY f.lease_until NULLS FIRST, f.media_id) AS nth FROM wa.media_fetch f
				WHERE queue.has_room AND f.org_id = b.org_id AND f.session_id = b.id AND (f.url IS NOT NULL) = queue.is_url
					AND f.lease_until IS NULL
				ORDER BY f.lease_until NULLS FIRST, f.media_id LIMIT fetching_max)) f
			ORDER BY f.nth, f.media_id LIMIT fetching_max - b.fetching) f), chosen AS (
		SELECT o.*, row_number() OVER (PARTITION BY o.org_id ORDER BY o.nth, o.media_id) + o.org_fetching AS turn
		FROM offered o
		ORDER BY turn, random()
		LIMIT max), due AS (
		SELECT f.org_id, f.media_id
		FROM chosen c CROSS JOIN LATERAL (
			SELECT f.org_id, f.media_id FROM wa.media_fetch f
			WHERE c.turn <= fetching_max AND f.org_id = c.org_id AND f.media_id = c.media_id AND (f.lease_until IS NULL OR f.lease_until <= at)
			LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED) f), taken AS (
		UPDATE wa.media_fetch f
		SET attempts = f.attempts + 1, lease_owner = connector_media.owner, lease_until = at + lease, taken_at = at
		FROM due WHERE f.org_id = due.org_id AND f.media_id = due.media_id
		RETURNING f.*)
	SELECT f.org_id, f.media_id, f.session_id, f.reference, f.url, m.mimetype, f.sha256, f.size, f.attempts
	FROM taken f CROSS JOIN LATERAL (
		SELECT m.mimetype FROM wa.media m WHERE m.org_id = f.org_id AND m.id = f.media_id LIMIT 1) m
	ORDER BY f.media_id;
END $$;
COMMENT ON FUNCTION wa.connector_media(text, text, integer, interval) IS
	'takes files to fetch, of the working sessions that `owner` leases. Organizations take turns, and a session '
	'has at most 8 on their way, and so have all sessions of an organization that `owner` leases. Of a received file `reference`, `mimetype`, `sha256` and `size` are what the connector '
	'has announced (`media` of a `receive` report). Of a file that is to be sent `url` is what the sender has given: '
	'it may lead anywhere, so whoever fetches it has to check each address that it connects to. A file whose lease runs out is given out again. `22023` (`owner`, `max` 1 to 1000, '
	'`lease` 1 s to 1 h)';

-- One message has the file: wa.forward_message() refuses others while it is pending.
CREATE FUNCTION wa.end_fetch(media uuid, shows jsonb) RETURNS boolean
	LANGUAGE plpgsql STRICT
AS $$
DECLARE
	org constant uuid := wa.require_org();
	fails constant boolean := shows ->> 'state' <> 'stored';
	carrier uuid;
	waits boolean;
BEGIN
	SELECT m.id, COALESCE(m.status = 'queued' AND m.lease_until = 'infinity', false) INTO carrier, waits
	FROM wa.message m WHERE m.org_id = org AND m.media_id = end_fetch.media FOR NO KEY UPDATE;
	IF NOT FOUND THEN
		DELETE FROM wa.media f WHERE f.org_id = org AND f.id = end_fetch.media;
		RETURN false;
	END IF;
	UPDATE wa.message m SET media = m.media || shows,
		status = CASE WHEN waits AND fails THEN 'failed' ELSE m.status END,
		error = CASE WHEN waits AND fails THEN 'the file could not be fetched: ' || (shows ->> 'error') ELSE m.error END,
		lease_until = CASE WHEN NOT waits THEN m.lease_until END
	WHERE m.org_id = org AND m.id = carrier;
	IF waits AND fails THEN
		PERFORM wa.wake_answers(carrier);
	END IF;
	DELETE FROM wa.media_fetch f WHERE f.org_id = org AND f.media_id = end_fetch.media;
	RETURN true;
END $$;
COMMENT ON FUNCTION wa.end_fetch(uuid, jsonb) IS
	'for function bodies: makes the message show what became of its file, and if it waits for it, due or failed; if it was deleted, removes the file and returns false';

CREATE FUNCTION wa.find_fetch(media uuid, owner text, attempt integer) RETURNS wa.media_fetch
	LANGUAGE plpgsql STRICT
AS $$
DECLARE
	taken wa.media_fetch;
BEGIN
	SELECT f.* INTO taken FROM wa.media_fetch f
	WHERE f.org_id = wa.require_org() AND f.media_id = media AND f.lease_owner = owner AND f.attempts = attempt
	FOR UPDATE;
	RETURN taken;
END $$;
COMMENT ON FUNCTION wa.find_fetch(uuid, text, integer) IS
	'for function bodies: locks the file that a connector has taken; NULL if it does not have it (any more)';

CREATE FUNCTION wa.connector_media_stored(media uuid, owner text, attempt integer, sha256 bytea, size bigint, mimetype text)
	RETURNS boolean
	LANGUAGE plpgsql STRICT SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	taken constant wa.media_fetch := wa.find_fetch(media, owner, attempt);
	type constant text := wa.check_media(mimetype, NULL);
BEGIN
	IF taken.media_id IS NULL THEN
		RETURN false;
	END IF;
	IF taken.sha256 <> connector_media_stored.sha256 THEN
		PERFORM wa.refuse_field('sha256', 'is not that of the file that was announced');
	END IF;
	BEGIN
		UPDATE wa.media f
		SET state = 'stored', sha256 = connector_media_stored.sha256, size = connector_media_stored.size, mimetype = type
		WHERE f.org_id = taken.org_id AND f.id = media;
		PERFORM wa.refuse_removed(taken.org_id, connector_media_stored.sha256, taken.taken_at);
	EXCEPTION WHEN serialization_failure THEN
		UPDATE wa.media_fetch f SET error = SQLERRM, lease_owner = NULL, lease_until = clock_timestamp() + wa.retry_pause(f.attempts)
		WHERE f.org_id = taken.org_id AND f.media_id = media;
		RETURN false;
	END;
	RETURN wa.end_fetch(media, jsonb_build_object('state', 'stored', 'mimetype', type, 'size', size));
END $$;
COMMENT ON FUNCTION wa.connector_media_stored(uuid, text, integer, bytea, bigint, text) IS
	'reports that `owner` has stored the bytes of a file durably, in the attempt of its claim: their SHA-256, how many '
	'they are, and their media type. False: it does not have the file any more, or no message carries it any more, or a worker '
	'has removed the same bytes from the store meanwhile, and the file is to be fetched once more. '
	'`22023` (`sha256`: WhatsApp has announced another one; `mimetype`), `23514` (a digest or size that is none)';

-- Meta keeps a file for 7 days.
CREATE FUNCTION wa.fetch_days() RETURNS integer
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
	AS $$ SELECT 7 $$;
COMMENT ON FUNCTION wa.fetch_days() IS 'for function bodies: for how many days after a message its file is tried to be fetched';

-- Whoever sends a URL waits for what becomes of the message: 8 tries take about four minutes.
CREATE FUNCTION wa.url_attempts() RETURNS integer
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
	AS $$ SELECT 8 $$;
COMMENT ON FUNCTION wa.url_attempts() IS 'for function bodies: how often the URL of a file is tried';

CREATE FUNCTION wa.connector_media_failed(media uuid, owner text, attempt integer, error text, retry boolean DEFAULT false,
										  expired boolean DEFAULT false) RETURNS boolean
	LANGUAGE plpgsql STRICT SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	taken constant wa.media_fetch := wa.find_fetch(media, owner, attempt);
	reason constant text := left(error, 500);
	ended text;
BEGIN
	IF taken.media_id IS NULL THEN
		RETURN false;
	END IF;
	SELECT CASE WHEN expired THEN 'expired' WHEN NOT retry OR taken.url IS NOT NULL AND taken.attempts >= wa.url_attempts() THEN 'failed'
		WHEN f.created_at < clock_timestamp() - wa.fetch_days() * interval '1 day' THEN 'expired' END INTO ended
	FROM wa.media f WHERE f.org_id = taken.org_id AND f.id = media;
	IF ended IS NULL THEN
		UPDATE wa.media_fetch f SET error = reason, lease_owner = NULL, lease_until = clock_timestamp() + wa.retry_pause(f.attempts)
		WHERE f.org_id = taken.org_id AND f.media_id = media;
		RETURN true;
	END IF;
	UPDATE wa.media f SET state = ended, error = reason WHERE f.org_id = taken.org_id AND f.id = media;
	RETURN wa.end_fetch(media, jsonb_build_object('state', ended, 'error', reason));
END $$;
COMMENT ON FUNCTION wa.connector_media_failed(uuid, text, integer, text, boolean, boolean) IS
	'reports that `owner` could not fetch a file in the attempt of its claim: for good, or, with `retry`, to be tried '
	'again after 2, 4, 8 … seconds (at most an hour), for 7 days after the message; a URL is tried 8 times. A message '
	'that waits for the file fails with it. `expired`: WhatsApp has it no longer. '
	'False: it does not have the file any more, or no message carries it any more';
