// Beside a text area of the page Write: keeps every key press in this browser at once, brings the text back after a
// reload, hands it to the app with the button, counts words, and lets Ctrl+Enter press. Without it the area works alone.
const KEEP = 60 * 24 * 3600 * 1000;
const PREFIX = "zega-draft:";
const heard = new Map(); // what the app said last of each text
const begun = new Set(); // texts that were looked for since this page was loaded

// This tab's own text first, else the one that was written last in this browser.
const read = (entry, anyTab) => {
  try {
    const mine = JSON.parse(sessionStorage.getItem(PREFIX + entry));
    return mine ?? (anyTab ? JSON.parse(localStorage.getItem(PREFIX + entry)) : null);
  } catch {
    return null;
  }
};
const write = (entry, text) => {
  const value = JSON.stringify({ text, at: Date.now() });
  for (const place of [sessionStorage, localStorage]) {
    try {
      place.setItem(PREFIX + entry, value);
    } catch {
      // no room or not allowed: the app gets the text with the button
    }
  }
};
const forget = (entry) => {
  try {
    sessionStorage.removeItem(PREFIX + entry);
    localStorage.removeItem(PREFIX + entry);
    for (const key of Object.keys(localStorage)) {
      if (key.startsWith(PREFIX) && Date.now() - (JSON.parse(localStorage.getItem(key))?.at ?? 0) > KEEP) {
        localStorage.removeItem(key);
      }
    }
  } catch {
    // what is there stays
  }
};
const put = (box, text) => {
  Object.getOwnPropertyDescriptor(HTMLTextAreaElement.prototype, "value").set.call(box, text);
  box.dispatchEvent(new Event("input", { bubbles: true }));
};

export default function ({ data, parentElement, setStateValue }) {
  const { entry, number } = data;
  const find = () => document.querySelector(`.st-key-${data.box} textarea`);
  const button = () => document.querySelector(`.st-key-${data.button} button`);
  const count = parentElement.querySelector("[data-count]");

  parentElement.querySelector("[data-keys]").textContent = data.keys;
  const show = (text) => {
    const words = text.split(/\s+/).filter((word) => /[\p{L}\p{N}]/u.test(word)).length;
    count.textContent = `${words.toLocaleString("en")} ${words === 1 ? "word" : "words"}`;
  };
  const hand = () => {
    const box = find();
    if (box) setStateValue("draft", { number, text: box.value });
  };
  const typed = (event) => {
    if (event.target !== find()) return;
    write(entry, event.target.value);
    show(event.target.value);
  };
  const pressed = (event) => {
    if (event.target !== find() || event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    event.stopPropagation();
    button()?.click();
  };
  const clicked = (event) => {
    if (button()?.contains(event.target)) hand();
  };

  const begin = () => {
    const box = find();
    if (!box) return false;
    if (number && heard.get(entry) !== number) {
      heard.set(entry, number);
      begun.add(entry);
      if (data.told === null) forget(entry);
      else write(entry, data.told);
    }
    if (!begun.has(entry)) {
      begun.add(entry);
      const kept = read(entry, box.value === "");
      if (kept && kept.text && kept.text !== box.value) {
        put(box, kept.text);
        hand();
      }
    }
    show(box.value);
    return true;
  };

  const watch = new MutationObserver(() => begin() && watch.disconnect());
  if (!begin()) watch.observe(document.body, { childList: true, subtree: true });
  document.addEventListener("input", typed, true);
  document.addEventListener("keydown", pressed, true);
  document.addEventListener("click", clicked, true);
  return () => {
    watch.disconnect();
    document.removeEventListener("input", typed, true);
    document.removeEventListener("keydown", pressed, true);
    document.removeEventListener("click", clicked, true);
  };
}
