"use strict";
// Asks for the whole state again and again and draws it. Late, slow or twice: it makes no difference.

const POLL = 500, POLL_HIDDEN = 3000;
const CELLS = {elman: "Elman", elman_relu: "Elman (relu)", gru: "GRU", lstm: "LSTM", mingru: "minGRU", minlstm: "minLSTM"};
const STATUS = {starting: "starting", training: "training", finished: "finished", interrupted: "interrupted", failed: "failed"};
const ENDED = ["finished", "interrupted", "failed"];
const find = (id) => document.getElementById(id);
let state = null, chosen = null, misses = 0;

function count(number, one, many = `${one}s`) {
  return `${number.toLocaleString("en")} ${number === 1 ? one : many}`;
}

function head() {
  find("title").textContent = state.title;
  document.title = `${STATUS[state.status]}: ${state.title || "training"} - textrnn`;
  const status = find("status"), text = state.error ? `${STATUS[state.status]}: ${state.error}` : STATUS[state.status];
  if (status.textContent !== text) status.textContent = text; // a status that is set is read aloud
  status.dataset.status = state.status;
  const about = state.about;
  if (about) {
    const networks = state.networks_planned > 1 ? `${state.networks_planned} networks: ` : "";
    const ngrams = about.ngrams ? `, n-grams up to ${about.ngrams}` : "";
    find("about").textContent = `${networks}${CELLS[about.cell] || about.cell} of ${count(about.hidden_size, "unit")}, ` +
      `${count(about.layers, "layer")}, ${count(about.directions, "direction")}, pooling ${about.pooling}${ngrams}; ` +
      `${count(about.examples, "training text")}, ${count(about.validation_examples, "validation text")}, ` +
      `${count(about.vocabulary, "token")} in the vocabulary`;
  }
  const bar = find("progress");
  if (state.now) {
    const [network, epoch, step, steps] = state.now;
    const planned = state.epochs_planned, total = state.networks_planned;
    if (planned) bar.value = ENDED.includes(state.status) ? 1 : (network - 1 + (epoch - 1 + step / steps) / planned) / total;
    const which = total > 1 ? `network ${network} of ${total}, ` : "";
    const speed = state.tokens_per_second ? `, ${short(state.tokens_per_second)} tokens/s` : "";
    find("now").textContent = `${which}epoch ${epoch}${planned ? ` of at most ${planned}` : ""}, step ${step} of ${steps}${speed}`;
  }
}

function shownNetwork() {
  return state.networks.find((network) => network.number === chosen) || state.networks.at(-1);
}

function networks() {
  const group = find("networks"), total = Math.max(state.networks_planned || 1, state.networks.length);
  group.hidden = total < 2;
  const wanted = [null, ...state.networks.map((network) => network.number)];
  if (group.childElementCount !== wanted.length) {
    group.replaceChildren(...wanted.map((number) => {
      const button = element("button", {type: "button"}, number === null ? "Newest" : `Network ${number}`);
      button.addEventListener("click", () => { chosen = number; draw(); });
      return button;
    }));
  }
  [...group.children].forEach((button, place) => button.setAttribute("aria-pressed", String(wanted[place] === chosen)));
}

function pick(epochs, value) {
  return epochs.map((record) => [record.epoch, value(record)]).filter((point) => typeof point[1] === "number");
}

function validation(name) {
  return (record) => record.validation && record.validation[name];
}

function figures(network) {
  const last = network && network.epochs.at(-1), step = network && network.steps.at(-1), found = [];
  const add = (name, value) => found.push(element("div", {}, element("dt", {}, name), element("dd", {}, value)));
  if (step) add("Loss, last steps", short(step[1]));
  if (last) {
    add(`Loss, epoch ${last.epoch}`, short(last.loss));
    if (last.accuracy !== null) add("Accuracy, training", short(last.accuracy, "share"));
    for (const [name, value] of Object.entries(last.validation || {})) {
      add(`Validation: ${name.replaceAll("_", " ")}`, short(value, name === "accuracy" ? "share" : ""));
    }
    if (last.tokens_per_second) add("Tokens/s, epoch", short(last.tokens_per_second));
  }
  if (step) add("Gradient norm", short(step[2]));
  find("figures").replaceChildren(...found);
}

function charts(network) {
  if (!network) return;
  const epochs = network.epochs, looks = network.looks, drawnCharts = [];
  drawnCharts.push(lineChart([
    {name: "steps", style: "s7 thin", points: network.steps.map((row) => [row[0], row[1]])},
    {name: "training", style: "s0", points: pick(epochs, (record) => record.loss)},
    {name: "validation", style: "s1 dashed", points: pick(epochs, validation("loss"))},
  ], {title: "Loss", note: "Training: the mean while the weights move, dropout included."}));
  const others = [...new Set(epochs.flatMap((record) => Object.keys(record.validation || {})))]
    .filter((name) => name !== "loss" && name !== "accuracy");
  const accuracy = [
    {name: "training", style: "s0", points: pick(epochs, (record) => record.accuracy)},
    {name: "validation", style: "s1 dashed", points: pick(epochs, validation("accuracy"))},
  ];
  if (accuracy.some((one) => one.points.length)) drawnCharts.push(lineChart(accuracy, {title: "Accuracy", kind: "share"}));
  if (others.length) {
    drawnCharts.push(lineChart(others.map((name, place) => (
      {name: name.replaceAll("_", " "), style: `s${(place + 2) % 8} dashed`, points: pick(epochs, validation(name))})),
    {title: "Other validation metrics"}));
  }
  drawnCharts.push(lineChart([
    {name: "steps", style: "s7 thin", points: network.steps.map((row) => [row[0], row[2]])},
    {name: "epoch's mean", style: "s0", points: pick(epochs, (record) => record.gradient_norm)},
  ], {title: "Gradient norm", note: "Of all parameters together, before clipping.", zero: true}));
  const groups = looks.length ? Object.keys(looks.at(-1).gradient_norms) : [];
  if (groups.length) {
    drawnCharts.push(lineChart(groups.map((group, place) => ({
      name: inWords(group), style: `s${place % 8}${place >= 8 ? " dashed" : ""}`,
      points: looks.map((look) => [look.epoch, look.gradient_norms[group]]),
    })), {title: "Gradient norm by group", log: true,
      note: "After each epoch, on the same few training texts without dropout; logarithmic."}));
  }
  const speeds = pick(epochs, (record) => record.tokens_per_second);
  if (speeds.length) drawnCharts.push(lineChart([{name: "training", style: "s2", points: speeds}], {title: "Tokens per second", zero: true}));
  find("charts").replaceChildren(...drawnCharts);
}

/** A group of parameters in words: `layers.0.left_to_right.from_input` is layer 1, left to right, input. */
function inWords(group) {
  const found = group.match(/^layers\.(\d+)\.(\w+)\.from_(\w+)$/);
  return found ? `layer ${Number(found[1]) + 1}, ${found[2].replaceAll("_", " ")}, ${found[3]}` : group;
}

function verdict(said, expected) {
  const line = element("p", {class: "verdict"});
  if (said.right === true) line.append(element("span", {class: "right"}, "✓ right: "));
  if (said.right === false) line.append(element("span", {class: "wrong"}, "✗ wrong: "));
  line.append(`${said.predicted}${expected === null ? "" : `, labelled ${expected}`}`);
  return line;
}

function bars(answer) {
  const found = element("div", {class: "bars"});
  for (const [label, probability] of answer) {
    const name = state.labels[label];
    found.append(element("span", {}, name),
      element("meter", {min: 0, max: 1, value: probability, "aria-label": `probability of ${name}`}),
      element("b", {}, short(probability, "share")));
  }
  return found;
}

/** How the probability of one label went: that of the text's own label, else of the one that is most probable now. */
function course(looks, place, expected) {
  const newest = looks.at(-1).said[place], own = state.labels.indexOf(expected);
  const number = !state.labels.length;
  const followed = own >= 0 ? own : newest.answer.reduce((best, one) => (one[1] > best[1] ? one : best))[0];
  const points = looks.flatMap((look) => {
    const found = look.said[place] && look.said[place].answer.find((one) => one[0] === (number ? 0 : followed));
    return found ? [[look.epoch, found[1]]] : [];
  });
  const name = number ? "predicted number" : `probability of ${state.labels[followed]}`;
  const chart = lineChart([{name, style: "s0", points}], {title: name, kind: number ? "" : "share", whole: !number, height: 110});
  const marks = looks.map((look) => look.said[place] && look.said[place].right).filter((mark) => typeof mark === "boolean");
  const text = marks.length ? `After each epoch: ${marks.map((mark) => (mark ? "✓" : "✗")).join(" ")}` : "";
  return [chart.querySelector("svg"), element("p", {class: "course"}, name, element("br"), text)];
}

function texts(network) {
  const looks = network ? network.looks : [];
  if (!looks.length || !state.texts.length) return;
  const final = state.final && state.final.said.length ? state.final.said : null;
  // Texts with a label were chosen from the validation texts; others were given.
  const seen = final && state.texts[0].expected !== null && state.final.parts.some((part) => Boolean(part.learned_from));
  const which = final ? `Now: the finished model${seen ? ", whose n-grams have learned from these texts, too" : ""}; the curve: ` : "";
  find("predictions-note").textContent = `${which}network ${network.number} after each of its epochs, without dropout.`;
  find("texts").replaceChildren(...state.texts.map((one, place) => {
    const said = final ? final[place] : looks.at(-1).said[place];
    const item = element("li", {}, element("blockquote", {tabindex: 0}, one.text || "(an empty text)"), verdict(said, one.expected));
    if (state.labels.length) item.append(bars(said.answer));
    item.append(...course(looks, place, one.expected));
    return item;
  }));
}

function final() {
  const body = state.final;
  find("final").hidden = !body;
  if (!body) return;
  const list = element("dl");
  for (const [name, value] of Object.entries(body.metrics)) {
    list.append(element("div", {}, element("dt", {}, `Validation: ${name.replaceAll("_", " ")}`),
      element("dd", {}, short(value, name === "accuracy" ? "share" : ""))));
  }
  const parts = body.parts.map((part) => {
    const metrics = Object.entries(part.validation || {}).map(([name, value]) => `${name} ${short(value, name === "accuracy" ? "share" : "")}`);
    return element("li", {}, `${part.part}${part.best_epoch ? `, epoch ${part.best_epoch}` : ""}: ${metrics.join(", ") || "not measured"} alone; weight ${short(part.scale)}`);
  });
  find("final-body").replaceChildren(list, ...(parts.length ? [element("ul", {}, ...parts)] : []));
}

function table() {
  const rows = state.networks.flatMap((network) => network.epochs);
  if (!rows.length) return;
  const names = [...new Set(rows.flatMap((record) => Object.keys(record.validation || {})))];
  const heads = ["Network", "Epoch", "Loss", "Accuracy", ...names.map((name) => `Validation ${name.replaceAll("_", " ")}`),
    "Gradient norm", "Learning rate", "Tokens/s"];
  const made = element("table", {}, element("thead", {}, element("tr", {}, ...heads.map((name) => element("th", {scope: "col"}, name)))));
  const lines = rows.map((record) => [record.network, record.epoch, short(record.loss), short(record.accuracy, "share"),
    ...names.map((name) => short(validation(name)(record), name === "accuracy" ? "share" : "")),
    short(record.gradient_norm), short(record.learning_rate), short(record.tokens_per_second)]);
  made.append(element("tbody", {}, ...lines.map((line) => element("tr", {}, ...line.map((cell) => element("td", {}, String(cell)))))));
  find("table").replaceChildren(made);
}

function draw() {
  head();
  networks();
  const network = shownNetwork();
  figures(network);
  charts(network);
  // What somebody may be reading or scrolling in is only replaced when it has changed.
  const key = JSON.stringify([network && network.number, network && network.looks.length, state.status, state.networks.length,
    network && network.epochs.length]);
  if (key !== draw.key) {
    draw.key = key;
    texts(network);
    final();
    table();
  }
}

async function poll() {
  try {
    const answer = await fetch(`state.json?version=${state ? state.version : -1}`, {cache: "no-store"});
    misses = 0;
    if (answer.status === 200) {
      state = await answer.json();
      draw();
    }
  } catch (error) {
    misses += 1;
    if (misses === 3 && state && !ENDED.includes(state.status)) {
      find("status").textContent = "the training's process has gone; this is what it had told";
      find("status").dataset.status = "gone";
    }
  }
  const over = state && ENDED.includes(state.status);
  if (!over) setTimeout(poll, document.hidden ? POLL_HIDDEN : misses > 2 ? POLL_HIDDEN : POLL);
}

poll();
