/*
 * form.js
 *		Forms: fields with their label, hint and error, ticks, and the button that says that
 *		it is working.
 *
 * The gateway is the one that checks.  What it finds wrong comes back as details, field by
 * field, and is shown under the field, which then gets the focus.
 */
import { html, useEffect, useId, useRef } from './html.js';
import { ErrorNotice } from './notice.js';

/*
 * "action" is from useAction().  "fields" names the fields of the gateway's details that the
 * form has.  The children come before the buttons.
 */
export function Form({ action, submit, fields = [], label, cancel, tone = 'primary', busyLabel = 'Working', children, wide })
{
	const form = useRef(null);

	useEffect(() =>
	{
		if (action.error)
			form.current?.querySelector('[aria-invalid="true"]')?.focus();
	}, [action.error]);

	const onSubmit = (event) =>
	{
		event.preventDefault();
		submit();
	};

	return html`
		<form ref=${form} class=${wide ? 'form wide' : 'form'} onSubmit=${onSubmit} novalidate>
			${children}
			<${ErrorNotice} error=${action.error} known=${fields} />
			<div class="buttons">
				${cancel && html`<button type="button" onClick=${cancel}>Cancel</button>`}
				<button type="submit" class=${tone} disabled=${action.busy}>${action.busy ? `${busyLabel} …` : label}</button>
			</div>
		</form>`;
}

/* What the gateway says of a field. */
export function fieldError(action, name)
{
	const text = action.error?.details?.[name];

	return typeof text === 'string' ? text : null;
}

function describedBy(id, hint, error)
{
	return [hint && `${id}-hint`, error && `${id}-error`].filter(Boolean).join(' ') || null;
}

function FieldFrame({ id, label, hint, error, children, hidden })
{
	return html`
		<div class="field">
			<label for=${id} class=${hidden ? 'visually-hidden' : null}>${label}</label>
			${hint && html`<p class="hint" id=${`${id}-hint`}>${hint}</p>`}
			${children}
			${error && html`<p class="field-error" id=${`${id}-error`}>${label}: ${error}</p>`}
		</div>`;
}

/* A line of text; "rows" makes it several. */
export function TextField({ label, hint, error, value, change, rows, hiddenLabel, focus, ...rest })
{
	const id = useId();
	const input = useRef(null);
	const attributes = {
		id, value, ref: input, onInput: (event) => change(event.target.value),
		'aria-invalid': error ? 'true' : null, 'aria-describedby': describedBy(id, hint, error), ...rest,
	};

	useEffect(() =>
	{
		if (focus)
			input.current.focus();
	}, []);
	return html`
		<${FieldFrame} id=${id} label=${label} hint=${hint} error=${error} hidden=${hiddenLabel}>
			${rows ? html`<textarea rows=${rows} ...${attributes}></textarea>` : html`<input type="text" ...${attributes} />`}
		<//>`;
}

/* options: [value, words] */
export function SelectField({ label, hint, error, value, change, options, hiddenLabel, ...rest })
{
	const id = useId();

	return html`
		<${FieldFrame} id=${id} label=${label} hint=${hint} error=${error} hidden=${hiddenLabel}>
			<select id=${id} value=${value} onChange=${(event) => change(event.target.value)}
				aria-invalid=${error ? 'true' : null} aria-describedby=${describedBy(id, hint, error)} ...${rest}>
				${options.map(([each, words]) => html`<option key=${each} value=${each} selected=${each === value}>${words}</option>`)}
			</select>
		<//>`;
}

/* A tick, or one of several to choose from: the name is its label, the rest describes it. */
export function Choice({ type = 'checkbox', name, label, description, checked, change, group, disabled })
{
	const id = useId();

	return html`
		<label class="choice">
			<input type=${type} name=${group} value=${name} checked=${checked} disabled=${disabled}
				aria-labelledby=${`${id}-name`} aria-describedby=${description ? `${id}-text` : null}
				onChange=${(event) => change(event.target.checked)} />
			<span>
				<span class="choice-name" id=${`${id}-name`}>${label ?? name}</span>
				${description && html`<span class="choice-text" id=${`${id}-text`}>${description}</span>`}
			</span>
		</label>`;
}

/* Ticks or choices that belong together. */
export function Group({ legend, hint, error, children })
{
	const id = useId();

	return html`
		<fieldset class="group" aria-describedby=${describedBy(id, hint, error)} tabindex=${error ? -1 : null}
			aria-invalid=${error ? 'true' : null}>
			<legend>${legend}</legend>
			${hint && html`<p class="hint" id=${`${id}-hint`}>${hint}</p>`}
			${children}
			${error && html`<p class="field-error" id=${`${id}-error`}>${legend}: ${error}</p>`}
		</fieldset>`;
}

/* A button outside of a form that does its work in the background. */
export function ActionButton({ action, label, busyLabel = label, about, tone, onClick })
{
	return html`
		<button type="button" class=${tone} disabled=${action.busy} onClick=${onClick}>
			${action.busy ? `${busyLabel} …` : label}${about && html`<span class="visually-hidden"> ${about}</span>`}
		</button>`;
}
