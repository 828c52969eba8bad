// Who looks: nobody yet, a viewer, or an operator, who may change things.
import { Refusal, get, hasToken, keepToken, post } from "./api.js";

export const session = { role: "", name: "", hasSession: false, canLogOut: false };

// A link of `ocelli page` brings something that is good for one login, behind the `#`: it is sent to no server by itself.
function takeFromAddress() {
    const found = /^#(link|token)=([^&]+)$/.exec(location.hash);
    if (!found) return null;
    history.replaceState(null, "", `${location.pathname}#/`);
    return { kind: found[1], secret: decodeURIComponent(found[2]) };
}

// Finds out who looks. Returns false if the box asks who it is: `session.ways` are the ways in, and `session.why` says why a
// link was not one.
export async function begin() {
    session.why = "";
    const brought = takeFromAddress();
    try {
        if (brought?.kind === "token") keepToken(brought.secret);
        if (brought?.kind === "link") await post("/login", { link: brought.secret });
    } catch (error) {
        session.why = error.message;
    }
    try {
        const { name, role, expires_in_s: left } = await get("/api/session");
        Object.assign(session, { name, role, hasSession: left !== null && left !== undefined, canLogOut: hasToken() || left > 0 });
        return true;
    } catch (error) {
        if (!(error instanceof Refusal)) throw error;
        if (error.status === 401) {
            session.ways = error.login;
            return false;
        }
    }
    // This box has no logins: whoever gets an answer may do everything.
    try {
        await get("/api/cameras");
        Object.assign(session, { name: "", role: "operator", hasSession: false, canLogOut: hasToken() });
        return true;
    } catch (error) {
        if (!(error instanceof Refusal) || error.status !== 401) throw error;
        session.ways = error.login;
        return false;
    }
}

export const mayChange = () => session.role === "operator";

export async function logIn(name, password) {
    await post("/login", { name, password });
}

export async function logOut() {
    keepToken("");
    if (session.hasSession) await post("/logout");
    location.reload();
}
