/** Which species a typed name means: common, scientific or another name, any rank; case and accents do not matter. */

const MOST = 8;
/** Words that ask for a rank above the species: any bird, unknown bird, bird sp. (models/species.py has them too). */
const BEFORE = /^(?:any|some|unknown|unidentified|undetermined)\s+/;
const AFTER = /\s+(?:spp?\.?|indet\.?|unknown|unidentified)$/;

/** @typedef {import('./panel.js').Species} Species */
/** @typedef {{species: Species, best: number, as: string, exact: boolean}} Match as: what stands beside the name: the one that was typed, else the one of the project's language. exact: no other can be meant */

/**
 * The whole name before names that begin with what was typed, before words that do, before names that hold it; of those the
 * common name before the others, and then what is named more often.
 * @param {Species[]} all @param {string} typed @returns {Match[]}
 */
export function matches(all, typed) {
  const wanted = plain(typed);
  const found = all.filter((species) => !species.retired).map((species) => match(species, wanted));
  const order = (/** @type {Match} */ a, /** @type {Match} */ b) => a.best - b.best || (b.species.used ?? 0) - (a.species.used ?? 0) || a.species.name.localeCompare(b.species.name);
  return found.filter(({ best }) => best < Infinity).sort(order).slice(0, MOST);
}

/** The rank of a new species of this name. @param {string} name */
export function rankOf(name) {
  const bare = groupOf(plain(name));
  if (bare === null) return 'species';
  return AFTER.test(plain(name)) && !bare.includes(' ') ? 'genus' : 'group';
}

/** @param {Species} species @param {string} wanted @returns {Match} */
function match(species, wanted) {
  const names = [species.name, species.called ?? '', species.scientific_name, ...species.synonyms].filter(Boolean);
  const above = !['', 'species'].includes(species.rank);
  const places = names.map((name, place) => closeness(plain(name), wanted, above) + (place ? 1 : 0));
  const best = Math.min(...places);
  const name = names[places.indexOf(best)];
  const other = species.called && species.called !== species.name ? species.called : species.scientific_name;
  return { species, best, as: name === species.name ? (other === name ? '' : other) : name, exact: best < 4 };
}

/** Below 4: it is this one. @param {string} name @param {string} wanted @param {boolean} above whether it is no single species */
function closeness(name, wanted, above) {
  if (name === wanted) return 0;
  if (above && groupOf(wanted) !== null && (groupOf(name) ?? name) === groupOf(wanted)) return 2;
  if (above && groupOf(name) === wanted) return 4;
  if (name.startsWith(wanted)) return 6;
  if (name.includes(` ${wanted}`)) return 8;
  return name.includes(wanted) ? 10 : Infinity;
}

/** bird for "any bird" and "bird sp."; null for a name without such words. @param {string} name in small letters */
function groupOf(name) {
  const bare = name.replace(BEFORE, '').replace(AFTER, '').trim();
  return bare && bare !== name ? bare : null;
}

/** @param {string} name */
export function plain(name) {
  return name.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase();
}
