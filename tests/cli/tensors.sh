#!/bin/bash
# Tensors of model files: their table sealed in at import, shown, and one of them handed out.
. "${SOURCE:?run it by ctest}/tests/cli/lib.sh"
start_bus
start_daemon
check "init" a init --root-slot "file:$DIR/slot/slot" --unlock none --single-operator

mkdir "$DIR/model"
python3 - "$DIR/model" <<'PY'
import json, os, struct, sys

def safetensors(name, tensors):
    header, data = {"__metadata__": {"format": "pt"}}, b""
    for tensor, shape in tensors.items():
        size = 4
        for extent in shape:
            size *= extent
        header[tensor] = {"dtype": "F32", "shape": shape, "data_offsets": [len(data), len(data) + size]}
        data += os.urandom(size)
    text = json.dumps(header).encode()
    with open(os.path.join(sys.argv[1], name), "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + data)
    for tensor, entry in header.items():
        if tensor != "__metadata__":
            begin, end = entry["data_offsets"]
            with open(os.path.join(sys.argv[1], "..", f"{name}.{tensor}"), "wb") as file:
                file.write(data[begin:end])

safetensors("one.safetensors", {"embed": [1000, 300], "norm": [300], "shared": [4], "none": [0]})
safetensors("two.safetensors", {"lm_head": [3000, 1000], "shared": [8]})
with open(os.path.join(sys.argv[1], "broken.gguf"), "wb") as file:
    file.write(b"GGUF" + struct.pack("<IQQ", 3, 1 << 60, 0))
PY
python3 - "$DIR" <<'PY'
import json, os, struct, sys

# A name that a terminal would obey.
text = json.dumps({"\x1b[31mred": {"dtype": "U8", "shape": [4], "data_offsets": [0, 4]}}).encode()
with open(os.path.join(sys.argv[1], "hostile.safetensors"), "wb") as file:
    file.write(struct.pack("<Q", len(text)) + text + b"1234")
PY
echo '{"hidden_size": 300}' >"$DIR/model/config.json"

check "import of a model" a import acme/m:1 "$DIR/model"
contains "the header that cannot be read is told" "$(cat "$DIR/err")" 'broken.gguf is imported without a table'
contains "its tensors" "$(a show --tensors acme/m:1)" 'embed *F32 *1000 x 300 *1200000 *one.safetensors'
equal "as JSON, in order of their place" \
  "$(a --json show --tensors acme/m:1 | json '[t["name"] for t in d["asset"]["tensors"]]')" \
  "['embed', 'norm', 'shared', 'none', 'lm_head', 'shared']"
equal "without --tensors nothing of it" "$(a --json show acme/m:1 | json '"tensors" in d["asset"] or "metadata" in d["asset"]')" False

check "one tensor is handed out" cmp <(a export acme/m:1 - --tensor lm_head) "$DIR/two.safetensors.lm_head"
check "and into a file" a export acme/m:1 "$DIR/norm" --tensor norm
check "which is the same" cmp "$DIR/norm" "$DIR/one.safetensors.norm"
check "one of two of a name" cmp <(a export acme/m:1 - --tensor shared --file two.safetensors) \
  "$DIR/two.safetensors.shared"
contains "the export is recorded with its range" "$(a --json show acme/m:1)" 'two.safetensors\['
refused 2 'several files have a tensor' a export acme/m:1 - --tensor shared
refused 4 'no tensor .nothing' a export acme/m:1 - --tensor nothing
refused 6 'has no bytes' a export acme/m:1 - --tensor none
refused 2 'exclude' a export acme/m:1 - --tensor norm --range 0-5 --file one.safetensors
refused 2 'exclude' a export acme/m:1 - --tensor norm --tar

check "import of a file that only looks like a model" a import plain:1 "$DIR/model/broken.gguf"
contains "it is taken as it is" "$(a show plain:1)" 'broken.gguf'
contains "and has no table" "$(a show --tensors plain:1)" 'No table of tensors'
check "its bytes are there" cmp <(a export plain:1 -) "$DIR/model/broken.gguf"
check "--json names the note" a --json import plain:2 "$DIR/model/broken.gguf"
equal "in a list" "$(json 'len(d["notes"])' <"$DIR/out")" 1

check "import of a model with hostile names of tensors" a import hostile:1 "$DIR/hostile.safetensors"
contains "it has no table, and why" "$(cat "$DIR/err")" 'no printable text'
equal "nothing of them goes to the terminal" "$(tr -cd '\033' <"$DIR/err" | wc -c)" 0

key=$(a -q import --generate --kind dataset-key key:1)
refused 2 'goes out whole' a export key:1 "$DIR/key" --tensor t
equal "a key has no tensors" "$(a --json show --tensors "$key" | json 'd["asset"]["tensors"]')" '[]'
finish
