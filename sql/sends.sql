-- What a send does, counted and not timed: which functions it calls, which tables it writes, and
-- that the look at a text in C and wa.read_content() agree.
SELECT wa.create_org('Sends') AS org \gset
SELECT id AS key, secret FROM wa.create_key(:'org', 'sends', '{send,manage}') \gset

-- What is plain is what wa.read_content() finds nothing wrong with, and its text is the same.
CREATE FUNCTION public.read_text(type text, content jsonb) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	RETURN (SELECT r.content ->> 'text' FROM wa.read_content(type, content) r);
EXCEPTION WHEN invalid_parameter_value THEN
	RETURN NULL;
END $$;
SELECT t.type, left(t.content::text, 40) AS content, wa.plain_text(t.type, t.content) IS NOT NULL AS plain,
	wa.plain_text(t.type, t.content) IS NOT DISTINCT FROM public.read_text(t.type, t.content) AS agree
FROM (VALUES
	(1, 'text', '{"text":"hello"}'), (2, 'text', '{"text":"é\n\"quoted\" 😀"}'), (3, 'text', '{"text":" "}'), (4, 'text', '{"text":""}'),
	(5, 'text', '{"text":5}'), (6, 'text', '{"text":null}'), (7, 'text', '{"text":["hello"]}'), (8, 'text', '{"text":{"text":"hello"}}'),
	(9, 'text', '{"text":"hello","media":{}}'), (10, 'text', '{"body":"hello"}'), (11, 'text', '{"Text":"hello"}'), (12, 'text', '{}'),
	(13, 'text', '["text"]'), (14, 'text', '"text"'), (15, 'text', 'null'), (16, 'sticker', '{"text":"hello"}'), (17, 'texts', '{"text":"hello"}'),
	(18, NULL, '{"text":"hello"}'), (19, 'text', NULL)
	) w (place, type, written) CROSS JOIN LATERAL (SELECT w.type, w.written::jsonb AS content) t
ORDER BY w.place;
SELECT n.characters, n.letter, length(wa.plain_text('text', jsonb_build_object('text', repeat(n.letter, n.characters)))) AS plain,
	length(public.read_text('text', jsonb_build_object('text', repeat(n.letter, n.characters)))) AS found
FROM (VALUES (1, 'x'), (65536, 'x'), (65537, 'x'), (65536, 'é'), (65537, 'é')) n (characters, letter);
DROP FUNCTION public.read_text;

-- A text in a session without rates calls one function besides wa.send_message(), and all that
-- is written is its chat, itself and an event.  A webhook adds a delivery.
SELECT wa.authenticate(:'secret') IS NOT NULL \; SELECT id AS unrated FROM wa.create_session('sends', false) \gset
SELECT wa.authenticate(:'secret') IS NOT NULL \; SELECT rate_per_min, rate_per_hour FROM wa.update_session(:'unrated', rate_per_min => 0, rate_per_hour => 0);
SELECT wa.authenticate(:'secret') IS NOT NULL \; SELECT status FROM wa.send_message(:'unrated', '15551112222', 'text', '{"text":"the first"}');
CREATE VIEW public.written AS SELECT l.relation::regclass AS written FROM pg_locks l JOIN pg_class c ON c.oid = l.relation
	WHERE l.pid = pg_backend_pid() AND l.mode = 'RowExclusiveLock' AND c.relkind = 'r' AND c.relnamespace = 'wa'::regnamespace;
SET track_functions = 'pl';
BEGIN;
SELECT wa.authenticate(:'secret') IS NOT NULL;
SELECT status FROM wa.send_message(:'unrated', '15551112222', 'text', '{"text":"hello"}');
SELECT funcname, calls FROM pg_stat_xact_user_functions WHERE schemaname = 'wa' ORDER BY funcname;
SELECT * FROM public.written ORDER BY written::text;
COMMIT;
RESET track_functions;
BEGIN;
INSERT INTO wa.webhook (org_id, url, secret) VALUES (:'org', 'https://sends.example/', 'secret');
SELECT wa.authenticate(:'secret') IS NOT NULL;
SELECT id AS sent FROM wa.send_message(:'unrated', '15551112222', 'text', '{"text":"hello"}') \gset
SELECT * FROM public.written WHERE written::text IN ('wa.event', 'wa.delivery') ORDER BY written::text;
SELECT d.type, d.status, e.envelope::jsonb #>> '{payload,body}' AS body
FROM wa.delivery d JOIN wa.event e ON e.org_id = d.org_id AND e.id = d.event_id
WHERE d.org_id = :'org' AND e.envelope::jsonb #>> '{payload,id}' = wa.typeid('msg', :'sent');
ROLLBACK;

-- The same of many events in one statement: a new chat is another one.
BEGIN;
SELECT wa.authenticate(:'secret') IS NOT NULL;
SELECT status FROM wa.send_message(:'unrated', '15553334444', 'text', '{"text":"hello"}');
SELECT * FROM public.written WHERE written::text IN ('wa.event', 'wa.delivery') ORDER BY written::text;
SELECT type, count(*) FROM wa.event WHERE session_id = :'unrated' AND envelope LIKE '%15553334444%' GROUP BY type ORDER BY type;
ROLLBACK;

-- With a limit it is counted, and a session that is gone is refused.
\set VERBOSITY terse
SELECT wa.authenticate(:'secret') IS NOT NULL \; SELECT rate_per_min FROM wa.update_session(:'unrated', rate_per_min => 1);
SELECT wa.authenticate(:'secret') IS NOT NULL \; SELECT status FROM wa.send_message(:'unrated', '15551112222', 'text', '{"text":"one"}');
SELECT wa.authenticate(:'secret') IS NOT NULL \; SELECT status FROM wa.send_message(:'unrated', '15551112222', 'text', '{"text":"two"}');
SELECT wa.authenticate(:'secret') IS NOT NULL \; SELECT wa.delete_session(:'unrated') IS NOT NULL AS deleted;
SELECT wa.authenticate(:'secret') IS NOT NULL \; SELECT status FROM wa.send_message(:'unrated', '15551112222', 'text', '{"text":"three"}');

DROP VIEW public.written;
SELECT wa.revoke_key(:'key') IS NOT NULL AS revoked;
