// What the text areas and lines share whose text this browser keeps with every key press; it stands before the script
// of each.
const KEEP = 60 * 24 * 3600 * 1000;
const PREFIX = "zega-draft:";

// Places are named, for a browser may forbid even to look at them; what cannot be kept the app still gets.
const read = (place, entry) => {
  try {
    return JSON.parse(window[place].getItem(PREFIX + entry));
  } catch {
    return null;
  }
};
const write = (place, entry, value) => {
  try {
    window[place].setItem(PREFIX + entry, JSON.stringify({ ...value, at: Date.now() }));
  } catch {
    // no room or not allowed
  }
};
const forget = (entries) => {
  try {
    for (const place of [sessionStorage, localStorage]) {
      for (const entry of entries) place.removeItem(PREFIX + entry);
    }
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
  Object.getOwnPropertyDescriptor(Object.getPrototypeOf(box), "value").set.call(box, text);
  box.dispatchEvent(new Event("input", { bubbles: true }));
};

// The area or line, the button that uses its text, and the count of its words where there is one. Ctrl+Enter presses
// the button; `listen` begins as soon as the area is there (`begin` returns whether it is) and returns how to end.
const textArea = (data, parentElement) => {
  const find = () => document.querySelector(`.st-key-${data.box} :is(textarea, input)`);
  const button = () => document.querySelector(`.st-key-${data.button} button`);
  const count = parentElement.querySelector("[data-count]");
  if (count) parentElement.querySelector("[data-keys]").textContent = data.keys;

  const show = (text) => {
    if (!count) return;
    const number = text.split(/\s+/).filter((word) => /[\p{L}\p{N}]/u.test(word)).length;
    const written = `${number.toLocaleString("en")} ${number === 1 ? "word" : "words"}`;
    count.textContent = data.words ? `${written} of about ${data.words}` : written;
  };
  const listen = ({ begin, typed, hand }) => {
    const wrote = (event) => {
      if (event.target !== find()) return;
      typed(event.target.value);
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
    const watch = new MutationObserver(() => begin() && watch.disconnect());
    if (!begin()) watch.observe(document.body, { childList: true, subtree: true });
    const heard = { input: wrote, keydown: pressed, click: clicked };
    for (const [name, act] of Object.entries(heard)) document.addEventListener(name, act, true);
    return () => {
      watch.disconnect();
      for (const [name, act] of Object.entries(heard)) document.removeEventListener(name, act, true);
    };
  };
  return { find, button, show, listen };
};
