// Begins the page: who looks, the frame around the views, and which view the address asks for.
import { onUnknown } from "./api.js";
import { box, follow } from "./box.js";
import { cameraView } from "./camera.js";
import { camerasView } from "./cameras.js";
import { el, pill, say, show } from "./dom.js";
import { eventsView } from "./events.js";
import { health } from "./health.js";
import { loginView } from "./login.js";
import { modelsView } from "./models.js";
import { numbersView } from "./numbers.js";
import { begin, logOut, lose, session } from "./session.js";
import { plural } from "./words.js";

// The word in the address, the name in the navigation, and what makes the view.
const VIEWS = [
    ["cameras", "Cameras", (rest) => (rest ? cameraView(rest) : camerasView())],
    ["events", "Events", (rest) => eventsView(rest)],
    ["models", "Models", () => modelsView()],
    ["numbers", "Numbers", () => numbersView()],
    ["box", "Box", () => health()],
];

const main = document.querySelector("#main");
const notice = document.querySelector("#notice");
let shown = null;

const name = el("span", { class: "box-name" });
const state = el("a", { class: "box-state", href: "#/box" });
const links = VIEWS.map(([word, title]) => el("a", { href: `#/${word}` }, title));
const nav = el("nav", { "aria-label": "Views" }, links);
const out = el("button", { class: "plain", type: "button", on: { click: logOut } }, "Log out");

function frame() {
    const brand = el("a", { class: "brand", href: "#/cameras" }, el("img", { src: "/page/icon.svg", alt: "", width: 28, height: 28 }), "ocelli");
    out.hidden = !session.hasSession;
    const person = session.name && session.hasSession ? el("span", { class: "quiet person" }, `${session.name} (${session.role})`) : null;
    document.querySelector("#top").replaceChildren(el("div", { class: "bar" }, brand, name, state, el("span", { class: "grow" }), person, out), nav);
}

const closeDialogs = () => document.querySelectorAll("dialog").forEach((dialog) => dialog.close());

function route() {
    const [, word = "", rest = ""] = /^#\/([^/]*)\/?(.*)$/.exec(location.hash) ?? [];
    const view = VIEWS.find(([known]) => known === word) ?? VIEWS[0];
    shown?.stop?.();
    closeDialogs();
    links.forEach((link, index) => (VIEWS[index] === view ? link.setAttribute("aria-current", "page") : link.removeAttribute("aria-current")));
    let what = rest;
    try { what = decodeURIComponent(rest); } catch { /* not an address of this page */ }
    shown = view[2](what);
    document.title = `${shown.title ?? view[1]} – ${box.status?.box_id ?? "ocelli"}`;
    main.replaceChildren(shown.element);
    window.scrollTo(0, 0);
    shown.update?.(box);
}

// What is new is shown in the frame and in the view.
function renew() {
    const { status } = box;
    if (status) {
        say(name, status.box_id);
        const worst = status.status === "ok" ? "good" : "bad";
        const word = worst === "good" ? "All is well" : plural(status.reasons.length, "thing to look at", "things to look at");
        show(state, worst + word, () => pill(worst, word));
    }
    show(notice, box.trouble, () => box.trouble && el("p", { class: "notice bad" }, box.trouble));
    shown?.update?.(box);
}

function askWho() {
    onUnknown(() => {});
    closeDialogs();
    shown?.stop?.();
    box.stop?.();
    show(notice, "", () => null);
    document.querySelector("#top").replaceChildren(el("div", { class: "bar" }, el("span", { class: "brand" }, el("img", { src: "/page/icon.svg", alt: "", width: 28, height: 28 }), "ocelli")));
    shown = loginView(start);
    main.replaceChildren(shown.element);
    shown.begin();
}

async function start() {
    onUnknown(() => {});
    let isKnown = false;
    try { isKnown = await begin(); } catch {
        main.replaceChildren(el("p", { class: "notice bad" }, "The box does not answer. This page tries again in 5 s."));
        return setTimeout(start, 5000);
    }
    if (!isKnown) return askWho();
    // A session may end while somebody looks.
    onUnknown((refusal) => {
        lose(refusal);
        askWho();
    });
    frame();
    follow(renew);
    route();
}

window.addEventListener("hashchange", () => {
    if (location.hash.startsWith("#link=")) return start();
    if (session.role && location.hash.startsWith("#/")) route();
});
start();
