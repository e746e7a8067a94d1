// The page of its own: the recording stands in this document. With a live library behind it, it may ask that.

import { bytesFromElements, bytesFromText, makeStore } from "./store.js";
import { mountStudy } from "./study.js";

const fields = JSON.parse(document.getElementById("study-data").textContent);
const store = makeStore(fields, bytesFromElements(document));

async function recompute(change) {
  const answer = await fetch("recompute", { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(change) });
  const found = await answer.json();
  if (!answer.ok) throw new Error(found.error);
  return { fields: found.fields, bytesOf: (id) => bytesFromText(found.arrays[id]) };
}

// In a frame without an address of its own nothing is kept there.
const options = { hash: location.protocol !== "about:", whole: true, recompute: document.body.dataset.live === "" ? recompute : null };
mountStudy(document.getElementById("study"), store, options);
document.documentElement.dataset.ready = "";
