// Which n-grams a text holds, and what they add to the scores: textrnn/text/ngrams.py and runtime/ngram_scores.py.
// Numbers of 64 bits are pairs of 32.

import { along } from "./products.js";

const [MULTIPLIER_HIGH, MULTIPLIER_LOW] = [0x9e3779b9, 0x7f4a7c15];
const OF_CHARACTERS = 1 << 30;
const [BEGIN_OF_TOKEN, END_OF_TOKEN] = [0x110000, 0x110001];
const TWO_32 = 4294967296;

/** FNV-1a of a token's UTF-8, 64 bits: [high, low]. Half a surrogate pair is written in three bytes, as Python does. */
export function hashOf(token) {
  let [high, low] = [0xcbf29ce4, 0x84222325];
  const read = (byte) => {
    low = (low ^ byte) >>> 0;
    const product = low * 0x1b3; // below 2^41: exact
    high = (Math.imul(high, 0x1b3) + Math.floor(product / TWO_32) + (low << 8)) >>> 0;
    low = product >>> 0;
  };
  for (const character of token) {
    const code = character.codePointAt(0);
    if (code < 0x80) read(code);
    else {
      const more = code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
      read([0, 0xc0, 0xe0, 0xf0][more] | (code >> (6 * more)));
      for (let left = more - 1; left >= 0; left--) read(0x80 | ((code >> (6 * left)) & 0x3f));
    }
  }
  return [high, low];
}

/** The next hash of a run: (value + item + 1) * MULTIPLIER modulo 2^64, written back into `value`. */
function append(value, itemHigh, itemLow) {
  const sum = value[1] + itemLow + 1;
  const low = sum >>> 0;
  const high = (value[0] + itemHigh + Math.floor(sum / TWO_32)) >>> 0;
  const first = (low & 0xffff) * MULTIPLIER_LOW; // below 2^48: exact
  const second = (low >>> 16) * MULTIPLIER_LOW;
  const bottom = first + (second % 65536) * 65536;
  const carry = Math.floor(bottom / TWO_32) + Math.floor(second / 65536);
  value[0] = (carry + Math.imul(high, MULTIPLIER_LOW) + Math.imul(low, MULTIPLIER_HIGH)) >>> 0;
  value[1] = bottom >>> 0;
}

/** Keys of the runs of 1 to `longest` items: `found(key, first, last)`, by the place where they end. */
function runs(highs, lows, longest, isMark, found) {
  const values = [];
  for (let last = 0; last < lows.length; last++) {
    values.push([0, 0]);
    if (values.length > longest) values.shift();
    for (let back = values.length - 1; back >= 0; back--) {
      const first = last - back;
      append(values[values.length - 1 - back], highs[last], lows[last]);
      if (last > first || !isMark(first)) found(values[values.length - 1 - back][0] >>> 2, first, last);
    }
  }
}

export class Ngrams {
  /** tensors: those named ngrams.…; the keys are in ascending order. */
  constructor(tensors, longest, longestOfCharacters) {
    [this.keys, this.weight, this.bias] = ["key", "weight", "bias"].map((name) => tensors[`ngrams.${name}`]);
    [this.longest, this.longestOfCharacters] = [longest, longestOfCharacters];
    this.hashes = new Map();
    this.characterKeys = new Map();
  }

  /** Where a key stands among the known ones; -1: nowhere. */
  placeOf(key) {
    let [low, high] = [0, this.keys.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.keys[middle] < key) low = middle + 1;
      else high = middle;
    }
    return this.keys[low] === key ? low : -1;
  }

  remembered(cache, token, compute) {
    let found = cache.get(token);
    if (!found) {
      if (cache.size > 65536) cache.clear();
      cache.set(token, (found = compute(token)));
    }
    return found;
  }

  /** The different n-grams within a token: [{key, place, first, last}]. */
  ofCharacters(token) {
    const items = [BEGIN_OF_TOKEN, ...Array.from(token, (character) => character.codePointAt(0)), END_OF_TOKEN];
    const found = new Map();
    const isMark = (at) => at === 0 || at === items.length - 1;
    runs(items.map(() => 0), items, this.longestOfCharacters, isMark, (hash, first, last) => {
      const key = hash | OF_CHARACTERS;
      if (!found.has(key)) found.set(key, { key, place: this.placeOf(key), first, last });
    });
    return [...found.values()];
  }

  /** Reads all tokens of a text, those that a network does not read included. Each different n-gram is in `grams` once:
   * its place among the known ones (-1: unknown), its kind (0: of tokens, 1: of characters), the tokens of every
   * occurrence, and where the first occurrence ends, which is when the text so far begins to have it. */
  read(tokens) {
    const grams = new Map();
    const add = (key, kind, place, occurrence, ends) => {
      const known = grams.get(key);
      if (known) known.occurrences.push(occurrence);
      else grams.set(key, { kind, place: place(), ends, occurrences: [occurrence] });
    };
    if (this.longest) {
      const hashes = ["", ...tokens].map((token) => this.remembered(this.hashes, token, hashOf));
      const [highs, lows] = [hashes.map((hash) => hash[0]), hashes.map((hash) => hash[1])];
      runs(highs, lows, this.longest, (at) => at === 0, (key, first, last) => {
        add(key, 0, () => this.placeOf(key), { first: first - 1, last: last - 1 }, last - 1);
      });
    }
    if (this.longestOfCharacters) {
      tokens.forEach((token, at) => {
        const within = this.remembered(this.characterKeys, token, (one) => this.ofCharacters(one));
        for (const { key, place, first, last } of within) {
          add(key, 1, () => place, { first: at, last: at, from: first, to: last }, at);
        }
      });
    }
    return new NgramReading(this, tokens, [...grams.values()]);
  }
}

export class NgramReading {
  constructor(part, tokens, grams) {
    [this.part, this.tokens, this.grams] = [part, tokens, grams];
    this.outputs = part.bias.length;
    this.counts = [0, 0];
    for (const gram of grams) this.counts[gram.kind]++;
  }

  /** What one n-gram adds along a direction, [outputs]. */
  worth(gram, direction) {
    if (gram.place < 0) return 0;
    const root = Math.sqrt(Math.max(1, this.counts[gram.kind]));
    return along(direction, this.part.weight, gram.place * this.outputs, 1) / root;
  }

  /** [outputs] */
  scores() {
    return this.soFar([this.tokens.length])[0];
  }

  /** Scores of the first so many tokens alone, for rising counts. [counts][outputs] */
  soFar(counts) {
    const { weight, bias } = this.part;
    const sums = [new Float64Array(this.outputs), new Float64Array(this.outputs)];
    const numbers = [0, 0];
    const byEnd = this.grams.slice().sort((one, other) => one.ends - other.ends);
    let next = 0;
    return counts.map((count) => {
      for (; next < byEnd.length && byEnd[next].ends < count; next++) {
        const { kind, place } = byEnd[next];
        numbers[kind]++;
        for (let k = 0; place >= 0 && k < this.outputs; k++) sums[kind][k] += weight[place * this.outputs + k];
      }
      const roots = numbers.map((number) => Math.sqrt(Math.max(1, number)));
      return Array.from(bias, (own, k) => own + sums[0][k] / roots[0] + sums[1][k] / roots[1]);
    });
  }

  /** What each token has of each n-gram's worth, which is split equally over all tokens of all its occurrences; the
   * mark of the beginning is no token. Added to `shares` [tokens * directions.length]. */
  addShares(shares, directions) {
    for (const gram of this.grams) {
      if (gram.place < 0) continue;
      const spans = gram.occurrences.map(({ first, last }) => [Math.max(0, first), last]);
      const parts = spans.reduce((sum, [first, last]) => sum + last - first + 1, 0);
      directions.forEach((direction, column) => {
        const each = this.worth(gram, direction) / parts;
        for (const [first, last] of spans) {
          for (let at = first; at <= last; at++) shares[at * directions.length + column] += each;
        }
      });
    }
  }

  /** An n-gram as it is written; the beginning of the text or of a token is ⟨, its end ⟩. */
  written(gram) {
    const { first, last, from, to } = gram.occurrences[0];
    if (gram.kind === 0) {
      return (first < 0 ? ["⟨"] : []).concat(this.tokens.slice(Math.max(0, first), last + 1)).join(" ");
    }
    return ["⟨", ...this.tokens[first], "⟩"].slice(from, to + 1).join("");
  }
}
