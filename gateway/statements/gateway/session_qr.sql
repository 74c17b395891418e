SELECT q.code, q.expires_at
FROM wa.session_qr($1::uuid) AS q
