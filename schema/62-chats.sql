-- Addresses, and chats: the operations of a key with send.

-- The forms in which a recipient may be written: a phone number in E.164 digits, or an
-- address (jid) of one of WhatsApp's servers (src/jid.c).  Capital letters in the server's name have no
-- meaning and are not stored.
CREATE FUNCTION wa.recipient_jid(recipient text) RETURNS text
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'wa_recipient_jid';
COMMENT ON FUNCTION wa.recipient_jid(text) IS
	'WhatsApp address of a recipient given as a phone number or an address, NULL for anything else';

-- Paths name chats and contacts in every form in which a recipient may be written.  Any other
-- text stays as it is and names nothing.
CREATE FUNCTION wa.chat_jid(written text) RETURNS text
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'wa_chat_jid';
COMMENT ON FUNCTION wa.chat_jid(text) IS
	'the address that a chat or contact is stored under, for one that is given in any form that a recipient may have. '
	'All functions and statements that take a chat or a contact use it';

CREATE FUNCTION wa.other_jid(jid text) RETURNS text
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'wa_other_jid';
COMMENT ON FUNCTION wa.other_jid(text) IS
	'for function bodies: the other address of a person whose phone number is written in two ways, as some of Brazil, Mexico and Argentina are; NULL for anybody else';

CREATE FUNCTION wa.require_recipient(recipient text) RETURNS text
	LANGUAGE plpgsql PARALLEL SAFE
AS $$
DECLARE
	jid constant text := wa.recipient_jid(recipient);
BEGIN
	IF jid IS NULL THEN
		PERFORM wa.refuse_field('to', 'must be a phone number in E.164 digits or a WhatsApp address');
	END IF;
	RETURN jid;
END $$;
COMMENT ON FUNCTION wa.require_recipient(text) IS
	'for function bodies: WhatsApp address of the recipient of a request; raises 22023 if it is none';

-- Connectors report addresses in the form that is stored, or none.
CREATE FUNCTION wa.require_jid(jid text, field text) RETURNS void
	LANGUAGE plpgsql STABLE PARALLEL SAFE
AS $$
BEGIN
	IF wa.recipient_jid(jid) IS DISTINCT FROM jid THEN
		PERFORM wa.refuse_field(field, format('is %s, but must be a WhatsApp address', wa.quoted(jid)));
	END IF;
END $$;
COMMENT ON FUNCTION wa.require_jid(text, text) IS
	'for function bodies: raises 22023 for this field unless it is an address as it is stored, or NULL';

CREATE FUNCTION wa.chat_type(jid text) RETURNS text
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'wa_chat_type';
COMMENT ON FUNCTION wa.chat_type(text) IS 'what kind of chat a WhatsApp address stands for';

-- Not by a pattern, which costs ten times as much.
CREATE FUNCTION wa.phone_of(jid text) RETURNS text
	LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
AS $$
DECLARE
	digits constant text := split_part(jid, '@', 1);
BEGIN
	RETURN CASE WHEN jid = digits || '@s.whatsapp.net' AND translate(digits, '0123456789', '') = '' THEN NULLIF(digits, '') END;
END $$;
COMMENT ON FUNCTION wa.phone_of(text) IS 'for function bodies: the E.164 digits of a WhatsApp address, NULL if it tells none';

-- A message belongs to a chat.  The first message creates the chat.  A sent one leaves the
-- count of unread messages out, because naming the column would evaluate the condition of
-- the trigger chat_changed.
CREATE FUNCTION wa.touch_chat(session uuid, chat text, at timestamptz, unread integer) RETURNS boolean
	LANGUAGE plpgsql STRICT
AS $$
BEGIN
	IF unread = 0 THEN
		UPDATE wa.chat c
		SET active_at = GREATEST(c.active_at, at), last_message_at = GREATEST(c.last_message_at, at)
		WHERE c.org_id = wa.require_org() AND c.session_id = session AND c.jid = chat;
		IF FOUND THEN
			RETURN true;
		END IF;
	END IF;
	INSERT INTO wa.chat AS c (org_id, session_id, jid, type, active_at, last_message_at, unread_count)
	VALUES (wa.require_org(), session, chat, wa.chat_type(chat), at, at, unread)
	ON CONFLICT (org_id, session_id, jid) DO UPDATE SET
		active_at = GREATEST(c.active_at, EXCLUDED.active_at),
		last_message_at = GREATEST(c.last_message_at, EXCLUDED.last_message_at),
		unread_count = c.unread_count + EXCLUDED.unread_count;
	RETURN true;
END $$;
COMMENT ON FUNCTION wa.touch_chat(uuid, text, timestamptz, integer) IS
	'for function bodies: notes a message in its chat, and makes the chat if need be; true, so that an expression can call it';

CREATE FUNCTION wa.update_chat(session uuid, chat text, archived boolean DEFAULT NULL, pinned boolean DEFAULT NULL,
							   muted_until timestamptz DEFAULT NULL)
	RETURNS wa.chat
	LANGUAGE plpgsql SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	changed wa.chat;
BEGIN
	PERFORM wa.require_permission('send');
	UPDATE wa.chat c
	SET archived = COALESCE(update_chat.archived, c.archived), pinned = COALESCE(update_chat.pinned, c.pinned),
		-- A time in the past ends the muting.
		muted_until = CASE WHEN update_chat.muted_until IS NULL THEN c.muted_until
			WHEN update_chat.muted_until > now() THEN update_chat.muted_until END
	WHERE c.org_id = wa.require_org() AND c.session_id = session AND c.jid = wa.chat_jid(chat)
	RETURNING * INTO changed;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'chat does not exist' USING ERRCODE = 'no_data_found';
	END IF;
	RETURN changed;
END $$;
COMMENT ON FUNCTION wa.update_chat(uuid, text, boolean, boolean, timestamptz) IS
	'archives, pins or mutes a chat; NULL leaves it as it is, and a `muted_until` that is past ends the silence. It '
	'is kept here and not told to WhatsApp. Needs `send`. `P0002`: no such chat';

-- The newest messages are marked here.  The older ones count as read by their position, and
-- housekeeping marks them.
CREATE FUNCTION wa.read_chat(session uuid, chat text) RETURNS wa.chat
	LANGUAGE plpgsql STRICT SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	marked_max constant integer := 1000;
	changed wa.chat;
	marked uuid[];
BEGIN
	PERFORM wa.require_permission('send');
	UPDATE wa.chat c SET unread_count = 0
	WHERE c.org_id = wa.require_org() AND c.session_id = session AND c.jid = wa.chat_jid(chat)
	RETURNING * INTO changed;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'chat does not exist' USING ERRCODE = 'no_data_found';
	END IF;
	marked := ARRAY(
		SELECT m.id FROM wa.message m
		WHERE m.org_id = wa.require_org() AND m.session_id = session AND m.chat_jid = changed.jid
			AND m.direction = 'in' AND m.status = 'delivered'
		ORDER BY m.id DESC LIMIT marked_max);
	UPDATE wa.message m SET status = 'read' WHERE m.org_id = wa.require_org() AND m.id = ANY (marked);
	PERFORM wa.queue_read(session, marked[1]);
	IF cardinality(marked) = marked_max THEN
		UPDATE wa.chat c SET read_to = GREATEST(c.read_to, marked[1])
		WHERE c.org_id = wa.require_org() AND c.session_id = session AND c.jid = changed.jid
		RETURNING * INTO changed;
	END IF;
	RETURN changed;
END $$;
COMMENT ON FUNCTION wa.read_chat(uuid, text) IS
	'marks what was received in a chat as read, and sets its count of unread messages to 0. The newest 1,000 messages '
	'are marked at once; older ones count as read up to `read_to` of the chat until `wa.housekeep()` has marked them. '
	'WhatsApp is told of the newest one (`wa.connector_actions()`), unless the session is logged out, has another phone number by now, or has as many '
	'actions waiting as messages may. Needs `send`. `P0002`: no such chat';
