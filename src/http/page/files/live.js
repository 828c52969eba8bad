// The picture of one camera, as it changes: snapshots, until there is video.
export class LivePlayer {
    // Called with a text when what is shown changes, such as "connecting".
    onstatus = () => {};
    #host;
    #camera;
    #timer = 0;

    // `options`: mode "exact" or "newest"; boxes true or false.
    constructor(host, camera, options = {}) {
        this.#host = host;
        this.#camera = camera;
        this.options = options;
    }

    start() {
        const picture = document.createElement("img");
        picture.alt = `Camera ${this.#camera}`;
        this.#host.replaceChildren(picture);
        const show = async () => {
            const reply = await fetch(`/api/cameras/${encodeURIComponent(this.#camera)}/snapshot`);
            if (!reply.ok) return this.onstatus("no picture");
            URL.revokeObjectURL(picture.src);
            picture.src = URL.createObjectURL(await reply.blob());
            this.onstatus("snapshots");
        };
        show();
        this.#timer = setInterval(show, 2000);
    }

    stop() {
        clearInterval(this.#timer);
        this.#host.replaceChildren();
    }
}
