// The page of its own: the recording stands in this document.

import { bytesFromElements, makeStore } from "./store.js";
import { mountStudy } from "./study.js";

const fields = JSON.parse(document.getElementById("study-data").textContent);
mountStudy(document.getElementById("study"), makeStore(fields, bytesFromElements(document)), { hash: true, whole: true });
document.documentElement.dataset.ready = "";
