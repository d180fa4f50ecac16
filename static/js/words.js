/** Every sentence of a script goes through here. The page carries what it is in the reader's language; English is in the scripts themselves. */

const carried = document.getElementById('words')?.textContent;
/** forms: number (0 to 199, then by the last two digits) -> place among the forms. @type {{messages: Record<string, string[]>, forms: number[]}} */
const { messages, forms } = carried ? JSON.parse(carried) : { messages: {}, forms: [] };

/** @typedef {Record<string, string | number>} Values */

/** @param {string} message @param {Values} [values] */
const filled = (message, values = {}) =>
  message.replace(/%\((\w+)\)s|%%/g, (mark, name) => (mark === '%%' ? '%' : String(values[name])));

/** A number as the page's language writes it. @param {number} number @param {Intl.NumberFormatOptions} [options] */
export const figure = (number, options) => number.toLocaleString(document.documentElement.lang || 'en', options);

/** The message in the reader's language; %(name)s is a value, %% a percent sign. @param {string} message @param {Values} [values] */
export const say = (message, values) => filled(messages[message]?.[0] ?? message, values);

/** The form that the number asks for; the number itself is %(num)s. @param {string} one @param {string} many @param {number} num @param {Values} [values] */
export function sayMany(one, many, num, values) {
  const translated = messages[one];
  const form = translated ? translated[forms[num < forms.length ? num : 100 + (num % 100)]] : undefined;
  return filled(form ?? (num === 1 ? one : many), { num: figure(num), ...values });
}
