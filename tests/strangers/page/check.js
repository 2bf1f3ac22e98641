// The page of a certificate in a real browser: what it says of itself when it is genuine, when any
// byte of it was changed, and where it cannot check.
//
//   node check.js DIR FINGERPRINT     DIR has page.html, certificate.json, refusal.html and
//                                     refusal.json, and gets page.pdf, page.png, refusal.png and
//                                     what the browser needs
"use strict";
const fs = require("fs");
const path = require("path");
const { Browser } = require("./browser.js");

const [directory, fingerprint] = process.argv.slice(2);
const genuine = fs.readFileSync(path.join(directory, "page.html"), "utf8");
const bundle = fs.readFileSync(path.join(directory, "certificate.json"), "utf8");
const statement = JSON.parse(Buffer.from(JSON.parse(bundle).dsseEnvelope.payload, "base64"));

let failed = 0;
function check(what, holds, detail = "") {
  if (!holds) ++failed;
  console.log(`${holds ? "ok  " : "FAIL"} ${what}${holds ? "" : ": " + detail}`);
}

// What a reader sees, once the page has told.
const look = `new Promise((resolve) => {
  const verdict = document.getElementById("verdict");
  const told = () => verdict === null || verdict.querySelector("ol") !== null;
  const seen = () => resolve({
    state: verdict?.className, verdict: verdict?.textContent, title: document.title,
    color: verdict && getComputedStyle(verdict).backgroundColor,
    text: document.getElementById("certificate")?.textContent });
  if (told()) return seen();
  new MutationObserver(() => { if (told()) seen(); }).observe(verdict, { childList: true });
})`;

async function open(browser, tab, html, how = look) {
  const file = path.join(directory, "shown.html");
  fs.writeFileSync(file, html);
  const loaded = browser.once("Page.loadEventFired");
  await tab("Page.navigate", { url: "file://" + file });
  await loaded;
  return evaluate(tab, how);
}

async function evaluate(tab, expression) {
  const answer = await tab("Runtime.evaluate", { expression, awaitPromise: true, returnByValue: true });
  if (answer.exceptionDetails) throw new Error(answer.exceptionDetails.exception.description);
  return answer.result.value;
}

async function genuinePage(browser, tab) {
  const requests = [];
  browser.on("Network.requestWillBeSent", ({ request }) => requests.push(request.url));
  const seen = await open(browser, tab, genuine);
  check("it is good", seen.state === "good", JSON.stringify(seen));
  check("in green", seen.color === "rgb(230, 244, 234)", seen.color);
  check("all seven checks hold", seen.verdict.split(": holds.").length === 8, seen.verdict);
  check("nothing was asked of anybody", requests.every((url) => url.startsWith("file://")) &&
    requests.length === 1, requests.join(" "));
  check("the fingerprint is the store's", seen.text.includes(fingerprint.match(/.{8}/g).join(" ")));
  for (const [what, one] of statement.predicate.residuals.entries()) {
    check(`residual ${what + 1} is there`, seen.text.includes(one.text), one.text);
  }
  check("names of strangers are text", seen.text.includes(statement.predicate.disposal.reason) &&
    seen.text.includes(statement.subject[0].name), seen.text);
  const parts = await evaluate(tab, `({ images: document.images.length, scripts: document.scripts.length,
    links: document.links.length, hacked: typeof hacked })`);
  check("and nothing else", parts.images === 0 && parts.scripts === 2 && parts.links === 0 &&
    parts.hacked === "undefined", JSON.stringify(parts));
  return seen;
}

async function paper(tab) {
  const { data } = await tab("Page.printToPDF", { preferCSSPageSize: true, printBackground: true });
  const pdf = Buffer.from(data, "base64");
  fs.writeFileSync(path.join(directory, "page.pdf"), pdf);
  const text = pdf.toString("latin1");
  const pages = text.match(/\/Type \/Page\b(?!s)/g).length;
  check("it prints on one or two pages", pages === 1 || pages === 2, String(pages));
  const [, width, height] = text.match(/\/MediaBox \[0 0 ([0-9.]+) ([0-9.]+)\]/).map(Number);
  check("of A4", Math.abs(width - 595) < 2 && Math.abs(height - 842) < 2, `${width} x ${height}`);
  const shot = await tab("Page.captureScreenshot", { captureBeyondViewport: true });
  fs.writeFileSync(path.join(directory, "page.png"), Buffer.from(shot.data, "base64"));
}

async function saving(browser, tab) {
  const downloads = path.join(directory, "downloads");
  await browser.call("Browser.setDownloadBehavior",
    { behavior: "allow", downloadPath: downloads, eventsEnabled: true });
  const ended = new Promise((resolve) => browser.on("Browser.downloadProgress", (progress) => {
    if (progress.state !== "inProgress") resolve(progress.state);
  }));
  await evaluate(tab, `document.querySelector("#verdict button").click()`);
  check("the signed file can be saved", await ended === "completed");
  const [name] = fs.readdirSync(downloads);
  check("byte for byte", fs.readFileSync(path.join(downloads, name), "utf8") === bundle);
}

const sparse = process.env.AIERASE_TEST_ALL === "1" ? 1 : 3;

// Every so many bytes of the whole file, and every byte where it matters most.
async function mutants(browser, tab, good) {
  const swap = (text, at) => text.slice(0, at) + String.fromCharCode(text.charCodeAt(at) ^ 1) + text.slice(at + 1);
  const between = (start, end) => [genuine.indexOf(start) + start.length, genuine.indexOf(end, genuine.indexOf(start))];
  const regions = [
    ["the whole file", [0, genuine.length], 307],
    ["the text", between('<main id="certificate">', "</main>"), 139],
    ["the signed file", between(/data-log="[^"]*">/.exec(genuine)[0], "</script>"), 197],
    ["the keys", between("data-signer=\"", ">"), 7],
  ];
  for (const [what, [from, to], every] of regions) {
    const stride = every * sparse;
    const wrong = [];
    let red = 0;
    let count = 0;
    for (let at = from; at < to; at += stride, ++count) {
      const seen = await open(browser, tab, swap(genuine, at),
        `Promise.race([${look}, new Promise((r) => setTimeout(r, 300, { state: "silent" }))])`);
      if (seen.state === "bad") ++red;
      const same = seen.text === good.text && seen.title === good.title && seen.verdict === good.verdict;
      if (seen.state === "good" && !same) wrong.push(at);
    }
    check(`${what}, ${count} bytes changed, ${red} times red, never green and another`,
      wrong.length === 0 && red > count / 3, `bytes ${wrong}, red ${red} of ${count}`);
  }
}

async function attacks(browser, tab) {
  const replaced = (from, to) => {
    if (!genuine.includes(from)) throw new Error("not in the page: " + from);
    return genuine.replace(from, () => to);
  };
  const attempts = {
    "another id in text and title": genuine.replaceAll(statement.predicate.certificate_id,
      "c-aaaaaaaaaaaaaaaaaaaaaaaaaa"),
    "a residual taken out": replaced(/<li><bdi>What models derived.*?<\/li>/.exec(genuine)[0], ""),
    "a sentence put in": replaced("</main>", "<p>Nothing remains anywhere.</p></main>"),
    "a style that hides": replaced("</style>", ".not { display: none; }</style>"),
    "an attribute put in": replaced("<header>", "<header hidden>"),
    "another fingerprint in the text": replaced(fingerprint.match(/.{8}/g).join(" "), "0".repeat(64)),
  };
  for (const [what, html] of Object.entries(attempts)) {
    const seen = await open(browser, tab, html);
    const styled = what === "a style that hides" || seen.color === "rgb(179, 38, 30)";
    check(`${what} is red`, seen.state === "bad" && styled, JSON.stringify(seen));
  }
  // Nor does one that fills another template, as would suit a changed text.
  const scripted = await open(browser, tab, genuine.replaceAll("What is not claimed", "What is claimed"),
    `document.getElementById("verdict").className`);
  check("a changed script does not run", scripted === "unchecked", scripted);
}

// The record of a plan that was not carried out is signed by the same key: its page says what it is,
// and the page of a certificate does not take it.
async function refusals(browser, tab) {
  const page = fs.readFileSync(path.join(directory, "refusal.html"), "utf8");
  const record = fs.readFileSync(path.join(directory, "refusal.json"), "utf8");
  const seen = await open(browser, tab, page);
  check("the page of a refusal holds", seen.state === "good" &&
    seen.verdict.split(": holds.").length === 8, JSON.stringify(seen));
  check("and says first that it is no certificate", seen.text.trim().startsWith("No certificate") &&
    seen.title.startsWith("Record of a refusal p-") && seen.text.includes("<b>perhaps</b>"), seen.text);
  const shot = await tab("Page.captureScreenshot", { captureBeyondViewport: true });
  fs.writeFileSync(path.join(directory, "refusal.png"), Buffer.from(shot.data, "base64"));
  const carrying = (html, file) => html.replace(/(data-log="[^"]*">)[^<]*/,
    (_, start) => start + Buffer.from(file).toString("base64"));
  for (const [what, html] of [["the page of a certificate does not take it", carrying(genuine, record)],
    ["and the other way round", carrying(page, bundle)]]) {
    const mixed = await open(browser, tab, html);
    check(what, mixed.state === "bad" &&
      /What was signed is what this page is made for: [^:]*: DOES NOT HOLD/.test(mixed.verdict) &&
      /signature over the statement holds: holds/.test(mixed.verdict), JSON.stringify(mixed));
  }
}

// What was said of the certificate since is signed apart: none of it is added, taken out, moved or
// changed unseen.
async function amendments(browser, tab) {
  const judged = await open(browser, tab,
    fs.readFileSync(path.join(directory, "judged.html"), "utf8"));
  check("the page of a certificate with a verdict holds", judged.state === "good" &&
    judged.verdict.split(": holds.").length === 9, JSON.stringify(judged));
  const page = fs.readFileSync(path.join(directory, "amended.html"), "utf8");
  const seen = await open(browser, tab, page);
  // The keys were changed after the certificate, as a forger of amendments would have others too.
  check("the page of an amended certificate holds, and is not green with further keys", seen.state === "several" &&
    seen.verdict.split(": holds.").length === 9, JSON.stringify(seen));
  check("and shows each key large", page.match(/<p class="fingerprint">/g).length === 3, page);
  check("and tells what was said", seen.text.includes("<i>gone</i>") &&
    seen.text.includes("accepted, partial") && seen.text.includes("Later ones may be in the log"), seen.text);
  const shot = await tab("Page.captureScreenshot", { captureBeyondViewport: true });
  fs.writeFileSync(path.join(directory, "amended.png"), Buffer.from(shot.data, "base64"));
  const elements = page.match(/\n<script type="text\/plain" class="amendment"[^<]*<\/script>/g);
  check("with both in it", elements.length === 2, String(elements.length));
  const item = /<li><strong><bdi>accepted<\/bdi>[^]*?<\/li>/;
  const attempts = {
    "the last taken out": page.replace(elements[1], ""),
    "the first taken out": page.replace(elements[0], ""),
    "both in the other order": page.replace(elements[0], "").replace(elements[1], elements[1] + elements[0]),
    "one twice": page.replace(elements[1], elements[1] + elements[1]),
    "all of them taken out": page.replace(elements[0], "").replace(elements[1], ""),
    "what was said taken out of the text": page.replace(item, ""),
    "put into the page of another state": genuine.replace("</main>", "</main>" + elements[0]),
  };
  for (const [what, html] of Object.entries(attempts)) {
    const changed = await open(browser, tab, html);
    check(`${what} is red`, changed.state === "bad", JSON.stringify(changed));
  }
  const [from, to] = [page.indexOf(elements[0]), page.indexOf(elements[0]) + elements[0].length];
  const wrong = [];
  for (let at = from + elements[0].indexOf(">") + 1; at < to - "</script>".length; at += 211 * sparse) {
    const bent = page.slice(0, at) + String.fromCharCode(page.charCodeAt(at) ^ 1) + page.slice(at + 1);
    const changed = await open(browser, tab, bent);
    if (changed.state !== "bad") wrong.push(`${at - from}: ${changed.state}`);
  }
  check("a changed byte of one is red", wrong.length === 0, String(wrong));
  // Genuine each, and of this certificate: but what was said between is not told.
  const numbers = elements.map((one) => JSON.parse(Buffer.from(JSON.parse(Buffer.from(
    />([^<]*)</.exec(one)[1], "base64")).dsseEnvelope.payload, "base64")).predicate.number);
  check("they are numbered", numbers.join() === "1,2", numbers.join());
  const gap = await open(browser, tab, page.replace(elements[0], ""));
  check("without the first it is the amendments that do not hold", gap.state === "bad" &&
    /in order and without a gap: DOES NOT HOLD/.test(gap.verdict), gap.verdict);
}

async function withoutEd25519(browser, tab, good) {
  const source = `crypto.subtle.importKey = () =>
    Promise.reject(new DOMException("Unrecognized name.", "NotSupportedError"));`;
  const { identifier } = await tab("Page.addScriptToEvaluateOnNewDocument", { source });
  const seen = await open(browser, tab, genuine);
  check("without Ed25519 it is not checked, and says so", seen.state === "unchecked" &&
    seen.verdict.includes("Not checked here: this browser cannot check Ed25519") &&
    seen.color === "rgb(238, 238, 238)" && seen.text === good.text, JSON.stringify(seen));
  const changed = await open(browser, tab, genuine.replace("</main>", "<p>more</p></main>"));
  check("and what it can check is red", changed.state === "bad", JSON.stringify(changed));
  await tab("Page.removeScriptToEvaluateOnNewDocument", { identifier });
}

async function withoutScripts(browser, tab, good) {
  await tab("Emulation.setScriptExecutionDisabled", { value: true });
  const seen = await open(browser, tab, genuine, `({ state: document.getElementById("verdict").className,
    verdict: document.getElementById("verdict").textContent,
    text: document.getElementById("certificate").textContent })`);
  check("without scripts all of it can be read, and nothing is green", seen.state === "unchecked" &&
    seen.text === good.text && seen.verdict.trim().startsWith("Not checked here"), JSON.stringify(seen));
  await tab("Emulation.setScriptExecutionDisabled", { value: false });
}

(async () => {
  const browser = await Browser.start(directory);
  process.on("SIGTERM", () => { browser.stop(); process.exit(1); });
  try {
    const tab = await browser.tab();
    const good = await genuinePage(browser, tab);
    await paper(tab);
    await saving(browser, tab);
    await withoutEd25519(browser, tab, good);
    await withoutScripts(browser, tab, good);
    await refusals(browser, tab);
    await amendments(browser, tab);
    await attacks(browser, tab);
    await mutants(browser, tab, good);
  } finally {
    browser.stop();
  }
  process.exitCode = failed ? 1 : 0;
})().catch((error) => {
  console.log("FAIL " + error.stack);
  process.exit(1);
});
