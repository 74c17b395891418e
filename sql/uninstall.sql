-- DROP EXTENSION … CASCADE closes the tables that wa.protect() protected: it
-- takes the policies away and leaves row security forced, and a table without
-- a policy shows nothing.  (In a database of its own.)
\set superuser :USER
SET client_min_messages = warning;
SELECT current_database() AS home \gset
CREATE DATABASE regress_uninstall;
\c regress_uninstall
SET client_min_messages = warning;
CREATE EXTENSION wa_apikeys;
CREATE TABLE public.invoice (org_id uuid NOT NULL, id int, PRIMARY KEY (org_id, id));
INSERT INTO public.invoice SELECT wa.create_org('x'), i FROM generate_series(1, 2) i;
GRANT SELECT ON public.invoice TO regress_app;
SELECT wa.protect('public.invoice');
-- Without CASCADE the extension can't be dropped.
DROP EXTENSION wa_apikeys;
DROP EXTENSION wa_apikeys CASCADE;
SELECT polname FROM pg_policy WHERE polrelid = 'public.invoice'::regclass;
-- The label stays, until it is taken away.
SELECT label FROM pg_seclabel WHERE objoid = 'public.invoice'::regclass;
SECURITY LABEL FOR wa_apikeys ON TABLE public.invoice IS NULL;
SELECT label FROM pg_seclabel WHERE objoid = 'public.invoice'::regclass;
\c - regress_app
SELECT count(*) FROM public.invoice;
\c - :superuser
\c :home
DROP DATABASE regress_uninstall;
-- The roles belong to the cluster, and stay.
SELECT count(*) FROM pg_roles WHERE rolname LIKE 'wa\_%';
