// Pictures of a camera, one a second, where no video plays.
import { path, picture } from "./api.js";

const EVERY_MS = 1000;
const AFTER_REFUSAL_MS = 5000;

export class Snapshots {
    #camera;
    #image = document.createElement("img");
    #timer = 0;
    #isOver = false;

    // Fills `host`, until `stop` is called.
    constructor(host, camera) {
        this.#camera = camera;
        this.#image.alt = `Camera ${camera}`;
        Object.assign(this.#image.style, { display: "block", width: "100%", height: "100%", objectFit: "contain" });
        host.replaceChildren(this.#image);
        this.#renew();
    }

    stop() {
        this.#isOver = true;
        clearTimeout(this.#timer);
        URL.revokeObjectURL(this.#image.src);
    }

    async #renew() {
        let wait = EVERY_MS;
        try {
            const { url } = await picture(`${path("cameras", this.#camera, "snapshot")}?recent=true`);
            if (this.#isOver) return URL.revokeObjectURL(url);
            URL.revokeObjectURL(this.#image.src);
            this.#image.src = url;
        } catch {
            wait = AFTER_REFUSAL_MS;
        }
        if (!this.#isOver) this.#timer = setTimeout(() => this.#renew(), wait);
    }
}
