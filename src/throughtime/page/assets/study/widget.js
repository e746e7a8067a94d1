// The same page as a notebook widget: numbers come with the model, changes go to the kernel.

import { makeStore } from "./store.js";
import { mountStudy } from "./study.js";

const bytesOf = (model) => (id) => {
  const view = model.get("arrays")[id];
  return new Uint8Array(view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength));
};

function recomputeIn(model) {
  return (change) =>
    new Promise((resolve, reject) => {
      const answered = (message) => {
        model.off("msg:custom", answered);
        if (message.error) reject(new Error(message.error));
        else resolve({ fields: structuredClone(model.get("fields")), bytesOf: bytesOf(model) });
      };
      model.on("msg:custom", answered);
      model.send(change);
    });
}

function render({ model, el }) {
  const root = document.createElement("div");
  el.append(root);
  const store = makeStore(structuredClone(model.get("fields")), bytesOf(model));
  const study = mountStudy(root, store, { recompute: model.get("live") ? recomputeIn(model) : null });
  const frame = document.querySelector(`[data-study-frame="${model.get("frame")}"]`);
  if (frame) frame.style.display = "none";
  return () => study.close();
}

export default { render };
