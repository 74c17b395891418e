SELECT wa.connector_sent($1, $2, $3)
