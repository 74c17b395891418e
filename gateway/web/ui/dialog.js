/*
 * dialog.js
 *		Modal dialogs: the browser's own element, which keeps the focus inside.
 *
 * When a dialog closes, the focus returns to the element that had it before.  If that no
 * longer exists, such as the row of a deleted object, the focus goes to the heading of the
 * page.
 */
import { Announcements } from './announce.js';
import { html, useId, useLayoutEffect, useRef } from './html.js';
import { useAction } from '../client/load.js';
import { Form } from './form.js';

function giveFocusBack(opener)
{
	const target = opener?.isConnected && opener !== document.body ? opener : document.querySelector('main h1');

	target?.focus();
}

export function Dialog({ title, close, children, wide })
{
	const dialog = useRef(null);
	const id = useId();

	/*
	 * This runs before the page is painted, so a dialog that follows another one finds the
	 * focus already returned.
	 */
	useLayoutEffect(() =>
	{
		const element = dialog.current;
		const opener = document.activeElement;

		element.showModal();
		return () =>
		{
			element.close();
			/* Preact removes the element from the page after this. */
			queueMicrotask(() => giveFocusBack(opener));
		};
	}, []);

	const onKeyDown = (event) =>
	{
		if (event.key === 'Escape')
		{
			event.preventDefault();
			close();
		}
	};
	const onCancel = (event) =>
	{
		event.preventDefault();
		close();
	};

	return html`
		<dialog ref=${dialog} class=${wide ? 'wide' : null} aria-labelledby=${id} onKeyDown=${onKeyDown} onCancel=${onCancel}>
			<h2 id=${id}>${title}</h2>
			${children}
			<${Announcements} />
		</dialog>`;
}

/* Asks for confirmation before something that cannot be undone. */
export function Confirm({ title, label, busyLabel, tone = 'danger', act, close, children })
{
	const action = useAction(async () =>
	{
		await act();
		close();
	});

	return html`
		<${Dialog} title=${title} close=${close}>
			<${Form} action=${action} submit=${action.run} cancel=${close} label=${label} busyLabel=${busyLabel} tone=${tone}>
				${children}
			<//>
		<//>`;
}
