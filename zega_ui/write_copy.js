// A button that puts a text on the clipboard, and says so. Where the browser allows no clipboard (a page that is neither
// on this machine nor by https), the older way is tried.
const byHand = (text) => {
  const box = document.createElement("textarea");
  box.value = text;
  box.style.position = "fixed";
  box.style.opacity = "0";
  document.body.append(box);
  box.select();
  const done = document.execCommand("copy");
  box.remove();
  return done;
};

export default function ({ data, parentElement }) {
  const button = parentElement.querySelector("button");
  const said = parentElement.querySelector("[data-said]");
  let timer = 0;
  const copy = async () => {
    let done = false;
    try {
      await navigator.clipboard.writeText(data.text);
      done = true;
    } catch {
      done = byHand(data.text);
    }
    button.focus();
    said.textContent = done ? "Copied" : "Mark the text and copy it: this browser does not allow a button to.";
    clearTimeout(timer);
    timer = setTimeout(() => (said.textContent = ""), 4000);
  };
  button.addEventListener("click", copy);
  return () => {
    clearTimeout(timer);
    button.removeEventListener("click", copy);
  };
}
