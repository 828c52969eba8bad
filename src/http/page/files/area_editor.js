// Draws regions and masks with the mouse or the keyboard, and saves them in the settings of the box.
import { get, path, put } from "./api.js";
import { KINDS } from "./areas.js";
import { el, say, svg } from "./dom.js";

// How near a corner must be to be taken, and how far a press must move to draw a rectangle, in pixels of the screen.
const NEAR = 16;
const STEP = 0.01;

const inside = (ratio) => Math.min(1, Math.max(0, Math.round(ratio * 10000) / 10000));

export class AreaEditor {
    #camera;
    #layer;
    #done;
    // `{ kind, name, points, isOpen }`; an open one is being drawn.
    // The areas as they came, by which the box notices that somebody else has changed them.
    #shown = null;
    #areas = [];
    #chosen = -1;
    #cursor = [0.5, 0.5];
    #press = null;
    #list = el("ul", { class: "area-list" });
    #told = el("p", { role: "status" });
    #end = new AbortController();
    #add = [];
    #hint = el("p", { class: "quiet" });
    #save = el("button", { type: "button", class: "primary", disabled: true, on: { click: () => this.#send() } }, "Save");

    // `done` is called when the areas are saved or given up.
    constructor(camera, layer, done) {
        [this.#camera, this.#layer, this.#done] = [camera, layer, done];
        this.#add = Object.entries(KINDS).map(([kind, { add, what }]) => el("button", { type: "button", title: what, "data-add": kind, disabled: true, on: { click: () => this.#begin(kind) } }, add));
        this.element = el("section", { class: "card card-body editor", "aria-label": "Regions and masks" },
            el("h2", {}, "Regions and masks"), el("div", { class: "tools" }, this.#add), this.#hint, this.#list, this.#told,
            el("div", { class: "tools" }, this.#save, el("button", { type: "button", on: { click: () => this.#leave() } }, "Do not save")));
        const canvas = layer.element;
        canvas.classList.add("editing");
        canvas.setAttribute("tabindex", "0");
        const listen = (event, listener) => canvas.addEventListener(event, (what) => listener(what), { signal: this.#end.signal });
        listen("pointerdown", (event) => this.#down(event));
        listen("pointermove", (event) => this.#move(event));
        listen("pointerup", (event) => this.#up(event));
        listen("pointercancel", () => this.#letGo());
        // The release may be another window's.
        window.addEventListener("blur", () => this.#letGo(), { signal: this.#end.signal });
        listen("dblclick", () => this.#close());
        listen("keydown", (event) => this.#key(event));
        this.#load();
    }

    stop() {
        this.#end.abort();
        this.#layer.element.classList.remove("editing");
        this.#layer.element.removeAttribute("tabindex");
        this.#layer.draw();
    }

    async #load() {
        try {
            this.#shown = await get(path("cameras", this.#camera, "scene"));
            const { regions, include, ignore } = this.#shown;
            const plain = (kind) => (points) => ({ kind, name: "", points });
            this.#areas = [...regions.map(({ name, points }) => ({ kind: "regions", name, points })), ...include.map(plain("include")), ...ignore.map(plain("ignore"))];
            // What is not known must not be written over.
            [...this.#add, this.#save].forEach((button) => { button.disabled = false; });
        } catch (error) { this.#say(error.message, "bad"); }
        this.#draw();
    }

    #begin(kind) {
        this.#areas = this.#areas.filter((area) => !area.isOpen);
        const names = this.#areas.map(({ name }) => name);
        const number = Array.from({ length: 99 }, (_, index) => `region-${index + 1}`).find((name) => !names.includes(name));
        this.#areas.push({ kind, name: kind === "regions" ? number : "", points: [], isOpen: true });
        this.#chosen = this.#areas.length - 1;
        this.#say("", "");
        this.#draw();
        this.#layer.element.focus({ preventScroll: true });
        this.#layer.element.scrollIntoView({ block: "center" });
    }

    get #open() {
        return this.#areas.find((area) => area.isOpen);
    }

    // Ends the drawing of an area.
    #close() {
        const open = this.#open;
        if (!open || open.points.length < 3) return;
        delete open.isOpen;
        this.#draw();
    }

    #point(event) {
        const { left, top, width, height } = this.#layer.element.getBoundingClientRect();
        return [inside((event.clientX - left) / width), inside((event.clientY - top) / height)];
    }

    #isNear([x, y], [otherX, otherY]) {
        const { width, height } = this.#layer;
        return Math.hypot((x - otherX) * width, (y - otherY) * height) < this.#layer.ofScreen(NEAR);
    }

    #down(event) {
        const at = this.#point(event);
        const near = (point) => this.#isNear(point, at);
        this.#layer.element.setPointerCapture(event.pointerId);
        const open = this.#open;
        if (open) {
            if (open.points.length >= 3 && near(open.points[0])) return this.#close();
            this.#press = { from: at, area: open };
            return;
        }
        for (const [index, area] of this.#areas.entries()) {
            const corner = area.points.findIndex(near);
            if (corner < 0) continue;
            this.#chosen = index;
            this.#press = { corner, area, before: area.points[corner] };
            return this.#draw();
        }
    }

    #move(event) {
        if (!this.#press) return;
        if (event.buttons === 0) return this.#letGo();
        const at = this.#point(event);
        const { corner, area, from } = this.#press;
        if (corner !== undefined) area.points[corner] = at;
        // A first press that moves draws a rectangle.
        else if (area.points.length === 0 || this.#press.isRectangle) {
            if (this.#isNear(at, from) && !this.#press.isRectangle) return;
            this.#press.isRectangle = true;
            area.points = [from, [at[0], from[1]], at, [from[0], at[1]]];
        }
        this.#draw();
    }

    #up(event) {
        if (!this.#press) return;
        const { area, from, isRectangle } = this.#press;
        this.#press = null;
        if (isRectangle) return this.#close();
        if (from && area.isOpen) {
            area.points.push(this.#point(event));
            this.#draw();
        }
    }

    // A press that was not let go of here is none: what it has moved or drawn goes back.
    #letGo() {
        if (!this.#press) return;
        const { corner, area, before, isRectangle } = this.#press;
        this.#press = null;
        if (corner !== undefined) area.points[corner] = before;
        if (isRectangle) area.points = [];
        this.#draw();
    }

    // Arrows move the cross, Enter sets a corner, Enter at the first corner or F ends the area, Escape takes one back.
    #key(event) {
        const move = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
        const step = event.shiftKey ? 5 * STEP : STEP;
        const open = this.#open;
        if (move) this.#cursor = [inside(this.#cursor[0] + move[0] * step), inside(this.#cursor[1] + move[1] * step)];
        else if (event.key === "Enter" && open) {
            const isFirst = open.points.length >= 3 && Math.hypot(open.points[0][0] - this.#cursor[0], open.points[0][1] - this.#cursor[1]) < STEP;
            if (isFirst) this.#close();
            else open.points.push([...this.#cursor]);
        } else if (event.key.toLowerCase() === "f" && open) this.#close();
        else if (event.key === "Escape" && open) {
            open.points.pop();
        } else return;
        event.preventDefault();
        this.#draw();
    }

    #draw() {
        this.#drawAreas();
        this.#drawList();
    }

    #drawAreas() {
        const layer = this.#layer;
        const size = layer.ofScreen(7);
        const shapes = this.#areas.filter(({ points }) => points.length > 0).map((area) => {
            const isChosen = this.#areas.indexOf(area) === this.#chosen;
            const shape = layer.shape(area.kind === "regions" ? "region" : area.kind, area.points, area.name || KINDS[area.kind].name, isChosen);
            const corners = area.points.map((point) => layer.at(point)).map(([x, y]) => svg("circle", { class: "corner", cx: x, cy: y, r: size }));
            shape.append(...corners);
            return shape;
        });
        const [x, y] = layer.at(this.#cursor);
        const cross = this.#open ? [svg("path", { class: "cross", d: `M${x - 2 * size} ${y}h${4 * size}M${x} ${y - 2 * size}v${4 * size}` })] : [];
        layer.element.replaceChildren(...shapes, ...cross);
        say(this.#hint, this.#open
            ? "Click the corners in the picture and close the area at its first corner, or drag a rectangle. With the keyboard: arrows, Enter for a corner, F to finish, Escape to take one back."
            : "Drag a corner to move it. Objects count where they stand: at the middle of the lower edge of their box.");
    }

    #drawList() {
        const rows = this.#areas.map((area, index) => {
            const remove = () => {
                this.#areas.splice(index, 1);
                this.#chosen = -1;
                this.#draw();
            };
            // The list stays as it is: a click that takes the focus from the name would miss a button that is replaced.
            const rename = (event) => {
                area.name = event.target.value;
                this.#drawAreas();
            };
            const name = area.kind === "regions"
                ? el("input", { value: area.name, "aria-label": "Name of the region", maxlength: 64, on: { input: rename } })
                : el("span", {}, KINDS[area.kind].name);
            const corners = area.isOpen ? `${area.points.length} corners so far` : `${area.points.length} corners`;
            return el("li", { class: area.kind }, name, el("span", { class: "quiet" }, corners),
                area.isOpen && area.points.length >= 3 ? el("button", { type: "button", on: { click: () => this.#close() } }, "Finish") : null,
                el("button", { type: "button", class: "plain", on: { click: remove } }, "Remove"));
        });
        this.#list.replaceChildren(...rows);
    }

    async #send() {
        if (this.#open?.points.length >= 3) this.#close();
        const closed = this.#areas.filter((area) => !area.isOpen);
        const points = (kind) => closed.filter((area) => area.kind === kind).map((area) => area.points);
        const areas = { regions: closed.filter(({ kind }) => kind === "regions").map(({ name, points }) => ({ name, points })), include: points("include"), ignore: points("ignore"), shown: this.#shown };
        this.#save.disabled = true;
        this.#say("Saving", "");
        try {
            await put(path("cameras", this.#camera, "scene"), areas);
            this.#leave();
        } catch (error) {
            const cannot = error.code === "read_only" ? "The box may not write its settings. " : "";
            this.#say(`${cannot}${error.message}`, "bad");
        }
        this.#save.disabled = false;
    }

    #leave() {
        this.stop();
        this.#done();
    }

    #say(text, kind) {
        say(this.#told, text);
        this.#told.className = kind ? `notice ${kind}` : "quiet";
    }
}
