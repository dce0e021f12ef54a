#!/usr/bin/env bash
# Generates stubs for Python, Go and Java with buf, and plays one change over each, and over Node.js,
# against one server. While a client starts, the database refuses writes; they are allowed
# again once the server has answered the client's ChangeContacts with UNAVAILABLE.
set -euo pipefail
cd "$(dirname "$0")/../.."

deploy/install-packages.sh build run stubs
[[ -e build/release/build.ninja ]] || cmake --preset release >/dev/null
cmake --build --preset release --target contactsd contactctl

cache=${CONTACTS_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/contacts}
[[ -x $cache/buf/node_modules/.bin/buf ]] ||
  npm install --silent --no-fund --no-audit --prefix "$cache/buf" @bufbuild/buf
[[ -d $cache/grpc-js/node_modules/@grpc/proto-loader ]] ||
  npm install --silent --no-fund --no-audit --prefix "$cache/grpc-js" @grpc/grpc-js @grpc/proto-loader

folder=$(mktemp -d)
chmod 711 "$folder"
server=
cleanup() {
  [[ -z $server ]] || { kill "$server" && wait "$server"; } || true
  deploy/local-mysql.sh drop --dir="$folder/mysql"
  rm -rf "$folder"
}
trap cleanup EXIT

step() { # NAME COMMAND...
  local begin=$SECONDS name=$1
  shift
  "$@" || { echo "FAILED: $name" >&2; exit 1; }
  echo "$name: ok, $((SECONDS - begin)) s"
}

sources=$PWD/tests/stubs
google_rpc=/usr/share/gocode/src/github.com/gogo/googleapis
java=/usr/share/java
classpath=$folder/classes:$java/protobuf.jar:$java/guava.jar:$java/gson.jar
for jar in grpc-{api,context,core,netty,protobuf,protobuf-lite,stub} perfmark-{api,impl} \
  netty-{buffer,codec,codec-http,codec-http2,codec-socks,common,handler,handler-proxy,resolver,transport} \
  geronimo-annotation-1.3-spec jsr305; do
  classpath+=:$java/$jar.jar
done
generate() {
  (cd proto && "$cache/buf/node_modules/.bin/buf" generate --output "$folder") &&
    protoc -I "$google_rpc" --python_out="$folder/gen/python" --java_out="$folder/gen/java" \
      google/rpc/{status,error_details}.proto
}
build_go() {
  mkdir "$folder/gen/go/src" && mv "$folder/gen/go/contacts" "$folder/gen/go/src" &&
    GO111MODULE=off GOPATH=$folder/gen/go:/usr/share/gocode go build -o "$folder/client" "$sources/client.go"
}
build_java() {
  javac -nowarn -cp "$classpath" -d "$folder/classes" "$folder"/gen/java/{contacts/v1,com/google/rpc}/*.java \
    "$sources/Client.java"
}
step "generating" generate
step "building Go" build_go
step "building Java" build_java

database() { deploy/local-mysql.sh "$1" --engine="${CONTACTS_ENGINE:-mariadb}" --dir="$folder/mysql" --buffer-pool=64M; }
uri=$(CONTACTS_DIE_WITH=$$ database start)
mkdir "$folder/mail"
(cd "$folder" && exec setpriv --pdeathsig KILL "$OLDPWD/build/release/server/contactsd" --listen=127.0.0.1:0 \
  --migrate --mysql="$uri" --mail="maildir:$folder/mail" >listening 2>log) &
server=$!
for _ in $(seq 300); do
  grep -qs '^listening on' "$folder/listening" && break
  sleep 0.1
done
address=$(sed -n 's/^listening on //p' "$folder/listening")
[[ -n $address ]] || { cat "$folder/log" >&2; exit 1; }
ctl=(build/release/client/contactctl --server="$address")
deploy/load-sample.sh "${ctl[@]}"

unavailable() { grep 'ChangeContacts' "$folder/log" | grep -c '"status":"UNAVAILABLE"' || true; }
play() { # COMMAND...
  local service=$1.example.com before client
  "${ctl[@]}" --operator operator create-service "$service" --kind=domain --admin=ma100001-ovh \
    --tech=th100002-ovh --billing=ma100001-ovh --owner-name=Marie >/dev/null
  before=$(unavailable)
  echo 'SET GLOBAL read_only = 1' | database sql
  "${@:2}" "$address" "$service" &
  client=$!
  for _ in $(seq 600); do
    (($(unavailable) > before)) && break
    kill -0 "$client" 2>/dev/null || break
    sleep 0.05
  done
  echo 'SET GLOBAL read_only = 0' | database sql
  wait "$client" && (($(unavailable) > before))
}
export READ_MAIL="$PWD/deploy/read-mail.py --maildir=$folder/mail --link"
export SERVICE_CONFIG=$PWD/proto/service-config.json
step "Python" play python env PYTHONPATH="$folder/gen/python" /usr/bin/python3 -B "$sources/client.py"
step "Node.js" play node env NODE_PATH="$cache/grpc-js/node_modules" PROTO_PATH="$PWD/proto:$google_rpc" \
  node "$sources/client.js"
# The switch that gRPC for Go needs before version 1.40.
step "Go" play go env GRPC_GO_RETRY=on "$folder/client"
step "Java" play java java -cp "$classpath" Client
