/** Photos fetched and decoded ahead, so that the next crop is on the screen at once. */

/** @typedef {{url: string, image: HTMLImageElement, bitmap: ImageBitmap | null, state: 'loading' | 'ready' | 'broken', ready: Promise<boolean>}} Picture */

const KEPT = 60;
const KEPT_SMALL = 300;

export class Pictures {
  constructor() {
    /** @type {Map<string, Picture>} */
    this.kept = new Map();
    /** @type {Map<string, HTMLImageElement>} */
    this.small = new Map();
  }

  /** Start fetching. @param {string} url @returns {Picture} */
  fetch(url) {
    const known = this.kept.get(url);
    if (known && known.state !== 'broken') return known;
    const image = new Image();
    image.src = url;
    /** @type {Picture} */
    const picture = { url, image, bitmap: null, state: 'loading', ready: Promise.resolve(false) };
    picture.ready = image.decode().then(
      () => settle(picture, 'ready'),
      () => settle(picture, 'broken'),
    );
    this.kept.set(url, picture);
    this.forget();
    return picture;
  }

  /** Another picture lies there now. @param {string} url @returns {Picture} */
  again(url) {
    const known = this.kept.get(url);
    if (known) release(known);
    this.kept.delete(url);
    return this.fetch(url);
  }

  /** Fetch all, and keep the first ones as pixels. @param {string[]} urls @param {number} decoded */
  async prepare(urls, decoded) {
    const near = new Set(urls.slice(0, decoded));
    for (const picture of this.kept.values()) if (!near.has(picture.url)) release(picture);
    for (const url of urls) this.fetch(url);
    for (const url of near) await this.decode(this.fetch(url));
  }

  /** @param {Picture} picture */
  async decode(picture) {
    if (!(await picture.ready) || picture.bitmap) return;
    try {
      picture.bitmap = await createImageBitmap(picture.image);
    } catch {
      picture.bitmap = null; // the picture itself can still be drawn
    }
  }

  /** Have the small pictures at hand too, also without a connection. @param {string[]} urls */
  warm(urls) {
    for (const url of urls) {
      if (this.small.has(url)) continue;
      this.small.set(url, Object.assign(new Image(), { src: url }));
      if (this.small.size > KEPT_SMALL) this.small.delete(/** @type {string} */ (this.small.keys().next().value));
    }
  }

  forget() {
    for (const [url, picture] of this.kept) {
      if (this.kept.size <= KEPT) return;
      release(picture);
      this.kept.delete(url);
    }
  }
}

/** @param {Picture} picture @param {'ready' | 'broken'} state */
function settle(picture, state) {
  picture.state = state;
  return state === 'ready';
}

/** @param {Picture} picture */
function release(picture) {
  picture.bitmap?.close();
  picture.bitmap = null;
}
