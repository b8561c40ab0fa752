// A classifier as textrnn/runtime/classifier.py has it, and everything that the page shows of one text.

import { Member } from "./member.js";
import { Ngrams } from "./ngrams.js";
import { compiledProduct } from "./simd.js";
import { along } from "./products.js";
import { TASKS } from "./tasks.js";
import { keptPlaces, Tokenizer } from "./text.js";

/** The tensors of a model by name, as views on one buffer of little-endian numbers of 32 bits. */
export function tensorsOf(entries, buffer) {
  const tensors = {};
  for (const [name, begin, count] of entries) {
    const Kind = name === "ngrams.key" ? Int32Array : Float32Array;
    tensors[name] = new Kind(buffer, begin, count);
  }
  return tensors;
}

export class Classifier {
  /** header: of the model file; tensors by name; kinds: of `codePointKinds`; module: what computes products, or null
   * for JavaScript. */
  constructor(header, tensors, kinds, module = compiledProduct()) {
    const { model, text, vocabulary, labels, task } = header;
    [this.header, this.model, this.labels, this.task] = [header, model, labels.map(String), task];
    this.tokenizer = new Tokenizer(text.tokenizer, kinds);
    this.ids = new Map();
    for (let id = 2; id < vocabulary.length; id++) this.ids.set(vocabulary[id], id);
    const prefixes = Array.from({ length: model.members }, (_, k) => (model.members > 1 ? `members.${k}.` : ""));
    this.members = prefixes.map((prefix) => new Member(model, tensors, prefix, text.max_length, module));
    const counted = model.ngrams || model.character_ngrams;
    this.ngrams = counted ? new Ngrams(tensors, model.ngrams, model.character_ngrams) : null;
    this.outputs = this.members[0].outputs;
    this.rule = TASKS[task.task];
  }

  /** Reads a text. What it returns looks into the networks, so it holds until the next text is read. */
  read(text) {
    const all = this.tokenizer.tokens(text);
    const { max_length, keep } = this.header.text;
    const places = keptPlaces(all.length, max_length, keep);
    const tokens = places.map((place) => all[place]);
    const ids = tokens.map((token) => this.ids.get(token) ?? 1);
    for (const member of this.members) member.read(ids);
    return new Reading(this, all, places, tokens, ids);
  }

  /** The probabilities, or the number, of scores. [labels], [1] */
  answers(scores) {
    return this.rule.answers(scores, this.task);
  }
}

export class Reading {
  constructor(classifier, all, places, tokens, ids) {
    Object.assign(this, { classifier, all, places, tokens, ids });
    this.known = ids.map((id) => id > 1);
    this.ngrams = classifier.ngrams ? classifier.ngrams.read(all) : null;
    this.scores = this.added(classifier.members.map((member) => member.scores()), this.ngrams?.scores());
    this.finite = this.scores.every(Number.isFinite);
    this.answers = classifier.answers(this.scores);
    this.decided = classifier.rule.decided(classifier.task, this.answers);
  }

  added(parts, more) {
    return Array.from({ length: this.classifier.outputs }, (_, k) =>
      parts.reduce((sum, part) => sum + part[k], more ? more[k] : 0),
    );
  }

  /** How many of all tokens are known to the n-grams when the network is at each of its places. */
  ngramCounts() {
    return this.places.map((place, at) => (at === this.places.length - 1 ? this.all.length : place + 1));
  }

  /** Answers by the states of the whole text, pooled up to each place; at the last one the final answer. With one
   * direction and without padding that is read, these are also the answers of the first tokens alone. */
  soFar() {
    const counts = this.tokens.map((_, at) => at + 1);
    const parts = this.classifier.members.map((member) => {
      // The padding is read after the last token, so that the last place ends with it.
      return member.soFar(counts.map((count) => (count === counts.length ? member.steps : count)));
    });
    const more = this.ngrams?.soFar(this.ngramCounts());
    return counts.map((_, at) => this.classifier.answers(this.added(parts.map((part) => part[at]), more?.[at])));
  }

  /** Answers of the text's first `count` tokens alone, by reading them anew on other networks of the same weights. */
  static ofPrefix(reading, spare, count) {
    const ids = reading.ids.slice(0, count);
    const parts = spare.members.map((member) => (member.read(ids), member.scores()));
    const counts = reading.ngramCounts();
    const more = count ? reading.ngrams?.soFar([counts[count - 1]])[0] : reading.ngrams?.soFar([0])[0];
    return spare.answers(reading.added(parts, more));
  }

  /** The exact split of the scores along some directions of the outputs: bias + sum of rows, where there is a row for
   * every token of the text, those that only n-grams read included, and one more for the padding, if it is read.
   * [(all + 1) * directions.length] */
  shares(directions) {
    const [width, padding] = [directions.length, this.all.length];
    const networks = new Float64Array((padding + 1) * width);
    const ngrams = new Float64Array((padding + 1) * width);
    const bias = directions.map((direction) => (this.ngrams ? along(direction, this.classifier.ngrams.bias, 0, 1) : 0));
    for (const member of this.classifier.members) {
      directions.forEach((direction, k) => (bias[k] += along(direction, member.bias, 0, 1)));
      const own = member.shares(directions);
      for (let step = 0; step < member.steps; step++) {
        const row = step < this.places.length ? this.places[step] : padding;
        for (let k = 0; k < width; k++) networks[row * width + k] += own[step * width + k];
      }
    }
    this.ngrams?.addShares(ngrams, directions);
    return { bias, networks, ngrams, total: networks.map((value, at) => value + ngrams[at]) };
  }
}
