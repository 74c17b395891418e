-- Tickets, and the credentials of realtime sockets (src/socket_credential.c).

CREATE FUNCTION wa.find_ticket(ticket wa.secret, OUT org_id uuid, OUT id uuid)
	LANGUAGE c
	AS 'MODULE_PATHNAME', 'wa_find_ticket';
COMMENT ON FUNCTION wa.find_ticket(wa.secret) IS
	'for function bodies: organization and id of a ticket, whatever became of it, or nulls';

CREATE FUNCTION wa.find_socket(socket wa.secret, OUT org_id uuid, OUT id uuid)
	LANGUAGE c
	AS 'MODULE_PATHNAME', 'wa_find_socket';
COMMENT ON FUNCTION wa.find_socket(wa.secret) IS
	'for function bodies: organization and id of an open socket, or nulls';

CREATE FUNCTION wa.find_listener(org uuid, key uuid, person uuid, sign_in uuid, made_at timestamptz, OUT until timestamptz, OUT generation integer)
	LANGUAGE c
	AS 'MODULE_PATHNAME', 'wa_find_listener';
COMMENT ON FUNCTION wa.find_listener(uuid, uuid, uuid, uuid, timestamptz) IS
	'for function bodies: until when a key, or a person at a sign-in who was a member when what they present was made, may listen to events, and the key''s generation, as committed now; nulls if not at all';

-- Otherwise a socket could be used beyond its end: each could open the next one.
CREATE FUNCTION wa.refuse_socket() RETURNS void
	LANGUAGE plpgsql STABLE STRICT PARALLEL RESTRICTED
AS $$
BEGIN
	IF wa.is_socket() THEN
		RAISE EXCEPTION 'a realtime socket cannot open another one' USING ERRCODE = 'insufficient_privilege';
	END IF;
END $$;
COMMENT ON FUNCTION wa.refuse_socket() IS
	'for function bodies: raises 42501 in a transaction that acts with the credential of a realtime socket';

CREATE FUNCTION wa.create_ticket(scope text DEFAULT NULL, session uuid DEFAULT NULL, types text[] DEFAULT NULL,
								 since uuid DEFAULT NULL, OUT ticket text, OUT expires_at timestamptz)
	LANGUAGE plpgsql SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	org constant uuid := wa.org_for_any_key('events');
	at constant timestamptz := clock_timestamp();
	waiting_max constant integer := 1000;
	waiting record;
	made record;
BEGIN
	PERFORM wa.refuse_socket();
	IF scope IS NOT NULL AND scope NOT IN ('organization', 'session') THEN
		PERFORM wa.refuse_field('scope', 'must be organization or session');
	END IF;
	IF (session IS NOT NULL) <> (COALESCE(scope, CASE WHEN session IS NULL THEN 'organization' ELSE 'session' END) = 'session') THEN
		PERFORM wa.refuse_field('session', 'must be given for the scope session, and for no other');
	END IF;
	IF session IS NOT NULL AND NOT EXISTS (SELECT FROM wa.session s WHERE s.org_id = org AND s.id = session) THEN
		PERFORM wa.refuse_field('session', 'must be a session of this organization');
	END IF;
	PERFORM wa.check_event_types(types, 'events');
	DELETE FROM wa.ticket t WHERE t.org_id = org AND t.expires_at < at - interval '1 minute';
	SELECT count(*) AS count, min(t.expires_at) AS first_ends INTO waiting FROM wa.ticket t
	WHERE t.org_id = org AND t.used_at IS NULL AND t.expires_at > at;
	IF waiting.count >= waiting_max THEN
		RAISE EXCEPTION 'too many tickets wait to be used'
			USING ERRCODE = 'configuration_limit_exceeded', CONSTRAINT = 'tickets',
			DETAIL = format('%s seconds until the next ticket is made.',
							GREATEST(1, ceil(extract(epoch FROM waiting.first_ends - clock_timestamp()))));
	END IF;
	made := wa.make_secret('ticket');
	INSERT INTO wa.ticket AS t (org_id, digest, key_id, user_id, sign_in_id, session_id, types, since_event)
	VALUES (org, made.digest, wa.current_key(), wa.current_user_id(), wa.current_sign_in(), session,
			create_ticket.types, since)
	RETURNING t.expires_at INTO create_ticket.expires_at;
	ticket := made.secret;
END $$;
COMMENT ON FUNCTION wa.create_ticket(text, uuid, text[], uuid) IS
	'makes a ticket that opens one realtime socket within 30 seconds, as long as the key or sign-in may listen; needs events';

-- A socket ends after a week at most, whatever it depends on, so that the sockets of a
-- crashed gateway end too.  The end of its key or sign-in can change, so that is checked each
-- time when the socket's credential is presented.
CREATE FUNCTION wa.insert_socket(org uuid, key uuid, person uuid, sign_in uuid, made_at timestamptz, OUT socket text, OUT expires_at timestamptz)
	LANGUAGE plpgsql
AS $$
DECLARE
	listener constant record := wa.find_listener(org, key, person, sign_in, made_at);
	made constant record := wa.make_secret('ticket');
BEGIN
	IF listener.until IS NULL THEN
		RAISE EXCEPTION 'credential is not valid' USING ERRCODE = 'invalid_authorization_specification';
	END IF;
	INSERT INTO wa.realtime AS r (org_id, digest, key_id, user_id, sign_in_id, expires_at, generation)
	VALUES (org, made.digest, key, person, sign_in, clock_timestamp() + interval '7 days', listener.generation)
	RETURNING LEAST(listener.until, r.expires_at) INTO insert_socket.expires_at;
	socket := made.secret;
END $$;
COMMENT ON FUNCTION wa.insert_socket(uuid, uuid, uuid, uuid, timestamptz) IS
	'for function bodies: notes a socket that is opened for a key or person with what was made then, and makes its credential; raises 28000 if they may not listen';

CREATE FUNCTION wa.open_socket(OUT socket text, OUT org_id uuid, OUT expires_at timestamptz, OUT sockets_max integer)
	LANGUAGE plpgsql SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM wa.refuse_socket();
	org_id := wa.org_for_any_key('events');
	SELECT made.socket, made.expires_at INTO open_socket.socket, open_socket.expires_at
	FROM wa.insert_socket(org_id, wa.current_key(), wa.current_user_id(), wa.current_sign_in(), clock_timestamp()) made;
	sockets_max := wa.org_limit(org_id, 'sockets');
END $$;
COMMENT ON FUNCTION wa.open_socket() IS
	'notes a realtime socket of the bound credential, and makes what the gateway then authenticates with in its place; the answer says how many sockets of the organization a gateway''s process may have; needs events';

CREATE FUNCTION wa.redeem_ticket(ticket wa.secret, OUT socket text, OUT org_id uuid, OUT session_id uuid, OUT types text[],
								 OUT since uuid, OUT expires_at timestamptz, OUT sockets_max integer)
	LANGUAGE plpgsql SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	known record;
	used wa.ticket;
BEGIN
	PERFORM wa.refuse_bound();
	known := wa.find_ticket(ticket);
	-- If two come at once, the second one waits here and finds the ticket used.
	UPDATE wa.ticket t SET used_at = clock_timestamp()
	WHERE t.org_id = known.org_id AND t.id = known.id AND t.used_at IS NULL AND t.expires_at > clock_timestamp()
	RETURNING * INTO used;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'credential is not valid' USING ERRCODE = 'invalid_authorization_specification';
	END IF;
	SELECT made.socket, made.expires_at INTO redeem_ticket.socket, redeem_ticket.expires_at
	FROM wa.insert_socket(used.org_id, used.key_id, used.user_id, used.sign_in_id, used.created_at) made;
	org_id := used.org_id;
	session_id := used.session_id;
	types := used.types;
	since := used.since_event;
	sockets_max := wa.org_limit(used.org_id, 'sockets');
END $$;
COMMENT ON FUNCTION wa.redeem_ticket(wa.secret) IS
	'opens a realtime socket with a ticket, once; raises 28000 for one that is unknown, used or expired, or whose key or sign-in may not listen any more; for nobody in particular';

CREATE FUNCTION wa.close_socket(socket wa.secret) RETURNS boolean
	LANGUAGE plpgsql SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	known constant record := wa.find_socket(socket);
BEGIN
	PERFORM wa.refuse_bound();
	DELETE FROM wa.realtime r WHERE r.org_id = known.org_id AND r.id = known.id;
	RETURN FOUND;
END $$;
COMMENT ON FUNCTION wa.close_socket(wa.secret) IS
	'forgets a realtime socket; its credential is worth nothing from then on; false if it was not known';
