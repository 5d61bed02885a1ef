// The dialog that makes the business's request for a template: choose, fill in, copy.

import { templates } from "./api.js";
import { el, written } from "./dom.js";
import { byHand, curl, parts } from "./templates.js";

const dialog = document.getElementById("dialog");

export async function pickTemplate(person) {
  const approved = (await templates()).filter((one) => one.status === "APPROVED");
  const offered = approved.filter((one) => !byHand(one.components).length);
  const left = approved.filter((one) => !offered.includes(one)).map((one) => one.name);
  const choice = el("select", { id: "template" }, offered.map((one, index) => el("option", { value: index }, `${one.name} (${one.language})`)));
  const fields = el("div", { class: "rows" });
  const preview = el("div", { class: "preview words", role: "region", "aria-label": "Preview" });
  const request = el("pre", { class: "raw request", tabindex: "0", role: "region", "aria-label": "Request" });
  const state = el("p", { class: "address", role: "status" });
  const copy = el("button", { type: "submit", class: "primary" }, "Copy");
  let made = null;

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

  choice.addEventListener("change", choose);
  dialog.replaceChildren(el("form", { method: "dialog", class: "picker", onsubmit: copied },
    el("h2", { id: "dialog-title" }, "A template from the business"),
    offered.length ? [el("p", {}, el("label", { for: "template" }, "Template"), choice), fields, preview,
      el("p", { class: "address" }, "Run it where BASE_URL and API_KEY are set: set -a; . var/local.env; set +a"), request, state] :
      el("p", {}, "The sandbox has no approved template that can be filled in here."),
    left.length > 0 && el("p", { class: "address" }, `Filled in by hand: ${left.join(", ")}`),
    el("div", { class: "buttons" }, el("button", { type: "button", onclick: () => dialog.close() }, "Close"), offered.length > 0 && copy)));
  if (offered.length) choose();
  dialog.showModal();
}
