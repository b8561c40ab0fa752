// Text to tokens, as textrnn/text/tokenizer.py has it. What a code point is comes from Python's own Unicode tables, so
// a browser with a newer Unicode cuts the same tokens.

export const [UNASSIGNED, JOINS, CUTS, ALONE, VANISHES, MARK] = [0, 1, 2, 3, 4, 5];

/** The kind of every code point, from runs "length kind" in base 36. [0x110000] */
export function codePointKinds(runs) {
  const kinds = new Uint8Array(0x110000).fill(UNASSIGNED);
  let at = 0;
  for (const run of runs.split(" ")) {
    const end = at + parseInt(run.slice(0, -1), 36);
    kinds.fill(Number(run.slice(-1)), at, end);
    at = end;
  }
  return kinds;
}

/** Python's str.isspace: JavaScript's \s has U+FEFF, too, and lacks the separators U+001C to U+001F and U+0085. */
const SPACE = /[\t-\r\x1c-\x20\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]/;
const ASCII = /^[\0-\x7f]*$/;
const LONGEST_RUN_OF_MARKS = 30;

export class Tokenizer {
  constructor(rule, kinds) {
    this.kinds = kinds;
    this.tokens = { words: this.words, whitespace: this.whitespace, characters: this.characters }[rule];
  }

  whitespace(text) {
    return this.small(text, false).split(new RegExp(`${SPACE.source}+`)).filter((token) => token);
  }

  words(text) {
    const tokens = [];
    let word = "";
    for (const character of this.small(text, true)) {
      const kind = this.kinds[character.codePointAt(0)];
      if (kind === JOINS || kind === MARK) word += character;
      else if (kind !== VANISHES) {
        if (word) tokens.push(word);
        word = "";
        if (kind === ALONE) tokens.push(character);
      }
    }
    if (word) tokens.push(word);
    return tokens;
  }

  characters(text) {
    const tokens = [];
    for (const character of this.small(text, true)) {
      if (!SPACE.test(character)) tokens.push(character);
      else if (tokens.length && tokens[tokens.length - 1] !== " ") tokens.push(" ");
    }
    if (tokens[tokens.length - 1] === " ") tokens.pop();
    return tokens;
  }

  /** Lower case, before that normal form C where asked for; what Python's Unicode does not know stays as it is. */
  small(text, composed) {
    if (ASCII.test(text)) return text.toLowerCase();
    let found = "";
    let piece = "";
    const finish = () => {
      found += (composed ? this.cutLongRuns(piece).normalize("NFC") : piece).toLowerCase();
      piece = "";
    };
    for (const character of text) {
      if (this.kinds[character.codePointAt(0)] === UNASSIGNED) {
        finish();
        found += character;
      } else piece += character;
    }
    finish();
    return found;
  }

  /** U+034F after every 30 combining marks in a row, without which sorting them is quadratic. */
  cutLongRuns(text) {
    let found = "";
    let run = 0;
    for (const character of text) {
      const code = character.codePointAt(0);
      const mark = this.kinds[code] === MARK && code < 0x1f000;
      if (mark && run === LONGEST_RUN_OF_MARKS) {
        found += "\u034f";
        run = 0;
      }
      run = mark ? run + 1 : 0;
      found += character;
    }
    return found;
  }
}

/** Where the tokens stand that a network reads: all, the first, the last, or the first half (rounded up) and the last
 * half. */
export function keptPlaces(count, maxLength, keep) {
  const tail = { head: 0, tail: maxLength, both: Math.floor(maxLength / 2) }[keep];
  const head = maxLength - tail;
  const places = [];
  for (let at = 0; at < count; at++) {
    if (count <= maxLength || at < head || at >= count - tail) places.push(at);
  }
  return places;
}
