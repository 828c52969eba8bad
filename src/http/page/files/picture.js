// A camera's picture that is renewed about each two seconds while somebody can see it.
import { path, picture } from "./api.js";
import { el, say } from "./dom.js";
import { ago } from "./words.js";

const PERIOD = 2000;
const WHEN_REFUSED = 6000;

// Pictures that are asked for at once: a browser has few connections to one host, and the rest of the page needs some.
const MOST_AT_ONCE = 3;
let asked = 0;
const queue = [];

async function inTurn(work) {
    if (asked >= MOST_AT_ONCE) await new Promise((turn) => queue.push(turn));
    asked += 1;
    try { return await work(); } finally {
        asked -= 1;
        queue.shift()?.();
    }
}

export class CameraPicture {
    onstatus = () => {};
    #camera;
    #image = el("img", { alt: "", hidden: true });
    #note = el("span", { class: "picture-note" }, "waiting for a picture");
    #timer = 0;
    #isVisible = true;
    #isThere = true;
    #end = null;
    #watcher = new IntersectionObserver(([entry]) => {
        const was = this.#isVisible;
        this.#isVisible = entry.isIntersecting;
        if (!was && this.#isVisible) this.#renew();
    });

    constructor(camera) {
        this.#camera = camera;
        this.element = el("div", { class: "picture" }, this.#image, this.#note);
    }

    start() {
        this.#end = new AbortController();
        this.#watcher.observe(this.element);
        document.addEventListener("visibilitychange", () => this.#renew(), { signal: this.#end.signal });
        this.#renew();
    }

    // Whether there are new pictures: a camera that does not stream is not asked for any.
    setThere(isThere) {
        const was = this.#isThere;
        this.#isThere = isThere;
        if (isThere && !was) this.#renew();
        if (!isThere) this.#tell(this.#image.hidden ? "no picture" : "the last picture", "no frames arrive");
    }

    stop() {
        this.#end?.abort();
        this.#end = null;
        clearTimeout(this.#timer);
        this.#watcher.disconnect();
        URL.revokeObjectURL(this.#image.src);
    }

    async #renew() {
        clearTimeout(this.#timer);
        const end = this.#end;
        if (!end || !this.#isVisible || !this.#isThere || document.visibilityState === "hidden") return;
        let pause = PERIOD;
        try {
            const url = `${path("cameras", this.#camera, "snapshot")}?recent=true`;
            const { url: next, age } = await inTurn(() => picture(url, end.signal));
            if (this.#end !== end) return URL.revokeObjectURL(next);
            URL.revokeObjectURL(this.#image.src);
            this.#image.src = next;
            this.#image.alt = `What camera ${this.#camera} shows`;
            this.#image.hidden = false;
            // A still scene is not analysed again and again, so its picture grows old.
            if (this.#isThere) this.#tell(age > 6 ? `picture from ${ago(age)}` : "", "snapshots");
        } catch (error) {
            if (error.name === "AbortError") return;
            pause = WHEN_REFUSED;
            this.#tell(this.#image.hidden ? "no picture" : "the picture is not renewed", error.message);
        }
        clearTimeout(this.#timer);
        if (this.#end === end) this.#timer = setTimeout(() => this.#renew(), pause);
    }

    #tell(note, status) {
        say(this.#note, note);
        this.#note.hidden = note === "";
        this.onstatus(status);
    }
}
