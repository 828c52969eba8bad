// Who looks: nobody yet, a viewer, or an operator, who may change things.
import { Refusal, get, post } from "./api.js";

export const session = { role: "", name: "", hasSession: false, ways: { password: false, link: false }, why: "" };

// A link of `ocelli page` brings something that is good for one login, behind the `#`: it is sent to no server by itself.
function takeLink() {
    const found = /^#link=([^&]+)$/.exec(location.hash);
    if (!found) return null;
    history.replaceState(null, "", `${location.pathname}#/`);
    return { link: decodeURIComponent(found[1]) };
}

// Finds out who looks. Returns false if the box asks who it is: `session.ways` are the ways in, and `session.why` says why a
// link was not one.
export async function begin() {
    const brought = takeLink();
    try {
        if (brought) await post("/login", brought);
    } catch (error) {
        session.why = error.message;
    }
    try {
        const { name, role, expires_in_s: left } = await get("/api/session");
        Object.assign(session, { name, role, hasSession: left !== null, why: "" });
        return true;
    } catch (error) {
        if (!(error instanceof Refusal) || error.status !== 401) throw error;
        session.ways = error.login;
        return false;
    }
}

// The session has ended while somebody looked.
export function lose(refusal) {
    Object.assign(session, { role: "", name: "", hasSession: false, ways: refusal.login, why: "You were logged out, or your session has ended." });
}

export const mayChange = () => session.role === "operator";

// `what`: a name and a password, or the token of the box.
export const logIn = (what) => post("/login", what);

export async function logOut() {
    try { await post("/logout"); } catch { /* the page that is loaded anew says what is the matter */ }
    location.reload();
}
