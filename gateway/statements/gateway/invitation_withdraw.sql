SELECT wa.withdraw_invitation($1::uuid)
