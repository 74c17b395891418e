SELECT i.email, i.organization, i.role, i.expires_at
FROM wa.read_invitation($1::wa.secret) AS i
