/** The template tag of every component: text that is put into a template stays text, whatever it holds. */
import htm from "../../vendor/htm.js";
import { h } from "../../vendor/preact.js";

/** @type {(strings: TemplateStringsArray, ...values: any[]) => any} */
export const html = htm.bind(h);
