/*
 * webhook_settings.js
 *		The settings of a webhook that few need: header fields of its requests, and when a
 *		delivery is tried again.
 */
import { fieldError, Group, SelectField, TextField } from '../ui/form.js';
import { html, useState } from '../ui/html.js';

const POLICIES = [['exponential', 'Each twice as long as the one before'], ['linear', 'Each longer by the first one'], ['constant', 'All of the same length']];

/* What the gateway takes for a webhook for which nothing is said (schemas/RetryPolicy). */
export const USUAL_RETRIES = { policy: 'exponential', delaySeconds: '2', attempts: '15' };

/* The fields of a form, as texts, and what the API has of them. */
export const retriesOf = ({ policy, delaySeconds, attempts }) => ({ policy, delaySeconds: String(delaySeconds), attempts: String(attempts) });
export const retryPolicyOf = ({ policy, delaySeconds, attempts }) => ({ policy, delaySeconds: Number(delaySeconds), attempts: Number(attempts) });

export const fieldsOf = (customHeaders) => Object.entries(customHeaders ?? {}).map(([name, value]) => ({ name, value }));

/* Without the lines that were left empty. */
const filled = (fields) => fields.filter(({ name, value }) => name.trim() !== '' || value !== '');

export const customHeadersOf = (fields) => Object.fromEntries(filled(fields).map(({ name, value }) => [name.trim(), value]));

function isBetween(text, least, most)
{
	return /^[0-9]+$/.test(text.trim()) && Number(text) >= least && Number(text) <= most;
}

/* What is wrong with the settings, as far as it can be known here. */
export function settingsProblems({ fields, retries })
{
	const names = filled(fields).map(({ name }) => name.trim().toLowerCase());

	return {
		...(names.includes('') && { customHeaders: 'Give each header field a name.' }),
		...(new Set(names).size < names.length && { customHeaders: 'Name each header field once.' }),
		...(!isBetween(retries.delaySeconds, 1, 3600) && { delaySeconds: 'Enter 1 to 3600 seconds.' }),
		...(!isBetween(retries.attempts, 1, 50) && { attempts: 'Enter 1 to 50 attempts.' }),
	};
}

function HeaderFields({ fields, change, error })
{
	const put = (index, part) => change(fields.map((field, i) => (i === index ? { ...field, ...part } : field)));

	return html`
		<${Group} legend="Header fields" hint="Sent with each request, such as Authorization. Whoever manages webhooks can read them here." error=${error}>
			${fields.map(({ name, value }, index) => html`
				<div key=${index} class="header-field">
					<${TextField} label=${`Name of field ${index + 1}`} hiddenLabel value=${name} change=${(text) => put(index, { name: text })}
						placeholder="Name" autocomplete="off" maxlength="100" />
					<${TextField} label=${`Value of field ${index + 1}`} hiddenLabel value=${value} change=${(text) => put(index, { value: text })}
						placeholder="Value" autocomplete="off" maxlength="1000" />
					<button type="button" class="quiet" onClick=${() => change(fields.filter((_, i) => i !== index))}>
						Remove<span class="visually-hidden"> field ${index + 1}</span></button>
				</div>`)}
			<p><button type="button" onClick=${() => change([...fields, { name: '', value: '' }])}>Add a header field</button></p>
		<//>`;
}

function Retries({ retries, change, action })
{
	const put = (part) => change({ ...retries, ...part });

	return html`
		<${Group} legend="If the receiver fails" error=${fieldError(action, 'retryPolicy')}>
			<${TextField} label="First pause, in seconds" value=${retries.delaySeconds} change=${(delaySeconds) => put({ delaySeconds })}
				error=${fieldError(action, 'delaySeconds')} inputmode="numeric" autocomplete="off" />
			<${SelectField} label="Pauses" value=${retries.policy} change=${(policy) => put({ policy })} options=${POLICIES} />
			<${TextField} label="Attempts" hint="After so many a delivery is given up." value=${retries.attempts} change=${(attempts) => put({ attempts })}
				error=${fieldError(action, 'attempts')} inputmode="numeric" autocomplete="off" />
		<//>`;
}

/* They are folded away unless there is something to see. */
export function MoreSettings({ fields, setFields, retries, setRetries, action })
{
	const [isUsed] = useState(fields.length > 0);
	const isWrong = ['customHeaders', 'retryPolicy', 'delaySeconds', 'attempts'].some((name) => fieldError(action, name));

	return html`
		<details class="more-settings" open=${isUsed || isWrong}>
			<summary>Header fields and retries</summary>
			<${HeaderFields} fields=${fields} change=${setFields} error=${fieldError(action, 'customHeaders')} />
			<${Retries} retries=${retries} change=${setRetries} action=${action} />
		</details>`;
}
