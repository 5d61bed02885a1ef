// The request with which the business sends this user a template. The sandbox has no key of the pipeline: it is copied.

const PLACEHOLDER = /\{\{\s*([A-Za-z0-9_]+)\s*\}\}/g;
const MEDIA = ["IMAGE", "VIDEO", "DOCUMENT"];
const BY_HAND = ["LIMITED_TIME_OFFER", "LOCATION", "PRODUCT", "MPM", "ORDER_DETAILS"];

const upper = (text) => String(text ?? "").toUpperCase();
const namesIn = (text) => [...new Set([...String(text ?? "").matchAll(PLACEHOLDER)].map((found) => found[1]))];
const filled = (text, value) => String(text ?? "").replace(PLACEHOLDER, (mark, name) => value(name) || mark);

// What of a template has no field here, such as the products of a catalogue.
export function byHand(components) {
  return components.flatMap((part) => [
    ...[part.type, part.format, ...(part.buttons ?? []).map((button) => button.type)].map(upper),
    ...(part.cards ?? []).flatMap((card) => byHand(card.components)),
  ]).filter((kind) => BY_HAND.includes(kind));
}

function exampleOf(part, kind, name, index) {
  const given = part.example ?? {};
  const named = (given[`${kind}_text_named_params`] ?? []).find((one) => one.param_name === name);
  const numbered = [given[`${kind}_text`] ?? []].flat(2);
  return String(named?.example ?? numbered[index] ?? "");
}

// {fields: [{key, label, example}], body(values), lines(values)}: values are the texts by key, as typed.
export function parts(components, place = "") {
  const fields = [];
  const add = (key, label, example = "") => {
    fields.push({ key: place + key, label: place + label, example });
    return place + key;
  };
  const built = [];
  const lines = [];
  for (const part of components) {
    const kind = upper(part.type).toLowerCase();
    const media = kind === "header" && MEDIA.includes(upper(part.format)) ? upper(part.format).toLowerCase() : "";
    if (media) {
      const key = add("header", `Link of the ${media}`);
      built.push((values) => ({ type: "header", parameters: [{ type: media, [media]: { link: values[key] } }] }));
      lines.push((values) => `[${media}] ${values[key]}`);
    } else if (kind === "header" || kind === "body") {
      const names = namesIn(part.text);
      const label = kind === "header" ? "Header" : "Body";
      const keys = new Map(names.map((name, index) => [name, add(`${kind} ${name}`, `${label} {{${name}}}`, exampleOf(part, kind, name, index))]));
      if (names.length) built.push((values) => ({ type: kind, parameters: names.map((name) => ({
        type: "text", ...(/^\d+$/.test(name) ? {} : { parameter_name: name }), text: values[keys.get(name)] })) }));
      lines.push((values) => (kind === "header" && part.text ? `*${filled(part.text, (name) => values[keys.get(name)])}*` : filled(part.text, (name) => values[keys.get(name)])));
    } else if (kind === "footer") lines.push(() => part.text);
    else if (kind === "buttons") (part.buttons ?? []).forEach((button, index) => addButton(button, index, { add, built, lines, fields }));
    else if (kind === "carousel") {
      const cards = (part.cards ?? []).map((card, index) => parts(card.components, `Card ${index + 1} · `));
      for (const card of cards) fields.push(...card.fields);
      built.push((values) => ({ type: "carousel", cards: cards.map((card, index) => ({ card_index: index, components: card.body(values) })) }));
      for (const card of cards) lines.push((values) => card.lines(values).join("\n"));
    }
  }
  return { fields, body: (values) => built.map((make) => make(values)), lines: (values) => lines.map((make) => make(values)).filter(Boolean) };
}

function addButton(button, index, { add, built, lines, fields }) {
  const kind = upper(button.type);
  const example = String([button.example ?? ""].flat()[0] ?? "");
  lines.push(() => `▸ ${button.text ?? "Copy code"}`);
  const make = (sub_type, parameter) => built.push((values) => ({ type: "button", sub_type, index: String(index), parameters: [parameter(values)] }));
  if (kind === "URL" && namesIn(button.url).length) {
    const key = add(`button ${index}`, `Button ${button.text}: end of the link`, example);
    make("url", (values) => ({ type: "text", text: values[key] }));
  } else if (kind === "COPY_CODE") {
    const key = add(`button ${index}`, "Code to copy", example);
    make("copy_code", (values) => ({ type: "coupon_code", coupon_code: values[key] }));
  } else if (kind === "OTP") {
    // The code of the body, once more.
    const key = fields.find((one) => one.key.startsWith("body "))?.key ?? add(`button ${index}`, "Code", example);
    make("url", (values) => ({ type: "text", text: values[key] }));
  }
}

// For a POSIX shell, with the names that var/local.env gives to the address and the key.
export function curl(body) {
  const quoted = JSON.stringify(body, null, 2).replaceAll("'", "'\\''");
  return `curl -sS -X POST "$BASE_URL/messaging/send" \\\n  -H "Authorization: Bearer $API_KEY" -H "Content-Type: application/json" \\\n  -d '${quoted}'`;
}
