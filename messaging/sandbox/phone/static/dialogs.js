// Dialogs that ask for what a user sends: each resolves to the message's content, or to null.

import { el } from "./dom.js";

const dialog = document.getElementById("dialog");
let asked = 0;

function field(name, label, value = "", attributes = {}) {
  const id = `field-${++asked}`;
  const tag = attributes.rows ? "textarea" : "input";
  const input = el(tag, { id, name, autocomplete: "off", ...(tag === "input" ? { value } : {}), ...attributes });
  if (tag === "textarea") input.value = value;
  if (attributes.type === "checkbox") return el("p", { class: "check" }, input, el("label", { for: id }, label));
  return el("p", {}, el("label", { for: id }, label), input);
}

// Gives the fields' values by name.
function ask(title, fields, verb = "Send") {
  return new Promise((resolve) => {
    const form = el("form", { method: "dialog" },
      el("h2", { id: "dialog-title" }, title), fields,
      el("div", { class: "buttons" },
        el("button", { type: "button", onclick: () => dialog.close("cancel") }, "Cancel"),
        verb && el("button", { type: "submit", class: "primary", value: "ok" }, verb)));
    // By hand: the page's policy lets no form be submitted.
    form.addEventListener("submit", (event) => { event.preventDefault(); dialog.close("ok"); });
    dialog.replaceChildren(form);
    dialog.returnValue = "";
    dialog.addEventListener("close", () => {
      const values = Object.fromEntries([...form.elements].filter((one) => one.name).map((one) =>
        [one.name, one.type === "checkbox" ? one.checked : one.value.trim()]));
      resolve(dialog.returnValue === "ok" ? values : null);
    }, { once: true });
    dialog.showModal();
  });
}

export async function newPerson() {
  const given = await ask("New person", [
    field("name", "Name", "", { required: true, maxlength: 60 }),
    field("number", "Phone number", "", { placeholder: "made up, if left empty", inputmode: "tel" }),
    field("hides", "Shows no phone number: known by user id only", "", { type: "checkbox" }),
  ], "Make");
  return given && { name: given.name, ...(given.number ? { number: given.number } : {}), shows_number: !given.hides };
}

export async function location() {
  const given = await ask("Send a location", [
    field("name", "Name", "Home"),
    field("address", "Address", "1 Long Road"),
    field("latitude", "Latitude", "52.52000", { type: "number", step: "any", min: -90, max: 90, required: true }),
    field("longitude", "Longitude", "13.40500", { type: "number", step: "any", min: -180, max: 180, required: true }),
  ]);
  if (!given) return null;
  const { name, address } = given;
  const place = { latitude: Number(given.latitude), longitude: Number(given.longitude) };
  return { type: "location", location: { ...place, ...(name && { name }), ...(address && { address }) } };
}

export async function contact() {
  const given = await ask("Send a contact", [
    field("name", "Name", "Bob Smith", { required: true }),
    field("phone", "Phone number", "+1 555 123 0002", { required: true }),
  ]);
  if (!given) return null;
  const card = { name: { formatted_name: given.name, first_name: given.name.split(" ")[0] } };
  return { type: "contacts", contacts: [{ ...card, phones: [{ phone: given.phone, type: "CELL" }], origin: "other" }] };
}

// The user of this phone shares the number of it.
export async function number(person) {
  const given = await ask("Share my number", [
    field("phone", "Phone number", person.number ? `+${person.number}` : "", { required: true, inputmode: "tel" }),
  ]);
  if (!given) return null;
  const phone = { phone: given.phone, wa_id: given.phone.replace(/\D/g, ""), type: "CELL" };
  return { type: "contacts", contacts: [{ name: { formatted_name: person.name }, phones: [phone], origin: "contact_request" }] };
}

export async function flow(message) {
  const parameters = message.node?.action?.parameters ?? {};
  const button = (message.node?.components ?? []).find((part) => String(part.sub_type).toLowerCase() === "flow");
  const token = parameters.flow_token ?? button?.parameters?.[0]?.action?.flow_token ?? "unused";
  const example = JSON.stringify({ flow_token: token, answer: "yes" }, null, 1);
  return sent("What the form sends", "flow", example);
}

export const address = () => sent("An address", "address_message",
  JSON.stringify({ values: { name: "Ann", address: "1 Long Road", city: "Mumbai", in_pin_code: "400063" } }, null, 1));

async function sent(title, name, example) {
  const given = await ask(title, [field("response", "JSON", example, { rows: 6, required: true })]);
  if (!given) return null;
  const reply = { name, body: "Sent", response_json: given.response };
  return { type: "interactive", interactive: { type: "nfm_reply", nfm_reply: reply } };
}

export function list(message) {
  const action = message.node?.action ?? {};
  return new Promise((resolve) => {
    let chosen = null;
    const row = (one) => el("button", { type: "button", class: "row", onclick: () => { chosen = one; dialog.close("ok"); } },
      el("strong", {}, one.title), one.description && el("span", {}, one.description));
    ask(action.button, (action.sections ?? []).map((section) =>
      el("section", { class: "rows" }, section.title && el("h3", {}, section.title), (section.rows ?? []).map(row))), "")
      .then(() => {
        if (!chosen) return resolve(null);
        const { id, title, description } = chosen;
        const reply = { id, title, ...(description && { description }) };
        resolve({ type: "interactive", interactive: { type: "list_reply", list_reply: reply } });
      });
  });
}

export async function order(message) {
  const action = message.node?.action ?? {};
  const single = action.product_retailer_id ?? action.parameters?.thumbnail_product_retailer_id;
  const listed = (action.sections ?? []).flatMap((section) => section.product_items ?? []).map((item) => item.product_retailer_id);
  const products = listed.length ? listed : [single ?? "product-1"];
  const given = await ask("Order", [
    products.map((id, index) => field(`quantity-${index}`, id, index ? "0" : "1", { type: "number", min: 0, max: 99 })),
    field("text", "Words with it"),
  ], "Order");
  if (!given) return null;
  const items = products.map((id, index) => ({ product_retailer_id: id, quantity: Number(given[`quantity-${index}`]), item_price: 10, currency: "USD" }));
  const wanted = items.filter((item) => item.quantity > 0);
  if (!wanted.length) return null;
  return { type: "order", order: { catalog_id: action.catalog_id ?? "catalog", text: given.text, product_items: wanted } };
}
