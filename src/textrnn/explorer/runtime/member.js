// One network: embedding, layers, pooling and head.

import { along, dot } from "./products.js";
import { Direction } from "./reading.js";
import { Arena } from "./simd.js";

export class Member {
  /** prefix: what the names of its tensors begin with; module: of `compiledProduct`. */
  constructor(config, tensors, prefix, maxLength, module) {
    const own = {};
    for (const name of Object.keys(tensors)) {
      if (name.startsWith(prefix)) own[name.slice(prefix.length)] = tensors[name];
    }
    this.config = config;
    this.size = config.hidden_size;
    this.padTo = config.padding === "through" ? maxLength : 0;
    const ways = config.bidirectional ? [false, true] : [false];
    const arena = module ? new Arena(module) : null;
    this.layers = Array.from({ length: config.layers }, (_, layer) =>
      ways.map((backwards) => new Direction(config, own, layer, backwards, arena)),
    );
    this.width = ways.length * this.size;
    [this.head, this.bias] = [own["head.weight"], own["head.bias"]];
    this.outputs = this.bias.length;
  }

  get last() {
    return this.layers[this.layers.length - 1];
  }

  /** Read a text; padding follows where the network reads it. */
  read(ids) {
    if (this.padTo > ids.length) ids = ids.concat(new Array(this.padTo - ids.length).fill(0));
    this.steps = ids.length;
    let below = null;
    let same = 0;
    for (const directions of this.layers) {
      const kept = directions.map((direction) => direction.read(ids, below, same));
      // Of two directions side by side nothing stays the same where a token is another one.
      same = directions.length === 1 ? kept[0] : 0;
      if (directions !== this.last) below = this.outputsOf(directions);
    }
  }

  /** States of a layer, both directions side by side. [time * width] */
  outputsOf(directions) {
    const found = new Float32Array(this.steps * this.width);
    directions.forEach((direction, way) => {
      for (let place = 0; place < this.steps; place++) {
        const at = direction.stateAt(place);
        found.set(direction.states.subarray(at, at + this.size), place * this.width + way * this.size);
      }
    });
    return found;
  }

  /** [outputs] */
  scores() {
    return this.steps ? this.soFar([this.steps])[0] : Array.from(this.bias);
  }

  /** Scores by the states of the whole text, pooled over its first places only, for rising counts. [counts][outputs]
   *
   * The sums are carried along: a place costs its own states times the head, and with `max` only what became larger. */
  soFar(counts) {
    const { pooling } = this.config;
    const { head, width, size, outputs } = this;
    const sums = new Float64Array(outputs);
    const largest = pooling === "max" ? new Float32Array(width).fill(-Infinity) : null;
    let done = 0;
    return counts.map((count) => {
      if (pooling === "last") {
        sums.fill(0);
        if (count) this.addStates(sums, count - 1, true);
      } else {
        for (; done < count; done++) {
          if (pooling === "mean") this.addStates(sums, done, false);
          else {
            this.last.forEach((direction, way) => {
              const at = direction.stateAt(done);
              for (let k = 0, column = way * size; k < size; k++, column++) {
                const value = direction.states[at + k];
                if (!(value > largest[column])) continue;
                const rise = largest[column] === -Infinity ? value : value - largest[column];
                largest[column] = value;
                for (let j = 0; j < outputs; j++) sums[j] += head[j * width + column] * rise;
              }
            });
          }
        }
      }
      const parts = pooling === "mean" ? Math.max(1, count) : 1;
      return Array.from(this.bias, (own, j) => own + sums[j] / parts);
    });
  }

  /** sums += head of the states at a place; `ends`: the right-to-left state of the text's first place instead. */
  addStates(sums, place, ends) {
    this.last.forEach((direction, way) => {
      const at = direction.stateAt(ends && way ? 0 : place);
      for (let j = 0; j < this.outputs; j++) {
        sums[j] += dot(this.head, j * this.width + way * this.size, direction.states, at, this.size);
      }
    });
  }

  /** The head along a direction of the outputs. [width] */
  headAlong(direction) {
    return Float64Array.from({ length: this.width }, (_, column) => along(direction, this.head, column, this.width));
  }

  /** What each place adds along some directions of the outputs, [time * directions.length]; with the bias along them it
   * makes up the scores along them. */
  shares(directions) {
    const { pooling } = this.config;
    const { size, steps } = this;
    const heads = directions.map((direction) => this.headAlong(direction));
    const found = new Float64Array(steps * heads.length);
    const add = (place, column, value) => {
      for (let k = 0; k < heads.length; k++) found[place * heads.length + k] += heads[k][column] * value;
    };
    this.last.forEach((direction, way) => {
      const { states } = direction;
      for (let unit = 0; unit < size; unit++) {
        const column = way * size + unit;
        if (pooling === "max" && steps) {
          let best = 0;
          for (let place = 1; place < steps; place++) {
            if (states[direction.stateAt(place) + unit] > states[direction.stateAt(best) + unit]) best = place;
          }
          add(best, column, states[direction.stateAt(best) + unit]);
          continue;
        }
        for (let place = 0; place < steps; place++) {
          const at = direction.stateAt(place) + unit;
          add(place, column, pooling === "mean" ? states[at] / steps : states[at] - states[at - size]);
        }
      }
    });
    return found;
  }
}
