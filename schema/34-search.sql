-- Searching: what the lists do with ?q=.
--
-- No index helps: it would cost every message that is written, and one without org_id would tell
-- of other organizations.  So a search reads what it looks through, the newest first, and has a
-- bound on that: a page ends behind 5,000 rows or 8 MiB of text, however little was found, and
-- says where the next one begins.
-- Statistics that are old must not change that, so each row is read by an index, in its order, and
-- a place is a condition of the index.

CREATE FUNCTION wa.search_form(written text) RETURNS text
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'wa_search_form';
COMMENT ON FUNCTION wa.search_form(text) IS
	'equal for texts that a search does not tell apart: without case, accents and other marks above and below letters; '
	'depends on the release of Unicode, so that it is not to be stored';

-- What is looked for by the way it is written: at most as long as 100 characters can be, although
-- one may become many, and not empty, which everything contains.
CREATE FUNCTION wa.search_wanted(wanted text) RETURNS text
	LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE
AS $$
DECLARE
	form constant text := wa.search_form(wanted);
BEGIN
	IF form = '' THEN
		PERFORM wa.refuse_field('q', 'must contain more than marks and characters that are ignored');
	ELSIF octet_length(form) > 400 THEN
		PERFORM wa.refuse_field('q', 'must not be longer than 400 bytes without case and accents');
	END IF;
	RETURN form;
END $$;
COMMENT ON FUNCTION wa.search_wanted(text) IS
	'for function bodies: the form of what is looked for; raises 22023 (`q`) for one that is empty or longer than 400 bytes';

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
	SET enable_seqscan = off SET enable_bitmapscan = off SET enable_sort = off SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off
AS $$
DECLARE
	bytes_max constant integer := 8388608;
	org constant uuid := wa.org_for_any_key('read');
	form constant text := wa.search_wanted(wanted);
	only_chat constant text := wa.chat_jid(in_chat);
	-- Before all rows that there can be.
	first_active_at constant timestamptz := COALESCE(after_active_at, 'infinity');
	first_chat constant text := COALESCE(after_chat, '');
	looked integer := 0;
	bytes bigint := 0;
	found_rows integer := 0;
	message record;
	form_of_body text;
BEGIN
	IF NOT EXISTS (SELECT FROM wa.session s WHERE s.org_id = org AND s.id = session AND s.deleted_at IS NULL) THEN
		RETURN;
	END IF;
	-- The chat of the place comes first, even if it has become active since then; its old place says
	-- which chats are behind it.
	FOR place_chat, place_active_at IN
		SELECT c.jid, COALESCE(after_active_at, c.active_at) FROM wa.chat c
		WHERE c.org_id = org AND c.session_id = session AND c.jid = COALESCE(only_chat, after_chat)
		UNION ALL
		(SELECT c.jid, c.active_at FROM wa.chat c
		WHERE only_chat IS NULL AND c.org_id = org AND c.session_id = session AND c.active_at = first_active_at AND c.jid > first_chat
		ORDER BY c.jid
		LIMIT wa.search_rows())
		UNION ALL
		(SELECT c.jid, c.active_at FROM wa.chat c
		WHERE only_chat IS NULL AND c.org_id = org AND c.session_id = session AND c.active_at < first_active_at AND c.jid IS DISTINCT FROM after_chat
		ORDER BY c.active_at DESC, c.jid
		LIMIT wa.search_rows())
	LOOP
		looked := looked + 1;
		place_sent_at := CASE WHEN place_chat = after_chat THEN after_sent_at ELSE '9999-12-31' END;
		place := CASE WHEN place_chat = after_chat THEN after_id ELSE 'ffffffff-ffff-ffff-ffff-ffffffffffff' END;
		FOR message IN
			SELECT m.id, m.sent_at, m.body, m.content, m.media, m.reactions FROM wa.message m
			WHERE m.org_id = org AND m.session_id = session AND m.chat_jid = place_chat AND (m.sent_at, m.id) < (place_sent_at, place)
			ORDER BY m.sent_at DESC, m.id DESC
			LIMIT wa.search_rows()
		LOOP
			looked := looked + 1;
			form_of_body := wa.search_form(message.body);
			bytes := bytes + COALESCE(octet_length(message.body) + octet_length(form_of_body), 0);
			place_sent_at := message.sent_at;
			place := message.id;
			IF strpos(form_of_body, form) > 0 THEN
				found_rows := found_rows + 1;
				-- What is found is fetched whole.
				bytes := bytes + COALESCE(octet_length(message.content::text), 0) + COALESCE(octet_length(message.media::text), 0)
					+ COALESCE(octet_length(message.reactions::text), 0);
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
	'with the latest activity first, and the newest messages first within a chat. Looks at `wa.search_rows()` rows and 8 MiB at most, of texts, their forms and what is found: a last '
	'row without an id is the place to go on behind where there may be more. Nothing for a session that does not exist or is out of reach. `22023` (`q`). Needs `read`';

CREATE FUNCTION wa.search_chats(session uuid, wanted text, unread boolean DEFAULT NULL, archived boolean DEFAULT NULL,
								after_active_at timestamptz DEFAULT NULL, after_jid text DEFAULT NULL,
								max integer DEFAULT 50,
								OUT jid text, OUT place_active_at timestamptz, OUT place text)
	RETURNS SETOF record
	LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY DEFINER ROWS 50
	SET search_path = pg_catalog, pg_temp
	SET enable_seqscan = off SET enable_bitmapscan = off SET enable_sort = off SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off
AS $$
DECLARE
	org constant uuid := wa.org_for_any_key('read');
	form constant text := wa.search_wanted(wanted);
	number constant text := wa.search_number(wanted);
	-- Before all rows that there can be.
	first_active_at constant timestamptz := COALESCE(after_active_at, 'infinity');
	first_jid constant text := COALESCE(after_jid, '');
	looked integer := 0;
	found_rows integer := 0;
	chat record;
BEGIN
	IF NOT EXISTS (SELECT FROM wa.session s WHERE s.org_id = org AND s.id = session AND s.deleted_at IS NULL) THEN
		RETURN;
	END IF;
	FOR chat IN
		(SELECT c.jid, c.active_at, c.name, c.unread_count, c.archived FROM wa.chat c
		WHERE c.org_id = org AND c.session_id = session AND c.active_at = first_active_at AND c.jid > first_jid
		ORDER BY c.jid
		LIMIT wa.search_rows())
		UNION ALL
		(SELECT c.jid, c.active_at, c.name, c.unread_count, c.archived FROM wa.chat c
		WHERE c.org_id = org AND c.session_id = session AND c.active_at < first_active_at
		ORDER BY c.active_at DESC, c.jid
		LIMIT wa.search_rows())
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
	'more. Nothing for a session that does not exist or is out of reach. `22023` (`q`). Needs `read`';

CREATE FUNCTION wa.search_contacts(session uuid, wanted text, after_jid text DEFAULT NULL, max integer DEFAULT 50,
								   OUT jid text, OUT place text)
	RETURNS SETOF record
	LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY DEFINER ROWS 50
	SET search_path = pg_catalog, pg_temp
	SET enable_seqscan = off SET enable_bitmapscan = off SET enable_sort = off SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off
AS $$
DECLARE
	org constant uuid := wa.org_for_any_key('read');
	form constant text := wa.search_wanted(wanted);
	number constant text := wa.search_number(wanted);
	first_jid constant text := COALESCE(after_jid, '');
	looked integer := 0;
	found_rows integer := 0;
	contact record;
BEGIN
	IF NOT EXISTS (SELECT FROM wa.session s WHERE s.org_id = org AND s.id = session AND s.deleted_at IS NULL) THEN
		RETURN;
	END IF;
	FOR contact IN
		SELECT c.jid, c.phone_number, concat_ws(' ', c.name, c.business_name) AS names FROM wa.contact c
		WHERE c.org_id = org AND c.session_id = session AND c.jid > first_jid
		ORDER BY c.jid
		LIMIT wa.search_rows()
	LOOP
		looked := looked + 1;
		place := contact.jid;
		IF strpos(wa.search_form(contact.names), form) > 0 OR strpos('+' || contact.phone_number, number) > 0 THEN
			found_rows := found_rows + 1;
			jid := contact.jid;
			RETURN NEXT;
		END IF;
		EXIT WHEN looked >= wa.search_rows() OR found_rows >= max;
	END LOOP;
	IF looked >= wa.search_rows() AND found_rows < max THEN
		jid := NULL;
		RETURN NEXT;
	END IF;
END $$;
COMMENT ON FUNCTION wa.search_contacts(uuid, text, text, integer) IS
	'the contacts of a session whose name or business name contains this text, in any case and with or without accents, or whose phone number '
	'does, by jid. Looks at `wa.search_rows()` at most: a last row without a jid is the place to go on behind where there may be more. Nothing '
	'for a session that does not exist or is out of reach. `22023` (`q`). Needs `read`';
