-- Passwords: how they come in, and how they are hashed.
--
-- wa.password holds a digest instead of the text and prints itself masked
-- (src/password.c).  What stands for the password before bcrypt, and bcrypt
-- itself, are executable by wa_owner only.

CREATE TYPE wa.password;
COMMENT ON TYPE wa.password IS
	'a person''s password on its way into the database: any text of at most 1024 bytes. It keeps a SHA-256 digest and '
	'the length, and prints eight asterisks. No operator, no cast';

CREATE FUNCTION wa.password_in(cstring) RETURNS wa.password
	AS 'MODULE_PATHNAME', 'wa_password_in'
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION wa.password_in(cstring) IS 'input: any text of at most 1024 bytes';

CREATE FUNCTION wa.password_out(wa.password) RETURNS cstring
	AS 'MODULE_PATHNAME', 'wa_password_out'
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION wa.password_out(wa.password) IS 'output: eight asterisks, whatever the password';

CREATE FUNCTION wa.password_recv(internal) RETURNS wa.password
	AS 'MODULE_PATHNAME', 'wa_password_recv'
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION wa.password_recv(internal) IS 'binary input: the characters, as in text';

CREATE FUNCTION wa.password_send(wa.password) RETURNS bytea
	AS 'MODULE_PATHNAME', 'wa_password_send'
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION wa.password_send(wa.password) IS 'binary output: eight asterisks, whatever the password';

CREATE TYPE wa.password (
	INPUT = wa.password_in,
	OUTPUT = wa.password_out,
	RECEIVE = wa.password_recv,
	SEND = wa.password_send,
	INTERNALLENGTH = 33,
	ALIGNMENT = char
);

CREATE FUNCTION wa.password_key(password wa.password) RETURNS text
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'wa_password_key';
COMMENT ON FUNCTION wa.password_key(wa.password) IS 'for function bodies: what bcrypt gets for a password';

CREATE FUNCTION wa.password_length(password wa.password) RETURNS integer
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'wa_password_length';
COMMENT ON FUNCTION wa.password_length(wa.password) IS 'for function bodies: a password''s length in characters; 255 for longer ones';

-- bcrypt is pgcrypto's: its library, which is part of PostgreSQL, and not the
-- extension.  Who owns an extension or its schema can drop it, and with CASCADE
-- all that depends on it; pgcrypto may belong to whoever may create in the
-- database.  And the schemas of what an extension requires are in the search path
-- of its scripts.
CREATE FUNCTION wa.bcrypt(key text, salt text) RETURNS text
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
	AS '$libdir/pgcrypto', 'pg_crypt';
COMMENT ON FUNCTION wa.bcrypt(text, text) IS 'for function bodies: pgcrypto''s crypt()';

CREATE FUNCTION wa.bcrypt_salt(kind text, cost integer) RETURNS text
	LANGUAGE c STRICT PARALLEL SAFE
	AS '$libdir/pgcrypto', 'pg_gen_salt_rounds';
COMMENT ON FUNCTION wa.bcrypt_salt(text, integer) IS 'for function bodies: pgcrypto''s gen_salt()';

CREATE FUNCTION wa.hash_password(password wa.password) RETURNS text
	LANGUAGE sql STRICT PARALLEL SAFE
	AS $$ SELECT wa.bcrypt(wa.password_key(password), wa.bcrypt_salt('bf', 12)) $$;
COMMENT ON FUNCTION wa.hash_password(wa.password) IS 'for function bodies: what is stored of a password';

-- Nobody's hash, of the same cost as everybody's: random text where bcrypt's
-- result would be, so that no password is known to match it.
CREATE FUNCTION wa.nobodys_hash() RETURNS text
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
	RETURN '$2a$12$JyIaaAsbVqYNHqkyqqXpuOd1HGzRFJGlzEGG4a1lQ0cqZwJlhPh3K';
COMMENT ON FUNCTION wa.nobodys_hash() IS
	'for function bodies: what a password is checked against where there is no account, so that it takes the same time';

-- One way for everybody: bcrypt runs first, and then comes the question whether
-- there was an account at all.
CREATE FUNCTION wa.password_matches(password wa.password, hash text) RETURNS boolean
	LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
AS $$
DECLARE
	expected constant text := COALESCE(hash, wa.nobodys_hash());
	actual constant text := wa.bcrypt(wa.password_key(password), expected);
BEGIN
	RETURN COALESCE(actual = expected AND hash IS NOT NULL, false);
END $$;
COMMENT ON FUNCTION wa.password_matches(wa.password, text) IS
	'for function bodies: whether this is the password; takes as long for a hash that is NULL, and is false then';
