-- The context: bound by a credential, once, for one transaction, by nothing else.
SELECT value AS acme_all FROM fixture WHERE name = 'acme_all' \gset
SELECT value AS acme_read FROM fixture WHERE name = 'acme_read' \gset
SELECT value AS beta_all FROM fixture WHERE name = 'beta_all' \gset
SELECT value AS acme FROM fixture WHERE name = 'acme' \gset
SELECT value AS beta FROM fixture WHERE name = 'beta' \gset
CREATE FUNCTION public.open_phones() RETURNS refcursor
	LANGUAGE plpgsql AS $$
DECLARE
	phones SCROLL CURSOR FOR SELECT label FROM wa.session ORDER BY label;
BEGIN
	OPEN phones;
	RETURN phones;
END $$;

\c - regress_app
\set SHOW_CONTEXT never

-- Nobody: getters are NULL, what needs somebody raises 28000.
SELECT wa.current_org(), wa.current_key(), wa.current_user_id(), wa.current_permissions(), wa.has_permission('read');
\set VERBOSITY sqlstate
SELECT wa.require_org();
SELECT wa.require_permission('read');
SELECT wa.org_for('read');
SELECT wa.authenticate(NULL);
-- Unknown, revoked and malformed credentials, and kinds that nothing can hold.
SELECT wa.authenticate('wa_AbCdEfGhIjKlMnOpQrStUvWxYz99');
SELECT wa.authenticate('wa_00000000000000000000000000000000000000000000000000');
\set VERBOSITY default
SELECT wa.authenticate('wa_AbCdEfGhIjKlMnOpQrStUvWxYz99');

-- Somebody.
BEGIN;
SELECT wa.authenticate(:'acme_all') = wa.current_key() AS key_is_bound;
SELECT wa.current_org() = :'acme' AS org_is_bound, wa.current_user_id(), wa.current_permissions(), wa.has_permission('send');
SELECT wa.org_for('manage') = :'acme' AS org_for_manage;
-- The same credential again is no change.
SELECT wa.authenticate(:'acme_all', 'events') = wa.current_key() AS again;
COMMIT;
-- P40: gone with the transaction, however it ends.
SELECT wa.current_org();
BEGIN; SELECT wa.authenticate(:'acme_all') IS NOT NULL; ROLLBACK; SELECT wa.current_org();
BEGIN; SELECT wa.authenticate(:'acme_all') IS NOT NULL; COMMIT AND CHAIN; SELECT wa.current_org(); COMMIT;
BEGIN; SELECT wa.authenticate(:'acme_all') IS NOT NULL; ROLLBACK AND CHAIN; SELECT wa.current_org(); COMMIT;
BEGIN; SELECT wa.authenticate(:'acme_all') IS NOT NULL; PREPARE TRANSACTION 'regress_context'; SELECT wa.current_org();
COMMIT PREPARED 'regress_context';
BEGIN; PREPARE TRANSACTION 'regress_context'; COMMIT PREPARED 'regress_context';
BEGIN; SELECT wa.authenticate(:'acme_all') IS NOT NULL; SELECT 1/0; COMMIT; SELECT wa.current_org();
-- Several statements sent as one are one transaction, and end as one.
SELECT wa.authenticate(:'acme_all') IS NOT NULL \; SELECT wa.current_org() = :'acme' AS bound;
SELECT wa.current_org();

-- A permission that the key lacks: 42501, its name in the message and in the
-- constraint-name field.
SELECT * FROM error_of(format('SELECT wa.authenticate(%L, ''send'')', :'acme_read'));
BEGIN; SELECT wa.authenticate(:'acme_read', 'read') IS NOT NULL; SELECT * FROM error_of('SELECT wa.org_for(''manage'')'); ROLLBACK;
BEGIN; SELECT wa.authenticate(:'acme_read') IS NOT NULL; SELECT wa.has_permission('read'), wa.has_permission('events'); ROLLBACK;

-- What was not asked for is not there, though the key has it; presenting the
-- key again adds to it.
BEGIN;
SELECT wa.authenticate(:'acme_all', 'read') IS NOT NULL;
SELECT wa.current_permissions();
SAVEPOINT s;
SELECT wa.require_permission('send');
ROLLBACK TO s;
SELECT wa.authenticate(:'acme_all', 'send') IS NOT NULL;
SELECT wa.current_permissions();
SELECT wa.authenticate(:'acme_all') IS NOT NULL;
SELECT wa.current_permissions();
COMMIT;

-- P41: another identity in the same transaction is an error.
BEGIN; SELECT wa.authenticate(:'acme_all') IS NOT NULL; SELECT wa.authenticate(:'beta_all'); ROLLBACK;
BEGIN; SELECT wa.authenticate(:'acme_all') IS NOT NULL; SELECT wa.authenticate(:'acme_read'); ROLLBACK;

-- P11: a binding does not outlive the savepoint that it was made in.
BEGIN;
SAVEPOINT a;
SELECT wa.authenticate(:'acme_all') IS NOT NULL;
ROLLBACK TO a;
SELECT wa.current_org();
-- ... nor does the rollback open the transaction to another identity.
SAVEPOINT b;
SELECT wa.authenticate(:'beta_all');
ROLLBACK TO b;
SELECT wa.authenticate(:'acme_all') IS NOT NULL;
SELECT wa.current_org() = :'acme' AS bound_again;
COMMIT;
-- Released, it is the outer transaction's; and dies with what holds it.
BEGIN;
SAVEPOINT a;
SAVEPOINT b;
SELECT wa.authenticate(:'acme_all') IS NOT NULL;
RELEASE b;
SELECT wa.current_org() = :'acme' AS handed_up;
ROLLBACK TO a;
SELECT wa.current_org();
COMMIT;
BEGIN;
SELECT wa.authenticate(:'acme_all') IS NOT NULL;
SAVEPOINT a;
SELECT wa.authenticate(:'acme_all') IS NOT NULL;
ROLLBACK TO a;
SELECT wa.current_org() = :'acme' AS kept;
COMMIT;
-- So does a permission that was added there, at any depth; what is released is the
-- parent's, and dies with it.
BEGIN;
SELECT wa.authenticate(:'acme_all', 'read') IS NOT NULL;
SAVEPOINT a;
SELECT wa.authenticate(:'acme_all', 'send') IS NOT NULL;
SAVEPOINT b;
SELECT wa.authenticate(:'acme_all') IS NOT NULL;
SELECT wa.current_permissions();
ROLLBACK TO b;
SELECT wa.current_permissions() AS read_and_send;
SELECT wa.authenticate(:'acme_all', 'events') IS NOT NULL;
RELEASE b;
SELECT wa.current_permissions() AS with_events;
SAVEPOINT c;
SELECT wa.authenticate(:'acme_all', 'manage') IS NOT NULL;
RELEASE c;
SELECT wa.current_permissions() AS all_four;
ROLLBACK TO a;
SELECT wa.current_permissions() AS read_alone;
SAVEPOINT d;
SELECT wa.require_permission('send');
ROLLBACK TO d;
SELECT wa.authenticate(:'acme_all', 'send') IS NOT NULL;
RELEASE a;
SELECT wa.current_permissions() AS kept;
COMMIT;
-- Nothing bound outside, and two levels that add: nothing is left.
BEGIN;
SAVEPOINT a;
SELECT wa.authenticate(:'acme_all', 'read') IS NOT NULL;
SAVEPOINT b;
SELECT wa.authenticate(:'acme_all', 'send') IS NOT NULL;
RELEASE b;
ROLLBACK TO a;
SELECT wa.current_permissions();
SELECT wa.authenticate(:'acme_all', 'events') IS NOT NULL;
SELECT wa.current_permissions() AS events_alone;
COMMIT;
-- A cursor that was read under what a savepoint added does not go on without it.
BEGIN;
DECLARE mine CURSOR FOR SELECT n, wa.current_org() = :'acme' AS acme FROM generate_series(1, 3) n;
DECLARE anybodys CURSOR FOR SELECT n FROM generate_series(1, 3) n;
SAVEPOINT a;
SELECT wa.authenticate(:'acme_all', 'read') IS NOT NULL;
FETCH anybodys;
FETCH mine;
ROLLBACK TO a;
FETCH anybodys;
FETCH mine;
ROLLBACK;
-- The plan was made for somebody who may read; the planner asks for the permission, too.
SET plan_cache_mode = force_generic_plan;
BEGIN;
SELECT wa.authenticate(:'acme_all', 'read') IS NOT NULL;
SELECT public.open_phones();
COMMIT;
BEGIN;
SELECT wa.authenticate(:'acme_all', 'send') IS NOT NULL;
SELECT public.open_phones();
SAVEPOINT a;
SELECT wa.authenticate(:'acme_all', 'read') IS NOT NULL;
FETCH phones;
ROLLBACK TO a;
MOVE phones;
ROLLBACK;
RESET plan_cache_mode;
BEGIN;
SELECT wa.authenticate(:'acme_all', 'send') IS NOT NULL;
DECLARE phones SCROLL CURSOR FOR SELECT label FROM wa.session ORDER BY label;
ROLLBACK;
-- One that needed nothing of what was added does.
BEGIN;
SELECT wa.authenticate(:'acme_all', 'read') IS NOT NULL;
DECLARE phones CURSOR FOR SELECT label FROM wa.session ORDER BY label;
FETCH phones;
SAVEPOINT a;
SELECT wa.authenticate(:'acme_all', 'send') IS NOT NULL;
SELECT wa.require_permission('send');
ROLLBACK TO a;
FETCH phones;
COMMIT;
-- An error caught in PL/pgSQL is a rolled back savepoint.
SELECT set_config('regress.key', :'acme_all', false) AS discarded \gset
DO $$
BEGIN
	BEGIN
		PERFORM wa.authenticate(current_setting('regress.key')::wa.secret);
		PERFORM 1/0;
	EXCEPTION WHEN division_by_zero THEN
		RAISE NOTICE 'org after the caught error: %', COALESCE(wa.current_org()::text, 'none');
	END;
END $$;

-- P01: nothing that can be set is an identity.
SELECT set_config('wa.org', :'beta', true);
SET wa.current_org = 'x';
SELECT set_config('request.jwt.claims', '{"org":"beta"}', true) IS NOT NULL AS set, wa.current_org();
UPDATE pg_settings SET setting = 'x' WHERE name LIKE 'wa.%';
BEGIN; SELECT wa.authenticate(:'acme_all') IS NOT NULL; SET LOCAL ROLE wa_app; SELECT wa.current_org() = :'acme' AS still_acme; COMMIT;

-- System processes' way is closed to applications.
SELECT wa.act_for(:'beta');
