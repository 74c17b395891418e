/*
 * keys_dialogs.js
 *		The dialogs that create, change, rotate and revoke an API key.
 */
import { announce } from '../ui/announce.js';
import { ApiError, call, INVALID, pathOf } from '../client/api.js';
import { now } from '../client/clock.js';
import { Confirm, Dialog } from '../ui/dialog.js';
import { Choice, fieldError, Form, Group, required, SelectField, TextField } from '../ui/form.js';
import { DAY } from '../ui/format.js';
import { html, useState } from '../ui/html.js';
import { operatorsOf, PermissionTicks } from './keys_permissions.js';
import { changedRestrictions, RESTRICTION_FIELDS, Restrictions, restrictionsOf, useRestrictions } from './keys_restrictions.js';
import { useAction } from '../client/load.js';
import { sameSessions, sandboxOf, SessionTicks, stillThere } from './keys_sessions.js';

/* For keys that the organization's policy allows. */
const LIFETIMES = [['never', 'Never'], ['7', 'In 7 days'], ['30', 'In 30 days'], ['90', 'In 90 days'], ['365', 'In a year'], ['date', 'At a date …']];

const OVERLAPS = [
	['0', 'At once', 'the old key ends now'],
	['3600', '1 hour', 'time to restart a program'],
	['86400', '1 day', 'time for a deployment'],
	['604800', '7 days', 'time for programs that others run'],
];

function lifetimesOf({ defaultDays, maxDays })
{
	const usual = defaultDays ?? maxDays;
	const allowed = LIFETIMES.filter(([value]) => maxDays === undefined || value === 'date' || Number(value) <= maxDays);

	return usual === undefined ? allowed : [['usual', `In ${usual} days, as usual here`], ...allowed];
}

/*
 * A key expires at the end of the day in the person's time zone.  "never" is said as null,
 * and without a time the policy decides.
 */
function expiryOf(lifetime, date)
{
	if (lifetime === 'usual')
		return undefined;
	if (lifetime === 'never')
		return null;
	if (lifetime === 'date')
		return new Date(`${date}T23:59:59`).getTime();
	return Math.round(now() + Number(lifetime) * DAY);
}

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

/* The gateway cannot check a date that is missing, so this is checked here. */
function missingDate(lifetime, date)
{
	return lifetime === 'date' && Number.isNaN(expiryOf(lifetime, date));
}

function Expiry({ lifetimes, lifetime, setLifetime, date, setDate, error })
{
	return html`
		<${SelectField} label="Expires" value=${lifetime} change=${setLifetime} options=${lifetimes} error=${lifetime === 'date' ? null : error} />
		${lifetime === 'date' && html`
			<${TextField} label="Last day" type="date" value=${date} change=${setDate} error=${error} />`}`;
}

export function NewKeyDialog({ policy, permissions: grantable, sessions, close, finish })
{
	const lifetimes = lifetimesOf(policy);
	const [name, setName] = useState('');
	const [permissions, setPermissions] = useState([]);
	const [chosen, choose] = useState(null);
	const [test, setTest] = useState(false);
	const offered = test ? sandboxOf(sessions) : sessions;
	const [lifetime, setLifetime] = useState(lifetimes[0][0]);
	const [date, setDate] = useState('');
	const restrictions = useRestrictions();
	const action = useAction(async () =>
		finish(await callWithName('POST', '/api-keys', { name, permissions, expiresAt: expiryOf(lifetime, date), ...(chosen && { sessions: chosen }), ...restrictionsOf(restrictions), ...(test && { test }) })),
	() => ({
		...missing(name, permissions, chosen),
		...(missingDate(lifetime, date) && { expiresAt: 'Choose a day.' }),
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
				<${Expiry} lifetimes=${lifetimes} lifetime=${lifetime} setLifetime=${setLifetime} date=${date} setDate=${setDate} error=${fieldError(action, 'expiresAt')} />
				<${Restrictions} fields=${restrictions} action=${action} />
			<//>
		<//>`;
}

/* Only changed fields are sent.  So a key that is about to expire keeps its expiry. */
export function ChangeKeyDialog({ apiKey, permissions: grantable, sessions, close, finish })
{
	const [name, setName] = useState(apiKey.name);
	const [permissions, setPermissions] = useState(apiKey.permissions);
	const [chosen, choose] = useState(apiKey.sessions ?? null);
	const [enabled, setEnabled] = useState(apiKey.disabledAt === undefined);
	const restrictions = useRestrictions(apiKey);
	const operators = operatorsOf(apiKey, grantable);
	const action = useAction(async () =>
	{
		const same = [...permissions].sort().join() === [...apiKey.permissions].sort().join();
		const switched = enabled !== (apiKey.disabledAt === undefined);
		const json = {
			...(name !== apiKey.name && { name }), ...(!same && { permissions }), ...(switched && { enabled }),
			...(!sameSessions(chosen, apiKey.sessions) && { sessions: stillThere(chosen, sessions) }), ...changedRestrictions(restrictions),
		};

		if (Object.keys(json).length > 0)
			await callWithName('PATCH', pathOf('api-keys', apiKey.id), json);
		finish(`Key “${name}” is saved.`);
	}, () => missing(name, permissions, chosen));

	return html`
		<${Dialog} title=${`Change “${apiKey.name}”`} close=${close}>
			<${Form} action=${action} submit=${action.run} cancel=${close} label="Save" busyLabel="Saving" fields=${['name', 'permissions', 'sessions', ...RESTRICTION_FIELDS]}>
				<${TextField} label="Name" value=${name} change=${setName} error=${fieldError(action, 'name')} maxlength="200" autocomplete="off" focus required />
				<${PermissionTicks} list=${grantable} has=${apiKey.permissions} chosen=${permissions} change=${setPermissions} error=${fieldError(action, 'permissions')} />
				${operators.length === 0 && html`<${SessionTicks} list=${apiKey.test ? sandboxOf(sessions) : sessions} chosen=${chosen} change=${choose} error=${fieldError(action, 'sessions')} />`}
				<${Group} legend="State">
					<${Choice} name="enabled" label="Switched on" description="otherwise every request with the key is refused until it is switched on again" checked=${enabled} change=${setEnabled} />
				<//>
				${operators.length === 0 ? html`<${Restrictions} fields=${restrictions} action=${action} />`
					: html`<p class="hint">Only the operator changes its sessions, addresses and rate, because it has ${operators.join(', ')}.</p>`}
				<p class="hint">All of this takes effect at once, also for programs that use the key now.</p>
			<//>
		<//>`;
}

export function RotateKeyDialog({ apiKey, close, finish })
{
	const [overlap, setOverlap] = useState('86400');
	const action = useAction(async () =>
	{
		const overlapSeconds = Number(overlap);
		const made = await call('POST', `${pathOf('api-keys', apiKey.id)}/rotate`, { json: { overlapSeconds } });

		finish({ ...made, replaces: apiKey.id, overlap: overlapSeconds });
	});

	return html`
		<${Dialog} title=${`Rotate “${apiKey.name}”`} close=${close}>
			<${Form} action=${action} submit=${action.run} cancel=${close} label="Rotate" busyLabel="Rotating">
				<p>A successor with the same name, permissions and restrictions is made first. The old key (<code>${apiKey.prefix}…</code>) goes on working for as long as you choose here.</p>
				<${Group} legend="The old key ends">
					${OVERLAPS.map(([seconds, label, description]) => html`
						<${Choice} key=${seconds} type="radio" group="overlap" name=${seconds} label=${label} description=${description}
							checked=${overlap === seconds} change=${() => setOverlap(seconds)} />`)}
				<//>
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
