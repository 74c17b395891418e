/*
 * secret.js
 *		Shows a secret once: that of a key, a webhook or an invitation.
 *
 * The secret is only in the state of the component that shows it: not in the address, not
 * in storage, not in a field that a browser would restore.  useSecret() forgets it when the
 * page is left in any way.  That includes the browser's back-forward cache, which would
 * restore the whole page with everything on it.
 */
import { announce } from './announce.js';
import { Dialog } from './dialog.js';
import { html, useEffect, useRef, useState } from './html.js';
import { Notice } from './notice.js';

/* Like useState(null), for a value that must be forgotten when the page is left. */
export function useSecret()
{
	const [secret, setSecret] = useState(null);

	useEffect(() =>
	{
		const forget = () => setSecret(null);

		addEventListener('pagehide', forget);
		addEventListener('hashchange', forget);
		return () =>
		{
			removeEventListener('pagehide', forget);
			removeEventListener('hashchange', forget);
		};
	}, []);
	return [secret, setSecret];
}

/*
 * The clipboard is available only on https and on this machine.  Selecting the text works
 * everywhere.
 */
async function copy(element)
{
	try
	{
		await navigator.clipboard.writeText(element.textContent);
		return true;
	}
	catch
	{
		getSelection().selectAllChildren(element);
		return document.execCommand('copy');
	}
}

/* A text and a button that copies it. */
export function Copyable({ label, text, copied = () => {}, primary })
{
	const code = useRef(null);
	const [done, setDone] = useState(false);

	const onClick = async () =>
	{
		if (await copy(code.current))
		{
			setDone(true);
			announce(`${label} copied.`);
			copied();
		}
		else
			announce(`${label}: select the text and copy it.`);
	};

	return html`
		<div class="copyable">
			<p class="copyable-label">${label}</p>
			<div>
				<code ref=${code} tabindex="0" role="textbox" aria-readonly="true" aria-label=${label} onCopy=${copied}>${text}</code>
				<button type="button" class=${primary ? 'primary' : null} onClick=${onClick}>
					${done ? 'Copied' : 'Copy'}<span class="visually-hidden"> ${label}</span>
				</button>
			</div>
		</div>`;
}

/* Asks in its own place, so that a second click on Done closes nothing. */
function NotCopied({ close })
{
	return html`
		<${Notice} kind="warning">
			<p role="status">Nothing was copied yet, and this is the only time that it is shown.</p>
			<p><button type="button" onClick=${close}>Close without copying</button></p>
		<//>`;
}

/*
 * The dialog with the secret.  It does not close until the secret was copied, or the person has
 * said that it need not be, so that it is not lost by a slip.
 */
export function SecretDialog({ title, label, secret, close, children })
{
	const [copied, setCopied] = useState(false);
	const [warned, setWarned] = useState(false);

	const leave = () =>
	{
		if (copied)
			close();
		else
			setWarned(true);
	};

	return html`
		<${Dialog} title=${title} close=${leave} wide>
			<p><strong>Copy it now.</strong> It is shown this once and can’t be read again, not by you and not by anybody else.</p>
			<${Copyable} label=${label} text=${secret} copied=${() => setCopied(true)} primary />
			${children}
			${warned && !copied && html`<${NotCopied} close=${close} />`}
			<div class="buttons"><button type="button" onClick=${leave}>Done</button></div>
		<//>`;
}
