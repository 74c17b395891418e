SELECT wa.connector_poll_vote($1, $2, $3, $4, $5)
