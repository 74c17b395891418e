-- Nothing is planned when a message is sent, however many are.  The server logs each call of
-- its planner, and the test counts them in its log.
SELECT value AS acme FROM fixture WHERE name = 'acme' \gset
SELECT value AS acme_all FROM fixture WHERE name = 'acme_all' \gset
SELECT value AS acme_session FROM fixture WHERE name = 'acme_session' \gset
CREATE FUNCTION public.planner_calls() RETURNS bigint LANGUAGE sql AS $$
	SELECT count(*) FROM regexp_matches(pg_read_file('../postgresql.log'), 'LOG:  PLANNER STATISTICS', 'g')
$$;
-- Texts, attachments, places, cards and polls; answers with mentions; with a key of their own.
-- Each to four chats.
CREATE TABLE public.sends (place integer, statements text);
CREATE FUNCTION public.list_sends(key text, session uuid) RETURNS void LANGUAGE sql AS $$
	INSERT INTO public.sends
	SELECT i, format('EXECUTE bind(%L); EXECUTE send(%L, %L, %L, %L, %s, %L)', key, session, 15551110000 + i % 4, kind.type, kind.content,
		CASE WHEN i % 7 = 0 THEN $s$'{15557654321,+15551112222}'$s$ ELSE 'NULL' END, CASE WHEN i % 5 = 0 THEN 'unplanned ' || session || i END)
	FROM generate_series(1, 560) i JOIN (VALUES
		(0, 'text', '{"text":"a message"}'), (1, 'text', '{"text":"another message"}'),
		(2, 'image', '{"media":{"url":"https://example.com/a.png","mimetype":"image/png"},"caption":"a caption"}'),
		(3, 'location', '{"latitude":1.5,"longitude":2,"name":"a place"}'),
		(4, 'contact', '{"contact":{"displayName":"Ann","vcard":"BEGIN:VCARD\nEND:VCARD"}}'),
		(5, 'poll', '{"name":"which","options":["a","b"],"selectableCount":1}')) kind (place, type, content) ON kind.place = i % 6
$$;
-- A webhook that wants all events, a session with rates and one without.
SELECT wa.authenticate(:'acme_all') IS NOT NULL \; SELECT id AS rated FROM wa.create_session('rated', false) \gset
SELECT wa.authenticate(:'acme_all') IS NOT NULL \; SELECT rate_per_min FROM wa.update_session(:'rated', rate_per_min => 100000, rate_per_hour => 1000000);
SELECT wa.authenticate(:'acme_all') IS NOT NULL \; SELECT id AS unrated FROM wa.create_session('unrated', false) \gset
SELECT wa.authenticate(:'acme_all') IS NOT NULL \; SELECT rate_per_min FROM wa.update_session(:'unrated', rate_per_min => 0, rate_per_hour => 0);
INSERT INTO wa.webhook (org_id, url, secret) VALUES (:'acme', 'https://unplanned.example/', 'secret');

SELECT public.list_sends(:'acme_all', :'rated'), public.list_sends(:'acme_all', :'unrated');
GRANT SELECT ON public.sends TO regress_app;

-- As the gateway's login sends them: the first ones let the backend plan what it keeps.
SET log_planner_stats = on;
SET SESSION AUTHORIZATION regress_app;
SET plan_cache_mode = force_generic_plan;
PREPARE bind (wa.secret) AS SELECT wa.authenticate($1, 'send');
PREPARE send (uuid, text, text, jsonb, text[], text) AS SELECT * FROM wa.send_message($1, $2, $3, $4, NULL, $5, $6);
\set ECHO none
\o /dev/null
SELECT statements FROM public.sends WHERE place <= 60 ORDER BY place \gexec
\o
\set ECHO all
RESET SESSION AUTHORIZATION;
SELECT public.planner_calls() AS before \gset
SET SESSION AUTHORIZATION regress_app;
\set ECHO none
\o /dev/null
SELECT statements FROM public.sends WHERE place > 60 ORDER BY place \gexec
\o
\set ECHO all
RESET SESSION AUTHORIZATION;
SET log_planner_stats = off;
-- All were sent.  What was planned is the query that lists them.
SELECT count(*) AS sent FROM wa.message WHERE session_id IN (:'rated', :'unrated');
SELECT :before > 0 AS counts, public.planner_calls() - :before AS planned;

DELETE FROM wa.webhook WHERE url = 'https://unplanned.example/';
DROP FUNCTION public.list_sends, public.planner_calls;
DROP TABLE public.sends;
