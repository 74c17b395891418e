-- A key that expires is refused from that moment on, also in the middle of a
-- transaction and whatever its snapshot (P12, P13, P42).
SELECT value AS acme FROM fixture WHERE name = 'acme' \gset
\set superuser :USER
SELECT clock_timestamp() + interval '10 s' AS ends \gset short_
SELECT id, secret FROM wa.create_key(:'acme', 'short-lived', '{read}', :'short_ends') \gset short_
\c - regress_app
\set SHOW_CONTEXT never
SELECT wa.authenticate(:'short_secret') IS NOT NULL AS accepted;
-- It is in this backend's cache now; the cache does not outlive the expiry.
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT wa.authenticate(:'short_secret') IS NOT NULL AS accepted;
SELECT count(*) > 0 AS read FROM wa.session;
DECLARE phones CURSOR FOR SELECT label FROM wa.session ORDER BY label;
FETCH phones;
SELECT pg_sleep_until(:'short_ends');
SAVEPOINT s;
SELECT count(*) > 0 AS read FROM wa.session;
ROLLBACK TO s;
FETCH phones;
ROLLBACK;
BEGIN; SELECT wa.current_org(); ROLLBACK;
SELECT wa.authenticate(:'short_secret');

-- What a transaction does to keys and then rolls back leaves nothing in the
-- cache: a key that was never committed, a revocation that was not.
\c - :superuser
BEGIN;
SELECT id, secret FROM wa.create_key(:'acme', 'never committed', '{read}') \gset ghost_
SELECT wa.authenticate(:'ghost_secret') IS NOT NULL AS accepted_before_rollback;
ROLLBACK;
SELECT wa.authenticate(:'ghost_secret');
SELECT id, secret FROM wa.create_key(:'acme', 'kept', '{read}') \gset kept_
SELECT wa.authenticate(:'kept_secret') IS NOT NULL AS accepted;
BEGIN;
SELECT wa.revoke_key(:'kept_id');
SAVEPOINT s;
SELECT wa.authenticate(:'kept_secret');
ROLLBACK;
SELECT wa.authenticate(:'kept_secret') IS NOT NULL AS accepted_again;
SELECT wa.revoke_key(:'kept_id');
SELECT wa.authenticate(:'kept_secret');
-- A change by hand counts as well: the trigger sees all of them.
SELECT id, secret FROM wa.create_key(:'acme', 'by hand', '{read,send}') \gset hand_
SELECT wa.authenticate(:'hand_secret', 'send') IS NOT NULL AS accepted;
UPDATE wa.api_key SET permissions = '{read}' WHERE id = :'hand_id';
SELECT wa.authenticate(:'hand_secret', 'send');
SET session_replication_role = replica;
UPDATE wa.api_key SET revoked_at = now(), revoked_by = 'replica' WHERE id = :'hand_id';
RESET session_replication_role;
SELECT wa.authenticate(:'hand_secret');
-- A narrowed key is narrow in the transaction that it is bound to, too.
SELECT id, secret FROM wa.create_key(:'acme', 'narrowed', '{read,send}') \gset narrow_
BEGIN;
SELECT wa.authenticate(:'narrow_secret') IS NOT NULL AS accepted;
SELECT wa.has_permission('send');
UPDATE wa.api_key SET permissions = '{read}' WHERE id = :'narrow_id';
SELECT wa.has_permission('send');
ROLLBACK;
-- An administrator's transaction that acts with a key manages no keys.
BEGIN;
SELECT wa.authenticate(:'narrow_secret') IS NOT NULL AS accepted;
SELECT wa.create_key(:'acme', 'by key', '{read}');
ROLLBACK;
BEGIN;
SELECT wa.authenticate(:'narrow_secret') IS NOT NULL AS accepted;
SELECT wa.revoke_key(:'narrow_id');
ROLLBACK;
