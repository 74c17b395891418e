/*-------------------------------------------------------------------------
 *
 * protection_label.c
 *		The security label that wa.protect() leaves on a table.
 *
 * wa.self_check() fails where a protected table leaks, and the gateway does not
 * start then.  So it has to know which tables are protected by something that
 * not every owner of a table can make: a policy's name and text are nothing of
 * the kind.  The label is.  Only superusers and members of wa_admin can set it
 * or take it away, on tables of their own, which is who can call wa.protect().
 * It goes with the table, and pg_dump carries it.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/objectaddress.h"
#include "catalog/pg_class.h"
#include "commands/seclabel.h"
#include "miscadmin.h"
#include "utils/acl.h"

#include "src/protection_label.h"

#define LABEL "protected"

static bool
caller_is_administrator(void)
{
	Oid administrators = get_role_oid("wa_admin", true);

	return superuser() ||
		   (OidIsValid(administrators) && has_privs_of_role(GetUserId(), administrators));
}

/* The server has made sure that the caller owns the object.  A null label takes it away. */
static void
check_label(const ObjectAddress *object, const char *label)
{
	if (!caller_is_administrator())
		ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
						errmsg("permission denied to change a security label of wa_apikeys"),
						errdetail("Only members of \"wa_admin\" can do that.")));
	if (object->classId != RelationRelationId || object->objectSubId != 0)
		ereport(ERROR, (errcode(ERRCODE_WRONG_OBJECT_TYPE),
						errmsg("only tables can have a security label of wa_apikeys")));
	if (label != NULL && strcmp(label, LABEL) != 0)
		ereport(ERROR, (errcode(ERRCODE_INVALID_NAME),
						errmsg("\"%s\" is not a security label of wa_apikeys", label),
						errhint("The only one is \"%s\".", LABEL)));
}

void
wa_protection_label_init(void)
{
	register_label_provider("wa_apikeys", check_label);
}
