// Ask the site's own search, without a browser: node search.cjs SITE QUERY…
// Prints, for each query, the pages that it finds, best first, as JSON.
const fs = require("fs");
const path = require("path");
const vm = require("vm");

const [site, ...queries] = process.argv.slice(2);
const index = JSON.parse(fs.readFileSync(path.join(site, "search", "search_index.json"), "utf8"));
const folder = path.join(site, "assets", "javascripts", "workers");
const worker = fs.readdirSync(folder).find((name) => /^search\..*\.js$/.test(name));

// What the worker knows of the browser, and the kinds of its messages.
const [SETUP, READY, QUERY, RESULT] = [0, 1, 2, 3];
const listeners = [];
const found = [];
globalThis.self = globalThis;
globalThis.addEventListener = (kind, listener) => kind === "message" && listeners.push(listener);
globalThis.importScripts = () => {};
const ask = (data) => listeners.forEach((listener) => listener({ data }));
globalThis.postMessage = (message) => {
  if (message.type === RESULT) {
    found.push([...new Set(message.data.items.flat().map((item) => item.location.split("#")[0]))]);
  }
  if ((message.type === READY || message.type === RESULT) && found.length < queries.length) {
    ask({ type: QUERY, data: queries[found.length] });
  } else if (found.length === queries.length) {
    process.stdout.write(JSON.stringify(found));
    process.exit(0);
  }
};
vm.runInThisContext(fs.readFileSync(path.join(folder, worker), "utf8"));
ask({ type: SETUP, data: { ...index, options: { suggest: false } } });
