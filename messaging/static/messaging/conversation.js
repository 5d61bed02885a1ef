// A chat: it begins at its end, stays there while one reads the end, and keeps its place when older messages come.
(() => {
  const chat = document.getElementById("chat");
  const composer = document.getElementById("composer");
  const news = document.getElementById("chat-news");
  let distance = 0; // from the end of the chat, before something changes
  let atEnd = false; // of the chat, as its reader left it
  let top = 0; // where the chat was scrolled to
  let count = Number(document.getElementById("live").dataset.count);

  const around = chat.dataset.around && document.getElementById(chat.dataset.around);
  if (around) {
    around.classList.add("bubble-around");
    around.scrollIntoView({ block: "center" });
  } else {
    toEnd();
  }

  function toEnd() {
    chat.scrollTop = chat.scrollHeight;
    top = chat.scrollTop;
    atEnd = true;
  }
  // The event may come late, when something has already moved the end away: only scrolling up leaves it.
  chat.addEventListener("scroll", () => {
    const near = chat.scrollHeight - chat.scrollTop - chat.clientHeight < 60;
    atEnd = near || (atEnd && chat.scrollTop >= top);
    top = chat.scrollTop;
  });
  // Pictures and fonts change heights when they come: whoever reads the end stays there. The observer is called
  // before the next scroll event, so `top` is never that of a height that is gone.
  const heights = new ResizeObserver(() => {
    if (atEnd) toEnd();
  });
  heights.observe(chat);
  heights.observe(document.getElementById("chat-messages"));

  document.body.addEventListener("htmx:beforeSwap", (event) => {
    const answer = event.detail.xhr.responseText;
    // The session ended: what came is the log-in page.
    if (event.detail.xhr.status === 200 && answer.includes("<html")) {
      event.detail.shouldSwap = false;
      window.location.reload();
      return;
    }
    distance = chat.scrollHeight - chat.scrollTop;
  });
  document.body.addEventListener("htmx:afterSwap", () => {
    const live = document.getElementById("live");
    const added = Number(live.dataset.count) - count;
    const wasAtEnd = distance - chat.clientHeight < 60;
    if (added > 0) {
      news.textContent = added === 1 ? "A new message" : `${added} new messages`;
      count += added;
      if (wasAtEnd) toEnd();
    } else if (!wasAtEnd) {
      chat.scrollTop = chat.scrollHeight - distance;
    }
    if (composer) composer.toggleAttribute("data-open", live.dataset.open === "yes");
  });

  if (!composer) return;
  // One click, one send. The server would refuse the second one too.
  for (const form of composer.querySelectorAll("form")) {
    form.addEventListener("submit", () => setTimeout(() => (form.querySelector("button").disabled = true)));
  }
  const text = document.getElementById("reply-text");
  text.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) text.form.requestSubmit();
  });
})();
