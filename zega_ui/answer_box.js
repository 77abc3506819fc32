// Beside the answer's text area: keeps every key press in this browser at once and hands it to the app when typing
// rests, brings it back after a reload, counts words, and lets Ctrl+Enter save. Without it the text area works alone.
const RESTS = 800; // milliseconds without a key press after which the draft goes to the app
const PAUSE = 20; // seconds between two key presses from which on the time does not count as writing
const KEEP = 60 * 24 * 3600 * 1000;
const PREFIX = "zega-draft:";
let focused = "";

const read = (entry) => {
  try {
    return JSON.parse(localStorage.getItem(PREFIX + entry));
  } catch {
    return null;
  }
};
const write = (entry, value) => {
  try {
    localStorage.setItem(PREFIX + entry, JSON.stringify({ ...value, at: Date.now() }));
  } catch {
    // no room or not allowed: the app still gets the draft when typing rests
  }
};
const tidy = (gone) => {
  try {
    for (const entry of gone) localStorage.removeItem(PREFIX + entry);
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
  const { entry, turn, words } = data;
  const find = () => document.querySelector(`.st-key-${data.box} textarea`);
  const button = () => document.querySelector(`.st-key-${data.save} button`);
  const count = parentElement.querySelector("[data-count]");
  let timer = 0;
  let last = 0;
  let kept = { text: data.draft, sent: [data.draft], seconds: 0, ...read(entry) };

  const show = (text) => {
    const number = text.split(/\s+/).filter((word) => /[\p{L}\p{N}]/u.test(word)).length;
    const written = `${number.toLocaleString("en")} ${number === 1 ? "word" : "words"}`;
    count.textContent = words ? `${written} of about ${words}` : written;
  };
  const hand = () => {
    clearTimeout(timer);
    timer = 0;
    const box = find();
    if (!box) return;
    kept = { ...kept, text: box.value, sent: [...kept.sent.slice(-4), box.value] };
    if (box.value || read(entry)) write(entry, kept);
    setStateValue("draft", { turn, text: box.value, seconds: Math.round(kept.seconds * 10) / 10 });
  };
  const later = () => {
    clearTimeout(timer);
    timer = setTimeout(hand, RESTS);
  };
  const typed = (event) => {
    if (event.target !== find()) return;
    const now = performance.now() / 1000;
    if (last) kept.seconds += Math.min(now - last, PAUSE);
    last = now;
    kept = { ...kept, text: event.target.value };
    write(entry, kept);
    show(event.target.value);
    later();
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
    const mine = kept.text;
    if (mine !== box.value && box.value === data.draft) {
      if (data.draft === "" || kept.sent.includes(data.draft)) {
        put(box, mine);
        later();
      } else {
        kept = { ...kept, text: data.draft, sent: [data.draft] }; // written elsewhere since
        write(entry, kept);
      }
    } else if (mine === box.value && kept.sent.at(-1) !== mine) {
      later(); // the page was drawn anew before typing rested
    }
    show(box.value);
    if (data.focus && focused !== entry) {
      focused = entry;
      if (data.focus === "cursor") box.focus({ preventScroll: true });
      (button() ?? box).scrollIntoView({ block: "end" });
    }
    return true;
  };

  tidy(data.forget);
  const watch = new MutationObserver(() => begin() && watch.disconnect());
  if (!begin()) watch.observe(document.body, { childList: true, subtree: true });
  document.addEventListener("input", typed, true);
  document.addEventListener("keydown", pressed, true);
  document.addEventListener("click", clicked, true);
  return () => {
    clearTimeout(timer);
    watch.disconnect();
    document.removeEventListener("input", typed, true);
    document.removeEventListener("keydown", pressed, true);
    document.removeEventListener("click", clicked, true);
  };
}
