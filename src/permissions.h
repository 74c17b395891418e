/*-------------------------------------------------------------------------
 *
 * permissions.h
 *		wa.permissions, a set of the four permissions by value, and wa.permission,
 *		the enum of its members.
 *
 * In C a set has own permissions as well (own_permissions.h), in the bits above
 * the four.  They are no part of wa.permissions.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SRC_PERMISSIONS_H
#define SRC_PERMISSIONS_H

#include "fmgr.h"

typedef uint64 WaPermissions;

#define WA_PERMISSION_READ ((WaPermissions) 1 << 0)
#define WA_PERMISSION_SEND ((WaPermissions) 1 << 1)
#define WA_PERMISSION_MANAGE ((WaPermissions) 1 << 2)
#define WA_PERMISSION_EVENTS ((WaPermissions) 1 << 3)
#define WA_PERMISSION_COUNT 4
#define WA_PERMISSIONS_BUILT_IN (((WaPermissions) 1 << WA_PERMISSION_COUNT) - 1)

/* Also the permissions that administrators define. */
#define WA_PERMISSIONS_ALL (~(WaPermissions) 0)

/* The most own permissions of a database, those that were dropped included: all other bits. */
#define WA_OWN_PERMISSIONS_MAX 60

/* The most bytes of the name of an own permission. */
#define WA_OWN_PERMISSION_NAME_MAX 63

/* The most names in the text form of a set, repeated ones included. */
#define WA_PERMISSION_NAMES_MAX 64

#define DatumGetPermissions(d) ((WaPermissions) DatumGetUInt32(d))
#define PermissionsGetDatum(p) UInt32GetDatum((uint32) ((p) &WA_PERMISSIONS_BUILT_IN))
#define PG_GETARG_PERMISSIONS(n) DatumGetPermissions(PG_GETARG_DATUM(n))
#define PG_RETURN_PERMISSIONS(p) return PermissionsGetDatum(p)

/*
 * The bit of a value of the enum wa.permission.  Raises 22023 for an OID that is no value of
 * that enum, or a value that this library does not know.  Reads the catalog once for each value
 * and backend.
 */
extern WaPermissions wa_permission_bit(Oid enum_value);

/* The bit of the name of one of the four, of "len" bytes, or 0. */
extern WaPermissions wa_permission_bit_of_name(const char *name, size_t len);

/*
 * The name of one of the four, as a constant string.  "single_bit" must be one of the
 * WA_PERMISSION bits; anything else raises an internal error.
 */
extern const char *wa_permission_name(WaPermissions single_bit);

#endif
