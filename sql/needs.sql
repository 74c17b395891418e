-- What a transaction is authenticated for: no more than it needs, and enough for
-- what PostgreSQL reads on the way.
\set superuser :USER
\set SHOW_CONTEXT never
SELECT value AS acme FROM fixture WHERE name = 'acme' \gset
SELECT value AS beta FROM fixture WHERE name = 'beta' \gset
SELECT value AS acme_all FROM fixture WHERE name = 'acme_all' \gset
SELECT value AS acme_manage FROM fixture WHERE name = 'acme_manage' \gset
SELECT secret AS keeper FROM wa.create_key(:'acme', 'keeper', '{read,manage}') \gset
CREATE TABLE public.bill (org_id uuid NOT NULL DEFAULT wa.current_org(), id int NOT NULL, total int, PRIMARY KEY (org_id, id));
INSERT INTO public.bill VALUES (:'acme', 1, 10), (:'acme', 2, 20), (:'beta', 1, 30);
GRANT SELECT, INSERT, UPDATE, DELETE ON public.bill TO regress_app;
SELECT wa.protect('public.bill', read => 'read', write => 'manage');
CREATE TABLE public.empty_bill (LIKE public.bill INCLUDING ALL);
GRANT SELECT, INSERT, UPDATE, DELETE ON public.empty_bill TO regress_app;
SELECT wa.protect('public.empty_bill', read => 'read', write => 'manage');

\c - regress_app
\set SHOW_CONTEXT never
-- For both: a change with a condition, with RETURNING, with both.
SELECT wa.authenticate(:'keeper', '{read,manage}') IS NOT NULL \; SELECT wa.current_permissions();
SELECT wa.authenticate(:'keeper', '{read,manage}') IS NOT NULL \; UPDATE public.bill SET total = 11 WHERE id = 1;
SELECT wa.authenticate(:'keeper', '{read,manage}') IS NOT NULL \; UPDATE public.bill SET total = total + 1 WHERE id = 1 RETURNING total;
SELECT wa.authenticate(:'keeper', '{read,manage}') IS NOT NULL \; INSERT INTO public.bill (id, total) VALUES (3, 40) RETURNING id, total;
SELECT wa.authenticate(:'keeper', '{read,manage}') IS NOT NULL \; INSERT INTO public.bill (id, total) VALUES (3, 41) ON CONFLICT (org_id, id) DO UPDATE SET total = EXCLUDED.total RETURNING total;
SELECT wa.authenticate(:'keeper', '{read,manage}') IS NOT NULL \; MERGE INTO public.bill b USING (VALUES (3, 42)) v (id, total) ON b.id = v.id WHEN MATCHED THEN UPDATE SET total = v.total;
SELECT wa.authenticate(:'keeper', '{read,manage}') IS NOT NULL \; DELETE FROM public.bill WHERE id = 3 RETURNING total;
SELECT wa.authenticate(:'keeper', '{read,manage}') IS NOT NULL \; SELECT id FROM public.bill WHERE total > 0 ORDER BY id FOR UPDATE;
-- For manage alone: what reads is refused, whatever the key has besides, and the error says why.
SELECT wa.authenticate(:'keeper', 'manage') IS NOT NULL \; UPDATE public.bill SET total = 0 WHERE id = 1;
SELECT wa.authenticate(:'keeper', 'manage') IS NOT NULL \; DELETE FROM public.bill WHERE id = 1;
SELECT wa.authenticate(:'keeper', 'manage') IS NOT NULL \; INSERT INTO public.bill (id, total) VALUES (4, 50) RETURNING id;
SELECT wa.authenticate(:'keeper', 'manage') IS NOT NULL \; SELECT count(*) FROM public.bill;
-- ... and what does not read is done.
SELECT wa.authenticate(:'keeper', 'manage') IS NOT NULL \; INSERT INTO public.bill (id, total) VALUES (4, 50);
SELECT wa.authenticate(:'keeper', 'manage') IS NOT NULL \; UPDATE public.bill SET total = 60;
-- For read alone nothing is changed.
SELECT wa.authenticate(:'keeper', 'read') IS NOT NULL \; SELECT id, total FROM public.bill ORDER BY id;
SELECT wa.authenticate(:'keeper', 'read') IS NOT NULL \; UPDATE public.bill SET total = 0 WHERE id = 1;
-- A query needs the permissions of all tables that it names, like PostgreSQL's own privileges:
-- also where a table has no row of anybody, or is not read.
SET enable_indexscan = off; SET enable_bitmapscan = off;
SELECT wa.authenticate(:'keeper', 'read') IS NOT NULL \; SELECT count(*) FROM public.empty_bill;
SELECT wa.authenticate(:'keeper', 'manage') IS NOT NULL \; SELECT count(*) FROM public.empty_bill;
SELECT wa.authenticate(:'keeper', 'manage') IS NOT NULL \; SELECT id FROM public.empty_bill LIMIT 0;
SELECT wa.authenticate(:'keeper', 'manage') IS NOT NULL \; SELECT id FROM public.empty_bill WHERE false;
SELECT wa.authenticate(:'keeper', 'manage') IS NOT NULL \; SELECT 1 WHERE EXISTS (SELECT FROM public.empty_bill);
SELECT wa.authenticate(:'keeper', 'manage') IS NOT NULL \; WITH b AS (SELECT id FROM public.empty_bill) SELECT b.id FROM b;
SELECT wa.authenticate(:'keeper', 'manage') IS NOT NULL \; SELECT CASE WHEN wa.has_permission('read') THEN (SELECT count(*) FROM public.empty_bill) END;
SELECT wa.authenticate(:'keeper', 'manage') IS NOT NULL \; INSERT INTO public.bill (id, total) SELECT id, total FROM public.empty_bill;
SELECT wa.authenticate(:'keeper', 'read') IS NOT NULL \; INSERT INTO public.bill (id, total) SELECT id, total FROM public.empty_bill;
SELECT wa.authenticate(:'keeper', '{read,manage}') IS NOT NULL \; INSERT INTO public.bill (id, total) SELECT id, total FROM public.empty_bill;
SELECT wa.authenticate(:'keeper', 'read') IS NOT NULL \; DELETE FROM public.empty_bill;
SELECT wa.authenticate(:'keeper', '{read,manage}') IS NOT NULL \; DELETE FROM public.empty_bill WHERE id = 1;
SELECT count(*) FROM public.empty_bill;
-- ... in a prepared statement too, which was planned for somebody who has them.
SET plan_cache_mode = force_generic_plan;
PREPARE bills AS SELECT count(*) FROM public.empty_bill;
SELECT wa.authenticate(:'keeper', 'read') IS NOT NULL \; EXECUTE bills;
SELECT wa.authenticate(:'keeper', 'manage') IS NOT NULL \; EXECUTE bills;
EXECUTE bills;
RESET plan_cache_mode; RESET enable_indexscan; RESET enable_bitmapscan;
-- A key that lacks one of them is refused at once, before anything is read.
SELECT * FROM error_of(format('SELECT wa.authenticate(%L, ''{read,manage}'')', :'acme_manage'));
SELECT * FROM error_of(format('SELECT wa.authenticate(%L, ''{send,events,manage}'')', :'keeper'));
SELECT wa.authenticate(:'acme_manage', 'manage') IS NOT NULL \; UPDATE public.bill SET total = 0 WHERE id = 1;

-- A set is what is asked for, and no more; the empty one says who it is and opens nothing.
SELECT needs, (SELECT wa.current_permissions() WHERE wa.authenticate(:'acme_all', needs) IS NOT NULL) AS covers FROM (VALUES (NULL::wa.permissions)) v (needs);
SELECT wa.authenticate(:'acme_all', '{send,read}') IS NOT NULL \; SELECT wa.current_permissions();
SELECT wa.authenticate(:'acme_all', ' events ') IS NOT NULL \; SELECT wa.current_permissions();
SELECT wa.authenticate(:'acme_all', ARRAY['send']::wa.permission[]::wa.permissions) IS NOT NULL \; SELECT wa.current_permissions();
SELECT wa.authenticate(:'acme_all', '{}') IS NOT NULL \; SELECT wa.current_permissions(), wa.current_org() = :'acme' AS acme;
SELECT wa.authenticate(:'acme_all', '{}') IS NOT NULL \; SELECT count(*) FROM public.bill;
SELECT wa.authenticate(:'acme_all', '{}') IS NOT NULL \; SELECT count(*) FROM wa.session;
-- Asked for one after the other it is the same.
BEGIN;
SELECT wa.authenticate(:'keeper', 'manage') IS NOT NULL;
SELECT wa.authenticate(:'keeper', 'read') IS NOT NULL;
UPDATE public.bill SET total = 12 WHERE id = 1 RETURNING total;
ROLLBACK;
-- As a bind parameter, with a generic plan, for one set and then for another.
SET plan_cache_mode = force_generic_plan;
PREPARE bind AS SELECT wa.authenticate($1, $2) IS NOT NULL AS bound;
SELECT parameter_types FROM pg_prepared_statements WHERE name = 'bind';
BEGIN; EXECUTE bind(:'keeper', '{read,manage}'); SELECT wa.current_permissions(); COMMIT;
BEGIN; EXECUTE bind(:'keeper', 'read'); SELECT wa.current_permissions(); COMMIT;
-- What is no permission, and a credential in the wrong place, which no error repeats.
SELECT * FROM error_of(format('SELECT wa.authenticate(%L, ''write'')', :'keeper'));
SELECT * FROM error_of(format('SELECT wa.authenticate(%L, ''{write}'')', :'keeper'));
SELECT * FROM error_of(format('SELECT wa.authenticate(%L, ''read,manage'')', :'keeper'));
SELECT state, message FROM error_of(format('SELECT wa.authenticate(%L, %L)', :'keeper', :'keeper'));

\c - :superuser
-- Beta's bill is as it was.
SELECT id, total FROM public.bill WHERE org_id = :'beta';
-- A plan that exists learns of another permission.
SET plan_cache_mode = force_generic_plan;
SET enable_indexscan = off; SET enable_bitmapscan = off;
SET SESSION AUTHORIZATION regress_app;
PREPARE bills AS SELECT count(*) FROM public.empty_bill;
SELECT wa.authenticate(:'keeper', 'read') IS NOT NULL \; EXECUTE bills;
RESET SESSION AUTHORIZATION;
SELECT wa.protect('public.empty_bill', read => 'manage', write => 'manage');
SET SESSION AUTHORIZATION regress_app;
SELECT wa.authenticate(:'keeper', 'manage') IS NOT NULL \; EXECUTE bills;
SELECT wa.authenticate(:'keeper', 'read') IS NOT NULL \; EXECUTE bills;
RESET SESSION AUTHORIZATION;
DROP TABLE public.bill, public.empty_bill;
