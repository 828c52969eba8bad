// All cameras: what each shows, how it is, and what is in view.
import { isInView, newestFirst } from "./box.js";
import { el, facts, pill, say, show } from "./dom.js";
import { CameraPicture } from "./picture.js";
import { ago, cameraState, rate, secondsSince } from "./words.js";

// What is in view, as words with counts.
export function inView(seen) {
    const labels = Object.entries(seen).sort(([, one], [, other]) => other - one);
    if (labels.length === 0) return el("p", { class: "quiet" }, "Nothing in view");
    return el("ul", { class: "chips", "aria-label": "In view" }, labels.map(([label, count]) => el("li", {}, el("b", {}, String(count)), ` ${label}`)));
}

// What a camera has seen last, in words.
export function lastSeen(camera, objects) {
    const last = newestFirst(objects).find((object) => object.camera === camera);
    if (!last) return "Nothing seen in the last hour";
    return `Last: ${last.label}, ${ago(secondsSince(last.beganAt))}${isInView(last) ? ", still in view" : ""}`;
}

class Card {
    #picture;
    #state = el("span");
    #reason = el("p", { class: "reason" });
    #seen = el("div");
    #last = el("p", { class: "quiet last" });
    #rates = el("div");

    constructor(id, health) {
        const address = `#/cameras/${encodeURIComponent(id)}`;
        this.#picture = new CameraPicture(id);
        this.element = el("article", { class: "card camera", "data-camera": id },
            el("a", { href: address, class: "to-camera", tabindex: -1, "aria-hidden": "true" }, this.#picture.element),
            el("div", { class: "card-body" },
                el("div", { class: "row" }, el("h2", {}, el("a", { href: address }, id)), this.#state),
                this.#reason, this.#seen, this.#last, this.#rates));
        this.#picture.setThere(health.state === "streaming");
        this.#picture.start();
    }

    update(health, box) {
        this.#picture.setThere(health.state === "streaming");
        const [kind, word] = cameraState(health.state);
        show(this.#state, word, () => pill(kind, word));
        say(this.#reason, health.reason ?? "");
        this.#reason.hidden = !health.reason;
        // Of a camera that is not looked at nobody knows what is in view.
        this.#seen.hidden = health.state !== "streaming";
        show(this.#seen, JSON.stringify(health.seen), () => inView(health.seen));
        say(this.#last, lastSeen(this.element.dataset.camera, box.objects));
        const rates = [["Received", health.stream.received_fps], ["Decoded", health.decoded_fps], ["Analysed", health.analysed_fps]];
        show(this.#rates, JSON.stringify(rates), () => el("div", { class: "rates", "aria-label": "Frames a second" }, facts(rates.map(([what, fps]) => [what, `${rate(fps)}/s`]))));
    }

    stop() {
        this.#picture.stop();
        this.element.remove();
    }
}

export function camerasView() {
    const cards = new Map();
    const grid = el("div", { class: "cameras" });
    const sum = el("p", { class: "quiet" });
    const element = el("section", {}, el("div", { class: "heading" }, el("h1", {}, "Cameras"), sum), grid);
    return {
        element,
        update(box) {
            if (!box.status) return;
            const { cameras, streaming_cameras: streaming, wanted_cameras: wanted } = box.status;
            say(sum, `${streaming} of ${wanted} streaming`);
            for (const [id, card] of cards) {
                if (id in cameras) continue;
                card.stop();
                cards.delete(id);
            }
            for (const [id, health] of Object.entries(cameras)) {
                if (!cards.has(id)) {
                    cards.set(id, new Card(id, health));
                    grid.append(cards.get(id).element);
                }
                cards.get(id).update(health, box);
            }
            if (cards.size === 0) {
                show(grid, "none", () => el("div", { class: "empty" }, el("p", {}, "This box has no cameras yet."),
                    el("p", { class: "quiet" }, "Find and add them on the box: ", el("code", {}, "ocelli discover"), " and ", el("code", {}, "ocelli camera add yard rtsp://..."))));
            } else if (grid.dataset.shows) {
                delete grid.dataset.shows;
                grid.querySelector(".empty")?.remove();
            }
        },
        stop: () => cards.forEach((card) => card.stop()),
    };
}
