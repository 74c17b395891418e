/*
 * keys_policy.js
 *		How long the keys of an organization live, and the end of all of them at once.
 */
import { announce } from '../ui/announce.js';
import { call } from '../client/api.js';
import { Confirm, Dialog } from '../ui/dialog.js';
import { fieldError, Form, TextField } from '../ui/form.js';
import { html, useState } from '../ui/html.js';
import { useAction, useLoad } from '../client/load.js';
import { ErrorNotice } from '../ui/notice.js';

/* The policy of the active organization; undefined until it is known. */
export function usePolicy(path)
{
	const { data, error, reload } = useLoad((signal) => (path === null ? undefined : call('GET', path, { signal })), [path]);

	return { policy: data, error, reload };
}

const days = (count) => (count === 1 ? '1 day' : `${count} days`);

function wordsOf({ defaultDays, maxDays })
{
	if (maxDays !== undefined)
		return defaultDays === undefined ? `A key expires after ${days(maxDays)} at the latest.`
			: `A key expires after ${days(defaultDays)} unless another time is chosen, and after ${days(maxDays)} at the latest.`;
	return defaultDays === undefined ? 'A key lives until it is revoked, unless it is given an expiry.'
		: `A key expires after ${days(defaultDays)} unless another time is chosen.`;
}

/* An empty field is no bound. */
const numberOf = (text) => (text.trim() === '' ? undefined : Number(text));

function PolicyDialog({ policy, close, finish })
{
	const [defaultDays, setDefaultDays] = useState(String(policy.defaultDays ?? ''));
	const [maxDays, setMaxDays] = useState(String(policy.maxDays ?? ''));
	const action = useAction(async () =>
	{
		await call('PUT', '/api-keys/policy', { json: { defaultDays: numberOf(defaultDays), maxDays: numberOf(maxDays) } });
		finish();
	});

	return html`
		<${Dialog} title="How long keys live" close=${close}>
			<${Form} action=${action} submit=${action.run} cancel=${close} label="Save" busyLabel="Saving" fields=${['defaultDays', 'maxDays']}>
				<${TextField} label="Days of a key for which no time is chosen" hint="Empty: as long as allowed." type="number" min="1" max="3650" step="1"
					value=${defaultDays} change=${setDefaultDays} error=${fieldError(action, 'defaultDays')} focus />
				<${TextField} label="The most days of any key" hint="Empty: no bound." type="number" min="1" max="3650" step="1"
					value=${maxDays} change=${setMaxDays} error=${fieldError(action, 'maxDays')} />
				<p class="hint">Keys that exist keep their expiry until it is changed.</p>
			<//>
		<//>`;
}

function RevokeAllDialog({ organization, close, reload })
{
	const [reason, setReason] = useState('');
	const revoke = async () =>
	{
		const { revoked } = await call('POST', '/api-keys/revoke', { json: { all: true, reason: reason.trim() || undefined } });

		announce(`${revoked === 1 ? '1 key is' : `${revoked} keys are`} revoked.`);
		reload();
	};

	return html`
		<${Confirm} title=${`Revoke all keys of ${organization.name}?`} label="Revoke all" busyLabel="Revoking" act=${revoke} close=${close}>
			<p>Every program that uses a key of ${organization.name} stops working at once. This cannot be undone.</p>
			<${TextField} label="Reason (optional)" value=${reason} change=${setReason} maxlength="200" autocomplete="off" />
		<//>`;
}

/* Below the list: what concerns all keys. */
export function AllKeys({ organization, policy, error, reload })
{
	const [opened, open] = useState(null);
	const close = () => open(null);
	const finish = () =>
	{
		close();
		announce('The policy is saved.');
		reload();
	};

	return html`
		<section class="card" aria-labelledby="all-keys">
			<h2 id="all-keys">All keys</h2>
			<${ErrorNotice} error=${error} />
			${policy && html`<p>${wordsOf(policy)}</p>`}
			<div class="buttons start">
				${policy && organization.role === 'owner' && html`<button type="button" onClick=${() => open('policy')}>Change policy</button>`}
				<button type="button" class="danger-quiet" onClick=${() => open('revoke')}>Revoke all keys</button>
			</div>
			${opened === 'policy' && html`<${PolicyDialog} policy=${policy} close=${close} finish=${finish} />`}
			${opened === 'revoke' && html`<${RevokeAllDialog} organization=${organization} close=${close} reload=${reload} />`}
		</section>`;
}
