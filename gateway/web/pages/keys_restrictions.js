/*
 * keys_restrictions.js
 *		What restricts an API key beyond its permissions: the fields of its forms, and the words
 *		in its row.
 */
import { fieldError, TextField } from '../ui/form.js';
import { html, useState } from '../ui/html.js';

/* The names of the fields in the gateway's details. */
export const RESTRICTION_FIELDS = ['addresses', 'rateLimit', 'rateLimit.requestsPerMinute', 'rateLimit.burst'];

/* A single address is shown without its length. */
const shown = (network) => network.replace(network.includes(':') ? /\/128$/ : /\/32$/, '');

const linesOf = (text) => text.split(/[\s,]+/).filter((line) => line !== '');

/* The state of the fields of a key; of a new one without an argument. */
export function useRestrictions(key = {})
{
	const before = {
		addresses: (key.addresses ?? []).map(shown).join('\n'),
		perMinute: String(key.rateLimit?.requestsPerMinute ?? ''),
		burst: String(key.rateLimit?.burst ?? ''),
	};
	const [addresses, setAddresses] = useState(before.addresses);
	const [perMinute, setPerMinute] = useState(before.perMinute);
	const [burst, setBurst] = useState(before.burst);

	return { addresses, setAddresses, perMinute, setPerMinute, burst, setBurst, before, open: key.addresses !== undefined || key.rateLimit !== undefined };
}

/* What is no number is sent as it is, so that the gateway says what is wrong. */
const numberOf = (text) => (text.trim() === '' ? undefined : Number.isNaN(Number(text)) ? text : Number(text));

/* The members of a request that makes a key. */
export function restrictionsOf({ addresses, perMinute, burst })
{
	const rateLimit = { requestsPerMinute: numberOf(perMinute), burst: numberOf(burst) };

	return {
		...(linesOf(addresses).length > 0 && { addresses: linesOf(addresses) }),
		...((rateLimit.requestsPerMinute ?? rateLimit.burst) !== undefined && { rateLimit }),
	};
}

/* The members of a request that changes a key: what has changed.  null takes a restriction away. */
export function changedRestrictions(fields)
{
	const { before } = fields;
	const given = { addresses: null, rateLimit: null, ...restrictionsOf(fields) };
	const sameAddresses = linesOf(fields.addresses).join() === linesOf(before.addresses).join();
	const sameRate = fields.perMinute === before.perMinute && fields.burst === before.burst;

	return { ...(!sameAddresses && { addresses: given.addresses }), ...(!sameRate && { rateLimit: given.rateLimit }) };
}

/* It is open if there is something in it, or something wrong with it. */
export function Restrictions({ fields, action })
{
	const [open, setOpen] = useState(fields.open);
	const error = fieldError(action, 'addresses');
	const rateError = fieldError(action, 'rateLimit.requestsPerMinute') ?? fieldError(action, 'rateLimit');
	const burstError = fieldError(action, 'rateLimit.burst');
	const isWrong = [error, rateError, burstError].some((each) => each !== null);

	return html`
		<details open=${open || isWrong} onToggle=${(event) => setOpen(event.currentTarget.open)}>
			<summary>Restrictions</summary>
			<${TextField} label="Allowed addresses" rows="3" hint="IP addresses and networks such as 203.0.113.0/24, one on each line. Empty: the key works from everywhere."
				value=${fields.addresses} change=${fields.setAddresses} error=${error} autocomplete="off" spellcheck=${false} />
			<${TextField} label="Requests a minute" hint="Empty: any number." type="number" min="1" max="1000000" step="1"
				value=${fields.perMinute} change=${fields.setPerMinute} error=${rateError} />
			<${TextField} label="Of these at once" hint="Empty: as many as in ten seconds." type="number" min="1" max="1000000" step="1"
				value=${fields.burst} change=${fields.setBurst} error=${burstError} />
		</details>`;
}

const count = (number, one, several) => `${number} ${number === 1 ? one : several}`;

/* The restrictions of a key, in its row. */
export function RestrictionTags({ row })
{
	return html`
		${row.addresses && html`<span class="tag" title=${row.addresses.map(shown).join(', ')}>${count(row.addresses.length, 'address', 'addresses')}</span>`}
		${row.rateLimit && html`<span class="tag" title=${`${row.rateLimit.burst} at once`}>${row.rateLimit.requestsPerMinute} a minute</span>`}`;
}
