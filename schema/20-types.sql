-- Types: credentials and permissions; identifiers.
--
-- Everything here is pure and stays executable by PUBLIC.
--
-- wa.secret has no operator, no operator class and no cast, and holds a digest
-- instead of the credential (src/secret.c).
--
-- The functions that cannot raise are LEAKPROOF, so that a condition on
-- permissions can use an index below row-level security.

-- wa.secret

CREATE TYPE wa.secret;
COMMENT ON TYPE wa.secret IS 'a credential on its way into the database; keeps its digest only and prints itself masked';

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
COMMENT ON TYPE wa.permission IS 'what a key may be allowed: read, send, manage, events; none implies another';

-- wa.permissions

CREATE TYPE wa.permissions;
COMMENT ON TYPE wa.permissions IS 'a set of permissions, written {read,send}';

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

CREATE FUNCTION wa.permissions(text[]) RETURNS wa.permissions
	AS 'MODULE_PATHNAME', 'wa_permissions_from_array'
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION wa.permissions(text[]) IS 'the permissions that an array names; an unknown name or a null element is an error';

CREATE FUNCTION wa.permission_names(wa.permissions) RETURNS text[]
	AS 'MODULE_PATHNAME', 'wa_permissions_to_array'
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION wa.permission_names(wa.permissions) IS 'the names of the permissions of a set, in the order read, send, manage, events';

CREATE FUNCTION wa.permissions(wa.permission) RETURNS wa.permissions
	AS 'MODULE_PATHNAME', 'wa_permissions_from_permission'
	LANGUAGE c STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION wa.permissions(wa.permission) IS 'the set of this one permission';

-- Assignment, not implicit: an implicit cast from the enum would make its own
-- = ambiguous.
CREATE CAST (text[] AS wa.permissions) WITH FUNCTION wa.permissions(text[]) AS ASSIGNMENT;
COMMENT ON CAST (text[] AS wa.permissions) IS 'names to set; an unknown name or a null element is an error';

CREATE CAST (wa.permissions AS text[]) WITH FUNCTION wa.permission_names(wa.permissions) AS ASSIGNMENT;
COMMENT ON CAST (wa.permissions AS text[]) IS 'set to names';

CREATE CAST (wa.permission AS wa.permissions) WITH FUNCTION wa.permissions(wa.permission) AS ASSIGNMENT;
COMMENT ON CAST (wa.permission AS wa.permissions) IS 'one permission to set';

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

CREATE FUNCTION wa.permissions_has(wa.permissions, wa.permission) RETURNS boolean
	AS 'MODULE_PATHNAME', 'wa_permissions_has'
	LANGUAGE c STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION wa.permissions_has(wa.permissions, wa.permission) IS 'implementation of @> operator';

CREATE OPERATOR wa.@> (
	FUNCTION = wa.permissions_has,
	LEFTARG = wa.permissions,
	RIGHTARG = wa.permission,
	COMMUTATOR = OPERATOR(wa.<@),
	RESTRICT = pg_catalog.contsel,
	JOIN = pg_catalog.contjoinsel
);
COMMENT ON OPERATOR wa.@> (wa.permissions, wa.permission) IS 'has the permission';

CREATE FUNCTION wa.permissions_member_of(wa.permission, wa.permissions) RETURNS boolean
	AS 'MODULE_PATHNAME', 'wa_permissions_member_of'
	LANGUAGE c STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION wa.permissions_member_of(wa.permission, wa.permissions) IS 'implementation of <@ operator';

CREATE OPERATOR wa.<@ (
	FUNCTION = wa.permissions_member_of,
	LEFTARG = wa.permission,
	RIGHTARG = wa.permissions,
	COMMUTATOR = OPERATOR(wa.@>),
	RESTRICT = pg_catalog.contsel,
	JOIN = pg_catalog.contjoinsel
);
COMMENT ON OPERATOR wa.<@ (wa.permission, wa.permissions) IS 'is one of the permissions';

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

CREATE FUNCTION wa.permissions_union(wa.permissions, wa.permissions) RETURNS wa.permissions
	AS 'MODULE_PATHNAME', 'wa_permissions_union'
	LANGUAGE c IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE;
COMMENT ON FUNCTION wa.permissions_union(wa.permissions, wa.permissions) IS 'implementation of | operator';

CREATE OPERATOR wa.| (
	FUNCTION = wa.permissions_union,
	LEFTARG = wa.permissions,
	RIGHTARG = wa.permissions,
	COMMUTATOR = OPERATOR(wa.|)
);
COMMENT ON OPERATOR wa.| (wa.permissions, wa.permissions) IS 'union';

CREATE FUNCTION wa.permissions_intersection(wa.permissions, wa.permissions) RETURNS wa.permissions
	AS 'MODULE_PATHNAME', 'wa_permissions_intersection'
	LANGUAGE c IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE;
COMMENT ON FUNCTION wa.permissions_intersection(wa.permissions, wa.permissions) IS 'implementation of & operator';

CREATE OPERATOR wa.& (
	FUNCTION = wa.permissions_intersection,
	LEFTARG = wa.permissions,
	RIGHTARG = wa.permissions,
	COMMUTATOR = OPERATOR(wa.&)
);
COMMENT ON OPERATOR wa.& (wa.permissions, wa.permissions) IS 'intersection';

CREATE FUNCTION wa.permissions_difference(wa.permissions, wa.permissions) RETURNS wa.permissions
	AS 'MODULE_PATHNAME', 'wa_permissions_difference'
	LANGUAGE c IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE;
COMMENT ON FUNCTION wa.permissions_difference(wa.permissions, wa.permissions) IS 'implementation of - operator';

CREATE OPERATOR wa.- (
	FUNCTION = wa.permissions_difference,
	LEFTARG = wa.permissions,
	RIGHTARG = wa.permissions
);
COMMENT ON OPERATOR wa.- (wa.permissions, wa.permissions) IS 'difference';

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
	HASHES,
	MERGES
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

CREATE FUNCTION wa.permissions_lt(wa.permissions, wa.permissions) RETURNS boolean
	AS 'MODULE_PATHNAME', 'wa_permissions_lt'
	LANGUAGE c IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE;
COMMENT ON FUNCTION wa.permissions_lt(wa.permissions, wa.permissions) IS 'implementation of < operator';

CREATE OPERATOR wa.< (
	FUNCTION = wa.permissions_lt,
	LEFTARG = wa.permissions,
	RIGHTARG = wa.permissions,
	COMMUTATOR = OPERATOR(wa.>),
	NEGATOR = OPERATOR(wa.>=),
	RESTRICT = pg_catalog.scalarltsel,
	JOIN = pg_catalog.scalarltjoinsel
);
COMMENT ON OPERATOR wa.< (wa.permissions, wa.permissions) IS 'less than';

CREATE FUNCTION wa.permissions_le(wa.permissions, wa.permissions) RETURNS boolean
	AS 'MODULE_PATHNAME', 'wa_permissions_le'
	LANGUAGE c IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE;
COMMENT ON FUNCTION wa.permissions_le(wa.permissions, wa.permissions) IS 'implementation of <= operator';

CREATE OPERATOR wa.<= (
	FUNCTION = wa.permissions_le,
	LEFTARG = wa.permissions,
	RIGHTARG = wa.permissions,
	COMMUTATOR = OPERATOR(wa.>=),
	NEGATOR = OPERATOR(wa.>),
	RESTRICT = pg_catalog.scalarlesel,
	JOIN = pg_catalog.scalarlejoinsel
);
COMMENT ON OPERATOR wa.<= (wa.permissions, wa.permissions) IS 'less than or equal';

CREATE FUNCTION wa.permissions_gt(wa.permissions, wa.permissions) RETURNS boolean
	AS 'MODULE_PATHNAME', 'wa_permissions_gt'
	LANGUAGE c IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE;
COMMENT ON FUNCTION wa.permissions_gt(wa.permissions, wa.permissions) IS 'implementation of > operator';

CREATE OPERATOR wa.> (
	FUNCTION = wa.permissions_gt,
	LEFTARG = wa.permissions,
	RIGHTARG = wa.permissions,
	COMMUTATOR = OPERATOR(wa.<),
	NEGATOR = OPERATOR(wa.<=),
	RESTRICT = pg_catalog.scalargtsel,
	JOIN = pg_catalog.scalargtjoinsel
);
COMMENT ON OPERATOR wa.> (wa.permissions, wa.permissions) IS 'greater than';

CREATE FUNCTION wa.permissions_ge(wa.permissions, wa.permissions) RETURNS boolean
	AS 'MODULE_PATHNAME', 'wa_permissions_ge'
	LANGUAGE c IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE;
COMMENT ON FUNCTION wa.permissions_ge(wa.permissions, wa.permissions) IS 'implementation of >= operator';

CREATE OPERATOR wa.>= (
	FUNCTION = wa.permissions_ge,
	LEFTARG = wa.permissions,
	RIGHTARG = wa.permissions,
	COMMUTATOR = OPERATOR(wa.<=),
	NEGATOR = OPERATOR(wa.<),
	RESTRICT = pg_catalog.scalargesel,
	JOIN = pg_catalog.scalargejoinsel
);
COMMENT ON OPERATOR wa.>= (wa.permissions, wa.permissions) IS 'greater than or equal';

-- wa.permissions: operator classes

CREATE FUNCTION wa.permissions_cmp(wa.permissions, wa.permissions) RETURNS integer
	AS 'MODULE_PATHNAME', 'wa_permissions_cmp'
	LANGUAGE c IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE;
COMMENT ON FUNCTION wa.permissions_cmp(wa.permissions, wa.permissions) IS 'compare, for indexes: the bit sets as numbers';

CREATE FUNCTION wa.permissions_hash(wa.permissions) RETURNS integer
	AS 'MODULE_PATHNAME', 'wa_permissions_hash'
	LANGUAGE c IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE;
COMMENT ON FUNCTION wa.permissions_hash(wa.permissions) IS 'hash';

CREATE FUNCTION wa.permissions_hash_extended(wa.permissions, bigint) RETURNS bigint
	AS 'MODULE_PATHNAME', 'wa_permissions_hash_extended'
	LANGUAGE c IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE;
COMMENT ON FUNCTION wa.permissions_hash_extended(wa.permissions, bigint) IS 'hash with a seed';

CREATE OPERATOR CLASS wa.permissions_ops DEFAULT FOR TYPE wa.permissions USING btree AS
	OPERATOR 1 wa.<,
	OPERATOR 2 wa.<=,
	OPERATOR 3 wa.=,
	OPERATOR 4 wa.>=,
	OPERATOR 5 wa.>,
	FUNCTION 1 wa.permissions_cmp(wa.permissions, wa.permissions),
	FUNCTION 4 pg_catalog.btequalimage(oid);
COMMENT ON OPERATOR CLASS wa.permissions_ops USING btree IS 'permissions in the order of their bit sets';
COMMENT ON OPERATOR FAMILY wa.permissions_ops USING btree IS 'permissions in the order of their bit sets';

CREATE OPERATOR CLASS wa.permissions_ops DEFAULT FOR TYPE wa.permissions USING hash AS
	OPERATOR 1 wa.=,
	FUNCTION 1 wa.permissions_hash(wa.permissions),
	FUNCTION 2 wa.permissions_hash_extended(wa.permissions, bigint);
COMMENT ON OPERATOR CLASS wa.permissions_ops USING hash IS 'permissions by hash';
COMMENT ON OPERATOR FAMILY wa.permissions_ops USING hash IS 'permissions by hash';

-- Identifiers

CREATE FUNCTION wa.uuid7() RETURNS uuid
	AS 'MODULE_PATHNAME', 'wa_uuid7'
	LANGUAGE c VOLATILE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION wa.uuid7() IS 'a new UUID of version 7; later ones of a backend are always greater';

CREATE FUNCTION wa.typeid(prefix text, id uuid) RETURNS text
	AS 'MODULE_PATHNAME', 'wa_typeid'
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION wa.typeid(text, uuid) IS 'the public form of an identifier: prefix, underscore, 26 characters';

CREATE FUNCTION wa.from_typeid(prefix text, id text) RETURNS uuid
	AS 'MODULE_PATHNAME', 'wa_from_typeid'
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION wa.from_typeid(text, text) IS 'the identifier behind its public form, which has to have this prefix';
