-- Permissions of one's own, beside the four: who defines them, who has them, what they open.
\set superuser :USER
\set SHOW_CONTEXT never
SELECT value AS acme FROM fixture WHERE name = 'acme' \gset
SELECT value AS beta FROM fixture WHERE name = 'beta' \gset
SELECT value AS acme_all FROM fixture WHERE name = 'acme_all' \gset

\c - regress_admin
\set SHOW_CONTEXT never
SELECT wa.define_permission('invoices:read', 'Sees invoices', true);
SELECT wa.define_permission('invoices:write', 'Writes invoices', true);
SELECT wa.define_permission('invoices:refund', 'Pays invoices back');
-- Again: another description, the same number.
SELECT wa.define_permission('invoices:read', 'Reads invoices', true);
SELECT number, name, description, grantable, defined_by, dropped_at FROM wa.own_permission ORDER BY number;
-- What is no name of one's own: no name can be one of the four, or look like several.
SELECT wrong.name, e.state, e.column_name FROM (VALUES (NULL), (''), ('read'), ('manage'), ('invoices'), (':'), ('a:'), (':b'), ('A:b'), ('a:B'), ('a b:c'),
	('a:*'), ('a:b,c'), ('{a:b}'), ('a::b'), ('a:"b"'), ('ä:b'), (E'a:b\n'), ('a:' || repeat('b', 62))) wrong (name)
	CROSS JOIN LATERAL error_of(format('SELECT wa.define_permission(%L, ''x'')', wrong.name)) e;
SELECT wa.define_permission('a:' || repeat('b', 61), 'as long as can be') > 0 AS defined;
SELECT wa.drop_permission('a:' || repeat('b', 61));
SELECT * FROM error_of($$SELECT wa.define_permission('a:b', '')$$);
SELECT * FROM error_of($$SELECT wa.define_permission('a:b', E'two\nlines')$$);
SELECT * FROM error_of($$SELECT wa.define_permission('a:b', NULL)$$);
SELECT * FROM error_of($$SELECT wa.define_permission('a:b', 'x', NULL)$$);
SELECT * FROM error_of($$INSERT INTO wa.own_permission VALUES (9, 'a:b', 'x', true)$$);
SELECT * FROM error_of($$UPDATE wa.own_permission SET name = 'a:b'$$);

-- Keys: with own permissions beside the four, and with these alone.
SELECT secret AS clerk, id AS clerk_id FROM wa.create_key(:'acme', 'clerk', '{read}', own_permissions => '{invoices:read,invoices:write}') \gset
SELECT secret AS viewer FROM wa.create_key(:'acme', 'viewer', '{}', own_permissions => '{invoices:read}') \gset
SELECT secret AS tester FROM wa.create_key(:'acme', 'tester', '{}', own_permissions => '{invoices:read}', test => true) \gset
SELECT secret AS theirs FROM wa.create_key(:'beta', 'their clerk', '{}', own_permissions => '{invoices:read,invoices:write,invoices:refund}') \gset
SELECT name, permissions, own_permissions FROM wa.keys WHERE name IN ('clerk', 'viewer', 'their clerk') ORDER BY name;
SELECT * FROM error_of(format('SELECT wa.create_key(%L, ''none'', ''{}'')', :'acme'));
SELECT * FROM error_of(format('SELECT wa.create_key(%L, ''none'', ''{}'', own_permissions => ''{}'')', :'acme'));
SELECT * FROM error_of(format('SELECT wa.create_key(%L, ''wrong'', ''{read}'', own_permissions => ''{invoices:read,invoices:wirte}'')', :'acme'));
SELECT * FROM error_of(format('SELECT wa.create_key(%L, ''wrong'', ''{}'', own_permissions => ''{read}'')', :'acme'));
SELECT * FROM error_of(format('SELECT wa.create_key(%L, ''wrong'', ''{read}'', own_permissions => ''{NULL}'')', :'acme'));
SELECT * FROM error_of(format('SELECT wa.create_key(%L, ''wrong'', ''{invoices:read}'')', :'acme'));
SELECT detail -> 'permissions' AS permissions FROM wa.audit WHERE subject = :'clerk_id' AND action = 'key.created';

\c - :superuser
\set SHOW_CONTEXT never
-- A table that needs them.
CREATE TABLE public.invoice (org_id uuid NOT NULL DEFAULT wa.current_org(), id int NOT NULL, total int, PRIMARY KEY (org_id, id));
INSERT INTO public.invoice VALUES (:'acme', 1, 10), (:'beta', 1, 20);
GRANT SELECT, INSERT, UPDATE, DELETE ON public.invoice TO regress_app;
SELECT wa.protect('public.invoice', read => 'invoices:read', write => 'invoices:write', delete => 'invoices:refund');
SELECT * FROM wa.protected;
SELECT wa.is_protected('public.invoice');
SELECT name, detail FROM wa.self_check() WHERE name = 'protected tables stay protected' AND NOT passed;
SELECT qual FROM pg_policies WHERE tablename = 'invoice' AND policyname = 'wa_read';
SELECT wa.protect('public.invoice', read => 'invoices:raed');

\c - regress_app
\set SHOW_CONTEXT never
-- With a key that has them.
SELECT wa.authenticate(:'clerk') IS NOT NULL \; SELECT wa.current_permissions(), wa.current_own_permissions(), (wa.me()).permissions;
SELECT wa.authenticate(:'clerk') IS NOT NULL \; SELECT id, total FROM public.invoice;
SELECT wa.authenticate_for(:'clerk', '{invoices:read}') IS NOT NULL \; SELECT wa.current_permissions(), wa.current_own_permissions(), id FROM public.invoice;
SELECT wa.authenticate_for(:'clerk', '{read,invoices:read,invoices:write}') IS NOT NULL \; INSERT INTO public.invoice (id, total) VALUES (2, 30) RETURNING wa.current_permissions(), id;
SELECT wa.authenticate_for(:'clerk', ARRAY['invoices:write']) IS NOT NULL \; INSERT INTO public.invoice (id, total) VALUES (3, 40);
SELECT wa.authenticate_for(:'clerk', '{}') IS NOT NULL \; SELECT wa.current_permissions(), wa.current_own_permissions();
SELECT wa.authenticate_for(:'clerk', NULL) IS NOT NULL \; SELECT wa.current_permissions(), wa.current_own_permissions();
SELECT wa.authenticate_for(:'clerk', '{invoices:read}', '203.0.113.9') IS NOT NULL \; SELECT wa.has_own_permission('invoices:read'), wa.has_own_permission('invoices:write'), wa.org_for_own('invoices:read') = :'acme' AS acme;
SELECT wa.authenticate_for(:'theirs', '{invoices:read}') IS NOT NULL \; SELECT id, total FROM public.invoice;
-- Denied: what was not asked for, what the key lacks, and what only sounds alike.
SELECT wa.authenticate_for(:'clerk', '{invoices:write}') IS NOT NULL \; UPDATE public.invoice SET total = 0 WHERE id = 1;
SELECT wa.authenticate_for(:'clerk', '{invoices:read}') IS NOT NULL \; INSERT INTO public.invoice (id, total) VALUES (4, 50);
SELECT wa.authenticate(:'clerk', 'read') IS NOT NULL \; SELECT id FROM public.invoice;
SELECT wa.authenticate(:'clerk') IS NOT NULL \; DELETE FROM public.invoice WHERE id = 1;
SELECT wa.authenticate(:'viewer') IS NOT NULL \; INSERT INTO public.invoice (id, total) VALUES (4, 50);
SELECT wa.authenticate(:'viewer') IS NOT NULL \; SELECT count(*) FROM wa.session;
SELECT wa.authenticate(:'acme_all') IS NOT NULL \; SELECT wa.current_own_permissions();
SELECT wa.authenticate(:'acme_all') IS NOT NULL \; SELECT id FROM public.invoice;
SELECT wa.authenticate(:'acme_all') IS NOT NULL \; SELECT wa.has_own_permission('invoices:read');
SELECT wa.authenticate(:'acme_all') IS NOT NULL \; SELECT wa.require_own_permission('invoices:read');
SELECT wa.authenticate(:'clerk') IS NOT NULL \; INSERT INTO public.invoice VALUES (:'beta', 9, 9);
SELECT * FROM error_of(format('SELECT wa.authenticate_for(%L, ''{invoices:read,invoices:refund}'')', :'clerk'));
SELECT * FROM error_of(format('SELECT wa.authenticate_for(%L, ''{manage}'')', :'clerk'));
SELECT * FROM error_of(format('SELECT wa.authenticate_for(%L, ''{invoices:raed}'')', :'clerk'));
SELECT * FROM error_of(format('SELECT wa.authenticate_for(%L, ''{reed}'')', :'clerk'));
SELECT * FROM error_of(format('SELECT wa.authenticate_for(%L, ''{NULL}'')', :'clerk'));
SELECT state, message FROM error_of(format('SELECT wa.authenticate_for(%L, ARRAY[%L])', :'clerk', :'clerk'));
SELECT * FROM error_of(format('SELECT wa.authenticate_for(%L, array_fill(''read''::text, ARRAY[65]))', :'clerk'));
SELECT * FROM error_of(format('SELECT wa.authenticate(%L, ''{invoices:read}'')', :'clerk'));
SELECT wa.authenticate_for(NULL, '{}');
-- A test key may have them, but the table refuses it.
SELECT wa.authenticate_for(:'tester', '{invoices:read}') IS NOT NULL \; SELECT wa.current_own_permissions(), wa.org_for_own_any_key('invoices:read') = :'acme' AS acme;
SELECT wa.authenticate_for(:'tester', '{invoices:read}') IS NOT NULL \; SELECT id FROM public.invoice;
SELECT wa.authenticate_for(:'tester', '{invoices:read}') IS NOT NULL \; SELECT wa.org_for_own('invoices:read');
SELECT wa.authenticate_for(:'tester', '{}') IS NOT NULL \; SELECT wa.org_for_own_any_key('invoices:read');
-- Nobody is bound.
SELECT wa.current_own_permissions(), wa.has_own_permission('invoices:read');
SELECT wa.org_for_own('invoices:read');
SELECT wa.org_for_own(NULL);
SELECT wa.require_own_permission('read');
SELECT id FROM public.invoice;
-- Only administrators define and give.
SELECT wa.define_permission('invoices:all', 'x');
SELECT wa.drop_permission('invoices:read');
SELECT wa.set_own_permissions(:'clerk_id', '{invoices:refund}');
SELECT count(*) FROM wa.own_permission;
-- A savepoint takes back what was asked for in it.
BEGIN;
SELECT wa.authenticate_for(:'clerk', '{invoices:read}') IS NOT NULL;
SAVEPOINT asked;
SELECT wa.authenticate_for(:'clerk', '{invoices:write}') IS NOT NULL;
SELECT wa.current_own_permissions();
ROLLBACK TO asked;
SELECT wa.current_own_permissions();
INSERT INTO public.invoice (id, total) VALUES (5, 50);
ROLLBACK;

\c - :superuser
\set SHOW_CONTEXT never
-- No key administers permissions, not even a superuser's transaction that is bound to one.
BEGIN; SELECT wa.authenticate(:'acme_all') IS NOT NULL; SELECT wa.define_permission('x:y', 'x'); ROLLBACK;
BEGIN; SELECT wa.authenticate(:'acme_all') IS NOT NULL; SELECT wa.drop_permission('invoices:read'); ROLLBACK;
BEGIN; SELECT wa.authenticate(:'acme_all') IS NOT NULL; SELECT wa.set_own_permissions(:'clerk_id', '{}'); ROLLBACK;
-- A generic plan that was made for one key serves another, and learns of what happens since.
SET plan_cache_mode = force_generic_plan; SET enable_indexscan = off; SET enable_bitmapscan = off;
SET SESSION AUTHORIZATION regress_app;
PREPARE invoices AS SELECT count(*) FROM public.invoice;
SELECT wa.authenticate(:'viewer') IS NOT NULL \; EXECUTE invoices;
SELECT wa.authenticate(:'acme_all') IS NOT NULL \; EXECUTE invoices;
RESET SESSION AUTHORIZATION;
-- A key that loses one loses it in transactions that run.
BEGIN;
SELECT wa.authenticate(:'clerk') IS NOT NULL \; SELECT wa.current_own_permissions();
UPDATE wa.api_key SET own_permissions = 1 << 1 WHERE id = :'clerk_id';
SELECT wa.current_own_permissions();
SET LOCAL SESSION AUTHORIZATION regress_app;
EXECUTE invoices;
ROLLBACK;
SELECT wa.set_own_permissions(:'clerk_id', '{invoices:write}');
SET SESSION AUTHORIZATION regress_app;
SELECT wa.authenticate(:'clerk') IS NOT NULL \; EXECUTE invoices;
SELECT wa.authenticate(:'clerk') IS NOT NULL \; SELECT wa.current_own_permissions();
RESET SESSION AUTHORIZATION;
-- Its successor has what it has.
SELECT secret AS rotated FROM wa.rotate_key(:'clerk_id') \gset
SELECT wa.authenticate(:'rotated') IS NOT NULL \; SELECT wa.current_permissions(), wa.current_own_permissions();
SELECT * FROM error_of(format('SELECT wa.set_own_permissions(%L, ''{}'')', :'clerk_id'));
SELECT * FROM error_of('SELECT wa.set_own_permissions(wa.uuid7(), ''{}'')');
SELECT * FROM error_of('SELECT wa.set_own_permissions(wa.uuid7(), NULL)');

-- Dropped: refused while a table needs it, then nobody has it, and plans notice.
SELECT wa.drop_permission('invoices:read');
SELECT wa.drop_permission('invoices:raed');
SELECT wa.protect('public.invoice', read => 'read', write => 'invoices:write', delete => 'invoices:refund');
SELECT wa.drop_permission('invoices:read');
SELECT wa.authenticate(:'viewer') IS NOT NULL \; SELECT wa.current_own_permissions();
SELECT name, own_permissions FROM wa.keys WHERE name IN ('viewer', 'their clerk') ORDER BY name;
-- A policy that names it all the same opens nothing.
ALTER POLICY wa_read ON public.invoice USING (org_id = wa.org_for_own('invoices:read'));
ALTER POLICY wa_open_read ON public.invoice USING (org_id = wa.org_for_own('invoices:read'));
SET SESSION AUTHORIZATION regress_app;
SELECT wa.authenticate(:'viewer') IS NOT NULL \; SELECT count(*) FROM public.invoice;
RESET SESSION AUTHORIZATION;
-- Defined again it is another one, which keys of before do not have; also for a plan of before.
SELECT wa.define_permission('invoices:read', 'Reads invoices again', true);
SET SESSION AUTHORIZATION regress_app;
SELECT wa.authenticate(:'viewer') IS NOT NULL \; EXECUTE invoices;
RESET SESSION AUTHORIZATION;
SELECT secret AS reader FROM wa.create_key(:'acme', 'new viewer', '{}', own_permissions => '{invoices:read}') \gset
SET SESSION AUTHORIZATION regress_app;
SELECT wa.authenticate(:'reader') IS NOT NULL \; EXECUTE invoices;
RESET SESSION AUTHORIZATION;
SELECT wa.is_protected('public.invoice');
-- What is more than the condition is not the same policy.
ALTER POLICY wa_read ON public.invoice USING (org_id = wa.org_for_own('invoices:read') OR true);
SELECT wa.is_protected('public.invoice');
ALTER POLICY wa_read ON public.invoice USING (org_id = wa.org_for_own('invoices:' || 'read'));
SELECT wa.is_protected('public.invoice');
ALTER POLICY wa_read ON public.invoice USING (org_id = wa.org_for_own(current_setting('a.b')));
SELECT wa.is_protected('public.invoice');
ALTER POLICY wa_read ON public.invoice USING (org_id = wa.org_for_own(NULL));
SELECT wa.is_protected('public.invoice');
-- Test keys use the table only where it is opened to them.
SELECT wa.protect('public.invoice', read => 'invoices:read', write => 'invoices:write', test_keys => true);
SELECT relation, guard, read, insert, test_keys FROM wa.protected;
SELECT wa.is_protected('public.invoice');
SELECT secret AS new_tester FROM wa.create_key(:'acme', 'new tester', '{}', own_permissions => '{invoices:read}', test => true) \gset
SET SESSION AUTHORIZATION regress_app;
SELECT wa.authenticate(:'new_tester') IS NOT NULL \; SELECT count(*) > 0 AS reads FROM public.invoice;
SELECT wa.authenticate(:'new_tester') IS NOT NULL \; DELETE FROM public.invoice WHERE id = 0;
RESET SESSION AUTHORIZATION;
DROP TABLE public.invoice;

-- There is room for 60 in all, the last bit included.
SELECT min(n), max(n) FROM (SELECT wa.define_permission(format('filler:%s', i), 'x') AS n FROM generate_series(1, 55) i) d;
SELECT * FROM error_of($$SELECT wa.define_permission('one:more', 'x')$$);
SELECT secret AS last_one FROM wa.create_key(:'acme', 'last', '{}', own_permissions => '{filler:55}') \gset
SELECT wa.authenticate(:'last_one') IS NOT NULL \; SELECT wa.current_permissions(), wa.current_own_permissions(), wa.has_own_permission('filler:55'), wa.has_own_permission('filler:54');
SELECT * FROM error_of(format('UPDATE wa.api_key SET own_permissions = 1::bigint << 60 WHERE name = ''last'''));
SELECT * FROM error_of(format('UPDATE wa.api_key SET own_permissions = -1 WHERE name = ''last'''));
SELECT wa.define_permission('filler:1', 'another description');

-- People: owners and admins give what is grantable, keep what a key has, and have none themselves.
SELECT wa.define_permission('filler:2', 'for everybody', true);
SELECT id AS olga FROM wa.create_user('olga@example.org', 'Olga', 'correct horse') \gset
SELECT id AS mark FROM wa.create_user('mark@example.org', 'Mark', 'correct horse') \gset
SELECT wa.add_member(:'acme', :'olga', 'admin'), wa.add_member(:'acme', :'mark', 'member');
SELECT token AS olga_token FROM wa.sign_in('olga@example.org', 'correct horse', '192.0.2.1', 'x') s, wa.mint_user_token(s.cookie::wa.secret) \gset
SELECT token AS mark_token FROM wa.sign_in('mark@example.org', 'correct horse', '192.0.2.1', 'x') s, wa.mint_user_token(s.cookie::wa.secret) \gset
SELECT wa.authenticate(:'olga_token') IS NOT NULL \; SELECT wa.current_own_permissions(), wa.has_own_permission('filler:2');
SELECT * FROM error_of(format('SELECT wa.authenticate_for(%L, ''{filler:2}'')', :'olga_token'));
BEGIN;
SELECT wa.authenticate(:'olga_token') IS NOT NULL AS bound;
SELECT secret AS made, id AS made_id FROM wa.create_api_key('by Olga', '{filler:2,read,filler:2}') \gset
SELECT name, permissions FROM wa.show_api_key(:'made_id');
SELECT envelope::jsonb #> '{payload,permissions}' AS in_event FROM wa.event WHERE org_id = :'acme' AND type = 'key.created' ORDER BY id DESC LIMIT 1;
COMMIT;
SELECT wa.authenticate(:'made') IS NOT NULL \; SELECT wa.current_permissions(), wa.current_own_permissions();
-- Not: what only administrators give, for a new key or an old one.
BEGIN;
SELECT wa.authenticate(:'olga_token') IS NOT NULL AS bound;
SELECT state, message, column_name FROM error_of($$SELECT wa.create_api_key('more', '{read,filler:3}')$$);
SELECT state, message, column_name FROM error_of($$SELECT wa.create_api_key('more', '{filler:2,no:such}')$$);
SELECT state, message, column_name FROM error_of(format('SELECT wa.update_api_key(%L, permissions => ''{read,filler:3}'')', :'made_id'));
ROLLBACK;
-- What an administrator gave stays through changes, and can be taken away.
SELECT wa.set_own_permissions(:'made_id', '{filler:2,filler:3}');
BEGIN;
SELECT wa.authenticate(:'olga_token') IS NOT NULL AS bound;
SELECT wa.update_api_key(:'made_id', name => 'renamed with its own') IS NOT NULL AS changed;
SELECT permissions FROM wa.show_api_key(:'made_id');
-- Nobody gets the secret of such a key by rotating it, nor takes away what restricts it.
SELECT c.call, e.state, e.message FROM (VALUES ('rotate_api_key(%L)'), ('update_api_key(%L, expires_at => ''infinity'')'),
	('update_api_key(%L, sessions => ''{00000000-0000-0000-0000-000000000000}'')'), ('update_api_key(%L, addresses => ''{192.0.2.0/24}'')'),
	('update_api_key(%L, per_minute => 0)')) c (call), error_of(format('SELECT wa.' || c.call, :'made_id')) e;
SELECT wa.update_api_key(:'made_id', enabled => false) IS NOT NULL AS off, wa.update_api_key(:'made_id', enabled => true) IS NOT NULL AS and_on;
SELECT wa.update_api_key(:'made_id', permissions => '{filler:3}') IS NOT NULL AS changed;
SELECT permissions FROM wa.show_api_key(:'made_id');
SELECT wa.update_api_key(:'made_id', permissions => '{send}') IS NOT NULL AS changed;
SELECT permissions FROM wa.show_api_key(:'made_id');
-- ... but not given back.
SELECT state, message FROM error_of(format('SELECT wa.update_api_key(%L, permissions => ''{send,filler:3}'')', :'made_id'));
ROLLBACK;
-- They are told what they may give, and nothing of what only administrators give.
SELECT wa.define_permission('filler:10', 'comes before the other one', true), wa.define_permission('filler:6', 'was for everybody', true);
SELECT wa.drop_permission('filler:6');
BEGIN;
SELECT wa.authenticate(:'olga_token') IS NOT NULL AS bound;
SELECT * FROM wa.list_permissions();
ROLLBACK;
-- Nobody else is: a member, an API key, nobody.
BEGIN;
SELECT wa.authenticate(:'mark_token') IS NOT NULL AS bound;
SELECT state, message FROM error_of('SELECT wa.list_permissions()');
ROLLBACK;
BEGIN;
SELECT wa.authenticate(:'acme_all') IS NOT NULL AS bound;
SELECT state, message FROM error_of('SELECT wa.list_permissions()');
ROLLBACK;
SELECT state, message FROM error_of('SELECT wa.list_permissions()');
-- A member makes no keys.
BEGIN;
SELECT wa.authenticate(:'mark_token') IS NOT NULL AS bound;
SELECT state, message FROM error_of($$SELECT wa.create_api_key('more', '{filler:2}')$$);
ROLLBACK;
