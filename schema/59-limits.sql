-- How much one organization may have.  These limits protect what all organizations share
-- (connectors, workers, the database's disk).  Administrators change them.  The limit 0
-- allows none at all.
--
-- Simultaneous requests do not count each other.  So an organization can exceed a limit by
-- the number of requests that it has in progress.  An exact limit would make its requests
-- wait for each other, and one that holds such a lock would delay the others.

-- In PL/pgSQL, so that nothing is planned for a call.
CREATE FUNCTION wa.default_limits() RETURNS TABLE (name text, value integer, most integer)
	LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE ROWS 9
AS $$
BEGIN
	RETURN QUERY VALUES ('sessions', 500, 100000), ('webhooks', 100, 10000), ('keys', 500, 100000), ('members', 500, 100000),
		('queued_messages', 10000, 1000000), ('webhook_tests', 100, 10000),
		('sockets', 10000, 1000000), ('media_mebibytes', 10240, 16777216), ('received_mebibytes', 10240, 16777216);
END $$;
COMMENT ON FUNCTION wa.default_limits() IS
	'how many sessions, webhooks, API keys and members an organization may have, messages may wait in one session, tests of webhooks may be on their way, realtime sockets may be open in one process of a gateway, and how many MiB its files may have in the store, those that it uploads and those that it receives, unless `wa.set_org_limit()` says otherwise; and the most that it takes';

CREATE FUNCTION wa.org_limit(org uuid, name text) RETURNS integer
	LANGUAGE plpgsql STABLE STRICT
AS $$
BEGIN
	RETURN COALESCE(
		(SELECT l.value FROM wa.org_limits l WHERE l.org_id = org AND l.name = org_limit.name),
		(SELECT d.value FROM wa.default_limits() d WHERE d.name = org_limit.name));
END $$;
COMMENT ON FUNCTION wa.org_limit(uuid, text) IS 'for function bodies: how much of this an organization may have';

-- These run as wa_claim: an API key that is restricted to some sessions, or a test key, sees only
-- its own and their webhooks, but all of them count.
CREATE FUNCTION wa.count_sessions(org uuid, max integer) RETURNS integer
	LANGUAGE plpgsql STABLE STRICT SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN (SELECT count(*) FROM (SELECT FROM wa.session s WHERE s.org_id = org AND s.deleted_at IS NULL LIMIT max) counted);
END $$;
COMMENT ON FUNCTION wa.count_sessions(uuid, integer) IS
	'for function bodies: how many sessions an organization has, at most this many';

CREATE FUNCTION wa.count_webhooks(org uuid, max integer) RETURNS integer
	LANGUAGE plpgsql STABLE STRICT SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN (SELECT count(*) FROM (SELECT FROM wa.webhook w WHERE w.org_id = org LIMIT max) counted);
END $$;
COMMENT ON FUNCTION wa.count_webhooks(uuid, integer) IS
	'for function bodies: how many webhooks an organization has; what is beyond a number is not counted';

CREATE FUNCTION wa.count_tests(org uuid, max integer) RETURNS integer
	LANGUAGE plpgsql STABLE STRICT SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN (SELECT count(*) FROM (
		SELECT FROM wa.delivery d
		WHERE d.org_id = org AND d.type = 'webhook.test' AND d.status IN ('pending', 'failed') LIMIT max) counted);
END $$;
COMMENT ON FUNCTION wa.count_tests(uuid, integer) IS
	'for function bodies: how many tests of webhooks of an organization are on their way; what is beyond a number is not counted';

-- Bytes are counted where their files are written, once for all files that share them.
CREATE FUNCTION wa.count_media() RETURNS trigger
	LANGUAGE plpgsql SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF TG_OP <> 'INSERT' AND OLD.sha256 IS NOT NULL THEN
		PERFORM wa.count_file(OLD, -1);
	END IF;
	IF TG_OP <> 'DELETE' AND NEW.sha256 IS NOT NULL THEN
		PERFORM wa.count_file(NEW, 1);
	END IF;
	RETURN NULL;
END $$;
COMMENT ON FUNCTION wa.count_media() IS 'trigger: keeps wa.media_bytes and wa.media_room as wa.media is';

-- No file may be of bytes that a worker is removing from the store (92-media-removal.sql).
CREATE FUNCTION wa.refuse_removal() RETURNS void
	LANGUAGE plpgsql
AS $$
BEGIN
	RAISE EXCEPTION 'the bytes of the file are being removed from the store'
		USING ERRCODE = 'serialization_failure', HINT = 'Store them again.';
END $$;
COMMENT ON FUNCTION wa.refuse_removal() IS 'for function bodies: raises 40001';

CREATE FUNCTION wa.count_file(file wa.media, change integer) RETURNS void
	LANGUAGE plpgsql STRICT
AS $$
DECLARE
	upload constant integer := CASE WHEN num_nonnulls(file.key_id, file.user_id) > 0 THEN change ELSE 0 END;
	counted wa.media_bytes;
	more_uploaded bigint;
	more_received bigint;
BEGIN
	IF change > 0 THEN
		INSERT INTO wa.media_bytes AS b (org_id, sha256, size, files, uploads)
		VALUES (file.org_id, file.sha256, file.size, change, upload)
		ON CONFLICT (org_id, sha256) DO UPDATE SET size = CASE WHEN b.files = 0 THEN EXCLUDED.size ELSE b.size END,
			files = b.files + change, uploads = b.uploads + upload, unused_at = NULL
		WHERE b.removal IS NULL
		RETURNING * INTO counted;
		IF NOT FOUND THEN
			PERFORM wa.refuse_removal();
		END IF;
	ELSE
		UPDATE wa.media_bytes b SET files = b.files + change, uploads = b.uploads + upload,
			unused_at = CASE WHEN b.files + change = 0 THEN now() END
		WHERE b.org_id = file.org_id AND b.sha256 = file.sha256
		RETURNING * INTO counted;
	END IF;
	-- What is uploaded and received, too, counts as uploaded.
	more_uploaded := counted.size * ((counted.uploads > 0)::integer - (counted.uploads - upload > 0)::integer);
	more_received := counted.size * ((counted.files > 0 AND counted.uploads = 0)::integer
		- (counted.files - change > 0 AND counted.uploads - upload = 0)::integer);
	IF more_uploaded <> 0 OR more_received <> 0 THEN
		INSERT INTO wa.media_room AS r (org_id, slot, uploaded, received)
		VALUES (file.org_id, get_byte(file.sha256, 0) & 15, 0, 0) ON CONFLICT DO NOTHING;
		UPDATE wa.media_room r SET uploaded = r.uploaded + more_uploaded, received = r.received + more_received
		WHERE r.org_id = file.org_id AND r.slot = get_byte(file.sha256, 0) & 15;
	END IF;
END $$;
COMMENT ON FUNCTION wa.count_file(wa.media, integer) IS
	'for wa.count_media(): one file more (1) or less (-1) of some bytes';

-- A dump has the counts; the files that it brings must not be counted again.
CREATE TRIGGER media_made_counted AFTER INSERT ON wa.media
	FOR EACH ROW WHEN (NEW.sha256 IS NOT NULL AND current_setting('row_security') = 'on') EXECUTE FUNCTION wa.count_media();
COMMENT ON TRIGGER media_made_counted ON wa.media IS 'counts its bytes';
CREATE TRIGGER media_changed_counted AFTER UPDATE OF sha256, size, key_id, user_id ON wa.media
	FOR EACH ROW WHEN (NEW.sha256 IS DISTINCT FROM OLD.sha256 OR NEW.key_id IS DISTINCT FROM OLD.key_id OR NEW.user_id IS DISTINCT FROM OLD.user_id)
	EXECUTE FUNCTION wa.count_media();
COMMENT ON TRIGGER media_changed_counted ON wa.media IS 'counts its bytes when they are stored, and no more when they have expired';
CREATE TRIGGER media_deleted_counted AFTER DELETE ON wa.media
	FOR EACH ROW WHEN (OLD.sha256 IS NOT NULL) EXECUTE FUNCTION wa.count_media();
COMMENT ON TRIGGER media_deleted_counted ON wa.media IS 'counts its bytes no more';

-- These run as wa_claim, which sees the rooms of all organizations.  A second file of the same
-- bytes is refused, too, when the limit is reached, so that nobody learns what is there.
-- Received files have a limit of their own: whoever writes to a telephone must not use up the
-- room of those who send.
CREATE FUNCTION wa.count_media_bytes(org uuid) RETURNS numeric
	LANGUAGE plpgsql STABLE STRICT SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN (SELECT COALESCE(sum(r.uploaded), 0) FROM wa.media_room r WHERE r.org_id = org);
END $$;
COMMENT ON FUNCTION wa.count_media_bytes(uuid) IS
	'for function bodies: how many bytes the files have in the store that people and keys of an organization have uploaded';

CREATE FUNCTION wa.count_received_bytes(org uuid) RETURNS numeric
	LANGUAGE plpgsql STABLE STRICT SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN (SELECT COALESCE(sum(r.received), 0) FROM wa.media_room r WHERE r.org_id = org);
END $$;
COMMENT ON FUNCTION wa.count_received_bytes(uuid) IS
	'for function bodies: how many bytes the files have in the store that an organization has only received';

CREATE FUNCTION wa.has_received_room(org uuid, size bigint) RETURNS boolean
	LANGUAGE plpgsql STABLE STRICT SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN wa.count_received_bytes(org) + size <= wa.org_limit(org, 'received_mebibytes') * 1048576::numeric;
END $$;
COMMENT ON FUNCTION wa.has_received_room(uuid, bigint) IS
	'for function bodies: whether so many more bytes of received files are within the organization''s limit';

CREATE FUNCTION wa.received_room_error(org uuid) RETURNS text
	LANGUAGE plpgsql STABLE STRICT SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN format('organization has reached its limit of %s MiB of received files', wa.org_limit(org, 'received_mebibytes'));
END $$;
COMMENT ON FUNCTION wa.received_room_error(uuid) IS 'for function bodies: why a received file is not fetched';

CREATE FUNCTION wa.has_media_room(org uuid, size bigint) RETURNS boolean
	LANGUAGE plpgsql STABLE STRICT SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN wa.count_media_bytes(org) + size <= wa.org_limit(org, 'media_mebibytes') * 1048576::numeric;
END $$;
COMMENT ON FUNCTION wa.has_media_room(uuid, bigint) IS
	'for function bodies: whether so many more bytes are within the organization''s limit of files that people and keys upload';

CREATE FUNCTION wa.media_room_error(org uuid) RETURNS text
	LANGUAGE plpgsql STABLE STRICT SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN format('organization has reached its limit of %s MiB of files', wa.org_limit(org, 'media_mebibytes'));
END $$;
COMMENT ON FUNCTION wa.media_room_error(uuid) IS 'for function bodies: why a file is not uploaded, or its URL not fetched';

CREATE FUNCTION wa.refuse_more_media(org uuid, size bigint) RETURNS void
	LANGUAGE plpgsql STRICT
AS $$
BEGIN
	IF NOT wa.has_media_room(org, size) THEN
		RAISE EXCEPTION '%', wa.media_room_error(org)
			USING ERRCODE = 'configuration_limit_exceeded', CONSTRAINT = 'media_mebibytes';
	END IF;
END $$;
COMMENT ON FUNCTION wa.refuse_more_media(uuid, bigint) IS
	'for function bodies: raises 53400 if so many more bytes are beyond the organization''s limit';

-- A gateway counts its sockets itself: nobody else knows which of them are still open after
-- another gateway has crashed.
CREATE FUNCTION wa.refuse_beyond_limit(org uuid, name text) RETURNS void
	LANGUAGE plpgsql STRICT
AS $$
DECLARE
	value constant integer := wa.org_limit(org, name);
	present integer;
BEGIN
	-- Nothing is counted beyond the limit.
	CASE name
		WHEN 'sessions' THEN
			present := wa.count_sessions(org, value);
		WHEN 'webhooks' THEN
			present := wa.count_webhooks(org, value);
		WHEN 'keys' THEN
			-- A rotated key counts half while it still works, so that the last one can be
			-- rotated too.
			SELECT GREATEST(count(*) FILTER (WHERE k.holds_name), count(*) / 2) INTO present FROM wa.api_key k
			WHERE k.org_id = org AND k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > clock_timestamp());
		WHEN 'members' THEN
			SELECT count(*) INTO present FROM (SELECT FROM wa.live_member m WHERE m.org_id = org LIMIT value) counted;
	END CASE;
	IF present >= value THEN
		RAISE EXCEPTION 'organization has reached its limit of % %', value, name
			USING ERRCODE = 'configuration_limit_exceeded', CONSTRAINT = name;
	END IF;
END $$;
COMMENT ON FUNCTION wa.refuse_beyond_limit(uuid, text) IS
	'for function bodies: raises 53400, with the name of the limit in the constraint-name field, if an organization has as many as it may have';

-- Counting the waiting messages at each send would cost more than the send.  So a count
-- determines how many may be added before the next count (src/queue_room.c).
CREATE FUNCTION wa.queue_room(session wa.session) RETURNS integer
	LANGUAGE plpgsql STRICT
AS $$
DECLARE
	value constant integer := wa.org_limit(session.org_id, 'queued_messages');
	room constant integer := value - (SELECT count(*) FROM (
		SELECT FROM wa.message m
		WHERE m.org_id = session.org_id AND m.session_id = session.id AND m.pairing = session.pairing
			AND m.status IN ('queued', 'sending') LIMIT value) waiting);
BEGIN
	IF room <= 0 THEN
		RAISE EXCEPTION 'session has reached its limit of % queued messages', value
			USING ERRCODE = 'configuration_limit_exceeded', CONSTRAINT = 'queued_messages',
			DETAIL = '10 seconds until it is worth another try.';
	END IF;
	RETURN room;
END $$;
COMMENT ON FUNCTION wa.queue_room(wa.session) IS
	'for function bodies: how many messages may be queued in a session before they are counted again; raises 53400 if none';

-- Actions are few where nobody means harm, so each one counts those that wait.
CREATE FUNCTION wa.has_full_actions(session wa.session) RETURNS boolean
	LANGUAGE plpgsql STABLE STRICT
AS $$
DECLARE
	value constant integer := wa.org_limit(session.org_id, 'queued_messages');
BEGIN
	RETURN (SELECT count(*) FROM (
		SELECT FROM wa.message_action a
		WHERE a.org_id = session.org_id AND a.session_id = session.id AND a.pairing = session.pairing
			AND a.status IN ('queued', 'sending') LIMIT value) waiting) >= value;
END $$;
COMMENT ON FUNCTION wa.has_full_actions(wa.session) IS
	'for function bodies: whether as many actions wait in a session as messages may';

CREATE FUNCTION wa.refuse_more_actions(session wa.session) RETURNS void
	LANGUAGE plpgsql STRICT
AS $$
BEGIN
	IF wa.has_full_actions(session) THEN
		RAISE EXCEPTION 'session has reached its limit of % queued actions', wa.org_limit(session.org_id, 'queued_messages')
			USING ERRCODE = 'configuration_limit_exceeded', CONSTRAINT = 'queued_messages',
			DETAIL = '10 seconds until it is worth another try.';
	END IF;
END $$;
COMMENT ON FUNCTION wa.refuse_more_actions(wa.session) IS
	'for function bodies: raises 53400 if as many actions wait in a session as messages may';

-- A test is on its way until it is delivered or given up.
CREATE FUNCTION wa.refuse_more_tests(org uuid) RETURNS void
	LANGUAGE plpgsql STRICT
AS $$
DECLARE
	value constant integer := wa.org_limit(org, 'webhook_tests');
BEGIN
	IF wa.count_tests(org, value) >= value THEN
		RAISE EXCEPTION 'organization has reached its limit of % tests of webhooks on their way', value
			USING ERRCODE = 'configuration_limit_exceeded', CONSTRAINT = 'webhook_tests',
			DETAIL = '10 seconds until it is worth another try.';
	END IF;
END $$;
COMMENT ON FUNCTION wa.refuse_more_tests(uuid) IS
	'for function bodies: raises 53400 if an organization has as many tests of webhooks on their way as it may have';

CREATE FUNCTION wa.take_queue_room(session uuid, has_turn boolean) RETURNS boolean
	LANGUAGE c STRICT
	AS 'MODULE_PATHNAME', 'wa_take_queue_room';
COMMENT ON FUNCTION wa.take_queue_room(uuid, boolean) IS
	'for function bodies: takes the room of one message that the last count of a session''s queue has left; false: the caller has to await a turn, or has one and has to count the queue';

CREATE FUNCTION wa.set_queue_room(session uuid, room integer, in_turns boolean) RETURNS void
	LANGUAGE c STRICT
	AS 'MODULE_PATHNAME', 'wa_set_queue_room';
COMMENT ON FUNCTION wa.set_queue_room(uuid, integer, boolean) IS
	'for function bodies: remembers what a count of a session''s queue has left, and whether only those who have a turn may take it; forgotten when the server ends';

CREATE FUNCTION wa.forget_queue_room(session uuid) RETURNS void
	LANGUAGE c STRICT
	AS 'MODULE_PATHNAME', 'wa_forget_queue_room';
COMMENT ON FUNCTION wa.forget_queue_room(uuid) IS
	'for function bodies: forgets what a count of a session''s queue has left, so that another session gets the place';

CREATE FUNCTION wa.await_queue_turn(session uuid) RETURNS void
	LANGUAGE c STRICT
	AS 'MODULE_PATHNAME', 'wa_await_queue_turn';
COMMENT ON FUNCTION wa.await_queue_turn(uuid) IS
	'for function bodies: waits until the transactions that had a turn at a session''s queue before have ended';

CREATE FUNCTION wa.end_queue_turn(session uuid) RETURNS void
	LANGUAGE c STRICT
	AS 'MODULE_PATHNAME', 'wa_end_queue_turn';
COMMENT ON FUNCTION wa.end_queue_turn(uuid) IS
	'for function bodies: ends a turn at a session''s queue before the transaction ends, if the message could be queued without one';

-- Far below the limit, senders do not wait for each other, and some room is kept back for
-- messages of transactions that are in progress, which a count does not see.
CREATE FUNCTION wa.enter_queue(session wa.session) RETURNS void
	LANGUAGE plpgsql STRICT
AS $$
DECLARE
	kept_back constant integer := 1000;
	room integer;
BEGIN
	PERFORM wa.await_queue_turn(session.id);
	IF NOT wa.take_queue_room(session.id, true) THEN
		room := wa.queue_room(session) - 1;
		IF room < 2 * kept_back THEN
			PERFORM wa.set_queue_room(session.id, room, true);
		ELSE
			PERFORM wa.set_queue_room(session.id, room - kept_back, false);
		END IF;
	END IF;
	PERFORM wa.end_queue_turn(session.id);
END $$;
COMMENT ON FUNCTION wa.enter_queue(wa.session) IS
	'for function bodies: takes the room of one message in a session''s queue when no more of it may be taken without a turn; raises 53400 if the queue is full';

CREATE FUNCTION wa.set_org_limit(org wa.org_id, name text, value integer) RETURNS void
	LANGUAGE plpgsql SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
	most constant integer := (SELECT d.most FROM wa.default_limits() d WHERE d.name = set_org_limit.name);
BEGIN
	PERFORM wa.refuse_under_key();
	IF most IS NULL THEN
		PERFORM wa.refuse_field('name', 'must be one of: ' || (SELECT string_agg(d.name, ', ') FROM wa.default_limits() d));
	END IF;
	IF value NOT BETWEEN 0 AND most THEN
		PERFORM wa.refuse_field('value', format('must be between 0 and %s', most));
	END IF;
	PERFORM wa.refuse_unknown_org(org);
	IF value IS NULL THEN
		DELETE FROM wa.org_limits l WHERE l.org_id = org AND l.name = set_org_limit.name;
	ELSE
		INSERT INTO wa.org_limits (org_id, name, value) VALUES (org, set_org_limit.name, set_org_limit.value)
		ON CONFLICT (org_id, name) DO UPDATE SET value = EXCLUDED.value;
	END IF;
	PERFORM wa.note(org, 'org.changed', org, jsonb_build_object('limit', name, 'value', value));
END $$;
COMMENT ON FUNCTION wa.set_org_limit(wa.org_id, text, integer) IS
	'how much of something an organization may have: `sessions`, `webhooks`, `keys`, `members`, `webhook_tests` that are on their way, `queued_messages` of one session, `sockets` of one process of a gateway, `media_mebibytes` of uploaded files in the store, or `received_mebibytes` of received ones; NULL: the default of `wa.default_limits()`. What is there already stays. `22023` (`name`, `value`), `P0002`';
