-- A socket that is opened by the credential itself; the same as realtime_redeem.
SELECT o.socket, o.org_id, wa.event_bucket(o.org_id) AS bucket, o.expires_at
FROM wa.open_socket() AS o
