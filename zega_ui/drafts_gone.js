// What the app has used, or the writer gave up, this browser need not keep: also where its text area is not shown.
const heard = new Map();

export default function ({ data }) {
  const gone = Object.entries(data.gone).filter(([entry, number]) => heard.get(entry) !== number);
  for (const [entry, number] of gone) heard.set(entry, number);
  if (gone.length) forget(gone.map(([entry]) => entry));
}
