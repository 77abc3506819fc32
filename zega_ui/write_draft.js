// Beside a text area or line of the page Write: keeps every key press in this browser at once, brings the text back
// after a reload, and hands it to the app with the button. Without it the area works alone.
const heard = new Map(); // what the app said last of each text
const begun = new Set(); // texts that were looked for since this page was loaded

// This tab's own text first, else the one that was written last in this browser.
const kept = (entry, anyTab) => read("sessionStorage", entry) ?? (anyTab ? read("localStorage", entry) : null);
const keep = (entry, text) => ["sessionStorage", "localStorage"].forEach((place) => write(place, entry, { text }));

export default function ({ data, parentElement, setStateValue }) {
  const { entry, number } = data;
  const { find, show, listen } = textArea(data, parentElement);

  const hand = () => {
    const box = find();
    if (box) setStateValue("draft", { number, text: box.value });
  };
  const begin = () => {
    const box = find();
    if (!box) return false;
    if (number && heard.get(entry) !== number) {
      heard.set(entry, number);
      begun.add(entry);
      if (data.told === null) forget([entry]);
      else keep(entry, data.told);
    }
    if (!begun.has(entry)) {
      begun.add(entry);
      const mine = kept(entry, box.value === "");
      if (mine && mine.text && mine.text !== box.value) {
        put(box, mine.text);
        hand();
      } else if (box.value) {
        keep(entry, box.value); // it may have been typed before this script was there
      }
    }
    show(box.value);
    return true;
  };
  return listen({ begin, hand, typed: (text) => keep(entry, text) });
}
