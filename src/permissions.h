/*-------------------------------------------------------------------------
 *
 * permissions.h
 *		wa.permissions, a set of the four permissions by value, and wa.permission,
 *		the enum of its members.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SRC_PERMISSIONS_H
#define SRC_PERMISSIONS_H

#include "fmgr.h"

typedef uint32 WaPermissions;

#define WA_PERMISSION_READ ((WaPermissions) 1 << 0)
#define WA_PERMISSION_SEND ((WaPermissions) 1 << 1)
#define WA_PERMISSION_MANAGE ((WaPermissions) 1 << 2)
#define WA_PERMISSION_EVENTS ((WaPermissions) 1 << 3)
#define WA_PERMISSION_COUNT 4
#define WA_PERMISSIONS_ALL (((WaPermissions) 1 << WA_PERMISSION_COUNT) - 1)

/* The most names in the text form of a set, repeated ones included. */
#define WA_PERMISSION_NAMES_MAX 64

#define DatumGetPermissions(d) ((WaPermissions) DatumGetUInt32(d))
#define PermissionsGetDatum(p) UInt32GetDatum(p)
#define PG_GETARG_PERMISSIONS(n) DatumGetPermissions(PG_GETARG_DATUM(n))
#define PG_RETURN_PERMISSIONS(p) return PermissionsGetDatum(p)

/*
 * The bit of a value of the enum wa.permission.  Raises 22023 for an OID that is no value of
 * that enum, or a value that this library does not know.  Reads the catalog once for each value
 * and backend.
 */
extern WaPermissions wa_permission_bit(Oid enum_value);

/*
 * The name of one permission, as a constant string.  "single_bit" must be one of the
 * WA_PERMISSION bits; anything else raises an internal error.
 */
extern const char *wa_permission_name(WaPermissions single_bit);

#endif
