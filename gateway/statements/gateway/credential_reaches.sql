-- Whether a file may go on that is sent or taken: whether the credential is valid, still has the
-- permission, can be used from the client's address, and reaches the session ($4, null if none).
SELECT wa.credential_reaches($1::wa.secret, $2::wa.permission, $3::text, $4::uuid) AS reaches
