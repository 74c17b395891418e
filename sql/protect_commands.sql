-- wa.protect() with a permission for each command, wa.protected, and what a change reads.
\set superuser :USER
\set SHOW_CONTEXT never
SELECT value AS acme FROM fixture WHERE name = 'acme' \gset
SELECT value AS beta FROM fixture WHERE name = 'beta' \gset
CREATE TABLE public.note (tenant uuid NOT NULL DEFAULT wa.current_org(), id int NOT NULL, body text, PRIMARY KEY (tenant, id));
INSERT INTO public.note VALUES (:'acme', 1, 'ours'), (:'beta', 1, 'theirs');
GRANT SELECT, INSERT, UPDATE, DELETE ON public.note TO regress_app;
SELECT wa.protect('public.note', 'tenant', read => 'events', write => 'manage', insert => 'send', update => 'read');
SELECT * FROM wa.protected;
SELECT wa.is_protected('public.note');
SELECT secret AS all_of_it FROM wa.create_key(:'acme', 'all of it', '{read,send,manage,events}') \gset
SELECT secret AS change_alone FROM wa.create_key(:'acme', 'change alone', '{read}') \gset
SELECT secret AS inserts FROM wa.create_key(:'acme', 'inserts', '{send}') \gset
SELECT secret AS removes FROM wa.create_key(:'acme', 'removes', '{events,manage}') \gset

\c - regress_app
\set SHOW_CONTEXT never
-- Each command needs its own permission, and one that reads needs the one to read as well.
SELECT wa.authenticate(:'all_of_it', 'events') IS NOT NULL \; SELECT id, body FROM public.note;
SELECT wa.authenticate(:'all_of_it', 'send') IS NOT NULL \; INSERT INTO public.note (id, body) VALUES (2, 'second');
SELECT wa.authenticate(:'all_of_it', 'send') IS NOT NULL \; INSERT INTO public.note (id, body) VALUES (3, 'third') RETURNING id;
SELECT wa.authenticate(:'all_of_it', '{send,events}') IS NOT NULL \; INSERT INTO public.note (id, body) VALUES (3, 'third') RETURNING id;
SELECT wa.authenticate(:'all_of_it', 'read') IS NOT NULL \; UPDATE public.note SET body = 'all';
SELECT wa.authenticate(:'all_of_it', 'read') IS NOT NULL \; UPDATE public.note SET body = 'one' WHERE id = 1;
SELECT wa.authenticate(:'all_of_it', '{read,events}') IS NOT NULL \; UPDATE public.note SET body = 'one' WHERE id = 1 RETURNING body;
SELECT wa.authenticate(:'all_of_it', '{read,events}') IS NOT NULL \; DELETE FROM public.note WHERE id = 3;
SELECT wa.authenticate(:'all_of_it', '{manage,events}') IS NOT NULL \; DELETE FROM public.note WHERE id = 3 RETURNING body;
SELECT wa.authenticate(:'all_of_it', '{events,send}') IS NOT NULL \; INSERT INTO public.note (id, body) VALUES (1, 'other') ON CONFLICT (tenant, id) DO UPDATE SET body = EXCLUDED.body;
SELECT wa.authenticate(:'all_of_it', '{events,send,read}') IS NOT NULL \; INSERT INTO public.note (id, body) VALUES (1, 'other') ON CONFLICT (tenant, id) DO UPDATE SET body = EXCLUDED.body RETURNING body;
-- A key that lacks the one to read is told why, whatever it was authenticated for.  Without a
-- change no such reason is given.
SELECT wa.authenticate(:'change_alone') IS NOT NULL \; UPDATE public.note SET body = 'two' WHERE id = 1;
SELECT wa.authenticate(:'change_alone') IS NOT NULL \; WITH changed AS (UPDATE public.note SET body = 'two' RETURNING id) SELECT count(*) FROM changed;
SELECT wa.authenticate(:'change_alone') IS NOT NULL \; SELECT body FROM public.note;
SELECT wa.authenticate(:'change_alone') IS NOT NULL \; INSERT INTO public.note (id, body) VALUES (4, 'fourth');
SELECT wa.authenticate(:'inserts') IS NOT NULL \; DELETE FROM public.note;
SELECT wa.authenticate(:'inserts') IS NOT NULL \; INSERT INTO public.note (tenant, id, body) VALUES (:'beta', 9, 'ninth');
SELECT wa.authenticate(:'removes') IS NOT NULL \; DELETE FROM public.note WHERE id = 2 RETURNING tenant = :'acme' AS ours;
SELECT wa.authenticate(:'removes') IS NOT NULL \; UPDATE public.note SET body = 'three';
SELECT * FROM wa.protected;
SELECT wa.policy_permission(NULL);

\c - :superuser
\set SHOW_CONTEXT never
-- Nothing of Beta's was touched.
SELECT tenant = :'acme' AS ours, id, body FROM public.note ORDER BY tenant = :'acme', id;
-- What is no permission is refused, in each place, and nothing is changed.
SELECT wa.protect('public.note', 'tenant', read => 'write');
SELECT wa.protect('public.note', 'tenant', write => 'READ');
SELECT wa.protect('public.note', 'tenant', insert => '');
SELECT wa.protect('public.note', 'tenant', update => 'read,manage');
SELECT wa.protect('public.note', 'tenant', delete => '''::wa.permission) OR (true');
SELECT wa.protect('public.note', 'tenant', read => NULL);
SELECT * FROM wa.protected;
-- Again without them, each is that of write; partitions and children are listed, and what is
-- closed or open is told.
CREATE TABLE public.old_note (PRIMARY KEY (tenant, id)) INHERITS (public.note);
SELECT * FROM wa.protected ORDER BY relation::text;
SELECT wa.protect('public.note', 'tenant');
SELECT * FROM wa.protected ORDER BY relation::text;
-- A policy with another condition has no permission; two have none either.
ALTER POLICY wa_read ON public.old_note USING (tenant = wa.org_for('read') OR tenant = wa.org_for('send'));
ALTER POLICY wa_delete ON public.old_note USING (true);
SELECT * FROM wa.protected WHERE relation = 'public.old_note'::regclass;
SELECT wa.unprotect('public.note');
SELECT count(*) FROM wa.protected;
DROP TABLE public.note CASCADE;
