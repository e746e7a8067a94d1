// The drawing as a file of its own: SVG with its looks written into it, or PNG.

const LOOKS = ["fill", "stroke", "stroke-width", "stroke-dasharray", "stroke-linecap", "opacity", "font-family", "font-size", "font-style", "font-weight", "text-anchor", "display"];
const SVG = "http://www.w3.org/2000/svg";

function standalone(drawing, paper) {
  const copy = drawing.cloneNode(true);
  const from = [drawing, ...drawing.querySelectorAll("*")];
  const to = [copy, ...copy.querySelectorAll("*")];
  from.forEach((node, index) => {
    const looks = getComputedStyle(node);
    to[index].removeAttribute("style");
    for (const name of LOOKS) to[index].setAttribute(name, looks.getPropertyValue(name));
  });
  for (const touch of copy.querySelectorAll(".touch")) touch.remove();
  const { width, height } = drawing.viewBox.baseVal;
  const ground = document.createElementNS(SVG, "rect");
  for (const [name, value] of Object.entries({ width, height, fill: paper })) ground.setAttribute(name, value);
  copy.prepend(ground);
  copy.setAttribute("xmlns", SVG);
  copy.setAttribute("width", width);
  copy.setAttribute("height", height);
  return { text: new XMLSerializer().serializeToString(copy), width, height };
}

function save(name, blob) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

export function saveSvg(drawing, paper, name) {
  save(`${name}.svg`, new Blob([standalone(drawing, paper).text], { type: "image/svg+xml" }));
}

export async function savePng(drawing, paper, name, zoom = 2) {
  const { text, width, height } = standalone(drawing, paper);
  const image = new Image();
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(text)}`;
  await image.decode();
  const canvas = document.createElement("canvas");
  canvas.width = width * zoom;
  canvas.height = height * zoom;
  canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
  canvas.toBlob((blob) => save(`${name}.png`, blob), "image/png");
}
