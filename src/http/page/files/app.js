// Shows the page. For now, which box this is.
const main = document.querySelector("#main");
const reply = await fetch("/api/status");
const heading = document.createElement("h1");
heading.textContent = reply.ok ? `Box ${(await reply.json()).box_id}` : "This box asks for its token";
main.replaceChildren(heading);
