// The page: which phone is in the hand, what it shows, and what its user does.

import { encoded, flip, listen, makePerson, say } from "./api.js";
import { bubble, wordsOf } from "./bubbles.js";
import * as dialogs from "./dialogs.js";
import { clock, el, icon, paint } from "./dom.js";
import { pickTemplate } from "./picker.js";

const $ = (id) => document.getElementById(id);
const SWITCHES = ["on", "reads", "marketing", "blocked"];
let address = decodeURIComponent(location.hash.slice(1));
let view = null;
let answered = null;
let source = null;
let drawn = new Map();

// --- what is shown ---

function show(given) {
  view = given;
  $("offline").hidden = true;
  drawPeople();
  const phone = view.phone;
  $("phone").hidden = !phone;
  $("empty").hidden = Boolean(phone);
  $("app").classList.toggle("in-hand", Boolean(phone));
  if (!phone) return;
  document.title = `${phone.name}'s phone · sandbox`;
  paint($("avatar"), phone.address, phone.name);
  $("name").textContent = phone.name;
  $("subtitle").textContent = `${phone.number ? `+${phone.number}` : phone.user_id} · writes to +${view.business}`;
  for (const name of SWITCHES) $(`switch-${name}`).setAttribute("aria-checked", String(phone[name]));
  drawBanner(phone);
  const scroll = $("scroll");
  const atEnd = scroll.scrollHeight - scroll.scrollTop - scroll.clientHeight < 80;
  const grew = drawMessages(phone) || (phone.typing && $("typing").hidden);
  $("typing").hidden = !phone.typing;
  if (grew && (atEnd || phone.messages.at(-1)?.mine)) scroll.scrollTop = scroll.scrollHeight;
  for (const control of $("composer").querySelectorAll("button, textarea")) control.disabled = !phone.on || phone.blocked;
}

function drawBanner(phone) {
  const waiting = phone.waiting === 1 ? "1 message waits" : `${phone.waiting} messages wait`;
  const words = phone.blocked ? "You have blocked this business: what it sends does not arrive." :
    !phone.on ? `The phone is off. ${phone.waiting ? `${waiting} for it.` : "What is sent waits for it."}` :
    phone.held ? `Meta holds ${phone.held === 1 ? "1 message" : `${phone.held} messages`} for a quality assessment of the template.` :
    !phone.reads ? "Messages arrive and stay unread." : "";
  $("banner").hidden = !words;
  if ($("banner").textContent !== words) $("banner").textContent = words;
}

function drawPeople() {
  const rows = view.people.map((person) => {
    const avatar = el("span", { class: "avatar", "aria-hidden": "true" });
    paint(avatar, person.address, person.name);
    const current = person.address === view.phone?.address;
    return el("li", {}, el("button", { type: "button", class: "person", "data-address": person.address, "aria-current": current ? "true" : null, onclick: () => pick(person.address) },
      avatar,
      el("span", { class: "about" },
        el("span", { class: "line" }, el("strong", {}, person.name), person.at && el("time", {}, clock(person.at))),
        el("span", { class: "line" }, el("span", { class: "last" }, person.last || (person.number ? `+${person.number}` : "shows no number")),
          person.unread > 0 && el("span", { class: "unread" }, String(person.unread), el("span", { class: "hidden" }, " unread"))))));
  });
  const signature = JSON.stringify([view.people, view.phone?.address]);
  if ($("people").dataset.drawn === signature) return;
  const focused = document.activeElement?.dataset?.address;
  $("people").dataset.drawn = signature;
  $("people").replaceChildren(...rows);
  if (focused) [...$("people").querySelectorAll("button")].find((one) => one.dataset.address === focused)?.focus();
}

function drawMessages(phone) {
  const next = new Map();
  let grew = false;
  for (const message of phone.messages) {
    const about = phone.messages.filter((one) => one.context === message.wamid).map((one) => one.wamid);
    const signature = JSON.stringify([message, about]);
    const before = drawn.get(message.wamid);
    grew ||= !before;
    const stays = before?.signature === signature || before?.element.querySelector(".emoji");
    next.set(message.wamid, stays ? before : { signature, element: bubble(message, phone.messages, acts) });
  }
  const focus = focusInside();
  // Only what changed is replaced, so that focus and selection stay where they are.
  const wanted = [...next.values()].map((one) => one.element);
  const held = [...$("messages").children];
  if (wanted.length !== held.length || wanted.some((element, index) => element !== held[index])) replace(wanted, held);
  drawn = next;
  const again = next.get(focus?.wamid)?.element.querySelectorAll("button, a")[focus?.index];
  if (again && again !== document.activeElement) again.focus({ preventScroll: true });
  return grew;
}

// Which control of which message has the focus: the one that takes its place gets it.
function focusInside() {
  const message = document.activeElement?.closest("[data-wamid]");
  const controls = message ? [...message.querySelectorAll("button, a")] : [];
  return message && { wamid: message.dataset.wamid, index: controls.indexOf(document.activeElement) };
}

function replace(wanted, held) {
  const list = $("messages");
  const keep = new Set(wanted);
  for (const element of held) if (!keep.has(element)) element.remove();
  wanted.forEach((element, index) => {
    if (list.children[index] !== element) list.insertBefore(element, list.children[index] ?? null);
  });
}

// --- what the user does ---

function pick(wanted) {
  if (wanted === address && source) return;
  address = wanted;
  history.replaceState(null, "", `#${encodeURIComponent(address)}`);
  drawn = new Map();
  $("messages").replaceChildren();
  answer(null);
  source?.close();
  source = listen(address, show, () => { $("offline").hidden = false; });
}

function toast(words) {
  $("toast").textContent = words;
  $("toast").hidden = false;
  clearTimeout(toast.timer);
  toast.timer = setTimeout(() => { $("toast").hidden = true; }, 5000);
}

async function send(content, about) {
  if (!content) return;
  try {
    const given = await say(view.phone, content, about && { wamid: about.wamid, business: view.business });
    if (!given.delivered) toast(given.http_status ? `The webhook was answered ${given.http_status}.` : "Nobody answered the webhook.");
  } catch (error) {
    toast(error.message);
  }
}

function answer(message) {
  answered = message;
  $("answering").hidden = !message;
  if (!message) return;
  $("answering-words").textContent = wordsOf(message);
  $("text").focus();
}

const acts = {
  reply: answer,
  react: (message, emoji) => send({ type: "reaction", reaction: { message_id: message.wamid, emoji } }),
  tap: (message, content) => send(content, message),
  ask: async (message, kind) => send(await dialogs[kind](kind === "number" ? view.phone : message), kind === "order" ? null : message),
};

async function meet() {
  const person = await dialogs.newPerson();
  if (!person) return;
  try {
    pick((await makePerson(person)).address);
  } catch (error) {
    toast(error.message);
  }
}

$("composer").addEventListener("submit", (event) => {
  event.preventDefault();
  const text = $("text").value.trim();
  if (!text) return;
  const about = answered;
  $("text").value = "";
  answer(null);
  fit();
  send({ text }, about);
});

$("text").addEventListener("keydown", (event) => {
  if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
    event.preventDefault();
    $("composer").requestSubmit();
  }
  if (event.key === "Escape") answer(null);
});

function fit() {
  $("text").style.height = "auto";
  $("text").style.height = `${Math.min($("text").scrollHeight, 140)}px`;
}

$("text").addEventListener("input", fit);
$("answering-cancel").addEventListener("click", () => answer(null));
$("back").addEventListener("click", () => pick(""));
$("template-open").addEventListener("click", () => pickTemplate(view.phone).catch((error) => toast(error.message)));
for (const id of ["new-person", "first-person"]) $(id).addEventListener("click", meet);
for (const name of SWITCHES) {
  $(`switch-${name}`).addEventListener("click", () =>
    flip(view.phone.address, { [name]: !view.phone[name] }).catch((error) => toast(error.message)));
}

// --- what can be attached ---

function chosenFile(accept) {
  return new Promise((resolve) => {
    const input = el("input", { type: "file", accept });
    input.addEventListener("change", async () => {
      const file = input.files[0];
      if (!file) return resolve(null);
      const family = file.type.split("/")[0];
      const kind = accept && ["image", "video", "audio"].includes(family) ? family : "document";
      resolve({ type: kind, media: { data: await encoded(file), mime_type: file.type, filename: file.name } });
    });
    input.addEventListener("cancel", () => resolve(null));
    input.click();
  });
}

const ATTACHMENTS = [
  ["Photo or video", "image", () => chosenFile("image/*,video/mp4")],
  ["Audio", "audio", () => chosenFile("audio/*")],
  ["Document", "file", () => chosenFile("")],
  ["A ready-made photo", "image", () => ({ type: "image", caption: "Sunset" })],
  ["A ready-made voice note", "audio", () => ({ type: "audio" })],
  ["Location", "pin", dialogs.location],
  ["Contact", "person", dialogs.contact],
];

const menu = $("attach-menu");
menu.append(...ATTACHMENTS.map(([label, shape, make]) => el("button", { type: "button", role: "menuitem", onclick: async () => {
  openMenu(false);
  send(await make(), answered);
  answer(null);
} }, icon(shape), label)));

function openMenu(open) {
  menu.hidden = !open;
  $("attach").setAttribute("aria-expanded", String(open));
  if (open) menu.querySelector("button").focus();
}

$("attach").addEventListener("click", () => openMenu(menu.hidden));
menu.addEventListener("keydown", (event) => {
  const items = [...menu.querySelectorAll("button")];
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (step) {
    event.preventDefault();
    items[(items.indexOf(document.activeElement) + step + items.length) % items.length].focus();
  }
  if (event.key === "Escape") { openMenu(false); $("attach").focus(); }
});
document.addEventListener("click", (event) => { if (!event.target.closest("#attach, #attach-menu")) openMenu(false); });

for (const [id, shape] of [["back", "back"], ["attach", "plus"], ["answering-cancel", "close"]]) $(id).append(icon(shape));
document.querySelector(".send").append(icon("send"));
const first = address;
address = null;
pick(first);
