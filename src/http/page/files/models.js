// Models and their inference units, and the commands that change them.
import { get, path, post } from "./api.js";
import { ask } from "./dialog.js";
import { el, facts, pill, say, show } from "./dom.js";
import { mayChange } from "./session.js";
import { count, modelState, plural, rate } from "./words.js";

const HOURS_PERIOD = 60000;

// How much of what the units can do they do.
function meter(load, capacity) {
    const part = capacity > 0 ? Math.min(1, load / capacity) : 0;
    const text = `${rate(load)} of ${rate(capacity)} TPS`;
    return el("div", { class: "meter", role: "img", "aria-label": text }, el("div", { class: part > 0.9 ? "full" : "", style: { width: `${(100 * part).toFixed(1)}%` } }));
}

const units = (model, min, max) => [
    { name: "min", label: "Units at least", type: "number", min: 1, max: 64, value: String(min), required: true },
    { name: "max", label: "Units at most", type: "number", min: 1, max: 64, value: max ?? "", hint: "Empty: always as many as at least." },
];
const bounds = ({ min, max }) => ({ min_inference_units: Number(min), ...(max ? { max_inference_units: Number(max) } : {}) });

// The questions before each command, and what is sent then.
const COMMANDS = {
    start: (name) => ({ title: `Start ${name}?`, text: "Its units load the model, and its cameras are analysed again.", action: "Start it", body: () => ({}) }),
    stop: (name) => ({ title: `Stop ${name}?`, text: "Its units finish what they have begun and end. Its cameras are not analysed until somebody starts it again.", action: "Stop it", isGrave: true, body: () => ({}) }),
    scale: (name, model) => ({ title: `Units of ${name}`, text: "Nothing is interrupted. Each unit is a process with the model in memory.", action: "Change the units",
        fields: units(model, model.min_inference_units, model.max_inference_units), body: bounds }),
    swap: (name, model) => ({ title: `Another package for ${name}`, text: `It runs ${model.package}. The new package takes its place unit by unit, and nothing is interrupted.`, action: "Swap it",
        fields: [{ name: "package", label: "Package", value: model.package, required: true, hint: "A directory of the models' directory: `ocelli model list` names them." }], body: ({ package: directory }) => ({ package: directory }) }),
};

class Card {
    #name;
    #model = null;
    #state = el("span");
    #load = el("div");
    #facts = el("div");
    #problems = el("div");
    #tools = el("div", { class: "tools" });
    #told = el("p", { role: "status", hidden: true });

    constructor(name) {
        this.#name = name;
        this.element = el("article", { class: "card card-body model", "data-model": name },
            el("div", { class: "row" }, el("h2", {}, name), this.#state), this.#problems, this.#load, this.#facts, this.#told, this.#tools);
    }

    update(model, hours) {
        this.#model = model;
        const [kind, word] = modelState(model.state);
        show(this.#state, word, () => pill(kind, word));
        show(this.#problems, JSON.stringify(model.degraded), () => model.degraded.map((what) => el("p", { class: "reason" }, what)));
        this.#load.hidden = model.capacity_tps === 0;
        show(this.#load, JSON.stringify([model.load_tps, model.capacity_tps]), () => [
            el("p", { class: "big" }, rate(model.load_tps), el("span", { class: "quiet" }, ` of ${rate(model.capacity_tps)} transactions a second`)), meter(model.load_tps, model.capacity_tps)]);
        const { min_inference_units: min, max_inference_units: max } = model;
        const rows = [
            ["Units in service", `${model.in_service_inference_units} of ${model.desired_inference_units} wanted`],
            ["Units allowed", max && max !== min ? `${min} to ${max}` : `${min}`],
            ["One unit does", model.unit_tps > 0 ? `${rate(model.unit_tps)} TPS` : ""],
            ["Throttled", model.throttled === 0 ? "nothing since the start" : `${plural(model.throttled, "frame or image", "frames and images")} since the start`],
            ["Restarted units", count(model.unit_restarts)],
            ["Inference hours", hours === undefined ? "" : `${rate(hours)} this month`],
            ["Package", model.package],
            ["Version", model.next_version ? `${model.version}, becoming ${model.next_version}` : model.version],
        ];
        show(this.#facts, JSON.stringify(rows), () => facts(rows));
        if (!mayChange()) return;
        const words = ["STOPPED", "FAILED"].includes(model.state) ? [["start", "Start"]] : [["stop", "Stop"], ["scale", "Units"], ["swap", "Swap package"]];
        show(this.#tools, JSON.stringify(words), () => words.map(([word, text]) => el("button", { type: "button", "data-command": word, on: { click: () => this.#ask(word) } }, text)));
    }

    async #ask(word) {
        const question = COMMANDS[word](this.#name, this.#model);
        const answer = await ask(question);
        if (!answer) return;
        try {
            const { warning } = await post(path("models", this.#name, word), question.body(answer));
            this.#tell(warning ?? "The box has begun.", warning ? "bad" : "good");
        } catch (error) { this.#tell(error.message, "bad"); }
    }

    #tell(text, kind) {
        say(this.#told, text);
        this.#told.className = `notice ${kind}`;
        this.#told.hidden = false;
        if (kind === "good") setTimeout(() => { this.#told.hidden = true; }, 6000);
    }
}

export function modelsView() {
    const cards = new Map();
    const list = el("div", { class: "models" });
    const sum = el("p", { class: "quiet" });
    let hours = {};
    let seen = null;
    const element = el("section", {}, el("div", { class: "heading" }, el("h1", {}, "Models and units"), sum), list);
    const readHours = async () => {
        try {
            const { hours: rows } = await get("/api/hours");
            hours = {};
            for (const row of rows) hours[row.model] = (hours[row.model] ?? 0) + row.unit_seconds / 3600;
            draw();
        } catch { /* the disk of the hours does not answer: the rest is shown */ }
    };
    const draw = () => {
        if (!seen?.models) return;
        for (const [name, card] of cards) {
            if (name in seen.models) continue;
            card.element.remove();
            cards.delete(name);
        }
        for (const [name, model] of Object.entries(seen.models)) {
            if (!cards.has(name)) {
                cards.set(name, new Card(name));
                list.append(cards.get(name).element);
            }
            cards.get(name).update(model, hours[name]);
        }
        const { in_service_units: inService, desired_units: desired } = seen.status;
        say(sum, `${inService} of ${plural(desired, "unit")} in service`);
    };
    readHours();
    const timer = setInterval(readHours, HOURS_PERIOD);
    return {
        element,
        update(box) {
            seen = box;
            draw();
        },
        stop: () => clearInterval(timer),
    };
}
