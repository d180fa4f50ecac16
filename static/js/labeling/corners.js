/** Boxes as four corners, x_min y_min x_max y_max, shares of the photo: pushed, pulled, drawn, and never outside of it. */

/** @typedef {[number, number, number, number]} Corners */
/** @typedef {[number, number]} Pair x and y */

/** @param {number} value @param {number} low @param {number} high */
const within = (value, low, high) => Math.max(low, Math.min(high, value));

/** The box moved as far as the photo reaches. @param {Corners} box @param {Pair} by @returns {Corners} */
export function pushed([x0, y0, x1, y1], [dx, dy]) {
  const [x, y] = [within(dx, -x0, 1 - x1), within(dy, -y0, 1 - y1)];
  return [x0 + x, y0 + y, x1 + x, y1 + y];
}

/** The edges of a handle brought to a place; the others stay. @param {Corners} box @param {string} handle of n, s, w, e @param {Pair} to @param {Pair} least how small a side may be @returns {Corners} */
export function pulled([x0, y0, x1, y1], handle, [x, y], [leastX, leastY]) {
  return [
    handle.includes('w') ? within(x, 0, x1 - leastX) : x0,
    handle.includes('n') ? within(y, 0, y1 - leastY) : y0,
    handle.includes('e') ? within(x, x0 + leastX, 1) : x1,
    handle.includes('s') ? within(y, y0 + leastY, 1) : y1,
  ];
}

/** The box between two places. @param {Pair} from @param {Pair} to @returns {Corners} */
export function between([ax, ay], [bx, by]) {
  const [x0, x1, y0, y1] = [Math.min(ax, bx), Math.max(ax, bx), Math.min(ay, by), Math.max(ay, by)];
  return [within(x0, 0, 1), within(y0, 0, 1), within(x1, 0, 1), within(y1, 0, 1)];
}

/** A box round a place. @param {Pair} centre @param {Pair} size @returns {Corners} */
export function around([x, y], [width, height]) {
  const [left, top] = [within(x - width / 2, 0, 1 - width), within(y - height / 2, 0, 1 - height)];
  return [left, top, left + width, top + height];
}

/** As it is sent. @param {Corners} box @returns {Corners} */
export function rounded(box) {
  return /** @type {Corners} */ (box.map((share) => Math.round(share * 1e5) / 1e5));
}

/** @param {Corners} box @param {Pair} place */
export function holds([x0, y0, x1, y1], [x, y]) {
  return x >= x0 && x <= x1 && y >= y0 && y <= y1;
}

/** @param {Corners} box */
export function area([x0, y0, x1, y1]) {
  return (x1 - x0) * (y1 - y0);
}

/**
 * The handle of a box at a place: n, ne, e, … or none. All in pixels of the screen.
 * A handle reaches 14 px outwards and 12 px inwards, less in a small box, whose middle moves it.
 * @param {Corners} box @param {Pair} place @returns {string}
 */
export function handleAt([x0, y0, x1, y1], [x, y]) {
  const [inX, inY] = [Math.min(12, (x1 - x0) / 3), Math.min(12, (y1 - y0) / 3)];
  if (x < x0 - 14 || x > x1 + 14 || y < y0 - 14 || y > y1 + 14) return '';
  const vertical = y < y0 + inY ? 'n' : y > y1 - inY ? 's' : '';
  const horizontal = x < x0 + inX ? 'w' : x > x1 - inX ? 'e' : '';
  return vertical + horizontal;
}
