-- What leads around the row security of a protected table: views, rules, owners,
-- roles, functions, and foreign keys of others.  wa.leaks() names it, so that
-- wa.protect() refuses and wa.self_check() finds it; the attack is shown with each.
SELECT value AS acme FROM fixture WHERE name = 'acme' \gset
SELECT value AS beta FROM fixture WHERE name = 'beta' \gset
SELECT value AS acme_all FROM fixture WHERE name = 'acme_all' \gset
\set superuser :USER
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CREATE SCHEMA past;
GRANT USAGE ON SCHEMA past TO regress_app, regress_nobody;
CREATE TABLE past.bill (org_id uuid NOT NULL, id int NOT NULL, total int, PRIMARY KEY (org_id, id));
INSERT INTO past.bill VALUES (:'acme', 1, 10), (:'beta', 1, 20), (:'beta', 77, 30);
GRANT SELECT, INSERT, UPDATE, DELETE ON past.bill TO regress_app;
SELECT wa.protect('past.bill');
CREATE FUNCTION past.found() RETURNS SETOF text LANGUAGE sql AS $$
	SELECT unnest(string_to_array(detail, ', ')) FROM wa.self_check() WHERE name = 'protected tables stay protected'
$$;
SELECT past.found();

-- Views.  With the caller's rights: nothing to find.
CREATE VIEW past.own WITH (security_invoker) AS SELECT total FROM past.bill;
CREATE VIEW past.administrators AS SELECT total FROM past.bill;
GRANT SELECT ON past.own TO regress_app;
SELECT past.found();
SET SESSION AUTHORIZATION regress_app;
SELECT * FROM past.own;
SELECT wa.authenticate(:'acme_all') IS NOT NULL \; SELECT * FROM past.own;
RESET SESSION AUTHORIZATION;
-- With a superuser's, directly or through another view, and granted by column.  A
-- view with the caller's rights keeps to them below any other, and above one it
-- needs the right to read that.
CREATE VIEW past.reads AS SELECT total FROM past.bill;
CREATE VIEW past.deep AS SELECT total FROM past.administrators;
CREATE VIEW past.reads_own AS SELECT total FROM past.own;
CREATE VIEW past.reads_reads WITH (security_invoker = on) AS SELECT total FROM past.administrators;
GRANT SELECT ON past.reads TO PUBLIC;
GRANT SELECT (total) ON past.deep TO wa_app;
GRANT SELECT ON past.reads_own TO regress_app;
GRANT SELECT ON past.reads_reads TO regress_app;
SELECT past.found();
SET SESSION AUTHORIZATION regress_app;
SELECT sum(total) FROM past.reads;
SELECT sum(total) FROM past.reads_reads;
SELECT sum(total) FROM past.deep;
SELECT sum(total) FROM past.reads_own;
RESET SESSION AUTHORIZATION;
SELECT wa.protect('past.bill');
DROP VIEW past.reads, past.deep, past.reads_own, past.reads_reads;
-- An owner that is bound is no way around; one with a policy of its own is.
CREATE VIEW past.bound AS SELECT total FROM past.bill;
GRANT SELECT ON past.bill TO regress_nobody;
ALTER VIEW past.bound OWNER TO regress_nobody;
GRANT SELECT ON past.bound TO regress_app;
SELECT past.found();
SET SESSION AUTHORIZATION regress_app;
SELECT sum(total) FROM past.bound;
RESET SESSION AUTHORIZATION;
CREATE POLICY nobody_sees ON past.bill FOR SELECT TO regress_nobody USING (true);
SELECT past.found();
SET SESSION AUTHORIZATION regress_app;
SELECT sum(total) FROM past.bound;
RESET SESSION AUTHORIZATION;
CREATE POLICY nobody_sees_its_own ON past.bill AS RESTRICTIVE TO regress_nobody USING (org_id = wa.current_org());
SELECT past.found();
DROP POLICY nobody_sees ON past.bill;
DROP POLICY nobody_sees_its_own ON past.bill;
DROP VIEW past.bound;
REVOKE SELECT ON past.bill FROM regress_nobody;
-- A materialized view keeps what its owner saw, whoever that is.
CREATE MATERIALIZED VIEW past.totals AS SELECT sum(total) AS total FROM past.bill;
SELECT past.found();
CREATE VIEW past.shows_totals WITH (security_invoker) AS SELECT total FROM past.totals;
GRANT SELECT ON past.totals, past.shows_totals TO regress_app;
SELECT past.found();
SET SESSION AUTHORIZATION regress_app;
SELECT * FROM past.shows_totals;
RESET SESSION AUTHORIZATION;
DROP MATERIALIZED VIEW past.totals CASCADE;
-- Rules: of the table itself, and of another that reads it.
CREATE RULE tells AS ON INSERT TO past.bill DO ALSO SELECT 1;
CREATE TABLE past.door (n int);
CREATE RULE opens AS ON INSERT TO past.door DO ALSO SELECT sum(total) FROM past.bill;
SELECT past.found();
GRANT INSERT ON past.door TO regress_app;
SELECT past.found();
SET SESSION AUTHORIZATION regress_app;
INSERT INTO past.door VALUES (1);
RESET SESSION AUTHORIZATION;
DROP RULE tells ON past.bill;
DROP TABLE past.door;

-- Owners of the table and of its schema can take row security, or the rows, away.
ALTER TABLE past.bill OWNER TO regress_app;
SELECT past.found();
SELECT wa.protect('past.bill');
BEGIN;
SET LOCAL SESSION AUTHORIZATION regress_app;
SELECT count(*) FROM past.bill;
ROLLBACK;
BEGIN;
SET LOCAL SESSION AUTHORIZATION regress_app;
ALTER TABLE past.bill DISABLE ROW LEVEL SECURITY;
SELECT count(*) FROM past.bill;
ROLLBACK;
ALTER TABLE past.bill OWNER TO regress_nobody;
SELECT past.found();
GRANT regress_nobody TO regress_app;
SELECT past.found();
REVOKE regress_nobody FROM regress_app;
ALTER TABLE past.bill OWNER TO :superuser;
ALTER SCHEMA past OWNER TO regress_app;
SELECT past.found();
BEGIN;
SET LOCAL SESSION AUTHORIZATION regress_app;
DROP TABLE past.bill CASCADE;
ROLLBACK;
ALTER SCHEMA past OWNER TO pg_database_owner;
SELECT past.found();
BEGIN;
SELECT format('ALTER DATABASE %I OWNER TO regress_app', current_database()) \gexec
SELECT past.found();
ROLLBACK;
ALTER SCHEMA past OWNER TO :superuser;
GRANT USAGE ON SCHEMA past TO regress_app, regress_nobody, regress_admin;

-- Roles of applications that row security does not bind, directly and by SET ROLE.
CREATE ROLE regress_past BYPASSRLS;
GRANT USAGE ON SCHEMA past TO regress_past;
SELECT past.found();
GRANT regress_past TO regress_app;
GRANT SELECT ON past.bill TO regress_past;
SELECT past.found();
CREATE TABLE past.next (org_id uuid NOT NULL);
SELECT wa.protect('past.next');
BEGIN;
SET LOCAL SESSION AUTHORIZATION regress_app;
SET LOCAL ROLE regress_past;
SELECT count(*) FROM past.bill;
ROLLBACK;
REVOKE ALL ON past.bill FROM regress_past;
REVOKE ALL ON SCHEMA past FROM regress_past;
DROP ROLE regress_past;
SELECT * FROM wa.role_leaks();
ALTER ROLE regress_app CREATEROLE REPLICATION;
GRANT pg_read_server_files TO wa_app;
SELECT past.found();
ALTER ROLE regress_app NOCREATEROLE NOREPLICATION;
REVOKE pg_read_server_files FROM wa_app;

-- A function that runs in everybody's statements on the table, and that an
-- application can replace: of a trigger, a default, a check or a policy.
GRANT CREATE ON SCHEMA past TO regress_app;
SET SESSION AUTHORIZATION regress_app;
CREATE FUNCTION past.fires() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE FUNCTION past.fills() RETURNS int LANGUAGE sql AS 'SELECT 1';
CREATE FUNCTION past.checks(int) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT true';
RESET SESSION AUTHORIZATION;
CREATE TRIGGER fires BEFORE INSERT ON past.bill FOR EACH ROW EXECUTE FUNCTION past.fires();
ALTER TABLE past.bill ALTER total SET DEFAULT past.fills(), ADD CHECK (past.checks(total));
SELECT past.found();
ALTER FUNCTION past.fires() OWNER TO regress_nobody;
ALTER FUNCTION past.fills() OWNER TO regress_nobody;
ALTER FUNCTION past.checks(int) OWNER TO regress_nobody;
SELECT past.found();
DROP FUNCTION past.fires(), past.fills(), past.checks(int) CASCADE;
REVOKE CREATE ON SCHEMA past FROM regress_app;

-- Foreign keys from elsewhere tell what exists, and keep it from being deleted.
-- Their columns can come in another order than those of the unique index.
CREATE TABLE past.note (id int, whose uuid, PRIMARY KEY (whose, id), FOREIGN KEY (id, whose) REFERENCES past.bill (id, org_id));
SELECT past.found();
GRANT INSERT ON past.note TO regress_app;
SELECT past.found();
BEGIN;
SET LOCAL SESSION AUTHORIZATION regress_app;
SAVEPOINT before;
INSERT INTO past.note VALUES (76, :'beta');
ROLLBACK TO before;
INSERT INTO past.note VALUES (77, :'beta');
ROLLBACK;
SELECT wa.protect('past.note', 'whose');
ALTER TABLE past.note DROP CONSTRAINT note_id_whose_fkey;
ALTER TABLE past.note ADD FOREIGN KEY (whose, id) REFERENCES past.bill (org_id, id);
SELECT wa.protect('past.note', 'whose');
SELECT past.found();
-- Protected, but before the other was: its key leads from another column there.
CREATE TABLE past.page (org_id uuid NOT NULL, other uuid NOT NULL, id int NOT NULL, PRIMARY KEY (org_id, id));
CREATE TABLE past.line (org_id uuid NOT NULL, page int NOT NULL, FOREIGN KEY (org_id, page) REFERENCES past.page (org_id, id));
SELECT wa.protect('past.line');
SELECT * FROM wa.leaks('past.page', 'other');
SELECT wa.protect('past.page');
SELECT past.found();
-- In the table itself.
CREATE TABLE past.step (org_id uuid NOT NULL, id uuid NOT NULL, after uuid, PRIMARY KEY (org_id, id),
	FOREIGN KEY (org_id, after) REFERENCES past.step (org_id, id));
SELECT wa.protect('past.step');
SELECT past.found();

-- Exclusion constraints are indexes.
ALTER TABLE past.bill ADD CONSTRAINT one_total EXCLUDE USING hash (total WITH =);
SELECT past.found();
ALTER TABLE past.bill DROP CONSTRAINT one_total;
ALTER TABLE past.bill ADD CONSTRAINT one_total EXCLUDE USING btree (org_id WITH =, total WITH =);
SELECT past.found();
-- A sealed login or an administrator sees of all this what a superuser sees.
SET SESSION AUTHORIZATION regress_admin;
SELECT past.found();
RESET SESSION AUTHORIZATION;
DROP SCHEMA past CASCADE;
