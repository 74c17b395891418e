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
SELECT wa.authenticate(:'acme_read') IS NOT NULL \; DELETE FROM public.invoice WHERE id = 4711;
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
ALTER TABLE public.invoice FORCE ROW LEVEL SECURITY;
-- A policy that says more than it should is not the same policy.
ALTER POLICY wa_read ON public.invoice USING (true OR org_id = wa.org_for('read'));
SELECT detail FROM wa.self_check() WHERE name = 'protected tables stay protected';
-- Losing them is found; isolation and permissions stay.
BEGIN;
SELECT format('DROP POLICY %I ON public.invoice', polname) FROM pg_policy WHERE polrelid = 'public.invoice'::regclass AND polname NOT LIKE 'wa\_open%' ORDER BY polname \gexec
SELECT detail FROM wa.self_check() WHERE name = 'protected tables stay protected';
SELECT wa.authenticate(:'acme_read') IS NOT NULL;
SET LOCAL SESSION AUTHORIZATION regress_app;
SELECT id, total FROM public.invoice;
DELETE FROM public.invoice;
ROLLBACK;
SELECT wa.protect('public.invoice');
SELECT wa.is_protected('public.invoice');
-- So is a trigger that is gone.
BEGIN;
DROP TRIGGER api_key_invalidate ON wa.api_key;
SELECT detail FROM wa.self_check() WHERE name = 'objects are those of wa.objects()';
ROLLBACK;
-- NULL is a mistake, not a table that needs no protection.
SELECT wa.protect(to_regclass('public.typo'));
SELECT wa.protect('public.invoice', write => NULL);
SELECT wa.protect(NULL);
SELECT wa.unprotect(NULL);
SELECT wa.require_permission(NULL);
SELECT wa.org_for(NULL);
SELECT wa.act_for(NULL);
SELECT wa.revoke_key(NULL);
SELECT wa.revoke_key(NULL, 'x');
SELECT wa.rotate_key(NULL);
-- Neither is a view a table, nor does a strange name confuse anything.
CREATE VIEW public.invoices AS SELECT * FROM public.invoice;
SELECT wa.protect('public.invoices');
DROP VIEW public.invoices;
CREATE TABLE public."Odd %s table" ("o%s ""x" uuid NOT NULL, id int, PRIMARY KEY ("o%s ""x", id));
SELECT wa.protect('public."Odd %s table"', 'o%s "x');
SELECT wa.is_protected('public."Odd %s table"'), wa.org_column_of('public."Odd %s table"');
CREATE INDEX odd_id ON public."Odd %s table" (id);
SELECT detail FROM wa.self_check() WHERE name = 'protected tables stay protected';
DROP TABLE public."Odd %s table";
GRANT UPDATE (label) ON wa.session TO regress_app;
SELECT detail FROM wa.self_check() WHERE name = 'privileges are those of wa.granted()';
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

-- Rights that row security does not look at are taken back, and found later on.
CREATE TABLE public.box (org_id uuid NOT NULL, id int, note text, PRIMARY KEY (org_id, id));
GRANT SELECT, INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER ON public.box TO wa_app, regress_nobody;
SELECT wa.protect('public.box');
SELECT * FROM wa.leaks('public.box', 'org_id');
REVOKE TRUNCATE, TRIGGER, REFERENCES ON public.box FROM regress_nobody;
SELECT wa.protect('public.box');
SELECT relacl::text ~ 'wa_app=arwd/' AS what_is_left FROM pg_class WHERE oid = 'public.box'::regclass;
GRANT SELECT, INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER ON public.box TO wa_app;
SELECT detail FROM wa.self_check() WHERE name = 'protected tables stay protected';
REVOKE TRUNCATE, TRIGGER, REFERENCES ON public.box FROM wa_app;
GRANT REFERENCES (id) ON public.box TO wa_app;
SELECT detail FROM wa.self_check() WHERE name = 'protected tables stay protected';
REVOKE REFERENCES (id) ON public.box FROM wa_app;
-- Indexes of other kinds have no leading column.
CREATE INDEX box_brin ON public.box USING brin (org_id, id);
SELECT * FROM wa.leaks('public.box', 'org_id');
DROP INDEX box_brin;
-- A foreign key has to lead to the other table's organization.
CREATE TABLE public.lid (org_id uuid NOT NULL, box_org uuid, box int, UNIQUE (org_id, box), note uuid);
ALTER TABLE public.box ADD other uuid, ADD UNIQUE (org_id, other, id);
CREATE TABLE public.shelf (tenant uuid NOT NULL, id uuid NOT NULL, PRIMARY KEY (tenant, id));
SELECT wa.protect('public.shelf', 'tenant');
CREATE UNIQUE INDEX shelf_other ON public.shelf (id, tenant);
ALTER TABLE public.lid ADD FOREIGN KEY (org_id, note) REFERENCES public.shelf (id, tenant);
SELECT * FROM wa.leaks('public.lid', 'org_id');
DROP TABLE public.lid, public.shelf, public.box;
