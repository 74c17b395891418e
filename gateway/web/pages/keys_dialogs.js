/*
 * keys_dialogs.js
 *		The dialogs that create, change, rotate and revoke an API key.
 */
import { announce } from '../ui/announce.js';
import { ApiError, call, INVALID, pathOf } from '../client/api.js';
import { Confirm, Dialog } from '../ui/dialog.js';
import { Choice, fieldError, Form, Group, required, TextField } from '../ui/form.js';
import { html, useState } from '../ui/html.js';
import { changedLifetimes, Expiry, missingDay, newLifetimes, rotatedLifetimes, useExpiry } from './keys_expiry.js';
import { operatorsOf, PermissionTicks } from './keys_permissions.js';
import { changedRestrictions, RESTRICTION_FIELDS, Restrictions, restrictionsOf, useRestrictions } from './keys_restrictions.js';
import { useAction } from '../client/load.js';
import { sameSessions, sandboxOf, SessionTicks, stillThere } from './keys_sessions.js';

const OVERLAPS = [
	['0', 'At once', 'the old key ends now'],
	['3600', '1 hour', 'time to restart a program'],
	['86400', '1 day', 'time for a deployment'],
	['604800', '7 days', 'time for programs that others run'],
];

/* What every form of a key asks for. */
function missing(name, permissions, sessions)
{
	return {
		...required('name', name, 'Enter a name.'),
		...(permissions.length === 0 && { permissions: 'Choose at least one permission.' }),
		...(sessions?.length === 0 && { sessions: 'Choose at least one session.' }),
	};
}

/* That a name is taken is told at the field. */
async function callWithName(method, path, json)
{
	try
	{
		return await call(method, path, { json });
	}
	catch (error)
	{
		throw error.status === 409 && /has this name/.test(error.message) ? new ApiError(error.status, INVALID, error.message, { name: error.message }) : error;
	}
}

export function NewKeyDialog({ policy, permissions: grantable, sessions, close, finish })
{
	const [name, setName] = useState('');
	const [permissions, setPermissions] = useState([]);
	const [chosen, choose] = useState(null);
	const [test, setTest] = useState(false);
	const offered = test ? sandboxOf(sessions) : sessions;
	const expiry = useExpiry(newLifetimes(policy));
	const restrictions = useRestrictions();
	const action = useAction(async () =>
		finish(await callWithName('POST', '/api-keys', { name, permissions, expiresAt: expiry.value(), ...(chosen && { sessions: chosen }), ...restrictionsOf(restrictions), ...(test && { test }) })),
	() => ({
		...missing(name, permissions, chosen),
		...missingDay(expiry),
	}));
	const setKind = (isTest) =>
	{
		setTest(isTest);
		choose(isTest ? stillThere(chosen, sandboxOf(sessions)) : chosen);
	};

	return html`
		<${Dialog} title="New key" close=${close}>
			<${Form} action=${action} submit=${action.run} cancel=${close} label="Create key" busyLabel="Creating" fields=${['name', 'permissions', 'expiresAt', 'sessions', ...RESTRICTION_FIELDS]}>
				<${TextField} label="Name" hint="What uses it, so that the right one can be revoked later." value=${name} change=${setName}
					error=${fieldError(action, 'name')} maxlength="200" autocomplete="off" focus required />
				<${PermissionTicks} list=${grantable} chosen=${permissions} change=${setPermissions} error=${fieldError(action, 'permissions')} />
				<${Group} legend="Kind">
					<${Choice} name="test" label="Test key" description="reaches only the sessions of the sandbox, whose telephones are simulated, and stays a test key" checked=${test} change=${setKind} />
				<//>
				<${SessionTicks} list=${offered} chosen=${chosen} change=${choose} error=${fieldError(action, 'sessions')} />
				<${Expiry} expiry=${expiry} error=${fieldError(action, 'expiresAt')} />
				<${Restrictions} fields=${restrictions} action=${action} />
			<//>
		<//>`;
}

/* Only changed fields are sent.  So a key that is about to expire keeps its expiry. */
export function ChangeKeyDialog({ apiKey, policy, permissions: grantable, sessions, close, finish })
{
	const [name, setName] = useState(apiKey.name);
	const [permissions, setPermissions] = useState(apiKey.permissions);
	const [chosen, choose] = useState(apiKey.sessions ?? null);
	const [enabled, setEnabled] = useState(apiKey.disabledAt === undefined);
	const expiry = useExpiry(changedLifetimes(policy, apiKey));
	const restrictions = useRestrictions(apiKey);
	const operators = operatorsOf(apiKey, grantable);
	const action = useAction(async () =>
	{
		const same = [...permissions].sort().join() === [...apiKey.permissions].sort().join();
		const switched = enabled !== (apiKey.disabledAt === undefined);
		const json = {
			expiresAt: expiry.value(),
			...(name !== apiKey.name && { name }), ...(!same && { permissions }), ...(switched && { enabled }),
			...(!sameSessions(chosen, apiKey.sessions) && { sessions: stillThere(chosen, sessions) }), ...changedRestrictions(restrictions),
		};

		if (Object.values(json).some((value) => value !== undefined))
			await callWithName('PATCH', pathOf('api-keys', apiKey.id), json);
		finish(`Key “${name}” is saved.`);
	}, () => ({ ...missing(name, permissions, chosen), ...missingDay(expiry) }));

	return html`
		<${Dialog} title=${`Change “${apiKey.name}”`} close=${close}>
			<${Form} action=${action} submit=${action.run} cancel=${close} label="Save" busyLabel="Saving" fields=${['name', 'permissions', 'expiresAt', 'sessions', ...RESTRICTION_FIELDS]}>
				<${TextField} label="Name" value=${name} change=${setName} error=${fieldError(action, 'name')} maxlength="200" autocomplete="off" focus required />
				<${PermissionTicks} list=${grantable} has=${apiKey.permissions} chosen=${permissions} change=${setPermissions} error=${fieldError(action, 'permissions')} />
				${operators.length === 0 && html`<${SessionTicks} list=${apiKey.test ? sandboxOf(sessions) : sessions} chosen=${chosen} change=${choose} error=${fieldError(action, 'sessions')} />`}
				${operators.length === 0 && html`<${Expiry} expiry=${expiry} error=${fieldError(action, 'expiresAt')} />`}
				<${Group} legend="State">
					<${Choice} name="enabled" label="Switched on" description="otherwise every request with the key is refused until it is switched on again" checked=${enabled} change=${setEnabled} />
				<//>
				${operators.length === 0 ? html`<${Restrictions} fields=${restrictions} action=${action} />`
					: html`<p class="hint">Only the operator changes its expiry, sessions, addresses and rate, because it has ${operators.join(', ')}.</p>`}
				<p class="hint">All of this takes effect at once, also for programs that use the key now.</p>
			<//>
		<//>`;
}

export function RotateKeyDialog({ apiKey, policy, close, finish })
{
	const [overlap, setOverlap] = useState('86400');
	const expiry = useExpiry(rotatedLifetimes(policy, apiKey));
	const action = useAction(async () =>
	{
		const overlapSeconds = Number(overlap);
		const made = await call('POST', `${pathOf('api-keys', apiKey.id)}/rotate`, { json: { overlapSeconds, expiresAt: expiry.value() } });

		finish({ ...made, replaces: apiKey.id });
	}, () => missingDay(expiry));

	return html`
		<${Dialog} title=${`Rotate “${apiKey.name}”`} close=${close}>
			<${Form} action=${action} submit=${action.run} cancel=${close} label="Rotate" busyLabel="Rotating" fields=${['expiresAt']}>
				<p>A successor with the same name, permissions and restrictions is made first. The old key (<code>${apiKey.prefix}…</code>) goes on working for as long as you choose here.</p>
				<${Group} legend="The old key ends">
					${OVERLAPS.map(([seconds, label, description]) => html`
						<${Choice} key=${seconds} type="radio" group="overlap" name=${seconds} label=${label} description=${description}
							checked=${overlap === seconds} change=${() => setOverlap(seconds)} />`)}
				<//>
				<h3>The new key</h3>
				<${Expiry} expiry=${expiry} error=${fieldError(action, 'expiresAt')} />
			<//>
		<//>`;
}

export function RevokeKeyDialog({ apiKey, close, reload })
{
	const [reason, setReason] = useState('');
	const revoke = async () =>
	{
		const query = reason.trim() === '' ? '' : `?${new URLSearchParams({ reason: reason.trim() })}`;

		await call('DELETE', `${pathOf('api-keys', apiKey.id)}${query}`);
		announce(`Key “${apiKey.name}” is revoked.`);
		reload();
	};

	return html`
		<${Confirm} title=${`Revoke “${apiKey.name}”?`} label="Revoke" busyLabel="Revoking" act=${revoke} close=${close}>
			<p>The key <strong>${apiKey.name}</strong> (<code>${apiKey.prefix}…</code>) stops working at once, in every program that uses it. This cannot be undone.</p>
			<${TextField} label="Reason (optional)" hint="People see it beside the key." value=${reason} change=${setReason} maxlength="200" autocomplete="off" />
		<//>`;
}
