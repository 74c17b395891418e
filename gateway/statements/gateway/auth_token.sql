-- $1 cookie, $2 organization; NULL: the active one
SELECT t.token, t.expires_at, t.organization_id
FROM wa.mint_user_token($1::wa.secret, $2::uuid) AS t
