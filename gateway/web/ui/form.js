/*
 * form.js
 *		Forms: fields with label, hint and error, checkboxes, and the submit button, which shows
 *		that the action is running.
 *
 * What is missing is found before anything is sent (useAction), all of it at once; everything
 * else is checked by the gateway, which returns problems as details with the name of a field.
 * Each is shown under its field, and the first such field gets the focus.
 */
import { html, useEffect, useId, useRef } from './html.js';
import { fieldWords } from './field_words.js';
import { ErrorNotice } from './notice.js';

/*
 * "action" comes from useAction().  "fields" names the fields of this form as the gateway's
 * details name them.  The children are placed before the buttons.
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

/* For check() of an action: the problem of a field that is empty. */
export function required(name, value, words = 'Fill this in.')
{
	return value.trim() === '' ? { [name]: words } : {};
}

/* The problem with a field. */
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
			${error && html`<p class="field-error" id=${`${id}-error`}>${fieldWords(label, error)}</p>`}
		</div>`;
}

/* A text field of one line, or of several with "rows". */
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

/* A checkbox or a radio button.  Its label is the name; the description is read after it. */
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

/* A group of checkboxes or radio buttons. */
export function Group({ legend, hint, error, children })
{
	const id = useId();

	return html`
		<fieldset class="group" aria-describedby=${describedBy(id, hint, error)} tabindex=${error ? -1 : null}
			aria-invalid=${error ? 'true' : null}>
			<legend>${legend}</legend>
			${hint && html`<p class="hint" id=${`${id}-hint`}>${hint}</p>`}
			${children}
			${error && html`<p class="field-error" id=${`${id}-error`}>${fieldWords(legend, error)}</p>`}
		</fieldset>`;
}

/* A button outside of a form.  Its action runs in the background. */
export function ActionButton({ action, label, busyLabel = label, about, tone, onClick })
{
	return html`
		<button type="button" class=${tone} disabled=${action.busy} onClick=${onClick}>
			${action.busy ? `${busyLabel} …` : label}${about && html`<span class="visually-hidden"> ${about}</span>`}
		</button>`;
}
