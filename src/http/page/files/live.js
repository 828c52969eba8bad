// The picture of one camera, as it changes: snapshots, until there is video.
import { CameraPicture } from "./picture.js";

export class LivePlayer {
    // Called with a text when what is shown changes, such as "snapshots".
    onstatus = () => {};
    #host;
    #picture;

    // `options`: mode "exact" or "newest"; boxes true or false.
    constructor(host, camera, options = {}) {
        this.#host = host;
        this.options = options;
        this.#picture = new CameraPicture(camera);
    }

    start() {
        this.#picture.onstatus = (status) => this.onstatus(status);
        this.#host.replaceChildren(this.#picture.element);
        this.#picture.start();
    }

    stop() {
        this.#picture.stop();
        this.#host.replaceChildren();
    }
}
