SELECT wa.revoke_api_key($1::uuid)
