-- The context: who a transaction acts for.  See src/context.c.

CREATE FUNCTION wa.authenticate(secret wa.secret, needs wa.permissions DEFAULT NULL, address text DEFAULT NULL,
								agent text DEFAULT NULL) RETURNS uuid
	LANGUAGE c
	AS 'MODULE_PATHNAME', 'wa_authenticate';
COMMENT ON FUNCTION wa.authenticate(wa.secret, wa.permissions, text, text) IS
	'binds a credential to this transaction, until it ends, for the permissions in `needs` and no other that it has, '
	'and returns the id of the key or person. `needs` is a set, `''{read,manage}''`, or the name of one, `''read''`; '
	'the empty set is good for who it is only, NULL for all that it has. PostgreSQL reads in an `UPDATE` or `DELETE` '
	'with a condition and for `RETURNING`, so that these need the permission to read beside that to write. The same '
	'credential again adds what it needs then. `address` is where the request came from, as the caller says: a key that '
	'is restricted to addresses is refused from others, and it is kept as that of the key''s last use; what is no IPv4 or '
	'IPv6 address counts as none. `agent` is the program that sent it, as its User-Agent says, of which 120 printable ASCII '
	'characters are kept with the last use. `28000`: unknown, revoked or '
	'expired (one message for all), or NULL; `28000` with `address` in the constraint-name field: a key that cannot be '
	'used from there; `53400` with `key_rate`: a key that has made more requests than its rate allows, and the detail '
	'begins with the seconds to wait (the first call of a transaction is a request); `42501`: it lacks one that it needs, which is named; `25000`: the '
	'transaction is bound to another identity already, also if that was in a savepoint since rolled back';

-- A name of its own, and not wa.authenticate() with another type: a literal would then be
-- taken for a text, and '{read,send}' for the name of one permission.
CREATE FUNCTION wa.authenticate_for(secret wa.secret, needs text[], address text DEFAULT NULL) RETURNS uuid
	LANGUAGE c
	AS 'MODULE_PATHNAME', 'wa_authenticate_for';
COMMENT ON FUNCTION wa.authenticate_for(wa.secret, text[], text) IS
	'`wa.authenticate()` where `needs` can also name permissions of one''s own (`wa.define_permission()`): '
	'`''{read,invoices:write}''`. In `wa.authenticate()` a set of the four covers none of them, and NULL covers all that the key has. `42704`: no such permission, `22004`: a null '
	'element, `22023`: more than 64 names';

CREATE FUNCTION wa.credential_org(secret wa.secret) RETURNS uuid
	LANGUAGE c STRICT
	AS 'MODULE_PATHNAME', 'wa_credential_org';
COMMENT ON FUNCTION wa.credential_org(wa.secret) IS
	'organization of a credential, NULL if `wa.authenticate()` would refuse it as unknown, revoked or expired. It binds '
	'nothing and counts no request. The gateway asks it whose turn a request with an unknown credential takes';

CREATE FUNCTION wa.credential_reaches(secret wa.secret, needs wa.permission, address text, session uuid) RETURNS boolean
	LANGUAGE c
	AS 'MODULE_PATHNAME', 'wa_credential_reaches';
COMMENT ON FUNCTION wa.credential_reaches(wa.secret, wa.permission, text, uuid) IS
	'whether `wa.authenticate()` would bind the credential for this permission from that address, and it reaches the '
	'session (NULL: any). It binds nothing and counts no request. The gateway asks it while a file is sent or taken, which may take hours';

CREATE FUNCTION wa.act_for(org uuid) RETURNS void
	LANGUAGE c
	AS 'MODULE_PATHNAME', 'wa_act_for';
COMMENT ON FUNCTION wa.act_for(uuid) IS
	'binds one organization to this transaction, for system processes that have no key. It does not look whether the '
	'organization exists. `25000`: the transaction is bound to another identity already';

-- Getters.  They are STABLE, because no plan may store their result, and RESTRICTED, because
-- a parallel worker has no context.
CREATE FUNCTION wa.current_org() RETURNS uuid
	LANGUAGE c STABLE STRICT PARALLEL RESTRICTED
	AS 'MODULE_PATHNAME', 'wa_current_org';
COMMENT ON FUNCTION wa.current_org() IS
	'organization that this transaction acts for, NULL if none. This and all getters raise `28000` if what was bound '
	'was revoked, signed out or has expired since';

CREATE FUNCTION wa.current_key() RETURNS uuid
	LANGUAGE c STABLE STRICT PARALLEL RESTRICTED
	AS 'MODULE_PATHNAME', 'wa_current_key';
COMMENT ON FUNCTION wa.current_key() IS 'API key that this transaction acts with, NULL if none';

CREATE FUNCTION wa.current_user_id() RETURNS uuid
	LANGUAGE c STABLE STRICT PARALLEL RESTRICTED
	AS 'MODULE_PATHNAME', 'wa_current_user_id';
COMMENT ON FUNCTION wa.current_user_id() IS 'person that this transaction acts for, NULL if none';

CREATE FUNCTION wa.current_sign_in() RETURNS uuid
	LANGUAGE c STABLE STRICT PARALLEL RESTRICTED
	AS 'MODULE_PATHNAME', 'wa_current_sign_in';
COMMENT ON FUNCTION wa.current_sign_in() IS 'sign-in behind the user token that this transaction acts with, NULL if none';

CREATE FUNCTION wa.current_expiry() RETURNS timestamptz
	LANGUAGE c STABLE STRICT PARALLEL RESTRICTED
	AS 'MODULE_PATHNAME', 'wa_current_expiry';
COMMENT ON FUNCTION wa.current_expiry() IS
	'when the credential of this transaction ends, infinity if never, NULL if no credential is bound';

CREATE FUNCTION wa.current_address() RETURNS text
	LANGUAGE c STABLE STRICT PARALLEL RESTRICTED
	AS 'MODULE_PATHNAME', 'wa_current_address';
COMMENT ON FUNCTION wa.current_address() IS
	'for function bodies: the client''s network address as `wa.authenticate()` was told it; NULL if it was told none, or no credential is bound';

CREATE FUNCTION wa.current_rate() RETURNS integer
	LANGUAGE c STABLE STRICT PARALLEL RESTRICTED
	AS 'MODULE_PATHNAME', 'wa_current_rate';
COMMENT ON FUNCTION wa.current_rate() IS
	'how many requests a minute the bound key may make, NULL if this transaction was not counted as one';

CREATE FUNCTION wa.current_rate_left() RETURNS integer
	LANGUAGE c STABLE STRICT PARALLEL RESTRICTED
	AS 'MODULE_PATHNAME', 'wa_current_rate_left';
COMMENT ON FUNCTION wa.current_rate_left() IS
	'how many requests the bound key could make at once when this transaction was counted, NULL if it was not';

CREATE FUNCTION wa.current_rate_full_in() RETURNS integer
	LANGUAGE c STABLE STRICT PARALLEL RESTRICTED
	AS 'MODULE_PATHNAME', 'wa_current_rate_full_in';
COMMENT ON FUNCTION wa.current_rate_full_in() IS
	'in how many seconds, from when this transaction was counted, the bound key may make its whole burst again; NULL if it was not counted';

CREATE FUNCTION wa.member_role() RETURNS text
	LANGUAGE c STABLE STRICT PARALLEL RESTRICTED
	AS 'MODULE_PATHNAME', 'wa_member_role';
COMMENT ON FUNCTION wa.member_role() IS
	'role (`owner`, `admin`, `member`) of the bound person in the bound organization, as committed now; NULL if no '
	'person is bound';

CREATE FUNCTION wa.current_permissions() RETURNS wa.permissions
	LANGUAGE c STABLE STRICT PARALLEL RESTRICTED
	AS 'MODULE_PATHNAME', 'wa_current_permissions';
COMMENT ON FUNCTION wa.current_permissions() IS
	'permissions that this transaction was authenticated for, NULL if nobody is bound; empty after `wa.act_for()`';

CREATE FUNCTION wa.current_own_permissions() RETURNS text[]
	LANGUAGE c STABLE STRICT PARALLEL RESTRICTED
	AS 'MODULE_PATHNAME', 'wa_current_own_permissions';
COMMENT ON FUNCTION wa.current_own_permissions() IS
	'permissions of one''s own that this transaction was authenticated for, NULL if nobody is bound';

CREATE FUNCTION wa.has_permission(permission wa.permission) RETURNS boolean
	LANGUAGE c STABLE STRICT PARALLEL RESTRICTED
	AS 'MODULE_PATHNAME', 'wa_has_permission';
COMMENT ON FUNCTION wa.has_permission(wa.permission) IS
	'whether the bound credential has the permission, NULL if no credential is bound';

CREATE FUNCTION wa.holds_permission(permission wa.permission) RETURNS boolean
	LANGUAGE c STABLE STRICT PARALLEL RESTRICTED
	AS 'MODULE_PATHNAME', 'wa_holds_permission';
COMMENT ON FUNCTION wa.holds_permission(wa.permission) IS
	'whether the bound credential has the permission, also when the transaction was authenticated for another one only; NULL if no credential is bound';

CREATE FUNCTION wa.require_org() RETURNS uuid
	LANGUAGE c STABLE STRICT PARALLEL RESTRICTED
	AS 'MODULE_PATHNAME', 'wa_require_org';
COMMENT ON FUNCTION wa.require_org() IS
	'organization that this transaction acts for; raises 28000 if none';

CREATE FUNCTION wa.require_permission(permission wa.permission) RETURNS void
	LANGUAGE c STABLE PARALLEL RESTRICTED
	AS 'MODULE_PATHNAME', 'wa_require_permission';
COMMENT ON FUNCTION wa.require_permission(wa.permission) IS
	'raises 28000 if no credential is bound, 42501 if it lacks the permission; for function bodies, not for policies';

CREATE FUNCTION wa.org_for(permission wa.permission) RETURNS uuid
	LANGUAGE c STABLE PARALLEL RESTRICTED
	AS 'MODULE_PATHNAME', 'wa_org_for';
COMMENT ON FUNCTION wa.org_for(wa.permission) IS
	'organization for one who has the permission; raises 28000 or 42501 otherwise, and 42501 with `test` in the constraint-name '
	'field for a test key; what policies compare org_id with';

CREATE FUNCTION wa.org_for_any_key(permission wa.permission) RETURNS uuid
	LANGUAGE c STABLE PARALLEL RESTRICTED
	AS 'MODULE_PATHNAME', 'wa_org_for_any_key';
COMMENT ON FUNCTION wa.org_for_any_key(wa.permission) IS
	'`wa.org_for()` that does not refuse a test key: for tables whose rows a test key may use like any other key';

-- The same for permissions of one's own.  They have names of their own, so that the type of a
-- literal is never in doubt: a misspelled one of the four stays an error when it is parsed.
CREATE FUNCTION wa.has_own_permission(permission text) RETURNS boolean
	LANGUAGE c STABLE PARALLEL RESTRICTED
	AS 'MODULE_PATHNAME', 'wa_has_own_permission';
COMMENT ON FUNCTION wa.has_own_permission(text) IS
	'`wa.has_permission()` for one that `wa.define_permission()` has defined; `42704`: none has';

CREATE FUNCTION wa.require_own_permission(permission text) RETURNS void
	LANGUAGE c STABLE PARALLEL RESTRICTED
	AS 'MODULE_PATHNAME', 'wa_require_own_permission';
COMMENT ON FUNCTION wa.require_own_permission(text) IS
	'`wa.require_permission()` for one that `wa.define_permission()` has defined; `42704`: none has';

CREATE FUNCTION wa.org_for_own(permission text) RETURNS uuid
	LANGUAGE c STABLE PARALLEL RESTRICTED
	AS 'MODULE_PATHNAME', 'wa_org_for_own';
COMMENT ON FUNCTION wa.org_for_own(text) IS
	'`wa.org_for()` for one that `wa.define_permission()` has defined; `42704`: none has';

CREATE FUNCTION wa.org_for_own_any_key(permission text) RETURNS uuid
	LANGUAGE c STABLE PARALLEL RESTRICTED
	AS 'MODULE_PATHNAME', 'wa_org_for_own_any_key';
COMMENT ON FUNCTION wa.org_for_own_any_key(text) IS
	'`wa.org_for_any_key()` for one that `wa.define_permission()` has defined; `42704`: none has';

-- The sessions that the bound credential reaches (src/reach.c).
CREATE FUNCTION wa.reaches(session uuid) RETURNS boolean
	LANGUAGE c STABLE PARALLEL RESTRICTED
	AS 'MODULE_PATHNAME', 'wa_reaches';
COMMENT ON FUNCTION wa.reaches(uuid) IS
	'whether the bound credential reaches a session of its organization, for policies of tables whose rows belong to '
	'sessions: false for an API key that is restricted to other sessions, also if the session is NULL, and for a test key '
	'if it is no session of the sandbox; true for everybody else';

CREATE FUNCTION wa.reaches_session(session uuid, connector text) RETURNS boolean
	LANGUAGE c STABLE STRICT PARALLEL RESTRICTED
	AS 'MODULE_PATHNAME', 'wa_reaches_session';
COMMENT ON FUNCTION wa.reaches_session(uuid, text) IS
	'`wa.reaches()` for the policy of the sessions themselves, which passes the connector that runs the session';

CREATE FUNCTION wa.reaches_webhook(org uuid, webhook uuid) RETURNS boolean
	LANGUAGE c STABLE STRICT PARALLEL RESTRICTED
	AS 'MODULE_PATHNAME', 'wa_reaches_webhook';
COMMENT ON FUNCTION wa.reaches_webhook(uuid, uuid) IS
	'for policies: whether the bound credential reaches the session that a webhook is for; false for a key that is '
	'restricted to some sessions if the webhook is for all of them';

CREATE FUNCTION wa.is_restricted_to_sessions() RETURNS boolean
	LANGUAGE c STABLE STRICT PARALLEL RESTRICTED
	AS 'MODULE_PATHNAME', 'wa_is_restricted_to_sessions';
COMMENT ON FUNCTION wa.is_restricted_to_sessions() IS
	'for function bodies: whether the bound credential is an API key that is restricted to some sessions, by a list or as a test key';

CREATE FUNCTION wa.count_denied_session(session uuid) RETURNS void
	LANGUAGE c PARALLEL RESTRICTED
	AS 'MODULE_PATHNAME', 'wa_count_denied_session';
COMMENT ON FUNCTION wa.count_denied_session(uuid) IS
	'for function bodies that refuse a request: counts it for a bound key that is restricted to other sessions; NULL is out of reach of every restricted key';

CREATE FUNCTION wa.hash_key(key text) RETURNS bytea
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'wa_hash_key';
COMMENT ON FUNCTION wa.hash_key(text) IS
	'SHA-256 of a key, which is all that the database keeps of it, as `wa.import_key()` wants it; the same as '
	'`sha256(convert_to(key, ''UTF8''))`';

CREATE FUNCTION wa.make_secret(kind text, OUT secret text, OUT digest bytea, OUT prefix text)
	LANGUAGE c STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'wa_make_secret';
COMMENT ON FUNCTION wa.make_secret(text) IS
	'makes a credential (api_key, test_key, user_token, sign_in, device, ticket, invitation) with its digest and the first characters, for display';

CREATE FUNCTION wa.random_bytes(length integer) RETURNS bytea
	LANGUAGE c STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'wa_random_bytes';
COMMENT ON FUNCTION wa.random_bytes(integer) IS '1 to 1024 bytes from the server''s strong random source';
