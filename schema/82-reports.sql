-- Lists of reports: wa.connector_report().
--
-- Reports come in lists, each list in one statement and one commit.  A list has the order in
-- which things happened, and is worked off in that order.
CREATE TYPE wa.report AS (
	report text,
	session uuid,
	message uuid,
	action uuid,
	wa_message_id text,
	at timestamptz,
	error text,
	error_code text,
	retry boolean,
	attempt integer,
	maybe_sent boolean,
	status text,
	chat_jid text,
	sender_jid text,
	sender_name text,
	user_id text,
	username text,
	phone_number text,
	type text,
	body text,
	content jsonb,
	media jsonb,
	value text,
	from_me boolean,
	presence text,
	options text[],
	quoted text,
	forwarded boolean
);
COMMENT ON TYPE wa.report IS
	'for function bodies: a report of a list. `report` is the kind, and the rest is called as the parameters of the functions for the kinds';

CREATE FUNCTION wa.read_reports(reports json) RETURNS wa.report[]
	LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
AS $$
BEGIN
	RETURN ARRAY(SELECT r FROM json_populate_recordset(NULL::wa.report, reports) r);
END $$;
COMMENT ON FUNCTION wa.read_reports(json) IS 'for wa.connector_report(): a list of reports in its order';

-- ---- People ----
--
-- A person may be known by a phone number, by the id that WhatsApp gives the person for a
-- business, or by both, and some numbers are written in two ways.  The address under which a
-- session has met a person first stays that of the chat.

CREATE FUNCTION wa.person_jid(session uuid, jid text, person text) RETURNS text
	LANGUAGE plpgsql STABLE
AS $$
DECLARE
	org constant uuid := wa.require_org();
	other constant text := wa.other_jid(jid);
	known text;
BEGIN
	SELECT c.jid INTO known FROM wa.contact c
	WHERE c.org_id = org AND c.session_id = session AND c.user_id = person;
	IF known IS NULL AND other IS NOT NULL
		AND NOT EXISTS (SELECT FROM wa.chat c WHERE c.org_id = org AND c.session_id = session AND c.jid = person_jid.jid) THEN
		SELECT c.jid INTO known FROM wa.chat c WHERE c.org_id = org AND c.session_id = session AND c.jid = other;
	END IF;
	RETURN COALESCE(known, jid);
END $$;
COMMENT ON FUNCTION wa.person_jid(uuid, text, text) IS
	'for wa.connector_report(): the address under which a session knows a person, by the id that WhatsApp gives the person or by another way to write the number; `jid` if it knows none';

CREATE FUNCTION wa.find_people(reports wa.report[]) RETURNS wa.report[]
	LANGUAGE plpgsql STRICT
AS $$
DECLARE
	met jsonb := '{}';
	person record;
	known text;
BEGIN
	FOR person IN
		SELECT p.*, p.session || ' ' || p.user_id AS name FROM (
			SELECT r.ordinality::integer AS place, r.session, r.user_id, COALESCE(r.from_me, false) AS mine, r.chat_jid, r.sender_jid,
				CASE WHEN r.from_me THEN r.chat_jid ELSE r.sender_jid END AS jid
			FROM unnest(reports) WITH ORDINALITY r WHERE r.report IN ('receive', 'change')) p
		WHERE p.session IS NOT NULL AND p.jid IS NOT NULL AND (p.user_id IS NOT NULL OR wa.other_jid(p.jid) IS NOT NULL)
		ORDER BY p.place
	LOOP
		known := COALESCE(met ->> person.name, wa.person_jid(person.session, person.jid, person.user_id));
		IF person.name IS NOT NULL THEN
			met := met || jsonb_build_object(person.name, known);
		END IF;
		reports[person.place].phone_number := COALESCE(wa.phone_of(person.jid), reports[person.place].phone_number);
		CONTINUE WHEN known = person.jid;
		IF NOT person.mine THEN
			reports[person.place].sender_jid := known;
		END IF;
		IF person.chat_jid = person.jid THEN
			reports[person.place].chat_jid := known;
		END IF;
	END LOOP;
	RETURN reports;
END $$;
COMMENT ON FUNCTION wa.find_people(wa.report[]) IS
	'for wa.connector_report(): the same reports with the addresses under which their sessions know these people';

CREATE FUNCTION wa.note_people(reports wa.report[]) RETURNS void
	LANGUAGE plpgsql STRICT
AS $$
BEGIN
	UPDATE wa.contact c
	SET user_id = p.user_id, username = COALESCE(p.username, c.username), phone_number = COALESCE(c.phone_number, p.phone_number)
	FROM (
		SELECT DISTINCT ON (r.session, r.sender_jid) r.session, r.sender_jid, left(r.user_id, 200) AS user_id,
			left(r.username, 200) AS username, r.phone_number
		FROM unnest(reports) WITH ORDINALITY r
		WHERE r.report = 'receive' AND r.from_me IS NOT TRUE AND r.user_id IS NOT NULL
		ORDER BY r.session, r.sender_jid, r.ordinality DESC) p
	WHERE c.org_id = wa.require_org() AND c.session_id = p.session AND c.jid = p.sender_jid
		AND (c.user_id, c.username, c.phone_number)
			IS DISTINCT FROM (p.user_id, COALESCE(p.username, c.username), COALESCE(c.phone_number, p.phone_number));
END $$;
COMMENT ON FUNCTION wa.note_people(wa.report[]) IS
	'for wa.connector_report(): notes in contacts what else WhatsApp has told of the senders of messages: id, user name and number';

CREATE FUNCTION wa.quoted_message(session uuid, wa_message_id text) RETURNS uuid
	LANGUAGE plpgsql STABLE STRICT
AS $$
BEGIN
	RETURN (SELECT m.id FROM wa.message m
		WHERE m.org_id = wa.require_org() AND m.session_id = session AND m.wa_message_id = quoted_message.wa_message_id);
END $$;
COMMENT ON FUNCTION wa.quoted_message(uuid, text) IS 'for function bodies: the message of a session that WhatsApp calls so; NULL if there is none';

-- ---- Locks ----

-- All rows that a list changes are locked first, in one order: chats, contacts, messages,
-- actions, and each kind by its key.  Without that, two lists, or a list and a request that
-- marks a chat as read, could wait for each other.  Rows that the list itself makes are not
-- there yet; they belong to a session, and only its connector makes them.
CREATE FUNCTION wa.lock_reported(reports wa.report[]) RETURNS void
	LANGUAGE plpgsql STRICT
AS $$
DECLARE
	org constant uuid := wa.require_org();
	sessions uuid[];
	chats text[];
	senders text[];
	actions uuid[];
	messages uuid[];
BEGIN
	SELECT array_agg(r.session) FILTER (WHERE r.chat_jid IS NOT NULL), array_agg(r.chat_jid) FILTER (WHERE r.chat_jid IS NOT NULL),
		array_agg(r.sender_jid) FILTER (WHERE r.chat_jid IS NOT NULL), array_agg(r.action) FILTER (WHERE r.action IS NOT NULL),
		array_agg(r.message) FILTER (WHERE r.message IS NOT NULL) || array_agg((
			SELECT m.id FROM wa.message m WHERE m.org_id = org AND m.session_id = r.session AND m.wa_message_id = r.wa_message_id
			)) FILTER (WHERE r.report IN ('status', 'change'))
	INTO sessions, chats, senders, actions, messages
	FROM unnest(reports) r
	WHERE r.report <> 'presence';
	IF actions IS NOT NULL THEN
		SELECT sessions || array_agg(a.session_id) FILTER (WHERE a.type = 'forward'),
			chats || array_agg(a.payload ->> 'to') FILTER (WHERE a.type = 'forward'), messages || array_agg(a.message_id)
		INTO sessions, chats, messages
		FROM wa.message_action a WHERE a.org_id = org AND a.id = ANY (actions);
	END IF;
	IF chats IS NOT NULL THEN
		PERFORM FROM unnest(sessions, chats) r (session_id, jid)
			JOIN wa.chat c ON c.org_id = org AND c.session_id = r.session_id AND c.jid = r.jid
		ORDER BY c.session_id, c.jid FOR NO KEY UPDATE OF c;
		PERFORM FROM unnest(sessions, senders) r (session_id, jid)
			JOIN wa.contact c ON c.org_id = org AND c.session_id = r.session_id AND c.jid = r.jid
		ORDER BY c.session_id, c.jid FOR NO KEY UPDATE OF c;
	END IF;
	IF messages IS NOT NULL THEN
		PERFORM FROM wa.message m WHERE m.org_id = org AND m.id = ANY (messages) ORDER BY m.id FOR NO KEY UPDATE;
	END IF;
	IF actions IS NOT NULL THEN
		PERFORM FROM wa.message_action a WHERE a.org_id = org AND a.id = ANY (actions) ORDER BY a.id FOR NO KEY UPDATE;
	END IF;
END $$;
COMMENT ON FUNCTION wa.lock_reported(wa.report[]) IS
	'for wa.connector_report(): locks the rows that a list of reports changes, always in the same order';

CREATE FUNCTION wa.take_report(report wa.report, OUT changed boolean, OUT message_id uuid)
	LANGUAGE plpgsql
AS $$
DECLARE
	kinds constant text := 'sent, failed, status, action_done, action_failed, receive, change, presence, poll_vote';
	r constant wa.report := report;
BEGIN
	CASE COALESCE(r.report, '')
		WHEN 'sent' THEN changed := wa.connector_sent(r.message, r.wa_message_id, r.at, r.session);
		WHEN 'failed' THEN changed := wa.connector_failed(r.message, r.error, COALESCE(r.retry, false), r.attempt,
			COALESCE(r.maybe_sent, false), r.error_code);
		WHEN 'status' THEN changed := wa.connector_status(r.session, r.wa_message_id, r.status, r.at, r.message, r.error, r.error_code);
		WHEN 'action_done' THEN changed := wa.connector_action_done(r.action, r.wa_message_id, r.at);
		WHEN 'action_failed' THEN changed := wa.connector_action_failed(r.action, r.error, COALESCE(r.retry, false),
			r.attempt, COALESCE(r.maybe_sent, false));
		WHEN 'receive' THEN
			message_id := wa.connector_receive(r.session, r.wa_message_id, r.chat_jid, r.sender_jid, r.sender_name, r.type,
				r.body, r.content, r.at, COALESCE(r.from_me, false), r.media, r.quoted, COALESCE(r.forwarded, false));
			changed := true;
		WHEN 'change' THEN
			changed := wa.connector_change(r.session, r.wa_message_id, r.sender_jid, r.type, r.value, COALESCE(r.from_me, false));
		WHEN 'presence' THEN
			PERFORM wa.connector_presence(r.session, r.chat_jid, r.sender_jid, r.presence);
			changed := true;
		WHEN 'poll_vote' THEN changed := wa.connector_poll_vote(r.session, r.wa_message_id, r.sender_jid, r.options, r.at);
		ELSE PERFORM wa.refuse_field('report', 'must be one of ' || kinds);
	END CASE;
	IF changed IS NULL THEN
		PERFORM wa.refuse_field('report', 'lacks a member that it needs');
	END IF;
END $$;
COMMENT ON FUNCTION wa.take_report(wa.report) IS 'for wa.connector_report(): works off one report';

-- ---- Runs ----
--
-- A run is a part of a list: reports of the same kind, and of the same status, that follow
-- each other.  The functions below do for a run what the function of its kind does for each
-- of its reports in turn, with a statement for each table.  They raise data_exception for
-- whatever is wrong; then each report of the list is worked off by itself, and the wrong one
-- gets its own error.

CREATE FUNCTION wa.refuse_run() RETURNS void
	LANGUAGE plpgsql
AS $$
BEGIN
	RAISE EXCEPTION 'reports must be taken one by one' USING ERRCODE = 'data_exception';
END $$;
COMMENT ON FUNCTION wa.refuse_run() IS 'for wa.connector_report(): raises 22000, after which each report of the list is worked off by itself';

-- A row is found by its place, in the order of the run.  No other plan is left, or one could
-- read all messages of the organization, and their events would have another order.
CREATE FUNCTION wa.mark_sent(numbers integer[], places tid[], wa_message_ids text[], times timestamptz[],
							 OUT taken integer[], OUT messages uuid[])
	LANGUAGE plpgsql
	SET enable_indexscan = off SET enable_bitmapscan = off
AS $$
BEGIN
	WITH told AS (
		UPDATE wa.message m
		SET status = 'sent', wa_message_id = r.wa_message_id, sent_at = r.at, lease_owner = NULL, lease_until = NULL, error = NULL,
			error_code = NULL
		FROM unnest(numbers, places, wa_message_ids, times) r (number, place, wa_message_id, at)
		WHERE m.ctid = r.place
			AND (m.status IN ('queued', 'sending') OR m.status = 'failed' AND m.error_code = 'outcome_unknown' AND m.wa_message_id IS NULL)
		RETURNING r.number, m.id)
	SELECT array_agg(t.number), array_agg(t.id) INTO taken, messages FROM told t;
END $$;
COMMENT ON FUNCTION wa.mark_sent(integer[], tid[], text[], timestamptz[]) IS
	'for wa.take_sent(): changes rows that it has locked, and returns the numbers of those that were on their way or failed with `outcome_unknown`, and their messages';

CREATE FUNCTION wa.mark_status(numbers integer[], places tid[], status text) RETURNS integer[]
	LANGUAGE plpgsql
	SET enable_indexscan = off SET enable_bitmapscan = off
AS $$
DECLARE
	before constant text[] := wa.statuses_before(status);
	taken integer[];
BEGIN
	WITH told AS (
		UPDATE wa.message m SET status = mark_status.status
		FROM unnest(numbers, places) r (number, place)
		WHERE m.ctid = r.place AND m.status = ANY (before)
		RETURNING r.number)
	SELECT array_agg(t.number) INTO taken FROM told t;
	RETURN taken;
END $$;
COMMENT ON FUNCTION wa.mark_status(integer[], tid[], text) IS
	'for wa.take_statuses(): changes rows that it has locked, and returns the numbers of those that had not got as far';

-- What WhatsApp took.  The first report about a message counts.  Here and below rows are
-- locked already, but for a message that another transaction has just given its id.
CREATE FUNCTION wa.take_sent(run wa.report[]) RETURNS integer[]
	LANGUAGE plpgsql STRICT
AS $$
DECLARE
	org constant uuid := wa.require_org();
	found record;
	sent record;
BEGIN
	IF EXISTS (SELECT FROM unnest(run) r WHERE num_nulls(r.message, r.wa_message_id, r.at) > 0) THEN
		PERFORM wa.refuse_run();
	END IF;
	SELECT array_agg(r.ordinality::integer) AS numbers, array_agg(o.place) AS places,
		array_agg(r.wa_message_id) AS wa_message_ids, array_agg(r.at) AS times
	INTO found
	FROM unnest(run) WITH ORDINALITY r CROSS JOIN LATERAL (
		SELECT m.ctid AS place FROM wa.message m
		WHERE m.org_id = org AND m.id = r.message AND (r.session IS NULL OR m.session_id = r.session) LIMIT 1 FOR NO KEY UPDATE) o;
	sent := wa.mark_sent(found.numbers, found.places, found.wa_message_ids, found.times);
	PERFORM wa.wake_answers(VARIADIC sent.messages);
	RETURN COALESCE(sent.taken, '{}');
END $$;
COMMENT ON FUNCTION wa.take_sent(wa.report[]) IS
	'for wa.connector_report(): takes a run of `sent` as wa.connector_sent() takes each, and returns the numbers of those that changed something';

CREATE FUNCTION wa.take_statuses(run wa.report[]) RETURNS integer[]
	LANGUAGE plpgsql STRICT
AS $$
DECLARE
	org constant uuid := wa.require_org();
	found record;
	taken integer[];
	early integer;
BEGIN
	IF wa.statuses_before(run[1].status) IS NULL
		OR EXISTS (SELECT FROM unnest(run) r WHERE num_nulls(r.session, r.wa_message_id, r.at) > 0) THEN
		PERFORM wa.refuse_run();
	END IF;
	SELECT array_agg(r.ordinality::integer) AS numbers, array_agg(o.place) AS places INTO found
	FROM unnest(run) WITH ORDINALITY r CROSS JOIN LATERAL (
		SELECT m.ctid AS place FROM wa.message m
		WHERE m.org_id = org AND m.session_id = r.session AND m.wa_message_id = r.wa_message_id LIMIT 1 FOR NO KEY UPDATE) o;
	taken := COALESCE(wa.mark_status(found.numbers, found.places, run[1].status), '{}');
	FOR early IN
		SELECT r.ordinality FROM unnest(run) WITH ORDINALITY r
		WHERE r.message IS NOT NULL AND r.ordinality <> ALL (COALESCE(found.numbers, '{}')) ORDER BY r.ordinality
	LOOP
		IF wa.connector_status(run[early].session, run[early].wa_message_id, run[early].status, run[early].at, run[early].message) THEN
			taken := taken || early;
		END IF;
	END LOOP;
	RETURN taken;
END $$;
COMMENT ON FUNCTION wa.take_statuses(wa.report[]) IS
	'for wa.connector_report(): takes a run of `status`, all of one status, as wa.connector_status() takes each, and returns the numbers of those that changed something';

-- The messages that a run of arrivals adds.  What is stored already is not among them, nor
-- what the run reports again.  The locks keep the sessions from being deleted.
CREATE FUNCTION wa.read_arrivals(run wa.report[]) RETURNS wa.message[]
	LANGUAGE plpgsql STRICT
AS $$
DECLARE
	org constant uuid := wa.require_org();
	fits boolean;
	arrivals wa.message[];
BEGIN
	PERFORM FROM wa.session s WHERE s.org_id = org AND s.id = ANY (ARRAY(SELECT DISTINCT r.session FROM unnest(run) r))
	ORDER BY s.id FOR KEY SHARE;
	SELECT COALESCE(bool_and(a.fits), false), array_agg(ROW(
			org, wa.uuid7(), a.session, a.pairing, a.own_number, a.chat_jid, a.wa_message_id,
			CASE WHEN a.mine THEN 'out' ELSE 'in' END,
			CASE WHEN NOT a.mine THEN a.sender_jid END, CASE WHEN NOT a.mine THEN NULLIF(left(a.sender_name, 200), '') END,
			a.type, a.body, a.content, wa.quoted_message(a.session, a.quoted), NULL, NULL, NULL, NULL,
			CASE WHEN a.mine THEN 'sent' WHEN a.auto_read THEN 'read' ELSE 'delivered' END,
			NULL, NULL, false, false, COALESCE(a.forwarded, false), NULL, a.at, now(), 0, NULL, NULL)::wa.message)
		FILTER (WHERE a.nth = 1 AND a.is_new)
	INTO fits, arrivals
	FROM (
		SELECT r.*, s.pairing, s.phone_number AS own_number, s.auto_read, COALESCE(r.from_me, false) AS mine,
			row_number() OVER (PARTITION BY r.session, r.wa_message_id ORDER BY r.ordinality) AS nth,
			NOT EXISTS (SELECT FROM wa.message m
				WHERE m.org_id = org AND m.session_id = r.session AND m.wa_message_id = r.wa_message_id) AS is_new,
			(s.status <> 'logged_out' AND r.wa_message_id <> '' AND wa.recipient_jid(r.chat_jid) = r.chat_jid
				AND CASE WHEN r.from_me AND r.sender_jid IS NULL THEN true ELSE wa.recipient_jid(r.sender_jid) = r.sender_jid END
				AND r.at IS NOT NULL AND char_length(COALESCE(r.body, '')) <= 65536
				AND octet_length(COALESCE(r.content, 'null')::text) <= 262144) IS TRUE AS fits
		FROM unnest(run) WITH ORDINALITY r LEFT JOIN LATERAL (
			SELECT s.status, s.pairing, s.phone_number, s.auto_read FROM wa.session s
			WHERE s.org_id = org AND s.id = r.session LIMIT 1) s ON true
		ORDER BY r.ordinality) a;
	IF NOT fits THEN
		PERFORM wa.refuse_run();
	END IF;
	RETURN COALESCE(arrivals, '{}');
END $$;
COMMENT ON FUNCTION wa.read_arrivals(wa.report[]) IS
	'for wa.connector_report(): the messages that a run of `receive` adds, in its order; raises 22000 if wa.connector_receive() refuses one of them';

-- The first message of a chat creates it, and its event shows that message.  The others of
-- the run are added to it after that.
CREATE FUNCTION wa.touch_chats(arrivals wa.message[]) RETURNS void
	LANGUAGE plpgsql STRICT
AS $$
DECLARE
	touched integer;
BEGIN
	FOR place IN 1 .. 2 LOOP
		INSERT INTO wa.chat AS c (org_id, session_id, jid, type, active_at, last_message_at, unread_count)
		SELECT m.org_id, m.session_id, m.chat_jid, wa.chat_type(m.chat_jid), max(m.sent_at), max(m.sent_at),
			count(*) FILTER (WHERE m.status = 'delivered')
		FROM (SELECT a.*, row_number() OVER (PARTITION BY a.session_id, a.chat_jid ORDER BY a.ordinality) AS nth
			FROM unnest(arrivals) WITH ORDINALITY a) m
		WHERE LEAST(m.nth, 2) = place GROUP BY m.org_id, m.session_id, m.chat_jid ORDER BY min(m.ordinality)
		ON CONFLICT (org_id, session_id, jid) DO UPDATE SET
			active_at = GREATEST(c.active_at, EXCLUDED.active_at),
			last_message_at = GREATEST(c.last_message_at, EXCLUDED.last_message_at),
			unread_count = c.unread_count + EXCLUDED.unread_count;
		GET DIAGNOSTICS touched = ROW_COUNT;
		EXIT WHEN touched = cardinality(arrivals);
	END LOOP;
END $$;
COMMENT ON FUNCTION wa.touch_chats(wa.message[]) IS
	'for wa.connector_report(): notes messages in their chats as wa.touch_chat() does each, and makes the chats if need be';

-- The first message of a sender makes the contact.  Each that brings another name than the
-- one before is an event of its own.  The rest only shows when the sender was seen.
CREATE FUNCTION wa.touch_contacts(arrivals wa.message[]) RETURNS void
	LANGUAGE plpgsql STRICT
AS $$
DECLARE
	org constant uuid := wa.require_org();
	touched integer;
	renamed record;
BEGIN
	INSERT INTO wa.contact AS c (org_id, session_id, jid, phone_number, name, first_seen_at, last_seen_at)
	SELECT org, m.session_id, m.sender_jid, wa.phone_of(m.sender_jid), m.sender_name, m.sent_at, m.sent_at
	FROM (SELECT a.*, row_number() OVER (PARTITION BY a.session_id, a.sender_jid ORDER BY a.ordinality) AS nth
		FROM unnest(arrivals) WITH ORDINALITY a WHERE a.direction = 'in') m
	WHERE m.nth = 1 ORDER BY m.ordinality
	ON CONFLICT (org_id, session_id, jid) DO UPDATE SET
		name = COALESCE(EXCLUDED.name, c.name),
		last_seen_at = GREATEST(c.last_seen_at, EXCLUDED.last_seen_at);
	GET DIAGNOSTICS touched = ROW_COUNT;
	IF touched = (SELECT count(*) FROM unnest(arrivals) a WHERE a.direction = 'in') THEN
		RETURN;
	END IF;
	FOR renamed IN
		SELECT n.* FROM (
			SELECT a.session_id, a.sender_jid, a.sender_name, a.ordinality, max(a.sent_at) OVER sender AS seen_at,
				row_number() OVER sender AS nth, lag(a.sender_name) OVER sender AS last_name
			FROM unnest(arrivals) WITH ORDINALITY a WHERE a.direction = 'in'
			WINDOW sender AS (PARTITION BY a.session_id, a.sender_jid ORDER BY a.ordinality)) n
		WHERE n.nth > 1 AND n.sender_name <> COALESCE(n.last_name, '') ORDER BY n.ordinality
	LOOP
		UPDATE wa.contact c SET name = renamed.sender_name, last_seen_at = GREATEST(c.last_seen_at, renamed.seen_at)
		WHERE c.org_id = org AND c.session_id = renamed.session_id AND c.jid = renamed.sender_jid;
	END LOOP;
	INSERT INTO wa.contact AS c (org_id, session_id, jid, first_seen_at, last_seen_at)
	SELECT org, a.session_id, a.sender_jid, max(a.sent_at), max(a.sent_at) FROM unnest(arrivals) a
	WHERE a.direction = 'in' GROUP BY a.session_id, a.sender_jid HAVING count(*) > 1
	ON CONFLICT (org_id, session_id, jid) DO UPDATE SET last_seen_at = GREATEST(c.last_seen_at, EXCLUDED.last_seen_at);
END $$;
COMMENT ON FUNCTION wa.touch_contacts(wa.message[]) IS
	'for wa.connector_report(): notes the senders of messages as wa.connector_receive() does, and makes the contacts if need be';

CREATE FUNCTION wa.take_arrivals(run wa.report[]) RETURNS uuid[]
	LANGUAGE plpgsql STRICT
AS $$
DECLARE
	arrivals constant wa.message[] := wa.read_arrivals(run);
BEGIN
	PERFORM wa.touch_chats(arrivals);
	PERFORM wa.touch_contacts(arrivals);
	INSERT INTO wa.message SELECT a.* FROM unnest(arrivals) a;
	IF cardinality(arrivals) = cardinality(run) THEN
		RETURN ARRAY(SELECT a.id FROM unnest(arrivals) a);
	END IF;
	RETURN ARRAY(
		SELECT (SELECT m.id FROM wa.message m
			WHERE m.org_id = wa.require_org() AND m.session_id = r.session AND m.wa_message_id = r.wa_message_id)
		FROM unnest(run) WITH ORDINALITY r ORDER BY r.ordinality);
END $$;
COMMENT ON FUNCTION wa.take_arrivals(wa.report[]) IS
	'for wa.connector_report(): takes a run of `receive` as wa.connector_receive() takes each, and returns the ids of the messages';

-- Of a run of one report nothing is gained.  A message with a file is a run of its own: its file
-- has rows of other tables.
CREATE FUNCTION wa.find_runs(reports wa.report[]) RETURNS TABLE (kind text, first integer, last integer)
	LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
AS $$
BEGIN
	RETURN QUERY
	SELECT p.report, min(p.ordinality)::integer, max(p.ordinality)::integer
	FROM (SELECT b.*, count(*) FILTER (WHERE b.begins) OVER (ORDER BY b.ordinality) AS part
		FROM (SELECT r.report, r.ordinality, (r.report IN ('sent', 'status', 'receive') AND r.status IS DISTINCT FROM 'failed'
				AND r.media IS NULL AND lag(r.media) OVER list IS NULL
				AND (r.report, r.status) IS NOT DISTINCT FROM (lag(r.report) OVER list, lag(r.status) OVER list)) IS NOT TRUE AS begins
			FROM unnest(reports) WITH ORDINALITY r WINDOW list AS (ORDER BY r.ordinality)) b) p
	GROUP BY p.part, p.report ORDER BY p.part;
END $$;
COMMENT ON FUNCTION wa.find_runs(wa.report[]) IS
	'for wa.connector_report(): the parts of a list that one statement takes, with the places where they begin and end';

CREATE FUNCTION wa.take_reports(reports wa.report[], OUT changed boolean[], OUT message_ids uuid[])
	LANGUAGE plpgsql STRICT
AS $$
DECLARE
	holding constant boolean := wa.hold_events();
	run record;
	one record;
	taken integer;
	written integer;
BEGIN
	changed := array_fill(false, ARRAY[cardinality(reports)]);
	message_ids := array_fill(NULL::uuid, ARRAY[cardinality(reports)]);
	FOR run IN SELECT * FROM wa.find_runs(reports) LOOP
		IF run.first = run.last THEN
			one := wa.take_report(reports[run.first]);
			changed[run.first] := one.changed;
			message_ids[run.first] := one.message_id;
		ELSIF run.kind = 'receive' THEN
			changed[run.first:run.last] := array_fill(true, ARRAY[run.last - run.first + 1]);
			message_ids[run.first:run.last] := wa.take_arrivals(reports[run.first:run.last]);
		ELSE
			FOREACH taken IN ARRAY CASE run.kind WHEN 'sent' THEN wa.take_sent(reports[run.first:run.last])
				ELSE wa.take_statuses(reports[run.first:run.last]) END LOOP
				changed[run.first + taken - 1] := true;
			END LOOP;
		END IF;
	END LOOP;
	PERFORM wa.note_people(reports);
	written := wa.write_events();
END $$;
COMMENT ON FUNCTION wa.take_reports(wa.report[]) IS
	'for wa.connector_report(): works off a list of reports, and says for each what its function returns';

-- If no report is wrong, one savepoint is enough for all.  If one is, its error undoes what
-- was done so far, and then each gets a savepoint of its own.  A single report begins there:
-- it needs no order of locks, and under little load most lists have one report.  Errors that say nothing about a
-- report (a deadlock, a full disk, a timeout) are raised: nothing was reported then.  Rows are
-- found one by one in the order of the list, whatever the statistics say.
CREATE FUNCTION wa.connector_report(reports json)
	RETURNS TABLE (changed boolean, message_id uuid, error_code text, error text)
	LANGUAGE plpgsql SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off SET plan_cache_mode = force_generic_plan
AS $$
DECLARE
	org constant uuid := wa.require_org();
	reports_max constant integer := 500;
	length constant integer := CASE json_typeof(reports) WHEN 'array' THEN json_array_length(reports) END;
	report json;
	list wa.report[];
BEGIN
	IF length IS NULL OR length > reports_max THEN
		PERFORM wa.refuse_field('reports', format('must be a list of at most %s reports', reports_max));
	END IF;
	IF length > 1 THEN
		BEGIN
			list := wa.find_people(wa.read_reports(reports));
			PERFORM wa.lock_reported(list);
			RETURN QUERY
			SELECT u.changed, u.message_id, NULL::text, NULL::text
			FROM wa.take_reports(list) t, unnest(t.changed, t.message_ids) u (changed, message_id);
			RETURN;
		EXCEPTION WHEN data_exception OR integrity_constraint_violation OR no_data_found OR program_limit_exceeded
				OR object_not_in_prerequisite_state THEN
			IF SQLSTATE = '55P03' THEN
				RAISE;
			END IF;
		END;
	END IF;
	FOR report IN SELECT json_build_array(e.value) FROM json_array_elements(reports) e LOOP
		BEGIN
			SELECT t.changed[1], t.message_ids[1], NULL, NULL INTO changed, message_id, error_code, error
			FROM wa.take_reports(wa.find_people(wa.read_reports(report))) t;
		EXCEPTION WHEN data_exception OR integrity_constraint_violation OR no_data_found OR program_limit_exceeded
				OR object_not_in_prerequisite_state THEN
			IF SQLSTATE = '55P03' THEN
				RAISE;
			END IF;
			SELECT NULL, NULL, SQLSTATE, SQLERRM INTO changed, message_id, error_code, error;
		END;
		RETURN NEXT;
	END LOOP;
END $$;
COMMENT ON FUNCTION wa.connector_report(json) IS
	'takes a list of at most 500 reports of the bound organization, in the order in which things happened, and answers with a '
	'row for each, in the same order. A report is an object: `report` is the name of a function `wa.connector_…` without that '
	'beginning (`sent`, `failed`, `status`, `action_done`, `action_failed`, `receive`, `change`, `presence`, `poll_vote`), and '
	'the other members are called as its parameters. `changed`: what that function returns; true for `receive`, with the '
	'message in `message_id`, and for `presence`. A report that is wrong changes nothing, has a NULL there, and its SQLSTATE '
	'and text in `error_code` and `error`; all others count. `22023` (`reports`: no list, or too long); after this and any '
	'other error of the statement nothing was reported';
