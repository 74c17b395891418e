-- Types: credentials and permissions; identifiers.
--
-- All functions here only use their arguments, and PUBLIC may execute them.
--
-- wa.secret has no operator, no operator class and no cast, and stores a digest instead of
-- the credential (src/secret.c).
--
-- The functions that cannot raise an error are LEAKPROOF, so that a condition on permissions
-- can use an index below row-level security.

-- wa.secret

CREATE TYPE wa.secret;
COMMENT ON TYPE wa.secret IS
	'a credential on its way into the database. Input checks prefix, length, alphabet and checksum (`22P02`, without '
	'a word of the input); it keeps the SHA-256 digest, the kind and five characters. Output is a mask: `wa_Ab3xY…`. '
	'No operator, no cast, no operator class';

CREATE FUNCTION wa.secret_in(cstring) RETURNS wa.secret
	AS 'MODULE_PATHNAME', 'wa_secret_in'
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION wa.secret_in(cstring) IS 'input: checks prefix, length, alphabet and checksum';

CREATE FUNCTION wa.secret_out(wa.secret) RETURNS cstring
	AS 'MODULE_PATHNAME', 'wa_secret_out'
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION wa.secret_out(wa.secret) IS 'output: the mask, never the credential';

CREATE FUNCTION wa.secret_recv(internal) RETURNS wa.secret
	AS 'MODULE_PATHNAME', 'wa_secret_recv'
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION wa.secret_recv(internal) IS 'binary input: the characters of the credential, checked as in text';

CREATE FUNCTION wa.secret_send(wa.secret) RETURNS bytea
	AS 'MODULE_PATHNAME', 'wa_secret_send'
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION wa.secret_send(wa.secret) IS 'binary output: the mask, never the credential';

CREATE TYPE wa.secret (
	INPUT = wa.secret_in,
	OUTPUT = wa.secret_out,
	RECEIVE = wa.secret_recv,
	SEND = wa.secret_send,
	INTERNALLENGTH = 38,
	ALIGNMENT = char
);

-- wa.permission

CREATE TYPE wa.permission AS ENUM ('read', 'send', 'manage', 'events');
COMMENT ON TYPE wa.permission IS
	'what a key may be allowed: `read`, `send`, `manage`, `events`; none implies another';

-- wa.permissions

CREATE TYPE wa.permissions;
COMMENT ON TYPE wa.permissions IS
	'a set of permissions, by value: `{read,send}`; of one, its name alone is enough: `read`. Casts to and from `text[]` '
	'and `wa.permission[]`, all on assignment. Default hash class; no order';

CREATE FUNCTION wa.permissions_in(cstring) RETURNS wa.permissions
	AS 'MODULE_PATHNAME', 'wa_permissions_in'
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION wa.permissions_in(cstring) IS 'input: names in braces; white space and repetition are allowed';

CREATE FUNCTION wa.permissions_out(wa.permissions) RETURNS cstring
	AS 'MODULE_PATHNAME', 'wa_permissions_out'
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION wa.permissions_out(wa.permissions) IS 'output: names in braces, in the order read, send, manage, events';

CREATE FUNCTION wa.permissions_recv(internal) RETURNS wa.permissions
	AS 'MODULE_PATHNAME', 'wa_permissions_recv'
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION wa.permissions_recv(internal) IS 'binary input: a bit set in 32 bits; bit 0 read, 1 send, 2 manage, 3 events';

CREATE FUNCTION wa.permissions_send(wa.permissions) RETURNS bytea
	AS 'MODULE_PATHNAME', 'wa_permissions_send'
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION wa.permissions_send(wa.permissions) IS 'binary output: a bit set in 32 bits';

CREATE TYPE wa.permissions (
	INPUT = wa.permissions_in,
	OUTPUT = wa.permissions_out,
	RECEIVE = wa.permissions_recv,
	SEND = wa.permissions_send,
	INTERNALLENGTH = 4,
	PASSEDBYVALUE,
	ALIGNMENT = int4,
	STORAGE = plain
);

-- wa.permissions: casts
--
-- The text form of a set is that of an array of its names.
--
-- The casts are for assignment and not implicit: with an implicit cast from text[], and this
-- schema in the search path, text[] = text[] would be ambiguous.

CREATE CAST (text[] AS wa.permissions) WITH INOUT AS ASSIGNMENT;
COMMENT ON CAST (text[] AS wa.permissions) IS 'names to set; an unknown name or a null element is an error';

CREATE CAST (wa.permissions AS text[]) WITH INOUT AS ASSIGNMENT;
COMMENT ON CAST (wa.permissions AS text[]) IS 'set to names, in the order read, send, manage, events';

CREATE CAST (wa.permission[] AS wa.permissions) WITH INOUT AS ASSIGNMENT;
COMMENT ON CAST (wa.permission[] AS wa.permissions) IS 'permissions to set; a null element is an error';

CREATE CAST (wa.permissions AS wa.permission[]) WITH INOUT AS ASSIGNMENT;
COMMENT ON CAST (wa.permissions AS wa.permission[]) IS 'set to permissions, in the order read, send, manage, events';

-- wa.permissions: operators

CREATE FUNCTION wa.permissions_contains(wa.permissions, wa.permissions) RETURNS boolean
	AS 'MODULE_PATHNAME', 'wa_permissions_contains'
	LANGUAGE c IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE;
COMMENT ON FUNCTION wa.permissions_contains(wa.permissions, wa.permissions) IS 'implementation of @> operator';

CREATE OPERATOR wa.@> (
	FUNCTION = wa.permissions_contains,
	LEFTARG = wa.permissions,
	RIGHTARG = wa.permissions,
	COMMUTATOR = OPERATOR(wa.<@),
	RESTRICT = pg_catalog.contsel,
	JOIN = pg_catalog.contjoinsel
);
COMMENT ON OPERATOR wa.@> (wa.permissions, wa.permissions) IS 'contains';

CREATE FUNCTION wa.permissions_contained(wa.permissions, wa.permissions) RETURNS boolean
	AS 'MODULE_PATHNAME', 'wa_permissions_contained'
	LANGUAGE c IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE;
COMMENT ON FUNCTION wa.permissions_contained(wa.permissions, wa.permissions) IS 'implementation of <@ operator';

CREATE OPERATOR wa.<@ (
	FUNCTION = wa.permissions_contained,
	LEFTARG = wa.permissions,
	RIGHTARG = wa.permissions,
	COMMUTATOR = OPERATOR(wa.@>),
	RESTRICT = pg_catalog.contsel,
	JOIN = pg_catalog.contjoinsel
);
COMMENT ON OPERATOR wa.<@ (wa.permissions, wa.permissions) IS 'is contained by';

CREATE FUNCTION wa.permissions_overlaps(wa.permissions, wa.permissions) RETURNS boolean
	AS 'MODULE_PATHNAME', 'wa_permissions_overlaps'
	LANGUAGE c IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE;
COMMENT ON FUNCTION wa.permissions_overlaps(wa.permissions, wa.permissions) IS 'implementation of && operator';

CREATE OPERATOR wa.&& (
	FUNCTION = wa.permissions_overlaps,
	LEFTARG = wa.permissions,
	RIGHTARG = wa.permissions,
	COMMUTATOR = OPERATOR(wa.&&),
	RESTRICT = pg_catalog.contsel,
	JOIN = pg_catalog.contjoinsel
);
COMMENT ON OPERATOR wa.&& (wa.permissions, wa.permissions) IS 'overlaps';

CREATE FUNCTION wa.permissions_eq(wa.permissions, wa.permissions) RETURNS boolean
	AS 'MODULE_PATHNAME', 'wa_permissions_eq'
	LANGUAGE c IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE;
COMMENT ON FUNCTION wa.permissions_eq(wa.permissions, wa.permissions) IS 'implementation of = operator';

CREATE OPERATOR wa.= (
	FUNCTION = wa.permissions_eq,
	LEFTARG = wa.permissions,
	RIGHTARG = wa.permissions,
	COMMUTATOR = OPERATOR(wa.=),
	NEGATOR = OPERATOR(wa.<>),
	RESTRICT = pg_catalog.eqsel,
	JOIN = pg_catalog.eqjoinsel,
	HASHES
);
COMMENT ON OPERATOR wa.= (wa.permissions, wa.permissions) IS 'equal';

CREATE FUNCTION wa.permissions_ne(wa.permissions, wa.permissions) RETURNS boolean
	AS 'MODULE_PATHNAME', 'wa_permissions_ne'
	LANGUAGE c IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE;
COMMENT ON FUNCTION wa.permissions_ne(wa.permissions, wa.permissions) IS 'implementation of <> operator';

CREATE OPERATOR wa.<> (
	FUNCTION = wa.permissions_ne,
	LEFTARG = wa.permissions,
	RIGHTARG = wa.permissions,
	COMMUTATOR = OPERATOR(wa.<>),
	NEGATOR = OPERATOR(wa.=),
	RESTRICT = pg_catalog.neqsel,
	JOIN = pg_catalog.neqjoinsel
);
COMMENT ON OPERATOR wa.<> (wa.permissions, wa.permissions) IS 'not equal';

-- wa.permissions: operator class

CREATE FUNCTION wa.permissions_hash(wa.permissions) RETURNS integer
	AS 'MODULE_PATHNAME', 'wa_permissions_hash'
	LANGUAGE c IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE;
COMMENT ON FUNCTION wa.permissions_hash(wa.permissions) IS 'hash';

CREATE FUNCTION wa.permissions_hash_extended(wa.permissions, bigint) RETURNS bigint
	AS 'MODULE_PATHNAME', 'wa_permissions_hash_extended'
	LANGUAGE c IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE;
COMMENT ON FUNCTION wa.permissions_hash_extended(wa.permissions, bigint) IS 'hash with a seed';

CREATE OPERATOR CLASS wa.permissions_ops DEFAULT FOR TYPE wa.permissions USING hash AS
	OPERATOR 1 wa.=,
	FUNCTION 1 wa.permissions_hash(wa.permissions),
	FUNCTION 2 wa.permissions_hash_extended(wa.permissions, bigint);
COMMENT ON OPERATOR CLASS wa.permissions_ops USING hash IS 'permissions by hash';
COMMENT ON OPERATOR FAMILY wa.permissions_ops USING hash IS 'permissions by hash';

-- Identifiers

CREATE FUNCTION wa.uuid7() RETURNS uuid
	AS 'MODULE_PATHNAME', 'wa_uuid7'
	LANGUAGE c STRICT PARALLEL SAFE;
COMMENT ON FUNCTION wa.uuid7() IS 'a new UUID of version 7; later ones of a backend are always greater';

CREATE FUNCTION wa.uuid7_time(id uuid) RETURNS timestamptz
	LANGUAGE sql STABLE STRICT PARALLEL SAFE
AS $$
	SELECT timestamptz 'epoch' + interval '1 millisecond' * ('x' || left(replace(id::text, '-', ''), 12))::bit(48)::bigint
$$;
COMMENT ON FUNCTION wa.uuid7_time(uuid) IS 'for function bodies: when a UUIDv7 was made, to the millisecond';

CREATE FUNCTION wa.typeid(prefix text, id uuid) RETURNS text
	AS 'MODULE_PATHNAME', 'wa_typeid'
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION wa.typeid(text, uuid) IS
	'the public form of an identifier by the TypeID specification 0.3: prefix, underscore, 26 characters. `22023`: no '
	'valid prefix';

CREATE FUNCTION wa.from_typeid(prefix text, id text) RETURNS uuid
	AS 'MODULE_PATHNAME', 'wa_from_typeid'
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION wa.from_typeid(text, text) IS
	'the identifier behind its public form, which has to have this prefix. `22P02`: it does not, or is no TypeID; '
	'`22023`: no valid prefix';

-- wa.org_id, wa.key_id, wa.user_id, wa.session_id: what administration functions take as an id.
--
-- All casts are implicit, so that a literal, a uuid and a text are all accepted where a
-- function has such a parameter.  That makes no other call ambiguous: the types have no
-- operator, and no name is shared by a function with one of them and another function with as
-- many parameters.  There is no cast to text, and none between the four.
DO $$
DECLARE
	kind record;
BEGIN
	FOR kind IN
		SELECT k.name, 'wa.' || k.name AS type, k.prefix, k.whose FROM (VALUES
			('org_id', 'org', 'an organization'), ('key_id', 'key', 'an API key'), ('user_id', 'usr', 'a person'),
			('session_id', 'sess', 'a session'))
			k (name, prefix, whose)
	LOOP
		EXECUTE pg_catalog.format('CREATE TYPE %s', kind.type);
		EXECUTE pg_catalog.format('COMMENT ON TYPE %s IS %L', kind.type, pg_catalog.format(
			'the id of %s as administration functions take it: a uuid, or `%s_…` (`22P02` for any other text). Printed as '
			'`%2$s_…`. Implicit casts from and to `uuid`, and from `text`', kind.whose, kind.prefix));
		EXECUTE pg_catalog.format('CREATE FUNCTION %s_in(cstring) RETURNS %1$s AS ''MODULE_PATHNAME'', ''wa_%s_in'' '
			'LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE', kind.type, kind.name);
		EXECUTE pg_catalog.format('CREATE FUNCTION %s_out(%1$s) RETURNS cstring AS ''MODULE_PATHNAME'', ''wa_%s_out'' '
			'LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE', kind.type, kind.name);
		EXECUTE pg_catalog.format('CREATE FUNCTION %s_recv(internal) RETURNS %1$s AS ''MODULE_PATHNAME'', ''wa_id_recv'' '
			'LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE', kind.type);
		EXECUTE pg_catalog.format('CREATE FUNCTION %s_send(%1$s) RETURNS bytea AS ''MODULE_PATHNAME'', ''wa_id_send'' '
			'LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE', kind.type);
		EXECUTE pg_catalog.format('COMMENT ON FUNCTION %s_in(cstring) IS ''input: a uuid, or %s_…''', kind.type, kind.prefix);
		EXECUTE pg_catalog.format('COMMENT ON FUNCTION %s_out(%1$s) IS ''output: %s_…''', kind.type, kind.prefix);
		EXECUTE pg_catalog.format('COMMENT ON FUNCTION %s_recv(internal) IS ''binary input: a uuid''', kind.type);
		EXECUTE pg_catalog.format('COMMENT ON FUNCTION %s_send(%1$s) IS ''binary output: a uuid''', kind.type);
		EXECUTE pg_catalog.format('CREATE TYPE %s (INPUT = %1$s_in, OUTPUT = %1$s_out, RECEIVE = %1$s_recv, SEND = %1$s_send, '
			'LIKE = pg_catalog.uuid)', kind.type);
		EXECUTE pg_catalog.format('CREATE CAST (uuid AS %s) WITHOUT FUNCTION AS IMPLICIT', kind.type);
		EXECUTE pg_catalog.format('CREATE CAST (%s AS uuid) WITHOUT FUNCTION AS IMPLICIT', kind.type);
		EXECUTE pg_catalog.format('CREATE CAST (text AS %s) WITH INOUT AS IMPLICIT', kind.type);
		EXECUTE pg_catalog.format('COMMENT ON CAST (uuid AS %s) IS ''the same value''', kind.type);
		EXECUTE pg_catalog.format('COMMENT ON CAST (%s AS uuid) IS ''the same value''', kind.type);
		EXECUTE pg_catalog.format('COMMENT ON CAST (text AS %s) IS ''a uuid, or %s_…''', kind.type, kind.prefix);
	END LOOP;
END $$;
