-- A key is found by what somebody has of it, and nothing more is confirmed than is stored.
SELECT value AS acme FROM fixture WHERE name = 'acme' \gset
SELECT value AS beta FROM fixture WHERE name = 'beta' \gset
\c - regress_admin
\set SHOW_CONTEXT never
SELECT id, secret FROM wa.create_key(:'acme', 'Found in a log', '{read}') \gset
SELECT id AS other FROM wa.create_key(:'beta', 'found in a log', '{read}') \gset
SELECT wa.import_key(:'beta', 'from elsewhere', sha256('wa_QqQqQqQqQqQqQqQqQqQq'), '{read}', prefix => 'wa_QqQqQ') AS imported \gset
SELECT wa.import_key(:'beta', 'of an unknown beginning', sha256('wa_RrRrRrRrRrRrRrRrRrRr'), '{read}') AS unknown \gset

-- The beginning, with more characters or fewer than are stored, as the log shows it or the dashboard.
SELECT what, (SELECT array_agg(f.matched || ' ' || f.name ORDER BY f.name) FROM wa.find_key(what) f WHERE f.org = 'beta' AND f.key <> :'unknown'::wa.key_id) AS found
FROM (VALUES ('wa_QqQqQ'), ('wa_QqQq'), ('wa_QqQqQqQqQ'), ('wa_QqQqQ…'), (' wa_QqQqQ***************** '), ('wa_QqQqQzzzzzz'),
	('wa_qqqqq'), ('qQqQ'), ('wa_QqQqQqQqQqQqQqQqQqQq')) t (what);
-- Nothing is stored of the beginning of such a key: it may be the one.
SELECT f.matched, f.name FROM wa.find_key('wa_QqQqX') f WHERE f.org = 'beta';
SELECT f.matched, f.name FROM wa.find_key('wa_RrRrRrRrRrRrRrRrRrRr') f;
-- A whole key, its id in both forms, its name.
SELECT f.matched, f.org, f.key = :'id'::uuid AS this, f.name, f.status, f.created_by, f.last_used_at FROM wa.find_key(:'secret') f;
SELECT f.matched, f.org_id = :'acme'::uuid AS of_acme, f.name FROM wa.find_key(wa.typeid('key', :'id')) f;
SELECT f.matched, f.name FROM wa.find_key(:'id') f;
SELECT f.matched, f.org, f.name FROM wa.find_key('  FOUND in a log ') f ORDER BY 2;
SELECT wa.revoke_key(key) AS revoked FROM wa.find_key(:'secret');
SELECT f.status FROM wa.find_key(:'secret') f;
-- What is no key of any organization, and nothing at all.
SELECT count(*) FROM wa.find_key(wa.typeid('org', :'acme'));
SELECT wa.find_key('');
SELECT wa.find_key(NULL);

-- Who is bound.
\c - regress_app
\set SHOW_CONTEXT never
SELECT wa.find_key(:'secret');
SELECT * FROM wa.whoami();
\c - regress_admin
SELECT id AS shop, secret AS shop_secret FROM wa.create_key(:'acme', 'who', '{read,send}', '2100-01-01 00:00:00+00') \gset
SELECT secret AS endless_secret FROM wa.create_key(:'acme', 'who without end', '{read,send}') \gset
\c - regress_app
SELECT wa.authenticate(:'shop_secret', 'read') IS NOT NULL AS bound \; SELECT w.kind, w.id = wa.typeid('key', :'shop') AS this, w.name, w.organization_id = :'acme'::uuid AS of_acme, w.organization, w.permissions, w.expires_at = '2100-01-01 00:00:00+00' AS expires FROM wa.whoami() w;
SELECT wa.authenticate(:'endless_secret') IS NOT NULL AS bound \; SELECT w.name, w.permissions, w.expires_at IS NULL AS endless FROM wa.whoami() w;
