// Elements made by hand: what users and businesses write only ever becomes a text node.

export function el(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children.flat(Infinity).filter((child) => child || child === 0));
  return made;
}

const SHAPES = {
  back: "M15 5l-7 7 7 7",
  plus: "M12 5v14M5 12h14",
  send: "M4 12l16-8-5 17-3.5-7z",
  close: "M6 6l12 12M18 6L6 18",
  reply: "M10 6l-6 6 6 6M4 12h9a6 6 0 0 1 6 6v1",
  smile: "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18M8.5 14.5a4.5 4.5 0 0 0 7 0M9 9.5v.5M15 9.5v.5",
  waiting: "M12 4a8 8 0 1 0 0 16 8 8 0 0 0 0-16M12 8v4.5l3 2",
  delivered: "M2 12.5l4.5 4.5L15 8M10.5 16l1 1L20 8",
  read: "M2 12.5l4.5 4.5L15 8M10.5 16l1 1L20 8",
  refused: "M12 4v9M12 17v1",
  pin: "M12 21s7-6.2 7-11.5A7 7 0 0 0 5 9.500C5 14.800 12 21 12 21M12 12a2.500 2.500 0 1 0 0-5 2.500 2.500 0 0 0 0 5",
  file: "M6 3h8l4 4v14H6zM14 3v4h4",
  image: "M4 5h16v14H4zM4 16l5-5 4 4 3-3 4 4M15.500 9v.1",
  audio: "M12 3a3 3 0 0 0-3 3v5a3 3 0 0 0 6 0V6a3 3 0 0 0-3-3M6 11a6 6 0 0 0 12 0M12 17v4",
  person: "M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8M4 21a8 8 0 0 1 16 0",
  open: "M9 5H5v14h14v-4M13 4h7v7M20 4l-9 9",
};

export function icon(name, label) {
  const SVG = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(SVG, "svg");
  const path = document.createElementNS(SVG, "path");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("class", `shape shape-${name}`);
  if (label) {
    svg.setAttribute("role", "img");
    svg.setAttribute("aria-label", label);
  } else svg.setAttribute("aria-hidden", "true");
  path.setAttribute("d", SHAPES[name]);
  svg.append(path);
  return svg;
}

// WhatsApp's own marks: *bold*, _italic_, ~struck~, `code`; and links, which only open when they are clicked.
const MARK = /(\*[^*\n]+\*|_[^_\n]+_|~[^~\n]+~|`[^`\n]+`|https?:\/\/[^\s<>"]+)/;
const TAGS = { "*": "strong", _: "em", "~": "s", "`": "code" };

export function written(text) {
  return String(text ?? "").split(MARK).map((part, index) => {
    if (index % 2 === 0) return part;
    if (TAGS[part[0]]) return el(TAGS[part[0]], {}, part.slice(1, -1));
    return link(part, part);
  });
}

export function link(address, ...children) {
  const safe = /^https?:\/\//i.test(String(address));
  if (!safe) return el("span", {}, ...children);
  return el("a", { href: address, target: "_blank", rel: "noopener noreferrer" }, ...children);
}

export function initials(name) {
  const words = String(name).trim().split(/\s+/).map((word) => [...word][0] ?? "");
  return (words.length > 1 ? words[0] + words[words.length - 1] : words[0] || "?").toUpperCase();
}

export function paint(avatar, address, name) {
  let hue = 0;
  for (const character of String(address)) hue = (hue * 31 + character.codePointAt(0)) % 360;
  avatar.style.setProperty("--hue", hue);
  avatar.textContent = initials(name);
}

export function clock(seconds) {
  return new Date(seconds * 1000).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
}
