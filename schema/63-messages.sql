-- Messages: the operations of a key with send.
--
-- The content of a message is checked once, here, and stored in columns.  The gateway passes
-- the request's fields on as they are.

-- Files and their media types, as requests write them (src/common/file_text.h,
-- src/common/media_type.h).
CREATE FUNCTION wa.read_media_type(written text) RETURNS text
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'wa_read_media_type';
COMMENT ON FUNCTION wa.read_media_type(text) IS
	'a media type in the one form in which two that mean the same are equal; NULL for what is none';

CREATE FUNCTION wa.read_file_text(written text, OUT bytes bytea, OUT media_type text, OUT problem text)
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'wa_read_file_text';
COMMENT ON FUNCTION wa.read_file_text(text) IS
	'the bytes of a file that is written in base64 or as a data: URL, and the media type that the URL names; or else what is wrong with the text';

CREATE FUNCTION wa.check_filename(field text, filename text) RETURNS void
	LANGUAGE plpgsql PARALLEL SAFE
AS $$
BEGIN
	IF char_length(filename) NOT BETWEEN 1 AND 255 OR filename ~ E'[/\\\\[:cntrl:]]' OR filename IN ('.', '..') THEN
		PERFORM wa.refuse_field(field, 'must be 1 to 255 characters without slashes');
	END IF;
END $$;
COMMENT ON FUNCTION wa.check_filename(text, text) IS
	'for function bodies: raises 22023 unless this is the name of a file without its folder, or NULL';

CREATE FUNCTION wa.check_media(mimetype text, filename text) RETURNS text
	LANGUAGE plpgsql PARALLEL SAFE
AS $$
DECLARE
	type constant text := wa.read_media_type(mimetype);
BEGIN
	IF type IS NULL THEN
		PERFORM wa.refuse_field('mimetype', 'must be a media type such as image/png');
	END IF;
	PERFORM wa.check_filename('filename', filename);
	RETURN type;
END $$;
COMMENT ON FUNCTION wa.check_media(text, text) IS
	'for function bodies: the media type of a file as it is stored; raises 22023 for what is none, and for a wrong file name';

-- Whoever stores the bytes asks this first, so that none are taken for nothing.
CREATE FUNCTION wa.begin_media(mimetype text, filename text, size bigint) RETURNS uuid
	LANGUAGE plpgsql SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM wa.require_permission('send');
	PERFORM wa.check_media(COALESCE(mimetype, 'application/octet-stream'), filename);
	PERFORM wa.refuse_more_media(wa.require_org(), COALESCE(size, 1));
	RETURN wa.require_org();
END $$;
COMMENT ON FUNCTION wa.begin_media(text, text, bigint) IS
	'checks, before the bytes of a file are taken, what `wa.create_media()` checks, where the media type and the size may '
	'still be unknown (NULL), and returns the organization whose file it will be. Needs `send`. `22023` (`mimetype`, '
	'`filename`), `53400` (`wa.set_org_limit()`: `media_mebibytes`)';

-- The caller has stored the bytes.  Applications cannot do that, so they cannot execute it.
CREATE FUNCTION wa.create_media(sha256 bytea, size bigint, mimetype text, filename text, begun timestamptz DEFAULT NULL) RETURNS wa.media
	LANGUAGE plpgsql SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	made wa.media;
BEGIN
	PERFORM wa.require_permission('send');
	PERFORM wa.refuse_more_media(wa.require_org(), create_media.size);
	INSERT INTO wa.media (org_id, sha256, size, mimetype, filename, key_id, user_id)
	VALUES (wa.require_org(), create_media.sha256, create_media.size,
			wa.check_media(create_media.mimetype, create_media.filename), create_media.filename, wa.current_key(), wa.current_user_id())
	RETURNING * INTO made;
	PERFORM wa.refuse_removed(made.org_id, made.sha256, begun);
	RETURN made;
END $$;
COMMENT ON FUNCTION wa.create_media(bytea, bigint, text, text, timestamptz) IS
	'notes a file whose bytes the caller has stored durably: their SHA-256 (32 bytes), how many they are (at least 1), '
	'their media type, a file name or NULL, and a time by the clock of the database before they were stored (NULL: it is '
	'not known). Needs `send`. `40001` (a worker removes these bytes from the store, or has done so since that time: store '
	'them again), `22023` (`mimetype`, `filename`: 1 to 255 characters '
	'without slashes), `53400` (`wa.set_org_limit()`: `media_mebibytes`), '
	'`23514` (a digest or size that is none)';

CREATE FUNCTION wa.read_mimetype(mimetype text, named text) RETURNS text
	LANGUAGE plpgsql PARALLEL SAFE
AS $$
DECLARE
	given constant text := wa.read_media_type(mimetype);
BEGIN
	IF mimetype IS NOT NULL AND given IS NULL THEN
		PERFORM wa.refuse_field('media.mimetype', 'must be a media type such as image/png');
	END IF;
	IF given <> named THEN
		PERFORM wa.refuse_field('media.mimetype', format('is %s, but the data: URL says %s', given, named));
	END IF;
	RETURN COALESCE(given, named);
END $$;
COMMENT ON FUNCTION wa.read_mimetype(text, text) IS
	'for function bodies: the media type of an attachment, from its field and from its data: URL, each of which may be NULL; raises 22023 if the field is none or another one';

CREATE FUNCTION wa.check_media_fields(type text, media jsonb) RETURNS void
	LANGUAGE plpgsql PARALLEL SAFE
AS $$
DECLARE
	stray text;
BEGIN
	IF media IS NULL OR jsonb_typeof(media) <> 'object' THEN
		PERFORM wa.refuse_field('media', format('must be an object: type %s needs media', type));
	END IF;
	SELECT k INTO stray FROM jsonb_object_keys(media) k
	WHERE k NOT IN ('id', 'url', 'data', 'mimetype', 'filename') ORDER BY k LIMIT 1;
	IF FOUND THEN
		PERFORM wa.refuse_field('media', format('has %s, but its fields are id, url, data, mimetype, filename', wa.quoted(stray)));
	END IF;
	SELECT f.key INTO stray FROM jsonb_each(media) f WHERE jsonb_typeof(f.value) <> 'string' ORDER BY f.key LIMIT 1;
	IF FOUND THEN
		PERFORM wa.refuse_field('media.' || stray, 'must be a text');
	END IF;
	IF (media ? 'url')::integer + (media ? 'data')::integer + (media ? 'id')::integer <> 1 THEN
		PERFORM wa.refuse_field('media', 'must have one of id, url and data');
	END IF;
	IF media ? 'id' AND media ? 'mimetype' THEN
		PERFORM wa.refuse_field('media.mimetype', 'is known of a file that was uploaded');
	END IF;
	PERFORM wa.check_filename('media.filename', media ->> 'filename');
END $$;
COMMENT ON FUNCTION wa.check_media_fields(text, jsonb) IS
	'for function bodies: raises 22023 unless an attachment has the fields that it needs and no other';

-- A file of another organization, or of a session that the credential does not reach, is
-- refused like one that does not exist.  The lock keeps wa.free_media() from removing it.
CREATE FUNCTION wa.find_media(id text) RETURNS wa.media
	LANGUAGE plpgsql STRICT PARALLEL RESTRICTED
AS $$
DECLARE
	found_media wa.media;
BEGIN
	IF id ~ '^med_[0-7][0-9a-hjkmnp-tv-z]{25}$' THEN
		SELECT m.* INTO found_media FROM wa.media m WHERE m.org_id = wa.require_org() AND m.id = wa.from_typeid('med', find_media.id)
		FOR KEY SHARE;
	END IF;
	IF found_media.id IS NULL THEN
		PERFORM wa.refuse_field('media.id', 'must be the id of a file that was uploaded');
	END IF;
	IF found_media.state <> 'stored' THEN
		PERFORM wa.refuse_field('media.id', format('is that of a file that is %s, not stored', found_media.state));
	END IF;
	RETURN found_media;
END $$;
COMMENT ON FUNCTION wa.find_media(text) IS
	'for function bodies: a file of the bound organization by its public id, locked; raises 22023 if there is none that the credential reaches, or it is not stored';

-- A data: URL is a file that came with the request, whichever field it is in.
CREATE FUNCTION wa.read_media(type text, INOUT media jsonb, OUT bytes bytea, OUT media_id uuid)
	LANGUAGE plpgsql PARALLEL RESTRICTED
AS $$
DECLARE
	uploaded wa.media;
	url text;
	field text;
	file record;
	mimetype text;
BEGIN
	PERFORM wa.check_media_fields(type, media);
	IF media ? 'id' THEN
		uploaded := wa.find_media(media ->> 'id');
		media_id := uploaded.id;
		media := jsonb_strip_nulls(jsonb_build_object('id', wa.typeid('med', media_id), 'state', uploaded.state, 'mimetype', uploaded.mimetype,
			'size', uploaded.size, 'filename', COALESCE(media ->> 'filename', uploaded.filename)));
		RETURN;
	END IF;
	url := media ->> 'url';
	field := CASE WHEN url ~* '^data:' THEN 'url' WHEN media ? 'data' THEN 'data' END;
	IF field IS NOT NULL THEN
		SELECT f.* INTO file FROM wa.read_file_text(media ->> field) f;
		IF file.problem IS NOT NULL THEN
			PERFORM wa.refuse_field('media.' || field, file.problem);
		END IF;
		bytes := file.bytes;
		mimetype := wa.read_mimetype(media ->> 'mimetype', file.media_type);
		IF media ->> field ~* '^data:' THEN
			mimetype := COALESCE(mimetype, 'text/plain; charset=US-ASCII');
		END IF;
	ELSE
		url := wa.target_url(url, 'media.url');
		mimetype := wa.read_mimetype(media ->> 'mimetype', NULL);
	END IF;
	media := jsonb_strip_nulls(jsonb_build_object('url', CASE WHEN field IS NULL THEN url END,
		'mimetype', mimetype, 'filename', media -> 'filename'));
END $$;
COMMENT ON FUNCTION wa.read_media(text, jsonb) IS
	'for function bodies: an attachment as it is stored, its bytes if it came with the request, and its row if it was uploaded before; raises 22023 for what is wrong with it';

-- Each of these functions refuses a wrong value of one type of content.
CREATE FUNCTION wa.check_text(field text, value jsonb, maximum integer, required boolean) RETURNS void
	LANGUAGE plpgsql PARALLEL SAFE
AS $$
BEGIN
	IF value IS NULL AND NOT required THEN
		RETURN;
	END IF;
	IF value IS NULL OR jsonb_typeof(value) <> 'string' OR char_length(value #>> '{}') NOT BETWEEN 1 AND maximum THEN
		PERFORM wa.refuse_field(field, format('must be a text of 1 to %s characters', maximum));
	END IF;
END $$;
COMMENT ON FUNCTION wa.check_text(text, jsonb, integer, boolean) IS
	'for function bodies: raises 22023 unless a field is a text of bounded length';

CREATE FUNCTION wa.check_location(content jsonb) RETURNS void
	LANGUAGE plpgsql PARALLEL SAFE
AS $$
BEGIN
	IF jsonb_typeof(content -> 'latitude') IS DISTINCT FROM 'number'
		OR abs((content ->> 'latitude')::numeric) > 90 THEN
		PERFORM wa.refuse_field('latitude', 'must be a number from -90 to 90');
	END IF;
	IF jsonb_typeof(content -> 'longitude') IS DISTINCT FROM 'number'
		OR abs((content ->> 'longitude')::numeric) > 180 THEN
		PERFORM wa.refuse_field('longitude', 'must be a number from -180 to 180');
	END IF;
	PERFORM wa.check_text('name', content -> 'name', 200, false);
	PERFORM wa.check_text('address', content -> 'address', 500, false);
END $$;
COMMENT ON FUNCTION wa.check_location(jsonb) IS 'for function bodies: raises 22023 unless this is a location';

-- Text around a card is removed: white space, and the byte order mark that some editors put
-- in front.
CREATE FUNCTION wa.read_contact(contact jsonb) RETURNS jsonb
	LANGUAGE plpgsql PARALLEL SAFE
AS $$
DECLARE
	stray text;
	card text;
BEGIN
	IF contact IS NULL OR jsonb_typeof(contact) <> 'object' THEN
		PERFORM wa.refuse_field('contact', 'must be an object of displayName and vcard');
	END IF;
	SELECT k INTO stray FROM jsonb_object_keys(contact) k WHERE k NOT IN ('displayName', 'vcard') ORDER BY k LIMIT 1;
	IF FOUND THEN
		PERFORM wa.refuse_field('contact', format('has %s, but its fields are displayName and vcard', wa.quoted(stray)));
	END IF;
	PERFORM wa.check_text('contact.displayName', contact -> 'displayName', 200, true);
	PERFORM wa.check_text('contact.vcard', contact -> 'vcard', 16384, true);
	card := contact ->> 'vcard';
	IF convert_to("left"(card, 1), 'UTF8') = E'\\xefbbbf' THEN
		card := substr(card, 2);
	END IF;
	card := btrim(card, E' \t\r\n');
	IF card !~* E'^BEGIN:VCARD[ \\t]*\\r?\\n' THEN
		PERFORM wa.refuse_field('contact.vcard', 'must begin with the line BEGIN:VCARD');
	END IF;
	IF card !~* E'\\nEND:VCARD$' THEN
		PERFORM wa.refuse_field('contact.vcard', 'must end with the line END:VCARD');
	END IF;
	RETURN contact || jsonb_build_object('vcard', card);
END $$;
COMMENT ON FUNCTION wa.read_contact(jsonb) IS
	'for function bodies: a contact card as it is stored; raises 22023 for what is none';

CREATE FUNCTION wa.check_poll(content jsonb) RETURNS void
	LANGUAGE plpgsql PARALLEL SAFE
AS $$
DECLARE
	options constant jsonb := content -> 'options';
	selectable constant jsonb := content -> 'selectableCount';
BEGIN
	PERFORM wa.check_text('name', content -> 'name', 255, true);
	IF options IS NULL OR jsonb_typeof(options) <> 'array' OR jsonb_array_length(options) NOT BETWEEN 2 AND 12 THEN
		PERFORM wa.refuse_field('options', 'must be 2 to 12 different texts of 1 to 100 characters');
	END IF;
	PERFORM wa.refuse_element('options', (
		SELECT min(e.place) FROM jsonb_array_elements(options) WITH ORDINALITY e (option, place)
		WHERE jsonb_typeof(e.option) <> 'string' OR char_length(e.option #>> '{}') NOT BETWEEN 1 AND 100),
		'must be a text of 1 to 100 characters');
	PERFORM wa.refuse_element('options', (
		SELECT min(e.place) FROM jsonb_array_elements(options) WITH ORDINALITY e (option, place)
		WHERE EXISTS (SELECT FROM jsonb_array_elements(options) WITH ORDINALITY f (option, place)
					  WHERE f.place < e.place AND f.option = e.option)), 'is the same as one before it');
	IF selectable IS NOT NULL AND (selectable::text !~ '^[0-9]{1,2}$'
		OR selectable::text::integer NOT BETWEEN 1 AND jsonb_array_length(options)) THEN
		PERFORM wa.refuse_field('selectableCount', 'must be between 1 and the number of options');
	END IF;
END $$;
COMMENT ON FUNCTION wa.check_poll(jsonb) IS 'for function bodies: raises 22023 unless this is a poll';

-- The fields of each type, besides to, replyTo and mentions.
CREATE FUNCTION wa.read_content(type text, INOUT content jsonb, OUT bytes bytea, OUT media_id uuid)
	LANGUAGE plpgsql PARALLEL RESTRICTED
AS $$
DECLARE
	fields constant text[] := CASE
		WHEN type = 'text' THEN '{text}'
		WHEN type IN ('image', 'video', 'document') THEN '{media,caption}'
		WHEN type IN ('audio', 'sticker') THEN '{media}'
		WHEN type = 'location' THEN '{latitude,longitude,name,address}'
		WHEN type = 'contact' THEN '{contact}'
		WHEN type = 'poll' THEN '{name,options,selectableCount}'
	END;
	stray text;
	media jsonb;
BEGIN
	IF fields IS NULL THEN
		PERFORM wa.refuse_field('type', 'must be one of text, image, video, audio, document, sticker, location, contact, poll');
	END IF;
	IF jsonb_typeof(content) <> 'object' OR content - fields <> '{}' THEN
		SELECT k INTO STRICT stray FROM jsonb_object_keys(content) k WHERE k <> ALL (fields) ORDER BY k LIMIT 1;
		PERFORM wa.refuse_field(stray, format('is no field of type %s', type));
	END IF;
	CASE type
		WHEN 'text' THEN PERFORM wa.check_text('text', content -> 'text', 65536, true);
		WHEN 'location' THEN PERFORM wa.check_location(content);
		WHEN 'contact' THEN content := content || jsonb_build_object('contact', wa.read_contact(content -> 'contact'));
		WHEN 'poll' THEN PERFORM wa.check_poll(content);
		ELSE
			SELECT m.media, m.bytes, m.media_id INTO media, bytes, media_id FROM wa.read_media(type, content -> 'media') m;
			content := content || jsonb_build_object('media', media);
			PERFORM wa.check_text('caption', content -> 'caption', 4096, false);
	END CASE;
END $$;
COMMENT ON FUNCTION wa.read_content(text, jsonb) IS
	'for function bodies: the fields of a message of this type as they are stored, without the bytes of its attachment, and those, or the file that it names; raises 22023 for what is wrong with them';

-- Nearly all messages are texts, and to see that nothing is wrong with one costs little in C
-- (src/message_state.c).
CREATE FUNCTION wa.plain_text(type text, content jsonb) RETURNS text
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'wa_plain_text';
COMMENT ON FUNCTION wa.plain_text(text, jsonb) IS
	'for function bodies: the text of a message of type `text` in which wa.read_content() would find nothing wrong; NULL for all else';

-- Rates that are far above what one sender sends are split into shares, which add up to the
-- rate.  Each share has its own row.
CREATE FUNCTION wa.rate_stripes(session wa.session) RETURNS integer
	LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
AS $$
BEGIN
	RETURN CASE WHEN session.rate_per_min BETWEEN 1 AND 1599 OR session.rate_per_hour BETWEEN 1 AND 1599 THEN 1 ELSE 16 END;
END $$;
COMMENT ON FUNCTION wa.rate_stripes(wa.session) IS
	'for function bodies: in how many shares the rates of a session are counted: 16 where each is at least 100, otherwise 1';

-- Counts a message against one share of a session's rates.  A row that another transaction
-- has locked is waited for, unless it is used up already.  The windows of shares are those of
-- the clock, so that they end together.
CREATE FUNCTION wa.count_in_stripe(session wa.session, chosen integer, stripes integer, at timestamptz) RETURNS boolean
	LANGUAGE plpgsql STRICT
AS $$
DECLARE
	minute constant interval := '1 minute';
	hour constant interval := '1 hour';
	per_minute constant integer := (session.rate_per_min + chosen) / stripes;
	per_hour constant integer := (session.rate_per_hour + chosen) / stripes;
	new_minute constant timestamptz := CASE stripes WHEN 1 THEN at ELSE date_bin(minute, at, 'epoch') END;
	new_hour constant timestamptz := CASE stripes WHEN 1 THEN at ELSE date_bin(hour, at, 'epoch') END;
BEGIN
	FOR attempt IN 1..2 LOOP
		UPDATE wa.session_rate r
		SET minute_start = CASE WHEN at < r.minute_start + minute THEN r.minute_start ELSE new_minute END,
			minute_count = CASE WHEN at < r.minute_start + minute THEN r.minute_count + 1 ELSE 1 END,
			hour_start = CASE WHEN at < r.hour_start + hour THEN r.hour_start ELSE new_hour END,
			hour_count = CASE WHEN at < r.hour_start + hour THEN r.hour_count + 1 ELSE 1 END
		WHERE r.org_id = session.org_id AND r.session_id = session.id AND r.stripe = chosen
			AND (per_minute = 0 OR r.minute_count < per_minute OR at >= r.minute_start + minute)
			AND (per_hour = 0 OR r.hour_count < per_hour OR at >= r.hour_start + hour);
		IF FOUND THEN
			RETURN true;
		END IF;
		EXIT WHEN attempt = 2;
		-- The first message adds the row.  If somebody else does so at the same moment, this
		-- waits, and the row is updated.  If it was added since the update looked for it, the
		-- update has to look again.
		INSERT INTO wa.session_rate (org_id, session_id, stripe, minute_start, minute_count, hour_start, hour_count)
		VALUES (session.org_id, session.id, chosen, new_minute, 1, new_hour, 1)
		ON CONFLICT (org_id, session_id, stripe) DO NOTHING;
		IF FOUND THEN
			RETURN true;
		END IF;
	END LOOP;
	RETURN false;
END $$;
COMMENT ON FUNCTION wa.count_in_stripe(wa.session, integer, integer, timestamptz) IS
	'for function bodies: counts a message against one of so many shares of a session''s rates; false if it is used up';

CREATE FUNCTION wa.refuse_beyond_rates(session wa.session, at timestamptz) RETURNS void
	LANGUAGE plpgsql STRICT
AS $$
DECLARE
	stripes constant integer := wa.rate_stripes(session);
	by_hour boolean;
	minute_end timestamptz;
	hour_end timestamptz;
BEGIN
	SELECT bool_and(r.hour_count >= (session.rate_per_hour + r.stripe) / stripes AND at < r.hour_start + interval '1 hour'),
		min(r.minute_start) + interval '1 minute', min(r.hour_start) + interval '1 hour'
	INTO by_hour, minute_end, hour_end
	FROM wa.session_rate r WHERE r.org_id = session.org_id AND r.session_id = session.id AND r.stripe < stripes;
	by_hour := by_hour AND session.rate_per_hour > 0;
	RAISE EXCEPTION 'session has reached its send limit %', CASE WHEN by_hour THEN 'rate_per_hour' ELSE 'rate_per_min' END
		USING ERRCODE = 'configuration_limit_exceeded', CONSTRAINT = CASE WHEN by_hour THEN 'rate_per_hour' ELSE 'rate_per_min' END,
		DETAIL = format('%s seconds until the next message is accepted.',
			ceil(extract(epoch FROM GREATEST(CASE WHEN by_hour THEN hour_end ELSE minute_end END - at, interval '1 second'))));
END $$;
COMMENT ON FUNCTION wa.refuse_beyond_rates(wa.session, timestamptz) IS
	'for function bodies: raises 53400 for a session whose rates are used up, with the seconds to wait at the start of its detail';

-- Checks a session's send limits, and counts a message against them.  A row is locked until
-- the transaction ends, so that simultaneous requests are counted one after the other.  A
-- session without rates has no row, and its senders do not wait for each other.
CREATE FUNCTION wa.count_send(session wa.session) RETURNS void
	LANGUAGE plpgsql STRICT
AS $$
DECLARE
	stripes integer;
	at timestamptz;
BEGIN
	IF NOT wa.take_queue_room(session.id, false) THEN
		PERFORM wa.enter_queue(session);
	END IF;
	IF session.rate_per_min = 0 AND session.rate_per_hour = 0 THEN
		RETURN;
	END IF;
	stripes := wa.rate_stripes(session);
	at := clock_timestamp();
	-- Each backend begins with another share.
	FOR i IN 0 .. stripes - 1 LOOP
		IF wa.count_in_stripe(session, (pg_backend_pid() + i) % stripes, stripes, at) THEN
			RETURN;
		END IF;
	END LOOP;
	PERFORM wa.refuse_beyond_rates(session, at);
END $$;
COMMENT ON FUNCTION wa.count_send(wa.session) IS
	'for function bodies: counts a message against the session''s limits; raises 53400, with the seconds to wait at the start of its detail';

-- New rates begin with what was counted under the old ones.
CREATE FUNCTION wa.fold_rates(session uuid) RETURNS void
	LANGUAGE plpgsql STRICT
AS $$
DECLARE
	org constant uuid := wa.require_org();
	at constant timestamptz := clock_timestamp();
BEGIN
	WITH folded AS (
		DELETE FROM wa.session_rate r WHERE r.org_id = org AND r.session_id = session AND r.stripe > 0 RETURNING r.*
	), total AS (
		SELECT COALESCE(sum(f.minute_count) FILTER (WHERE at < f.minute_start + interval '1 minute'), 0) AS minutely,
			COALESCE(sum(f.hour_count) FILTER (WHERE at < f.hour_start + interval '1 hour'), 0) AS hourly,
			max(f.minute_start) AS minute_start, max(f.hour_start) AS hour_start
		FROM folded f HAVING count(*) > 0)
	INSERT INTO wa.session_rate AS r (org_id, session_id, minute_start, minute_count, hour_start, hour_count)
	SELECT org, session, t.minute_start, t.minutely, t.hour_start, t.hourly FROM total t
	ON CONFLICT (org_id, session_id, stripe) DO UPDATE SET
		minute_count = EXCLUDED.minute_count + CASE WHEN at < r.minute_start + interval '1 minute' THEN r.minute_count ELSE 0 END,
		hour_count = EXCLUDED.hour_count + CASE WHEN at < r.hour_start + interval '1 hour' THEN r.hour_count ELSE 0 END,
		minute_start = GREATEST(r.minute_start, EXCLUDED.minute_start), hour_start = GREATEST(r.hour_start, EXCLUDED.hour_start);
END $$;
COMMENT ON FUNCTION wa.fold_rates(uuid) IS
	'for function bodies: adds the shares of a session''s rates up into one, when the rates change';

-- WhatsApp knows a message under the phone number that sent or received it.  If a connector
-- reports no number, each pairing counts as another number.
CREATE FUNCTION wa.is_of_same_number(session wa.session, message wa.message) RETURNS boolean
	LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
AS $$
BEGIN
	RETURN CASE WHEN message.session_phone_number IS NULL THEN message.pairing = session.pairing
		ELSE message.session_phone_number IS NOT DISTINCT FROM session.phone_number END;
END $$;
COMMENT ON FUNCTION wa.is_of_same_number(wa.session, wa.message) IS
	'for function bodies: whether a message is of the phone number that the session has now';

CREATE FUNCTION wa.refuse_unless_same_number(session wa.session, message wa.message) RETURNS void
	LANGUAGE plpgsql STRICT PARALLEL SAFE
AS $$
BEGIN
	IF NOT wa.is_of_same_number(session, message) THEN
		RAISE EXCEPTION 'message is of another phone number than the session''s'
			USING ERRCODE = 'object_not_in_prerequisite_state';
	END IF;
END $$;
COMMENT ON FUNCTION wa.refuse_unless_same_number(wa.session, wa.message) IS
	'for function bodies: raises 55000 for a message of a phone number that the session does not have now';

-- A message that has not been sent yet may be answered: the answer waits for it
-- (wa.connector_claim()).  A message that will never be sent cannot be quoted.
CREATE FUNCTION wa.refuse_unless_answerable(session wa.session, chat text, message uuid) RETURNS void
	LANGUAGE plpgsql STRICT PARALLEL RESTRICTED
AS $$
DECLARE
	quoted wa.message;
BEGIN
	SELECT m.* INTO quoted FROM wa.message m
	WHERE m.org_id = wa.require_org() AND m.id = message AND m.session_id = session.id AND m.chat_jid = chat;
	IF NOT FOUND THEN
		PERFORM wa.refuse_field('replyTo', 'must be a message of this chat');
	END IF;
	IF quoted.revoked THEN
		RAISE EXCEPTION 'message was deleted' USING ERRCODE = 'object_not_in_prerequisite_state';
	END IF;
	IF quoted.status = 'failed' AND quoted.wa_message_id IS NULL THEN
		RAISE EXCEPTION 'message has not been sent' USING ERRCODE = 'object_not_in_prerequisite_state';
	END IF;
	PERFORM wa.refuse_unless_same_number(session, quoted);
END $$;
COMMENT ON FUNCTION wa.refuse_unless_answerable(wa.session, text, uuid) IS
	'for function bodies: raises 22023 unless a message is of this chat, and 55000 if it was deleted, was never sent or is of another phone number';

CREATE FUNCTION wa.check_idempotency_key(caller_key text) RETURNS void
	LANGUAGE plpgsql STRICT PARALLEL SAFE
AS $$
BEGIN
	IF caller_key !~ E'^[\\x20-\\x7e]{1,255}$' THEN
		PERFORM wa.refuse_field('Idempotency-Key', 'must be 1 to 255 printable characters');
	END IF;
END $$;
COMMENT ON FUNCTION wa.check_idempotency_key(text) IS 'for function bodies: raises 22023 unless this is an Idempotency-Key, or NULL';

-- With a key that is restricted to some sessions, an Idempotency-Key is known only in the
-- session.  Otherwise it would tell what is sent in others.
CREATE FUNCTION wa.idempotency_scope(session uuid) RETURNS uuid
	LANGUAGE plpgsql STABLE STRICT PARALLEL RESTRICTED
AS $$
BEGIN
	RETURN CASE WHEN wa.is_restricted_to_sessions() THEN session ELSE '00000000-0000-0000-0000-000000000000' END;
END $$;
COMMENT ON FUNCTION wa.idempotency_scope(uuid) IS
	'for function bodies: the session in which the credential''s Idempotency-Keys for it are known, or the id of none: in all';

CREATE FUNCTION wa.request_digest(session uuid, chat text, type text, content jsonb, reply_to uuid, mentions text[]) RETURNS bytea
	LANGUAGE plpgsql STABLE PARALLEL SAFE
AS $$
BEGIN
	RETURN sha256(convert_to(jsonb_build_array(session, chat, type, content, reply_to, mentions)::text, 'UTF8'));
END $$;
COMMENT ON FUNCTION wa.request_digest(uuid, text, text, jsonb, uuid, text[]) IS
	'for function bodies: what tells whether two requests with the same Idempotency-Key are the same request';

CREATE FUNCTION wa.find_replay(caller_key text, digest bytea, session uuid) RETURNS uuid
	LANGUAGE plpgsql STRICT
AS $$
DECLARE
	scope constant uuid := wa.idempotency_scope(session);
	first wa.idempotency;
BEGIN
	SELECT i.* INTO first FROM wa.idempotency i
	WHERE i.org_id = wa.require_org() AND i.key = caller_key AND i.session_id = scope AND i.created_at >= now() - interval '24 hours';
	IF first.request_digest <> digest THEN
		RAISE EXCEPTION 'this Idempotency-Key was used for another request'
			USING ERRCODE = 'object_not_in_prerequisite_state';
	END IF;
	RETURN first.message_id;
END $$;
COMMENT ON FUNCTION wa.find_replay(text, bytea, uuid) IS
	'for function bodies: the message that an earlier request with this Idempotency-Key has made, or NULL; raises 55000 if that was another request';

-- An Idempotency-Key: NULL if this request is the first with it, otherwise the message that
-- the first one made.  This waits for a simultaneous first request.
CREATE FUNCTION wa.replay(caller_key text, digest bytea, message uuid, session uuid) RETURNS uuid
	LANGUAGE plpgsql STRICT
AS $$
DECLARE
	scope constant uuid := wa.idempotency_scope(session);
BEGIN
	PERFORM wa.check_idempotency_key(caller_key);
	INSERT INTO wa.idempotency AS i (org_id, key, request_digest, message_id, session_id)
	VALUES (wa.require_org(), caller_key, digest, message, scope)
	ON CONFLICT (org_id, key, session_id) DO UPDATE
		SET request_digest = EXCLUDED.request_digest, message_id = EXCLUDED.message_id, created_at = now()
		WHERE i.created_at < now() - interval '24 hours';
	IF FOUND THEN
		RETURN NULL;
	END IF;
	RETURN wa.find_replay(caller_key, digest, session);
END $$;
COMMENT ON FUNCTION wa.replay(text, bytea, uuid, uuid) IS
	'for function bodies: remembers a request by its Idempotency-Key, and finds the message that an earlier one made';

CREATE FUNCTION wa.read_mentions(mentions text[]) RETURNS text[]
	LANGUAGE plpgsql STRICT PARALLEL SAFE
AS $$
BEGIN
	IF NOT wa.is_list(mentions, 256) THEN
		PERFORM wa.refuse_field('mentions', 'must be at most 256 phone numbers or WhatsApp addresses');
	END IF;
	PERFORM wa.refuse_element('mentions', (
		SELECT min(e.place) FROM unnest(mentions) WITH ORDINALITY e (mention, place)
		WHERE e.mention IS NULL OR wa.recipient_jid(e.mention) IS NULL), 'must be a phone number or a WhatsApp address');
	RETURN (SELECT array_agg(wa.recipient_jid(e.mention) ORDER BY e.place) FROM unnest(mentions) WITH ORDINALITY e (mention, place));
END $$;
COMMENT ON FUNCTION wa.read_mentions(text[]) IS
	'for function bodies: the addresses that a message mentions, as they are stored; raises 22023 for what is none; NULL for an empty list';

-- A statement takes a hundred times as long as an expression, and PERFORM is a statement.  A
-- function takes as long as ten expressions.  So what nearly every message passes is done
-- here, and functions do the rest.
CREATE FUNCTION wa.send_message(session uuid, recipient text, type text, content jsonb, reply_to uuid DEFAULT NULL,
								mentions text[] DEFAULT NULL, idempotency_key text DEFAULT NULL, request_digest bytea DEFAULT NULL,
								OUT id uuid, OUT session_id uuid, OUT status text, OUT "timestamp" timestamptz,
								OUT replayed boolean)
	LANGUAGE plpgsql SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	org constant uuid := wa.org_for_any_key('send');
	found_session record;
	chat text;
	body text;
	stored record;
	rest jsonb;
	media jsonb;
	bytes bytea;
	uploaded uuid;
	ready_at timestamptz;
	mentioned text[];
	earlier uuid;
	holding boolean;
	touched boolean;
	written integer;
BEGIN
	-- As wa.find_session() does, without the columns that nothing needs here.
	SELECT s.status, s.pairing, s.phone_number, s.rate_per_min > 0 OR s.rate_per_hour > 0 AS has_rates, s.connector, (
		SELECT c.is_supported FROM wa.connector_capability c
		WHERE c.connector = s.connector AND c.capability = send_message.type
		ORDER BY c.built_in LIMIT 1) AS is_type_supported INTO found_session
	FROM wa.session s WHERE s.org_id = wa.require_org() AND s.id = session FOR KEY SHARE;
	IF NOT FOUND THEN
		PERFORM wa.find_session(session);
	END IF;
	chat := COALESCE(wa.recipient_jid(recipient), wa.require_recipient(recipient));
	body := wa.plain_text(type, content);
	IF body IS NULL THEN
		stored := wa.read_content(type, content);
		body := COALESCE(stored.content ->> 'text', stored.content ->> 'caption');
		rest := NULLIF(stored.content - '{text,caption,media}'::text[], '{}');
		media := stored.content -> 'media';
		bytes := stored.bytes;
		uploaded := stored.media_id;
	END IF;
	mentioned := wa.read_mentions(mentions);
	id := wa.uuid7();
	session_id := session;
	status := 'queued';
	IF idempotency_key IS NOT NULL THEN
		earlier := wa.replay(idempotency_key,
			COALESCE(request_digest, wa.request_digest(session, chat, type, content, reply_to, mentions)), id, session);
		IF earlier IS NOT NULL THEN
			id := earlier;
			replayed := true;
			SELECT m.created_at INTO "timestamp" FROM wa.message m WHERE m.org_id = org AND m.id = earlier;
			"timestamp" := COALESCE("timestamp", now());
			RETURN;
		END IF;
	END IF;
	IF found_session.status = 'logged_out' THEN
		RAISE EXCEPTION 'session is logged out' USING ERRCODE = 'object_not_in_prerequisite_state';
	END IF;
	IF found_session.is_type_supported IS NOT TRUE THEN
		PERFORM wa.refuse_incapable(found_session.connector, type);
	END IF;
	IF mentioned IS NOT NULL THEN
		PERFORM wa.refuse_incapable(found_session.connector, 'mentions');
	END IF;
	IF reply_to IS NOT NULL THEN
		PERFORM wa.refuse_incapable(found_session.connector, 'reply');
		PERFORM wa.refuse_unless_answerable(wa.find_session(session), chat, reply_to);
	END IF;
	IF found_session.has_rates OR NOT wa.take_queue_room(session, false) THEN
		PERFORM wa.count_send(wa.find_session(session));
	END IF;
	IF media ? 'url' THEN
		uploaded := wa.begin_fetch(session, media);
		media := media || jsonb_build_object('id', wa.typeid('med', uploaded), 'state', 'pending');
		ready_at := 'infinity';
	END IF;
	"timestamp" := now();
	-- A new chat is an event, too.
	holding := wa.hold_events();
	touched := wa.touch_chat(session, chat, "timestamp", 0);
	INSERT INTO wa.message (org_id, id, session_id, pairing, session_phone_number, chat_jid, direction, type, body,
							content, media, media_data, media_id, quoted_message_id, mentions, status, sent_at, lease_until)
	VALUES (org, send_message.id, session, found_session.pairing, found_session.phone_number, chat,
			'out', send_message.type, body, rest, media, bytes, uploaded, reply_to, mentioned, 'queued', send_message."timestamp", ready_at);
	written := wa.write_events();
END $$;
COMMENT ON FUNCTION wa.send_message(uuid, text, text, jsonb, uuid, text[], text, bytea) IS
	'queues a message for the session''s connector. `recipient` is a phone number in E.164 digits or a WhatsApp '
	'address; `content` holds the fields of the type. With an `idempotency_key` (1 to 255 printable ASCII characters) '
	'the same request again gets the first answer and `replayed` true, for 24 hours, in the whole organization, or for '
	'keys that are restricted to some sessions, in the session; `request_digest` is what `wa.begin_file_message()` has '
	'made of that request, if its `content` had the file that `media.id` names now. A file in `content` stays with the '
	'message: there is no store in SQL. It '
	'counts against the session''s limits. The file of `media.url` is fetched by the connector first, and the message '
	'fails if that is not possible. Needs `send`. `P0002` (no such session), `55000` (session is logged out; its connector does not support this; '
	'the idempotency key was used for another request; `reply_to` was deleted, was never sent, or is of another phone '
	'number than the session''s), `53400` (a limit is reached; CONSTRAINT_NAME says which, DETAIL begins with the '
	'seconds to wait; `media_mebibytes` for the file of a URL), `23514` (a digest that is none), `22023` (`to`, `type`, `replyTo`, `mentions`, `Idempotency-Key`, and the fields of the type, '
	'as `media.url`)';

-- The gateway stores the file of a message, and the message then names it.  Nothing is stored for
-- a message that is wrong, or was sent before.
CREATE FUNCTION wa.begin_file_message(session uuid, recipient text, type text, content jsonb, reply_to uuid DEFAULT NULL,
									  mentions text[] DEFAULT NULL, idempotency_key text DEFAULT NULL,
									  OUT org_id uuid, OUT mimetype text, OUT request_digest bytea,
									  OUT id uuid, OUT session_id uuid, OUT status text, OUT "timestamp" timestamptz,
									  OUT replayed boolean)
	LANGUAGE plpgsql SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	org constant uuid := wa.org_for_any_key('send');
	chat text;
	stored record;
BEGIN
	PERFORM wa.find_session(session);
	chat := wa.require_recipient(recipient);
	stored := wa.read_content(type, content);
	PERFORM wa.read_mentions(mentions);
	PERFORM wa.check_idempotency_key(idempotency_key);
	request_digest := wa.request_digest(session, chat, type, content, reply_to, mentions);
	id := wa.find_replay(idempotency_key, request_digest, session);
	session_id := session;
	status := 'queued';
	replayed := id IS NOT NULL;
	SELECT m.created_at INTO "timestamp" FROM wa.message m WHERE m.org_id = org AND m.id = begin_file_message.id;
	"timestamp" := COALESCE("timestamp", now());
	IF NOT replayed THEN
		PERFORM wa.refuse_more_media(org, octet_length(stored.bytes));
	END IF;
	org_id := org;
	mimetype := stored.content -> 'media' ->> 'mimetype';
END $$;
COMMENT ON FUNCTION wa.begin_file_message(uuid, text, text, jsonb, uuid, text[], text) IS
	'checks, before the file in `content` is stored, what `wa.send_message()` checks of the same request itself, and returns the '
	'organization whose file it will be, its media type or NULL, and a digest of the request; or with `replayed` true, '
	'the first answer to it. Needs `send`. `P0002` (no such session), `22023` (as `wa.send_message()`), `55000` (the idempotency key '
	'was used for another request), `53400` (`wa.set_org_limit()`: `media_mebibytes`)';
