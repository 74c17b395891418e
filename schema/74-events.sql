-- The event log: writing events, and reading them.

CREATE FUNCTION wa.epoch_ms(at timestamptz) RETURNS bigint
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'wa_epoch_ms';
COMMENT ON FUNCTION wa.epoch_ms(timestamptz) IS 'a time as the API writes it: milliseconds since 1970';

CREATE FUNCTION wa.server_run() RETURNS text
	LANGUAGE c STABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'wa_server_run';
COMMENT ON FUNCTION wa.server_run() IS
	'for function bodies: this run of this server: system identifier, timeline, time of the start';

CREATE FUNCTION wa.next_event_position(org uuid, OUT epoch integer, OUT ordinal bigint, OUT noted boolean)
	LANGUAGE c STRICT
	AS 'MODULE_PATHNAME', 'wa_next_event_position';
COMMENT ON FUNCTION wa.next_event_position(uuid) IS
	'for function bodies: epoch and ordinal of an event that is written now, and whether the epoch has been noted; at commit those who wait for the organization''s events are woken';

CREATE FUNCTION wa.wake(org uuid) RETURNS void
	LANGUAGE c STRICT
	AS 'MODULE_PATHNAME', 'wa_wake';
COMMENT ON FUNCTION wa.wake(uuid) IS
	'for function bodies: at commit those who wait for the organization''s events are woken, as when one is written';

CREATE FUNCTION wa.event_horizon(org uuid, OUT epoch integer, OUT ordinal bigint)
	LANGUAGE c STABLE STRICT PARALLEL RESTRICTED
	AS 'MODULE_PATHNAME', 'wa_event_horizon';
COMMENT ON FUNCTION wa.event_horizon(uuid) IS
	'for function bodies: epoch and ordinal below which every transaction that wrote events of the organization has ended, in the snapshot of the calling statement';

-- The writers must be observed before the snapshot is taken that is used to read.
CREATE FUNCTION wa.observe_writers() RETURNS void
	LANGUAGE c STRICT
	AS 'MODULE_PATHNAME', 'wa_observe_writers';
COMMENT ON FUNCTION wa.observe_writers() IS
	'for function bodies: notes who writes events now, for wa.event_horizon() in the statements that follow; wa.authenticate() does it too';

CREATE FUNCTION wa.event_writers() RETURNS TABLE (org_id uuid, pid integer)
	LANGUAGE c STRICT PARALLEL RESTRICTED
	AS 'MODULE_PATHNAME', 'wa_event_writers';
COMMENT ON FUNCTION wa.event_writers() IS
	'which transactions write events now, in the order in which they began to: the organization, and the process as pg_stat_activity shows it; events that come behind one of them wait until it ends';

CREATE FUNCTION wa.event_room() RETURNS integer
	LANGUAGE c STRICT
	AS 'MODULE_PATHNAME', 'wa_event_room';
COMMENT ON FUNCTION wa.event_room() IS
	'for function bodies: of how many more organizations this transaction can write events without delaying those of all others';

-- ---- Writing ----

-- An event is a row of its own and one for each webhook that may want it.  How many webhooks
-- there are is for the organization to choose, and the connections on which events are written
-- serve all organizations.  So whatever writes many events writes only so many rows in a
-- statement, and leaves the rest to a later one.
CREATE FUNCTION wa.event_rows_max() RETURNS integer
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
	AS $$ SELECT 2000 $$;
COMMENT ON FUNCTION wa.event_rows_max() IS
	'for function bodies: how many rows of events and deliveries one statement may write, where it chooses how many';

-- Runs as wa_claim: a key that is restricted to some sessions sees only their webhooks.
CREATE FUNCTION wa.event_rows(org uuid) RETURNS integer
	LANGUAGE plpgsql STABLE STRICT SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN 1 + (SELECT count(*) FROM (
		SELECT FROM wa.webhook w
		WHERE w.org_id = org AND (w.active OR w.disabled_at IS NOT NULL) LIMIT wa.event_rows_max()) counted);
END $$;
COMMENT ON FUNCTION wa.event_rows(uuid) IS
	'for function bodies: how many rows an event of an organization writes if all its webhooks want it; what is beyond wa.event_rows_max() is not counted';

CREATE FUNCTION wa.events_at_once(org uuid, max integer, rows_max integer DEFAULT wa.event_rows_max()) RETURNS integer
	LANGUAGE plpgsql STABLE STRICT
AS $$
BEGIN
	RETURN LEAST(max, GREATEST(1, rows_max / wa.event_rows(org)));
END $$;
COMMENT ON FUNCTION wa.events_at_once(uuid, integer, integer) IS
	'for function bodies: how many events of an organization one statement may write, at most so many and at least one';

CREATE FUNCTION wa.envelope(event uuid, type text, session uuid, org uuid, at timestamptz, payload text) RETURNS text
	LANGUAGE c IMMUTABLE PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'wa_envelope';
COMMENT ON FUNCTION wa.envelope(uuid, text, uuid, uuid, timestamptz, text) IS
	'for function bodies: an event as JSON, in the bytes that everybody gets';

CREATE FUNCTION wa.note_epoch(epoch integer, ordinal bigint) RETURNS void
	LANGUAGE sql STRICT
AS $$
	INSERT INTO wa.event_epoch (epoch, ordinal, server) VALUES (epoch, ordinal, wa.server_run()) ON CONFLICT DO NOTHING
$$;
COMMENT ON FUNCTION wa.note_epoch(integer, bigint) IS
	'for function bodies: notes the epoch of a position that wa.next_event_position() says is not noted yet';

-- All events are written here (src/event_log.c), with a delivery for each webhook that wants
-- the event.
CREATE FUNCTION wa.emit(org uuid, type text, session uuid, payload text) RETURNS uuid
	LANGUAGE c
	AS 'MODULE_PATHNAME', 'wa_emit';
COMMENT ON FUNCTION wa.emit(uuid, text, uuid, text) IS
	'for function bodies: writes an event of this transaction, with its deliveries, and returns its id';

-- A function that makes many events holds them back, so that one statement writes all of
-- them.  What it makes in a savepoint that is rolled back is dropped.  Both functions return
-- something, because an expression costs less than PERFORM.
CREATE FUNCTION wa.hold_events() RETURNS boolean
	LANGUAGE c STRICT
	AS 'MODULE_PATHNAME', 'wa_hold_events';
COMMENT ON FUNCTION wa.hold_events() IS
	'for function bodies: holds back the events that follow, until wa.write_events() in the same function, and returns true; a transaction that ends before that cannot commit';

CREATE FUNCTION wa.write_events() RETURNS integer
	LANGUAGE c STRICT
	AS 'MODULE_PATHNAME', 'wa_write_events';
COMMENT ON FUNCTION wa.write_events() IS
	'for function bodies: writes the events that were held back, in the order in which they were made, with their deliveries, and returns how many';

CREATE FUNCTION wa.write_claimed_events() RETURNS integer
	LANGUAGE sql STRICT SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	AS $$ SELECT wa.write_events() $$;
COMMENT ON FUNCTION wa.write_claimed_events() IS
	'for function bodies of wa_claim: wa.write_events() with the rights of wa_owner';

-- Triggers.  An event shows the same as the endpoint of its subject.  Triggers for new rows
-- do nothing while pg_dump's output is restored, which adds rows that have had their events
-- already.  They recognize it by the setting row_security = off.  Nobody else can switch them
-- off like this, because with that setting the functions that change anything raise an error.

CREATE FUNCTION wa.session_events() RETURNS trigger
	LANGUAGE plpgsql SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM wa.emit(NEW.org_id, 'session.status', NEW.id, json_strip_nulls(json_build_object(
		'id', wa.typeid('sess', NEW.id), 'organizationId', wa.typeid('org', NEW.org_id), 'label', NEW.label,
		'status', NEW.status, 'statusReason', NEW.status_reason, 'connector', NEW.connector, 'phoneNumber', NEW.phone_number, 'waJid', NEW.wa_jid,
		'autoRead', NEW.auto_read, 'presenceTyping', NEW.presence_typing, 'ratePerMin', NEW.rate_per_min,
		'ratePerHour', NEW.rate_per_hour, 'createdAt', wa.epoch_ms(NEW.created_at),
		'updatedAt', wa.epoch_ms(NEW.updated_at), 'lastConnectedAt', wa.epoch_ms(NEW.last_connected_at)))::text);
	RETURN NULL;
END $$;
COMMENT ON FUNCTION wa.session_events() IS 'trigger: session.status';
CREATE TRIGGER session_made AFTER INSERT ON wa.session
	FOR EACH ROW WHEN (current_setting('row_security') = 'on') EXECUTE FUNCTION wa.session_events();
COMMENT ON TRIGGER session_made ON wa.session IS 'session.status: a new session';
CREATE TRIGGER session_changed AFTER UPDATE OF status, status_reason ON wa.session
	FOR EACH ROW WHEN ((NEW.status <> OLD.status OR NEW.status_reason IS DISTINCT FROM OLD.status_reason) AND NEW.deleted_at IS NULL) EXECUTE FUNCTION wa.session_events();
COMMENT ON TRIGGER session_changed ON wa.session IS 'session.status: another status, or another reason for it';

CREATE FUNCTION wa.pairing_events() RETURNS trigger
	LANGUAGE plpgsql SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF NEW.qr_code IS NOT NULL AND (TG_OP = 'INSERT' OR NEW.qr_code IS DISTINCT FROM OLD.qr_code) THEN
		PERFORM wa.emit(NEW.org_id, 'auth.qr', NEW.session_id, json_strip_nulls(json_build_object(
			'code', NEW.qr_code, 'expiresAt', wa.epoch_ms(NEW.qr_expires_at)))::text);
	END IF;
	IF NEW.code IS NOT NULL AND (TG_OP = 'INSERT' OR NEW.code IS DISTINCT FROM OLD.code) THEN
		PERFORM wa.emit(NEW.org_id, 'auth.code', NEW.session_id, json_strip_nulls(json_build_object(
			'phone', NEW.phone, 'code', NEW.code))::text);
	END IF;
	RETURN NULL;
END $$;
COMMENT ON FUNCTION wa.pairing_events() IS 'trigger: auth.qr, auth.code';
CREATE TRIGGER session_pairing_made AFTER INSERT ON wa.session_pairing
	FOR EACH ROW WHEN (current_setting('row_security') = 'on') EXECUTE FUNCTION wa.pairing_events();
COMMENT ON TRIGGER session_pairing_made ON wa.session_pairing IS 'auth.qr, auth.code: the first one';
CREATE TRIGGER session_pairing_changed AFTER UPDATE OF qr_code, code ON wa.session_pairing
	FOR EACH ROW EXECUTE FUNCTION wa.pairing_events();
COMMENT ON TRIGGER session_pairing_changed ON wa.session_pairing IS 'auth.qr, auth.code: another one';

-- These are in C, because they run for most messages (src/chat_events.c, src/message_events.c).
-- They look at row_security themselves: a condition would be read from its text for each
-- statement.
CREATE FUNCTION wa.chat_events() RETURNS trigger
	LANGUAGE c SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'wa_chat_events';
COMMENT ON FUNCTION wa.chat_events() IS 'trigger: chat.update';
CREATE TRIGGER chat_made AFTER INSERT ON wa.chat
	FOR EACH ROW EXECUTE FUNCTION wa.chat_events();
COMMENT ON TRIGGER chat_made ON wa.chat IS 'chat.update: a new chat';
CREATE TRIGGER chat_changed AFTER UPDATE OF name, archived, pinned, muted_until, unread_count ON wa.chat
	FOR EACH ROW WHEN (NEW.name IS DISTINCT FROM OLD.name OR NEW.archived <> OLD.archived OR NEW.pinned <> OLD.pinned
		OR NEW.muted_until IS DISTINCT FROM OLD.muted_until OR NEW.unread_count < OLD.unread_count)
	EXECUTE FUNCTION wa.chat_events();
COMMENT ON TRIGGER chat_changed ON wa.chat IS
	'chat.update: changed or read; that a message came or went says the message''s own event';

CREATE FUNCTION wa.contact_events() RETURNS trigger
	LANGUAGE c SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'wa_contact_events';
COMMENT ON FUNCTION wa.contact_events() IS 'trigger: contact.update';
CREATE TRIGGER contact_made AFTER INSERT ON wa.contact
	FOR EACH ROW EXECUTE FUNCTION wa.contact_events();
COMMENT ON TRIGGER contact_made ON wa.contact IS 'contact.update: a new contact';
CREATE TRIGGER contact_changed AFTER UPDATE OF name, phone_number, business_name, username ON wa.contact
	FOR EACH ROW WHEN (NEW.name IS DISTINCT FROM OLD.name OR NEW.phone_number IS DISTINCT FROM OLD.phone_number
		OR NEW.business_name IS DISTINCT FROM OLD.business_name OR NEW.username IS DISTINCT FROM OLD.username)
	EXECUTE FUNCTION wa.contact_events();
COMMENT ON TRIGGER contact_changed ON wa.contact IS 'contact.update: another name, user name or number';

CREATE FUNCTION wa.changed_reaction(before jsonb, after jsonb) RETURNS text
	LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
AS $$
BEGIN
	RETURN (SELECT json_build_object('senderJid', key, 'emoji', COALESCE(n.value, ''))
		FROM jsonb_each_text(COALESCE(after, '{}')) n FULL JOIN jsonb_each_text(COALESCE(before, '{}')) o USING (key)
		WHERE n.value IS DISTINCT FROM o.value ORDER BY key LIMIT 1)::text;
END $$;
COMMENT ON FUNCTION wa.changed_reaction(jsonb, jsonb) IS
	'for function bodies: who reacted with what, as JSON; an empty emoji if it was taken back';

CREATE FUNCTION wa.message_events() RETURNS trigger
	LANGUAGE c SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'wa_message_events';
COMMENT ON FUNCTION wa.message_events() IS
	'trigger: message, message.from_me, message.status, message.reaction, message.edited, message.revoked, message.media';
CREATE TRIGGER message_made AFTER INSERT ON wa.message
	FOR EACH ROW EXECUTE FUNCTION wa.message_events();
COMMENT ON TRIGGER message_made ON wa.message IS 'message: received; message.from_me: to be sent, or forwarded';
CREATE TRIGGER message_changed AFTER UPDATE OF status, body, media, reactions, revoked ON wa.message
	FOR EACH ROW WHEN (NEW.revoked <> OLD.revoked OR NEW.body IS DISTINCT FROM OLD.body
		OR NEW.media IS DISTINCT FROM OLD.media OR NEW.reactions IS DISTINCT FROM OLD.reactions
		OR NEW.direction = 'out' AND NEW.status <> OLD.status
			AND NOT (NEW.status IN ('queued', 'sending') AND OLD.status IN ('queued', 'sending')))
	EXECUTE FUNCTION wa.message_events();
COMMENT ON TRIGGER message_changed ON wa.message IS
	'message.status of what was sent, message.reaction, message.edited, message.revoked, message.media';

CREATE FUNCTION wa.emit_key(type text, key wa.api_key) RETURNS void
	LANGUAGE plpgsql
AS $$
BEGIN
	PERFORM wa.emit(key.org_id, type, NULL,
		json_strip_nulls(json_build_object(
			'id', wa.typeid('key', key.id), 'name', key.name, 'prefix', key.prefix,
			'permissions', wa.key_permissions(key), 'createdAt', wa.epoch_ms(key.created_at),
			'createdBy', key.created_by, 'expiresAt', wa.epoch_ms(key.expires_at),
			'disabledAt', wa.epoch_ms(key.disabled_at), 'revokedAt', wa.epoch_ms(key.revoked_at),
			'revokedReason', key.revoked_reason,
			'sessions', wa.session_ids(key.sessions), 'addresses', key.addresses::text[],
			'rateLimit', wa.rate_limit(key.per_minute, key.burst), 'test', key.is_test))::text);
END $$;
COMMENT ON FUNCTION wa.emit_key(text, wa.api_key) IS 'for function bodies: an event about a key';

CREATE FUNCTION wa.key_events() RETURNS trigger
	LANGUAGE plpgsql SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM wa.emit_key(CASE
		WHEN TG_OP = 'INSERT' THEN 'key.created'
		WHEN NEW.revoked_at IS NOT NULL AND OLD.revoked_at IS NULL THEN 'key.revoked'
		WHEN NEW.disabled_at IS NOT NULL THEN 'key.disabled'
		ELSE 'key.enabled' END, NEW);
	RETURN NULL;
END $$;
COMMENT ON FUNCTION wa.key_events() IS 'trigger: key.created, key.disabled, key.enabled, key.revoked';
CREATE TRIGGER api_key_made AFTER INSERT ON wa.api_key
	FOR EACH ROW WHEN (current_setting('row_security') = 'on') EXECUTE FUNCTION wa.key_events();
COMMENT ON TRIGGER api_key_made ON wa.api_key IS 'key.created';
CREATE TRIGGER api_key_ended AFTER UPDATE OF revoked_at, disabled_at ON wa.api_key
	FOR EACH ROW WHEN (NEW.revoked_at IS NOT NULL AND OLD.revoked_at IS NULL
		OR NEW.revoked_at IS NULL AND (NEW.disabled_at IS NULL) <> (OLD.disabled_at IS NULL))
	EXECUTE FUNCTION wa.key_events();
COMMENT ON TRIGGER api_key_ended ON wa.api_key IS 'key.disabled, key.enabled, key.revoked';

-- The same of ends that changed no row of the key.
CREATE FUNCTION wa.emit_end(ended wa.ended) RETURNS void
	LANGUAGE plpgsql
AS $$
DECLARE
	key wa.api_key;
BEGIN
	SELECT k.* INTO key FROM wa.api_key k WHERE k.org_id = ended.org_id AND k.id = ended.subject;
	IF NOT FOUND THEN
		RETURN;
	END IF;
	IF ended.kind = 'key' THEN
		key.revoked_at := ended.at;
		key.revoked_reason := ended.reason;
		PERFORM wa.emit_key('key.revoked', key);
	ELSE
		key.disabled_at := ended.at;
		PERFORM wa.emit_key('key.disabled', key);
	END IF;
END $$;
COMMENT ON FUNCTION wa.emit_end(wa.ended) IS 'for function bodies: the event about a key that is over, or switched off, by wa.ended';

CREATE FUNCTION wa.ended_key_events() RETURNS trigger
	LANGUAGE plpgsql SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM wa.emit_end(NEW);
	RETURN NULL;
END $$;
COMMENT ON FUNCTION wa.ended_key_events() IS 'trigger: key.disabled, key.revoked';
CREATE TRIGGER ended_key AFTER INSERT ON wa.ended
	FOR EACH ROW WHEN (NEW.is_told AND NEW.kind IN ('key', 'disabled') AND current_setting('row_security') = 'on') EXECUTE FUNCTION wa.ended_key_events();
COMMENT ON TRIGGER ended_key ON wa.ended IS 'key.disabled, key.revoked';

-- A report that changes no row.
CREATE FUNCTION wa.connector_presence(session uuid, chat_jid text, sender_jid text, presence text) RETURNS void
	LANGUAGE plpgsql SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM wa.find_session(session);
	IF presence IS NULL OR presence NOT IN ('available', 'unavailable', 'composing', 'recording', 'paused') THEN
		PERFORM wa.refuse_field('presence', 'must be available, unavailable, composing, recording or paused');
	END IF;
	PERFORM wa.require_jid(chat_jid, 'chat_jid');
	PERFORM wa.require_jid(sender_jid, 'sender_jid');
	PERFORM wa.emit(wa.require_org(), 'presence.update', session, json_strip_nulls(json_build_object(
		'sessionId', wa.typeid('sess', session), 'chatJid', chat_jid, 'senderJid', sender_jid,
		'presence', presence))::text);
END $$;
COMMENT ON FUNCTION wa.connector_presence(uuid, text, text, text) IS
	'reports that somebody is there, gone, typing or recording; kept as an event only';

CREATE FUNCTION wa.connector_poll_vote(session uuid, wa_message_id text, sender_jid text, options text[], at timestamptz)
	RETURNS boolean
	LANGUAGE plpgsql SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	poll record;
BEGIN
	SELECT m.id, m.chat_jid, m.content INTO poll FROM wa.message m
	WHERE m.org_id = wa.require_org() AND m.session_id = session
		AND m.wa_message_id = connector_poll_vote.wa_message_id AND m.type = 'poll' AND NOT m.revoked;
	IF NOT FOUND THEN
		RETURN false;
	END IF;
	PERFORM wa.require_jid(sender_jid, 'sender_jid');
	IF options IS NULL OR NOT wa.is_list(options, 12) THEN
		PERFORM wa.refuse_field('options', 'must be a list of at most 12 options of the poll');
	END IF;
	PERFORM wa.refuse_element('options', e.place, format('is %s, but must be an option of the poll',
		COALESCE(wa.quoted(e.option), 'null')))
	FROM unnest(options) WITH ORDINALITY e (option, place)
	WHERE (poll.content -> 'options' ? e.option) IS NOT TRUE
	ORDER BY e.place LIMIT 1;
	PERFORM wa.emit(wa.require_org(), 'poll.vote', session, json_strip_nulls(json_build_object(
		'messageId', wa.typeid('msg', poll.id), 'sessionId', wa.typeid('sess', session), 'chatJid', poll.chat_jid,
		'senderJid', sender_jid, 'options', options, 'timestamp', wa.epoch_ms(at)))::text);
	RETURN true;
END $$;
COMMENT ON FUNCTION wa.connector_poll_vote(uuid, text, text, text[], timestamptz) IS
	'reports what somebody has chosen in a poll, all of it, kept as an event only; false if the poll is not known';

-- ---- Reading ----

-- The position after which a reader continues: that of an event, or for NULL the end of
-- everything that has ended by now.
CREATE FUNCTION wa.event_position(since uuid, OUT epoch integer, OUT ordinal bigint, OUT id uuid)
	LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	org constant uuid := wa.org_for_any_key('events');
BEGIN
	IF since IS NULL THEN
		SELECT h.epoch, h.ordinal, '00000000-0000-0000-0000-000000000000' INTO epoch, ordinal, id
		FROM wa.event_horizon(org) h;
		RETURN;
	END IF;
	SELECT e.epoch, e.ordinal, e.id INTO epoch, ordinal, id FROM wa.event e WHERE e.org_id = org AND e.id = since;
	IF NOT FOUND THEN
		-- A reader who has got the last expired event has missed nothing.  Nobody knows any
		-- more which session it was of.
		SELECT o.expired_epoch, o.expired_ordinal, o.expired_event INTO epoch, ordinal, id FROM wa.org o
		WHERE o.id = org AND o.expired_event = since AND NOT wa.is_restricted_to_sessions();
	END IF;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'event is not known, or not kept any more' USING ERRCODE = 'WA001';
	END IF;
END $$;
COMMENT ON FUNCTION wa.event_position(uuid) IS
	'the position of an event, or that of now for NULL, behind which to go on reading; raises WA001 if the event is not kept; needs events';

-- STABLE, like all functions that read events: the limit and the rows must be from one
-- snapshot, that of the statement.
CREATE FUNCTION wa.event_limit(behind_epoch integer, behind_ordinal bigint, behind_id uuid,
							   OUT epoch integer, OUT ordinal bigint, OUT pending boolean)
	LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	org constant uuid := wa.org_for_any_key('events');
BEGIN
	IF behind_epoch IS NULL OR behind_ordinal IS NULL OR behind_id IS NULL THEN
		RAISE EXCEPTION 'position must not be null' USING ERRCODE = 'null_value_not_allowed';
	END IF;
	IF EXISTS (SELECT FROM wa.org o WHERE o.id = org
			AND (behind_epoch, behind_ordinal, behind_id) < (o.expired_epoch, o.expired_ordinal, o.expired_event)) THEN
		RAISE EXCEPTION 'events behind this position are not kept any more' USING ERRCODE = 'WA001';
	END IF;
	SELECT h.epoch, h.ordinal INTO event_limit.epoch, event_limit.ordinal FROM wa.event_horizon(org) h;
	-- Another snapshot may have shown more.  A reader never goes back behind what it has
	-- seen.
	IF (epoch, ordinal) < (behind_epoch, behind_ordinal) THEN
		epoch := behind_epoch;
		ordinal := behind_ordinal;
	END IF;
	pending := EXISTS (SELECT FROM wa.event e
		WHERE e.org_id = org AND (e.epoch, e.ordinal) >= (event_limit.epoch, event_limit.ordinal)
			AND (e.epoch, e.ordinal, e.id) > (behind_epoch, behind_ordinal, behind_id));
END $$;
COMMENT ON FUNCTION wa.event_limit(integer, bigint, uuid) IS
	'up to where one who stands at a position may read `wa.event` in the same statement: below this epoch and ordinal '
	'nothing can appear any more; never before the position, and where it is that of the position, go on from the position; '
	'pending: whether there are events beyond it, which wait for an older transaction that writes events of the '
	'organization to end; raises WA001 if events behind the position have expired; needs events';

CREATE FUNCTION wa.read_events(since uuid DEFAULT NULL, types text[] DEFAULT NULL, session uuid DEFAULT NULL,
							   max integer DEFAULT 50, last integer DEFAULT NULL)
	RETURNS TABLE (id uuid, envelope text, epoch integer, ordinal bigint)
	LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	org constant uuid := wa.org_for_any_key('events');
	horizon constant record := wa.event_horizon(org);
	wanted constant text[] := CASE WHEN NOT '*' = ANY (types) THEN types END;
	auth constant boolean := wa.holds_permission('manage');
	looked_max constant integer := 5000;
	position record;
	before_last record;
	found_rows integer := 0;
	found_bytes bigint := 0;
BEGIN
	PERFORM wa.check_event_types(types, 'types');
	IF max IS NULL OR max < 1 OR max > 1000 THEN
		PERFORM wa.refuse_field('max', 'must be between 1 and 1000');
	END IF;
	IF last < 1 OR last > 1000 THEN
		PERFORM wa.refuse_field('last', 'must be between 1 and 1000');
	END IF;
	IF since IS NULL THEN
		SELECT 0 AS epoch, 0::bigint AS ordinal, '00000000-0000-0000-0000-000000000000'::uuid AS id INTO position;
	ELSE
		position := wa.event_position(since);
	END IF;
	IF last IS NOT NULL THEN
		SELECT e.epoch, e.ordinal, e.id INTO before_last FROM wa.event e
		WHERE e.org_id = org AND (e.epoch, e.ordinal, e.id) > (position.epoch, position.ordinal, position.id)
			AND (e.epoch, e.ordinal) < (horizon.epoch, horizon.ordinal)
		ORDER BY e.epoch DESC, e.ordinal DESC, e.id DESC OFFSET last LIMIT 1;
		IF FOUND THEN
			position := before_last;
		END IF;
	END IF;
	-- About 8 MiB at most, twice what the gateway shows in a page.  What is looked at has a
	-- bound, too: what is wanted may be rare, and an index by type would cost every writer.
	FOR id, envelope, epoch, ordinal IN
		SELECT looked.event_id, looked.event_envelope, looked.event_epoch, looked.event_ordinal
		FROM (SELECT e.id AS event_id, e.envelope AS event_envelope, e.epoch AS event_epoch, e.ordinal AS event_ordinal,
				e.type, e.session_id
			FROM wa.event e
			WHERE e.org_id = org AND (e.epoch, e.ordinal, e.id) > (position.epoch, position.ordinal, position.id)
				AND (e.epoch, e.ordinal) < (horizon.epoch, horizon.ordinal)
			ORDER BY e.epoch, e.ordinal, e.id LIMIT looked_max) looked
		WHERE (wanted IS NULL OR looked.type = ANY (wanted)) AND (session IS NULL OR looked.session_id = session)
			AND (auth OR looked.type NOT LIKE 'auth.%')
		LIMIT max
	LOOP
		RETURN NEXT;
		found_rows := found_rows + 1;
		found_bytes := found_bytes + octet_length(envelope);
		EXIT WHEN found_bytes >= 8388608;
	END LOOP;
	IF found_rows < max AND found_bytes < 8388608 THEN
		RETURN QUERY
		SELECT e.id, NULL::text, e.epoch, e.ordinal FROM wa.event e
		WHERE e.org_id = org AND (e.epoch, e.ordinal, e.id) > (position.epoch, position.ordinal, position.id)
			AND (e.epoch, e.ordinal) < (horizon.epoch, horizon.ordinal)
		ORDER BY e.epoch, e.ordinal, e.id OFFSET looked_max - 1 LIMIT 1;
	END IF;
END $$;
COMMENT ON FUNCTION wa.read_events(uuid, text[], uuid, integer, integer) IS
	'events behind one of them, or from the oldest that is kept, in order, each of them once however late its transaction commits; '
	'with `last` only the newest so many (1 to 1,000) are looked at; '
	'looks at 5,000 at most: a last row without an envelope is the event to go on behind where there may be more; '
	'raises WA001 if that one is not kept; auth.* only for one who has manage too; needs events';

-- ---- Waiting ----

CREATE FUNCTION wa.wait_for_events(gateway uuid, sockets wa.secret[], timeout_ms integer)
	RETURNS TABLE (org_id uuid, watched boolean)
	LANGUAGE c
	AS 'MODULE_PATHNAME', 'wa_wait_for_events';
COMMENT ON FUNCTION wa.wait_for_events(uuid, wa.secret[], integer) IS
	'watches the organizations of these sockets too, and waits, at most 5 seconds, until events of one that is watched were written or its credentials changed; the first row has no organization and says whether earlier waits of this gateway, which names itself by a random value, are still known on this connection; then each organization that changed or was added, and whether a credential that was handed over still opens it: if not, it is watched no more; raises 55000 without preload';

CREATE FUNCTION wa.knock(gateway uuid) RETURNS void
	LANGUAGE c STRICT
	AS 'MODULE_PATHNAME', 'wa_knock';
COMMENT ON FUNCTION wa.knock(uuid) IS
	'ends the wait of the gateway of this name, which has a socket to hand over';

CREATE FUNCTION wa.wait_for_change(seen bigint, timeout_ms integer, OUT generation bigint, OUT orgs uuid[], OUT everybody boolean)
	LANGUAGE c
	AS 'MODULE_PATHNAME', 'wa_wait_for_change';
COMMENT ON FUNCTION wa.wait_for_change(bigint, integer) IS
	'for function bodies: waits, at most 5 seconds, until anything has changed since the generation that was seen (0: at once), and tells which organizations have, or that any may have';

CREATE FUNCTION wa.set_event_days(org wa.org_id, days integer) RETURNS void
	LANGUAGE plpgsql SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM wa.refuse_under_key();
	IF COALESCE(days NOT BETWEEN 1 AND 365, true) THEN
		PERFORM wa.refuse_field('days', 'must be between 1 and 365');
	END IF;
	UPDATE wa.org o SET event_days = days WHERE o.id = org;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'organization does not exist' USING ERRCODE = 'no_data_found';
	END IF;
	PERFORM wa.note(org, 'org.changed', org, jsonb_build_object('eventDays', days));
END $$;
COMMENT ON FUNCTION wa.set_event_days(wa.org_id, integer) IS 'how many days an organization''s events and deliveries are kept';
