SELECT m.user_id, m.email, m.name, m.active_org AS active_organization_id, m.organizations, m.expires_at
FROM wa.signed_in($1::wa.secret) AS m
