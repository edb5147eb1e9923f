// Links for others: what they take away, and the code that puts the page into another one. Pure.

/** @import {Link} from '../url.js' */

import { toFragment } from "../url.js";

/**
 * @param {Link} link  of the screen
 * @param {string} page  the address of the page, without a fragment
 * @param {{hide: string[], embed?: string[]}} how  `embed`: no words is a plain link; "on" or what it is to do
 */
export function sharedLink(link, page, { hide, embed = [] }) {
  return page + toFragment({ ...link, hide: hide.join(","), embed: embed.join(",") });
}

/** @type {Record<string, string>} */
const ENTITIES = { "&": "&amp;", '"': "&quot;", "<": "&lt;", ">": "&gt;" };

/** @param {string} text */
const escaped = (text) => text.replace(/[&"<>]/g, (ch) => ENTITIES[ch]);

/**
 * The element for another page.
 * @param {{src: string, title: string, width: number, height: number}} frame
 */
export const frameCode = ({ src, title, width, height }) =>
  `<iframe src="${escaped(src)}" title="${escaped(title)}" width="${width}" height="${height}" ` +
  `loading="lazy" style="border: 1px solid #ccc; border-radius: 8px"></iframe>`;

/** Whether only this computer has the address. @param {string} hostname */
export const isHere = (hostname) => /^(localhost|.*\.localhost|127\..*|\[?::1\]?)$/.test(hostname);
