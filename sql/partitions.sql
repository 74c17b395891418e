-- Partitions and inheritance children of protected tables.  PostgreSQL looks at
-- the policies of the table that a query names: a child has to have its own.
SELECT value AS acme FROM fixture WHERE name = 'acme' \gset
SELECT value AS beta FROM fixture WHERE name = 'beta' \gset
SELECT value AS acme_all FROM fixture WHERE name = 'acme_all' \gset
SELECT value AS acme_read FROM fixture WHERE name = 'acme_read' \gset
SELECT value AS beta_all FROM fixture WHERE name = 'beta_all' \gset
\set superuser :USER
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CREATE SCHEMA tree;
GRANT USAGE ON SCHEMA tree TO regress_app;
-- Whose rows the caller sees in a table.
CREATE FUNCTION tree.seen(target regclass) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	answer text;
BEGIN
	EXECUTE format('SELECT string_agg(DISTINCT f.name, '' and '') FROM %s t JOIN public.fixture f ON f.value = t.org_id::text', target)
	INTO answer;
	RETURN COALESCE(answer, 'nothing');
EXCEPTION WHEN invalid_authorization_specification OR insufficient_privilege THEN
	RETURN SQLERRM;
END $$;

-- The control: policies on the parent alone, and grants on all tables.  Without a
-- key an application reads everybody's rows, and changes them.
CREATE TABLE tree.naive (org_id uuid NOT NULL, id int, PRIMARY KEY (org_id, id)) PARTITION BY HASH (org_id);
CREATE TABLE tree.naive_0 PARTITION OF tree.naive FOR VALUES WITH (MODULUS 1, REMAINDER 0);
INSERT INTO tree.naive VALUES (:'acme', 1), (:'beta', 1);
ALTER TABLE tree.naive ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY by_org ON tree.naive TO wa_app USING (org_id = wa.require_org());
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA tree TO regress_app;
SET SESSION AUTHORIZATION regress_app;
SELECT c AS relation, tree.seen(c) FROM unnest('{tree.naive,tree.naive_0}'::regclass[]) c;
BEGIN;
UPDATE tree.naive_0 SET id = 2 RETURNING org_id = :'beta' AS of_beta;
ROLLBACK;
RESET SESSION AUTHORIZATION;
-- That a partition is protected and its parent is not would be the same from
-- above: refused.
DROP POLICY by_org ON tree.naive;
ALTER TABLE tree.naive NO FORCE ROW LEVEL SECURITY, DISABLE ROW LEVEL SECURITY;
SELECT wa.protect('tree.naive_0');
DROP TABLE tree.naive;

-- A tree of two levels.  The columns of a table that is attached are in another
-- order, one was dropped, and it has policies and grants of its own.
CREATE TABLE tree.entry (id int NOT NULL, note text, org_id uuid NOT NULL, at date NOT NULL, PRIMARY KEY (org_id, id, at))
	PARTITION BY RANGE (at);
CREATE TABLE tree.entry_2026 PARTITION OF tree.entry FOR VALUES FROM ('2026-01-01') TO ('2027-01-01') PARTITION BY LIST (org_id);
CREATE TABLE tree.entry_2026_acme PARTITION OF tree.entry_2026 FOR VALUES IN (:'acme');
CREATE TABLE tree.entry_2026_beta PARTITION OF tree.entry_2026 FOR VALUES IN (:'beta');
CREATE TABLE tree.entry_2025 (gone int, at date NOT NULL, org_id uuid NOT NULL, note text, id int NOT NULL);
ALTER TABLE tree.entry_2025 DROP COLUMN gone;
CREATE POLICY everything ON tree.entry_2025 USING (true);
ALTER TABLE tree.entry ATTACH PARTITION tree.entry_2025 FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
CREATE FUNCTION tree.members(later text DEFAULT '') RETURNS TABLE (relation regclass) LANGUAGE sql AS $$
	SELECT t.relid FROM pg_partition_tree('tree.entry') t
	WHERE t.level > 0 AND t.relid::text ~ later ORDER BY t.relid::text
$$;
INSERT INTO tree.entry (org_id, id, at) SELECT org::uuid, 1, at
FROM unnest(ARRAY[:'acme', :'beta']) org, unnest('{2025-05-05,2026-05-05}'::date[]) at;
GRANT SELECT, INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER ON ALL TABLES IN SCHEMA tree TO regress_app;

-- One call for the tree, or a refusal that names the place.
SELECT wa.protect('tree.entry');
SELECT * FROM wa.leaks('tree.entry', 'org_id') WHERE object LIKE '%entry\_2025';
REVOKE TRUNCATE, TRIGGER, REFERENCES ON ALL TABLES IN SCHEMA tree FROM regress_app;
CREATE INDEX entry_2025_note ON tree.entry_2025 (note);
SELECT wa.protect('tree.entry');
DROP INDEX tree.entry_2025_note;
CREATE INDEX entry_2026_acme_lower ON tree.entry_2026_acme (lower(note));
SELECT wa.protect('tree.entry');
DROP INDEX tree.entry_2026_acme_lower;
SELECT wa.protect('tree.entry', read => 'read', write => 'manage');
SELECT relation, wa.is_protected(relation), wa.org_column_of(relation) FROM tree.members();
SELECT wa.is_protected('tree.entry'), wa.org_column_of('tree.entry');
SELECT * FROM wa.leaks('tree.entry', 'org_id');

\c - regress_app
\set SHOW_CONTEXT never
SELECT relation, tree.seen(relation) FROM tree.members();
SELECT wa.authenticate(:'acme_all') IS NOT NULL \; SELECT relation, tree.seen(relation) FROM tree.members();
SELECT wa.authenticate(:'beta_all') IS NOT NULL \; SELECT relation, tree.seen(relation) FROM tree.members();
SELECT wa.authenticate(:'beta_all') IS NOT NULL \; SELECT tree.seen('tree.entry'), (SELECT count(*) FROM ONLY tree.entry) AS only_entry;
-- Another's partition cannot be written, nor its rows be changed or removed.
SELECT wa.authenticate(:'acme_all') IS NOT NULL \; INSERT INTO tree.entry_2026_beta (org_id, id, at) VALUES (:'beta', 2, '2026-01-01');
SELECT wa.authenticate(:'acme_all') IS NOT NULL \; UPDATE tree.entry_2025 SET note = 'mine' RETURNING org_id = :'acme' AS of_acme;
SELECT wa.authenticate(:'acme_all') IS NOT NULL \; DELETE FROM tree.entry_2026_beta RETURNING org_id;
SELECT wa.authenticate(:'acme_read') IS NOT NULL \; UPDATE tree.entry_2025 SET note = 'mine';
SELECT wa.authenticate(:'acme_all') IS NOT NULL \; INSERT INTO tree.entry_2025 (org_id, id, at) VALUES (:'acme', 1, '2025-05-05') ON CONFLICT (org_id, id, at) DO UPDATE SET note = 'again' RETURNING note;
TRUNCATE tree.entry_2025;
\c - :superuser
\set SHOW_CONTEXT never
SET client_min_messages = warning;

-- A partition of later, with what default privileges give away: it is closed in
-- the command that makes it.  Queries of the parent show its rows at once.
ALTER DEFAULT PRIVILEGES IN SCHEMA tree GRANT SELECT, INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER ON TABLES TO regress_app;
CREATE TABLE tree.entry_2027 PARTITION OF tree.entry FOR VALUES FROM ('2027-01-01') TO ('2028-01-01') PARTITION BY LIST (org_id);
CREATE TABLE tree.entry_2027_any PARTITION OF tree.entry_2027 DEFAULT;
-- A table that was somebody's own before, with a policy that shows everything and
-- rows, attached and by CREATE SCHEMA.
CREATE TABLE tree.entry_2028 (LIKE tree.entry INCLUDING INDEXES);
ALTER TABLE tree.entry_2028 ENABLE ROW LEVEL SECURITY;
CREATE POLICY everything ON tree.entry_2028 USING (true);
GRANT REFERENCES (org_id) ON tree.entry_2028 TO PUBLIC;
ALTER TABLE tree.entry ATTACH PARTITION tree.entry_2028 FOR VALUES FROM ('2028-01-01') TO ('2029-01-01');
CREATE SCHEMA tree_later CREATE TABLE entry_2029 PARTITION OF tree.entry FOR VALUES FROM ('2029-01-01') TO ('2030-01-01');
GRANT USAGE ON SCHEMA tree_later TO regress_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON tree_later.entry_2029 TO regress_app;
INSERT INTO tree.entry (org_id, id, at) SELECT org::uuid, 1, at
FROM unnest(ARRAY[:'acme', :'beta']) org, unnest('{2027-05-05,2028-05-05,2029-05-05}'::date[]) at;
\c - regress_app
\set SHOW_CONTEXT never
SELECT relation, tree.seen(relation) FROM tree.members('202[789]');
SELECT wa.authenticate(:'acme_all') IS NOT NULL \; SELECT relation, tree.seen(relation) FROM tree.members('202[789]');
SELECT wa.authenticate(:'acme_all') IS NOT NULL \; SELECT count(*), count(*) FILTER (WHERE org_id = :'acme') AS of_acme FROM tree.entry WHERE at > '2027-01-01';
SELECT wa.authenticate(:'acme_all') IS NOT NULL \; INSERT INTO tree.entry_2028 (org_id, id, at) VALUES (:'acme', 2, '2028-01-01');
SELECT wa.authenticate(:'acme_all') IS NOT NULL \; INSERT INTO tree.entry (org_id, id, at) VALUES (:'acme', 2, '2028-01-01') RETURNING id;
TRUNCATE tree.entry_2027_any;
TRUNCATE tree.entry_2028;
\c - :superuser
\set SHOW_CONTEXT never
SET client_min_messages = warning;
SELECT count(*) AS references_left FROM pg_attribute, aclexplode(attacl) WHERE attrelid = 'tree.entry_2028'::regclass;
-- Nothing is open.  wa.is_protected() says that not all is as wa.protect() leaves it.
SELECT detail FROM wa.self_check() WHERE name = 'protected tables stay protected';
SELECT relation, wa.is_protected(relation), wa.org_column_of(relation) FROM tree.members('202[789]');
-- Called again it opens them to keys.
SELECT wa.protect('tree.entry', read => 'read', write => 'manage');
SELECT relation, wa.is_protected(relation) FROM tree.members('202[789]');
SET SESSION AUTHORIZATION regress_app;
SELECT relation, tree.seen(relation) FROM tree.members('202[789]');
SELECT wa.authenticate(:'beta_all') IS NOT NULL \; SELECT relation, tree.seen(relation) FROM tree.members('202[789]');
RESET SESSION AUTHORIZATION;

-- What somebody opens is a finding, whichever table of the tree it is.
BEGIN;
ALTER EVENT TRIGGER wa_close_children DISABLE;
CREATE TABLE tree.entry_2030 PARTITION OF tree.entry FOR VALUES FROM ('2030-01-01') TO ('2031-01-01');
SELECT detail FROM wa.self_check() WHERE name = 'protected tables stay protected';
SELECT wa.is_protected('tree.entry'), wa.is_protected('tree.entry_2025'), wa.is_protected('tree.entry_2030');
-- The next change of the tree closes it.
ALTER EVENT TRIGGER wa_close_children ENABLE ALWAYS;
REVOKE TRUNCATE, TRIGGER, REFERENCES ON tree.entry_2030 FROM regress_app;
ALTER TABLE tree.entry ADD COLUMN more int;
SELECT detail FROM wa.self_check() WHERE name = 'protected tables stay protected';
-- Row security cannot be switched off below a protected table.
ALTER TABLE tree.entry_2025 DISABLE ROW LEVEL SECURITY, NO FORCE ROW LEVEL SECURITY;
SELECT relrowsecurity, relforcerowsecurity FROM pg_class WHERE oid = 'tree.entry_2025'::regclass;
DROP POLICY wa_delete ON tree.entry_2025;
CREATE POLICY everything ON tree.entry_2030 USING (true);
DROP POLICY wa_closed ON tree.entry_2030;
SELECT unnest(string_to_array(detail, ', ')) FROM wa.self_check() WHERE name = 'protected tables stay protected';
ROLLBACK;
BEGIN;
CREATE INDEX entry_2026_note ON tree.entry_2026 (note);
GRANT TRUNCATE ON tree.entry_2027_any TO regress_app;
SELECT unnest(string_to_array(detail, ', ')) FROM wa.self_check() WHERE name = 'protected tables stay protected';
SELECT * FROM wa.leaks('tree.entry', 'org_id');
ROLLBACK;

-- Nor is the trigger passed by as those of a replica are.
SET session_replication_role = replica;
CREATE TABLE tree.entry_2031 PARTITION OF tree.entry FOR VALUES FROM ('2031-01-01') TO ('2032-01-01');
RESET session_replication_role;
ALTER DEFAULT PRIVILEGES IN SCHEMA tree REVOKE ALL ON TABLES FROM regress_app;
ALTER DEFAULT PRIVILEGES IN SCHEMA tree GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO regress_app;
-- What is detached stays as it is, closed or protected.
INSERT INTO tree.entry (org_id, id, at) VALUES (:'acme', 1, '2031-05-05'), (:'beta', 1, '2031-05-05');
ALTER TABLE tree.entry DETACH PARTITION tree.entry_2031 CONCURRENTLY;
ALTER TABLE tree.entry DETACH PARTITION tree.entry_2028;
SET SESSION AUTHORIZATION regress_app;
SELECT c AS relation, tree.seen(c) FROM unnest('{tree.entry_2028,tree.entry_2031}'::regclass[]) c;
SELECT wa.authenticate(:'acme_all') IS NOT NULL \; SELECT c AS relation, tree.seen(c) FROM unnest('{tree.entry_2028,tree.entry_2031}'::regclass[]) c;
RESET SESSION AUTHORIZATION;
SELECT wa.is_protected('tree.entry_2028'), wa.is_protected('tree.entry_2031');
ALTER TABLE tree.entry_2031 DISABLE ROW LEVEL SECURITY;
SELECT detail FROM wa.self_check() WHERE name = 'protected tables stay protected';
DROP TABLE tree.entry_2028, tree.entry_2031;

-- Foreign tables have no row security.
CREATE FOREIGN DATA WRAPPER regress_elsewhere;
CREATE SERVER regress_elsewhere FOREIGN DATA WRAPPER regress_elsewhere;
CREATE TABLE tree.far (org_id uuid NOT NULL, id int) PARTITION BY LIST (org_id);
CREATE FOREIGN TABLE tree.far_all PARTITION OF tree.far DEFAULT SERVER regress_elsewhere;
SELECT wa.protect('tree.far');
SELECT wa.protect('tree.far_all');
ALTER TABLE tree.far DETACH PARTITION tree.far_all;
SELECT wa.protect('tree.far');
ALTER TABLE tree.far ATTACH PARTITION tree.far_all DEFAULT;
CREATE FOREIGN TABLE tree.far_some PARTITION OF tree.far DEFAULT SERVER regress_elsewhere;
CREATE TABLE tree.near (org_id uuid NOT NULL, id int);
SELECT wa.protect('tree.near');
CREATE FOREIGN TABLE tree.near_far () INHERITS (tree.near) SERVER regress_elsewhere;
ALTER FOREIGN TABLE tree.far_all INHERIT tree.near;
BEGIN;
ALTER EVENT TRIGGER wa_close_children DISABLE;
ALTER TABLE tree.far ATTACH PARTITION tree.far_all DEFAULT;
ALTER EVENT TRIGGER wa_close_children ENABLE ALWAYS;
SELECT detail FROM wa.self_check() WHERE name = 'protected tables stay protected';
SELECT wa.is_protected('tree.far');
ROLLBACK;
DROP TABLE tree.far, tree.near;
DROP FOREIGN DATA WRAPPER regress_elsewhere CASCADE;

-- A child is part of its parent's tree; the parent undoes the whole.
SELECT wa.unprotect('tree.entry_2026');
SELECT wa.unprotect('tree.entry');
SELECT relation, relrowsecurity, relforcerowsecurity, (SELECT count(*) FROM pg_policy WHERE polrelid = c.oid AND polname LIKE 'wa%')
FROM tree.members() JOIN pg_class c ON c.oid = relation;
-- Without disable nothing shows, in any of them.
SELECT wa.protect('tree.entry');
DROP POLICY everything ON tree.entry_2025;
SELECT wa.unprotect('tree.entry', false);
SET SESSION AUTHORIZATION regress_app;
SELECT wa.authenticate(:'acme_all') IS NOT NULL \; SELECT tree.seen('tree.entry'), string_agg(DISTINCT tree.seen(relation), ', ') AS members FROM tree.members();
RESET SESSION AUTHORIZATION;
DROP SCHEMA tree_later CASCADE;

-- Old-style inheritance, with two parents.
CREATE TABLE tree.thing (org_id uuid NOT NULL, id int NOT NULL, PRIMARY KEY (org_id, id));
CREATE TABLE tree.priced (org_id uuid NOT NULL, price int);
CREATE TABLE tree.good (PRIMARY KEY (org_id, id)) INHERITS (tree.thing, tree.priced);
INSERT INTO tree.good VALUES (:'acme', 1, 10), (:'beta', 1, 20);
-- One parent that is open shows the child's rows.
SELECT wa.protect('tree.thing');
SELECT wa.protect('tree.good');
ALTER TABLE tree.good NO INHERIT tree.priced;
SELECT wa.protect('tree.thing');
SELECT wa.is_protected('tree.good');
-- Protected first, an open parent is refused; and with a protected one no open one.
ALTER TABLE tree.good INHERIT tree.priced;
CREATE TABLE tree.cheap () INHERITS (tree.thing, tree.priced);
CREATE TABLE tree.goods (org_id uuid NOT NULL, id int NOT NULL, price int) PARTITION BY LIST (org_id);
ALTER TABLE tree.good NO INHERIT tree.thing;
ALTER TABLE tree.goods ATTACH PARTITION tree.good DEFAULT;
DROP TABLE tree.goods;
BEGIN;
ALTER EVENT TRIGGER wa_close_children DISABLE;
ALTER TABLE tree.good INHERIT tree.thing, INHERIT tree.priced;
ALTER EVENT TRIGGER wa_close_children ENABLE ALWAYS;
SELECT detail FROM wa.self_check() WHERE name = 'protected tables stay protected';
SELECT wa.is_protected('tree.thing'), wa.is_protected('tree.good');
SET LOCAL SESSION AUTHORIZATION regress_app;
SELECT tree.seen('tree.priced');
ROLLBACK;
SELECT wa.protect('tree.priced');
ALTER TABLE tree.good INHERIT tree.thing, INHERIT tree.priced;
SELECT wa.is_protected('tree.thing'), wa.is_protected('tree.good'), wa.is_protected('tree.priced');
-- A later child, and a later child of that.
CREATE TABLE tree.gift () INHERITS (tree.good);
CREATE TABLE tree.card (LIKE tree.good);
ALTER TABLE tree.card INHERIT tree.gift;
INSERT INTO tree.gift VALUES (:'acme', 2, 10), (:'beta', 2, 20);
INSERT INTO tree.card VALUES (:'acme', 3, 10), (:'beta', 3, 20);
SELECT wa.org_column_of('tree.card');
\c - regress_app
\set SHOW_CONTEXT never
SELECT c AS relation, tree.seen(c) FROM unnest('{tree.thing,tree.priced,tree.good,tree.gift,tree.card}'::regclass[]) c;
SELECT wa.authenticate(:'acme_all') IS NOT NULL \; SELECT c AS relation, tree.seen(c) FROM unnest('{tree.thing,tree.priced,tree.good,tree.gift,tree.card}'::regclass[]) c;
SELECT wa.authenticate(:'beta_all') IS NOT NULL \; SELECT count(*) FROM tree.thing;
\c - :superuser
\set SHOW_CONTEXT never
SET client_min_messages = warning;
SELECT wa.protect('tree.thing');
SELECT wa.is_protected('tree.card');
-- The other parent keeps the children protected, and does not let this one open.
SELECT wa.unprotect('tree.thing');
SELECT wa.unprotect('tree.thing', false);
SELECT c AS relation, wa.is_protected(c) FROM unnest('{tree.thing,tree.priced,tree.good,tree.gift,tree.card}'::regclass[]) c;
SELECT detail FROM wa.self_check() WHERE name = 'protected tables stay protected';
SELECT wa.protect('tree.thing');
-- Two columns could be the organization: all of a tree go by the same.
CREATE TABLE tree.deal (seller uuid NOT NULL, buyer uuid NOT NULL) PARTITION BY LIST (seller);
CREATE TABLE tree.deal_any PARTITION OF tree.deal DEFAULT;
SELECT wa.protect('tree.deal', 'seller');
SELECT wa.protect('tree.deal_any', 'buyer');
SELECT wa.put_policies('tree.deal_any', 'buyer', 'read', 'read', 'read', 'read', false);
SELECT wa.is_protected('tree.deal');
SELECT detail FROM wa.self_check() WHERE name = 'protected tables stay protected';
DROP TABLE tree.deal;
SELECT wa.unprotect('tree.priced', false);
DROP TABLE tree.thing, tree.priced CASCADE;

-- Who makes the partition needs no right in schema wa.
CREATE SCHEMA yard AUTHORIZATION regress_nobody;
SET SESSION AUTHORIZATION regress_nobody;
CREATE TABLE yard.lot (org_id uuid NOT NULL, id int NOT NULL, PRIMARY KEY (org_id, id)) PARTITION BY HASH (org_id);
RESET SESSION AUTHORIZATION;
SELECT wa.protect('yard.lot');
SET SESSION AUTHORIZATION regress_nobody;
CREATE TABLE yard.lot_0 PARTITION OF yard.lot FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE yard.lot_1 (org_id uuid NOT NULL, id int NOT NULL);
ALTER TABLE yard.lot ATTACH PARTITION yard.lot_1 FOR VALUES WITH (MODULUS 2, REMAINDER 1);
RESET SESSION AUTHORIZATION;
SELECT relname, relrowsecurity, relforcerowsecurity FROM pg_class WHERE relnamespace = 'yard'::regnamespace AND relkind = 'r' ORDER BY relname;
DROP SCHEMA yard CASCADE;
DROP SCHEMA tree CASCADE;
