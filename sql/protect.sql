-- wa.protect(): the same policies on a table of one's own.
SELECT value AS acme FROM fixture WHERE name = 'acme' \gset
SELECT value AS beta FROM fixture WHERE name = 'beta' \gset
SELECT value AS acme_all FROM fixture WHERE name = 'acme_all' \gset
SELECT value AS acme_read FROM fixture WHERE name = 'acme_read' \gset
\set superuser :USER
\set SHOW_CONTEXT never

-- A table that would leak is refused, and says where.
CREATE TABLE public.invoice (id int PRIMARY KEY, org_id uuid, total int);
SELECT wa.protect('public.invoice');
SELECT * FROM wa.leaks('public.invoice', 'org_id');
SELECT wa.protect('public.invoice', 'no_such');
DROP TABLE public.invoice;

CREATE TABLE public.invoice (org_id uuid NOT NULL, id int, total int, PRIMARY KEY (org_id, id));
CREATE INDEX invoice_total ON public.invoice (total);
SELECT wa.protect('public.invoice');
DROP INDEX invoice_total;
INSERT INTO public.invoice VALUES (:'acme', 1, 10), (:'beta', 1, 20);
GRANT SELECT, INSERT, UPDATE, DELETE ON public.invoice TO regress_app;
SELECT wa.protect('public.invoice', read => 'read', write => 'manage');
-- Twice is no error, and no second set of policies.
SELECT wa.protect('public.invoice');
SELECT polname, polpermissive, polcmd FROM pg_policy WHERE polrelid = 'public.invoice'::regclass ORDER BY polname;
SELECT wa.is_protected('public.invoice');

\c - regress_app
\set SHOW_CONTEXT never
SELECT * FROM public.invoice;
SELECT wa.authenticate(:'acme_all') IS NOT NULL \; SELECT id, total FROM public.invoice;
SELECT wa.authenticate(:'acme_all') IS NOT NULL \; UPDATE public.invoice SET total = 11 RETURNING id, total;
SELECT wa.authenticate(:'acme_all') IS NOT NULL \; INSERT INTO public.invoice VALUES (:'beta', 2, 30);
SELECT wa.authenticate(:'acme_all') IS NOT NULL \; INSERT INTO public.invoice VALUES (wa.current_org(), 2, 30) RETURNING id;
-- P18: the id that Beta has is free; ON CONFLICT and MERGE reach own rows only (P19).
SELECT wa.authenticate(:'acme_all') IS NOT NULL \; INSERT INTO public.invoice VALUES (wa.current_org(), 1, 40) ON CONFLICT (org_id, id) DO UPDATE SET total = 41 WHERE invoice.total < 1000 RETURNING total;
SELECT wa.authenticate(:'acme_all') IS NOT NULL \; INSERT INTO public.invoice VALUES (:'beta', 1, 40) ON CONFLICT (org_id, id) DO UPDATE SET total = 42;
SELECT wa.authenticate(:'acme_all') IS NOT NULL \; MERGE INTO public.invoice i USING (VALUES (:'beta'::uuid, 1)) v (org_id, id) ON i.org_id = v.org_id AND i.id = v.id WHEN MATCHED THEN UPDATE SET total = 43 WHEN NOT MATCHED THEN DO NOTHING;
SELECT wa.authenticate(:'acme_all') IS NOT NULL \; DELETE FROM public.invoice WHERE id = 2;
-- A read-only key.
SELECT wa.authenticate(:'acme_read') IS NOT NULL \; SELECT id, total FROM public.invoice;
SELECT wa.authenticate(:'acme_read') IS NOT NULL \; UPDATE public.invoice SET total = 0;
SELECT wa.authenticate(:'acme_read') IS NOT NULL \; DELETE FROM public.invoice WHERE false;
SELECT wa.authenticate(:'acme_read') IS NOT NULL \; INSERT INTO public.invoice VALUES (wa.current_org(), 3, 1);
SELECT wa.protect('public.invoice');
SELECT wa.unprotect('public.invoice');

\c - :superuser
-- Beta's invoice is as it was.
SELECT org_id = :'acme' AS of_acme, id, total FROM public.invoice ORDER BY total;
-- What somebody changes afterwards is a finding of the self-check.
CREATE INDEX invoice_total ON public.invoice (total);
SELECT detail FROM wa.self_check() WHERE name = 'protected tables stay protected';
DROP INDEX public.invoice_total;
ALTER TABLE public.invoice NO FORCE ROW LEVEL SECURITY;
SELECT detail FROM wa.self_check() WHERE name = 'protected tables stay protected';
GRANT UPDATE (label) ON wa.session TO regress_app;
SELECT detail FROM wa.self_check() WHERE name = 'nobody else is granted anything on tables';
REVOKE UPDATE (label) ON wa.session FROM regress_app;
SELECT wa.unprotect('public.invoice');
SELECT relrowsecurity, relforcerowsecurity, wa.is_protected(oid) FROM pg_class WHERE oid = 'public.invoice'::regclass;
DROP TABLE public.invoice;

-- The owner of a table, who is no superuser, protects it as a member of wa_admin.
CREATE SCHEMA shop AUTHORIZATION regress_admin;
\c - regress_admin
CREATE TABLE shop.item (tenant uuid NOT NULL, id int, PRIMARY KEY (tenant, id));
SELECT wa.protect('shop.item', 'tenant');
SELECT wa.is_protected('shop.item');
SELECT wa.protect('wa.session');
\c - :superuser
DROP SCHEMA shop CASCADE;
