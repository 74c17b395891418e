-- $1 invitation, $2 name or null for one who has an account, $3 password
SELECT a.organization_id, a.user_id, a.email
FROM wa.accept_invitation($1::wa.secret, $2::text, $3::wa.password) AS a
