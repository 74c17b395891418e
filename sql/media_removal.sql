-- Bytes that no file is of are removed from the store by workers, and no file can be of bytes
-- that are being removed, or were removed after they were stored.
\set SHOW_CONTEXT never
\set VERBOSITY terse
SET client_min_messages = warning;
SELECT wa.create_org('Removes') AS org \gset
SELECT wa.create_org('Removes too') AS other_org \gset
SELECT secret AS send FROM wa.create_key(:'org', 'send', '{send}') \gset
UPDATE wa.media_bytes SET unused_at = now() + interval '1 day' WHERE unused_at IS NOT NULL;	-- of other tests
CREATE FUNCTION public.removal_error(statement text, OUT state text, OUT message text) LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE statement;
EXCEPTION WHEN others THEN
	GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT;
END $$;
CREATE FUNCTION public.add_file(org uuid, name text) RETURNS uuid LANGUAGE sql AS $$
	INSERT INTO wa.media (org_id, sha256, size, mimetype) VALUES (org, sha256(name::bytea), 10, 'image/png') RETURNING id
$$;
CREATE FUNCTION public.make_unused(org uuid, name text, days numeric) RETURNS void LANGUAGE sql AS $$
	DELETE FROM wa.media m WHERE m.org_id = org AND m.sha256 = sha256(name::bytea);
	UPDATE wa.media_bytes b SET unused_at = now() - days * interval '1 day' WHERE b.org_id = org AND b.sha256 = sha256(name::bytea);
$$;
CREATE FUNCTION public.report(org uuid, name text, removal uuid) RETURNS integer LANGUAGE sql AS $$
	SELECT wa.bytes_removed(jsonb_build_array(jsonb_build_object('organization', org, 'sha256', encode(sha256(name::bytea), 'hex'), 'removal', removal)))
$$;
CREATE VIEW public.bytes AS
	SELECT b.org_id, b.files, b.unused_at IS NOT NULL AS unused, b.removal IS NOT NULL AS removing, b.removed_at IS NOT NULL AS removed FROM wa.media_bytes b;

-- ---- What is taken ----
SELECT add_file(:'org', 'used') IS NOT NULL AND add_file(:'org', 'young') IS NOT NULL AND add_file(:'org', 'old') IS NOT NULL AND add_file(:'other_org', 'old') IS NOT NULL AS made;
SELECT make_unused(:'org', 'young', 0.9), make_unused(:'org', 'old', 1.1);
SELECT files, unused, removing, removed FROM public.bytes WHERE org_id = :'org' ORDER BY 1, 2;
SELECT t.org_id = :'org' AND t.sha256 = sha256('old') AS old_alone, t.removal FROM wa.take_unused_bytes(100) t \gset
\echo :old_alone
SELECT count(*) AS taken_again FROM wa.take_unused_bytes(100);
SELECT files, removing FROM public.bytes WHERE org_id = :'org' ORDER BY 1, 2;

-- ---- Until the removal has ended, no file can be of these bytes ----
SELECT * FROM removal_error(format('SELECT add_file(%L, ''old'')', :'org'));
SELECT wa.authenticate(:'send') IS NOT NULL \; SELECT * FROM removal_error($$SELECT wa.create_media(sha256('old'), 10, 'image/png', NULL, clock_timestamp())$$);
SELECT add_file(:'other_org', 'old') IS NOT NULL AS other_organization, add_file(:'org', 'other') IS NOT NULL AS other_bytes;

-- ---- Only who has taken them can end it ----
SELECT report(:'org', 'old', gen_random_uuid()) AS invented, report(:'other_org', 'old', :'removal') AS foreign, report(:'org', 'used', :'removal') AS others;
SELECT clock_timestamp() AS before \gset
SELECT report(:'org', 'old', :'removal') AS ended, report(:'org', 'old', :'removal') AS twice;
SELECT clock_timestamp() AS after \gset
SELECT files, unused, removing, removed FROM public.bytes WHERE org_id = :'org' AND removed;
SELECT count(*) AS removed_are_taken FROM wa.take_unused_bytes(100);

-- ---- Bytes that were stored before that are refused, those that were stored after it are a file ----
SELECT wa.authenticate(:'send') IS NOT NULL \; SELECT state FROM removal_error($$SELECT wa.create_media(sha256('old'), 10, 'image/png', NULL)$$);
SELECT wa.authenticate(:'send') IS NOT NULL \; SELECT * FROM removal_error(format('SELECT wa.create_media(sha256(''old''), 10, ''image/png'', NULL, %L)', :'before'));
SELECT wa.authenticate(:'send') IS NOT NULL \; SELECT state FROM removal_error(format('SELECT wa.create_media(sha256(''old''), 10, ''image/png'', NULL, %L)', :'after'));
SELECT files, unused, removing, removed FROM public.bytes WHERE org_id = :'org' AND removed;
-- A removal may be forgotten after so long.
SELECT wa.authenticate(:'send') IS NOT NULL \; SELECT state FROM removal_error($$SELECT wa.create_media(sha256('slow'), 10, 'image/png', NULL, now() - interval '7 days 1 minute')$$);
SELECT wa.authenticate(:'send') IS NOT NULL \; SELECT state FROM removal_error($$SELECT wa.create_media(sha256('slow'), 10, 'image/png', NULL, now() - interval '6 days 23 hours')$$);

-- ---- A worker that has died ----
SELECT make_unused(:'org', 'old', 2);
SELECT t.removal AS first FROM wa.take_unused_bytes(100) t \gset
UPDATE wa.media_bytes SET removing_at = now() - interval '9 minutes' WHERE removal = :'first';
SELECT count(*) AS too_early FROM wa.take_unused_bytes(100);
UPDATE wa.media_bytes SET removing_at = now() - interval '11 minutes' WHERE removal = :'first';
SELECT t.removal AS second, t.removal <> :'first' AS renamed FROM wa.take_unused_bytes(100) t \gset
\echo :renamed
SELECT report(:'org', 'old', :'first') AS dead, report(:'org', 'old', :'second') AS alive;

-- ---- Removals are forgotten when no upload can be older ----
SELECT make_unused(:'org', 'slow', 2);
SELECT report(:'org', 'slow', t.removal) FROM wa.take_unused_bytes(100) t;
UPDATE wa.media_bytes SET removed_at = now() - interval '7 days 23 hours' WHERE org_id = :'org' AND sha256 = sha256('old');
UPDATE wa.media_bytes SET removed_at = now() - interval '8 days 1 hour' WHERE org_id = :'org' AND sha256 = sha256('slow');
SELECT count(*) FROM wa.take_unused_bytes(100);
SELECT count(*) FILTER (WHERE sha256 = sha256('old')) AS old, count(*) FILTER (WHERE sha256 = sha256('slow')) AS slow FROM wa.media_bytes WHERE org_id = :'org';

-- ---- A received file that is stored meanwhile is fetched once more ----
INSERT INTO wa.session (org_id, label, status, connector) VALUES (:'org', 'removals', 'working', 'removals') RETURNING id AS session \gset
CREATE FUNCTION public.add_fetch(org uuid, session uuid, taken_at timestamptz) RETURNS uuid LANGUAGE sql AS $$
	WITH made AS (INSERT INTO wa.media (org_id, state, unused_at) VALUES (org, 'pending', NULL) RETURNING id)
	INSERT INTO wa.media_fetch (org_id, media_id, session_id, reference, attempts, lease_owner, lease_until, taken_at)
	SELECT org, made.id, session, 'ref', 1, 'removing', now() + interval '1 minute', taken_at FROM made RETURNING media_id
$$;
SELECT add_fetch(:'org', :'session', now()) AS early \gset
UPDATE wa.media_bytes SET removed_at = clock_timestamp() WHERE org_id = :'org' AND sha256 = sha256('old');
SELECT wa.act_for(:'org') \; SELECT wa.connector_media_stored(:'early', 'removing', 1, sha256('old'), 10, 'image/png') AS stored;
SELECT m.state, f.error, f.lease_owner, f.lease_until > now() AS later FROM wa.media m JOIN wa.media_fetch f ON f.media_id = m.id WHERE m.id = :'early';
SELECT add_fetch(:'org', :'session', clock_timestamp()) AS late \gset
-- No message carries this one, so it is removed as soon as it is stored.
SELECT wa.act_for(:'org') \; SELECT wa.connector_media_stored(:'late', 'removing', 1, sha256('old'), 10, 'image/png') AS stored;
SELECT count(*) AS late_fetches FROM wa.media_fetch WHERE media_id = :'late';

-- ---- Organizations take turns ----
SELECT count(add_file(:'org', 'many ' || i)) AS many FROM generate_series(1, 40) i;
SELECT add_file(:'other_org', 'one') IS NOT NULL AS one;
DELETE FROM wa.media WHERE org_id IN (:'org', :'other_org') AND sha256 IS NOT NULL;
UPDATE wa.media_bytes SET unused_at = now() - interval '2 days' WHERE org_id IN (:'org', :'other_org') AND unused_at IS NOT NULL;
UPDATE wa.housekeeping_place SET org_id = :'org'::uuid WHERE task = 'media_bytes';
SELECT count(*) FILTER (WHERE org_id = :'org') AS of_many, count(*) FILTER (WHERE org_id = :'other_org') > 0 AS of_other FROM wa.take_unused_bytes(1000);
SELECT count(*) AS at_most FROM wa.take_unused_bytes(5);

-- ---- Who may ----
SELECT wa.take_unused_bytes(0);
SELECT wa.take_unused_bytes(1001);
SELECT wa.take_unused_bytes(NULL);
SELECT wa.bytes_removed(NULL);
SELECT wa.bytes_removed('{}');
SELECT wa.bytes_removed((SELECT jsonb_agg(i) FROM generate_series(1, 1001) i));
SELECT wa.authenticate(:'send') IS NOT NULL \; SELECT wa.take_unused_bytes(1);
SELECT wa.authenticate(:'send') IS NOT NULL \; SELECT wa.bytes_removed('[]');
SELECT r.role, f.function FROM unnest('{wa_gateway,wa_app,wa_worker,wa_admin,wa_monitor,wa_connector}'::text[]) r (role),
	unnest('{take_unused_bytes,bytes_removed,claim_unused_bytes,end_removals,refuse_removed,refuse_removal,upload_days}'::text[]) f (function)
WHERE has_function_privilege(r.role, (SELECT p.oid FROM pg_proc p WHERE p.pronamespace = 'wa'::regnamespace AND p.proname = f.function), 'EXECUTE') ORDER BY 1, 2;
DROP VIEW public.bytes;
DROP FUNCTION removal_error, add_file, make_unused, report, add_fetch;
DELETE FROM wa.media_fetch WHERE org_id = :'org';
DELETE FROM wa.session WHERE org_id = :'org';
DELETE FROM wa.media WHERE org_id IN (:'org', :'other_org');
DELETE FROM wa.media_bytes WHERE org_id IN (:'org', :'other_org');
