-- Message actions: react, edit, revoke, forward and read are commands of their own.  They are
-- queued here, and a connector executes them.  When it reports success, the message shows the
-- result.

CREATE FUNCTION wa.find_message(session uuid, message uuid) RETURNS wa.message
	LANGUAGE plpgsql STABLE STRICT PARALLEL RESTRICTED
AS $$
DECLARE
	found_message wa.message;
BEGIN
	SELECT m.* INTO found_message FROM wa.message m
	WHERE m.org_id = wa.require_org() AND m.id = message AND m.session_id = session;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'message does not exist' USING ERRCODE = 'no_data_found';
	END IF;
	RETURN found_message;
END $$;
COMMENT ON FUNCTION wa.find_message(uuid, uuid) IS
	'for function bodies: a message of the bound organization; raises P0002 if there is none';

-- WhatsApp can act only on a message that it knows, and that has not been revoked and is not
-- about to be.
CREATE FUNCTION wa.refuse_unless_sent(message wa.message) RETURNS void
	LANGUAGE plpgsql STRICT PARALLEL SAFE
AS $$
BEGIN
	IF message.wa_message_id IS NULL THEN
		RAISE EXCEPTION 'message has not been sent' USING ERRCODE = 'object_not_in_prerequisite_state';
	END IF;
	IF message.revoked OR EXISTS (
		SELECT FROM wa.message_action a
		WHERE a.org_id = message.org_id AND a.message_id = message.id AND a.type = 'revoke'
			AND a.status IN ('queued', 'sending')) THEN
		RAISE EXCEPTION 'message was deleted' USING ERRCODE = 'object_not_in_prerequisite_state';
	END IF;
END $$;
COMMENT ON FUNCTION wa.refuse_unless_sent(wa.message) IS
	'for function bodies: raises 55000 for a message that WhatsApp does not have';

-- So one message alone has a file that is pending, and what becomes of the file changes one row.
CREATE FUNCTION wa.refuse_while_fetched(message wa.message) RETURNS void
	LANGUAGE plpgsql STRICT PARALLEL SAFE
AS $$
BEGIN
	-- A condition on the state would let the planner take the index of all that are pending.
	IF (SELECT f.state FROM wa.media f WHERE f.org_id = message.org_id AND f.id = message.media_id) = 'pending' THEN
		RAISE EXCEPTION 'the file of the message is not stored yet' USING ERRCODE = 'object_not_in_prerequisite_state';
	END IF;
END $$;
COMMENT ON FUNCTION wa.refuse_while_fetched(wa.message) IS
	'for function bodies: raises 55000 for a message whose file is still fetched';

CREATE FUNCTION wa.refuse_unless_own(message wa.message) RETURNS void
	LANGUAGE plpgsql STRICT PARALLEL SAFE
AS $$
BEGIN
	IF message.direction <> 'out' THEN
		RAISE EXCEPTION 'message is somebody else''s' USING ERRCODE = 'object_not_in_prerequisite_state';
	END IF;
END $$;
COMMENT ON FUNCTION wa.refuse_unless_own(wa.message) IS
	'for function bodies: raises 55000 for a message that the session did not send itself';

CREATE FUNCTION wa.queue_action(message wa.message, type text, payload jsonb, OUT id uuid, OUT message_id uuid,
								OUT session_id uuid, OUT status text, OUT "timestamp" timestamptz)
	LANGUAGE plpgsql STRICT
AS $$
DECLARE
	session constant wa.session := wa.find_session(message.session_id);
BEGIN
	IF session.status = 'logged_out' THEN
		RAISE EXCEPTION 'session is logged out' USING ERRCODE = 'object_not_in_prerequisite_state';
	END IF;
	PERFORM wa.refuse_incapable(session.connector, CASE type WHEN 'react' THEN 'reaction' ELSE type END);
	-- A copy is a message of its own.
	IF type = 'forward' THEN
		PERFORM wa.refuse_incapable(session.connector, message.type);
	END IF;
	PERFORM wa.refuse_unless_same_number(session, message);
	PERFORM wa.refuse_more_actions(session);
	INSERT INTO wa.message_action AS a (org_id, session_id, pairing, message_id, type, payload)
	VALUES (message.org_id, message.session_id, session.pairing, message.id, queue_action.type, queue_action.payload)
	RETURNING a.id, a.message_id, a.session_id, a.status, a.created_at
	INTO id, message_id, session_id, status, "timestamp";
END $$;
COMMENT ON FUNCTION wa.queue_action(wa.message, text, jsonb) IS
	'for function bodies: queues an action on a message for the session''s connector';

-- To mark messages as read is possible whether WhatsApp can be told or not.
CREATE FUNCTION wa.queue_read(session uuid, message uuid) RETURNS void
	LANGUAGE plpgsql STRICT
AS $$
DECLARE
	reader constant wa.session := wa.find_session(session);
BEGIN
	INSERT INTO wa.message_action (org_id, session_id, pairing, message_id, type)
	SELECT m.org_id, m.session_id, reader.pairing, m.id, 'read' FROM wa.message m
	WHERE m.org_id = reader.org_id AND m.id = message AND reader.status <> 'logged_out'
		AND wa.is_of_same_number(reader, m) AND NOT wa.has_full_actions(reader);
END $$;
COMMENT ON FUNCTION wa.queue_read(uuid, uuid) IS
	'for function bodies: lets the session''s connector tell WhatsApp that a received message, and what came before it in its chat, was read; does nothing if that is not possible';

CREATE FUNCTION wa.react_to_message(session uuid, message uuid, emoji text, OUT id uuid, OUT message_id uuid,
									OUT session_id uuid, OUT status text, OUT "timestamp" timestamptz)
	LANGUAGE plpgsql SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	target wa.message;
BEGIN
	PERFORM wa.require_permission('send');
	target := wa.find_message(session, message);
	-- One emoji may be a sequence of up to a dozen code points.  A word is no emoji.
	IF emoji IS NULL OR char_length(emoji) > 16 OR emoji ~ '[[:ascii:]]' AND emoji !~ E'^[0-9#*]\\uFE0F?\\u20E3$' THEN
		PERFORM wa.refuse_field('emoji', 'must be one emoji');
	END IF;
	PERFORM wa.refuse_unless_sent(target);
	SELECT q.* INTO id, message_id, session_id, status, "timestamp"
	FROM wa.queue_action(target, 'react', jsonb_build_object('emoji', emoji)) q;
END $$;
COMMENT ON FUNCTION wa.react_to_message(uuid, uuid, text) IS
	'queues a reaction to a message: one emoji; an empty one takes the reaction back. Needs `send`. `22023` (`emoji`), '
	'`53400` with `queued_messages` in the constraint-name field: as many actions wait in the session as messages may';

CREATE FUNCTION wa.edit_message(session uuid, message uuid, new_text text, OUT id uuid, OUT message_id uuid,
								OUT session_id uuid, OUT status text, OUT "timestamp" timestamptz)
	LANGUAGE plpgsql SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	target wa.message;
BEGIN
	PERFORM wa.require_permission('send');
	target := wa.find_message(session, message);
	PERFORM wa.check_text('text', to_jsonb(new_text), CASE WHEN target.type = 'text' THEN 65536 ELSE 4096 END, true);
	PERFORM wa.refuse_unless_own(target);
	IF target.type NOT IN ('text', 'image', 'video', 'document') THEN
		RAISE EXCEPTION 'message has no text and no caption' USING ERRCODE = 'object_not_in_prerequisite_state';
	END IF;
	PERFORM wa.refuse_unless_sent(target);
	SELECT q.* INTO id, message_id, session_id, status, "timestamp"
	FROM wa.queue_action(target, 'edit', jsonb_build_object('text', new_text)) q;
END $$;
COMMENT ON FUNCTION wa.edit_message(uuid, uuid, text) IS
	'queues a new text, or the new caption of an image, a video or a document, for a message of one''s own. Needs '
	'`send`. `55000` also: the message is somebody else''s, or has neither. `22023` (`text`)';

CREATE FUNCTION wa.revoke_message(session uuid, message uuid, OUT id uuid, OUT message_id uuid,
								  OUT session_id uuid, OUT status text, OUT "timestamp" timestamptz)
	LANGUAGE plpgsql STRICT SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	target wa.message;
BEGIN
	PERFORM wa.require_permission('send');
	target := wa.find_message(session, message);
	PERFORM wa.refuse_unless_own(target);
	PERFORM wa.refuse_unless_sent(target);
	SELECT q.* INTO id, message_id, session_id, status, "timestamp" FROM wa.queue_action(target, 'revoke', '{}') q;
END $$;
COMMENT ON FUNCTION wa.revoke_message(uuid, uuid) IS
	'queues the deletion, for everyone, of a message of one''s own. Needs `send`. `55000` also: it is somebody '
	'else''s';

-- The copy gets its id now, so that the caller can find it after it was sent.
CREATE FUNCTION wa.forward_message(session uuid, message uuid, recipient text, idempotency_key text DEFAULT NULL,
								   OUT id uuid, OUT message_id uuid, OUT session_id uuid, OUT status text,
								   OUT "timestamp" timestamptz, OUT replayed boolean)
	LANGUAGE plpgsql SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	target wa.message;
	chat text;
	copy constant uuid := wa.uuid7();
	earlier uuid;
BEGIN
	PERFORM wa.require_permission('send');
	target := wa.find_message(session, message);
	chat := wa.require_recipient(recipient);
	IF idempotency_key IS NOT NULL THEN
		earlier := wa.replay(idempotency_key, sha256(convert_to(jsonb_build_array(
			'forward', session, message, chat)::text, 'UTF8')), copy, session);
		IF earlier IS NOT NULL THEN
			SELECT a.id, a.session_id, a.created_at INTO id, session_id, "timestamp" FROM wa.message_action a
			WHERE a.org_id = target.org_id AND a.message_id = target.id AND a.payload ->> 'copy' = earlier::text;
			message_id := earlier;
			status := 'queued';
			replayed := true;
			RETURN;
		END IF;
	END IF;
	PERFORM wa.refuse_unless_sent(target);
	PERFORM wa.refuse_while_fetched(target);
	PERFORM wa.count_send(wa.find_session(session));
	SELECT q.id, copy, q.session_id, q.status, q."timestamp" INTO id, message_id, session_id, status, "timestamp"
	FROM wa.queue_action(target, 'forward', jsonb_build_object('to', chat, 'copy', copy)) q;
END $$;
COMMENT ON FUNCTION wa.forward_message(uuid, uuid, text, text) IS
	'queues a copy of a message''s content to another chat, once per `idempotency_key` as `wa.send_message()` does. '
	'`message_id` of the result is the id that the copy will have; the copy exists when the connector has sent it. It '
	'counts against the session''s limits: `53400`. Needs `send`. `22023` (`to`), `55000` (the message is not sent, or deleted, or its file is not stored yet)';

-- The change that an action makes after WhatsApp has accepted it.
CREATE FUNCTION wa.apply_action(action wa.message_action, wa_message_id text, at timestamptz) RETURNS void
	LANGUAGE plpgsql
AS $$
DECLARE
	source wa.message;
	chat constant text := action.payload ->> 'to';
BEGIN
	SELECT m.* INTO source FROM wa.message m
	WHERE m.org_id = action.org_id AND m.id = action.message_id FOR NO KEY UPDATE;
	CASE action.type
		WHEN 'react' THEN
			UPDATE wa.message m SET reactions = wa.with_reaction(m.reactions, 'me', action.payload ->> 'emoji')
			WHERE m.org_id = action.org_id AND m.id = action.message_id AND NOT m.revoked;
		WHEN 'read' THEN
			NULL;	-- It was marked when it was asked for.
		WHEN 'edit' THEN
			UPDATE wa.message m SET body = action.payload ->> 'text', edited = true
			WHERE m.org_id = action.org_id AND m.id = action.message_id AND NOT m.revoked;
		WHEN 'revoke' THEN
			UPDATE wa.message m SET revoked = true, body = NULL, content = NULL, media = NULL, media_data = NULL,
				media_id = NULL
			WHERE m.org_id = action.org_id AND m.id = action.message_id;
		WHEN 'forward' THEN
			-- It may have been deleted since the action was found.
			PERFORM wa.find_session(action.session_id);
			PERFORM wa.touch_chat(action.session_id, chat, at, 0);
			INSERT INTO wa.message (org_id, id, session_id, pairing, session_phone_number, chat_jid, wa_message_id,
									direction, type, body, content, media, media_data, media_id, status, forwarded, sent_at)
			VALUES (action.org_id, (action.payload ->> 'copy')::uuid, action.session_id, action.pairing,
					source.session_phone_number, chat, apply_action.wa_message_id, 'out', source.type, source.body, source.content, source.media,
					source.media_data, source.media_id, 'sent', true, at);
	END CASE;
END $$;
COMMENT ON FUNCTION wa.apply_action(wa.message_action, text, timestamptz) IS
	'for function bodies: makes messages show what an action has done';

CREATE FUNCTION wa.with_reaction(reactions jsonb, sender text, emoji text) RETURNS jsonb
	LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
AS $$
BEGIN
	RETURN NULLIF(CASE WHEN COALESCE(emoji, '') = '' THEN COALESCE(reactions, '{}') - sender
		ELSE COALESCE(reactions, '{}') || jsonb_build_object(sender, emoji) END, '{}');
END $$;
COMMENT ON FUNCTION wa.with_reaction(jsonb, text, text) IS
	'a message''s reactions with one sender''s set, or with an empty emoji taken away';
