-- Traps for an install script: in a schema that its owner, who has no privileges
-- otherwise, may create in, everything that could be taken for what a script means.
--
--	operators	each of PostgreSQL's operators, for types that its operands can
--				stand for without a cast, as regclass can for oid
--	functions	the same for each of its functions that the scripts name
--	relations	a view of the name of each of PostgreSQL's
--	types		a domain of the name of each of PostgreSQL's
--	casts		a type that everything can become
--	ours		what the extension has, by the same names
--
-- Nothing of this is a list by hand: names and types are those of the catalog.  A
-- trap notes that it was stepped into in a sequence, which no rollback takes back,
-- and raises.
--
-- Run by a superuser, with the role mallory there.  trap.named has to hold the
-- words of the scripts, trap.ours what the extension makes, before trap.fill().
SET search_path = pg_catalog, pg_temp;
CREATE SCHEMA trap AUTHORIZATION mallory;
SET ROLE mallory;

CREATE SEQUENCE trap.steps;
CREATE FUNCTION trap.step(trap text) RETURNS boolean
	LANGUAGE plpgsql VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM nextval('trap.steps');
	RAISE EXCEPTION 'stepped into a trap: %', trap USING ERRCODE = 'triggered_action_exception';
END $$;
-- How many were stepped into since the last time.
CREATE FUNCTION trap.count() RETURNS bigint
	LANGUAGE plpgsql VOLATILE STRICT PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	steps constant bigint := (SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM trap.steps);
BEGIN
	PERFORM setval('trap.steps', 1, false);
	RETURN steps;
END $$;

CREATE TABLE trap.named (word name);
CREATE TABLE trap.ours (kind text, name name, arguments regtype[]);
-- Which type can be given where another is wanted, before anybody has to choose.
CREATE TABLE trap.fits (wanted oid, given oid, polymorphic boolean);
-- What there is to be made, by name and types of arguments.
CREATE TABLE trap.signature (operator boolean, name name, arguments oid[], result oid, is_set boolean,
	PRIMARY KEY (operator, name, arguments));

CREATE TYPE trap.anything AS (value text);

CREATE PROCEDURE trap.find_types() LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	INSERT INTO trap.fits
	WITH plain AS (
		SELECT t.oid, t.typarray, t.typtype FROM pg_type t
		WHERE t.typtype IN ('b', 'e') AND t.typnamespace::regnamespace::text IN ('pg_catalog', 'wa')
			AND t.typname NOT LIKE 'pg\_%' AND NOT (t.typcategory = 'A' AND t.typelem <> 0)
	), fits AS (
		SELECT p.oid AS wanted, p.oid AS given FROM plain p
		UNION SELECT c.casttarget, c.castsource FROM pg_cast c WHERE c.castcontext = 'i'
			AND c.castsource IN (SELECT p.oid FROM plain p) AND c.casttarget IN (SELECT p.oid FROM plain p)
	)
	SELECT f.wanted, f.given, false FROM fits f
	UNION SELECT w.typarray, g.typarray, false FROM fits f JOIN plain w ON w.oid = f.wanted JOIN plain g ON g.oid = f.given
		WHERE w.typarray <> 0 AND g.typarray <> 0
	UNION SELECT any_type::oid, p.oid, true FROM plain p
		CROSS JOIN unnest(ARRAY['"any"', 'anyelement', 'anynonarray', 'anycompatible', 'anycompatiblenonarray']::regtype[]) any_type
	UNION SELECT 'anyenum'::regtype, p.oid, true FROM plain p WHERE p.typtype = 'e'
	UNION SELECT any_type::oid, p.typarray, true FROM plain p
		CROSS JOIN unnest('{anyarray,anycompatiblearray}'::regtype[]) any_type WHERE p.typarray <> 0;
	CREATE INDEX ON trap.fits (wanted);
	ANALYZE trap.fits;
END $$;

-- Every way to fill the arguments of a declaration such that at most two of them,
-- and of more than two one, are of another type: one is enough to match better.
-- Types that stand for any take the same one throughout.
CREATE FUNCTION trap.variants(declared oid[]) RETURNS SETOF oid[]
	LANGUAGE sql STABLE STRICT PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
	WITH RECURSIVE filled (arguments, chosen, others) AS (
		SELECT '{}'::oid[], NULL::oid, 0
	UNION ALL
		SELECT s.arguments || f.given, CASE WHEN f.polymorphic THEN COALESCE(s.chosen, f.element) ELSE s.chosen END,
			s.others + (f.given <> declared[cardinality(s.arguments) + 1] AND NOT f.polymorphic)::integer
		FROM filled s JOIN (
			SELECT f.*, COALESCE((SELECT t.oid FROM pg_type t WHERE t.typarray = f.given), f.given) AS element FROM trap.fits f) f
			ON f.wanted = declared[cardinality(s.arguments) + 1]
		WHERE cardinality(s.arguments) < cardinality(declared)
			AND (NOT f.polymorphic OR f.element = COALESCE(s.chosen, f.element))
			AND s.others + (f.given <> declared[cardinality(s.arguments) + 1] AND NOT f.polymorphic)::integer <= CASE WHEN cardinality(declared) > 2 THEN 1 ELSE 2 END
	)
	SELECT arguments FROM filled WHERE cardinality(arguments) = cardinality(declared)
$$;

CREATE PROCEDURE trap.find_signatures() LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	INSERT INTO trap.signature
	SELECT DISTINCT ON (o.oprname, v) true, o.oprname, v, o.oprresult, false
	FROM pg_operator o
		CROSS JOIN trap.variants(CASE WHEN o.oprleft = 0 THEN ARRAY[o.oprright] ELSE ARRAY[o.oprleft, o.oprright] END) v
	WHERE o.oprnamespace = 'pg_catalog'::regnamespace;

	INSERT INTO trap.signature
	SELECT DISTINCT ON (p.proname, v) false, p.proname, v, p.prorettype, p.proretset
	FROM pg_proc p
		CROSS JOIN generate_series(p.pronargs - p.pronargdefaults, p.pronargs + CASE p.provariadic WHEN '"any"'::regtype THEN 3 ELSE 0 END) number
		CROSS JOIN trap.variants(CASE WHEN number <= p.pronargs THEN (p.proargtypes::oid[])[0:number - 1]
			ELSE p.proargtypes::oid[] || array_fill('"any"'::regtype::oid, ARRAY[number - p.pronargs]) END) v
	WHERE p.pronamespace = 'pg_catalog'::regnamespace AND p.proname IN (SELECT n.word FROM trap.named n) AND p.prokind <> 'p';

	INSERT INTO trap.signature
	SELECT DISTINCT ON (1, 2, 3) false, s.name, array_fill('trap.anything'::regtype::oid, ARRAY[cardinality(s.arguments)]), s.result, s.is_set
	FROM trap.signature s WHERE NOT s.operator AND cardinality(s.arguments) > 0;

	INSERT INTO trap.signature
	SELECT false, o.name, o.arguments::oid[], 'text'::regtype, false FROM trap.ours o WHERE o.kind = 'function'
	ON CONFLICT DO NOTHING;
END $$;

-- A type as SQL writes it; one that stands for any becomes the first argument's.
CREATE FUNCTION trap.result_type(result oid, arguments oid[]) RETURNS text
	LANGUAGE sql STABLE CALLED ON NULL INPUT PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT CASE WHEN t.typtype = 'p' AND t.typname NOT IN ('record', 'void') THEN COALESCE(arguments[1], 'text'::regtype)::regtype::text
		ELSE result::regtype::text END
	FROM pg_type t WHERE t.oid = result
$$;

CREATE PROCEDURE trap.make(schema_name name, wanted trap.signature) LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	arguments constant text := array_to_string(wanted.arguments::regtype[], ', ');
	function_name constant name := CASE WHEN wanted.operator THEN 'operator ' || wanted.name ELSE wanted.name END;
BEGIN
	EXECUTE format('CREATE FUNCTION %I.%I(%s) RETURNS %s %s LANGUAGE plpgsql AS %L', schema_name, function_name, arguments,
		CASE WHEN wanted.is_set THEN 'SETOF' ELSE '' END, trap.result_type(wanted.result, wanted.arguments),
		format('BEGIN PERFORM trap.step(%L); END', format('%s %s(%s)', CASE WHEN wanted.operator THEN 'operator' ELSE 'function' END,
			wanted.name, arguments)));
	IF wanted.operator THEN
		EXECUTE format('CREATE OPERATOR %1$I.%2$s (FUNCTION = %1$I.%3$I, %4$s RIGHTARG = %5$s)', schema_name, wanted.name, function_name,
			CASE cardinality(wanted.arguments) WHEN 2 THEN format('LEFTARG = %s,', wanted.arguments[1]::regtype) ELSE '' END,
			wanted.arguments[cardinality(wanted.arguments)]::regtype);
	END IF;
END $$;

-- Types and relations; in a schema or, for one session, in pg_temp.
CREATE PROCEDURE trap.fill_names(schema_name name) LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	object record;
BEGIN
	-- A view cannot have the columns of type anyarray that statistics have.
	FOR object IN SELECT c.relname FROM pg_class c
		WHERE c.relnamespace = 'pg_catalog'::regnamespace AND c.relkind IN ('r', 'v') AND NOT EXISTS (
			SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.atttypid IN ('anyarray'::regtype, 'pg_statistic[]'::regtype))
	LOOP
		EXECUTE format('CREATE VIEW %I.%I AS SELECT c.* FROM pg_catalog.%2$I c WHERE trap.step(%L)',
			schema_name, object.relname, 'relation ' || object.relname);
	END LOOP;
	FOR object IN SELECT t.typname FROM pg_type t
		WHERE t.typnamespace = 'pg_catalog'::regnamespace AND t.typtype = 'b' AND NOT (t.typcategory = 'A' AND t.typelem <> 0)
	LOOP
		EXECUTE format('CREATE DOMAIN %I.%I AS pg_catalog.%2$I CHECK (trap.step(%L))',
			schema_name, object.typname, 'type ' || object.typname);
	END LOOP;
	FOR object IN SELECT o.* FROM trap.ours o WHERE o.kind = 'relation' LOOP
		EXECUTE format('CREATE VIEW %I.%I AS SELECT WHERE trap.step(%L)', schema_name, object.name, 'relation ' || object.name);
	END LOOP;
	FOR object IN SELECT o.* FROM trap.ours o WHERE o.kind = 'type' LOOP
		EXECUTE format('CREATE DOMAIN %I.%I AS pg_catalog.text CHECK (trap.step(%L))', schema_name, object.name, 'type ' || object.name);
	END LOOP;
END $$;

CREATE PROCEDURE trap.fill(schema_name name) LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
	SET check_function_bodies = off
AS $$
DECLARE
	signature trap.signature;
BEGIN
	FOR signature IN SELECT * FROM trap.signature LOOP
		CALL trap.make(schema_name, signature);
	END LOOP;
	CALL trap.fill_names(schema_name);
END $$;

-- For the whole database, whatever the search path.
CREATE PROCEDURE trap.make_casts() LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	type_name text;
BEGIN
	FOR type_name IN SELECT DISTINCT f.given::regtype::text FROM trap.fits f LOOP
		EXECUTE format('CREATE FUNCTION trap.become(%s) RETURNS trap.anything LANGUAGE plpgsql AS %L', type_name,
			format('BEGIN PERFORM trap.step(%L); END', 'cast of ' || type_name));
		EXECUTE format('CREATE CAST (%s AS trap.anything) WITH FUNCTION trap.become(%1$s) AS IMPLICIT', type_name);
	END LOOP;
END $$;
RESET ROLE;
