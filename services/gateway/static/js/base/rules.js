/** The API's own rules, so that what it would refuse is said before it is sent. Each fault is a word of the catalogue. */
import { CHOICES } from "./kinds.js";

const CONTROL = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f]/;
const NOTHING_VISIBLE = /^[\p{Cf}\p{Cc}\p{Zs}\p{Zl}\p{Zp}\p{Mn}]*$/u;

/** The server counts characters, not the halves of which some consist here. @param {string} text */
export const lengthOf = (text) => (text.length < CHOICES.promptMost ? text.length : [...text].length);

/** @param {string} prompt @returns {string | null} */
export function promptFault(prompt) {
  if (NOTHING_VISIBLE.test(prompt)) return "field.prompt_empty";
  if (!prompt.isWellFormed()) return "field.prompt_not_unicode";
  if (CONTROL.test(prompt)) return "field.prompt_control_character";
  if (lengthOf(prompt) > CHOICES.promptMost) return "field.prompt_too_long";
  return null;
}

/** @param {string} address of an image to start from @returns {string | null} */
export function addressFault(address) {
  if (!address) return null;
  if (address.length > CHOICES.addressMost) return "field.url_too_long";
  if (!/^(https?:\/\/|\/media\/|upload:)/i.test(address)) return "field.url_scheme";
  return null;
}

/** @param {{type: string, size: number}} file @returns {string | null} */
export function fileFault({ type, size }) {
  if (!CHOICES.uploadTypes.includes(type)) return "field.content_type_not_allowed";
  if (size > CHOICES.uploadMost || size === 0) return "field.size_bytes_out_of_range";
  return null;
}

/** @param {import("../types.js").RequestBody} body @returns {Record<string, string>} words by field */
export function faultsOf(body) {
  const found = {
    prompt: promptFault(String(body.prompt)),
    input_image_url: addressFault(String(body.input_image_url ?? "")),
  };
  return Object.fromEntries(/** @type {[string, string][]} */ (Object.entries(found).filter(([, word]) => word)));
}
