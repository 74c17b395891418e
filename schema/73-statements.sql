-- Registered statements: what the sealed roles may run.  The calls that fill the list are at
-- the end of the script (scripts/statements).

CREATE FUNCTION wa.statement_parameters(source text) RETURNS regtype[]
	LANGUAGE c STABLE STRICT
	AS 'MODULE_PATHNAME', 'wa_statement_parameters';
COMMENT ON FUNCTION wa.statement_parameters(text) IS
	'for wa.register_statement(): the parameter types that a statement asks for; raises for one that uses anything that is neither the server''s nor the extension''s';

CREATE FUNCTION wa.register_statement(role_name name, name text, source text) RETURNS void
	LANGUAGE sql STRICT
AS $$
	INSERT INTO wa.statement (role_name, name, digest, parameters, source)
	VALUES (register_statement.role_name, register_statement.name, wa.hash_key(register_statement.source),
			wa.statement_parameters(register_statement.source), register_statement.source)
$$;
COMMENT ON FUNCTION wa.register_statement(name, text, text) IS
	'for install and update scripts: lets a sealed role run a statement';
