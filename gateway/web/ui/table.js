/*
 * table.js
 *		Tables that hold any content at any width.
 *
 * Each column has a width in rem.  It holds the longest word that the dashboard writes there,
 * so that such words are never broken; what people and programs write is broken where it must
 * be, and pushes no other column aside.  A table has one of these forms:
 *
 *	full	the actions of a row are buttons beside it
 *	short	they are in a menu
 *	cards	each row is a card, in which the name of a column is before each cell
 *
 * It is the first that fits into the place of the table, whatever the window is like.
 */
import { html, useEffect, useId, useLayoutEffect, useRef, useState } from './html.js';

function sum(numbers)
{
	return numbers.reduce((total, number) => total + number, 0);
}

/* The width of an element in rem, or null until it is known. */
function useWidth(element)
{
	const [width, setWidth] = useState(null);

	useLayoutEffect(() =>
	{
		const measure = () => setWidth(element.current.clientWidth / parseFloat(getComputedStyle(document.documentElement).fontSize));
		const observer = new ResizeObserver(measure);

		measure();
		observer.observe(element.current);
		return () => observer.disconnect();
	}, []);
	return width;
}

function formOf(width, columns, { width: full = 0, short = full } = {})
{
	const data = sum(columns.map((column) => column.width));

	if (width === null || width >= data + full)
		return 'full';
	return width >= data + short ? 'short' : 'cards';
}

/*
 * The menu opens where there is more room, below or above its button, and stays with it when the
 * page scrolls.  It is closed before what is chosen in it runs, so that a dialog returns the
 * focus to the button of the menu.
 */
function Menu({ about, children })
{
	const id = useId();
	const button = useRef(null);
	const panel = useRef(null);
	const [open, setOpen] = useState(false);

	const hide = () =>
	{
		if (panel.current?.matches(':popover-open'))
			panel.current.hidePopover();
	};
	const place = () =>
	{
		const { top, bottom, right } = button.current.getBoundingClientRect();
		const { style } = panel.current;
		const below = top < innerHeight / 2;

		style.right = `${document.documentElement.clientWidth - right}px`;
		style.top = below ? `${bottom}px` : 'auto';
		style.bottom = below ? 'auto' : `${innerHeight - top}px`;
	};
	const onBeforeToggle = ({ newState }) =>
	{
		place();
		setOpen(newState === 'open');
	};

	useEffect(() =>
	{
		if (!open)
			return undefined;
		addEventListener('scroll', place, true);
		return () => removeEventListener('scroll', place, true);
	}, [open]);
	return html`
		<button type="button" class="menu-opener" ref=${button} popovertarget=${id}>
			<span aria-hidden="true">⋯</span><span class="visually-hidden">Actions of ${about}</span>
		</button>
		<div id=${id} ref=${panel} class="menu-panel" popover="auto" onBeforeToggle=${onBeforeToggle} onClickCapture=${hide}>${children}</div>`;
}

function RowActions({ form, about, buttons })
{
	return html`<div class="row-actions">${form === 'short' && buttons.length > 1 ? html`<${Menu} about=${about}>${buttons}<//>` : buttons}</div>`;
}

function Row({ row, columns, actions, form })
{
	return html`
		<tr role="row">
			${columns.map(({ name, cell }, index) => (index === 0 ?
				html`<th key=${name} scope="row" role="rowheader"><div class="name">${cell(row)}</div></th>` :
				html`<td key=${name} role="cell" data-label=${name}><div>${cell(row)}</div></td>`))}
			${actions && html`<td role="cell" class="actions-cell"><${RowActions} form=${form} about=${actions.about(row)} buttons=${actions.of(row).filter(Boolean)} /></td>`}
		</tr>`;
}

/*
 * columns: { name, width, cell(row) }.  actions, if rows have any: { width, short, of(row),
 * about(row) }.  "of" returns buttons and links, of which some may be missing; "about" names the
 * row.  "width" is the place that they need beside each other, and "short", if a row can have
 * several, the place of a menu, or of the only one that a row has.
 *
 * Roles are said, since a browser does not see a table in rows that are cards.
 */
export function Table({ label, columns, rows, keyOf, actions })
{
	const frame = useRef(null);
	const width = useWidth(frame);
	const form = formOf(width, columns, actions);

	return html`
		<div class=${`table-frame ${form}`} ref=${frame}>
			<table role="table" aria-label=${label}>
				<colgroup>
					${columns.map((column) => html`<col key=${column.name} style=${{ width: `${column.width}rem` }} />`)}
					${actions && html`<col style=${{ width: `${form === 'short' ? actions.short : actions.width}rem` }} />`}
				</colgroup>
				<thead role="rowgroup"><tr role="row">
					${columns.map(({ name }) => html`<th key=${name} scope="col" role="columnheader">${name}</th>`)}
					${actions && html`<th scope="col" role="columnheader"><span class="visually-hidden">Actions</span></th>`}
				</tr></thead>
				<tbody role="rowgroup">${rows.map((row) => html`<${Row} key=${keyOf(row)} row=${row} columns=${columns} actions=${actions} form=${form} />`)}</tbody>
			</table>
		</div>`;
}
