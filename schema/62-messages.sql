-- Messages: what a key with send does.

-- What a recipient may be written as: a phone number in E.164 digits, or an
-- address (jid) of one of WhatsApp's servers.
CREATE FUNCTION wa.recipient_jid(recipient text) RETURNS text
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT CASE
		WHEN recipient ~ '^\+?[1-9][0-9]{6,14}$' THEN ltrim(recipient, '+') || '@s.whatsapp.net'
		WHEN recipient ~ '^[1-9][0-9]{6,14}@(c\.us|s\.whatsapp\.net)$' THEN split_part(recipient, '@', 1) || '@s.whatsapp.net'
		WHEN recipient ~ '^[0-9]{5,20}@lid$' OR recipient ~ '^[0-9]{5,20}(-[0-9]{5,20})?@g\.us$'
			OR recipient ~ '^[0-9]{5,20}@(newsletter|broadcast)$' OR recipient = 'status@broadcast'
			THEN recipient
	END
$$;
COMMENT ON FUNCTION wa.recipient_jid(text) IS
	'WhatsApp address of a recipient given as a phone number or an address, NULL for anything else';

CREATE FUNCTION wa.chat_type(jid text) RETURNS text
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT CASE
		WHEN jid = 'status@broadcast' THEN 'status'
		WHEN jid LIKE '%@g.us' THEN 'group'
		WHEN jid LIKE '%@newsletter' THEN 'newsletter'
		WHEN jid LIKE '%@broadcast' THEN 'broadcast'
		ELSE 'dm'
	END
$$;
COMMENT ON FUNCTION wa.chat_type(text) IS 'what kind of chat a WhatsApp address stands for';

-- A message belongs to a chat; the first one opens it.
CREATE FUNCTION wa.touch_chat(session uuid, chat text, at timestamptz, unread integer) RETURNS void
	LANGUAGE sql VOLATILE STRICT PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp
AS $$
	INSERT INTO wa.chat AS c (org_id, session_id, jid, type, active_at, last_message_at, unread_count)
	VALUES (wa.require_org(), session, chat, wa.chat_type(chat), at, at, unread)
	ON CONFLICT (org_id, session_id, jid) DO UPDATE SET
		active_at = GREATEST(c.active_at, EXCLUDED.active_at),
		last_message_at = GREATEST(c.last_message_at, EXCLUDED.last_message_at),
		unread_count = c.unread_count + EXCLUDED.unread_count
$$;
REVOKE ALL ON FUNCTION wa.touch_chat(uuid, text, timestamptz, integer) FROM PUBLIC;
COMMENT ON FUNCTION wa.touch_chat(uuid, text, timestamptz, integer) IS
	'for function bodies: notes a message in its chat, and makes the chat if need be';

CREATE FUNCTION wa.send_message(session_id uuid, recipient text, type text, body text DEFAULT NULL,
								content jsonb DEFAULT NULL, reply_to uuid DEFAULT NULL, mentions text[] DEFAULT NULL)
	RETURNS wa.message
	LANGUAGE plpgsql VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	chat constant text := wa.recipient_jid(recipient);
	session_status text;
	made wa.message;
BEGIN
	PERFORM wa.require_permission('send');
	-- Locked so that the session cannot be deleted beneath the message.
	SELECT s.status INTO session_status FROM wa.session s
	WHERE s.org_id = wa.require_org() AND s.id = send_message.session_id FOR KEY SHARE;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'session does not exist' USING ERRCODE = 'no_data_found';
	END IF;
	IF session_status = 'logged_out' THEN
		RAISE EXCEPTION 'session is logged out' USING ERRCODE = 'object_not_in_prerequisite_state';
	END IF;
	IF chat IS NULL THEN
		PERFORM wa.refuse_field('to', 'must be a phone number in E.164 digits or a WhatsApp address');
	END IF;
	IF type IS DISTINCT FROM 'text' THEN
		PERFORM wa.refuse_field('type', 'must be text');
	END IF;
	IF COALESCE(body, '') = '' OR char_length(body) > 65536 THEN
		PERFORM wa.refuse_field('text', 'must be 1 to 65536 characters');
	END IF;
	IF reply_to IS NOT NULL AND NOT EXISTS (
		SELECT FROM wa.message m
		WHERE m.org_id = wa.require_org() AND m.id = reply_to AND m.session_id = send_message.session_id
			AND m.chat_jid = chat) THEN
		PERFORM wa.refuse_field('replyTo', 'must be a message of this chat');
	END IF;
	IF array_length(mentions, 1) > 256 OR EXISTS (
		SELECT FROM unnest(mentions) m WHERE wa.recipient_jid(m) IS NULL) THEN
		PERFORM wa.refuse_field('mentions', 'must be at most 256 phone numbers or WhatsApp addresses');
	END IF;

	PERFORM wa.touch_chat(session_id, chat, now(), 0);
	INSERT INTO wa.message (org_id, session_id, chat_jid, direction, type, body, content,
							quoted_message_id, mentions, status)
	VALUES (wa.require_org(), send_message.session_id, chat, 'out', send_message.type, send_message.body,
			send_message.content, reply_to,
			(SELECT array_agg(wa.recipient_jid(m)) FROM unnest(send_message.mentions) m), 'queued')
	RETURNING * INTO made;
	RETURN made;
END $$;
REVOKE ALL ON FUNCTION wa.send_message(uuid, text, text, text, jsonb, uuid, text[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION wa.send_message(uuid, text, text, text, jsonb, uuid, text[]) TO wa_gateway, wa_app;
COMMENT ON FUNCTION wa.send_message(uuid, text, text, text, jsonb, uuid, text[]) IS
	'queues a message for the session''s connector; needs send';
