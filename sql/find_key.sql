-- A key is found by what somebody has of it, and nothing more is confirmed than is stored.
\c - regress_admin
\set SHOW_CONTEXT never
SELECT wa.create_org('Finder') AS finder, wa.create_org('Other finder') AS other \gset
SELECT id, secret FROM wa.create_key(:'finder', 'Found in a log', '{read}') \gset
SELECT count(*) FROM wa.create_key(:'other', 'found in a log', '{read}');
SELECT wa.import_key(:'other', 'from elsewhere', sha256('wa_QqQqQqQqQqQqQqQqQqQq'), '{read}', prefix => 'wa_QqQqQ') AS imported \gset
SELECT wa.import_key(:'other', 'of an unknown beginning', sha256('wa_RrRrRrRrRrRrRrRrRrRr'), '{read}') AS unknown \gset

-- The beginning, with more characters or fewer than are stored, as the log shows it or the dashboard.
SELECT what, (SELECT array_agg(f.matched || ' ' || f.name ORDER BY f.name) FROM wa.find_key(what) f WHERE f.org = 'Other finder' AND f.key <> :'unknown'::wa.key_id) AS found
FROM (VALUES ('wa_QqQqQ'), ('wa_QqQq'), ('wa_QqQqQqQqQ'), ('wa_QqQqQ…'), (' wa_QqQqQ***************** '), ('wa_QqQqQzzzzzz'),
	('wa_qqqqq'), ('qQqQ'), ('wa_QqQqQqQqQqQqQqQqQqQq')) t (what);
-- Nothing is stored of the beginning of such a key: it may be the one.
SELECT f.matched, f.name FROM wa.find_key('wa_QqQqX') f WHERE f.org = 'Other finder';
SELECT f.matched, f.name FROM wa.find_key('wa_RrRrRrRrRrRrRrRrRrRr') f;
-- A whole key, its id in both forms, its name.
SELECT f.matched, f.org, f.key = :'id'::uuid AS this, f.name, f.status, f.created_by, f.last_used_at FROM wa.find_key(:'secret') f;
SELECT f.matched, f.org_id = :'finder'::uuid AS of_finder, f.name FROM wa.find_key(wa.typeid('key', :'id')) f;
SELECT f.matched, f.name FROM wa.find_key(:'id') f;
SELECT f.matched, f.org, f.name FROM wa.find_key('  FOUND in a log ') f ORDER BY 2;
-- A name may end like a beginning that is cut off; a part of it is enough.
SELECT count(*) FROM (VALUES ('acme inc.'), ('acme prod*')) n (name), wa.create_key(:'finder', n.name, '{read}');
SELECT what, (SELECT array_agg(f.matched || ' ' || f.name ORDER BY f.name) FROM wa.find_key(what) f WHERE f.org = 'Finder') AS found
FROM (VALUES ('acme inc.'), ('ACME prod*'), ('acme'), ('inc.'), ('*')) t (what);
SELECT wa.revoke_key(key) AS revoked FROM wa.find_key(:'secret');
SELECT f.status FROM wa.find_key(:'secret') f;
-- What is no key of any organization, and nothing at all.
SELECT count(*) FROM wa.find_key(wa.typeid('org', :'finder'));
SELECT wa.find_key('');
SELECT wa.find_key(NULL);

-- Who is bound.
\c - regress_app
\set SHOW_CONTEXT never
SELECT wa.find_key(:'secret');
SELECT * FROM wa.whoami();
\c - regress_admin
SELECT id AS shop, secret AS shop_secret FROM wa.create_key(:'finder', 'who', '{read,send}', '2100-01-01 00:00:00+00') \gset
SELECT secret AS endless_secret FROM wa.create_key(:'finder', 'who without end', '{read,send}') \gset
\c - regress_app
SELECT wa.authenticate(:'shop_secret', 'read') IS NOT NULL AS bound \; SELECT w.kind, w.id = wa.typeid('key', :'shop') AS this, w.name, w.organization_id = :'finder'::uuid AS of_finder, w.organization, w.permissions, w.expires_at = '2100-01-01 00:00:00+00' AS expires FROM wa.whoami() w;
SELECT wa.authenticate(:'endless_secret') IS NOT NULL AS bound \; SELECT w.name, w.permissions, w.expires_at IS NULL AS endless FROM wa.whoami() w;
