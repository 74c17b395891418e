SELECT wa.delete_webhook($1::uuid)
