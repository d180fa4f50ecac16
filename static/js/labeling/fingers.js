/** Touch on the stage: one finger moves the photo, two zoom it about the point between them. */

/**
 * @param {HTMLElement} canvas
 * @param {{pan: (dx: number, dy: number) => void, zoom: (factor: number, atX: number, atY: number) => void}} stage
 */
export function followFingers(canvas, stage) {
  /** @type {Map<number, {x: number, y: number}>} where each finger is, in screen pixels of the canvas */
  const fingers = new Map();
  const middle = () => {
    const [one, other = one] = [...fingers.values()];
    return { x: (one.x + other.x) / 2, y: (one.y + other.y) / 2, apart: Math.hypot(one.x - other.x, one.y - other.y) };
  };
  /** @param {PointerEvent} event */
  const place = (event) => fingers.set(event.pointerId, { x: event.offsetX, y: event.offsetY });
  canvas.addEventListener('pointerdown', (event) => {
    if (event.pointerType === 'touch' && fingers.size < 2) place(event);
  });
  canvas.addEventListener('pointermove', (event) => {
    if (!fingers.has(event.pointerId)) return;
    const before = middle();
    place(event);
    const now = middle();
    stage.pan(now.x - before.x, now.y - before.y);
    if (before.apart && now.apart) stage.zoom(now.apart / before.apart, now.x, now.y);
  });
  for (const end of /** @type {const} */ (['pointerup', 'pointercancel'])) {
    canvas.addEventListener(end, (event) => fingers.delete(event.pointerId));
  }
}
