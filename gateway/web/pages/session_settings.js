/*
 * session_settings.js
 *		The settings of a session: its label, how many messages it accepts, and what it does by itself.
 */
import { announce } from '../ui/announce.js';
import { call, pathOf } from '../client/api.js';
import { useAction } from '../client/load.js';
import { Dialog } from '../ui/dialog.js';
import { Choice, fieldError, Form, TextField } from '../ui/form.js';
import { html, useState } from '../ui/html.js';

const RATES = { ratePerMin: 100000, ratePerHour: 1000000 };

const isRate = (text, most) => /^[0-9]+$/.test(text.trim()) && Number(text) <= most;

function problemsOf(values)
{
	return Object.fromEntries(Object.entries(RATES).filter(([name, most]) => !isRate(values[name], most))
		.map(([name, most]) => [name, `Enter 0 to ${most}.`]));
}

/* What differs from the session.  What somebody else has changed since it was read stays. */
function changesOf({ label, ratePerMin, ratePerHour, autoRead, presenceTyping }, session)
{
	const wanted = {
		label: label.trim() === '' ? null : label.trim(), ratePerMin: Number(ratePerMin), ratePerHour: Number(ratePerHour), autoRead, presenceTyping,
	};

	return Object.fromEntries(Object.entries(wanted).filter(([name, value]) => value !== (session[name] ?? null)));
}

export function SessionDialog({ session, close, done })
{
	const [values, setValues] = useState({
		label: session.label ?? '', ratePerMin: String(session.ratePerMin), ratePerHour: String(session.ratePerHour),
		autoRead: session.autoRead, presenceTyping: session.presenceTyping,
	});
	const put = (name) => (value) => setValues((before) => ({ ...before, [name]: value }));
	const action = useAction(async () =>
	{
		const json = changesOf(values, session);

		if (Object.keys(json).length > 0)
			await call('PATCH', pathOf('sessions', session.id), { json });
		announce('The session is saved.');
		close();
		done();
	}, () => problemsOf(values));

	return html`
		<${Dialog} title="Change session" close=${close}>
			<${Form} action=${action} submit=${action.run} cancel=${close} label="Save" busyLabel="Saving" fields=${['label', ...Object.keys(RATES)]}>
				<${TextField} label="Label" hint="What people call it, for instance Support." value=${values.label} change=${put('label')}
					error=${fieldError(action, 'label')} maxlength="200" autocomplete="off" focus />
				<${TextField} label="Messages a minute" hint="More than that are refused. 0: no limit." value=${values.ratePerMin} change=${put('ratePerMin')}
					error=${fieldError(action, 'ratePerMin')} inputmode="numeric" autocomplete="off" />
				<${TextField} label="Messages an hour" hint="0: no limit." value=${values.ratePerHour} change=${put('ratePerHour')}
					error=${fieldError(action, 'ratePerHour')} inputmode="numeric" autocomplete="off" />
				<${Choice} name="autoRead" label="Mark as read" description="what comes in is marked as read at once" checked=${values.autoRead} change=${put('autoRead')} />
				<${Choice} name="presenceTyping" label="Show typing" description="before a message is sent" checked=${values.presenceTyping} change=${put('presenceTyping')} />
			<//>
		<//>`;
}

/* The settings in words, for the facts of a session. */
export function rateInWords({ ratePerMin, ratePerHour })
{
	const parts = [ratePerMin > 0 && `${ratePerMin} a minute`, ratePerHour > 0 && `${ratePerHour} an hour`].filter(Boolean);

	return parts.length === 0 ? 'no limit' : `at most ${parts.join(', ')}`;
}

export function habitsInWords({ autoRead, presenceTyping })
{
	return [autoRead && 'marks messages as read', presenceTyping && 'shows typing'].filter(Boolean).join(', ') || 'nothing';
}
