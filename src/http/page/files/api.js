// Asks the box. Whoever looks has a session, whose cookie scripts cannot read.

let whenUnknown = () => {};

// What the box says against a request: a message for people, with its cure.
export class Refusal extends Error {
    // `login`: the ways in that the box offers to whoever it does not know.
    constructor(status, code, message, login) {
        super(message);
        this.status = status;
        this.code = code;
        this.login = login;
    }
}

// Called when the box no longer knows who asks, with its refusal.
export const onUnknown = (listener) => { whenUnknown = listener; };

async function send(path, options = {}) {
    const reply = await fetch(path, { ...options, credentials: "same-origin", cache: "no-store" });
    if (reply.ok) return reply;
    let [error, login] = [{}, undefined];
    try { ({ error = {}, login } = await reply.json()); } catch { /* no JSON: the status says it */ }
    const refusal = new Refusal(reply.status, error.code ?? "", error.message ?? `The box answers with ${reply.status}.`, login);
    // A login that fails has no ways in beside it.
    if (reply.status === 401 && login) whenUnknown(refusal);
    throw refusal;
}

export const get = async (path, signal) => (await send(path, { signal })).json();

async function command(method, path, body) {
    const reply = await send(path, { method, body: JSON.stringify(body), headers: { "Content-Type": "application/json" } });
    const text = await reply.text();
    return text ? JSON.parse(text) : {};
}

export const post = (path, body = {}) => command("POST", path, body);
export const put = (path, body) => command("PUT", path, body);

// A picture as a URL of this page, which the caller gives back with `URL.revokeObjectURL`, and how old it is.
export async function picture(path, signal) {
    const reply = await send(path, { signal });
    return { url: URL.createObjectURL(await reply.blob()), age: Number(reply.headers.get("age") ?? 0) };
}

// Throws if the box has no such video. The browser's player is not told why there is none, so this asks for one byte.
export async function checkVideo(path) {
    (await send(path, { headers: { Range: "bytes=0-0" } })).body?.cancel();
}

// Lines of JSON as they come, until the box or the signal ends them.
export async function* lines(path, signal) {
    const reader = (await send(path, { signal })).body.pipeThrough(new TextDecoderStream()).getReader();
    let rest = "";
    for (;;) {
        const { done, value } = await reader.read();
        if (done) return;
        const parts = (rest + value).split("\n");
        rest = parts.pop();
        yield parts.filter((line) => line.trim()).map((line) => JSON.parse(line));
    }
}

export const path = (...parts) => `/api/${parts.map(encodeURIComponent).join("/")}`;
