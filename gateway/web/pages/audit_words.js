/*
 * audit_words.js
 *		The actions of the audit log in words, which stand between the person and the target.
 *
 * A test compares them with the enum AuditAction of the OpenAPI document, and another
 * compares that with what the database writes.
 */
export const ACTION_WORDS = {
	'key.created': 'made the key', 'key.changed': 'changed the key', 'key.rotated': 'rotated the key', 'key.disabled': 'switched off the key', 'key.enabled': 'switched on the key', 'key.revoked': 'revoked the key',
	'key.used_first': 'was used for the first time', 'key.denied': 'was denied something', 'org.created': 'made the organization', 'org.changed': 'changed the organization',
	'member.added': 'added the member', 'member.removed': 'removed the member', 'member.changed': 'changed the role of',
	'member.joined': 'joined the organization', 'member.invited': 'invited', 'member.uninvited': 'withdrew the invitation of',
	'user.signed_in': 'signed in', 'user.signed_out': 'signed out', 'user.sign_in_failed': 'gave a wrong password for',
	'user.password_changed': 'changed the password', 'user.password_reset': 'reset the password of',
	'user.disabled': 'disabled the account of', 'user.enabled': 'enabled the account of', 'webhook.disabled': 'disabled the webhook',
	'webhook.created': 'made the webhook', 'webhook.changed': 'changed the webhook', 'webhook.secret_rotated': 'rotated the secret of the webhook', 'webhook.deleted': 'deleted the webhook',
	'session.created': 'made the session', 'session.changed': 'changed the session', 'session.started': 'started the session', 'session.stopped': 'stopped the session',
	'session.restarted': 'restarted the session', 'session.logged_out': 'logged out the session', 'session.deleted': 'deleted the session', 'session.pairing_requested': 'asked for a pairing code for the session', 'session.credentials': 'gave credentials to the session',
};
