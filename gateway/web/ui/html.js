/*
 * html.js
 *		What pages are written with: Preact, its hooks, and markup as template strings.
 *
 * A value in a template becomes text of the page, never markup.  Nothing in this folder
 * sets innerHTML, and the Content-Security-Policy would forbid scripts in it.
 */
import htm from '../vendor/htm.js';
import { h } from '../vendor/preact.js';

export { createContext, h, render } from '../vendor/preact.js';
export { useContext, useEffect, useId, useLayoutEffect, useRef, useState } from '../vendor/hooks.js';

export const html = htm.bind(h);
