// Beside the answer's text area: keeps every key press in this browser at once and hands it to the app when typing
// rests, and brings it back after a reload. Without it the text area works alone.
const RESTS = 800; // milliseconds without a key press after which the draft goes to the app
const PAUSE = 20; // seconds between two key presses from which on the time does not count as writing
let focused = "";

export default function ({ data, parentElement, setStateValue }) {
  const { entry, turn } = data;
  const { find, button, show, listen } = textArea(data, parentElement);
  let timer = 0;
  let last = 0;
  let kept = { text: data.draft, sent: [data.draft], seconds: 0, ...read("localStorage", entry) };
  const keep = () => write("localStorage", entry, kept);

  const hand = () => {
    clearTimeout(timer);
    timer = 0;
    const box = find();
    if (!box) return;
    kept = { ...kept, text: box.value, sent: [...kept.sent.slice(-4), box.value] };
    if (box.value || read("localStorage", entry)) keep();
    setStateValue("draft", { turn, text: box.value, seconds: Math.round(kept.seconds * 10) / 10 });
  };
  const later = () => {
    clearTimeout(timer);
    timer = setTimeout(hand, RESTS);
  };
  const typed = (text) => {
    const now = performance.now() / 1000;
    if (last) kept.seconds += Math.min(now - last, PAUSE);
    last = now;
    kept = { ...kept, text };
    keep();
    later();
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
        keep();
      }
    } else if (mine === box.value && kept.sent.at(-1) !== mine) {
      later(); // the page was drawn anew before typing rested
    } else if (mine !== box.value && document.activeElement === box) {
      typed(box.value); // typed before this script was there
    }
    show(box.value);
    if (data.focus && focused !== entry) {
      focused = entry;
      if (data.focus === "cursor") box.focus({ preventScroll: true });
      (button() ?? box).scrollIntoView({ block: "end" });
    }
    return true;
  };

  forget(data.forget);
  const end = listen({ begin, hand, typed });
  return () => {
    clearTimeout(timer);
    end();
  };
}
