// The words of a text, coloured by what they add. One stop of the tabulator; arrow keys go from word to word.

import { set, setAttribute, shown, signed, el } from "./format.js";

const STRONGEST = 0.62; // opacity of the largest share: letters stay readable on it

export class Words {
  /** chosen(place): a word was chosen; hovered(place or null). */
  constructor(id, chosen, hovered) {
    this.id = id;
    this.chips = [];
    this.list = el("div", {
      class: "words",
      role: "listbox",
      tabindex: "0",
      "aria-label": "Words of the text; arrow keys step through them",
      "aria-orientation": "horizontal",
      on: {
        click: (event) => this.with(event, chosen),
        mouseover: (event) => this.with(event, hovered),
        mouseleave: () => hovered(null),
        keydown: (event) => this.pressed(event, chosen),
      },
    });
    this.empty = el("p", { class: "note", text: "Nothing to read yet: type a text above." });
  }

  with(event, then) {
    const chip = event.target.closest("[data-place]");
    if (chip) then(Number(chip.dataset.place));
  }

  pressed(event, chosen) {
    const moves = { ArrowRight: 1, ArrowLeft: -1, Home: -Infinity, End: Infinity };
    if (!(event.key in moves) || !this.count) return;
    event.preventDefault();
    chosen(Math.min(this.count - 1, Math.max(0, this.place + moves[event.key])));
  }

  /** shares: of each word; read: whether the networks read it; known: whether the vocabulary has it. */
  draw(tokens, shares, read, known, place) {
    [this.count, this.place] = [tokens.length, place];
    const largest = shares.reduce((most, share) => Math.max(most, Math.abs(share)), 1e-12);
    while (this.chips.length < tokens.length) {
      const at = this.chips.length;
      const chip = el("span", { class: "word", role: "option", id: `${this.id}-word-${at}`, "data-place": at });
      this.chips.push(chip);
    }
    tokens.forEach((token, at) => {
      const chip = this.chips[at];
      const strength = (STRONGEST * Math.abs(shares[at])) / largest;
      set(chip, "textContent", shown(token));
      const side = shares[at] < 0 ? "against" : "for";
      set(chip, "className", `word ${side}${read[at] ? "" : " cut"}${known[at] ? "" : " unknown"}`);
      chip.style.setProperty("--strength", strength.toFixed(3));
      setAttribute(chip, "aria-selected", at === place);
      const more = `${known[at] ? "" : ", unknown"}${read[at] ? "" : ", cut off"}`;
      setAttribute(chip, "aria-label", `${shown(token)}, ${signed(shares[at])}${more}`);
    });
    if (this.list.childElementCount !== tokens.length) this.list.replaceChildren(...this.chips.slice(0, tokens.length));
    set(this.list, "hidden", !tokens.length);
    set(this.empty, "hidden", tokens.length > 0);
    if (tokens.length) setAttribute(this.list, "aria-activedescendant", `${this.id}-word-${place}`);
    else this.list.removeAttribute("aria-activedescendant");
  }
}
