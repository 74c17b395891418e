-- The life of a key: made, listed, rotated, revoked, and all of it on record.
\set superuser :USER
SELECT value AS acme FROM fixture WHERE name = 'acme' \gset
SELECT value AS beta FROM fixture WHERE name = 'beta' \gset

-- What is stored of a key is what PostgreSQL calls its SHA-256.
SELECT wa.hash_key('wa_x') = sha256('wa_x') AS same_digest;

\c - regress_admin
\set SHOW_CONTEXT never
SELECT id, secret FROM wa.create_key(:'acme', 'CI server', '{read,send}') \gset ci_
SELECT length(:'ci_secret') AS length, :'ci_secret' ~ '^wa_[0-9A-Za-z]{49}$' AS well_formed;
SELECT org, name, prefix = left(:'ci_secret', 8) AS prefix_matches, permissions, status, created_by, expires_at
FROM wa.keys WHERE id = :'ci_id';

-- An administrator sees keys, but no digest, and changes nothing by hand.
SELECT digest FROM wa.api_key;
UPDATE wa.api_key SET permissions = '{read,send,manage,events}' WHERE id = :'ci_id';
INSERT INTO wa.audit (org_id, actor, action) VALUES (:'acme', 'somebody', 'key.revoked');
DELETE FROM wa.audit;

-- Names: trimmed, not empty, unique among the live keys of one organization.
SELECT wa.create_key(:'acme', ' ci SERVER ', '{read}');
SELECT wa.create_key(:'acme', '', '{read}');
SELECT wa.create_key(:'acme', NULL, '{read}');
SELECT wa.create_key(:'acme', repeat('x', 101), '{read}');
SELECT wa.create_key(:'acme', E'line\nbreak', '{read}');
SELECT count(*) FROM wa.create_key(:'beta', 'CI server', '{read}');
-- Permissions: at least one, and known.
SELECT wa.create_key(:'acme', 'none', '{}');
SELECT wa.create_key(:'acme', 'none', NULL);
SELECT '{admin}'::wa.permissions;
-- Expiry: in the future.
SELECT wa.create_key(:'acme', 'late', '{read}', now());
-- Organizations: existing, named.
SELECT wa.create_key('00000000-0000-7000-8000-000000000000', 'lost', '{read}');
SELECT wa.create_org('  ');
-- The field's name travels in the column-name field of the error.
SELECT * FROM error_of(format('SELECT wa.create_key(%L, ''none'', ''{}'')', :'acme'));

-- Rotation: the successor has the name, the old key lives on for the overlap.
SELECT id, secret FROM wa.rotate_key(:'ci_id', '1 hour') \gset new_
SELECT name, status, permissions, expires_at - now() BETWEEN '59 min' AND '61 min' AS expires_in_an_hour
FROM wa.keys WHERE id IN (:'ci_id', :'new_id') ORDER BY id;
SELECT wa.rotate_key(:'ci_id', '1 hour');
SELECT wa.rotate_key(:'new_id', '-1 hour');
SELECT wa.rotate_key('00000000-0000-7000-8000-000000000000');

-- Revocation by name takes the predecessor with it; by id it says whether it
-- was this call that did it.
SELECT wa.revoke_key(:'acme', 'ci server') AS revoked;
SELECT wa.revoke_key(:'acme', 'ci server');
SELECT wa.revoke_key(:'new_id') AS revoked_now;
SELECT wa.revoke_key('00000000-0000-7000-8000-000000000000');
SELECT name, status, revoked_by FROM wa.keys WHERE id IN (:'ci_id', :'new_id') ORDER BY id;
-- A revoked key gives up its name.
SELECT count(*) FROM wa.create_key(:'acme', 'CI server', '{read}');

-- A key of another system is known by its digest and works as it is.
SELECT wa.import_key(:'acme', 'old system', sha256('wa_AbCdEfGhIjKlMnOpQrStUvWxYz'), '{read}') AS imported \gset
SELECT wa.import_key(:'acme', 'old system 2', sha256('wa_AbCdEfGhIjKlMnOpQrStUvWxYz'), '{read}');
SELECT wa.import_key(:'acme', 'old system 2', '\x00', '{read}');
SELECT wa.import_key(:'acme', 'old system 2', sha256('wa_other'), '{read}', prefix => 'sk_');

-- Ids also in the form in which people see them: a literal, or a column of text or uuid.
SELECT org, wa.typeid('org', org) AS org_seen FROM wa.create_org('Seen') org \gset
SELECT id AS seen FROM wa.create_key(:'org_seen', 'by what is seen', '{read}') \gset
SELECT org_id = :'org' AS of_org, wa.disable_key(key) AS by_text, wa.enable_key(id) AS by_uuid FROM wa.keys WHERE id = :'seen';
SELECT wa.revoke_key(:'org_seen', 'by what is seen');
SELECT wa.revoke_key(key) AS again FROM wa.keys WHERE id = :'seen';
SELECT wa.revoke_key(:'seen', 'left in a repository');
SELECT wa.revoke_key('00000000-0000-7000-8000-000000000000', 'by what is seen');
SELECT wa.revoke_key(wa.typeid('key', :'seen'), 'left in a repository');
SELECT wa.disable_key(wa.typeid('usr', :'seen'));
SELECT wa.create_key(wa.typeid('key', :'org'), 'lost', '{read}');
SELECT wa.revoke_key(wa.typeid('org', :'org'));
SELECT wa.rotate_key(left(wa.typeid('key', :'seen'), -1));

-- On record, in order, without any secret.
SELECT action, actor, detail - 'prefix' - 'successor' - 'rotatedFrom' - CASE action WHEN 'key.rotated' THEN 'expiresAt' ELSE '' END AS detail
FROM wa.audit WHERE subject IN (:'ci_id', :'new_id', :'imported') ORDER BY id;

\c - regress_app
SELECT count(*) FROM wa.authenticate('wa_AbCdEfGhIjKlMnOpQrStUvWxYz', 'read');
-- A prefix is not a key, nor is a key with another ending.
SELECT wa.authenticate('wa_AbCdEfGhIjKlMnOpQrStUvWx', 'read');
SELECT wa.authenticate(left(:'ci_secret', 8)::wa.secret);
-- Only administrators make, list, rotate and revoke.
SELECT wa.create_key(:'acme', 'mine', '{read}');
SELECT wa.rotate_key(:'new_id');
SELECT wa.revoke_key(:'new_id');
SELECT wa.revoke_key(:'acme', 'CI server');
SELECT wa.import_key(:'acme', 'mine', sha256('x'), '{read}');
SELECT wa.create_org('Mine');
SELECT wa.hash_key('x');
SELECT wa.make_secret('api_key');
SELECT * FROM wa.keys;
SELECT * FROM wa.audit;
SELECT * FROM wa.api_key;
SELECT * FROM wa.org;

-- Not even the owner of the log rewrites it.
\c - :superuser
UPDATE wa.audit SET actor = 'nobody';
DELETE FROM wa.audit;
TRUNCATE wa.audit;
