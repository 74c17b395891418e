-- Searching: what the lists do with ?q=.
--
-- No index helps: it would cost every message that is written, and one without org_id would tell
-- of other organizations.  So a search reads what it looks through, the newest first, and has a
-- bound on that: a page ends behind 5,000 rows or 8 MiB of text, however little was found, and
-- says where the next one begins.

CREATE FUNCTION wa.search_form(written text) RETURNS text
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'wa_search_form';
COMMENT ON FUNCTION wa.search_form(text) IS
	'equal for texts that a search does not tell apart: without case, accents and other marks above and below letters; '
	'depends on the release of Unicode, so that it is not to be stored';

CREATE FUNCTION wa.search_rows() RETURNS integer
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
	RETURN 5000;
COMMENT ON FUNCTION wa.search_rows() IS 'for function bodies: how many rows a page of a search looks at, at most';

-- A number may be written with blanks and punctuation, and with a + in front, which a query makes
-- a blank of.
CREATE FUNCTION wa.search_number(written text) RETURNS text
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
	RETURN CASE WHEN written ~* '^[\s+()./-]*[0-9][0-9\s()./-]*(@(c\.us|s\.whatsapp\.net))?$'
		THEN substring(written FROM '^\s*([+]?)') || regexp_replace(split_part(written, '@', 1), '[^0-9]', '', 'g') END;
COMMENT ON FUNCTION wa.search_number(text) IS
	'the part of a phone number that is looked for, with a + if it has to be the beginning; NULL for what is no number';

-- The messages of one chat, or of all chats, those with the latest activity first.  A chat that is
-- looked at counts as a row, too.  A row without an id is the place behind which the next page begins.
CREATE FUNCTION wa.search_messages(session uuid, wanted text, in_chat text DEFAULT NULL,
								   after_active_at timestamptz DEFAULT NULL, after_sent_at timestamptz DEFAULT NULL,
								   after_id uuid DEFAULT NULL, after_chat text DEFAULT NULL,
								   max integer DEFAULT 50,
								   OUT id uuid, OUT place_active_at timestamptz, OUT place_chat text,
								   OUT place_sent_at timestamptz, OUT place uuid)
	RETURNS SETOF record
	LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY DEFINER ROWS 50
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	bytes_max constant integer := 8388608;
	org constant uuid := wa.org_for_any_key('read');
	form constant text := wa.search_form(wanted);
	only_chat constant text := wa.chat_jid(in_chat);
	before_all constant uuid := 'ffffffff-ffff-ffff-ffff-ffffffffffff';
	looked integer := 0;
	bytes bigint := 0;
	found_rows integer := 0;
	message record;
BEGIN
	IF NOT EXISTS (SELECT FROM wa.session s WHERE s.org_id = org AND s.id = session AND s.deleted_at IS NULL) THEN
		RETURN;
	END IF;
	FOR place_chat, place_active_at IN
		SELECT c.jid, c.active_at FROM wa.chat c
		WHERE only_chat IS NOT NULL AND c.org_id = org AND c.session_id = session AND c.jid = only_chat
		UNION ALL
		(SELECT c.jid, c.active_at FROM wa.chat c
		WHERE only_chat IS NULL AND c.org_id = org AND c.session_id = session
			AND c.active_at <= CASE WHEN after_active_at IS NULL THEN 'infinity' ELSE after_active_at END
			AND (c.active_at < COALESCE(after_active_at, 'infinity') OR c.jid >= COALESCE(after_chat, ''))
		ORDER BY c.active_at DESC, c.jid
		LIMIT wa.search_rows())
	LOOP
		looked := looked + 1;
		-- Behind all messages that are newer than any there can be.
		place_sent_at := CASE WHEN place_chat = after_chat THEN after_sent_at ELSE '9999-12-31' END;
		place := CASE WHEN place_chat = after_chat THEN after_id ELSE before_all END;
		FOR message IN
			SELECT m.id, m.sent_at, m.body FROM wa.message m
			WHERE m.org_id = org AND m.session_id = session AND m.chat_jid = place_chat AND m.sent_at <= place_sent_at
				AND (m.sent_at < place_sent_at OR m.id < place)
			ORDER BY m.sent_at DESC, m.id DESC
			LIMIT wa.search_rows()
		LOOP
			looked := looked + 1;
			bytes := bytes + COALESCE(octet_length(message.body), 0);
			place_sent_at := message.sent_at;
			place := message.id;
			IF strpos(wa.search_form(message.body), form) > 0 THEN
				found_rows := found_rows + 1;
				id := message.id;
				RETURN NEXT;
			END IF;
			EXIT WHEN looked >= wa.search_rows() OR bytes >= bytes_max OR found_rows >= max;
		END LOOP;
		EXIT WHEN looked >= wa.search_rows() OR bytes >= bytes_max OR found_rows >= max;
	END LOOP;
	IF found_rows < max AND (looked >= wa.search_rows() OR bytes >= bytes_max) THEN
		id := NULL;
		RETURN NEXT;
	END IF;
END $$;
COMMENT ON FUNCTION wa.search_messages(uuid, text, text, timestamptz, timestamptz, uuid, text, integer) IS
	'the messages of a session, or of one chat of it, whose text contains this one, in any case and with or without accents: the chats '
	'with the latest activity first, and the newest messages first within a chat. Looks at `wa.search_rows()` rows and 8 MiB of text at most: a last '
	'row without an id is the place to go on behind where there may be more. Nothing for a session that does not exist or is out of reach. Needs `read`';

CREATE FUNCTION wa.search_chats(session uuid, wanted text, unread boolean DEFAULT NULL, archived boolean DEFAULT NULL,
								after_active_at timestamptz DEFAULT NULL, after_jid text DEFAULT NULL,
								max integer DEFAULT 50,
								OUT jid text, OUT place_active_at timestamptz, OUT place text)
	RETURNS SETOF record
	LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY DEFINER ROWS 50
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	org constant uuid := wa.org_for_any_key('read');
	form constant text := wa.search_form(wanted);
	number constant text := wa.search_number(wanted);
	looked integer := 0;
	found_rows integer := 0;
	chat record;
BEGIN
	IF NOT EXISTS (SELECT FROM wa.session s WHERE s.org_id = org AND s.id = session AND s.deleted_at IS NULL) THEN
		RETURN;
	END IF;
	FOR chat IN
		SELECT c.jid, c.active_at, c.name, c.unread_count, c.archived FROM wa.chat c
		WHERE c.org_id = org AND c.session_id = session
			AND c.active_at <= CASE WHEN after_active_at IS NULL THEN 'infinity' ELSE after_active_at END
			AND (c.active_at < COALESCE(after_active_at, 'infinity') OR c.jid > COALESCE(after_jid, ''))
		ORDER BY c.active_at DESC, c.jid
		LIMIT wa.search_rows()
	LOOP
		looked := looked + 1;
		place_active_at := chat.active_at;
		place := chat.jid;
		IF (chat.unread_count = 0) IS DISTINCT FROM unread AND (NOT chat.archived) IS DISTINCT FROM archived
			AND (strpos(wa.search_form(chat.name), form) > 0
				OR strpos('+' || split_part(chat.jid, '@', 1), number) > 0)
		THEN
			found_rows := found_rows + 1;
			jid := chat.jid;
			RETURN NEXT;
		END IF;
		EXIT WHEN looked >= wa.search_rows() OR found_rows >= max;
	END LOOP;
	IF looked >= wa.search_rows() AND found_rows < max THEN
		jid := NULL;
		RETURN NEXT;
	END IF;
END $$;
COMMENT ON FUNCTION wa.search_chats(uuid, text, boolean, boolean, timestamptz, text, integer) IS
	'the chats of a session whose name contains this text, in any case and with or without accents, or whose phone number does, those '
	'with the latest activity first. Looks at `wa.search_rows()` at most: a last row without a jid is the place to go on behind where there may be '
	'more. Nothing for a session that does not exist or is out of reach. Needs `read`';
