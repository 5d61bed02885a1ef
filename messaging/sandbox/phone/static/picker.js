// The dialog that makes the business's request for a template: choose, fill in, copy.

import { templates } from "./api.js";
import { el, written } from "./dom.js";
import { byHand, curl, parts } from "./templates.js";

const dialog = document.getElementById("dialog");

const MOST = 200;

export async function pickTemplate(person) {
  const choice = el("select", { id: "template", onchange: choose });
  const search = el("input", { id: "template-search", type: "search", autocomplete: "off", oninput: searched, onkeydown: keepOpen });
  const cut = el("p", { class: "address note", role: "status" });
  const left = el("p", { class: "address note" });
  const fields = el("div", { class: "rows" });
  const preview = el("div", { class: "preview words", role: "region", "aria-label": "Preview" });
  const request = el("pre", { class: "raw request", tabindex: "0", role: "region", "aria-label": "Request" });
  const state = el("p", { class: "address", role: "status" });
  const copy = el("button", { type: "submit", class: "primary" }, "Copy");
  let offered = [];
  let made = null;
  let waiting = 0;

  // Fills the choice with the templates whose name has this text; there is a field for it where there are too many.
  async function list(text) {
    const { templates: found, count } = await templates(text, MOST);
    if (text !== search.value.trim()) return;
    offered = found.filter((one) => !byHand(one.components).length);
    const others = found.filter((one) => !offered.includes(one)).map((one) => one.name);
    left.textContent = others.length ? `Filled in by hand: ${others.join(", ")}` : "";
    cut.textContent = count > MOST ? `The first ${MOST} of ${count} are listed. A search finds the others.` : "";
    if (count > MOST) search.parentElement.hidden = false;
    choice.replaceChildren(...offered.map((one, index) => el("option", { value: index }, `${one.name} (${one.language})`)));
    choose();
  }

  function searched() {
    clearTimeout(waiting);
    waiting = setTimeout(() => list(search.value.trim()).catch((error) => { cut.textContent = error.message; }), 200);
  }

  // Enter would copy the request.
  function keepOpen(event) {
    if (event.key === "Enter") event.preventDefault();
  }

  function draw() {
    const inputs = [...fields.querySelectorAll("input")];
    const values = Object.fromEntries(inputs.map((one) => [one.name, one.value.trim() || one.dataset.example]));
    const empty = inputs.filter((one) => !values[one.name]).length;
    const components = made.body(values);
    const { name, language } = offered[Number(choice.value)];
    preview.replaceChildren(...made.lines(values).map((line) => el("p", {}, written(line))));
    request.textContent = curl({
      phone_number: person.number ? `+${person.number}` : person.user_id, message_type: "template",
      message_data: { name, language, ...(components.length && { components }) },
    });
    copy.disabled = empty > 0;
    state.textContent = empty ? `${empty} of ${inputs.length} to fill in` : "";
  }

  function choose() {
    if (!offered.length) {
      fields.replaceChildren();
      preview.replaceChildren(el("p", {}, "The sandbox has no approved template of this name that can be filled in here."));
      request.textContent = state.textContent = "";
      copy.disabled = true;
      return;
    }
    made = parts(offered[Number(choice.value)].components);
    fields.replaceChildren(...made.fields.map(({ key, label, example }, index) => el("p", {},
      el("label", { for: `parameter-${index}` }, label),
      el("input", { id: `parameter-${index}`, name: key, autocomplete: "off", placeholder: example, "data-example": example, oninput: draw }))));
    draw();
  }

  async function copied(event) {
    event.preventDefault();
    try {
      await navigator.clipboard.writeText(request.textContent);
      state.textContent = "Copied";
    } catch {
      getSelection().selectAllChildren(request);
      state.textContent = "Selected: copy it by hand";
    }
  }

  dialog.replaceChildren(el("form", { method: "dialog", class: "picker", onsubmit: copied },
    el("h2", { id: "dialog-title" }, "A template from the business"),
    el("p", { hidden: true }, el("label", { for: "template-search" }, "Search"), search),
    el("p", {}, el("label", { for: "template" }, "Template"), choice), cut, fields, preview,
    el("p", { class: "address" }, "Run it where BASE_URL and API_KEY are set: set -a; . var/local.env; set +a"), request, state, left,
    el("div", { class: "buttons" }, el("button", { type: "button", onclick: () => dialog.close() }, "Close"), copy)));
  await list("");
  dialog.showModal();
}
