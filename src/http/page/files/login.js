// Asks who looks, and says how to get in.
import { el, say } from "./dom.js";
import { logIn, session } from "./session.js";

const field = (label, properties) => el("label", { class: "field" }, el("span", {}, label), el("input", properties));

// `enter` is called once the box may know who looks.
export function loginView(enter) {
    const why = el("p", { class: "notice bad", role: "alert", hidden: true });
    const complain = (text) => { say(why, text); why.hidden = !text; };
    const submit = (form, work) => form.addEventListener("submit", async (event) => {
        event.preventDefault();
        const button = form.querySelector("button");
        button.disabled = true;
        complain("");
        try { await work(new FormData(form)); await enter(); } catch (error) { complain(error.message); }
        button.disabled = false;
    });
    const person = el("form", { class: "card card-body" }, el("h2", {}, "With your name"),
        field("Name", { name: "name", autocomplete: "username", required: true, autocapitalize: "none" }),
        field("Password", { name: "password", type: "password", autocomplete: "current-password", required: true }),
        el("button", { class: "primary", type: "submit" }, "Log in"));
    submit(person, (form) => logIn({ name: form.get("name"), password: form.get("password") }));
    const token = el("form", { class: "card card-body" }, el("h2", {}, "With the box's token"),
        el("p", { class: "quiet" }, "It lies in the file ", el("code", {}, "http-token"), " of the box's state directory."),
        field("Token", { name: "token", type: "password", autocomplete: "off", required: true }),
        el("button", { class: "primary", type: "submit" }, "Use the token"));
    submit(token, (form) => logIn({ token: form.get("token").trim() }));
    // Beyond the box itself neither token nor link count.
    const { password: takesPassword, link: takesLink } = session.ways;
    const element = el("section", { class: "login" },
        el("h1", {}, "Log in"),
        takesLink ? el("p", {}, "On the box itself, ", el("code", {}, "ocelli page"), " prints a link that lets you in. Or:") : null,
        why, el("div", { class: "ways" }, takesPassword ? person : null, takesLink ? token : null));
    return {
        element,
        // A first visit is no mistake; a link that is too old is.
        begin() {
            complain(session.why);
            element.querySelector("input")?.focus();
        },
    };
}
