-- At start: the worker's login must be able to do nothing but its work.
-- Same columns as worker/self_check, so that both are reported alike.
SELECT c.name, c.passed, c.detail
FROM pg_catalog.pg_roles AS r
CROSS JOIN LATERAL (VALUES
	('login_not_superuser', NOT r.rolsuper,
	 'the login is a superuser'),
	('login_no_bypassrls', NOT r.rolbypassrls,
	 'the login has BYPASSRLS'),
	('login_no_createrole', NOT r.rolcreaterole,
	 'the login has CREATEROLE'),
	('login_no_createdb', NOT r.rolcreatedb,
	 'the login has CREATEDB'),
	('login_no_replication', NOT r.rolreplication,
	 'the login has REPLICATION'),
	('login_not_owner', r.rolsuper OR NOT pg_catalog.pg_has_role(r.oid, 'wa_owner', 'MEMBER'),
	 'the login is a member of wa_owner'),
	('login_not_admin', r.rolsuper OR NOT pg_catalog.pg_has_role(r.oid, 'wa_admin', 'MEMBER'),
	 'the login is a member of wa_admin'),
	('login_is_worker', pg_catalog.pg_has_role(r.oid, 'wa_worker', 'MEMBER'),
	 'the login is not a member of wa_worker')
) AS c (name, passed, detail)
WHERE r.rolname = SESSION_USER
