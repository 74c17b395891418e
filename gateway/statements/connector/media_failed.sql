-- $1 file, $2 owner, $3 attempt, $4 why, $5 try again, $6 WhatsApp has it no longer
SELECT wa.connector_media_failed($1, $2, $3, $4, $5, $6)
