-- What has ended stays so, and stands in nobody's way: keys, invitations, sign-ins.
-- Each change that is refused stands beside the same one on what lives.
\set superuser :USER
\set SHOW_CONTEXT never
SELECT wa.create_org('Ended') AS ended \gset
SELECT id AS ella FROM wa.create_user('ella@ended.example', 'Ella', 'correct horse') \gset
SELECT wa.add_member(:'ended', :'ella', 'owner');
SELECT cookie AS ella_cookie FROM wa.sign_in('ella@ended.example', 'correct horse', '192.0.2.9', 'x') \gset
SELECT token AS ella_token FROM wa.mint_user_token(:'ella_cookie') \gset
-- Four keys: one lives, the others end in each of the ways there are.
SELECT id AS live, secret AS live_secret FROM wa.create_key(:'ended', 'live', '{read}', now() + interval '1 hour') \gset
SELECT id AS revoked, secret AS revoked_secret FROM wa.create_key(:'ended', 'revoked', '{read}') \gset
SELECT id AS rotated, secret AS rotated_secret FROM wa.create_key(:'ended', 'rotated', '{read}') \gset
SELECT id AS expired, secret AS expired_secret FROM wa.create_key(:'ended', 'expired', '{read}', now() + interval '1 hour') \gset
SELECT wa.revoke_key(:'revoked');
SELECT id AS successor FROM wa.rotate_key(:'rotated', '1 hour') \gset
UPDATE wa.api_key SET expires_at = clock_timestamp() - interval '1 s' WHERE id = :'expired';
-- Rotated, and its overlap is over.
SELECT id AS over, secret AS over_secret FROM wa.create_key(:'ended', 'over', '{read}') \gset
SELECT id AS over_successor FROM wa.rotate_key(:'over', '0') \gset

\c - regress_app
\set SHOW_CONTEXT never
-- Whatever is changed: the expiry, the name, the permissions; and no rotation.
BEGIN;
SELECT wa.authenticate(:'ella_token') IS NOT NULL AS accepted;
SELECT key, change, e.state, e.message
FROM (VALUES (1, 'live', :'live'), (2, 'revoked', :'revoked'), (3, 'rotated', :'rotated'), (4, 'expired', :'expired'),
		(5, 'over', :'over')) k (place, key, id),
	(VALUES (1, 'expires_at => now() + ''1 year'''), (2, 'name => ''another'''), (3, 'permissions => ''{read,send}'''),
		(4, 'expires_at => ''infinity'''), (5, 'expires_at => ''-infinity'''), (6, 'expires_at => now()'), (7, 'expires_at => now() + ''1 year''')) c (place, change),
	LATERAL error_of(format('SELECT wa.update_api_key(%L, %s)', k.id, c.change)) e
ORDER BY k.place, c.place;
SELECT key, e.state, e.message
FROM (VALUES (1, 'revoked', :'revoked'), (2, 'rotated', :'rotated'), (3, 'expired', :'expired'), (4, 'over', :'over')) k (place, key, id),
	LATERAL error_of(format('SELECT wa.rotate_api_key(%L)', k.id)) e
ORDER BY k.place;
COMMIT;
-- Nor does it live on by a change that began before it expired.
\c - :superuser
SELECT id AS soon FROM wa.create_key(:'ended', 'soon', '{read}', now() + interval '1 hour') \gset
UPDATE wa.api_key SET expires_at = clock_timestamp() + interval '10 s' WHERE id = :'soon' RETURNING expires_at AS ends \gset
\c - regress_app
\set SHOW_CONTEXT never
BEGIN;
SELECT wa.authenticate(:'ella_token') IS NOT NULL AS accepted;
SELECT wa.update_api_key(:'soon', expires_at => 'infinity') IS NOT NULL AS changed;
SELECT pg_sleep_until(:'ends');
COMMIT;
-- Only what lived has changed.
\c - :superuser
\set SHOW_CONTEXT never
SELECT name, permissions, status, expires_at > now() + interval '300 days' AS prolonged FROM wa.keys WHERE org_id = :'ended' ORDER BY id;
SELECT detail ->> 'expiresAt' = 'never' AS never, count(*) FROM wa.audit WHERE org_id = :'ended' AND action = 'key.changed' GROUP BY 1 ORDER BY 1;
SELECT key, error_of(format('SELECT wa.authenticate(%L)', secret)) AS refused
FROM (VALUES (1, 'revoked', :'revoked_secret'), (2, 'expired', :'expired_secret'), (3, 'over', :'over_secret')) k (place, key, secret)
ORDER BY place;
SELECT wa.authenticate(:'live_secret', 'send') IS NOT NULL AS accepted;
SELECT wa.authenticate(:'rotated_secret', 'read') IS NOT NULL AS accepted_for_the_overlap;
-- A key that was imported is not let in anew by importing it again.
SELECT wa.import_key(:'ended', 'from elsewhere', sha256('wa_IsRevokedAndStaysRevoked'), '{read}') AS elsewhere \gset
SELECT wa.revoke_key(:'elsewhere');
SELECT * FROM error_of(format('SELECT wa.import_key(%L, ''once more'', sha256(''wa_IsRevokedAndStaysRevoked''), ''{read}'')', :'ended'));

-- A name is kept from others by a key that lives, and by no other: a new key takes it
-- from one that has expired, by whichever way it comes.
SELECT error_of(format('SELECT wa.create_key(%L, ''ANOTHER'', ''{read}'')', :'ended')) AS taken;
SELECT count(*) AS made FROM wa.create_key(:'ended', 'Expired', '{read}');
SELECT error_of(format('SELECT wa.create_key(%L, ''expired'', ''{read}'')', :'ended')) AS taken;
UPDATE wa.api_key SET expires_at = clock_timestamp() - interval '1 s' WHERE org_id = :'ended' AND name = 'another';
SELECT wa.authenticate(:'ella_token') IS NOT NULL \; SELECT error_of(format('SELECT wa.update_api_key(%L, ''expired'')', :'successor')) AS taken;
SELECT wa.authenticate(:'ella_token') IS NOT NULL \; SELECT wa.update_api_key(:'successor', 'another') = :'successor' AS renamed;
-- Both are there, and each shows what it is.
SELECT name, status FROM wa.keys WHERE org_id = :'ended' AND lower(name) IN ('expired', 'another') ORDER BY id;
-- A rotated key stays without its name, also when its successor has given that up.
SELECT wa.revoke_key(:'over_successor');
SELECT count(*) AS made FROM wa.create_key(:'ended', 'over', '{read}');

-- Invitations: those that have expired do not count against those that are open.
\c - regress_app
\set SHOW_CONTEXT never
BEGIN;
SELECT wa.authenticate(:'ella_token') IS NOT NULL AS accepted;
SELECT count(wa.invite_member('guest' || i || '@ended.example', 'member')) AS invited FROM generate_series(1, 200) i;
SELECT * FROM error_of($$SELECT wa.invite_member('late@ended.example', 'member')$$);
COMMIT;
\c - :superuser
\set SHOW_CONTEXT never
UPDATE wa.invitation SET expires_at = now() - interval '1 s' WHERE org_id = :'ended' AND email = 'guest1@ended.example';
SELECT wa.authenticate(:'ella_token') IS NOT NULL \; SELECT id IS NOT NULL AS invited, secret AS first_secret FROM wa.invite_member('late@ended.example', 'member') \gset
SELECT wa.authenticate(:'ella_token') IS NOT NULL \; SELECT error_of($$SELECT wa.invite_member('later@ended.example', 'member')$$);
-- One that a newer one replaced, or that was withdrawn, opens nothing again.
SELECT wa.authenticate(:'ella_token') IS NOT NULL \; SELECT id AS second, secret AS second_secret FROM wa.invite_member('late@ended.example', 'member') \gset
SELECT count(*) AS first_is_valid FROM wa.read_invitation(:'first_secret');
SELECT wa.authenticate(:'ella_token') IS NOT NULL \; SELECT wa.withdraw_invitation(:'second');
SELECT wa.authenticate(:'ella_token') IS NOT NULL \; SELECT wa.withdraw_invitation(:'second');
SELECT count(*) AS second_is_valid FROM wa.read_invitation(:'second_secret');
SELECT count(*) AS first_is_valid FROM wa.read_invitation(:'first_secret');

-- An account that is opened again has none of what ended with it.
SELECT wa.authenticate(:'ella_token') IS NOT NULL \; SELECT wa.withdraw_invitation(i.id) FROM wa.list_invitations(NULL, 1) i;
SELECT wa.authenticate(:'ella_token') IS NOT NULL \; SELECT secret AS third_secret FROM wa.invite_member('later@ended.example', 'member') \gset
SELECT count(*) AS third_is_valid FROM wa.read_invitation(:'third_secret');
SELECT wa.disable_user(:'ella'), wa.enable_user(:'ella');
SELECT * FROM error_of(format('SELECT wa.signed_in(%L)', :'ella_cookie'));
SELECT * FROM error_of(format('SELECT wa.authenticate(%L)', :'ella_token'));
SELECT count(*) AS third_is_valid FROM wa.read_invitation(:'third_secret');
