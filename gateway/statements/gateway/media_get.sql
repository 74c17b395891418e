SELECT f.org_id, f.state, f.sha256, f.size, f.mimetype, f.filename
FROM wa.media AS f
WHERE f.id = $1::uuid
