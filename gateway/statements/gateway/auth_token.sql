SELECT t.token, t.expires_at, t.organization_id
FROM wa.mint_user_token($1::wa.secret) AS t
