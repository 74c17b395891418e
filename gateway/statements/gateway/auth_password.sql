-- $1 cookie, $2 old password, $3 new password
SELECT wa.change_password($1::wa.secret, $2::wa.password, $3::wa.password)
