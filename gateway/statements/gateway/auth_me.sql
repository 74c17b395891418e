SELECT m.user_id, m.email, m.name, m.active_org, m.organizations, m.expires_at
FROM wa.signed_in($1::wa.secret) AS m
