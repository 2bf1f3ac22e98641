
"use strict";
// Checks the signed file that this page carries, with nothing but the browser: the signature over
// the statement, its entry in the log, the proof to the signed head, and that the text above is the
// one that follows from the statement, by the same template that wrote it. It asks nobody.
(() => {
  const element = (id) => document.getElementById(id);
  const utf8 = (bytes) => new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  const bytesOf = (text) => new TextEncoder().encode(text);
  const bytesFrom = (base64) => Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
  const hex = (bytes) => Array.from(bytes, (b) => b.toString(16).padStart(2, "0")).join("");
  const joined = (...parts) => {
    const all = new Uint8Array(parts.reduce((size, part) => size + part.length, 0));
    parts.reduce((at, part) => { all.set(part, at); return at + part.length; }, 0);
    return all;
  };
  const sha256 = async (bytes) => new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  const demand = (holds, sentence) => { if (!holds) throw new Error(sentence); };

  // ---- the template; lib/certificate/page_template.cpp reads the same --------------------------

  const template = "@template@";
  const notStated = "not stated";
  const longest = 400;
  const invisible = @invisible@;

  function visible(text) {
    let shown = "";
    let count = 0;
    for (const character of text) {
      if (++count > longest) return shown + "…";
      const code = character.codePointAt(0);
      const hidden = invisible.some(([first, last]) => code >= first && code <= last);
      shown += hidden
        ? Array.from(bytesOf(character), (b) => "\\x" + b.toString(16).toUpperCase().padStart(2, "0")).join("")
        : character;
    }
    return shown;
  }

  const escaped = (text) => visible(text).replace(/[&<>"']/g, (c) => "&#" + c.charCodeAt(0) + ";");
  const isCount = (value) => Number.isSafeInteger(value) && value >= 0;

  function words(value) {
    if (typeof value === "string") return value;
    if (isCount(value)) return String(value);
    if (typeof value === "boolean") return value ? "yes" : "no";
    if (Array.isArray(value)) return value.length ? value.map(words).join(", ") : "none";
    return notStated;
  }

  const filters = {
    number: (value) => isCount(value) ? String(value).replace(/\B(?=(\d{3})+$)/g, ",") : notStated,
    count: (value) => Array.isArray(value) ? String(value.length) : notStated,
    time: (value) => /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/.test(words(value))
      ? words(value).slice(0, 10) + " " + words(value).slice(11, 19) + " UTC" : words(value),
    groups: (value) => words(value).replace(/.{8}(?=.)/gu, "$& "),
  };

  function found(root, item, path) {
    if (path === ".") return item;
    const own = (object, key) => object !== null && typeof object === "object" &&
      !Array.isArray(object) && Object.hasOwn(object, key) ? object[key] : undefined;
    const local = path.startsWith(".");
    return path.slice(local ? 1 : 0).split(".").reduce(own, local ? item : root);
  }

  function stated(value) {
    if (typeof value === "string") return value !== "" && !value.startsWith("not applicable");
    if (typeof value === "object" && value !== null) return Object.keys(value).length > 0;
    return value === true || isCount(value);
  }

  function filled(template, root) {
    const pieces = template.split(/\{\{(.*?)\}\}/s);
    let page = "";
    const block = (at, item, shown) => {
      for (;;) {
        if (shown) page += pieces[at];
        if (++at >= pieces.length) return at;
        const tag = pieces[at++];
        const rest = tag.slice(1);
        if (tag[0] === "/") return at;
        if (tag[0] === "#") at = each(at, rest, item, shown);
        else if (tag[0] === "?") at = block(at, item, shown && stated(found(root, item, rest)));
        else if (tag[0] === "!") at = block(at, item, shown && !stated(found(root, item, rest)));
        else if (shown) page += value(tag, item);
      }
    };
    const each = (at, tag, item, shown) => {
      const [path, limit] = tag.split(":");
      const list = found(root, item, path);
      if (!shown || !Array.isArray(list) || list.length === 0) return block(at, item, false);
      let end = at;
      for (const one of list.slice(0, Number(limit))) end = block(at, one, true);
      const more = list.length - Number(limit);
      if (more > 0) page += `<span class="more">and ${more} more, in the signed statement</span>`;
      return end;
    };
    const value = (tag, item) => {
      const [path, filter] = tag.split("|");
      const text = (filter ? filters[filter] : words)(found(root, item, path));
      return "<bdi>" + escaped(text) + "</bdi>";
    };
    block(0, null, true);
    return page;
  }

  // ---- what is signed --------------------------------------------------------------------------

  const ed25519Prefix = "302a300506032b6570032100";

  async function keyOf(base64) {
    const der = bytesFrom(base64);
    demand(der.length === 44 && hex(der).startsWith(ed25519Prefix), "A key in this page is none of Ed25519.");
    return { der: base64, raw: der.slice(12), id: hex(await sha256(der)) };
  }

  // Whether the signature holds; null where this browser cannot tell.
  async function holds(key, signature, bytes) {
    let imported;
    try {
      imported = await crypto.subtle.importKey("raw", key.raw, { name: "Ed25519" }, false, ["verify"]);
    } catch (error) {
      if (error.name === "NotSupportedError" || error instanceof TypeError) return null;
      throw error;
    }
    return crypto.subtle.verify({ name: "Ed25519" }, imported, signature, bytes);
  }

  async function read(evidence) {
    const file = bytesFrom(evidence.textContent);
    const bundle = JSON.parse(utf8(file));
    const envelope = bundle.dsseEnvelope;
    const material = bundle.verificationMaterial;
    demand(bundle.mediaType === "application/vnd.dev.sigstore.bundle.v0.3+json" &&
      envelope.payloadType === "application/vnd.in-toto+json" && envelope.signatures.length === 1 &&
      material.tlogEntries.length === 1, "The file that this page carries is no signed bundle.");
    const payload = bytesFrom(envelope.payload);
    const entry = material.tlogEntries[0];
    const lines = entry.inclusionProof.checkpoint.envelope.split("\n");
    return {
      file, payload, entry, lines,
      hint: material.publicKey.hint,
      keyid: envelope.signatures[0].keyid,
      signature: bytesFrom(envelope.signatures[0].sig),
      signatureText: envelope.signatures[0].sig,
      statement: JSON.parse(utf8(payload)),
      signer: await keyOf(evidence.dataset.signer),
      log: await keyOf(evidence.dataset.log),
      head: { origin: lines[0], size: Number(lines[1]), root: lines[2] },
      leaf: Number(entry.logIndex),
    };
  }

  // ---- the checks: true, false, or null where this browser cannot tell --------------------------

  const checkKey = async (e) => e.hint === e.signer.id && e.keyid === e.signer.id;

  async function checkSignature(e) {
    const type = "application/vnd.in-toto+json";
    const before = `DSSEv1 ${type.length} ${type} ${e.payload.length} `;
    return holds(e.signer, e.signature, joined(bytesOf(before), e.payload));
  }

  async function checkEntry(e) {
    const body = JSON.parse(utf8(bytesFrom(e.entry.canonicalizedBody)));
    const said = body.spec.dsseV002;
    return body.kind === "dsse" && said.signatures.length === 1 &&
      hex(bytesFrom(said.payloadHash.digest)) === hex(await sha256(e.payload)) &&
      said.signatures[0].content === e.signatureText &&
      said.signatures[0].verifier.publicKey.rawBytes === e.signer.der;
  }

  // RFC 9162 section 2.1.3.2.
  async function checkProof(e) {
    const proof = e.entry.inclusionProof;
    if (!isCount(e.leaf) || !isCount(e.head.size) || e.leaf >= e.head.size) return false;
    if (Number(proof.logIndex) !== e.leaf || Number(proof.treeSize) !== e.head.size) return false;
    const node = (left, right) => sha256(joined([1], left, right));
    let index = e.leaf;
    let last = e.head.size - 1;
    let hash = await sha256(joined([0], bytesFrom(e.entry.canonicalizedBody)));
    const half = (n) => Math.floor(n / 2);
    for (const sibling of proof.hashes.map(bytesFrom)) {
      if (last === 0 || sibling.length !== 32) return false;
      if (index % 2 === 1 || index === last) {
        hash = await node(sibling, hash);
        while (index % 2 === 0 && index !== 0) [index, last] = [half(index), half(last)];
      } else {
        hash = await node(hash, sibling);
      }
      [index, last] = [half(index), half(last)];
    }
    return last === 0 && hex(hash) === hex(bytesFrom(proof.rootHash)) &&
      hex(hash) === hex(bytesFrom(e.head.root));
  }

  function storeInHex(id) {
    const letters = "abcdefghijklmnopqrstuvwxyz234567";
    const bits = Array.from(id, (c) => letters.indexOf(c).toString(2).padStart(5, "0")).join("");
    return hex(bits.slice(0, 128).match(/.{8}/g).map((byte) => parseInt(byte, 2)));
  }

  async function checkHead(e) {
    const end = e.lines.indexOf("");
    const text = bytesOf(e.lines.slice(0, end).join("\n") + "\n");
    const name = bytesOf(e.head.origin + "\n");
    const mark = await sha256(joined(name, [1], e.log.raw));
    if (hex(bytesFrom(e.entry.logId.keyId)) !== hex(mark)) return false;
    if (e.head.origin !== "aierase.org/log/" + storeInHex(e.statement.predicate.store.id)) return false;
    for (const line of e.lines.slice(end + 1)) {
      const start = "— " + e.head.origin + " ";
      const signed = line.startsWith(start) ? bytesFrom(line.slice(start.length)) : [];
      if (signed.length !== 68 || hex(signed.slice(0, 4)) !== hex(mark.slice(0, 4))) continue;
      return holds(e.log, signed.slice(4), text);
    }
    return false;
  }

  // Keys of amendments that are none of the certificate's: nothing here shows whose they are.
  const furtherKeys = (e) => Array.from(new Set(e.amendments.flatMap((one) => [one.signer.id, one.log.id])))
    .filter((id) => id !== e.signer.id && id !== e.log.id).sort();

  async function checkText(e) {
    const shown = document.createElement("template");
    shown.innerHTML = filled(template, {
      p: e.statement.predicate, subject: e.statement.subject, signer: e.signer.id, log_key: e.log.id,
      log: { leaf: e.leaf, size: e.head.size, origin: e.head.origin },
      amendments: e.amendments.map((one) => ({ p: one.statement.predicate, signer: one.signer.id })),
      last: e.amendments.length ? e.amendments[e.amendments.length - 1].statement.predicate : null,
      further: furtherKeys(e).map((key) => ({ key })),
    });
    // A style that the policy refuses, because it was changed, is no sheet of the document.
    return shown.innerHTML === element("certificate").innerHTML && document.styleSheets.length === 1 &&
      document.title === "@title@ " + visible(found(e.statement.predicate, null, "@id@"));
  }

  // A key signs more than one kind of thing, and each has words of its own.
  const checkKind = async (e) => e.statement._type === "https://in-toto.io/Statement/v1" &&
    e.statement.predicateType === "@predicate@";

  const sha256Of = async (e) => hex(await sha256(e.payload));

  const judged = ["accepted", "rejected", "escalated"];
  const isObject = (value) => typeof value === "object" && value !== null && !Array.isArray(value);

  // Kind, verdict and outcome are those that follow from each other and from the verdict before.
  function agrees(p, before) {
    const verdict = p.kind === "validation";
    return ["validation", "evidence", "erased-again"].includes(p.kind) &&
      (verdict ? judged.includes(p.validation) : p.validation === before) &&
      isObject(p.evidence) === (p.kind === "evidence") &&
      isObject(p.erased_again) === (p.kind === "erased-again") &&
      (p.kind === "evidence" || p.residuals_closed.length === 0) &&
      p.outcome === (p.validation === "accepted" && p.residuals_open.length === 0 ? "final" : "partial") &&
      p.people.length === 1 && p.people[0].role === (verdict ? "validator" : "amender");
  }

  // Each is signed and in the log as the certificate is, amends what is signed here, and follows the
  // one before; the residuals that it leaves open are those from before without what it closes.
  async function checkAmendments(e) {
    const certificate = await sha256Of(e);
    let previous = certificate;
    let open = Array.from(new Set((e.statement.predicate.residuals || []).map((one) => one.code))).sort();
    let number = 0;
    let validation = "awaiting";
    let known = true;
    const of = e.statement.predicate;
    for (const one of e.amendments) {
      const p = one.statement.predicate;
      for (const check of [checkKey, checkSignature, checkEntry, checkProof, checkHead]) {
        const outcome = await check(one);
        if (outcome === false) return false;
        if (outcome === null) known = null;
      }
      const left = open.filter((code) => !p.residuals_closed.includes(code));
      const holds = one.statement._type === "https://in-toto.io/Statement/v1" &&
        one.statement.predicateType === "https://aierase.org/amendment/v1" &&
        one.statement.subject.length === 1 && one.statement.subject[0].digest.sha256 === certificate &&
        p.certificate_id === of.certificate_id && p.store.id === of.store.id &&
        p.asset.id === of.asset.id && p.plan.id === of.disposal.plan &&
        p.plan.digest === of.disposal.plan_digest && agrees(p, validation) && p.number === ++number &&
        p.previous_sha256 === previous && left.length + p.residuals_closed.length === open.length &&
        JSON.stringify(left) === JSON.stringify(p.residuals_open);
      if (!holds) return false;
      previous = await sha256Of(one);
      open = left;
      validation = p.validation;
    }
    return known;
  }

  const checks = [
    ["The key below is the one that the signed file names", checkKey],
    ["Its signature over the statement holds", checkSignature],
    ["The entry of the log is that of this statement, signature and key", checkEntry],
    ["The proof leads from the entry to the head of the log", checkProof],
    ["The signature of the log over its head holds", checkHead],
    ["What was signed is what this page is made for: @kind@", checkKind],
    ...(document.querySelector("script.amendment") === null ? [] : [
      ["The amendments are of this statement, signed and in the log each, in order and without a gap", checkAmendments]]),
    ["What is written below is what was signed", checkText],
  ];

  // ---- the verdict -----------------------------------------------------------------------------

  const verdicts = {
    good: ["Checked here: signed with the key below, unchanged, and in the log",
      "Whose key that is, this page cannot know: compare the fingerprint. A page that somebody forged " +
      "could claim as much; where it matters, have the signed file verified by another program."],
    several: ["COMPARE EACH KEY: what was said since is signed with other keys than the certificate",
      "What is checked here holds, under several keys. A store that changed its keys has such a page, and " +
      "so has somebody who added words of their own to it: compare every fingerprint below, or have the " +
      "signed files verified by another program."],
    bad: ["Do not rely on this: it was changed, or is not what was signed", ""],
    unchecked: ["Not checked here: this browser cannot check Ed25519 signatures",
      "Nothing shows that this is unchanged. Open it in a browser of 2025 or later, or have the " +
      "signed file verified by another program."],
  };
  const marks = new Map([[true, "holds"], [false, "DOES NOT HOLD"], [null, "not checked here"]]);

  function part(name, text) {
    const made = document.createElement(name);
    made.textContent = text;
    return made;
  }

  function saveButton(file, number) {
    const button = part("button", number ? `Save amendment ${number}` : "Save the signed file");
    button.addEventListener("click", () => {
      const link = document.createElement("a");
      link.href = URL.createObjectURL(new Blob([file], { type: "application/json" }));
      link.download = "@file@" + (number ? ".amendment-" + number : "");
      link.click();
    });
    return button;
  }

  function tell(outcomes, e) {
    const all = outcomes.map((one) => one[1]);
    const kind = all.includes(false) ? "bad" : all.includes(null) ? "unchecked"
      : furtherKeys(e).length ? "several" : "good";
    const list = document.createElement("ol");
    for (const [sentence, outcome] of outcomes) list.append(part("li", `${sentence}: ${marks.get(outcome)}.`));
    const verdict = element("verdict");
    verdict.className = kind;
    verdict.replaceChildren(part("h2", verdicts[kind][0]), part("p", verdicts[kind][1]), list);
    if (e) verdict.append(saveButton(e.file, 0), ...e.amendments.map((one, i) => saveButton(one.file, i + 1)));
  }

  async function main() {
    let evidence;
    try {
      if (!globalThis.crypto || !crypto.subtle) {
        return tell(checks.map((check) => [check[0], null]), null);
      }
      evidence = await read(element("evidence"));
      evidence.amendments = await Promise.all(Array.from(document.querySelectorAll("script.amendment"), read));
    } catch {
      return tell([["The file that this page carries can be read", false]], null);
    }
    const outcomes = [];
    for (const [sentence, check] of checks) {
      try {
        outcomes.push([sentence, await check(evidence)]);
      } catch {
        outcomes.push([sentence, false]);
      }
    }
    tell(outcomes, evidence);
  }

  main();
})();
