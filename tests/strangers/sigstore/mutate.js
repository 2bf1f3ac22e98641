// Whatever is changed in a bundle, @sigstore/verify refuses it, or it still says the same.
const fs = require("fs");
const { bundleFromJSON } = require("@sigstore/bundle");
const { TrustedRoot } = require("@sigstore/protobuf-specs");
const { Verifier, toSignedEntity, toTrustMaterial } = require("@sigstore/verify");

const [file, keyring, root] = process.argv.slice(2);
const read = (path) => fs.readFileSync(path, "utf8");
const keys = {};
for (const key of JSON.parse(read(keyring)).keys) {
  if (key.purpose === "signer") keys[key.key_id] = { rawBytes: Buffer.from(key.public_key, "base64") };
}
const trust = toTrustMaterial(TrustedRoot.fromJSON(JSON.parse(read(root))), keys);
const verifier = new Verifier(trust, { tlogThreshold: 1, timestampThreshold: 0 });
const said = (bundle) => Buffer.from(bundle.dsseEnvelope.payload, "base64").toString();

function accepts(text) {
  try {
    verifier.verify(toSignedEntity(bundleFromJSON(JSON.parse(text))));
    return true;
  } catch {
    return false;
  }
}

const good = read(file);
if (!accepts(good)) throw new Error("the bundle as it is is refused");
const statement = said(JSON.parse(good));

// Each part by itself: refused.
const parts = {
  payload: (b) => (b.dsseEnvelope.payload = Buffer.from(statement.replace("tested", "TESTED")).toString("base64")),
  "payload type": (b) => (b.dsseEnvelope.payloadType += "x"),
  signature: (b) => (b.dsseEnvelope.signatures[0].sig = Buffer.alloc(64).toString("base64")),
  hint: (b) => (b.verificationMaterial.publicKey.hint = "0".repeat(64)),
  "no entry": (b) => (b.verificationMaterial.tlogEntries = []),
  body: (b) => (b.verificationMaterial.tlogEntries[0].canonicalizedBody = Buffer.from("{}").toString("base64")),
  index: (b) => (b.verificationMaterial.tlogEntries[0].inclusionProof.logIndex = "0"),
  hashes: (b) => b.verificationMaterial.tlogEntries[0].inclusionProof.hashes.pop(),
  checkpoint: (b) => {
    const point = b.verificationMaterial.tlogEntries[0].inclusionProof.checkpoint;
    point.envelope = point.envelope.replace(/\n(\d+)\n/, "\n1$1\n");
  },
};
for (const [name, change] of Object.entries(parts)) {
  const bundle = JSON.parse(good);
  change(bundle);
  if (accepts(JSON.stringify(bundle))) throw new Error(`accepted with another ${name}`);
}

// Every byte.
let accepted = 0;
for (let at = 0; at < good.length; ++at) {
  const changed = good.slice(0, at) + String.fromCharCode(good.charCodeAt(at) ^ 1) + good.slice(at + 1);
  if (!accepts(changed)) continue;
  ++accepted;
  if (said(JSON.parse(changed)) !== statement) throw new Error(`byte ${at} changes what is said`);
}
console.log(`${good.length} bytes changed one by one, ${accepted} without meaning`);
