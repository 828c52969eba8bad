// Dialogs: a question before something changes, and something to look at closely.
import { el } from "./dom.js";

function open(dialog) {
    document.body.append(dialog);
    dialog.addEventListener("close", () => dialog.remove());
    // A click beside it closes it.
    dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
    dialog.showModal();
    return dialog;
}

// Asks. `fields`: `{ name, label, type, value, min, max, hint }`. Resolves to the values, or to null if the person does not want it.
export function ask({ title, text, fields = [], action, isGrave = false }) {
    return new Promise((resolve) => {
        const inputs = fields.map(({ label, hint, ...properties }) => el("label", { class: "field" }, el("span", {}, label), el("input", { autocomplete: "off", ...properties }),
            hint ? el("small", { class: "quiet" }, hint) : null));
        const form = el("form", { method: "dialog" }, el("h2", {}, title), el("p", {}, text), inputs,
            el("div", { class: "tools end" }, el("button", { type: "button", on: { click: () => dialog.close() } }, "Cancel"),
                el("button", { type: "submit", class: isGrave ? "grave" : "primary", value: "yes" }, action)));
        form.addEventListener("submit", () => resolve(Object.fromEntries(new FormData(form))));
        const dialog = el("dialog", { "aria-label": title }, form);
        dialog.addEventListener("close", () => resolve(null));
        open(dialog);
    });
}

// Shows something until the person closes it.
export function look(title, ...content) {
    const dialog = el("dialog", { class: "large", "aria-label": title },
        el("div", { class: "row" }, el("h2", {}, title), el("button", { type: "button", class: "plain", on: { click: () => dialog.close() } }, "Close")), content);
    return open(dialog);
}
