-- $1 connector, $2 owner, $3 files at most, $4 lease
SELECT org_id, media_id, session_id, reference, url, mimetype, attempt
  FROM wa.connector_media($1, $2, $3, $4)
