// The sandbox's endpoints that the page uses.

async function post(path, body) {
  const answer = await fetch(path, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });
  const given = await answer.json();
  if (!answer.ok) throw new Error(given.field ? `${given.field} ${given.error}` : given.error);
  return given;
}

// The first approved templates with this text in their name, and how many there are: {templates, count}.
export async function templates(search, limit) {
  const answer = await fetch(`/_sandbox/templates?${new URLSearchParams({ status: "APPROVED", search, limit })}`);
  if (!answer.ok) throw new Error(`The templates were answered ${answer.status}.`);
  return answer.json();
}

export const makePerson = (person) => post("/_sandbox/phone/people", person);
export const flip = (address, changes) => post("/_sandbox/phone/switches", { address, ...changes });

// What the user of this phone writes; an answer says which message it is about.
export function say(person, content, answered) {
  const from = person.number ? { from: person.number } : {};
  const context = answered ? { context: { from: answered.business, id: answered.wamid } } : {};
  return post("/_sandbox/inbound", { ...from, user_id: person.user_id, name: person.profile_name, ...content, ...context });
}

export function listen(address, onView, onLost) {
  const source = new EventSource(`/_sandbox/phone/live?of=${encodeURIComponent(address)}`);
  source.onmessage = (event) => onView(JSON.parse(event.data));
  source.onerror = onLost;
  return source;
}

// In base64, as a file is sent.
export function encoded(file) {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result.slice(reader.result.indexOf(",") + 1));
    reader.onerror = () => reject(reader.error);
    reader.readAsDataURL(file);
  });
}
