-- The statements that sealed roles may run.  They belong to the release and are created by
-- CREATE EXTENSION, so pg_dump does not include them.

CREATE TABLE wa.statement (
	role_name name NOT NULL,
	name text NOT NULL,
	digest bytea NOT NULL CHECK (octet_length(digest) = 32),
	parameters regtype[] NOT NULL,
	source text NOT NULL CHECK (starts_with(source, format('/* %s */', name))),
	PRIMARY KEY (role_name, name),
	UNIQUE (role_name, digest)
);
COMMENT ON TABLE wa.statement IS 'what sealed roles may run. Written by install and update scripts only; part of no dump';
COMMENT ON COLUMN wa.statement.role_name IS 'the sealed role';
COMMENT ON COLUMN wa.statement.name IS 'name of the statement, as of its file in gateway/statements';
COMMENT ON COLUMN wa.statement.digest IS 'SHA-256 of its text: what the seal compares';
COMMENT ON COLUMN wa.statement.parameters IS 'the types of its parameters, which the seal compares as well';
COMMENT ON COLUMN wa.statement.source IS
	'its text, which begins with its name: a session can prepare it under that name only';

SELECT wa.put_invalidation('wa.statement', 'INSERT OR UPDATE OR DELETE', 'makes every backend read the list again');
