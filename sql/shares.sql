-- High rates are counted in shares: each accepts its part, and all together accept the rate,
-- not one message more or less.
SELECT value AS acme_all FROM fixture WHERE name = 'acme_all' \gset
\set SHOW_CONTEXT never
SELECT wa.authenticate(:'acme_all') IS NOT NULL \; SELECT id AS session FROM wa.create_session('shares', false) \gset
SELECT wa.authenticate(:'acme_all') IS NOT NULL \; SELECT rate_per_min, rate_per_hour FROM wa.update_session(:'session', rate_per_min => 1601, rate_per_hour => 0);
CREATE FUNCTION pg_temp.send(session uuid, n integer) RETURNS TABLE (state text, constraint_name text) LANGUAGE sql AS $$
	SELECT e.state, e.constraint_name FROM generate_series(1, n) i,
		public.error_of(format($s$SELECT wa.send_message(%L, '15551112222', 'text', '{"text":"x%s"}')$s$, session, i)) e
$$;
-- A minute of the clock that is long enough for the test.
DO $$ BEGIN IF extract(second FROM clock_timestamp()) > 30 THEN PERFORM pg_sleep(60.01 - extract(second FROM clock_timestamp())); END IF; END $$;
SELECT wa.authenticate(:'acme_all') IS NOT NULL \; SELECT state, constraint_name, count(*) FROM pg_temp.send(:'session', 100) GROUP BY 1, 2;
SELECT count(*) AS shares, sum(minute_count) AS counted FROM wa.session_rate WHERE session_id = :'session';
-- Nine are left, all in one share that is not the senders' own.
INSERT INTO wa.session_rate (org_id, session_id, stripe, minute_start, minute_count, hour_start, hour_count)
SELECT r.org_id, r.session_id, share.place, r.minute_start, 0, r.hour_start, 0
FROM wa.session_rate r, generate_series(0, 15) share (place) WHERE r.session_id = :'session'
ON CONFLICT (org_id, session_id, stripe) DO NOTHING;
UPDATE wa.session_rate r SET minute_count = (1601 + r.stripe) / 16 - CASE r.stripe WHEN (pg_backend_pid() + 15) % 16 THEN 9 ELSE 0 END
WHERE r.session_id = :'session';
SELECT wa.authenticate(:'acme_all') IS NOT NULL \; SELECT state, constraint_name, count(*) FROM pg_temp.send(:'session', 20) GROUP BY 1, 2 ORDER BY 3, 1;
SELECT count(*) AS shares, sum(minute_count) AS counted FROM wa.session_rate WHERE session_id = :'session';
-- Lower rates begin with what was counted.
SELECT wa.authenticate(:'acme_all') IS NOT NULL \; SELECT rate_per_min FROM wa.update_session(:'session', rate_per_min => 1599);
SELECT stripe, minute_count FROM wa.session_rate WHERE session_id = :'session';
SELECT wa.authenticate(:'acme_all') IS NOT NULL \; SELECT state, constraint_name, count(*) FROM pg_temp.send(:'session', 1) GROUP BY 1, 2;
SELECT wa.authenticate(:'acme_all') IS NOT NULL \; SELECT wa.delete_session(:'session');
