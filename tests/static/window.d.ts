/** What static/js/labeling/early.js, which is no module, leaves for the modules. */
export {};

declare global {
  interface Window {
    /** Hands over the keys that were pressed before; no more are kept. */
    takeEarlyKeys(): KeyboardEvent[];
  }
}
