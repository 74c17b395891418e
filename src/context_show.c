/*-------------------------------------------------------------------------
 *
 * context_show.c
 *		The SQL functions that show whom the transaction acts for; see context.h.
 *
 * Each is NULL if nobody is bound, and raises an error if the credential has
 * ended since it was bound.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"
#include "utils/uuid.h"

#include "src/compatibility.h"
#include "src/context.h"
#include "src/own_permissions.h"
#include "src/permissions.h"
#include "src/uuid_datum.h"

PG_FUNCTION_INFO_V1(wa_current_org);
PG_FUNCTION_INFO_V1(wa_current_key);
PG_FUNCTION_INFO_V1(wa_current_user_id);
PG_FUNCTION_INFO_V1(wa_current_sign_in);
PG_FUNCTION_INFO_V1(wa_current_expiry);
PG_FUNCTION_INFO_V1(wa_current_permissions);
PG_FUNCTION_INFO_V1(wa_current_own_permissions);
PG_FUNCTION_INFO_V1(wa_has_permission);

/* wa.current_org(): the bound organization, or NULL. */
Datum
wa_current_org(PG_FUNCTION_ARGS)
{
	const WaPrincipal *principal = wa_context_principal();

	if (principal == NULL)
		PG_RETURN_NULL();
	PG_RETURN_DATUM(wa_uuid_datum(&principal->org_id));
}

/* wa.current_key(): the bound API key, or NULL. */
Datum
wa_current_key(PG_FUNCTION_ARGS)
{
	const WaPrincipal *principal = wa_context_principal();

	if (principal == NULL || principal->kind != WA_PRINCIPAL_KEY)
		PG_RETURN_NULL();
	PG_RETURN_DATUM(wa_uuid_datum(&principal->id));
}

/* wa.current_user_id(): the bound person, or NULL. */
Datum
wa_current_user_id(PG_FUNCTION_ARGS)
{
	const WaPrincipal *principal = wa_context_principal();

	if (principal == NULL || principal->kind != WA_PRINCIPAL_USER)
		PG_RETURN_NULL();
	PG_RETURN_DATUM(wa_uuid_datum(&principal->id));
}

/* wa.current_sign_in(): the sign-in behind the bound person's token, or NULL. */
Datum
wa_current_sign_in(PG_FUNCTION_ARGS)
{
	const WaPrincipal *principal = wa_context_principal();

	if (principal == NULL || principal->kind != WA_PRINCIPAL_USER)
		PG_RETURN_NULL();
	PG_RETURN_DATUM(wa_uuid_datum(&principal->sign_in_id));
}

/*
 * wa.current_expiry(): when the bound credential expires; infinity for never, NULL if nobody is
 * bound.
 */
Datum
wa_current_expiry(PG_FUNCTION_ARGS)
{
	const WaPrincipal *principal = wa_context_principal();

	if (principal == NULL)
		PG_RETURN_NULL();
	PG_RETURN_TIMESTAMPTZ(principal->expires_at);
}

/* wa.current_permissions(): the permissions of the binding, or NULL if nobody is bound. */
Datum
wa_current_permissions(PG_FUNCTION_ARGS)
{
	const WaPrincipal *principal = wa_context_principal();

	if (principal == NULL)
		PG_RETURN_NULL();
	PG_RETURN_PERMISSIONS(principal->permissions);
}

/* wa.current_own_permissions(): the names of the binding's own permissions, or NULL. */
Datum
wa_current_own_permissions(PG_FUNCTION_ARGS)
{
	const WaPrincipal *principal = wa_context_principal();
	Datum names[WA_OWN_PERMISSIONS_MAX];
	WaPermissions left;
	int count = 0;

	if (principal == NULL)
		PG_RETURN_NULL();
	/* Looking a name up may verify the principal anew. */
	for (left = principal->permissions & ~WA_PERMISSIONS_BUILT_IN; left != 0; left &= left - 1)
	{
		const char *name = wa_own_permission_name(left & -left);

		if (name != NULL)
			names[count++] = CStringGetTextDatum(name);
	}
	PG_RETURN_ARRAYTYPE_P(construct_array(names, count, TEXTOID, -1, false, TYPALIGN_INT));
}

/* wa.has_permission(permission): whether the binding has it; NULL if nobody is bound. */
Datum
wa_has_permission(PG_FUNCTION_ARGS)
{
	const WaPrincipal *principal = wa_context_principal();

	if (principal == NULL)
		PG_RETURN_NULL();
	PG_RETURN_BOOL((principal->permissions & wa_permission_bit(PG_GETARG_OID(0))) != 0);
}
