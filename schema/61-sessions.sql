-- Sessions: the operations of a key with manage.

CREATE FUNCTION wa.refuse_unknown_session(session uuid) RETURNS void
	LANGUAGE plpgsql
AS $$
BEGIN
	PERFORM wa.count_denied_session(session);
	RAISE EXCEPTION 'session does not exist' USING ERRCODE = 'no_data_found';
END $$;
COMMENT ON FUNCTION wa.refuse_unknown_session(uuid) IS
	'for function bodies: raises P0002, and counts it for a key that is restricted to other sessions';

-- The bound organization's session, or 404.  It is locked against deletion until the caller's
-- transaction ends.
CREATE FUNCTION wa.find_session(session uuid) RETURNS wa.session
	LANGUAGE plpgsql STRICT
AS $$
DECLARE
	found_session wa.session;
BEGIN
	SELECT s.* INTO found_session FROM wa.session s
	WHERE s.org_id = wa.require_org() AND s.id = session FOR KEY SHARE;
	IF NOT FOUND THEN
		PERFORM wa.refuse_unknown_session(session);
	END IF;
	RETURN found_session;
END $$;
COMMENT ON FUNCTION wa.find_session(uuid) IS
	'for function bodies: a session of the bound organization; raises P0002 if there is none';

CREATE FUNCTION wa.check_session_settings(label text, rate_per_min integer, rate_per_hour integer) RETURNS void
	LANGUAGE plpgsql PARALLEL SAFE
AS $$
BEGIN
	IF label IS NOT NULL THEN
		PERFORM wa.read_name(label, 'label');
	END IF;
	IF rate_per_min < 0 OR rate_per_min > 100000 THEN
		PERFORM wa.refuse_field('ratePerMin', 'must be between 0 and 100000');
	END IF;
	IF rate_per_hour < 0 OR rate_per_hour > 1000000 THEN
		PERFORM wa.refuse_field('ratePerHour', 'must be between 0 and 1000000');
	END IF;
END $$;
COMMENT ON FUNCTION wa.check_session_settings(text, integer, integer) IS
	'for function bodies: raises 22023 for a setting of a session that is out of bounds';

CREATE FUNCTION wa.connectors() RETURNS text[]
	LANGUAGE sql STABLE STRICT PARALLEL SAFE
	AS $$ SELECT string_to_array(replace(current_setting('wa.connectors'), ' ', ''), ',') $$;
COMMENT ON FUNCTION wa.connectors() IS
	'for function bodies: the kinds of connector that sessions may have, by the setting wa.connectors';

CREATE FUNCTION wa.read_connector(connector text) RETURNS text
	LANGUAGE plpgsql STABLE PARALLEL SAFE
AS $$
DECLARE
	kind constant text := COALESCE(connector, 'sandbox');
BEGIN
	IF kind <> ALL (wa.connectors()) THEN
		PERFORM wa.refuse_field('connector', format('must be one of: %s', array_to_string(wa.connectors(), ', ')));
	END IF;
	RETURN kind;
END $$;
COMMENT ON FUNCTION wa.read_connector(text) IS
	'for function bodies: the kind of connector that a new session gets (NULL: `sandbox`); raises 22023 for one that sessions may not have';

CREATE FUNCTION wa.create_session(label text DEFAULT NULL, start boolean DEFAULT NULL, auto_read boolean DEFAULT NULL,
								  presence_typing boolean DEFAULT NULL, connector text DEFAULT NULL)
	RETURNS wa.session
	LANGUAGE plpgsql SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	kind text;
	new_id constant uuid := wa.uuid7();
	made wa.session;
BEGIN
	PERFORM wa.require_permission('manage');
	-- A key with a list of sessions would not reach the new one.
	IF NOT wa.reaches_session(new_id, 'sandbox') THEN
		PERFORM wa.refuse_restricted_to_sessions();
	END IF;
	PERFORM wa.check_session_settings(label, NULL, NULL);
	kind := wa.read_connector(connector);
	IF NOT wa.reaches_session(new_id, kind) THEN
		PERFORM wa.count_denied_session(NULL);
		PERFORM wa.refuse_field('connector', 'must be sandbox, because this is a test key');
	END IF;
	PERFORM wa.refuse_beyond_limit(wa.require_org(), 'sessions');
	INSERT INTO wa.session (org_id, id, label, status, auto_read, presence_typing, connector)
	VALUES (wa.require_org(), new_id, wa.clean_name(create_session.label),
			CASE WHEN COALESCE(start, true) THEN 'starting' ELSE 'stopped' END,
			COALESCE(create_session.auto_read, false), COALESCE(create_session.presence_typing, false),
			kind)
	RETURNING * INTO made;
	PERFORM wa.note(made.org_id, 'session.created', made.id,
		jsonb_strip_nulls(jsonb_build_object('name', made.label, 'connector', made.connector)));
	RETURN made;
END $$;
COMMENT ON FUNCTION wa.create_session(text, boolean, boolean, boolean, text) IS
	'makes a session, which a connector then starts unless `start` is false. NULL takes the default: `start` true, '
	'`auto_read` and `presence_typing` false, `connector` `sandbox`. `connector` is one of the setting '
	'`wa.connectors` (`sandbox`; names separated by commas, set by a superuser). Nobody looks whether it runs; '
	'without it the session stays `starting`. A test key makes sessions of the sandbox only. Needs `manage`. `22023` (`label`, `connector`), `42501` (`sessions`: '
	'the key is restricted to some sessions), '
	'`53400` (`wa.set_org_limit()`: `sessions`)';

CREATE FUNCTION wa.session_settings(session wa.session) RETURNS jsonb
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
AS $$
	SELECT jsonb_build_object('label', session.label, 'autoRead', session.auto_read, 'presenceTyping', session.presence_typing,
		'ratePerMin', session.rate_per_min, 'ratePerHour', session.rate_per_hour)
$$;
COMMENT ON FUNCTION wa.session_settings(wa.session) IS 'for function bodies: the settings of a session, as the audit log writes them';

CREATE FUNCTION wa.update_session(session uuid, label text DEFAULT NULL, auto_read boolean DEFAULT NULL,
								  presence_typing boolean DEFAULT NULL, rate_per_min integer DEFAULT NULL,
								  rate_per_hour integer DEFAULT NULL)
	RETURNS wa.session
	LANGUAGE plpgsql SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	old wa.session;
	changed wa.session;
BEGIN
	PERFORM wa.require_permission('manage');
	old := wa.find_session(session);
	PERFORM wa.check_session_settings(NULLIF(label, ''), rate_per_min, rate_per_hour);
	IF rate_per_min IS NOT NULL OR rate_per_hour IS NOT NULL THEN
		PERFORM wa.fold_rates(session);
	END IF;
	UPDATE wa.session s
	SET label = CASE WHEN update_session.label = '' THEN NULL ELSE COALESCE(wa.clean_name(update_session.label), s.label) END,
		auto_read = COALESCE(update_session.auto_read, s.auto_read),
		presence_typing = COALESCE(update_session.presence_typing, s.presence_typing),
		rate_per_min = COALESCE(update_session.rate_per_min, s.rate_per_min),
		rate_per_hour = COALESCE(update_session.rate_per_hour, s.rate_per_hour),
		updated_at = now()
	WHERE s.org_id = wa.require_org() AND s.id = session
	RETURNING * INTO changed;
	PERFORM wa.note_changes(changed.org_id, 'session.changed', session, changed.label, wa.session_settings(old),
		wa.session_settings(changed));
	RETURN changed;
END $$;
COMMENT ON FUNCTION wa.update_session(uuid, text, boolean, boolean, integer, integer) IS
	'changes what of a session is given, NULL leaves it as it is, and an empty `label` takes it away. Needs `manage`. '
	'`22023` (`label`, `ratePerMin` 0 to 100,000, `ratePerHour` 0 to 1,000,000; 0 is no limit)';

-- Runs as wa_claim: the policies of wa_owner forbid a change after which wa_owner cannot see
-- the row.
CREATE FUNCTION wa.hide_session(org uuid, session uuid) RETURNS void
	LANGUAGE sql STRICT SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
	UPDATE wa.session s
	SET deleted_at = clock_timestamp(), status = 'stopped', lease_owner = NULL, lease_until = NULL
	WHERE s.org_id = org AND s.id = session;
	INSERT INTO wa.deleted_session (org_id, id) VALUES (org, session)
$$;
COMMENT ON FUNCTION wa.hide_session(uuid, uuid) IS
	'for wa.delete_session(): hides a session with all that is its, and takes it from its connector';

CREATE FUNCTION wa.delete_session(session uuid) RETURNS void
	LANGUAGE plpgsql STRICT SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	old wa.session;
BEGIN
	PERFORM wa.require_permission('manage');
	-- Waits for transactions that are adding to the session (wa.find_session()) and lets no
	-- others begin.
	SELECT s.* INTO old FROM wa.session s WHERE s.org_id = wa.require_org() AND s.id = session FOR UPDATE;
	IF NOT FOUND THEN
		PERFORM wa.refuse_unknown_session(session);
	END IF;
	-- These are few, and other code reads them without the session.
	DELETE FROM wa.session_pairing p WHERE p.org_id = wa.require_org() AND p.session_id = session;
	DELETE FROM wa.session_credentials c WHERE c.org_id = wa.require_org() AND c.session_id = session;
	DELETE FROM wa.session_rate r WHERE r.org_id = wa.require_org() AND r.session_id = session;
	PERFORM wa.end_webhooks_of(session);
	PERFORM wa.forget_queue_room(session);
	PERFORM wa.hide_session(wa.require_org(), session);
	PERFORM wa.note(old.org_id, 'session.deleted', session, jsonb_strip_nulls(jsonb_build_object('name', old.label)));
END $$;
COMMENT ON FUNCTION wa.delete_session(uuid) IS
	'deletes a session with its chats, contacts, messages and the webhooks that are for it alone. Nobody sees any of '
	'it from then on; `wa.housekeep()` removes the rows. Needs `manage`';

-- A queued message belongs to the pairing in which it was queued, and no connector gets it in
-- a later pairing.  A few fail at once, and housekeeping fails the rest in parts: each failure
-- is an event (wa.events_at_once()).  All are out of reach from the beginning, because claims
-- look at the session's present pairing only.  A message that a connector has taken fails only when its lease is over: until then
-- that connector may report that WhatsApp has it.
CREATE FUNCTION wa.fail_unsent(org uuid, session uuid, max integer) RETURNS integer
	LANGUAGE plpgsql STRICT
AS $$
DECLARE
	current wa.session;
	at constant timestamptz := clock_timestamp();
	holding constant boolean := wa.hold_events();
	messages integer;
	actions integer;
	written integer;
BEGIN
	SELECT s.* INTO current FROM wa.session s WHERE s.org_id = org AND s.id = session;
	UPDATE wa.message m
	SET status = 'failed', lease_owner = NULL, lease_until = NULL, error_code = NULL, error = current.queue_error
		|| CASE m.status WHEN 'queued' THEN ' before it was sent' ELSE ' before WhatsApp confirmed it' END
	WHERE m.ctid = ANY (ARRAY(
		SELECT unsent.ctid FROM wa.message unsent
		WHERE unsent.org_id = org AND unsent.session_id = session AND unsent.pairing < current.pairing
			AND (unsent.status = 'queued' OR unsent.status = 'sending' AND unsent.lease_until < at)
		ORDER BY unsent.pairing, unsent.status, unsent.lease_until NULLS FIRST, unsent.id LIMIT max
		FOR NO KEY UPDATE SKIP LOCKED));
	GET DIAGNOSTICS messages = ROW_COUNT;
	written := wa.write_claimed_events();
	UPDATE wa.message_action a
	SET status = 'failed', lease_owner = NULL, lease_until = NULL, error = current.queue_error
		|| CASE a.status WHEN 'queued' THEN ' before it was carried out' ELSE ' before WhatsApp confirmed it' END
	WHERE a.ctid = ANY (ARRAY(
		SELECT unsent.ctid FROM wa.message_action unsent
		WHERE unsent.org_id = org AND unsent.session_id = session AND unsent.pairing < current.pairing
			AND (unsent.status = 'queued' OR unsent.status = 'sending' AND unsent.lease_until < at)
		ORDER BY unsent.pairing, unsent.status, unsent.lease_until NULLS FIRST, unsent.id LIMIT max - messages
		FOR NO KEY UPDATE SKIP LOCKED));
	GET DIAGNOSTICS actions = ROW_COUNT;
	RETURN messages + actions;
END $$;
COMMENT ON FUNCTION wa.fail_unsent(uuid, uuid, integer) IS
	'for function bodies: fails messages and actions that earlier pairings of a session have left in the queue, and returns how many';

CREATE FUNCTION wa.end_pairing(session uuid, reason text) RETURNS void
	LANGUAGE plpgsql STRICT
AS $$
BEGIN
	UPDATE wa.session s SET pairing = s.pairing + 1, queue_error = reason
	WHERE s.org_id = wa.require_org() AND s.id = session;
	PERFORM wa.forget_queue_room(session);
	PERFORM wa.fail_unsent(wa.require_org(), session, wa.events_at_once(wa.require_org(), 1000));
END $$;
COMMENT ON FUNCTION wa.end_pairing(uuid, text) IS
	'for function bodies: what is queued in a session is not sent any more; the oldest fail at once, as many as wa.events_at_once() says, the others by wa.housekeep()';

-- start, stop, restart, logout.  The connector that runs the session sees the new status when
-- it next renews its lease.  It cannot renew the lease of a stopped session.
CREATE FUNCTION wa.control_session(session uuid, command text) RETURNS wa.session
	LANGUAGE plpgsql STRICT SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	old wa.session;
	changed wa.session;
BEGIN
	PERFORM wa.require_permission('manage');
	old := wa.find_session(session);
	IF command NOT IN ('start', 'stop', 'restart', 'logout') THEN
		PERFORM wa.refuse_field('command', 'must be start, stop, restart or logout');
	END IF;
	-- If the session already has the wanted status, nothing changes.
	IF command = 'start' AND old.status IN ('starting', 'scan_qr_code', 'working')
		OR command = 'stop' AND old.status = 'stopped'
		OR command = 'logout' AND old.status = 'logged_out' THEN
		RETURN old;
	END IF;

	UPDATE wa.session s
	SET status = CASE command WHEN 'stop' THEN 'stopped' WHEN 'logout' THEN 'logged_out' ELSE 'starting' END,
		phone_number = CASE WHEN command <> 'logout' THEN s.phone_number END,
		wa_jid = CASE WHEN command <> 'logout' THEN s.wa_jid END,
		status_reason = NULL,
		lease_owner = NULL, lease_until = NULL, updated_at = now()
	WHERE s.org_id = wa.require_org() AND s.id = session
	RETURNING * INTO changed;
	DELETE FROM wa.session_pairing p WHERE p.org_id = wa.require_org() AND p.session_id = session;
	IF command = 'logout' THEN
		DELETE FROM wa.session_credentials c WHERE c.org_id = wa.require_org() AND c.session_id = session;
		PERFORM wa.end_pairing(session, 'session was logged out');
	END IF;
	PERFORM wa.note(changed.org_id, CASE command WHEN 'start' THEN 'session.started' WHEN 'stop' THEN 'session.stopped'
			WHEN 'restart' THEN 'session.restarted' ELSE 'session.logged_out' END, session,
		jsonb_strip_nulls(jsonb_build_object('name', old.label)));
	RETURN changed;
END $$;
COMMENT ON FUNCTION wa.control_session(uuid, text) IS
	'`start`, `stop`, `restart` or `logout` of a session. `logout` also forgets the phone and the connector''s credentials, and fails what is queued, '
	'none of which is sent from then on: the oldest at once, up to 1,000 and fewer if the organization has many '
	'webhooks, the others by `wa.housekeep()`; what a connector has taken when its lease is '
	'over. What is so already stays as it is. The connector sees it when it next renews its lease. Needs `manage`. '
	'`22023` (`command`)';

CREATE FUNCTION wa.session_qr(session uuid, OUT code text, OUT expires_at timestamptz)
	LANGUAGE plpgsql STRICT SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	found_session wa.session;
BEGIN
	PERFORM wa.require_permission('manage');
	found_session := wa.find_session(session);
	PERFORM wa.refuse_incapable(found_session.connector, 'qr');
	SELECT p.qr_code, p.qr_expires_at INTO code, expires_at FROM wa.session_pairing p
	WHERE p.org_id = wa.require_org() AND p.session_id = session AND p.qr_code IS NOT NULL;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'session does not wait to be paired'
			USING ERRCODE = 'object_not_in_prerequisite_state';
	END IF;
END $$;
COMMENT ON FUNCTION wa.session_qr(uuid) IS
	'the QR code that pairs a phone with the session, and until when. Needs `manage`. `55000`: the session does not '
	'wait to be paired, or its connector does not support `qr`';

-- Eight characters that people can easily distinguish, from 40 random bits.
CREATE FUNCTION wa.make_pairing_code() RETURNS text
	LANGUAGE sql STRICT PARALLEL SAFE
AS $$
	SELECT string_agg(substr('123456789ABCDEFGHJKLMNPQRSTVWXYZ', 1 + get_byte(random, i) % 32, 1), '')
	FROM (SELECT wa.random_bytes(8) AS random) r, generate_series(0, 7) i
$$;
COMMENT ON FUNCTION wa.make_pairing_code() IS 'a fresh code for pairing by code';

CREATE FUNCTION wa.request_pairing_code(session uuid, phone text) RETURNS text
	LANGUAGE plpgsql SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	found_session wa.session;
	pairing_code text;
BEGIN
	PERFORM wa.require_permission('manage');
	found_session := wa.find_session(session);
	PERFORM wa.refuse_incapable(found_session.connector, 'pairing_code');
	IF found_session.status NOT IN ('starting', 'scan_qr_code') THEN
		RAISE EXCEPTION 'session does not wait to be paired'
			USING ERRCODE = 'object_not_in_prerequisite_state';
	END IF;
	IF COALESCE(phone, '') !~ E'^\\+?[1-9][0-9]{6,14}$' THEN
		PERFORM wa.refuse_field('phone', 'must be a phone number in E.164 digits');
	END IF;
	INSERT INTO wa.session_pairing AS p (org_id, session_id, phone, code)
	VALUES (wa.require_org(), session, ltrim(request_pairing_code.phone, '+'), wa.make_pairing_code())
	ON CONFLICT (org_id, session_id) DO UPDATE SET phone = EXCLUDED.phone, code = EXCLUDED.code
	RETURNING p.code INTO pairing_code;
	PERFORM wa.note(found_session.org_id, 'session.pairing_requested', session, jsonb_strip_nulls(jsonb_build_object(
		'name', found_session.label, 'phone', ltrim(phone, '+'))));
	RETURN pairing_code;
END $$;
COMMENT ON FUNCTION wa.request_pairing_code(uuid, text) IS
	'makes the code that pairs this phone with the session; the connector tells WhatsApp. Asked again there is a new '
	'one. Needs `manage`. `22023` (`phone`), `55000`: the session does not wait to be paired, or its connector does not support `pairing_code`';
