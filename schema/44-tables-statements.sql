-- The statements that sealed roles may run.  They belong to the release and come
-- with CREATE EXTENSION, so that pg_dump carries none.

CREATE TABLE wa.statement (
	role_name name NOT NULL,
	name text NOT NULL,
	digest bytea NOT NULL CHECK (octet_length(digest) = 32),
	parameters regtype[] NOT NULL,
	source text NOT NULL CHECK (starts_with(source, format('/* %s */', name))),
	PRIMARY KEY (role_name, name),
	UNIQUE (role_name, digest)
);
CREATE TRIGGER statement_invalidate AFTER INSERT OR UPDATE OR DELETE ON wa.statement
	FOR EACH ROW EXECUTE FUNCTION wa.invalidate();
ALTER TABLE wa.statement ENABLE ALWAYS TRIGGER statement_invalidate;
CREATE TRIGGER statement_invalidate_all AFTER TRUNCATE ON wa.statement
	FOR EACH STATEMENT EXECUTE FUNCTION wa.invalidate();
ALTER TABLE wa.statement ENABLE ALWAYS TRIGGER statement_invalidate_all;
COMMENT ON TRIGGER statement_invalidate_all ON wa.statement IS 'the same for TRUNCATE';
COMMENT ON TABLE wa.statement IS 'what sealed roles may run. Written by install and update scripts only; part of no dump';
COMMENT ON COLUMN wa.statement.role_name IS 'the sealed role';
COMMENT ON COLUMN wa.statement.name IS 'name of the statement, as of its file in gateway/statements';
COMMENT ON COLUMN wa.statement.digest IS 'SHA-256 of its text: what the seal compares';
COMMENT ON COLUMN wa.statement.parameters IS 'the types of its parameters, which the seal compares as well';
COMMENT ON COLUMN wa.statement.source IS
	'its text, which begins with its name: a session can prepare it under that name only';
COMMENT ON TRIGGER statement_invalidate ON wa.statement IS 'makes every backend read the list again';
