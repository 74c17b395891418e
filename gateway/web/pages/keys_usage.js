/*
 * keys_usage.js
 *		How an API key is used: the requests of each hour or day, and why some were denied.
 *
 * The program and the address are what whoever sends a request says, so they are shown as text.
 */
import { call, pathOf } from '../client/api.js';
import { now } from '../client/clock.js';
import { Dialog } from '../ui/dialog.js';
import { SelectField } from '../ui/form.js';
import { DAY, Time } from '../ui/format.js';
import { html, useState } from '../ui/html.js';
import { useLoad } from '../client/load.js';
import { Loaded } from '../ui/notice.js';
import { Copyable } from '../ui/secret.js';
import { Table } from '../ui/table.js';

const HOUR = DAY / 24;

/* What can be chosen: hours back, and how many bars of how many hours that makes. */
const SPANS = {
	24: { words: 'The last 24 hours', hours: 1, bars: 24 },
	168: { words: 'The last 7 days', hours: 24, bars: 7 },
	720: { words: 'The last 30 days', hours: 24, bars: 30 },
};

const REASONS = {
	expired: 'the key had expired',
	revoked: 'the key was revoked',
	disabled: 'the key was switched off',
	address: 'not from this address',
	permission: 'the key lacks a permission',
	session: 'the key is for other sessions',
	rate: 'too many requests',
};

const WIDTH = 600;
const HEIGHT = 120;

const numbers = new Intl.NumberFormat();
const sum = (list) => list.reduce((total, each) => total + each, 0);
const deniedOf = (hour) => sum(Object.values(hour.denied));

/* One bar for each stretch of time, the oldest first. */
function barsOf(hours, span)
{
	const { hours: length, bars: count } = SPANS[span];
	const end = (Math.floor(now() / HOUR) + 1) * HOUR;

	return Array.from({ length: count }, (_, i) =>
	{
		const from = end - (count - i) * length * HOUR;
		const inside = hours.filter((hour) => hour.from >= from && hour.from < from + length * HOUR);

		return { from, allowed: sum(inside.map((hour) => hour.allowed)), denied: sum(inside.map(deniedOf)) };
	});
}

function Bar({ bar, x, width, most })
{
	const height = (number) => (number === 0 ? 0 : Math.max(2, number / most * HEIGHT));
	const denied = height(bar.denied);
	const allowed = Math.min(height(bar.allowed), HEIGHT - denied);

	return html`
		<rect class="allowed" x=${x} y=${HEIGHT - denied - allowed} width=${width} height=${allowed} />
		<rect class="denied" x=${x} y=${HEIGHT - denied} width=${width} height=${denied} />`;
}

function Chart({ bars, label })
{
	const step = WIDTH / bars.length;
	const most = Math.max(1, ...bars.map((bar) => bar.allowed + bar.denied));

	return html`
		<svg class="usage-chart" viewBox=${`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label=${label} preserveAspectRatio="none">
			${bars.map((bar, i) => html`<${Bar} key=${bar.from} bar=${bar} x=${i * step + step / 10} width=${step * 0.8} most=${most} />`)}
		</svg>
		<p class="usage-scale hint"><${Time} at=${bars[0].from} /><span>highest bar: ${numbers.format(most)}</span><span class="allowed">■ allowed</span><span class="denied">■ denied</span><span>now</span></p>`;
}

function Reasons({ hours })
{
	const rows = Object.keys(REASONS)
		.map((reason) => ({ reason, number: sum(hours.map((hour) => hour.denied[reason] ?? 0)) }))
		.filter(({ number }) => number > 0);

	if (rows.length === 0)
		return null;
	return html`
		<${Table} label="Why requests were denied" rows=${rows} keyOf=${({ reason }) => reason} columns=${[
			{ name: 'Denied because', width: 12, cell: ({ reason }) => REASONS[reason] },
			{ name: 'Requests', width: 6, cell: ({ number }) => numbers.format(number) },
		]} />`;
}

function LastUse({ usage })
{
	if (usage.lastUsedAt === undefined)
		return html`<p>It was never used, as far as is known.</p>`;
	return html`
		<p>Last used <${Time} at=${usage.lastUsedAt} style="distance" />${usage.lastUsedFrom && html` from <code>${usage.lastUsedFrom}</code>`}${usage.lastUsedAgent && html` by <code>${usage.lastUsedAgent}</code>`}.</p>`;
}

function Usage({ usage })
{
	const { span } = usage;
	const bars = barsOf(usage.hours, span);
	const words = `${numbers.format(sum(bars.map((bar) => bar.allowed)))} requests allowed, ${numbers.format(sum(bars.map((bar) => bar.denied)))} denied`;

	return html`
		<${LastUse} usage=${usage} />
		<p><strong>${words}</strong></p>
		<${Chart} bars=${bars} label=${`${SPANS[span].words}: ${words}`} />
		<${Reasons} hours=${usage.hours} />`;
}

export function KeyUsageDialog({ apiKey, close })
{
	const [span, setSpan] = useState('168');
	/* What was loaded for another choice keeps the words of that one. */
	const usage = useLoad(async (signal) => ({ span, ...await call('GET', `${pathOf('api-keys', apiKey.id, 'usage')}?hours=${span}`, { signal }) }), [span]);

	return html`
		<${Dialog} title=${`Use of “${apiKey.name}”`} close=${close} wide>
			<${Copyable} label="Id" text=${apiKey.id} />
			<${SelectField} label="Show" value=${span} change=${setSpan} options=${Object.entries(SPANS).map(([hours, { words }]) => [hours, words])} />
			<${Loaded} from=${usage} what="Loading the use">${(data) => html`<${Usage} usage=${data} />`}<//>
			<div class="buttons"><button type="button" onClick=${close}>Done</button></div>
		<//>`;
}
