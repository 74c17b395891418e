-- Registered statements: what the sealed roles may run.  The calls that fill
-- the list follow at the end of the script (scripts/statements).

CREATE FUNCTION wa.register_statement(role_name name, name text, source text) RETURNS void
	LANGUAGE sql VOLATILE STRICT PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp
AS $$
	INSERT INTO wa.statement (role_name, name, digest, source)
	VALUES (register_statement.role_name, register_statement.name, wa.hash_key(register_statement.source),
			register_statement.source)
$$;
REVOKE ALL ON FUNCTION wa.register_statement(name, text, text) FROM PUBLIC;
COMMENT ON FUNCTION wa.register_statement(name, text, text) IS
	'for install and update scripts: lets a sealed role run a statement';
