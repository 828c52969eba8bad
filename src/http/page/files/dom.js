// Makes elements. Text always becomes a text node: names, labels and reasons come from strangers, and are never read as HTML.

const SVG = "http://www.w3.org/2000/svg";

function fill(element, properties, children) {
    for (const [name, value] of Object.entries(properties)) {
        if (value === undefined || value === null || value === false) continue;
        if (name === "on") for (const [event, listener] of Object.entries(value)) element.addEventListener(event, listener);
        else if (name === "style") for (const [key, text] of Object.entries(value)) element.style.setProperty(key, text);
        else element.setAttribute(name, value === true ? "" : value);
    }
    element.append(...children.flat(2).filter((child) => child !== null && child !== undefined && child !== false));
    return element;
}

// An element with attributes, listeners (`on`), styles and children. Children are elements or text.
export const el = (tag, properties = {}, ...children) => fill(document.createElement(tag), properties, children);

// The same for a part of a drawing.
export const svg = (tag, properties = {}, ...children) => fill(document.createElementNS(SVG, tag), properties, children);

// Shows text in an element, and touches it only if that changes something: the selection of a person stays.
export function say(element, text) {
    if (element.textContent !== text) element.textContent = text;
}

// Puts children into an element, unless they say what it shows already.
export function show(element, key, make) {
    if (element.dataset.shows === key) return;
    element.dataset.shows = key;
    element.replaceChildren(...[make()].flat().filter(Boolean));
}

// Terms and descriptions, as `[term, description]`; those without a description are left out.
export const facts = (pairs) => el("dl", { class: "facts" }, pairs
    .filter(([, what]) => what !== null && what !== undefined && what !== "")
    .map(([term, what]) => [el("dt", {}, term), el("dd", {}, what)]));

// A word for a state, with its colour: good, busy, bad or quiet.
export const pill = (kind, word) => el("span", { class: `pill ${kind}` }, word);
