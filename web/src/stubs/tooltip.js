// Stands for vega-tooltip, which writes HTML; `app/tooltip.js` does its work.
export class Handler {
  constructor() {
    this.call = () => {};
  }
}
