/*
 * keys_expiry.js
 *		When an API key expires: the field of its forms.
 *
 * A time that is chosen as a day is the end of that day in the person's time zone.  "never" is
 * said as null.  Where nothing is said, the gateway decides: for a new key by the policy of the
 * organization, for a key that is changed or rotated it stays as it was.
 */
import { now } from '../client/clock.js';
import { SelectField, TextField } from '../ui/form.js';
import { DAY, timeText } from '../ui/format.js';
import { html, useState } from '../ui/html.js';

const LIFETIMES = [['never', 'Never'], ['7', 'In 7 days'], ['30', 'In 30 days'], ['90', 'In 90 days'], ['365', 'In a year'], ['date', 'At a date …']];

/* Those that the policy allows to a key that was made then. */
function allowedOf({ maxDays }, madeAt)
{
	return LIFETIMES.filter(([value]) => maxDays === undefined || value === 'date' || now() + Number(value) * DAY <= madeAt + maxDays * DAY);
}

export function newLifetimes(policy)
{
	const usual = policy.defaultDays ?? policy.maxDays;
	const allowed = allowedOf(policy, now());

	return usual === undefined ? allowed : [['unsaid', `In ${usual} days, as usual here`], ...allowed];
}

const endWords = (at) => (at === undefined ? 'never' : timeText(at));

export function changedLifetimes(policy, key)
{
	return [['unsaid', `As before: ${endWords(key.expiresAt)}`], ...allowedOf(policy, key.createdAt)];
}

/* The end that the successor has if nothing is said. */
export function rotatedLifetimes(policy, key)
{
	const bound = policy.maxDays === undefined ? undefined : now() + policy.maxDays * DAY;
	const isSooner = bound !== undefined && (key.expiresAt === undefined || bound < key.expiresAt);
	const end = isSooner ? `As late as allowed: ${endWords(bound)}` : `As the old key would have: ${endWords(key.expiresAt)}`;

	return [['unsaid', end], ...allowedOf(policy, now())];
}

/* The state of the field.  "value" is what the gateway is told; NaN: the day is missing. */
export function useExpiry(lifetimes)
{
	const [lifetime, setLifetime] = useState(lifetimes[0][0]);
	const [date, setDate] = useState('');
	const value = () =>
	{
		switch (lifetime)
		{
			case 'unsaid': return undefined;
			case 'never': return null;
			case 'date': return new Date(`${date}T23:59:59`).getTime();
			default: return Math.round(now() + Number(lifetime) * DAY);
		}
	};

	return { lifetimes, lifetime, setLifetime, date, setDate, value };
}

/* The gateway cannot check a day that is missing. */
export function missingDay(expiry)
{
	return Number.isNaN(expiry.value()) ? { expiresAt: 'Choose a day.' } : {};
}

export function Expiry({ expiry, error })
{
	const { lifetimes, lifetime, setLifetime, date, setDate } = expiry;

	return html`
		<${SelectField} label="Expires" value=${lifetime} change=${setLifetime} options=${lifetimes} error=${lifetime === 'date' ? null : error} />
		${lifetime === 'date' && html`
			<${TextField} label="Last day" type="date" value=${date} change=${setDate} error=${error} />`}`;
}
