-- What everybody can make in a schema of his own, a member of wa_app or nobody, must
-- not keep the programs from starting: no row of wa.self_check() fails of it, and
-- none raises.  Beside each the same of one who may: that is a finding.
SELECT value AS acme FROM fixture WHERE name = 'acme' \gset
SELECT value AS acme_all FROM fixture WHERE name = 'acme_all' \gset
SELECT value AS beta FROM fixture WHERE name = 'beta' \gset
\set superuser :USER
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CREATE SCHEMA app_own AUTHORIZATION regress_app;
CREATE SCHEMA nobody_own AUTHORIZATION regress_nobody;
GRANT USAGE ON SCHEMA app_own, nobody_own TO PUBLIC;
CREATE ROLE regress_keeper;
CREATE SCHEMA vault;
GRANT USAGE ON SCHEMA vault TO PUBLIC;
GRANT CREATE ON SCHEMA vault TO regress_keeper;
-- A protected table whose owner is no administrator, and one that everybody has grants on.
CREATE TABLE vault.coin (org_id uuid NOT NULL, id int NOT NULL, note text, PRIMARY KEY (org_id, id));
INSERT INTO vault.coin VALUES (:'acme', 1, 'of acme'), (:'beta', 1, 'of beta');
ALTER TABLE vault.coin OWNER TO regress_keeper;
GRANT SELECT, INSERT, UPDATE, DELETE ON vault.coin TO PUBLIC;
SELECT wa.protect('vault.coin');
CREATE TABLE vault.closed (org_id uuid NOT NULL, id int NOT NULL, PRIMARY KEY (org_id, id));
SELECT wa.protect('vault.closed');

-- What wa.self_check() says after each of the changes alone, which are made as one role.
CREATE FUNCTION vault.found() RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	RETURN (SELECT string_agg(name || ': ' || detail, '; ' ORDER BY name) FROM wa.self_check() WHERE NOT passed);
EXCEPTION
	WHEN OTHERS THEN RETURN format('raised %s: %s', SQLSTATE, SQLERRM);
END $$;
CREATE FUNCTION vault.found_after(maker regrole, VARIADIC changes text[]) RETURNS TABLE (change text, finding text) LANGUAGE plpgsql AS $$
BEGIN
	FOREACH change IN ARRAY changes LOOP
		BEGIN
			EXECUTE format('SET LOCAL ROLE %s', maker);
			EXECUTE change;
			RESET ROLE;
			finding := COALESCE(vault.found(), 'nothing');
			RAISE SQLSTATE 'UNDO1';
		EXCEPTION
			WHEN SQLSTATE 'UNDO1' THEN RETURN NEXT;
		END;
	END LOOP;
END $$;
SELECT vault.found();

-- Tables with policies of our names, with a column or without one, forced or not; and
-- the policies of wa.protect() to the letter, on a table that leaks in every way.
SELECT finding, count(*) FROM vault.found_after('regress_app',
	'CREATE TABLE app_own.t (a int); CREATE POLICY wa_read ON app_own.t USING (true)',
	'CREATE TABLE app_own.t (a int); CREATE POLICY wa_read ON app_own.t USING (a > 0)',
	'CREATE TABLE app_own.t (a int, b int); CREATE POLICY wa_open_read ON app_own.t USING (a > b)',
	'CREATE TABLE app_own.t (a int); ALTER TABLE app_own.t ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
	 CREATE POLICY wa_read ON app_own.t AS RESTRICTIVE FOR SELECT TO wa_gateway, wa_app USING (true)',
	'CREATE TABLE app_own.t (a int); ALTER TABLE app_own.t ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
	 CREATE POLICY wa_closed ON app_own.t AS RESTRICTIVE TO wa_gateway, wa_app USING (a > 1)',
	'CREATE TABLE app_own.t (a int) PARTITION BY LIST (a); ALTER TABLE app_own.t ENABLE ROW LEVEL SECURITY; CREATE POLICY wa_read ON app_own.t AS RESTRICTIVE USING (true);
	 CREATE TABLE app_own.u PARTITION OF app_own.t DEFAULT; ALTER TABLE app_own.u DISABLE ROW LEVEL SECURITY',
	'CREATE TABLE app_own.t (org_id uuid, n int UNIQUE, o int REFERENCES app_own.t (n)); ALTER TABLE app_own.t ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
	 CREATE POLICY wa_open_read ON app_own.t FOR SELECT TO wa_gateway, wa_app USING (org_id = wa.org_for(''read''));
	 CREATE POLICY wa_read ON app_own.t AS RESTRICTIVE FOR SELECT TO wa_gateway, wa_app USING (org_id = wa.org_for(''read''));
	 CREATE POLICY wa_insert ON app_own.t AS RESTRICTIVE FOR INSERT TO wa_gateway, wa_app WITH CHECK (org_id = wa.org_for(''read''));
	 CREATE POLICY wa_update ON app_own.t AS RESTRICTIVE FOR UPDATE TO wa_gateway, wa_app USING (org_id = wa.org_for(''read''));
	 CREATE POLICY wa_delete ON app_own.t AS RESTRICTIVE FOR DELETE TO wa_gateway, wa_app USING (org_id = wa.org_for(''read''));
	 GRANT ALL ON app_own.t TO PUBLIC; CREATE RULE r AS ON INSERT TO app_own.t DO ALSO SELECT 1') GROUP BY finding;
SELECT finding FROM vault.found_after('regress_nobody',
	'CREATE TABLE nobody_own.t (a int); CREATE POLICY wa_delete ON nobody_own.t AS RESTRICTIVE FOR DELETE TO wa_gateway, wa_app USING (true)');
SELECT finding FROM vault.found_after(:'superuser',
	'CREATE TABLE app_own.t (a int); CREATE POLICY wa_read ON app_own.t USING (true)',
	'CREATE TABLE app_own.t (a int); ALTER TABLE app_own.t ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY; CREATE POLICY p ON app_own.t USING (true);
	 CREATE POLICY wa_read ON app_own.t AS RESTRICTIVE FOR SELECT TO wa_gateway, wa_app USING (true)');

-- Columns that keep credentials.
SELECT finding FROM vault.found_after('regress_app',
	'CREATE TABLE app_own.t (s wa.secret, p wa.password[])');
SELECT finding FROM vault.found_after(:'superuser',
	'CREATE TABLE app_own.t (s wa.secret, p wa.password[])',
	'ALTER TABLE vault.coin ADD s wa.secret');

-- Default privileges of one's own in schema wa, where only its owner makes anything.
SELECT finding FROM vault.found_after('regress_app',
	'ALTER DEFAULT PRIVILEGES IN SCHEMA wa GRANT ALL ON TABLES TO PUBLIC; ALTER DEFAULT PRIVILEGES GRANT ALL ON FUNCTIONS TO PUBLIC');
SELECT finding FROM vault.found_after(:'superuser', 'ALTER DEFAULT PRIVILEGES IN SCHEMA wa GRANT SELECT ON TABLES TO PUBLIC');

-- Views, rules and materialized views over protected tables.  The server asks for the
-- right to read them when they are read or filled, and not when they are made.
SELECT finding, count(*) FROM vault.found_after('regress_app',
	'CREATE MATERIALIZED VIEW app_own.v AS SELECT * FROM wa.session WITH NO DATA; GRANT SELECT ON app_own.v TO PUBLIC',
	'CREATE MATERIALIZED VIEW app_own.v AS SELECT * FROM wa.api_key WITH NO DATA; GRANT SELECT ON app_own.v TO PUBLIC',
	'CREATE VIEW app_own.v AS SELECT * FROM wa.api_key; GRANT SELECT ON app_own.v TO PUBLIC',
	'CREATE VIEW app_own.v AS SELECT * FROM vault.coin; GRANT SELECT ON app_own.v TO PUBLIC',
	format('SELECT wa.authenticate(%L); CREATE MATERIALIZED VIEW app_own.v AS SELECT * FROM vault.coin; GRANT SELECT ON app_own.v TO PUBLIC', :'acme_all'),
	'CREATE TABLE app_own.v (a int); CREATE RULE r AS ON INSERT TO app_own.v DO ALSO SELECT * FROM vault.coin; GRANT ALL ON app_own.v TO PUBLIC') GROUP BY finding;
SELECT finding, count(*) FROM vault.found_after('regress_nobody',
	'CREATE VIEW nobody_own.v AS SELECT * FROM vault.closed; GRANT SELECT ON nobody_own.v TO PUBLIC',
	'CREATE MATERIALIZED VIEW nobody_own.v AS SELECT * FROM vault.closed WITH NO DATA; GRANT SELECT ON nobody_own.v TO PUBLIC',
	'CREATE MATERIALIZED VIEW nobody_own.v AS SELECT * FROM vault.coin; GRANT SELECT ON nobody_own.v TO PUBLIC',
	'CREATE VIEW nobody_own.v WITH (security_invoker) AS SELECT * FROM vault.closed;
	 CREATE VIEW nobody_own.w AS SELECT * FROM nobody_own.v; GRANT SELECT ON nobody_own.v, nobody_own.w TO PUBLIC',
	'CREATE VIEW nobody_own.v AS SELECT * FROM vault.closed; CREATE MATERIALIZED VIEW nobody_own.w AS SELECT * FROM nobody_own.v WITH NO DATA; GRANT SELECT ON nobody_own.w TO PUBLIC')
GROUP BY finding;
-- Also where a policy lets others than applications read all: who has no right to is not
-- one who shows it.
BEGIN;
CREATE POLICY staff ON vault.closed TO PUBLIC USING (true);
SELECT finding, count(*) FROM vault.found_after('regress_nobody',
	'CREATE VIEW nobody_own.v AS SELECT * FROM vault.closed; GRANT SELECT ON nobody_own.v TO PUBLIC',
	'CREATE VIEW nobody_own.v WITH (security_invoker) AS SELECT * FROM vault.closed;
	 CREATE VIEW nobody_own.w AS SELECT * FROM nobody_own.v; GRANT SELECT ON nobody_own.v, nobody_own.w TO PUBLIC') GROUP BY finding;
GRANT SELECT ON vault.closed TO regress_nobody;
SELECT finding FROM vault.found_after('regress_nobody',
	'CREATE VIEW nobody_own.v AS SELECT * FROM vault.closed; GRANT SELECT ON nobody_own.v TO PUBLIC',
	'CREATE MATERIALIZED VIEW nobody_own.v AS SELECT * FROM vault.closed; GRANT SELECT ON nobody_own.v TO PUBLIC');
ROLLBACK;
-- A superuser's, and one that stands on a stranger's view: who fills it reads.
SELECT finding FROM vault.found_after(:'superuser',
	'CREATE MATERIALIZED VIEW vault.v AS SELECT * FROM vault.coin; GRANT SELECT ON vault.v TO wa_app',
	'SET LOCAL ROLE regress_nobody; CREATE VIEW nobody_own.v WITH (security_invoker) AS SELECT * FROM vault.coin; CREATE VIEW nobody_own.w AS SELECT * FROM nobody_own.v;
	 RESET ROLE; CREATE MATERIALIZED VIEW vault.v AS SELECT * FROM nobody_own.w; GRANT SELECT ON vault.v TO wa_app',
	'CREATE VIEW vault.v AS SELECT * FROM vault.closed; GRANT SELECT ON vault.v TO regress_nobody;
	 SET LOCAL ROLE regress_nobody; CREATE MATERIALIZED VIEW nobody_own.v AS SELECT * FROM vault.v; GRANT SELECT ON nobody_own.v TO PUBLIC');
-- Before a table is protected, what anybody has filled from it keeps everybody's rows.
BEGIN;
CREATE TABLE vault.fresh (org_id uuid NOT NULL, id int NOT NULL, PRIMARY KEY (org_id, id));
GRANT SELECT ON vault.fresh TO regress_app;
SET LOCAL ROLE regress_app;
CREATE MATERIALIZED VIEW app_own.v AS SELECT * FROM vault.fresh;
RESET ROLE;
SELECT wa.protect('vault.fresh');
ROLLBACK;

-- Functions of one's own beside a protected table in a function, a default or a policy
-- of one's own; and where they run in everybody's statements.
SET ROLE regress_app;
CREATE FUNCTION app_own.f(regclass DEFAULT NULL) RETURNS bigint LANGUAGE sql IMMUTABLE AS 'SELECT 1';
RESET ROLE;
SELECT finding, count(*) FROM vault.found_after('regress_app',
	'CREATE FUNCTION app_own.g() RETURNS bigint LANGUAGE sql BEGIN ATOMIC SELECT count(*) + app_own.f() FROM wa.session; END',
	'CREATE TABLE app_own.t (a int DEFAULT app_own.f(''vault.coin''))',
	'CREATE TABLE app_own.t (a int); CREATE POLICY p ON app_own.t USING (app_own.f() = (SELECT count(*) FROM wa.session))') GROUP BY finding;
SELECT finding FROM vault.found_after('regress_keeper',
	'ALTER TABLE vault.coin ALTER id SET DEFAULT app_own.f()',
	'CREATE INDEX coin_f ON vault.coin (org_id, (app_own.f(id::oid::regclass)))',
	'CREATE POLICY p ON vault.coin AS RESTRICTIVE USING (app_own.f() = 1)',
	'CREATE STATISTICS vault.s ON app_own.f(id::oid::regclass), id FROM vault.coin');

-- What a stranger cannot do to a protected table at all.
SELECT statement, (public.error_of('SET LOCAL ROLE regress_app; ' || statement)).state FROM (VALUES
	('CREATE TABLE app_own.t () INHERITS (vault.coin)'), ('CREATE TABLE app_own.t (a uuid, b int, FOREIGN KEY (a, b) REFERENCES vault.coin)'),
	('CREATE RULE r AS ON INSERT TO vault.coin DO ALSO SELECT 1'), ('CREATE TABLE wa.t (a int)'),
	('GRANT regress_app TO wa_gateway'), ('CREATE EVENT TRIGGER e ON ddl_command_end EXECUTE FUNCTION wa.close_children()'),
	('DROP EVENT TRIGGER wa_close_children'), ('ALTER ROLE regress_gateway RESET ALL')) s (statement);

-- The label of a protected table: only administrators set it, and only on what is theirs.
SELECT vault.found();
CREATE FUNCTION vault.labelled() RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(l.id::regclass::text, ' ' ORDER BY l.id::regclass::text) FROM wa.labelled_tables() l WHERE l.id::regclass::text ~ '^(vault|app_own)'
$$;
SELECT vault.labelled();
SET ROLE regress_app;
CREATE TABLE app_own.t (a int);
SECURITY LABEL FOR wa_apikeys ON TABLE app_own.t IS 'protected';
RESET ROLE;
SET ROLE regress_keeper;
SECURITY LABEL FOR wa_apikeys ON TABLE vault.coin IS NULL;
RESET ROLE;
SET ROLE regress_admin;
SECURITY LABEL FOR wa_apikeys ON TABLE vault.coin IS NULL;
RESET ROLE;
SECURITY LABEL FOR wa_apikeys ON TABLE app_own.t IS 'something';
SECURITY LABEL FOR wa_apikeys ON COLUMN app_own.t.a IS 'protected';
SECURITY LABEL FOR wa_apikeys ON SCHEMA app_own IS 'protected';
SELECT vault.labelled();
-- So the owner takes nothing out of sight: not by dropping the policies, by other names
-- for table or policies, or by another owner.
SELECT finding FROM vault.found_after('regress_keeper',
	'DROP POLICY wa_open_read ON vault.coin; DROP POLICY wa_open_insert ON vault.coin; DROP POLICY wa_open_update ON vault.coin; DROP POLICY wa_open_delete ON vault.coin;
	 DROP POLICY wa_read ON vault.coin; DROP POLICY wa_insert ON vault.coin; DROP POLICY wa_update ON vault.coin;
	 DROP POLICY wa_delete ON vault.coin; ALTER TABLE vault.coin DISABLE ROW LEVEL SECURITY',
	'ALTER TABLE vault.coin NO FORCE ROW LEVEL SECURITY',
	'CREATE INDEX leak ON vault.coin (note)',
	'ALTER POLICY wa_read ON vault.coin USING (true)',
	'ALTER POLICY wa_read ON vault.coin RENAME TO x');
SELECT finding FROM vault.found_after(:'superuser',
	'ALTER TABLE vault.coin OWNER TO regress_nobody; ALTER TABLE vault.coin NO FORCE ROW LEVEL SECURITY; ALTER TABLE vault.coin SET SCHEMA nobody_own',
	'ALTER TABLE vault.coin OWNER TO regress_app');
-- Partitions have it, too; wa.unprotect() takes it away.
CREATE TABLE vault.tree (org_id uuid NOT NULL, id int NOT NULL, PRIMARY KEY (org_id, id)) PARTITION BY RANGE (id);
CREATE TABLE vault.leaf PARTITION OF vault.tree DEFAULT;
SELECT wa.protect('vault.tree');
SELECT vault.labelled();
SELECT wa.unprotect('vault.tree'), wa.unprotect('vault.coin');
SELECT vault.labelled();
-- Without the label, after a restore that left it out, an administrator's table is
-- known by its policies.
SECURITY LABEL FOR wa_apikeys ON TABLE vault.closed IS NULL;
SELECT finding FROM vault.found_after(:'superuser', 'ALTER TABLE vault.closed NO FORCE ROW LEVEL SECURITY');

DROP SCHEMA app_own, nobody_own, vault CASCADE;
DROP ROLE regress_keeper;
