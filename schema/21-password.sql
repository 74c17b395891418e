-- Passwords: how they are read, and how they are hashed.
--
-- wa.password stores a digest instead of the text and prints itself masked (src/password.c).
-- Only wa_owner may execute bcrypt and the function that returns its input.

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

-- bcrypt comes from pgcrypto's library, which is part of PostgreSQL, and not from the
-- extension.  The owner of an extension or of its schema can drop it, and with CASCADE
-- everything that depends on it.  pgcrypto may belong to any role that may create objects in
-- the database.  Also, the schemas of required extensions would be in the search path of this
-- script.
CREATE FUNCTION wa.bcrypt(key text, salt text) RETURNS text
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
	AS '$libdir/pgcrypto', 'pg_crypt';
COMMENT ON FUNCTION wa.bcrypt(text, text) IS 'for function bodies: pgcrypto''s crypt()';

CREATE FUNCTION wa.bcrypt_salt(kind text, cost integer) RETURNS text
	LANGUAGE c STRICT PARALLEL SAFE
	AS '$libdir/pgcrypto', 'pg_gen_salt_rounds';
COMMENT ON FUNCTION wa.bcrypt_salt(text, integer) IS 'for function bodies: pgcrypto''s gen_salt()';

-- PARALLEL RESTRICTED, because the counts of attempts (src/throttle.c) are told of each hash.
CREATE FUNCTION wa.whole_bcrypt(key text, salt text) RETURNS text
	LANGUAGE c IMMUTABLE STRICT PARALLEL RESTRICTED
	AS 'MODULE_PATHNAME', 'wa_whole_bcrypt';
COMMENT ON FUNCTION wa.whole_bcrypt(text, text) IS
	'for function bodies: wa.bcrypt(), which no cancel and no timeout interrupts, so that every attempt at a password that stays counted has cost a hash';

CREATE FUNCTION wa.hash_password(password wa.password) RETURNS text
	LANGUAGE sql STRICT PARALLEL RESTRICTED
	AS $$ SELECT wa.whole_bcrypt(wa.password_key(password), wa.bcrypt_salt('bf', 12)) $$;
COMMENT ON FUNCTION wa.hash_password(wa.password) IS 'for function bodies: what is stored of a password';

-- A hash that belongs to no account, with the same cost as all others.  bcrypt's result in it
-- is random text, so no password is known to match it.
CREATE FUNCTION wa.nobodys_hash() RETURNS text
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
	RETURN '$2a$12$JyIaaAsbVqYNHqkyqqXpuOd1HGzRFJGlzEGG4a1lQ0cqZwJlhPh3K';
COMMENT ON FUNCTION wa.nobodys_hash() IS
	'for function bodies: what a password is checked against where there is no account, so that it takes the same time';

-- The same steps for everybody: bcrypt runs first, and only then is it checked whether there
-- is an account.
CREATE FUNCTION wa.password_matches(password wa.password, hash text) RETURNS boolean
	LANGUAGE plpgsql IMMUTABLE PARALLEL RESTRICTED
AS $$
DECLARE
	expected constant text := COALESCE(hash, wa.nobodys_hash());
	actual constant text := wa.whole_bcrypt(wa.password_key(password), expected);
BEGIN
	RETURN COALESCE(actual = expected AND hash IS NOT NULL, false);
END $$;
COMMENT ON FUNCTION wa.password_matches(wa.password, text) IS
	'for function bodies: whether this is the password; takes as long for a hash that is NULL, and is false then';
