// A message as its bubble: one function for each type, and one for each kind of interactive message.

import { clock, el, icon, link, written } from "./dom.js";

const TICKS = { waiting: "on its way", delivered: "delivered", read: "read" };
const EMOJI = ["👍", "❤️", "😂", "😮", "🙏"];
const list = (value) => (Array.isArray(value) ? value : []);
const node = (value) => (value && typeof value === "object" ? value : {});

// `acts` has what a user can do: reply, react, tap(message, content), ask(message, kind).
export function bubble(message, all, acts) {
  const body = (BODIES[message.type] ?? other)(message, acts, all);
  const quoted = message.context && all.find((one) => one.wamid === message.context);
  const reactions = Object.values(message.reactions ?? {}).filter(Boolean);
  return el("li", { class: `message ${message.mine ? "mine" : "theirs"} ${message.type}`, "data-wamid": message.wamid },
    el("div", { class: "bubble" },
      el("span", { class: "hidden" }, message.mine ? "You: " : "Business: "),
      message.context && el("blockquote", {}, quoted ? wordsOf(quoted) : "An earlier message"),
      body,
      el("p", { class: "meta" }, el("time", {}, clock(message.at)), ticks(message)),
      reactions.length > 0 && el("p", { class: "reactions" }, el("span", { class: "hidden" }, "Reactions: "), reactions.join(" ")),
    ),
    el("div", { class: "tools" },
      el("button", { type: "button", class: "icon small", "aria-label": "Reply", onclick: () => acts.reply(message) }, icon("reply")),
      el("button", { type: "button", class: "icon small", "aria-label": "React", "aria-expanded": "false", onclick: (event) => openEmoji(event.currentTarget, message, acts) }, icon("smile")),
    ));
}

function openEmoji(button, message, acts) {
  const tools = button.parentElement;
  const open = tools.querySelector(".emoji");
  button.setAttribute("aria-expanded", String(!open));
  if (open) return open.remove();
  const close = () => { tools.querySelector(".emoji")?.remove(); button.setAttribute("aria-expanded", "false"); };
  const mine = message.reactions?.user;
  const row = el("div", { class: "emoji", role: "group", "aria-label": "Reactions" }, EMOJI.map((emoji) =>
    el("button", { type: "button", "aria-pressed": String(emoji === mine), onclick: () => { close(); acts.react(message, emoji === mine ? "" : emoji); } }, emoji)));
  row.addEventListener("keydown", (event) => { if (event.key === "Escape") { close(); button.focus(); } });
  tools.append(row);
  row.querySelector("button").focus();
}

function ticks(message) {
  if (message.refused) {
    const why = `The webhook was answered ${message.refused}; it is tried again`;
    return el("span", { class: "ticks", title: why }, icon("refused", why));
  }
  const words = message.mine ? `The business's side: ${TICKS[message.ticks]}` : `The business sees: ${TICKS[message.ticks]}`;
  return el("span", { class: `ticks is-${message.ticks}`, title: words }, icon(message.ticks, words));
}

export function wordsOf(message) {
  const given = node(message.node);
  const words = given.body?.text ?? given.body ?? given.caption ?? given.text ?? given.name ?? given.filename;
  const reply = given.button_reply ?? given.list_reply;
  return String(reply?.title ?? (typeof words === "string" && words ? words : `[${message.type}]`)).slice(0, 120);
}

const paragraph = (text) => (text ? el("p", { class: "words" }, written(text)) : null);

function file(message, kind) {
  const given = node(message.node);
  const source = list(message.files).includes(given.id) ? `/_sandbox/phone/files/${given.id}` : null;
  const name = given.filename || given.link || (given.id ? `file ${given.id}` : kind);
  if (source && (kind === "image" || kind === "sticker")) {
    return el("img", { src: source, alt: given.caption || kind, class: kind, loading: "lazy" });
  }
  if (source && kind === "audio") return el("audio", { src: source, controls: true, "aria-label": "Voice message" });
  if (source && kind === "video") return el("video", { src: source, controls: true, "aria-label": given.caption || "Video" });
  const label = [icon("file"), el("span", {}, el("strong", {}, kind), el("span", { class: "address" }, name))];
  if (source) return el("a", { class: "file", href: source, download: given.filename || kind }, label);
  return given.link ? Object.assign(link(given.link, label), { className: "file" }) : el("span", { class: "file" }, label);
}

const media = (kind) => (message) => [file(message, kind), paragraph(node(message.node).caption)];

function place(message) {
  const given = node(message.node);
  return el("div", { class: "place" },
    el("div", { class: "map", "aria-hidden": "true" }, icon("pin")),
    given.name && el("strong", {}, given.name),
    given.address && el("span", {}, given.address),
    el("span", { class: "address" }, `${Number(given.latitude).toFixed(5)}, ${Number(given.longitude).toFixed(5)}`));
}

function cards(message) {
  return list(message.node).map((card) => el("div", { class: "card" }, icon("person"),
    el("span", {}, el("strong", {}, node(card.name).formatted_name ?? "Contact"),
      list(card.phones).map((phone) => el("span", { class: "address" }, phone.phone ?? phone.wa_id ?? "")))));
}

function other(message) {
  return el("pre", { class: "raw", tabindex: "0" }, JSON.stringify(message.node, null, 1));
}

function button(label, act, chosen, shape) {
  return el("button", { type: "button", class: chosen ? "choice chosen" : "choice", onclick: act }, shape && icon(shape), label);
}

// What a user answered to this message, if anything.
function answers(message, all) {
  return all.filter((one) => one.mine && one.context === message.wamid).map((one) => node(one.node));
}

function header(given, files) {
  const head = node(given.header);
  if (head.type === "text") return el("p", { class: "head" }, head.text);
  if (head.type) return file({ node: head[head.type], files }, head.type);
  return null;
}

function interactive(message, acts, all) {
  const given = node(message.node);
  if (message.mine) return reply(given);
  const draw = KINDS[given.type];
  return [header(given, message.files), paragraph(node(given.body).text), given.footer && el("p", { class: "foot" }, given.footer.text),
    el("div", { class: "choices" }, draw ? draw(message, node(given.action), acts, answers(message, all)) : other(message))];
}

function reply(given) {
  const chosen = given.button_reply ?? given.list_reply;
  if (chosen) return [paragraph(chosen.title), chosen.description && el("p", { class: "foot" }, chosen.description)];
  if (given.nfm_reply) return [el("p", { class: "words" }, "Form sent"), el("pre", { class: "raw", tabindex: "0" }, given.nfm_reply.response_json)];
  return other({ node: given });
}

const reply_button = (message, acts, past) => (one) => {
  const { id, title } = node(one.reply);
  const content = { type: "interactive", interactive: { type: "button_reply", button_reply: { id, title } } };
  return button(title, () => acts.tap(message, content), past.some((past) => past.button_reply?.id === id), "reply");
};

const ask = (kind, label, shape) => (message, action, acts) => button(label, () => acts.ask(message, kind), false, shape);

function cta(message, action) {
  const { display_text, url } = node(action.parameters);
  return Object.assign(link(url, icon("open"), display_text ?? "Open"), { className: "choice" });
}

const KINDS = {
  button: (message, action, acts, past) => list(action.buttons).map(reply_button(message, acts, past)),
  list: (message, action, acts) => button(action.button, () => acts.ask(message, "list"), false, "plus"),
  cta_url: cta,
  flow: (message, action, acts) => button(node(action.parameters).flow_cta, () => acts.ask(message, "flow"), false, "file"),
  location_request_message: ask("location", "Send location", "pin"),
  address_message: ask("address", "Give an address", "pin"),
  contact_request: ask("number", "Share my number", "person"),
  request_contact_info: ask("number", "Share my number", "person"),
  product: ask("order", "Order", "plus"),
  product_list: ask("order", "See the products", "plus"),
  catalog_message: ask("order", "See the catalog", "plus"),
  order_details: (message, action) => [el("p", { class: "foot" }, `Order ${node(action.parameters).reference_id ?? ""}`)],
  order_status: (message, action) => [el("p", { class: "foot" }, `Order: ${node(node(action.parameters).order).status ?? ""}`)],
};

// The sandbox knows no template's words: it shows what was filled in.
function template(message, acts, all) {
  const given = node(message.node);
  const parts = list(given.components).map(node);
  const of = (type) => parts.filter((part) => String(part.type).toLowerCase() === type);
  const past = all.filter((one) => one.mine && one.context === message.wamid && one.type === "button").map((one) => node(one.node));
  return [
    el("p", { class: "head" }, el("span", { class: "label" }, "Template"), given.name, el("span", { class: "address" }, node(given.language).code)),
    of("header").flatMap((part) => list(part.parameters).map((value) => parameter(value, message.files))),
    of("body").flatMap((part) => [el("ol", { class: "parameters" }, list(part.parameters).map((value, index) =>
      el("li", {}, el("code", {}, `{{${value.parameter_name ?? index + 1}}}`), " ", parameter(value, message.files))))]),
    el("div", { class: "choices" }, of("button").map((part) => templateButton(message, part, acts, past)),
      of("carousel").map((part) => other({ node: part.cards }))),
  ];
}

function parameter(value, files) {
  const given = node(value)[value?.type];
  if (["image", "video", "document"].includes(value?.type)) return file({ node: given, files }, value.type);
  if (value?.type === "location") return place({ node: given });
  return el("span", {}, String(given?.fallback_value ?? (typeof given === "object" ? JSON.stringify(given) : given)));
}

function templateButton(message, part, acts, past) {
  const value = node(list(part.parameters)[0]);
  const kind = String(part.sub_type).toLowerCase();
  if (kind === "quick_reply") {
    const payload = String(value.payload ?? value.text ?? "");
    const content = { type: "button", button: { payload, text: payload } };
    return button(payload, () => acts.tap(message, content), past.some((one) => one.payload === payload), "reply");
  }
  if (kind === "flow") return button("Open form", () => acts.ask(message, "flow"), false, "file");
  if (kind === "catalog" || kind === "mpm") return button("See the catalog", () => acts.ask(message, "order"), false, "plus");
  return el("p", { class: "foot" }, `${kind}: ${value.text ?? value.coupon_code ?? JSON.stringify(value)}`);
}

function order(message) {
  const given = node(message.node);
  return [el("p", { class: "words" }, "Order"), el("ul", { class: "parameters" }, list(given.product_items).map((item) =>
    el("li", {}, `${item.quantity} × ${item.product_retailer_id}`))), paragraph(given.text)];
}

const BODIES = {
  text: (message) => paragraph(node(message.node).body),
  image: media("image"),
  video: media("video"),
  audio: media("audio"),
  document: media("document"),
  sticker: media("sticker"),
  location: place,
  contacts: cards,
  button: (message) => paragraph(node(message.node).text),
  interactive,
  template,
  order,
};
