// A checkpoint is opened: it goes up, the server says what is in it, a person answers what the file
// leaves open, and a model comes of it.

/** @import {Actions} from '../actions.js' */
/** @import {Api} from '../api.js' */
/** @import {Checkpoint, Field, Proposal, Vocabulary} from '../types.js' */
/** @import {State} from '../state.js' */

import { ApiError } from "../api.js";
import { button, element } from "../dom.js";
import { bytes, plural } from "../format.js";
import { label } from "../label.js";
import { splitCode, stackLine } from "../pytorch.js";
import { upload } from "./upload.js";
import { adopt, createDialog } from "../views/dialogs.js";
import { showTensors } from "./tensors.js";

/** So many options lie side by side; more are a list to choose from. */
const CARDS = 4;

/** Names of files and tensors are anybody's. @param {string} text */
const name = (text) => element("bdi", {}, spaced(text));

/**
 * @param {State} state
 * @param {Api} api
 * @param {Actions} actions
 */
export function createOpening(state, api, actions) {
  /** @type {Checkpoint | null} */
  let checkpoint = null;
  /** @type {Proposal | null} */
  let proposal = null;
  /** @type {Vocabulary | null} */
  let vocabulary = null;
  /** What was answered, in the order of the questions. @type {Record<string, string>} */
  let choices = {};
  /** Questions that were asked stay where they are once they are answered. @type {Set<string>} */
  let asked = new Set();
  /** What is under way; closing ends it. */
  let work = new AbortController();
  let asking = new AbortController();

  const found = element("p", { class: "found", role: "status" });
  const body = element("div", { class: "body" });
  const problem = element("p", { class: "problem", role: "alert" });
  const title = element("input", { name: "title", maxlength: 200, autocomplete: "off" });
  const submit = element("button", { class: "primary", type: "submit" }, "Open");
  const foot = element(
    "footer",
    {},
    element("label", {}, "Name ", title),
    button("Cancel", () => panel.close()),
    submit,
  );
  const { dialog: panel, heading, form } = createDialog("opening");
  form.append(found, body, problem, foot);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    finish();
  });
  panel.addEventListener("close", forget);

  // --- files come ---

  /** @param {File[]} weights @param {File[]} vocabularies */
  async function take(weights, vocabularies) {
    if (weights.length) {
      forget();
      start(weights[0]);
      const signal = work.signal;
      try {
        const came = /** @type {Checkpoint} */ (
          await sent("api/checkpoints", weights[0], state.about.get()?.limits.max_checkpoint_bytes)
        );
        if (signal.aborted) return void api.forget(came.id).catch(() => {});
        checkpoint = came;
        proposal = came.proposal;
        title.value = came.name.replace(/\.[^.]*$/, "").slice(0, 200) || came.name;
        if (vocabularies.length) await bring(vocabularies[0]);
        else show();
        if (weights.length > 1)
          problem.textContent = `One file at a time: this is ${label(weights[0].name)}.`;
        firstQuestion().focus();
      } catch (error) {
        if (!signal.aborted) refuse(error);
      }
    } else if (checkpoint && vocabularies.length) {
      await bring(vocabularies[0]);
    }
  }

  /** @param {File} file */
  function start(file) {
    work = new AbortController();
    panel.classList.remove("refused");
    heading.replaceChildren("Open ", name(file.name));
    found.textContent = bytes(file.size);
    problem.textContent = "";
    foot.hidden = true;
    if (!panel.open) panel.showModal();
  }

  /**
   * A file goes up, and how far it is can be seen.
   * @param {string} path
   * @param {File} file
   * @param {number} [limit]
   */
  async function sent(path, file, limit = Infinity) {
    if (file.size > limit) {
      throw new ApiError({
        title: "Too large",
        status: 413,
        detail: `${label(file.name)} has ${bytes(file.size)}; this server reads at most ${bytes(limit)}.`,
      });
    }
    const bar = element("progress", { max: file.size || 1, value: 0, "aria-label": "Sent" });
    const words = element("span", {}, "Sending…");
    const cancel = button("Cancel", () => panel.close());
    body.replaceChildren(element("div", { class: "progress" }, bar, words, cancel));
    cancel.focus();
    return upload(path, file, work.signal, (now) => {
      bar.value = now;
      words.textContent =
        now < file.size ? `Sending… ${bytes(now)} of ${bytes(file.size)}` : "Reading the file…";
      if (now >= file.size) bar.removeAttribute("value");
    });
  }

  /** @param {File} file */
  async function bring(file) {
    const signal = work.signal;
    try {
      const limit = state.about.get()?.limits.max_vocabulary_bytes;
      vocabulary = await sent("api/vocabularies", file, limit);
      drop();
      asked.add("vocabulary");
      await ask();
    } catch (error) {
      if (signal.aborted) return;
      show();
      tell(error);
    }
    body.querySelector(".bring button")?.scrollIntoView({ block: "nearest" });
  }

  /** What was said of one vocabulary says nothing of another. */
  function drop() {
    for (const of of ["vocabulary", "tokenizer", "lowercase", "labels"]) delete choices[of];
  }

  // --- questions and answers ---

  /** @param {string} [changed]  the choice that was made just now */
  async function ask(changed) {
    if (!checkpoint) return;
    asking.abort();
    const { signal } = (asking = new AbortController());
    const body = { choices, vocabulary: vocabulary?.id ?? null };
    submit.disabled = true;
    try {
      proposal = await api.propose(checkpoint.id, body, signal).catch((error) => {
        // A choice narrows those that come after it: what was chosen there may be gone.
        if (!changed || !(error instanceof ApiError) || error.problem.status !== 422) throw error;
        const order = proposal?.fields.map((field) => field.name) ?? [];
        const kept = order.slice(0, order.indexOf(changed) + 1).filter((of) => of in choices);
        choices = Object.fromEntries(kept.map((of) => [of, choices[of]]));
        return api.propose(checkpoint?.id ?? "", { ...body, choices }, signal);
      });
      if (!signal.aborted) show();
    } catch (error) {
      if (signal.aborted) return;
      show();
      tell(error);
    }
  }

  /** @param {unknown} error */
  function tell(error) {
    if (!(error instanceof ApiError)) throw error;
    problem.textContent = spaced(error.message);
  }

  function show() {
    if (!checkpoint || !proposal) return;
    const { fields, lstm, notes, unused } = proposal;
    for (const field of fields) if (field.asked) asked.add(field.name);
    const focused = document.activeElement?.getAttribute("data-key");
    const unfolded = [...body.querySelectorAll(":scope > details[open]")].map(({ id }) => id);
    const scrolled = body.scrollTop;
    const { format, tensors } = checkpoint;
    found.replaceChildren(
      `${format}, ${plural(tensors.length, "tensor")}: `,
      element("code", {}, stackLine(lstm)),
    );
    const [questions, decided] = [true, false].map((yes) =>
      fields.filter((field) => asked.has(field.name) === yes),
    );
    const told = [...new Set([...checkpoint.notes, ...notes])];
    body.replaceChildren(
      ...(questions.length ? [] : [element("p", {}, "The file leaves nothing open.")]),
      ...questions.map(question),
      ...(told.length
        ? [element("ul", { class: "notes" }, ...told.map((note) => element("li", {}, note)))]
        : []),
      ...(decided.length
        ? [
            fold(
              "decided",
              "What was decided",
              element("div", { class: "decided" }, ...decided.map(line)),
            ),
          ]
        : []),
      fold(
        "tensors",
        `What is in the file${unused.length ? `, ${unused.length.toLocaleString("en")} not used` : ""}`,
        showTensors(tensors, proposal),
      ),
    );
    if (!questions.length) unfolded.push("decided");
    for (const id of unfolded) body.querySelector(`#${id}`)?.setAttribute("open", "");
    body.scrollTop = scrolled;
    if (focused) {
      /** @type {HTMLElement | null} */ (
        body.querySelector(`[data-key="${CSS.escape(focused)}"]`)
      )?.focus();
    }
    problem.textContent = proposal.problem ?? "";
    submit.disabled = Boolean(proposal.problem);
    foot.hidden = false;
  }

  /** @param {string} id @param {string} words @param {Node} content */
  const fold = (id, words, content) =>
    element("details", { id }, element("summary", {}, words), content);

  /** @param {string} of @param {string} value */
  function choose(of, value) {
    choices = { ...choices, [of]: value };
    ask(of);
  }

  /** @param {Field} field */
  function question(field) {
    const cards = field.options.length <= CARDS;
    const id = `why-${field.name}`;
    return element(
      "fieldset",
      { "aria-describedby": field.why ? id : null },
      element("legend", {}, field.question),
      ...(field.why ? [element("p", { class: "note", id }, field.why)] : []),
      cards
        ? element("div", { class: "cards" }, ...field.options.map((option) => card(field, option)))
        : select(field),
      ...(field.name === "vocabulary" ? [bringing()] : []),
    );
  }

  /** @param {Field} field @param {Field["options"][number]} option */
  function card(field, { value, label: words, detail }) {
    const radio = element("input", {
      type: "radio",
      name: field.name,
      value,
      checked: value === field.value,
      "data-key": `${field.name} ${value}`,
    });
    radio.addEventListener("change", () => choose(field.name, value));
    return element(
      "label",
      {},
      radio,
      element("b", {}, name(words)),
      element("small", {}, name(detail)),
    );
  }

  /** @param {Field} field */
  function select(field) {
    const list = element(
      "select",
      { "aria-label": field.question, "data-key": field.name },
      ...field.options.map(({ value, label: words, detail }) =>
        element(
          "option",
          { value, selected: value === field.value },
          spaced(words) + (detail ? ` · ${spaced(detail).slice(0, 100)}` : ""),
        ),
      ),
    );
    list.addEventListener("change", () => choose(field.name, list.value));
    return list;
  }

  /** One that was decided: it can still be changed. @param {Field} field */
  function line(field) {
    const only = field.options.length === 1;
    return element(
      "div",
      {},
      element("span", {}, field.question),
      only ? name(field.options[0].label) : select(field),
      ...(field.why ? [element("small", {}, field.why)] : []),
      ...(field.name === "vocabulary" ? [bringing()] : []),
    );
  }

  /** A vocabulary can be brought along, and be seen. */
  function bringing() {
    const input = element("input", {
      type: "file",
      class: "hidden",
      tabindex: "-1",
      "aria-hidden": "true",
    });
    input.addEventListener("change", () => take([], [...(input.files ?? [])]));
    const box = element("div", { class: "bring" }, input);
    const browse = button(vocabulary ? "Another…" : "Bring a vocabulary…", () => input.click(), {
      "data-key": "bring",
    });
    if (vocabulary) {
      const without = button("Remove", () => {
        vocabulary = null;
        drop();
        ask();
      });
      const tables = vocabulary.tables.map(({ name: of, entries, sample }) =>
        element(
          "span",
          { class: "sample" },
          `${of ? `${label(of)}: ` : ""}${entries.toLocaleString("en")} entries: `,
          ...sample.slice(0, 8).map((token) => element("bdi", {}, label(token))),
        ),
      );
      box.append(element("b", {}, name(vocabulary.name)), ...tables, browse, without);
    } else {
      box.append(
        browse,
        element("small", {}, "or drop one here: JSON, a token on each line, CoNLL-U"),
      );
    }
    return box;
  }

  // --- the end ---

  async function finish() {
    if (!checkpoint || !proposal) return;
    submit.disabled = true;
    submit.textContent = "Opening…";
    const { signal } = work;
    try {
      const model = await api.open({
        checkpoint: checkpoint.id,
        vocabulary: vocabulary?.id ?? null,
        choices: Object.fromEntries(proposal.fields.map((field) => [field.name, field.value])),
        title: title.value.trim() || checkpoint.name,
      });
      if (signal.aborted) return;
      checkpoint = null; // it is a model now: nothing to take back
      panel.close();
      adopt(model, state, actions);
    } catch (error) {
      if (signal.aborted) return;
      tell(error);
      submit.disabled = false;
    } finally {
      submit.textContent = "Open";
    }
  }

  /** Not a network that can be opened. @param {unknown} error */
  function refuse(error) {
    if (!(error instanceof ApiError)) {
      panel.close();
      return actions.report(error);
    }
    const { came, expected, detail, title: what } = error.problem;
    const [needed, code] = splitCode(expected ?? "");
    const copy = button("Copy", async () => {
      await navigator.clipboard.writeText(code.join("\n")).catch(() => {});
      copy.textContent = "Copied ✓";
    });
    const again = button("Choose another file…", () => {
      panel.close();
      document.getElementById("weights")?.click();
    });
    panel.classList.add("refused");
    // The sentence repeats what is shown below it.
    problem.textContent = capital(spaced((detail || what).split(/ (?:Came|Expected): /)[0]));
    body.replaceChildren(
      ...(came ? [element("p", {}, "In the file: ", name(came), ".")] : []),
      ...(needed ? [element("p", {}, `Needed: ${spaced(needed)}${code.length ? "" : "."}`)] : []),
      ...(code.length
        ? [element("div", { class: "code" }, element("pre", {}, code.join("\n")), copy)]
        : []),
      element(
        "p",
        {},
        again,
        " ",
        button("Close", () => panel.close()),
      ),
    );
    again.focus();
  }

  /** Nothing is under way any more, and the server need not keep what was not opened. */
  function forget() {
    work.abort();
    asking.abort();
    if (checkpoint) api.forget(checkpoint.id).catch(() => {});
    checkpoint = proposal = vocabulary = null;
    choices = {};
    asked = new Set();
    body.replaceChildren();
    foot.hidden = true;
  }

  const firstQuestion = () =>
    /** @type {HTMLElement} */ (body.querySelector("fieldset :checked, fieldset select") ?? submit);

  return { take, isOpen: () => panel.open };
}

/** Anybody's text with its spaces, and nothing invisible in it. @param {string} text */
const spaced = (text) => text.slice(0, 1000).split(" ").map(label).join(" ");

/** @param {string} text */
const capital = (text) => text.slice(0, 1).toUpperCase() + text.slice(1);
